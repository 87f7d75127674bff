package prompt

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"hsnas/internal/published"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

var update = flag.Bool("update", false, "write the golden files anew")

func load(t testing.TB, name string) *task.Task {
	t.Helper()
	tk, err := task.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return tk
}

func architecture(t testing.TB, tk *task.Task, text string) space.Architecture {
	t.Helper()
	a, err := tk.Space.ParseArchitecture([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

const (
	shallow = `{"encoder_embed_dim":512,"encoder_ffn_dim":[1024,1024,2048,2048,2048,1024],"encoder_self_attn_heads":[4,4,4,8,4,4],
		"decoder_embed_dim":640,"decoder_ffn_dim":[3072],"decoder_self_attn_heads":[8],"decoder_cross_attn_heads":[4],"decoder_cross_attn_span":[3]}`
	deep = `{"encoder_embed_dim":640,"encoder_ffn_dim":[3072,3072,3072,3072,3072,3072],"encoder_self_attn_heads":[8,8,8,8,8,8],
		"decoder_embed_dim":512,"decoder_ffn_dim":[1024,2048],"decoder_self_attn_heads":[4,8],"decoder_cross_attn_heads":[8,4],"decoder_cross_attn_span":[1,2]}`
)

// TestGolden holds made-up prompts, whole and without each component, against
// files that were read over once.
func TestGolden(t *testing.T) {
	wmt, own, micro := load(t, "wmt14.en-de"), load(t, "testdata/kernels.yaml"), load(t, "micro.en-de")
	a, b := architecture(t, wmt, shallow), architecture(t, wmt, deep)
	c := architecture(t, own, `{"width":[16,24],"kernel":"3x3"}`)
	d := architecture(t, own, `{"width":[8],"kernel":"depthwise, 5x5"}`)
	e, f := micro.Space.Smallest(), micro.Space.Largest()
	tests := []struct {
		name  string
		task  *task.Task
		demo  space.Architecture
		query space.Architecture
		style Style
	}{
		{"wmt", wmt, a, b, Style{}},
		{"wmt-no-role", wmt, a, b, Style{Components: Components{NoRole: true}}},
		{"wmt-no-instructions", wmt, a, b, Style{Components: Components{NoInstructions: true}}},
		{"wmt-no-definitions", wmt, a, b, Style{Components: Components{NoDefinitions: true}}},
		{"wmt-no-demonstrations", wmt, a, b, Style{Components: Components{NoDemonstrations: true}}},
		{"wmt-no-cost", wmt, a, b, Style{Components: Components{NoCost: true}}},
		{"own", own, c, d, Style{}},
		{"micro", micro, e, f, Style{}},
		{"wmt-ranking", wmt, a, b, Style{Ask: Ranking}},
		{"wmt-pairs", wmt, a, b, Style{Ask: Pairs}},
		{"wmt-neutral", wmt, a, b, Style{Disguise: Neutral}},
		{"wmt-neutral-no-cost", wmt, a, b, Style{Disguise: Neutral, Components: Components{NoCost: true}}},
		{"wmt-false", wmt, a, b, Style{Disguise: False}},
		{"own-ranking", own, c, d, Style{Ask: Ranking}},
		{"own-neutral", own, c, d, Style{Disguise: Neutral}},
		{"micro-no-cost", micro, e, f, Style{Components: Components{NoCost: true}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Render(tt.task, []Demonstration{{tt.demo, 24.3}, {tt.demo, 25}}, []space.Architecture{tt.query, tt.demo}, tt.style)
			if err != nil {
				t.Fatal(err)
			}
			got := "SYSTEM " + p.System + "\nUSER\n" + p.User
			file := filepath.Join("testdata", tt.name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("not as in %s:\n%s", file, got)
			}
		})
	}
}

// TestPublished renders every recorded prompt of the WMT tasks and holds its
// bytes against the SHA-256 of the recorded user message.
func TestPublished(t *testing.T) {
	root, err := published.Root()
	if err != nil {
		t.Skip("needs the published figures: ", err)
	}
	f, err := os.Open("testdata/published.sha256")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := 0
	for s := bufio.NewScanner(f); s.Scan(); lines++ {
		id, want, _ := strings.Cut(s.Text(), " ")
		part := strings.Split(id, "-") // task, demosSPLIT, set, batch
		p := renderPublished(t, root, part[0], strings.TrimPrefix(part[1], "demos"), part[2], part[3])
		if got := sha256.Sum256([]byte(p.User)); hex.EncodeToString(got[:]) != want {
			t.Errorf("%s: the user message differs from the recorded one", id)
		}
		const role = "You are a performance estimator for neural machine translation. Given the hyperparameters of Transformer architectures that have not been trained yet, you estimate the BLEU score that each of them reaches on the validation set after it has been trained from scratch."
		if p.System != role {
			t.Errorf("%s: system message %q", id, p.System)
		}
	}
	if lines != 39 {
		t.Errorf("%d prompts held against their sums, want 39", lines)
	}
}

func renderPublished(t *testing.T, root, dataset, split, set, batch string) Prompt {
	t.Helper()
	tk := load(t, map[string]string{"wmt14ende": "wmt14.en-de", "wmt14enfr": "wmt14.en-fr", "wmt19ende": "wmt19.en-de"}[dataset])
	train, err := published.Seeds(root, dataset, split, published.Demonstrations)
	if err != nil {
		t.Fatal(err)
	}
	var demos []Demonstration
	for _, s := range train {
		demos = append(demos, Demonstration{architecture(t, tk, s.Architecture), s.Valid})
	}
	var texts []string
	if number, ok := strings.CutPrefix(set, "unlabelled"); ok {
		all, err := published.Unlabelled(root, number)
		if err != nil {
			t.Fatal(err)
		}
		b, err := strconv.Atoi(batch)
		if err != nil {
			t.Fatal(err)
		}
		texts = all[25*b : 25*b+25]
	} else {
		test, err := published.Seeds(root, dataset, split, published.Test)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range test {
			texts = append(texts, s.Architecture)
		}
	}
	var queries []space.Architecture
	for _, text := range texts {
		queries = append(queries, architecture(t, tk, text))
	}
	p, err := Render(tk, demos, queries, Style{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRenderRefuses(t *testing.T) {
	tk := load(t, "wmt14.en-de")
	a := architecture(t, tk, shallow)
	if _, err := Render(tk, []Demonstration{{a, 1}}, nil, Style{}); err == nil || err.Error() != "a prompt needs at least one query" {
		t.Error(err)
	}
	if _, err := Render(tk, []Demonstration{{a, 1}}, []space.Architecture{a}, Style{Ask: Pairs}); err == nil || err.Error() != "a prompt for a pair needs two queries, found 1" {
		t.Error(err)
	}
	if _, err := Render(tk, []Demonstration{{a, 1}}, []space.Architecture{a}, Style{Disguise: "x"}); err == nil || err.Error() != `unknown disguise "x"; known: neutral, false` {
		t.Error(err)
	}
	own := load(t, "testdata/kernels.yaml")
	c := architecture(t, own, `{"width":[8],"kernel":"3x3"}`)
	const nameless = "task kernels has no false name: give values of another task, title among them, as prompt.false_name in its file"
	if _, err := Render(own, []Demonstration{{c, 1}}, []space.Architecture{c}, Style{Disguise: False}); err == nil || err.Error() != nameless {
		t.Error(err)
	}
	const want = "a prompt needs at least one demonstration, unless demonstrations are left out"
	if _, err := Render(tk, nil, []space.Architecture{a}, Style{}); err == nil || err.Error() != want {
		t.Error(err)
	}
	if _, err := Render(tk, nil, []space.Architecture{a}, Style{Components: Components{NoDemonstrations: true}}); err != nil {
		t.Error(err)
	}
}
