package latency

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/mutationtest"
	"hsnas/internal/progress"
	"hsnas/internal/published"
)

// TestMutatedRounds: a round that is not measured again is one that was measured.
func TestMutatedRounds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rounds.jsonl")
	r, err := openRounds(path, "k", progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		x := 1 + float64(i)/7
		if err := r.add(round{Key: "k", Number: i, EncoderMS: []float64{x, 2, 3}, DecoderMS: []float64{4, 5 * x, 6}, ControlEncoderMS: []float64{x, x}, ControlDecoderMS: []float64{x, x}}); err != nil {
			t.Fatal(err)
		}
	}
	r.close()
	whole := r.done
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	kind := mutationtest.Kind{Name: "rounds of timings", Way: "stage latency and `hsnas latency measure`, as they go on", Files: map[string][]byte{"rounds.jsonl": text}}
	mutationtest.Run(t, kind, func(t *testing.T, _ string, damaged []byte) (mutationtest.Outcome, string) {
		if err := os.WriteFile(path, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := CheckRounds(path); err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		r, err := openRounds(path, "k", progress.New(&log))
		if err != nil {
			return mutationtest.Wrong, err.Error()
		}
		defer r.close()
		for n, one := range r.done {
			if fmt.Sprint(one) != fmt.Sprint(whole[n]) {
				return mutationtest.Wrong, "times that nobody measured"
			}
		}
		first, _, _ := strings.Cut(log.String(), "\n")
		switch {
		case first != "":
			return mutationtest.Detected, first
		case len(r.done) == len(whole):
			return mutationtest.Harmless, ""
		}
		return mutationtest.Legal, "whole lines are gone: their rounds are measured again"
	})
}

// TestMutatedDatasets: the user's CSV file of latencies has no checksum. It is read, or
// refused in one line.
func TestMutatedDatasets(t *testing.T) {
	var text bytes.Buffer
	fmt.Fprintln(&text, strings.Join(published.LatencyHeader(), ","))
	for i := range 20 {
		row := make([]string, len(published.LatencyHeader()))
		for c := range row {
			row[c] = fmt.Sprint(float64(i+c+1) / 4)
		}
		fmt.Fprintln(&text, strings.Join(row, ","))
	}
	path := filepath.Join(t.TempDir(), "own.csv")
	if err := os.WriteFile(path, text.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	whole, _, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	kind := mutationtest.Kind{Name: "latency dataset (CSV)", Way: "`hsnas latency fit --dataset FILE`", Files: map[string][]byte{"own.csv": text.Bytes()}}
	mutationtest.Run(t, kind, func(t *testing.T, _ string, damaged []byte) (mutationtest.Outcome, string) {
		if err := os.WriteFile(path, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		rows, _, err := Read(path)
		switch {
		case err != nil:
			return mutationtest.Detected, err.Error()
		case fmt.Sprint(rows) == fmt.Sprint(whole):
			return mutationtest.Harmless, ""
		}
		return mutationtest.Legal, ""
	})
}
