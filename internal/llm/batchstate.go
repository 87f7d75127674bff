package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/seal"
)

// batchState is the file in which a BatchAPI notes what it sends, one JSON object
// a line, each flushed to the disk: before a batch is created which requests will
// be in it, afterwards its id. A batch whose id was never noted is looked for at
// the service by the checksum of its input.
type batchState struct {
	file    *atomicfile.Lines
	path    string
	inputs  map[string]map[string]string // by checksum of the input: custom_id to request key
	batches []knownBatch                 // in the order in which they were noted
	open    map[string]bool              // checksums of inputs that a batch may have been made of without a note
}

// knownBatch keeps what the batch holds by its own note: the same input may have been
// sent to another service, under other keys.
type knownBatch struct {
	id       string
	requests map[string]string // custom_id to request key
}

// batchNote is a line of the file.
type batchNote struct {
	Input    string            `json:"input_sha256"`
	Requests map[string]string `json:"requests,omitempty"` // before: custom_id to request key
	Batch    string            `json:"batch,omitempty"`    // afterwards: the service's id
	Date     string            `json:"date,omitempty"`
}

// openBatchState reads the file at path, or creates it. A last line that a crash
// tore is cut off; any other line that is not a note is a *config.Error.
func openBatchState(path string) (*batchState, error) {
	file, text, _, err := atomicfile.OpenLines(path)
	if err != nil {
		return nil, fmt.Errorf("the notes on batches: %w", err)
	}
	s := &batchState{file: file, path: path, inputs: map[string]map[string]string{}, open: map[string]bool{}}
	if err := s.load(text); err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}

func (s *batchState) load(text []byte) error {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		n, err := parseNote(line)
		if err != nil {
			return config.Errorf(s.path, number, "not a note on a batch; take the line out, and look for its batch at the service before anything is bought again")
		}
		s.take(n)
	}
	return nil
}

// parseNote reads one line.
func parseNote(line []byte) (n batchNote, err error) {
	object, state := seal.OpenJSON(line)
	if state == seal.Broken {
		return n, seal.ErrBroken
	}
	d := json.NewDecoder(bytes.NewReader(object))
	d.DisallowUnknownFields() // a seal that is no seal any more
	if err := d.Decode(&n); err != nil || d.More() || !isKey(n.Input) {
		return n, errors.New("not a note on a batch")
	}
	return n, nil
}

func (s *batchState) take(n batchNote) {
	if n.Requests != nil {
		s.inputs[n.Input] = n.Requests
	}
	s.open[n.Input] = n.Batch == ""
	if n.Batch != "" {
		s.batches = append(s.batches, knownBatch{n.Batch, s.inputs[n.Input]})
	}
}

// note writes a line and flushes it before it counts.
func (s *batchState) note(n batchNote) error {
	if err := s.file.Append(seal.JSON(encode(n))); err != nil {
		return fmt.Errorf("the notes on batches: %w", err)
	}
	s.take(n)
	return nil
}

// known says whether a batch is noted.
func (s *batchState) known(id string) bool {
	for _, b := range s.batches {
		if b.id == id {
			return true
		}
	}
	return false
}

func (s *batchState) close() error { return s.file.Close() }
