package main

import (
	"hsnas/internal/llm"
	"hsnas/internal/ort"
	"hsnas/internal/published"
)

// variable is an environment variable that the program reads.
type variable struct{ name, meaning string }

// runsVariable names the folder that runs lie in.
const runsVariable = "HSNAS_RUNS"

// environment are the variables that the program reads: what the man page and the
// doctor know, and docs/operating.md.
var environment = []variable{
	{runsVariable, "folder that runs lie in; `runs` in the working folder where it is not set"},
	{published.Variable, "folder of the published figures; where it is not set, `hsnas/data` in the cache folder, which `hsnas data` fills"},
	{ort.LibraryVariable, "another ONNX Runtime library, a CUDA build for one; where it is not set, the one that `scripts/setup-onnxruntime.sh` keeps in the cache folder"},
	{llm.KeyVariable, "key of the service that is asked for answers; never written anywhere"},
	{llm.URLVariable, "address of that service, `http://localhost:8000/v1` for one; OpenAI's where it is not set"},
	{"HTTPS_PROXY", "proxy for that service, also `HTTP_PROXY` and `NO_PROXY`, as in other programs"},
	{"XDG_CACHE_HOME", "the cache folder; `~/.cache` where it is not set"},
	{"TMPDIR", "folder of temporary files that belong to no run; `/tmp` where it is not set"},
}

// scriptVariables are read by the repository's recipes, checks and tests, and by
// processes that the program starts: the doctor does not wonder about them.
var scriptVariables = []string{
	probeVariable, "HSNAS_PYTHON", "HSNAS_LLAMA_PYTHON", "HSNAS_TORCH_PYTHON", "HSNAS_PYMOO_PYTHON", "HSNAS_TEST_DEVICE", "HSNAS_KILLS",
	"HSNAS_HYPARQUET", "HSNAS_CHROMIUM",
}

// knownVariables are the names of all of these.
func knownVariables() []string {
	out := append([]string{"HTTP_PROXY", "NO_PROXY"}, scriptVariables...)
	for _, v := range environment {
		out = append(out, v.name)
	}
	return out
}
