package latency

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/seal"
)

// Protocol is how a dataset was measured. It lies beside the dataset, which has
// HAT's columns and no place for it, in a file of JSON.
type Protocol struct {
	Task         string `json:"task"`
	Family       string `json:"family"`
	Device       string `json:"device"`         // name of the processor, or name, driver and memory of the GPU
	Kind         string `json:"kind,omitempty"` // of the device: cpu, webgpu, cuda or cuda:N; "" in older files
	Threads      int    `json:"threads"`
	Clock        string `json:"clock"`
	SourceTokens int    `json:"source_tokens"`
	Steps        int    `json:"steps"` // of the decoder
	Beam         int    `json:"beam"`
	Seed         uint64 `json:"seed"` // of the sample
	// Rounds, Warmup and Repetitions are those of the first rows; more rows may be
	// measured more or less often.
	Rounds      int `json:"rounds"`
	Warmup      int `json:"warmup"`
	Repetitions int `json:"repetitions"`
}

// ProtocolFile is where the protocol of a dataset lies.
func ProtocolFile(dataset string) string { return dataset + ".json" }

// ReadProtocol reads the protocol of a dataset; ok is false where it has none,
// not having been measured by this program.
func ReadProtocol(dataset string) (p Protocol, ok bool, err error) {
	text, err := os.ReadFile(ProtocolFile(dataset))
	if errors.Is(err, fs.ErrNotExist) {
		return p, false, nil
	}
	if err != nil {
		return p, false, fmt.Errorf("reading the protocol of %s: %w", dataset, err)
	}
	object, state := seal.OpenJSON(text)
	d := json.NewDecoder(bytes.NewReader(object))
	d.DisallowUnknownFields() // a seal that is no seal any more
	if state == seal.Broken || d.Decode(&p) != nil || p.Task == "" {
		return Protocol{}, false, config.Errorf(ProtocolFile(dataset), 0, "not the protocol of a latency dataset; remove it, and the dataset counts as one of unknown origin")
	}
	return p, true, nil
}

// write writes the protocol of a dataset.
func (p Protocol) write(dataset string) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(ProtocolFile(dataset), append(seal.JSON(text), '\n'))
}

// same refuses to add to a dataset what was measured otherwise.
func (p Protocol) same(dataset string, now Protocol) error {
	for _, f := range []struct {
		name    string
		was, is any
	}{
		{"task", p.Task, now.Task},
		{"device", p.Device, now.Device},
		{"threads", p.Threads, now.Threads},
		{"clock", p.Clock, now.Clock},
		{"source tokens", p.SourceTokens, now.SourceTokens},
		{"steps", p.Steps, now.Steps},
		{"beam", p.Beam, now.Beam},
		{"seed", p.Seed, now.Seed},
	} {
		if f.was != f.is {
			return config.Errorf("", 0, "%s was measured with %s %v, not %v; give the same, or another --out", dataset, f.name, f.was, f.is)
		}
	}
	return nil
}
