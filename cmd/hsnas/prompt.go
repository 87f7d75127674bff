package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
	"hsnas/internal/llm"
	"hsnas/internal/prompt"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/stages/label"
)

// promptCommand renders LLM-PP requests outside any run.
func promptCommand() *cli.Command {
	return &cli.Command{
		Name:  "prompt",
		Usage: "LLM-PP requests in the OpenAI Batch format, from demonstrations and queries",
		Description: "Writes one request a line. Demonstrations are JSON Lines\n" +
			"  {\"architecture\": {...}, \"score\": 25.1}\n" +
			"in the order in which the prompt shows them; queries are JSON Lines of architectures. A run\n" +
			"leaves its own requests in runs/RUN/label/requests.jsonl.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "task", Usage: "`TASK` that ships, or the path of a task file", Required: true},
			&cli.StringFlag{Name: "demos", Usage: "`FILE` of demonstrations", Required: true},
			&cli.StringFlag{Name: "queries", Usage: "`FILE` of architectures to ask about, - for standard input", Required: true},
			&cli.IntFlag{Name: "per-request", Usage: "at most `N` queries in one request", Value: 25},
			&cli.StringFlag{Name: "split", Usage: "`NAME` of the split in custom_id"},
			&cli.StringFlag{Name: "set", Usage: "`NAME` of the set in custom_id", Value: "test"},
			&cli.StringFlag{Name: "model", Usage: "`MODEL` to ask, at temperature 0; left out where not given"},
			&cli.StringFlag{Name: "ask", Usage: "ask for `WHAT`: values, ranking or pairs", Value: prompt.Values},
			&cli.StringFlag{Name: "disguise", Usage: "rename what is spoken of: `NAMES`, neutral or false"},
			&cli.StringSliceFlag{Name: "leave-out", Usage: "`COMPONENT` to do without: role, instructions, definitions, demonstrations, cost"},
		},
		Action: func(c *cli.Context) error {
			lines, err := promptLines(c)
			if err != nil {
				return err
			}
			_, err = c.App.Writer.Write(lines) // nothing is printed unless every line is right
			return err
		},
	}
}

// promptLines renders all requests.
func promptLines(c *cli.Context) ([]byte, error) {
	t, err := task.Load(c.String("task"))
	if err != nil {
		return nil, err
	}
	per := c.Int("per-request")
	if per < 1 {
		return nil, config.Errorf("", 0, "--per-request is %d; expected at least 1", per)
	}
	style, err := promptStyle(c)
	if err != nil {
		return nil, err
	}
	demos, err := readDemonstrations(c, t)
	if err != nil {
		return nil, err
	}
	queries, err := readQueries(c, t)
	if err != nil {
		return nil, err
	}
	if style.Ask == prompt.Pairs && len(queries)%2 != 0 {
		return nil, config.Errorf("", 0, "--ask pairs compares the queries two by two; %d are no even number", len(queries))
	}
	var sampling llm.Sampling
	if model := c.String("model"); model != "" {
		sampling = llm.Sampling{Model: model, Temperature: new(float64)}
	}
	var out []byte
	number := 0
	for some := range slices.Chunk(queries, per) {
		rendered, err := prompt.Render(t, demos, some, style)
		if err != nil {
			return nil, err
		}
		r := llm.Request{CustomID: label.CustomID(t, c.String("split"), c.String("set"), number, 1), Messages: label.Messages(rendered), Sampling: sampling}
		out = append(out, r.BatchLine()...)
		number++
	}
	return out, nil
}

// promptStyle reads the flags that make a prompt differ from the paper's.
func promptStyle(c *cli.Context) (prompt.Style, error) {
	parts, err := label.Components(c.StringSlice("leave-out"))
	if err != nil {
		return prompt.Style{}, config.Errorf("", 0, "--leave-out: %v", err)
	}
	s := prompt.Style{Components: parts, Ask: c.String("ask"), Disguise: c.String("disguise")}
	if ways := []string{prompt.Values, prompt.Ranking, prompt.Pairs}; !slices.Contains(ways, s.Ask) {
		return s, config.Errorf("", 0, "--ask is %q%s; expected one of %v", s.Ask, config.DidYouMean(s.Ask, ways), ways)
	}
	if names := []string{prompt.Neutral, prompt.False}; s.Disguise != "" && !slices.Contains(names, s.Disguise) {
		return s, config.Errorf("", 0, "--disguise is %q%s; expected one of %v", s.Disguise, config.DidYouMean(s.Disguise, names), names)
	}
	if s.Ask == prompt.Pairs && c.Int("per-request") != 2 {
		return s, config.Errorf("", 0, "--ask pairs compares two queries; give --per-request 2")
	}
	return s, nil
}

func readDemonstrations(c *cli.Context, t *task.Task) ([]prompt.Demonstration, error) {
	in, err := openInputFile(c, c.String("demos"))
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var demos []prompt.Demonstration
	err = in.each(func(text []byte) error {
		d, err := parseDemonstration(t, text)
		demos = append(demos, d)
		return err
	})
	if err == nil && len(demos) == 0 {
		err = config.Errorf(in.name, 0, "no demonstrations; expected lines of {\"architecture\": {...}, \"score\": 25.1}")
	}
	return demos, err
}

// parseDemonstration reads {"architecture": {...}, "score": 25.1} strictly.
func parseDemonstration(t *task.Task, text []byte) (d prompt.Demonstration, err error) {
	var row struct {
		Architecture json.RawMessage `json:"architecture"`
		Score        *float64        `json:"score"`
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&row); err != nil {
		return d, fmt.Errorf("not a demonstration, {\"architecture\": {...}, \"score\": 25.1}: %w", err)
	}
	switch {
	case dec.More():
		return d, fmt.Errorf("text after the JSON object")
	case row.Architecture == nil:
		return d, fmt.Errorf("\"architecture\" is missing; expected {\"architecture\": {...}, \"score\": 25.1}")
	case row.Score == nil:
		return d, fmt.Errorf("\"score\" is missing; expected {\"architecture\": {...}, \"score\": 25.1}")
	case !(*row.Score >= t.Metric.Min && *row.Score <= t.Metric.Max) || math.IsInf(*row.Score, 0):
		return d, fmt.Errorf("score %v is outside the range of %s, %v to %v", *row.Score, t.Metric.Name, t.Metric.Min, t.Metric.Max)
	}
	d.Score = *row.Score
	d.Architecture, err = t.Space.ParseArchitecture(row.Architecture)
	return d, err
}

func readQueries(c *cli.Context, t *task.Task) ([]space.Architecture, error) {
	in, err := openInputFile(c, c.String("queries"))
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var queries []space.Architecture
	err = in.each(func(text []byte) error {
		a, err := t.Space.ParseArchitecture(text)
		queries = append(queries, a)
		return err
	})
	if err == nil && len(queries) == 0 {
		err = config.Errorf(in.name, 0, "no queries; expected an architecture as JSON on each line")
	}
	return queries, err
}
