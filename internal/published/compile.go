package published

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// taskFolders are the folders of HAT's configurations by the task's name in its
// models: HAT_wmt14ende_xeon@... lies in configs/wmt14.en-de.
var taskFolders = map[string]string{
	"wmt14ende": "wmt14.en-de", "wmt14enfr": "wmt14.en-fr", "wmt19ende": "wmt19.en-de", "iwslt14deen": "iwslt14.de-en",
}

// models is one row of the README's table of models: several of one task and
// device, one value of every column for each.
type models struct {
	task, hardware string
	columns        [7][]string // latency, params, FLOPs, BLEU, SacreBLEU, name, link
}

// compileSubTransformers makes hat/subtransformers.csv of HAT's README, which
// has the figures, and the configuration of every model, which has its
// architecture. read returns a file of the repository.
func compileSubTransformers(read func(path string) ([]byte, error)) ([]byte, error) {
	readme, err := read("README.md")
	if err != nil {
		return nil, err
	}
	tables, err := parseReadme(string(readme))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	rows := [][]string{subTransformerHeader}
	for _, t := range tables {
		for i := range t.columns[0] {
			row, err := t.row(i, read)
			if err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("compiling %s: %w", subTransformersPath, err)
	}
	return out.Bytes(), nil
}

// parseReadme finds the rows of the table of models: nine cells, the third to
// the last with one value for each model, parted by <br>.
func parseReadme(text string) ([]models, error) {
	var out []models
	for n, line := range slices.Collect(strings.Lines(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 9 || !strings.Contains(line, "HAT_") {
			continue
		}
		m := models{task: strings.TrimSpace(cells[0]), hardware: strings.TrimSpace(cells[1])}
		for i := range m.columns {
			m.columns[i] = values(cells[2+i])
			if len(m.columns[i]) != len(m.columns[0]) {
				return nil, fmt.Errorf("README.md:%d: column %d has %d values, expected %d as in the latency column", n+1, 3+i, len(m.columns[i]), len(m.columns[0]))
			}
		}
		out = append(out, m)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("README.md: no table of models, expected rows of nine cells with HAT_... names")
	}
	return out, nil
}

// values parts a cell at <br> and drops the empty comments that keep Markdown
// from making links of the names.
func values(cell string) []string {
	var out []string
	for v := range strings.SplitSeq(strings.ReplaceAll(cell, "<!-- -->", ""), "<br>") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

func configPath(model string) (string, error) {
	_, rest, _ := strings.Cut(model, "_")
	task, _, _ := strings.Cut(rest, "_")
	folder, ok := taskFolders[task]
	if !ok {
		return "", fmt.Errorf("README.md: model %q is of no known task, expected HAT_wmt14ende_... and its like", model)
	}
	return "configs/" + folder + "/subtransformer/" + model + ".yml", nil
}

// row is the CSV row of the i-th model.
func (m models) row(i int, read func(string) ([]byte, error)) ([]string, error) {
	name := m.columns[5][i]
	row := []string{name, m.task, m.hardware, m.columns[0][i]}
	for _, column := range m.columns[1:5] {
		x, err := strconv.ParseFloat(column[i], 64)
		if err != nil {
			return nil, fmt.Errorf("README.md: %s: %q, expected a number", name, column[i])
		}
		row = append(row, shortest(x))
	}
	path, err := configPath(name)
	if err != nil {
		return nil, err
	}
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	var settings map[string]yaml.Node
	if err := yaml.Unmarshal(text, &settings); err != nil {
		return nil, fmt.Errorf("%s: malformed YAML: %w", path, err)
	}
	for _, key := range settingKeys {
		node, ok := settings[key]
		if !ok {
			return nil, fmt.Errorf("%s: %s is missing", path, key)
		}
		row = append(row, literal(&node))
	}
	return row, nil
}

// shortest writes a number with as few digits as it needs, at least one decimal.
func shortest(x float64) string {
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// literal is a YAML scalar or list on one line.
func literal(n *yaml.Node) string {
	if n.Kind != yaml.SequenceNode {
		return n.Value
	}
	items := make([]string, len(n.Content))
	for i, item := range n.Content {
		items[i] = item.Value
	}
	return "[" + strings.Join(items, ", ") + "]"
}
