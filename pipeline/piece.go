package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"hsnas/internal/atomicfile"
	"hsnas/internal/progress"
	"hsnas/internal/seal"
)

// Piece is the exit file of a shard: how it ended, and what it left. It is written when
// all of that is on the disk, and it alone says that a shard is done.
type Piece struct {
	Stage string `json:"stage"`
	Key   string `json:"key"` // the stage's
	Shard string `json:"shard"`
	Exit  int    `json:"exit"`            // 0, or the program's exit code
	Error string `json:"error,omitempty"` // of a shard that failed
	// Files are what the shard left; of the shard Whole, the stage's outputs.
	Files []Artifact       `json:"files,omitempty"`
	Rows  map[string]int64 `json:"rows,omitempty"` // what Result tells, of the shard Whole
	// Host and Processor are the machine's, By is the job that it was done in.
	Host      string `json:"host"`
	Processor string `json:"processor,omitempty"`
	By        string `json:"by,omitempty"`
}

// pieceFile is where the piece of a shard lies.
func pieceFile(dir, stage, key, shard string) string {
	return filepath.Join(local(dir, ShardFolder(stage, key)), shard+".json")
}

// ReadPiece returns the piece of a shard, nil where there is none of this key: a file
// that is damaged or cannot be read is none, as it was written in one step.
func ReadPiece(dir, stage, key, shard string) *Piece {
	text, err := os.ReadFile(pieceFile(dir, stage, key, shard))
	if err == nil {
		text, err = seal.Required(text)
	}
	var p Piece
	if err != nil || json.Unmarshal(text, &p) != nil || p.Stage != stage || p.Key != key || p.Shard != shard {
		return nil
	}
	return &p
}

// Intact says whether the shard is done, and all that it left is as it left it.
func (p *Piece) Intact(dir string) bool {
	if p == nil || p.Exit != 0 {
		return false
	}
	for _, f := range p.Files {
		if sum, _, err := atomicfile.Sum(local(dir, f.Path)); err != nil || sum != f.SHA256 {
			return false
		}
	}
	return true
}

func (p *Piece) write(dir string) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(pieceFile(dir, p.Stage, p.Key, p.Shard), append(seal.JSON(text), '\n'))
}

// remove forgets a piece.
func (p *Piece) remove(dir string) error { return os.Remove(pieceFile(dir, p.Stage, p.Key, p.Shard)) }

// artifacts hashes files of the run directory.
func artifacts(ctx context.Context, dir string, files []string) ([]Artifact, error) {
	places := make([]string, len(files))
	for i, f := range files {
		places[i] = local(dir, f)
	}
	sums, err := checksums(ctx, places)
	if err != nil {
		return nil, err
	}
	var out []Artifact
	for i, f := range files {
		sum := sums[places[i]]
		if sum.Err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", f, cause(sum.Err))
		}
		out = append(out, Artifact{Path: f, SHA256: sum.SHA256, Bytes: sum.Bytes})
	}
	return out, nil
}

// ShardCount is how far a stage is that is done in shards, the stage itself being one.
type ShardCount struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// countShards counts the shards of a stage that was begun on a cluster and is not done.
// The checksums of what they left are not looked at.
func countShards(ctx context.Context, dir string, s Stage, r *Record) *ShardCount {
	if r == nil || r.State == Done {
		return nil
	}
	if _, err := os.Stat(local(dir, ShardFolder(s.Name, r.Key))); err != nil {
		return nil
	}
	waves, err := s.Waves(ctx, Call{Dir: dir, Key: r.Key, Log: slog.New(slog.DiscardHandler), Report: progress.Discard})
	if err != nil || len(waves) == 0 {
		return nil
	}
	var out ShardCount
	for _, shard := range slices.Concat(waves...) {
		out.Total++
		if p := ReadPiece(dir, s.Name, r.Key, shard); p != nil && p.Exit == 0 {
			out.Done++
		}
	}
	return &out
}
