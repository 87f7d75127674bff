package pipeline

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"hsnas/internal/seal"
)

func sampleManifest() *Manifest {
	return &Manifest{Format: manifestFormat, Stages: []*Record{
		{
			Stage: "draw", State: Done, Key: "k", Started: time.Unix(1, 0).UTC(), Ended: time.Unix(3, 0).UTC(), Seconds: 2,
			Ingredients: Ingredients{Version: 1, Params: json.RawMessage("null"), Inputs: map[string]string{}, External: []External{{"x", "1"}}},
			Outputs:     []Artifact{{Path: "draw/out.txt", SHA256: "1", Bytes: 3, Rows: new(int64(7))}},
			Host:        Host{"h", "linux", "amd64", 2}, Libraries: map[string]string{"go": "1"},
		},
		{Stage: "sum", State: Failed, Error: "no luck", Outputs: []Artifact{{Path: "sum/out.txt"}}, Ingredients: Ingredients{Params: json.RawMessage("null")}},
	}}
}

func TestManifestRoundTrip(t *testing.T) {
	dir, want := t.TempDir(), sampleManifest()
	if err := want.write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := ReadManifest(dir)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	if a, r := got.Artifact("draw/out.txt"); a == nil || *a.Rows != 7 || r.Stage != "draw" {
		t.Errorf("draw/out.txt is %+v of %+v", a, r)
	}
	if a, _ := got.Artifact("sum/out.txt"); a != nil {
		t.Error("a file of a stage that failed counts")
	}
	if got.Record("none") != nil {
		t.Error("a stage that never ran has a record")
	}
}

func TestManifestErrors(t *testing.T) {
	dir := t.TempDir()
	_, err := ReadManifest(dir)
	if want := "there is no run in " + dir + ": it has no run.json"; !errors.Is(err, fs.ErrNotExist) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	for text, want := range map[string]string{
		"":                        "m:1: the manifest is damaged: unexpected end of JSON input; restore it, or have hsnas verify move it aside and run every stage again",
		"{\n\n  oops}":            "m:3: the manifest is damaged: invalid character 'o' looking for beginning of object key string; restore it, or have hsnas verify move it aside and run every stage again",
		"{}":                      "m: the manifest is damaged: it has no format; restore it, or have hsnas verify move it aside and run every stage again",
		`{"format":3}`:            "m has format 3, this program reads up to 2; use a newer hsnas, or another --name",
		`{"format":2}`:            "m: the manifest is damaged: it has no seal; restore it, or have hsnas verify move it aside and run every stage again",
		`{"format":1,"stages":1}`: "m: the manifest is damaged: json: cannot unmarshal number into Go struct field Manifest.stages of type []*pipeline.Record; restore it, or have hsnas verify move it aside and run every stage again",
		`{"format":1,"stages":[{"stage":"a","outputs":[{"path":"../x"}]}]}`: `m: the manifest is damaged: stage a has the output "../x", outside the run directory; restore it, or have hsnas verify move it aside and run every stage again`,
		`{"format":1,"stages":[null]}`:                                      "m: the manifest is damaged: a record names no stage; restore it, or have hsnas verify move it aside and run every stage again",
	} {
		if _, err := parseManifest("m", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q:\n got  %v\n want %s", text, err, want)
		}
	}
}

// FuzzManifest reads damaged manifests, and holds a run's plan against what they say.
func FuzzManifest(f *testing.F) {
	whole, err := json.Marshal(sampleManifest())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(whole))
	f.Add(string(whole[:len(whole)/2]))
	f.Add(`{"format":1,"stages":[{"stage":"draw","state":"done","ingredients":{"params":[1,{}],"inputs":null},"outputs":[{"path":"../../x"}]}]}`)
	f.Add(`{"format":1e9}`)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		if strings.HasPrefix(text, "{") { // else it has no seal to get behind
			text = string(seal.JSON([]byte(text)))
		}
		m, err := parseManifest("run.json", []byte(text))
		if err != nil {
			return
		}
		stages := chain(filepath.Join(dir, "none"), 1)
		producer, err := producers(stages)
		if err != nil {
			t.Fatal(err)
		}
		st := &state{dir: dir, manifest: m, producer: producer, sums: map[string]checksum{}}
		for _, s := range stages {
			in, _ := st.ingredients(s, nil)
			st.reasons(s, in)
		}
		if _, err := json.Marshal(m); err != nil {
			t.Errorf("the manifest cannot be written back: %v", err)
		}
	})
}
