package doctor

import (
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// vectors are the extensions that ONNX Runtime has kernels for, as Linux names them.
var vectors = []string{
	"avx", "avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", // x86-64
	"asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", // arm64
}

// processorDetails are for programs.
type processorDetails struct {
	Model    string   `json:"model"`
	Cores    int      `json:"cores"`   // that the process may run on
	Usable   int      `json:"usable"`  // what a limit on processor time leaves of them
	Vectors  []string `json:"vectors"` // vector extensions
	Governor string   `json:"governor"`
	Turbo    string   `json:"turbo"` // on, off, or "" where the system does not tell
}

// processor looks at the CPU.
func (h Host) processor() Check {
	d := processorDetails{Cores: runtime.NumCPU(), Usable: runtime.GOMAXPROCS(0), Governor: h.governor(), Turbo: h.turbo()}
	d.Model, d.Vectors = h.cpuinfo()
	c := Check{Name: "cpu", State: OK, Details: d}
	parts := []string{d.Model, fmt.Sprintf("%d cores", d.Cores)}
	if d.Usable < d.Cores {
		parts = append(parts, fmt.Sprintf("of which %d usable", d.Usable))
	}
	if len(d.Vectors) > 0 {
		parts = append(parts, strings.Join(d.Vectors, " "))
	}
	for _, p := range []struct{ what, value string }{{"governor", d.Governor}, {"turbo", d.Turbo}} {
		if p.value == "" {
			p.value = "not told"
		}
		parts = append(parts, p.what+" "+p.value)
	}
	c.Found = strings.Join(parts, ", ")
	switch {
	case runtime.GOARCH == "amd64" && len(d.Vectors) > 0 && !slices.Contains(d.Vectors, "avx2"):
		c.State, c.Advice = Warning, "without AVX2 training and decoding take several times as long: use another machine where there is one"
	case d.Governor != "" && d.Governor != "performance":
		c.State, c.Advice = Warning, "latencies vary with the clock: as root, echo performance | tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
	}
	return c
}

// cpuinfo reads the model's name and the vector extensions.
func (h Host) cpuinfo() (model string, found []string) {
	model, found = runtime.GOARCH, []string{}
	for line := range strings.Lines(h.text("proc/cpuinfo")) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "model name":
			model = strings.TrimSpace(value)
		case "flags", "Features":
			flags := strings.Fields(value)
			return model, slices.DeleteFunc(slices.Clone(vectors), func(v string) bool { return !slices.Contains(flags, v) })
		}
	}
	return model, found
}

func (h Host) governor() string {
	return h.text("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
}

// turbo reads what Intel's driver says, or that of all others.
func (h Host) turbo() string {
	if off := h.text("sys/devices/system/cpu/intel_pstate/no_turbo"); off != "" {
		return map[string]string{"0": "on", "1": "off"}[off]
	}
	return map[string]string{"1": "on", "0": "off"}[h.text("sys/devices/system/cpu/cpufreq/boost")]
}

// load looks at how busy the machine is.
func (h Host) load() Check {
	c := Check{Name: "load", State: OK, Found: "not told by this system"}
	fields := strings.Fields(h.text("proc/loadavg"))
	if len(fields) == 0 {
		return c
	}
	load, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		return c
	}
	cores := runtime.NumCPU()
	c.Found = fmt.Sprintf("%.2f processes over the last minute, on %d cores", load, cores)
	if load > float64(cores)/2 {
		c.State, c.Advice = Warning, "latencies that are measured now are others' too: measure when the machine is idle"
	}
	return c
}

// text is the content of a file of the system, "" where it cannot be read.
func (h Host) text(name string) string {
	text, err := fs.ReadFile(h.Root, name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
