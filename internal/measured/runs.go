package measured

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
)

// Run is one training of one architecture: a row of <table>.runs.csv, which holds
// what the means of a table that ships were made of.
type Run struct {
	ID          string // of the architecture
	Seed        uint64
	Score       float64 // on the validation set
	TestScore   float64
	ValidLoss   float64   // nats a token
	CPUSeconds  float64   // of the training
	WallSeconds float64   // with the evaluation
	Losses      []float64 // training loss, the mean of each ten steps
}

var runsHeader = []string{"id", "seed", "score", "test_score", "valid_loss", "cpu_seconds", "wall_seconds", "losses"}

// WriteRuns writes runs as CSV. Seconds are rounded to a tenth, losses to four
// decimals; scores are whole.
func WriteRuns(path string, runs []Run) error {
	records := [][]string{runsHeader}
	for _, r := range runs {
		losses := make([]json.Number, len(r.Losses))
		for i, x := range r.Losses {
			losses[i] = json.Number(strconv.FormatFloat(x, 'f', 4, 64))
		}
		list, err := json.Marshal(losses)
		if err != nil {
			return err
		}
		records = append(records, []string{
			r.ID, strconv.FormatUint(r.Seed, 10), number(r.Score), number(r.TestScore), number(r.ValidLoss),
			strconv.FormatFloat(r.CPUSeconds, 'f', 1, 64), strconv.FormatFloat(r.WallSeconds, 'f', 1, 64), string(list),
		})
	}
	return writeCSV(path, records)
}

// number is the shortest text that reads back as x.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func writeCSV(path string, records [][]string) error {
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(records); err != nil {
		return err
	}
	return atomicfile.Write(path, out.Bytes())
}

// ParseRuns reads what WriteRuns wrote; file is what errors call it.
func ParseRuns(file string, text []byte) ([]Run, error) {
	r := csv.NewReader(bytes.NewReader(text))
	header, err := r.Read()
	if err != nil || !slices.Equal(header, runsHeader) {
		return nil, config.Errorf(file, 1, "header %q, expected %q", header, runsHeader)
	}
	var runs []Run
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return runs, nil
		}
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			return nil, config.Errorf(file, syntax.Line, "malformed CSV: %v, expected %d columns as in the header", syntax.Err, len(runsHeader))
		}
		line, _ := r.FieldPos(0)
		run, err := parseRun(fields)
		if err != nil {
			return nil, config.Errorf(file, line, "%v", err)
		}
		runs = append(runs, run)
	}
}

func parseRun(fields []string) (Run, error) {
	run := Run{ID: fields[0]}
	var err error
	if run.Seed, err = strconv.ParseUint(fields[1], 10, 64); err != nil {
		return run, err
	}
	for i, into := range []*float64{&run.Score, &run.TestScore, &run.ValidLoss, &run.CPUSeconds, &run.WallSeconds} {
		if *into, err = strconv.ParseFloat(fields[2+i], 64); err != nil {
			return run, err
		}
	}
	return run, json.Unmarshal([]byte(fields[7]), &run.Losses)
}
