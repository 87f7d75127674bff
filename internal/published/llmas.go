package published

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
)

// Supernets are the published weight-sharing predictors in the order of the
// paper's table, by the names that artifacts and scoreboards use.
func Supernets() []string { return []string{"hat", "sandwich", "mos-layer", "mos-neuron"} }

// Splits are the seeds of the published divisions into demonstrations and test.
func Splits() []string { return []string{"123", "456", "789"} }

// BLEU is a pair of published scores.
type BLEU struct {
	Test  float64 `json:"test_BLEU"`
	Valid float64 `json:"valid_BLEU"`
}

// Seed is one architecture that was trained from scratch, with its truth and
// what four supernets say about it.
type Seed struct {
	Architecture string // canonical JSON
	BLEU                // trained from scratch
	Supernets    map[string]BLEU

	Params, EmbeddingParams                      int64
	FLOPs, LastLayerFLOPs, FLOPsWithoutLastLayer int64
	LatencyMS                                    float64
}

// Part is one of the two files of a split.
type Part string

// The parts of a split: the demonstrations are train.jsonl upstream.
const (
	Demonstrations Part = "train"
	Test           Part = "test"
)

// Seeds reads one file of a split: 10 demonstrations or 20 test architectures,
// in file order. dataset is a name as upstream: wmt14ende, wmt14enfr, wmt19ende.
func Seeds(root, dataset, split string, part Part) ([]Seed, error) {
	path, err := choose("split", split+"/"+dataset, "llmas/seedarchs/", "/"+string(part)+".jsonl")
	if err != nil {
		return nil, err
	}
	text, err := read(root, path)
	if err != nil {
		return nil, err
	}
	return parseSeeds(filepath.Join(root, filepath.FromSlash(path)), text)
}

// Unlabelled reads the canonical JSON of the architectures of one of the sets
// "111" to "666", in file order. The FLOPs that these files give are left
// unread: they are for a vocabulary of 32,768 whatever the task.
func Unlabelled(root, set string) ([]string, error) {
	path, err := choose("unlabelled set", set, "llmas/unlabelled/", ".jsonl")
	if err != nil {
		return nil, err
	}
	text, err := read(root, path)
	if err != nil {
		return nil, err
	}
	return parseUnlabelled(filepath.Join(root, filepath.FromSlash(path)), text)
}

// seedLine is a line of a seedarchs file; every key is known and needed.
type seedLine struct {
	Scratch *struct {
		BLEU
		Folder         string   `json:"sockeye_dir"` // of the authors' machine, unused
		ArchInfo       []string `json:"arch_info"`
		Params         int64    `json:"num_parameters_without_embedding_weights"`
		Embedding      int64    `json:"num_embedding_parameters"`
		Latency        float64  `json:"overall_latency"`
		FLOPs          int64    `json:"total_flops"`
		LastLayer      int64    `json:"last_layer_flops"`
		WithoutLastLay int64    `json:"total_flops_without_last_layer"`
	} `json:"scratch"`
	HAT      *BLEU `json:"HAT"`
	Sandwich *BLEU `json:"Supernet (Sandwich)"`
	Layer    *BLEU `json:"Layer-wise MoS"`
	Neuron   *BLEU `json:"Neuron-wise MoS"`
}

func parseSeeds(file string, text []byte) ([]Seed, error) {
	var out []Seed
	err := eachLine(file, text, func(line []byte) error {
		var row seedLine
		if err := strictJSON(line, &row); err != nil {
			return err
		}
		seed, err := row.seed()
		out = append(out, seed)
		return err
	})
	return out, err
}

func (r seedLine) seed() (Seed, error) {
	s := r.Scratch
	if s == nil {
		return Seed{}, errors.New(`"scratch" is missing, expected an object`)
	}
	arch, err := parseArchInfo(s.ArchInfo)
	if err != nil {
		return Seed{}, fmt.Errorf("arch_info: %w", err)
	}
	seed := Seed{
		Architecture: arch, BLEU: s.BLEU, Supernets: map[string]BLEU{},
		Params: s.Params, EmbeddingParams: s.Embedding,
		FLOPs: s.FLOPs, LastLayerFLOPs: s.LastLayer, FLOPsWithoutLastLayer: s.WithoutLastLay,
		LatencyMS: s.Latency,
	}
	if err := checkBLEU("scratch", &seed.BLEU); err != nil {
		return Seed{}, err
	}
	for i, b := range []*BLEU{r.HAT, r.Sandwich, r.Layer, r.Neuron} {
		if err := checkBLEU(Supernets()[i], b); err != nil {
			return Seed{}, err
		}
		seed.Supernets[Supernets()[i]] = *b
	}
	for _, n := range []int64{s.Params, s.Embedding, s.FLOPs, s.WithoutLastLay} {
		if n <= 0 {
			return Seed{}, fmt.Errorf("a parameter or FLOP count is %d, expected a positive number", n)
		}
	}
	return seed, nil
}

func checkBLEU(name string, b *BLEU) error {
	if b == nil || b.Valid <= 0 || b.Valid > 100 || b.Test <= 0 || b.Test > 100 {
		return fmt.Errorf("%s: valid_BLEU and test_BLEU are not there or out of range, expected numbers above 0, at most 100", name)
	}
	return nil
}

func parseUnlabelled(file string, text []byte) ([]string, error) {
	var out []string
	err := eachLine(file, text, func(line []byte) error {
		var row struct {
			Scratch struct {
				ArchInfo []string        `json:"arch_info"`
				FLOPs    json.RawMessage `json:"total_flops"` // for the wrong vocabulary, never used
			} `json:"scratch"`
		}
		if err := strictJSON(line, &row); err != nil {
			return err
		}
		arch, err := parseArchInfo(row.Scratch.ArchInfo)
		if err != nil {
			return fmt.Errorf("arch_info: %w", err)
		}
		out = append(out, arch)
		return nil
	})
	return out, err
}

// eachLine calls parse for every line; its error gets file and line.
func eachLine(file string, text []byte, parse func(line []byte) error) error {
	if len(text) == 0 {
		return fmt.Errorf("%s: the file is empty, expected one JSON object in each line", file)
	}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		if err := parse(bytes.TrimRight(line, "\r\n")); err != nil {
			return fmt.Errorf("%s:%d: %w", file, n, err)
		}
	}
	return nil
}

// strictJSON decodes exactly one object without unknown keys.
func strictJSON(line []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("malformed line, expected one JSON object: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value, expected one object in each line")
	}
	return nil
}

// SeedFiles returns the paths of the files that Seeds reads for the splits.
func SeedFiles(root, dataset string, splits []string) []string {
	var out []string
	for _, split := range splits {
		for _, part := range []Part{Demonstrations, Test} {
			out = append(out, filepath.Join(root, "llmas", "seedarchs", split, dataset, string(part)+".jsonl"))
		}
	}
	return out
}

// UnlabelledFile returns the path of the file that Unlabelled reads.
func UnlabelledFile(root, set string) string {
	return filepath.Join(root, "llmas", "unlabelled", set+".jsonl")
}
