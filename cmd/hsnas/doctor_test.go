package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/doctor"
	"hsnas/internal/ort"
)

// checksOf are those of doctor --json, by name, and the exit code.
func checksOf(t *testing.T, args ...string) (checks map[string]doctor.Check, code int, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	code = run(t.Context(), append([]string{"hsnas", "doctor", "--json"}, args...), nil, &out, &log)
	var list []doctor.Check
	if err := json.Unmarshal(out.Bytes(), &list); err != nil {
		t.Fatalf("%v: %s%s", err, out.String(), log.String())
	}
	checks = map[string]doctor.Check{}
	for _, c := range list {
		checks[c.Name] = c
	}
	return checks, code, log.String()
}

// TestDoctor: on a machine that can compute there is nothing that every run needs and
// that is missing, and looking changes nothing.
func TestDoctor(t *testing.T) {
	if _, err := ort.Open(); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	t.Setenv(runsVariable, filepath.Join(dir, "runs"))
	checks, code, stderr := checksOf(t)
	if code != exitOK || stderr != "" || checks["onnx-runtime"].State == doctor.Missing || !strings.HasPrefix(checks["onnx-runtime"].Found, "1.27") {
		t.Errorf("code %d, %s%+v", code, stderr, checks["onnx-runtime"])
	}
	if c := checks["runs"]; c.State == doctor.Missing || !strings.HasPrefix(c.Found, filepath.Join(dir, "runs")+", ") {
		t.Errorf("%+v", c)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

// TestDoctorWithoutLibrary: that is when people run it.
func TestDoctorWithoutLibrary(t *testing.T) {
	t.Setenv(ort.LibraryVariable, filepath.Join(t.TempDir(), "none.so"))
	t.Setenv(runsVariable, t.TempDir())
	checks, code, stderr := checksOf(t)
	c := checks["onnx-runtime"]
	if code != exitFailure || stderr != "hsnas: missing, and needed: onnx-runtime\n" || c.State != doctor.Missing || !c.Needed || !strings.HasPrefix(c.Advice, "run: sh ") {
		t.Errorf("code %d, %s%+v", code, stderr, c)
	}
	var out, log bytes.Buffer
	run(t.Context(), []string{"hsnas", "doctor"}, nil, &out, &log)
	if n := strings.Count(out.String(), "\n"); n != len(checks) || !strings.HasPrefix(out.String(), "onnx-runtime  missing  no library in ") {
		t.Errorf("%d lines for %d checks:\n%s", n, len(checks), out.String())
	}
}

// TestDoctorSurvivesDrivers: a driver that ends the process that asks it is a line.
func TestDoctorSurvivesDrivers(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "driver.c")
	const crash = "#include <stdlib.h>\nvoid *vkGetInstanceProcAddr(void *i, const char *n) { abort(); }\nint vkCreateInstance(void *a, void *b, void *c) { abort(); }\n"
	if err := os.WriteFile(source, []byte(crash), 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(gcc, "-shared", "-fPIC", "-o", filepath.Join(dir, "libvulkan.so.1"), source).CombinedOutput(); err != nil {
		t.Skipf("%v: %s", err, out)
	}
	t.Setenv("LD_LIBRARY_PATH", dir)
	t.Setenv(runsVariable, t.TempDir())
	checks, _, _ := checksOf(t)
	c := checks["webgpu"]
	if c.State != doctor.Missing || !strings.HasPrefix(c.Found, `a process that used device "webgpu" did not survive it (`) || c.Advice != "mend or remove the driver, or use --device cpu" {
		t.Errorf("%+v", c)
	}
}

// TestDoctorOfARun: what the run's configuration needs counts.
func TestDoctorOfARun(t *testing.T) {
	runs := t.TempDir()
	t.Setenv(runsVariable, runs)
	t.Setenv("OPENAI_API_KEY", "")
	e, err := loadExperiment("micro", []string{"label.source=live", "label.model=m", "search.device=webgpu"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := e.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(runs, "paid"), 0o777); err != nil {
		t.Fatal(err)
	}
	sealed(t, filepath.Join(runs, "paid"), string(text))
	checks, code, stderr := checksOf(t, "--run", "paid")
	if code != exitFailure || !strings.Contains(stderr, "api-key") || !checks["api-key"].Needed || !checks["webgpu"].Needed || checks["data"].Needed {
		t.Errorf("code %d, %s%+v", code, stderr, checks)
	}
	if c := checks["runs"]; !strings.HasPrefix(c.Found, filepath.Join(runs, "paid")+", ") {
		t.Errorf("%+v", c)
	}
	var out, log bytes.Buffer
	if code := run(t.Context(), []string{"hsnas", "doctor", "--run", "pad"}, nil, &out, &log); code != exitUsage || !strings.HasPrefix(log.String(), `hsnas: there is no run "pad" in `) {
		t.Errorf("code %d: %s", code, log.String())
	}
}
