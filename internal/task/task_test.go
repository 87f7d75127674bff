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

func TestLoadFaults(t *testing.T) {
	for _, c := range []struct{ space, task, want string }{
		{ownSpace, "name: own", `task.yaml:1: space: a task needs a space: the name of one that ships, or a path`},
		{ownSpace, ownTask + "metrc: 1", `task.yaml:5: unknown key "metrc"; did you mean "metric"?`},
		{ownSpace, strings.Replace(ownTask, "minimize", "down", 1), `task.yaml:3: direction: expected maximize or minimize, found "down"`},
		{ownSpace, strings.Replace(ownTask, "max: 1", "max: 0", 1), `task.yaml:3: min: the metric's range is empty: min 0, max 0`},
		{ownSpace, strings.Replace(ownTask, "./space.yaml", "wmt14.en-dee", 1), `unknown space "wmt14.en-dee"; did you mean "wmt14.en-de"? (or give the path of a .yaml file)`},
		{ownSpace, ownTask + "family: gpt", `task.yaml:5: family: unknown family "gpt"; known: hat; leave it out for a space without one`},
		{ownSpace, ownTask + "family: hat\nmodel: {vocabulary: 9, source_tokens: 1, target_tokens: 1, shared_embeddings: true}", `task.yaml: family hat needs the hyperparameter encoder_embed_dim, which the space own does not have`},
		{ownSpace, ownTask + "prompt: {template: translation, values: {validation: x}}", `data/prompts/translation.yaml: the template needs a value for {source_tokens}: give it under prompt.values of the task own`},
		{"name: [", ownTask, `space.yaml:1: malformed YAML: did not find expected node content`},
	} {
		dir := write(t, map[string]string{"space.yaml": c.space, "task.yaml": c.task})
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
