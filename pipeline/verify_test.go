package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/progress"
)

// sumOfX is the SHA-256 of "x", from sha256sum.
const sumOfX = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

// TestDamagedOutputIsMovedAside: nothing is deleted that nobody has looked at.
func TestDamagedOutputIsMovedAside(t *testing.T) {
	dir, external := finished(t)
	out := filepath.Join(dir, "draw", "out.txt")
	for range 2 { // the same damage again has the same name
		if err := os.WriteFile(out, []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
		heard := &told{Reporter: progress.Discard}
		if err := Run(t.Context(), dir, chain(external, 1), Options{Report: heard}); err != nil {
			t.Fatal(err)
		}
		aside := "damaged/draw/out.txt." + sumOfX[:16]
		if want := "draw       moved the damaged draw/out.txt to " + aside; !slices.Contains(heard.lines, want) {
			t.Errorf("reported %q\nwant %q", heard.lines, want)
		}
		if text, err := os.ReadFile(filepath.Join(dir, aside)); string(text) != "x" {
			t.Errorf("moved aside: %q, %v", text, err)
		}
		if text, err := os.ReadFile(out); string(text) != "abc1" {
			t.Errorf("made again: %q, %v", text, err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, "damaged", "draw"))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

// TestInputsAreHashedAgain: a file that was whole when the run began is damaged when a
// stage is about to read it.
func TestInputsAreHashedAgain(t *testing.T) {
	dir, external := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "in.txt")
	if err := os.WriteFile(external, []byte("abc"), 0o666); err != nil {
		t.Fatal(err)
	}
	stages := chain(external, 1)
	parity := stages[1].Run
	stages[1].Run = func(ctx context.Context, c Call) (Result, error) {
		result, err := parity(ctx, c)
		if err == nil {
			err = os.WriteFile(c.Path("draw/out.txt"), []byte("x"), 0o666)
		}
		return result, err
	}
	late := Stage{Name: "late", Inputs: []string{"draw/out.txt", "parity/out.txt"}, Outputs: []string{"late/out.txt"}, Run: func(context.Context, Call) (Result, error) {
		t.Error("the damaged file would have been read")
		return Result{}, nil
	}}
	err := Run(t.Context(), dir, append(stages, late), Options{})
	if want := "stage late needs draw/out.txt, but draw/out.txt is damaged; run that stage first: --only draw"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestVerifyWaitsOnlyToMove: a whole run is looked at while another process works in it.
func TestVerifyWaitsOnlyToMove(t *testing.T) {
	dir, _ := finished(t)
	unlock, err := lock(t.Context(), dir, false, progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if found, err := Verify(t.Context(), dir, VerifyOptions{}); err != nil || slices.ContainsFunc(found, Finding.Fault) {
		t.Errorf("%+v, %v", found, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "draw", "out.txt"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	if found, err := Verify(t.Context(), dir, VerifyOptions{Keep: true}); err != nil || !slices.ContainsFunc(found, Finding.Fault) {
		t.Errorf("%+v, %v", found, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Verify(ctx, dir, VerifyOptions{})
	if err == nil {
		t.Error("files are moved without the lock")
	}
	if _, err := os.Stat(filepath.Join(dir, "draw", "out.txt")); err != nil {
		t.Error(err)
	}
}

// TestManifestOfFormat1 was written without a seal, and without one for the
// configuration: it is read as it is, and sealed when it is written again.
func TestManifestOfFormat1(t *testing.T) {
	dir, external := finished(t)
	path := filepath.Join(dir, manifestName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	old := strings.Replace("{"+string(text[strings.Index(string(text), ",")+1:]), `"format": 2`, `"format": 1`, 1)
	if err := os.WriteFile(path, []byte(old), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ExperimentFile(dir), []byte("name: x\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	of, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := of.Experiment(); err != nil || string(text) != "name: x\n" {
		t.Errorf("%q, %v", text, err)
	}
	if err := Run(t.Context(), dir, chain(external, 2), Options{Experiment: []byte("name: x\n")}); err != nil {
		t.Fatal(err)
	}
	found, err := Verify(t.Context(), dir, VerifyOptions{})
	if err != nil || slices.ContainsFunc(found, Finding.Fault) {
		t.Errorf("%+v, %v", found, err)
	}
	if text, err = os.ReadFile(path); err != nil || !strings.Contains(string(text), `"format": 2`) || !strings.Contains(string(text), `"seal"`) {
		t.Errorf("the manifest is\n%s", text)
	}
}

// TestFinished opens what is whole and names what is not.
func TestFinished(t *testing.T) {
	dir, _ := finished(t)
	of, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if path, err := of.Path("draw/out.txt"); err != nil || path != filepath.Join(dir, "draw", "out.txt") {
		t.Errorf("%s, %v", path, err)
	}
	if got := of.Artifacts("*/out.txt"); !slices.Equal(got, []string{"draw/out.txt", "parity/out.txt", "sum/out.txt"}) || !of.Has("sum/out.txt") || of.Has("sum/other.txt") {
		t.Errorf("artifacts %q", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "draw", "out.txt"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "parity", "out.txt")); err != nil {
		t.Fatal(err)
	}
	for artifact, want := range map[string]string{
		"draw/out.txt":   filepath.Join(dir, "draw", "out.txt") + ", which stage draw wrote, is damaged",
		"parity/out.txt": filepath.Join(dir, "parity", "out.txt") + ", which stage parity wrote, is missing",
		"none.txt":       "no stage of the run in " + dir + " has finished none.txt",
	} {
		if _, err := of.Path(artifact); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if _, err := of.Experiment(); err == nil || err.Error() != ExperimentFile(dir)+" is missing" {
		t.Errorf("error %v", err)
	}
}
