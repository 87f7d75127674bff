package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"hsnas/internal/llm"
	"hsnas/internal/ort"
)

// secret stands for a key; no check may repeat it.
const secret = "sk-secret-0123456789"

// machine is one without anything.
func machine(environ ...string) Host {
	return Host{
		Root:    fstest.MapFS{},
		Environ: environ,
		Getenv: func(name string) string {
			for _, line := range environ {
				if value, ok := strings.CutPrefix(line, name+"="); ok {
					return value
				}
			}
			return ""
		},
		Command: func(context.Context, string, ...string) (string, error) { return "", ErrNotInstalled },
		Probe: func(_ context.Context, device string) (Answer, error) {
			return Answer{Fault: `device "` + device + `": nothing here`}, nil
		},
		Fetch: "sh setup.sh",
	}
}

func files(texts map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range texts {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func expect(t *testing.T, c Check, state State, found, advice string) {
	t.Helper()
	if c.State != state || c.Found != found || c.Advice != advice {
		t.Errorf("%s:\n got %s, %s; %s\nwant %s, %s; %s", c.Name, c.State, c.Found, c.Advice, state, found, advice)
	}
}

// TestBareMachine: without ONNX Runtime and all else every check has its line, and
// what is lacking is what nothing runs without.
func TestBareMachine(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(ort.LibraryVariable, filepath.Join(dir, "none.so"))
	checks := Look(t.Context(), machine(), Question{Runs: filepath.Join(dir, "runs"), Cache: dir, Data: dir})
	var names []string
	for _, c := range checks {
		names = append(names, c.Name)
		if c.Found == "" || c.State == Missing && c.Advice == "" && !strings.Contains(c.Found, ": nothing here") && c.Name != "slurm" {
			t.Errorf("%s says nothing: %+v", c.Name, c)
		}
	}
	const want = "onnx-runtime cpu load memory pages open-files webgpu cuda runs cache data api-key service slurm environment python"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("checks %s, want %s", got, want)
	}
	expect(t, checks[0], Missing, "no library in "+filepath.Join(dir, "none.so"), "run: sh setup.sh")
	if got := Lacking(checks); len(got) != 1 || got[0] != "onnx-runtime" {
		t.Errorf("lacking %v", got)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

// TestNeeds: what a run needs is lacking where it is missing.
func TestNeeds(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(ort.LibraryVariable, filepath.Join(dir, "none.so"))
	q := Question{Runs: dir, Cache: dir, Data: dir, Published: []string{"sample"}, Key: true, Devices: []string{"cuda:1"}}
	got := Lacking(Look(t.Context(), machine(), q))
	if want := "onnx-runtime cuda:1 data api-key"; strings.Join(got, " ") != want {
		t.Errorf("lacking %v, want %s", got, want)
	}
}

func TestLibraryThatDoesNotWork(t *testing.T) {
	file, err := ort.Identify()
	if err != nil {
		t.Skip(err)
	}
	h := machine()
	expect(t, h.library(t.Context()), Missing, file.Path+` does not work: device "cpu": nothing here`, "run: sh setup.sh")
	h.Probe = func(context.Context, string) (Answer, error) { return Answer{}, errors.New("killed") }
	expect(t, h.library(t.Context()), Missing, file.Path+" does not work: killed", "run: sh setup.sh")
	h.Probe = func(context.Context, string) (Answer, error) { return Answer{Library: "1.27.0"}, nil }
	if file.Known {
		expect(t, h.library(t.Context()), OK, "1.27.0 in "+file.Path+", SHA-256 "+file.SHA256[:12]+" as published", "")
	}
}

func TestProcessor(t *testing.T) {
	h := machine()
	h.Root = files(map[string]string{
		"proc/cpuinfo": "processor\t: 0\nmodel name\t: Fast 9000\nflags\t\t: fpu avx2 sse2 avx fma\n\nprocessor\t: 1\n",
		"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
		"sys/devices/system/cpu/intel_pstate/no_turbo":         "0\n",
		"proc/loadavg": "9999.00 1 1 1/1 1\n",
		"proc/meminfo": "MemTotal:        1048576 kB\nMemAvailable:     524288 kB\n",
		"sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]\n",
		"sys/fs/cgroup/memory.max":                   "268435456\n",
	})
	c := h.processor()
	if c.State != Warning || !strings.HasPrefix(c.Found, "Fast 9000, ") || !strings.HasSuffix(c.Found, ", avx avx2 fma, governor powersave, turbo on") {
		t.Errorf("%+v", c)
	}
	if c := h.load(); c.State != Warning || !strings.HasPrefix(c.Found, "9999.00 processes") {
		t.Errorf("%+v", c)
	}
	expect(t, h.memory(), Warning, "1.0 GiB, of which 0.5 GiB available, limited to 0.2 GiB", "models of the WMT tasks want 4.0 GiB: close other programs, or lower latency measure --memory")
	expect(t, h.pages(), Warning, "pages of 2 MB: never", "decoding takes up to a tenth longer: as root, echo madvise > /sys/kernel/mm/transparent_hugepage/enabled")
	h.Root = files(map[string]string{"sys/devices/system/cpu/cpufreq/boost": "0", "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never"})
	expect(t, h.pages(), OK, "pages of 2 MB: madvise", "")
	if got := h.turbo(); got != "off" {
		t.Errorf("turbo %q", got)
	}
}

func TestDevice(t *testing.T) {
	h := machine()
	answer := Answer{Name: "GPU", Driver: "x 1", Memory: 3 << 29}
	var fault error
	h.Probe = func(context.Context, string) (Answer, error) { return answer, fault }
	expect(t, h.device(t.Context(), "webgpu", false, true), OK, "GPU, driver x 1, 1.5 GiB, multiplied a matrix", "")
	answer.Fault = "no such provider"
	expect(t, h.device(t.Context(), "webgpu", false, true), Missing, "GPU, driver x 1, 1.5 GiB, but no such provider", "")
	expect(t, h.device(t.Context(), "webgpu", false, false), Warning, "GPU, driver x 1, 1.5 GiB, untried for want of ONNX Runtime", "run: sh setup.sh")
	fault = errors.New("a process did not survive it")
	expect(t, h.device(t.Context(), "webgpu", false, true), Missing, "a process did not survive it", "mend or remove the driver, or use --device cpu")
}

// TestKey: present or not, and nothing of what it is.
func TestKey(t *testing.T) {
	expect(t, machine().key(false), Missing, "OPENAI_API_KEY is not set", "set it for label.source live and batch-api; recorded answers and batch files need none")
	expect(t, machine(llm.KeyVariable+"="+secret).key(true), OK, "OPENAI_API_KEY is set", "")
	malformed := "the key in OPENAI_API_KEY holds a blank, a line break or a character outside ASCII; set it to the key alone"
	expect(t, machine(llm.KeyVariable+"="+secret+"\n").key(false), Warning, malformed, "")
	expect(t, machine(llm.KeyVariable+"="+secret+"\n").key(true), Missing, malformed, "")
}

// TestSecrets: neither a key nor an address's path or password are in any answer.
func TestSecrets(t *testing.T) {
	t.Setenv(ort.LibraryVariable, "/none.so")
	for _, url := range []string{"http://127.0.0.1:9/" + secret + "/v1", "http://u:" + secret + "@127.0.0.1/v1", "http://127.0.0.1/?k=" + secret, secret} {
		for _, network := range []bool{false, true} {
			h := machine(llm.KeyVariable+"="+secret, llm.URLVariable+"="+url, prefix+"TOKEN="+secret)
			text, err := json.Marshal(Look(t.Context(), h, Question{Runs: t.TempDir(), Network: network, Known: []string{llm.KeyVariable}}))
			if err != nil || strings.Contains(string(text), secret) || strings.Contains(string(text), "0123456789") {
				t.Errorf("%v: %s", err, text)
			}
		}
	}
}

func TestService(t *testing.T) {
	expect(t, machine().service(t.Context(), false), OK, "https://api.openai.com, as OPENAI_BASE_URL is not set; not asked, as that takes --network", "")
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.Header.Get("Authorization") != "" {
			t.Error("the key was sent")
		}
		w.WriteHeader(http.StatusUnauthorized) // an answer all the same
	}))
	h := machine(llm.KeyVariable+"="+secret, llm.URLVariable+"="+server.URL+"/v1")
	expect(t, h.service(t.Context(), false), OK, server.URL+", as OPENAI_BASE_URL says; not asked, as that takes --network", "")
	if asked != 0 {
		t.Error("asked without being told to")
	}
	expect(t, h.service(t.Context(), true), OK, server.URL+", as OPENAI_BASE_URL says, answers (401 Unauthorized)", "")
	server.Close()
	if c := h.service(t.Context(), true); c.State != Missing || !strings.HasPrefix(c.Found, server.URL+", as OPENAI_BASE_URL says, does not answer: ") {
		t.Errorf("%+v", c)
	}
}

func TestDisk(t *testing.T) {
	dir := t.TempDir()
	c := disk("runs", filepath.Join(dir, "a", "b"), true)
	d, _ := c.Details.(*diskDetails)
	if c.State == Missing || d == nil || d.Tried != dir || d.FreeBytes <= 0 || !strings.Contains(c.Found, "flushes, renames and locks") {
		t.Errorf("%+v %+v", c, d)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	expect(t, disk("runs", file, true), Missing, file+": not a directory", "make it writable, or set HSNAS_RUNS to a folder that is")
	expect(t, disk("cache", "", false), Missing, "no folder: neither XDG_CACHE_HOME nor HOME is set", "set one of them")
}

func TestPublished(t *testing.T) {
	dir := t.TempDir()
	expect(t, published(dir, false), Missing, "no published figures in "+dir, "run: hsnas data (for the WMT experiments alone)")
	rows := published(dir, true).Details.([]publishedFile)
	name := filepath.Join(dir, filepath.FromSlash(rows[0].File))
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	c := published(dir, true)
	if c.State != Missing || !strings.HasSuffix(c.Found, ", damaged: "+rows[0].File) || !strings.Contains(c.Found, ": 0 of ") || c.Advice != "run: hsnas data" {
		t.Errorf("%+v", c)
	}
}

func TestSlurm(t *testing.T) {
	answers := map[string]string{}
	h := machine()
	command := func(_ context.Context, name string, _ ...string) (string, error) {
		if text, ok := answers[name]; ok {
			return text, nil
		}
		return "", ErrNotInstalled
	}
	h.Command = command
	expect(t, h.slurm(t.Context()), Missing, "no sbatch; only needed to spread a run over a cluster", "")
	h.Command = func(context.Context, string, ...string) (string, error) { return "", errors.New("no slurm.conf") }
	expect(t, h.slurm(t.Context()), Warning, "sbatch does not work: no slurm.conf", "see what sbatch --version says; only needed to spread a run over a cluster")
	h.Command = command
	answers["sbatch"] = "slurm 22.05.8\n"
	expect(t, h.slurm(t.Context()), Warning, "slurm 22.05.8, but no squeue (not installed)", "install Slurm's client programs whole")
	answers["squeue"] = "slurm 22.05.8\n"
	expect(t, h.slurm(t.Context()), Warning, "slurm 22.05.8, which does not tell its partitions (not installed)", "see what sinfo says: the controller may be down")
	answers["sinfo"] = "debug* up 2\nlong up 10\n"
	expect(t, h.slurm(t.Context()), OK, "slurm 22.05.8, 2 partitions: debug* (up, 2 nodes), long (up, 10 nodes)", "")
}

// TestEnvironment: a variable that is misspelt has no effect, and nobody else says so.
func TestEnvironment(t *testing.T) {
	known := []string{"HSNAS_RUNS", "HSNAS_DATA"}
	expect(t, machine().environment(known), OK, "none of its variables set", "")
	expect(t, machine("HSNAS_RUNS=/x", "HSNAS_DATA=", "PATH=/bin").environment(known), OK, "set: HSNAS_RUNS", "")
	expect(t, machine(prefix+"RUN=/x").environment(known), Warning, "none of its variables set", prefix+`RUN is set, which hsnas does not know; did you mean "HSNAS_RUNS"?`)
}
