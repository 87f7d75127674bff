package published

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/config"
)

// dataRoot returns the folder of the published figures or skips the test.
func dataRoot(t *testing.T) string {
	t.Helper()
	root, err := Root()
	if err != nil {
		t.Skipf("published figures: %v", err)
	}
	return root
}

func TestEveryFileIsAsPublished(t *testing.T) {
	state, err := Check(dataRoot(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(state) != 33 {
		t.Errorf("%d files in the table, want 18 of seeds, 6 unlabelled, 8 of latencies and the models", len(state))
	}
	for _, c := range state {
		if c.State != OK {
			t.Errorf("%s is %s", c.Path, c.State)
		}
	}
}

func TestSeeds(t *testing.T) {
	root := dataRoot(t)
	for _, dataset := range []string{"wmt14ende", "wmt14enfr", "wmt19ende"} {
		for _, split := range Splits() {
			seen := map[string]bool{}
			for part, want := range map[Part]int{Demonstrations: 10, Test: 20} {
				rows, err := Seeds(root, dataset, split, part)
				if err != nil || len(rows) != want {
					t.Fatalf("%s %s %s: %d rows, %v; want %d", dataset, split, part, len(rows), err, want)
				}
				for _, r := range rows {
					seen[r.Architecture] = true
				}
			}
			if len(seen) != 30 {
				t.Errorf("%s %s: %d different architectures, want 30", dataset, split, len(seen))
			}
		}
	}
	rows, err := Seeds(root, "wmt14ende", "123", Demonstrations)
	if err != nil {
		t.Fatal(err)
	}
	first := rows[0]
	const arch = `{"encoder_embed_dim":512,"encoder_ffn_dim":[1024,1024,2048,2048,2048,1024],"encoder_self_attn_heads":[4,4,4,8,4,4],` +
		`"decoder_embed_dim":640,"decoder_ffn_dim":[3072],"decoder_self_attn_heads":[8],"decoder_cross_attn_heads":[4],"decoder_cross_attn_span":[3]}`
	if first.Architecture != arch || first.Valid != 24.3 || first.FLOPs != 2669506728 || first.Supernets["mos-neuron"].Valid != 23.62 {
		t.Errorf("first demonstration is %+v", first)
	}
}

func TestUnlabelled(t *testing.T) {
	root := dataRoot(t)
	for _, set := range names("llmas/unlabelled/", ".jsonl") {
		if rows, err := Unlabelled(root, set); err != nil || len(rows) != 500 {
			t.Errorf("%s: %d rows, %v; want 500", set, len(rows), err)
		}
	}
	_, err := Unlabelled(root, "112")
	wantError(t, err, `no published unlabelled set "112"; there are 111, 222, 333, 444, 555, 666`)
}

func TestHAT(t *testing.T) {
	root := dataRoot(t)
	models, err := SubTransformers(root)
	if err != nil || len(models) != 44 {
		t.Fatalf("%d models, %v; want 44", len(models), err)
	}
	if m := models[0]; m.ParamsM != 25.22 || m.FLOPsG != 1.53 || !strings.Contains(m.Architecture, `"decoder_cross_attn_span":[1]`) {
		t.Errorf("first model is %+v", m)
	}
	if len(LatencyDatasets()) != 8 {
		t.Errorf("latency datasets %v, want 8", LatencyDatasets())
	}
	for _, name := range LatencyDatasets() {
		if rows, err := LatencyDataset(root, name); err != nil || len(rows) != 2000 {
			t.Errorf("%s: %d rows, %v; want 2000", name, len(rows), err)
		}
	}
}

func TestDamagedAndMissingFiles(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "llmas", "unlabelled", "111.jsonl")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	_, err := Unlabelled(root, "111")
	wantError(t, err, path+`: no such file: run "hsnas data"`)
	if err := os.WriteFile(path, []byte("{}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = Unlabelled(root, "111")
	wantError(t, err, path+`: SHA-256 is ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356, `+
		`expected 32ecbc8c4fa7a6c1f64b67f391fa2de1e11d8c41111f717369dee261fadb5d07: run "hsnas data" again`)
}

func TestRoot(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(Variable, dir)
	_, err := Root()
	wantError(t, err, Variable+"="+dir+": no folder llmas or hat in it; expected the folder of the published figures")
	var fault *config.Error
	if !errors.As(err, &fault) {
		t.Errorf("%v is no *config.Error", err)
	}
	t.Setenv(Variable, "")
	t.Setenv("XDG_CACHE_HOME", dir)
	t.Setenv("HOME", dir)
	cache, err := CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	_, err = Root()
	wantError(t, err, `no published figures in `+cache+`: run "hsnas data", or set HSNAS_DATA to a folder that has them`)
	if err := os.MkdirAll(filepath.Join(cache, "hat"), 0o777); err != nil {
		t.Fatal(err)
	}
	if root, err := Root(); err != nil || root != cache {
		t.Errorf("Root() = %q, %v; want %q", root, err, cache)
	}
}

const archInfo = `"encoder-embed-dim-subtransformer: 512", "encoder-layer-num-subtransformer: 2", ` +
	`"encoder-ffn-embed-dim-all-subtransformer: [1024, 2048]", "encoder-self-attention-heads-all-subtransformer: [4, 8]", ` +
	`"decoder-embed-dim-subtransformer: 640", "decoder-layer-num-subtransformer: 1", "decoder-ffn-embed-dim-all-subtransformer: [3072]", ` +
	`"decoder-self-attention-heads-all-subtransformer: [8]", "decoder-ende-attention-heads-all-subtransformer: [4]", ` +
	`"decoder-arbitrary-ende-attn-all-subtransformer: [-1]"`

func TestMalformedLines(t *testing.T) {
	line := func(old, new string) string {
		return `{"scratch": {"arch_info": [` + strings.Replace(archInfo, old, new, 1) + `], "total_flops": 1.0}}` + "\n"
	}
	good := line("", "")
	for name, c := range map[string]struct{ text, want string }{
		"empty":          {"", "u.jsonl: the file is empty, expected one JSON object in each line"},
		"no JSON":        {good + "oops\n", "u.jsonl:2: malformed line, expected one JSON object: invalid character 'o' looking for beginning of value"},
		"two values":     {"{}{}\n", "u.jsonl:1: more than one JSON value, expected one object in each line"},
		"unknown key":    {`{"score": 1}`, `u.jsonl:1: malformed line, expected one JSON object: json: unknown field "score"`},
		"missing":        {`{"scratch": {"arch_info": []}}`, `u.jsonl:1: arch_info: encoder-layer-num-subtransformer is missing, expected a whole number`},
		"unknown":        {line("encoder-embed-dim-subtransformer", "embed"), `u.jsonl:1: arch_info: unexpected setting "embed: 512", expected "encoder-layer-num-subtransformer: 6" and its like`},
		"twice":          {line("decoder-embed-dim", "encoder-embed-dim"), `u.jsonl:1: arch_info: encoder-embed-dim-subtransformer is there twice`},
		"text":           {line("512", "big"), `u.jsonl:1: arch_info: encoder-embed-dim-subtransformer is "big", expected a whole number`},
		"no list":        {line("[3072]", "3072"), `u.jsonl:1: arch_info: decoder-ffn-embed-dim-all-subtransformer is "3072", expected a list like [4, 8]`},
		"short list":     {line("[4, 8]", "[4]"), `u.jsonl:1: arch_info: encoder-self-attention-heads-all-subtransformer has 1 values, expected 2, one for each layer`},
		"attention of 3": {line("[-1]", "[3]"), `u.jsonl:1: arch_info: decoder-arbitrary-ende-attn-all-subtransformer has the value 3, expected -1, 1 or 2`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseUnlabelled("u.jsonl", []byte(c.text))
			wantError(t, err, c.want)
		})
	}
	if rows, err := parseUnlabelled("u.jsonl", []byte(good)); err != nil || len(rows) != 1 {
		t.Errorf("the good line: %v, %v", rows, err)
	}
}

func TestMalformedSeedsAndTables(t *testing.T) {
	_, err := parseSeeds("s.jsonl", []byte(`{"HAT": {"test_BLEU": 1, "valid_BLEU": 2}}`))
	wantError(t, err, `s.jsonl:1: "scratch" is missing, expected an object`)
	_, err = parseSeeds("s.jsonl", []byte(`{"scratch": {"arch_info": [`+archInfo+`], "test_BLEU": 20, "valid_BLEU": 101}}`))
	wantError(t, err, `s.jsonl:1: scratch: valid_BLEU and test_BLEU are not there or out of range, expected numbers above 0, at most 100`)
	_, err = parseLatency("l.csv", []byte("a,b\n"))
	wantError(t, err, "l.csv:1: unexpected header, expected "+strings.Join(latencyHeader, ","))
	head := strings.Join(latencyHeader, ",") + "\n"
	_, err = parseLatency("l.csv", []byte(head+"1,2\n"))
	wantError(t, err, "l.csv:2: malformed CSV: wrong number of fields, expected 14 columns")
	_, err = parseLatency("l.csv", []byte(head+strings.Repeat("1,", 10)+"-3,1,1,1\n"))
	wantError(t, err, `l.csv:2: latency_mean_encoder is "-3", expected a number of at least 0`)
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

func FuzzParseSeeds(f *testing.F) {
	f.Add([]byte(`{"scratch": {"arch_info": [` + archInfo + `]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		rows, err := parseSeeds("f", text)
		if err == nil && len(rows) == 0 {
			t.Error("no rows and no error")
		}
	})
}

func FuzzParseUnlabelled(f *testing.F) {
	f.Add([]byte(`{"scratch": {"arch_info": [` + archInfo + `], "total_flops": 1}}`))
	f.Fuzz(func(t *testing.T, text []byte) { _, _ = parseUnlabelled("f", text) })
}

func FuzzParseTables(f *testing.F) {
	f.Add([]byte(strings.Join(latencyHeader, ",") + "\n1,2,3,4,5,6,7,8,9,10,11,12,13,14\n"))
	f.Add([]byte(strings.Join(subTransformerHeader, ",") + "\nm,t,h,1s,1,2,3,4,512,1,[1024],[4],512,1,[1024],[4],[4],[-1]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _ = parseLatency("f", text)
		_, _ = parseSubTransformers("f", text)
		_, _ = compileSubTransformers(func(string) ([]byte, error) { return text, nil })
	})
}
