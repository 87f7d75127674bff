package task

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzLoad reads a user's task and its prompt: both are taken or refused.
func FuzzLoad(f *testing.F) {
	prompt, err := os.ReadFile(filepath.Join("..", "..", "data", "prompts", "generic.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	shipped, err := filepath.Glob(filepath.Join("..", "..", "data", "tasks", "*.yaml"))
	if err != nil || len(shipped) == 0 {
		f.Fatal("no tasks: ", err)
	}
	for _, file := range shipped {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, prompt)
	}
	f.Add([]byte("name: x\nspace: micro.en-de\nmetric: {name: m, direction: maximize, min: 0, max: 1, decimals: 2}\nprompt: {template: ./prompt.yaml}\n"), prompt)
	f.Fuzz(func(t *testing.T, text, prompt []byte) {
		dir := t.TempDir()
		for name, text := range map[string][]byte{"task.yaml": text, "prompt.yaml": prompt} {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if loaded, err := Load(filepath.Join(dir, "task.yaml")); err == nil && (loaded.Name == "" || loaded.Space == nil) {
			t.Errorf("%+v", loaded)
		}
	})
}
