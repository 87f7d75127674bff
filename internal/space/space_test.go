package space_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"hsnas/data"
	"hsnas/internal/space"
)

func wmt(t testing.TB) *space.Space { return shipped(t, "wmt14.en-de") }

func shipped(t testing.TB, name string) *space.Space {
	t.Helper()
	text, file, err := data.Read(data.Spaces, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := space.Parse(file, text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ownSpace has what HAT's spaces lack: texts, fractions, two depths, a depth without lists.
const ownSpace = `
name: own
hyperparameters:
- {name: activation, definition: d, choices: [relu, tanh]}
- {name: hidden, definition: d, choices: [16, 32], layers: depth}
- {name: depth, definition: d, choices: [1, 3]}
- {name: rate, definition: d, choices: [0.5, 0.001]}
- {name: blocks, definition: d, choices: [1, 2]}
- {name: kind, definition: d, choices: [a, b, c], layers: blocks}
`

func own(t testing.TB) *space.Space {
	s, err := space.Parse("own.yaml", []byte(ownSpace))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSize(t *testing.T) {
	// HAT states about 10^15 for its WMT space; the exact figure by hand:
	// 2*2 * 3^6 * 2^6 * sum over M of (3*2*2*3)^M.
	want := int64(0)
	for m, p := 1, int64(36); m <= 6; m, p = m+1, p*36 {
		want += p
	}
	want *= 4 * 729 * 64
	if got := wmt(t).Size(); got.Int64() != want {
		t.Errorf("size %s, want %d", got, want)
	}
	if got := own(t).Size().Int64(); got != 2*(2+8)*2*(3+9) {
		t.Errorf("size of the own space %d", got)
	}
}

func TestSampleMutateCrossoverStayInTheSpace(t *testing.T) {
	for _, s := range []*space.Space{wmt(t), shipped(t, "iwslt14.de-en"), own(t)} {
		r := rand.New(rand.NewPCG(1, 2))
		a, b := s.Sample(r), s.Sample(r)
		for range 500 {
			child := s.Crossover(r, a, b)
			mutant := s.Mutate(r, child, 0.3)
			for _, x := range []space.Architecture{a, child, mutant} {
				back, err := s.ParseArchitecture([]byte(x.String()))
				if err != nil {
					t.Fatalf("%s: %v", x, err)
				}
				if !back.Equal(x) || back.Key() != x.Key() || back.ID() != x.ID() {
					t.Fatalf("%s came back as %s", x, back)
				}
			}
			a, b = mutant, child
		}
	}
}

func TestMutateRates(t *testing.T) {
	s, r := wmt(t), rand.New(rand.NewPCG(1, 2))
	a := s.Largest()
	if got := s.Mutate(r, a, 0); !got.Equal(a) {
		t.Errorf("probability 0 changed %s to %s", a, got)
	}
	same, draws := 0, 2000
	for range draws {
		if s.Mutate(r, a, 1).Int("encoder_embed_dim") == 640 {
			same++
		}
	}
	if same < draws*45/100 || same > draws*55/100 {
		t.Errorf("probability 1 left a gene of two choices %d of %d times", same, draws)
	}
}

func TestCrossoverTakesGenesFromItsParents(t *testing.T) {
	s, r := wmt(t), rand.New(rand.NewPCG(1, 2))
	small, large := s.Smallest(), s.Largest()
	seen := map[int]bool{}
	for range 200 {
		child := s.Crossover(r, small, large)
		for i, h := range s.Hyperparameters {
			lo, hi := small.Numbers(i)[0], large.Numbers(i)[0]
			for layer, x := range child.Numbers(i) {
				if x != lo && x != hi {
					t.Fatalf("%s of %s is of neither parent", h.Name, child)
				}
				if h.Layers == "decoder_layers" && layer > 0 && x != hi {
					t.Fatalf("layer %d of %s is only in the larger parent, the child has %v", layer, h.Name, x)
				}
			}
		}
		seen[child.Depth("decoder_layers")] = true
	}
	if len(seen) != 2 {
		t.Errorf("depths seen: %v, want 1 and 6", seen)
	}
}

const hat = `{"encoder_embed_dim":512,"encoder_ffn_dim":[3072,2048,1024,2048,1024,1024],"encoder_self_attn_heads":[4,4,8,8,4,4],` +
	`"decoder_embed_dim":640,"decoder_ffn_dim":[3072,1024],"decoder_self_attn_heads":[4,8],"decoder_cross_attn_heads":[8,8],"decoder_cross_attn_span":[3,1]}`

func TestCanonicalJSON(t *testing.T) {
	s := wmt(t)
	var anyOrder map[string]any
	if err := json.Unmarshal([]byte(hat), &anyOrder); err != nil {
		t.Fatal(err)
	}
	anyOrder["decoder_layers"] = 2
	shuffled, _ := json.MarshalIndent(anyOrder, "", "  ")
	a, err := s.ParseArchitecture(shuffled)
	if err != nil {
		t.Fatal(err)
	}
	if a.String() != hat {
		t.Errorf("canonical form\n%s, want\n%s", a, hat)
	}
	// printf '%s' "$hat" | sha256sum | cut -c1-16
	if a.ID() != "ebd463944211f330" {
		t.Errorf("id %s", a.ID())
	}
	if got := a.Depth("decoder_layers"); got != 2 {
		t.Errorf("decoder_layers = %d", got)
	}
}

func TestParseArchitectureFaults(t *testing.T) {
	replace := func(old, with string) string {
		if !strings.Contains(hat, old) {
			t.Fatalf("%s is not in the architecture", old)
		}
		return strings.Replace(hat, old, with, 1)
	}
	for _, c := range []struct{ text, want string }{
		{"", `architecture: malformed JSON: it ends too early`},
		{hat[:40], `architecture: malformed JSON: it ends too early`},
		{hat + "x", `architecture: malformed JSON: text after the object`},
		{"[1]", `architecture: expected a JSON object such as {"encoder_embed_dim":512,...}, found [`},
		{replace("512", "500"), `architecture: encoder_embed_dim: 500 is outside the space; choices: [512 640]`},
		{replace("512", `"512"`), `architecture: encoder_embed_dim: "512" is outside the space; choices: [512 640]`},
		{replace("encoder_embed_dim", "encoder_embed_dims"), `architecture: unknown hyperparameter "encoder_embed_dims"; did you mean "encoder_embed_dim"?`},
		{replace(`"encoder_embed_dim":512,`, ""), `architecture: encoder_embed_dim is missing`},
		{replace(`{`, `{"encoder_embed_dim":640,`), `architecture: "encoder_embed_dim" is given twice`},
		{replace(`{`, `{"decoder_layers":3,`), `architecture: list lengths disagree: decoder_ffn_dim has 2 values, but decoder_layers is 3`},
		{replace("[4,8],", "[4,8,8],"), `architecture: list lengths disagree: decoder_self_attn_heads has 3 values, but decoder_layers is 2`},
		{replace("[4,8],", "8,"), `architecture: decoder_self_attn_heads: expected a list with one value for each of decoder_layers, found 8`},
		{replace("[4,4,8,8,4,4]", "[4,4,8,8,4]"), `architecture: list lengths disagree: encoder_self_attn_heads has 5 values, but encoder_layers is 6`},
		{replace("[3072,2048,1024,2048,1024,1024]", "[]"), `architecture: encoder_ffn_dim has 0 values; encoder_layers: 0 is outside the space; choices: [6]`},
	} {
		_, err := wmt(t).ParseArchitecture([]byte(c.text))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s\n got  %v\n want %s", c.text, err, c.want)
		}
	}
}

func TestParseFaults(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"name: x", `s.yaml:1: hyperparameters: a space needs at least one hyperparameter`},
		{"name: x\nhyperparameters:\n- {name: a, definition: d, choices: []}", `s.yaml:3: choices: a has 0 choices; expected 1 to 256`},
		{"name: x\nhyperparameters:\n- {name: a, definition: d, choices: [1, 1.0]}", `s.yaml:3: choices: a has the choice 1 twice`},
		{"name: x\nhyperparameters:\n- {name: a, choices: [1]}", `s.yaml:3: definition: a needs a definition: the prompt explains it to the LLM`},
		{"name: x\nhyperparameters:\n- {name: a, definition: d, choices: [true]}", `s.yaml:3: hyperparameters[0].choices[0]: expected a number or a text, found "true"; put a text that looks like something else in quotes`},
		{"name: x\nhyperparameters:\n- {name: a, definition: d, choices: [1], layers: b}", `s.yaml:3: hyperparameters: a has one value for each of "b", which is no hyperparameter; known: a`},
		{"name: x\nhyperparameters:\n- {name: a, definition: d, choices: [1], layers: b}\n- {name: b, definition: d, choices: [0, 1]}", `s.yaml:3: hyperparameters: b counts layers; its choice 0 is no whole number from 1 to 1000`},
		{"name: x\nhyperparameters:\n- {name: a, definition: d, choices: [1]}\n- {name: a, definition: d, choices: [1]}", `s.yaml:3: hyperparameters: "a" is defined twice`},
	} {
		_, err := space.Parse("s.yaml", []byte(c.text))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s\n got  %v\n want %s", c.text, err, c.want)
		}
	}
}

func TestExtremes(t *testing.T) {
	s := own(t)
	if got := s.Smallest().String(); got != `{"activation":"relu","hidden":[16],"rate":0.001,"kind":["a"]}` {
		t.Errorf("smallest %s", got)
	}
	if got := s.Largest().String(); got != `{"activation":"tanh","hidden":[32,32,32],"rate":0.5,"kind":["c","c"]}` {
		t.Errorf("largest %s", got)
	}
}

func FuzzParseArchitecture(f *testing.F) {
	s := wmt(f)
	f.Add([]byte(hat))
	f.Add([]byte(`{"decoder_layers":1e400}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := s.ParseArchitecture(text)
		if err != nil {
			return
		}
		if b, err := s.ParseArchitecture([]byte(a.String())); err != nil || !b.Equal(a) {
			t.Fatalf("%s does not come back: %v", a, err)
		}
	})
}
