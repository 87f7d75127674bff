package latency

import (
	"os"
	"path/filepath"
	"testing"

	"hsnas/internal/ort/orttest"
	"hsnas/internal/progress"
	"hsnas/internal/published"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// smallSpace keeps models of the family hat to some hundred kilobytes.
const smallSpace = `
name: small
hyperparameters:
  - {name: encoder_embed_dim, definition: d, choices: [8, 16]}
  - {name: encoder_layers, definition: d, choices: [2]}
  - {name: encoder_ffn_dim, definition: d, layers: encoder_layers, choices: [8, 16]}
  - {name: encoder_self_attn_heads, definition: d, layers: encoder_layers, choices: [4, 8]}
  - {name: decoder_embed_dim, definition: d, choices: [8, 16]}
  - {name: decoder_layers, definition: d, choices: [1, 2]}
  - {name: decoder_ffn_dim, definition: d, layers: decoder_layers, choices: [8, 16]}
  - {name: decoder_self_attn_heads, definition: d, layers: decoder_layers, choices: [4, 8]}
  - {name: decoder_cross_attn_heads, definition: d, layers: decoder_layers, choices: [4, 8]}
  - {name: decoder_cross_attn_span, definition: d, layers: decoder_layers, choices: [1, 2]}
`

// TestHATCampaign times real models; what the times are is not looked at.
func TestHATCampaign(t *testing.T) {
	orttest.Open(t)
	s, err := space.Parse("small.yaml", []byte(smallSpace))
	if err != nil {
		t.Fatal(err)
	}
	on := &task.Task{
		Name: "small", Family: task.HAT, Space: s, Metric: task.Metric{Name: "BLEU", Direction: "maximize", Max: 100},
		Model: &task.Transformer{Vocabulary: 20, SourceTokens: 4, TargetTokens: 3, SharedEmbeddings: true},
	}
	p := small(0, 2)
	for _, threads := range []int{1, 2} {
		how := HAT{Device: "cpu", Threads: threads, Steps: 2, Beam: 3}
		if want := map[int]string{1: ThreadClock, 2: WallClock}[threads]; haveThreadTime && how.Clock() != want {
			t.Errorf("%d threads: %s", threads, how.Clock())
		}
		dir := t.TempDir()
		temp := filepath.Join(dir, "models")
		if err := os.Mkdir(temp, 0o777); err != nil {
			t.Fatal(err)
		}
		t.Setenv("TMPDIR", temp)
		c, err := NewCampaign(on, p, how, filepath.Join(dir, "l.csv"), 6, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Run(t.Context(), progress.Discard); err != nil {
			t.Fatal(err)
		}
		rows, err := published.ReadLatency(c.File)
		if err != nil || len(rows) != 6 {
			t.Fatal(len(rows), err)
		}
		if left, _ := os.ReadDir(temp); len(left) != 0 {
			t.Errorf("%v are left of the models", left)
		}
		if was, ok, err := ReadProtocol(c.File); err != nil || !ok || was != c.Protocol || was.Steps != 2 || was.Beam != 3 {
			t.Errorf("%+v, %v, %v", was, ok, err)
		}
	}
}
