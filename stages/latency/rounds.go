package latency

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"hsnas/internal/progress"
)

// round is one pass over all architectures, and a line of the state file. Times
// are those of the fastest repetitions, in milliseconds.
type round struct {
	Key       string    `json:"key"`    // of the measurement, see Measurement.key
	Number    int       `json:"number"` // from 0
	EncoderMS []float64 `json:"encoder_ms"`
	DecoderMS []float64 `json:"decoder_ms"`
	ControlMS []float64 `json:"control_ms"` // of each visit to the control
}

// rounds is the state file of a measurement: JSON Lines, each on the disk before
// it counts. Rounds of other measurements in it are left alone.
type rounds struct {
	file *os.File
	done map[int]round
}

// openRounds opens the state file, or makes it. A last line that a killed process
// tore is cut off; a line that is no round of n architectures is passed over.
func openRounds(path, key string, n int, rep progress.Reporter) (*rounds, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("rounds of timings: %w", err)
	}
	r := &rounds{done: map[int]round{}}
	if r.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666); err != nil {
		return nil, fmt.Errorf("rounds of timings: %w", err)
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	if whole < len(text) {
		rep.Logf("%s: the last line is torn (%d bytes); cut off, its round is measured again", path, len(text)-whole)
		if err := r.file.Truncate(int64(whole)); err != nil {
			r.file.Close()
			return nil, fmt.Errorf("rounds of timings: %w", err)
		}
	}
	number := 0
	for line := range bytes.Lines(text[:whole]) {
		number++
		one, err := parseRound(line, key, n)
		if err != nil {
			rep.Logf("%s:%d: %v; passed over, its round is measured again", path, number, err)
		}
		if one != nil {
			r.done[one.Number] = *one
		}
	}
	return r, nil
}

// parseRound reads a line; it returns nil for a round of another measurement.
func parseRound(line []byte, key string, n int) (*round, error) {
	var r round
	if err := json.Unmarshal(line, &r); err != nil {
		return nil, fmt.Errorf("not a round of timings: %w", err)
	}
	if r.Key != key {
		return nil, nil
	}
	if len(r.EncoderMS) != n || len(r.DecoderMS) != n || len(r.ControlMS) == 0 {
		return nil, fmt.Errorf("a round of %d and %d times, expected %d", len(r.EncoderMS), len(r.DecoderMS), n)
	}
	return &r, nil
}

// add appends a round and flushes it to the disk.
func (r *rounds) add(one round) error {
	line, err := json.Marshal(one)
	if err != nil {
		return err
	}
	if _, err := r.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("keeping a round of timings: %w", err)
	}
	if err := r.file.Sync(); err != nil {
		return fmt.Errorf("keeping a round of timings: %w", err)
	}
	r.done[one.Number] = one
	return nil
}

func (r *rounds) close() { _ = r.file.Close() }
