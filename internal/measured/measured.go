// Package measured reads a task's table, the user's or one that ships: a CSV with
// one trained architecture in each row, its score and what it costs.
//
// There is one column for each hyperparameter, by its name; a hyperparameter
// with a value for each layer is written as a list like "[64, 32]", and a depth
// may be left out, being the length of its lists. The column score is needed,
// test_score and set (demonstration, test, or extra for neither) are optional.
// Every other column is a cost: latency_ms, energy_mj.
package measured

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"hsnas/internal/config"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// The names of the columns that are no hyperparameters and no costs.
const (
	ScoreColumn     = "score"
	TestScoreColumn = "test_score"
	SetColumn       = "set"
)

// The values of the column set.
const (
	Demonstration = "demonstration"
	Test          = "test"
	Extra         = "extra" // measured, but in neither
)

// Cost is a cost column.
type Cost struct {
	Name string // latency_ms
	Unit string // ms; "" where the name does not say
}

// Row is one row of the table.
type Row struct {
	Line      int // in the file, from 1
	Arch      space.Architecture
	Score     float64
	TestScore float64   // NaN without the column
	Costs     []float64 // as Table.Costs
	Set       string    // "" without the column
}

// Table is the whole file.
type Table struct {
	File  string // for messages
	Costs []Cost
	Rows  []Row
	Sets  bool // whether there is a column set
}

// Read reads a task's table. Every fault is a *config.Error with file and line
// that names the column and what was expected.
func Read(t *task.Task) (*Table, error) {
	text, file, err := t.Table()
	if err != nil {
		return nil, err
	}
	return parse(file, text, t.Space, t.Metric)
}

// parser holds what the header said.
type parser struct {
	file   string
	space  *space.Space
	metric task.Metric
	header []string
	hyper  map[int]int // column of each hyperparameter
	column map[string]int
	costs  []int // columns
}

func parse(file string, text []byte, s *space.Space, m task.Metric) (*Table, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	r.TrimLeadingSpace = true
	header, err := r.Read()
	if err != nil {
		return nil, config.Errorf(file, 1, "no header, expected the names of the hyperparameters and %s", ScoreColumn)
	}
	p := &parser{file: file, space: s, metric: m, header: header, hyper: map[int]int{}, column: map[string]int{}}
	if err := p.readHeader(); err != nil {
		return nil, err
	}
	_, sets := p.column[SetColumn]
	table := &Table{File: file, Sets: sets}
	for _, c := range p.costs {
		table.Costs = append(table.Costs, Cost{header[c], unit(header[c])})
	}
	seen := map[string]int{}
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			return nil, config.Errorf(file, syntax.Line, "malformed CSV: %v, expected %d columns as in the header", syntax.Err, len(header))
		}
		line, _ := r.FieldPos(0)
		row, err := p.row(line, fields)
		if err != nil {
			return nil, err
		}
		if first, twice := seen[row.Arch.Key()]; twice {
			return nil, config.Errorf(file, line, "the architecture of line %d again, expected each once", first)
		}
		seen[row.Arch.Key()] = line
		table.Rows = append(table.Rows, row)
	}
	if len(table.Rows) == 0 {
		return nil, config.Errorf(file, 1, "no rows after the header, expected one for each measured architecture")
	}
	return table, nil
}

// readHeader finds the columns.
func (p *parser) readHeader() error {
	for i, name := range p.header {
		name = strings.TrimSpace(name)
		p.header[i] = name
		if _, twice := p.column[name]; twice || name == "" {
			return config.Errorf(p.file, 1, "column %d is %q, expected a name that no other column has", i+1, name)
		}
		p.column[name] = i
		if h, ok := p.space.Index(name); ok {
			p.hyper[h] = i
		} else if !slices.Contains([]string{ScoreColumn, TestScoreColumn, SetColumn}, name) {
			p.costs = append(p.costs, i)
		}
	}
	for h, hyper := range p.space.Hyperparameters {
		if _, ok := p.hyper[h]; !ok && !hyper.IsDepth() {
			return config.Errorf(p.file, 1, "no column for the hyperparameter %q%s", hyper.Name, p.near(hyper.Name))
		}
	}
	if _, ok := p.column[ScoreColumn]; !ok {
		return config.Errorf(p.file, 1, "no column %q, expected the measured %s of each architecture%s", ScoreColumn, p.metric.Name, p.near(ScoreColumn))
	}
	return nil
}

// near names the cost column that was perhaps meant.
func (p *parser) near(name string) string {
	var costs []string
	for _, c := range p.costs {
		costs = append(costs, p.header[c])
	}
	if n := config.Nearest(name, costs); n != "" {
		return "; is " + strconv.Quote(n) + " meant?"
	}
	return ""
}

func (p *parser) row(line int, fields []string) (Row, error) {
	row := Row{Line: line, TestScore: math.NaN()}
	var err error
	if row.Arch, err = p.architecture(line, fields); err != nil {
		return row, err
	}
	if row.Score, err = p.score(line, fields, ScoreColumn); err != nil {
		return row, err
	}
	if c, ok := p.column[TestScoreColumn]; ok && strings.TrimSpace(fields[c]) != "" {
		if row.TestScore, err = p.score(line, fields, TestScoreColumn); err != nil {
			return row, err
		}
	}
	for _, c := range p.costs {
		x, err := p.number(line, fields, c)
		if err != nil {
			return row, err
		}
		row.Costs = append(row.Costs, x)
	}
	if c, ok := p.column[SetColumn]; ok {
		row.Set = strings.TrimSpace(fields[c])
		if row.Set != Demonstration && row.Set != Test && row.Set != Extra {
			return row, p.fault(line, c, fields, "expected demonstration, test or extra")
		}
	}
	return row, nil
}

// score reads a number within the metric's range.
func (p *parser) score(line int, fields []string, name string) (float64, error) {
	c := p.column[name]
	x, err := p.number(line, fields, c)
	if err == nil && (x < p.metric.Min || x > p.metric.Max) {
		return 0, p.fault(line, c, fields, "expected "+p.metric.Name+" from "+
			strconv.FormatFloat(p.metric.Min, 'g', -1, 64)+" to "+strconv.FormatFloat(p.metric.Max, 'g', -1, 64))
	}
	return x, err
}

func (p *parser) number(line int, fields []string, c int) (float64, error) {
	x, err := strconv.ParseFloat(strings.TrimSpace(fields[c]), 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, p.fault(line, c, fields, "expected a number")
	}
	return x, nil
}

func (p *parser) fault(line, c int, fields []string, expected string) error {
	return config.Errorf(p.file, line, "column %s is %q, %s", p.header[c], fields[c], expected)
}

// architecture makes JSON of the cells and has the space check it.
func (p *parser) architecture(line int, fields []string) (space.Architecture, error) {
	members := map[string]any{}
	depths := map[int]string{}
	for h, c := range p.hyper {
		hyper := &p.space.Hyperparameters[h]
		cell := strings.TrimSpace(fields[c])
		if hyper.IsDepth() {
			depths[h] = cell
			continue
		}
		items := []string{cell}
		if hyper.PerLayer() {
			inner, ok := strings.CutPrefix(cell, "[")
			inner, closed := strings.CutSuffix(inner, "]")
			if !ok || !closed {
				return space.Architecture{}, p.fault(line, c, fields, "expected a list like [64, 32], one value for each layer")
			}
			items = strings.Split(inner, ",")
		}
		values := make([]json.RawMessage, len(items))
		for i, item := range items {
			choice, err := find(hyper, strings.Trim(strings.TrimSpace(item), `"'`))
			if err != "" {
				return space.Architecture{}, p.fault(line, c, fields, err)
			}
			values[i], _ = choice.MarshalJSON()
		}
		members[hyper.Name] = values[0]
		if hyper.PerLayer() {
			members[hyper.Name] = values
		}
	}
	text, err := json.Marshal(members)
	if err != nil {
		return space.Architecture{}, config.Errorf(p.file, line, "%v", err)
	}
	a, err := p.space.ParseArchitecture(text)
	if err != nil {
		return a, config.Errorf(p.file, line, "%v", err)
	}
	for h, cell := range depths {
		if n, err := strconv.ParseFloat(cell, 64); err != nil || n != a.Numbers(h)[0] {
			return a, p.fault(line, p.hyper[h], fields, "but the lists have "+strconv.FormatFloat(a.Numbers(h)[0], 'g', -1, 64)+" layers")
		}
	}
	return a, nil
}

// find returns the choice that text writes, or what was expected.
func find(h *space.Hyperparameter, text string) (space.Choice, string) {
	x, notNumber := strconv.ParseFloat(text, 64)
	names := make([]string, len(h.Choices))
	for i, c := range h.Choices {
		names[i] = c.String()
		if n, ok := c.Number(); c.String() == text || ok && notNumber == nil && n == x {
			return c, ""
		}
	}
	return space.Choice{}, "expected one of " + strings.Join(names, ", ")
}

// units are the endings of cost columns that say their unit.
var units = []struct{ ending, unit string }{
	{"_ms", "ms"},
	{"_us", "us"},
	{"_s", "s"},
	{"_mj", "mJ"},
	{"_j", "J"},
	{"_mw", "mW"},
	{"_w", "W"},
	{"_kb", "kB"},
	{"_mb", "MB"},
	{"_bytes", "B"},
	{"_percent", "%"},
}

func unit(column string) string {
	for _, u := range units {
		if strings.HasSuffix(strings.ToLower(column), u.ending) {
			return u.unit
		}
	}
	return ""
}
