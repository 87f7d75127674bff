package main

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	oldVersion, oldCommit := version, commit
	defer func() { version, commit = oldVersion, oldCommit }()
	version, commit = "1.2.3", "0123456789abcdef0123456789abcdef01234567"
	platform := runtime.GOOS + "/" + runtime.GOARCH
	out, err := runMicro(t, "", "--version")
	if want := "hsnas version 1.2.3 (commit 0123456789ab, " + runtime.Version() + ", " + platform + ", ONNX Runtime 1.27.0)\n"; err != nil || out != want {
		t.Errorf("%v: got %swant %s", err, out, want)
	}
	out, err = runMicro(t, "", "version")
	if want := "hsnas         1.2.3\ncommit        0123456789ab\ngo            " + runtime.Version() + "\nplatform      " + platform + "\nonnx runtime  1.27.0\n"; err != nil || out != want {
		t.Errorf("%v: got\n%swant\n%s", err, out, want)
	}
	out, err = runMicro(t, "", "version", "--json")
	var b build
	if err != nil || json.Unmarshal([]byte(out), &b) != nil || b != thisBuild() || b.Commit != commit {
		t.Errorf("%v: %s", err, out)
	}
	if libraries()["commit"] != "0123456789ab" {
		t.Errorf("a run keeps %v", libraries())
	}
	if b := (build{Commit: strings.Repeat("a", 40), Modified: true}); b.commit() != "aaaaaaaaaaaa with changes" {
		t.Error(b.commit())
	}
	if b := (build{}); b.commit() != "unknown" {
		t.Error(b.commit())
	}
}
