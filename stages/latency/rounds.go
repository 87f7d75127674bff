package latency

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"hsnas/internal/atomicfile"
	"hsnas/internal/progress"
	"hsnas/internal/seal"
)

// round is one sitting, and a line of the state file. Times are those of the
// fastest repetitions, in milliseconds; architectures are in the block's order.
type round struct {
	Key              string    `json:"key"`    // of the measurement, see Measurement.key
	Number           int       `json:"number"` // of the round, from 0
	Block            int       `json:"block"`  // of the round, from 0
	EncoderMS        []float64 `json:"encoder_ms"`
	DecoderMS        []float64 `json:"decoder_ms"`
	ControlEncoderMS []float64 `json:"control_encoder_ms"` // of each visit to the control
	ControlDecoderMS []float64 `json:"control_decoder_ms"`
}

// rounds is the state file of a measurement: JSON Lines, each on the disk before
// it counts. Those of other measurements in it are left alone.
type rounds struct {
	file *atomicfile.Lines
	done map[sitting]round
}

// openRounds opens the state file, or makes it. A last line that a killed process
// tore is cut off; a line that is no sitting is passed over.
func openRounds(path, key string, rep progress.Reporter) (*rounds, error) {
	file, text, torn, err := atomicfile.OpenLines(path)
	if err != nil {
		return nil, fmt.Errorf("rounds of timings: %w", err)
	}
	r := &rounds{file: file, done: map[sitting]round{}}
	if torn > 0 {
		rep.Logf("%s: the last line is torn (%d bytes); cut off, its sitting is measured again", path, torn)
	}
	r.enter(path, text, key, rep)
	return r, nil
}

// enter takes the rounds of a text.
func (r *rounds) enter(path string, text []byte, key string, rep progress.Reporter) {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		one, err := parseRound(line, key)
		if err != nil {
			rep.Logf("%s:%d: %v; passed over, its sitting is measured again", path, number, err)
		}
		if one != nil {
			r.done[sitting{one.Number, one.Block}] = *one
		}
	}
}

// read takes the rounds of a file that others write, which may not be there.
func (r *rounds) read(path, key string, rep progress.Reporter) error {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("rounds of timings: %w", err)
	}
	r.enter(path, text, key, rep)
	return nil
}

// parseRound reads a line; it returns nil for a round of another measurement.
func parseRound(line []byte, key string) (*round, error) {
	line, err := seal.Required(line)
	if err != nil {
		return nil, fmt.Errorf("not a sitting of timings as it was written: %w", err)
	}
	var r round
	if err := json.Unmarshal(line, &r); err != nil {
		return nil, fmt.Errorf("not a sitting of timings: %w", err)
	}
	if r.Key != key {
		return nil, nil
	}
	if len(r.EncoderMS) != len(r.DecoderMS) || len(r.EncoderMS) == 0 || len(r.ControlEncoderMS) != len(r.ControlDecoderMS) || len(r.ControlEncoderMS) == 0 {
		return nil, fmt.Errorf("%d times of encoders and %d of decoders, %d and %d of the control, expected as many of both",
			len(r.EncoderMS), len(r.DecoderMS), len(r.ControlEncoderMS), len(r.ControlDecoderMS))
	}
	for _, times := range [][]float64{r.EncoderMS, r.DecoderMS, r.ControlEncoderMS, r.ControlDecoderMS} {
		if slices.Min(times) <= 0 {
			return nil, fmt.Errorf("a time of %v ms, expected more than 0", slices.Min(times))
		}
	}
	return &r, nil
}

// add appends a round and flushes it to the disk.
func (r *rounds) add(one round) error {
	line, err := json.Marshal(one)
	if err != nil {
		return err
	}
	if err := r.file.Append(append(seal.JSON(line), '\n')); err != nil {
		return fmt.Errorf("keeping a round of timings: %w", err)
	}
	r.done[sitting{one.Number, one.Block}] = one
	return nil
}

func (r *rounds) close() { _ = r.file.Close() }
