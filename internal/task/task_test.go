package task

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hsnas/data"
	"hsnas/internal/config"
)

func TestEveryTaskThatShipsLoads(t *testing.T) {
	for _, name := range data.Names(data.Tasks) {
		got, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != name {
			t.Errorf("data/tasks/%s.yaml names itself %q", name, got.Name)
		}
	}
}

// write makes a folder with the given files and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	ownSpace = "name: own\nhyperparameters:\n- {name: width, definition: d, choices: [1, 2]}\n"
	ownTask  = "name: own\nspace: ./space.yaml\nmetric: {name: error, direction: minimize, min: 0, max: 1, decimals: 3}\ndata: {table: scores.csv}\n"
)

func TestLoadOwnTask(t *testing.T) {
	dir := write(t, map[string]string{"space.yaml": ownSpace, "task.yaml": ownTask})
	got, err := Load(filepath.Join(dir, "task.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "The task is own. The quality of an architecture is its error on the validation set; lower is better."; got.Prompt.Instructions[0] != want {
		t.Errorf("generic prompt says %q, want %q", got.Prompt.Instructions[0], want)
	}
	want := []string{filepath.Join(dir, "task.yaml"), filepath.Join(dir, "space.yaml"), filepath.Join(dir, "scores.csv")}
	if !slices.Equal(got.Files(), want) {
		t.Errorf("files %q, want %q", got.Files(), want)
	}
	if got.HasCostModel() {
		t.Error("a task without a family has a cost model")
	}
}

// The embedded task that hsnas trains itself loads whether its table is there or
// not.
func TestLoadMicro(t *testing.T) {
	got, err := Load("micro.en-de")
	if err != nil {
		t.Fatal(err)
	}
	if !got.HasCostModel() || got.Model.QKVWidth() != 64 || got.Prompt.CostUnit() != 1e6 || !got.TableShips() || len(got.Files()) != 0 {
		t.Errorf("%+v of files %q", got, got.Files())
	}
	if hat, err := Load("wmt14.en-de"); err != nil || hat.Model.QKVWidth() != 512 || hat.Prompt.CostUnit() != 1e9 || hat.TableShips() {
		t.Errorf("%+v, %v", hat, err)
	}
}

func TestTable(t *testing.T) {
	dir := write(t, map[string]string{"space.yaml": ownSpace, "task.yaml": ownTask, "scores.csv": "width,error\n"})
	got, err := Load(filepath.Join(dir, "task.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text, file, err := got.Table()
	if string(text) != "width,error\n" || file != filepath.Join(dir, "scores.csv") || err != nil {
		t.Errorf("%q from %q, %v", text, file, err)
	}
	for table, want := range map[string]string{
		"none.csv": "cannot read the table of measured scores: open " + filepath.Join(dir, "none.csv") + ": no such file or directory",
		"./none":   "cannot read the table of measured scores: open " + filepath.Join(dir, "none") + ": no such file or directory",
		"none":     `unknown table "none"` + config.DidYouMean("none", data.Tables()) + " (or give the path of a .csv file)",
	} {
		got.Data.Table = table
		_, _, err := got.Table()
		var fault *config.Error
		if !errors.As(err, &fault) || err.Error() != want {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
}

func TestLoadFaults(t *testing.T) {
	for _, c := range []struct{ space, task, want string }{
		{ownSpace, "name: own", `task.yaml:1: space: a task needs a space: the name of one that ships, or a path`},
		{ownSpace, ownTask + "metrc: 1", `task.yaml:5: unknown key "metrc"; did you mean "metric"?`},
		{ownSpace, strings.Replace(ownTask, "minimize", "down", 1), `task.yaml:3: direction: expected maximize or minimize, found "down"`},
		{ownSpace, strings.Replace(ownTask, "max: 1", "max: 0", 1), `task.yaml:3: min: the metric's range is empty: min 0, max 0`},
		{ownSpace, strings.Replace(ownTask, "./space.yaml", "wmt14.en-dee", 1), `unknown space "wmt14.en-dee"; did you mean "wmt14.en-de"? (or give the path of a .yaml file)`},
		{ownSpace, ownTask + "family: gpt", `task.yaml:5: family: unknown family "gpt"; known: hat, micro; leave it out for a space without one`},
		{ownSpace, ownTask + "family: hat\nmodel: {vocabulary: 9, source_tokens: 1, target_tokens: 1, shared_embeddings: true}", `task.yaml: family hat needs the hyperparameter encoder_embed_dim, which the space own does not have`},
		{ownSpace, ownTask + "family: micro\nmodel: {vocabulary: 9, source_vocabulary: 9, source_tokens: 1, target_tokens: 1}", `task.yaml: family micro needs the hyperparameter encoder_embed_dim, which the space own does not have`},
		{ownSpace, ownTask + "family: micro", `task.yaml:1: model: a family and a model section go together: give both or neither`},
		{ownSpace, ownTask + "model: {vocabulary: 9, source_tokens: 1, target_tokens: 1, shared_embeddings: true}", `task.yaml:5: model: a family and a model section go together: give both or neither`},
		{ownSpace, ownTask + "family: micro\nmodel: {vocabulary: 9, source_tokens: 1, target_tokens: 1, shared_embeddings: true}", `task.yaml:6: model: the source of the family micro has an embedding of its own: give a source_vocabulary, and shared_embeddings false`},
		{ownSpace, ownTask + "family: hat\nmodel: {source_tokens: 1, target_tokens: 1, shared_embeddings: true, qkv: -1}", `task.yaml:6: qkv: expected the width of queries, keys and values, or 0 for HAT's 512; found -1`},
		{ownSpace, ownTask + "prompt: {template: ./prompt.yaml}", `prompt.yaml:3: cost_label: expected GFLOPs or MFLOPs, the unit that computed costs are shown in, found "TFLOPs"`},
		{ownSpace, ownTask + "prompt: {template: translation, values: {validation: x}}", `data/prompts/translation.yaml: the template needs a value for {source_tokens}: give it under prompt.values of the task own`},
		{"name: [", ownTask, `space.yaml:1: malformed YAML: did not find expected node content`},
	} {
		dir := write(t, map[string]string{
			"space.yaml": c.space, "task.yaml": c.task,
			"prompt.yaml": "role: r\ninstructions: [i]\ncost_label: TFLOPs\nanswer_key: a\n",
		})
		_, err := Load(filepath.Join(dir, "task.yaml"))
		if err == nil || strings.TrimPrefix(err.Error(), dir+"/") != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
		var e *config.Error
		if !errors.As(err, &e) {
			t.Errorf("%v is no *config.Error", err)
		}
	}
}
