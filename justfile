# Recipes of hsnas, for `npx --yes rust-just RECIPE`: Node.js 20 brings just, so
# that Go, gcc and Node.js are all that has to be there. `just --list` names them.

set shell := ["bash", "-euo", "pipefail", "-c"]

# Published figures: HSNAS_DATA, else a folder of them beside the checkout, else
# (empty) the user's cache folder, which `hsnas data` fills.
export HSNAS_DATA := env("HSNAS_DATA", if path_exists(beside) == "true" { canonicalize(beside) } else { "" })
export CGO_ENABLED := "1"

beside := justfile_directory() / ".." / "shared" / "data"

# Newest versions that work with the Go version of go.mod.
gofumpt := "mvdan.cc/gofumpt@v0.12.0"
staticcheck := "honnef.co/go/tools/cmd/staticcheck@v0.8.2"
govulncheck := "golang.org/x/vuln/cmd/govulncheck@v1.9.0"
benchstat := "golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da"

# list the recipes
@default:
    "{{ just_executable() }}" --justfile "{{ justfile() }}" --list --unsorted

# fetch ONNX Runtime and the Go modules, build bin/hsnas
setup:
    scripts/setup-onnxruntime.sh
    go mod download
    go build -o bin/hsnas ./cmd/hsnas

# bin/hsnas-sql, which answers `hsnas sql`: DuckDB is 60 MB, and is fetched here alone; needs g++
build-sql:
    cd cmd/hsnas-sql && go build -o ../../bin/hsnas-sql .

# the default: setup, then the whole pipeline on the embedded task, trained here
all: setup
    bin/hsnas run -x micro

# the comparison that the paper is about, on the embedded task: a quarter of an hour on two cores, resumes
compare: setup
    bin/hsnas run -x micro-compare

# train the table of the embedded task again: 40 architectures, two seeds each, 20 minutes, resumes
tfs: setup
    bin/hsnas tfs --task micro.en-de --work runs/tfs-micro.en-de --out data/tfs/micro.en-de.csv data/tfs/micro.en-de.architectures.jsonl

# the three WMT tasks of the paper
paper: data
    bin/hsnas run -x wmt14.en-de
    bin/hsnas run -x wmt14.en-fr
    bin/hsnas run -x wmt19.en-de

# what each part of the prompt is worth, from recorded answers; writes every request of the matrix
ablations: data
    bin/hsnas run -x ablations
    bin/hsnas eval --run ablations

# fetch the published figures, where HSNAS_DATA does not name them
data: setup
    [ -n "$HSNAS_DATA" ] || bin/hsnas data

# vet and every test
test: setup
    go vet ./...
    go test ./...

# formatting, modules, static analysis, known vulnerabilities
lint:
    checks/lint.sh {{ gofumpt }} {{ staticcheck }} {{ govulncheck }}

# every fuzz target, some seconds each
fuzz seconds="10":
    checks/fuzz.sh {{ seconds }}

# damaged files of every kind to everything that reads them: no death, nothing wrong unsaid; a quarter of an hour
mutations count="1000": setup
    checks/mutations.sh bin/hsnas {{ count }} benchmarks/results/mutations.md

# every Go benchmark, compared with the last results kept in benchmarks/results
bench pattern="." count="6":
    checks/bench.sh '{{ pattern }}' {{ count }} {{ benchstat }}

# training from scratch against PyTorch, which is fetched: 5 GB
bench-training rounds="2": setup
    "$(benchmarks/peers/micro/python.sh)" benchmarks/peers/micro/compare.py bin/hsnas --rounds {{ rounds }} --out benchmarks/results/training.md

# decoding with a beam against PyTorch, which is fetched: 5 GB
bench-decode rounds="6": setup
    "$(benchmarks/peers/micro/python.sh)" benchmarks/peers/decode/compare.py bin/hsnas --rounds {{ rounds }} --out benchmarks/results/decode.md

# this device's latency predictors, measured here: half an hour on two free cores, resumes
bench-latency: setup
    benchmarks/latency.sh bin/hsnas runs/latency

# searches by predictors alone: in batches, one at a time, and pymoo's, which is fetched
bench-search rounds="5": setup
    go test -count=1 ./benchmarks -run SearchReport -v -search-rounds {{ rounds }} -search-python "$(benchmarks/peers/search/python.sh)" -search-report '{{ justfile_directory() }}/benchmarks/results/search.md'

# what manifest and checksums cost, and a run in which nothing is to do: some minutes
bench-pipeline: setup
    go test -count=1 -timeout 30m ./benchmarks -run PipelineReport -v -pipeline-hsnas '{{ justfile_directory() }}/bin/hsnas' -pipeline-report '{{ justfile_directory() }}/benchmarks/results/pipeline.md'

# the LLM's engine against a service on this machine: throughput, memory, 50 kills
bench-engine: setup
    go test -count=1 ./benchmarks/engine -run Report -v -hsnas '{{ justfile_directory() }}/bin/hsnas' -report '{{ justfile_directory() }}/benchmarks/results/engine.md'
    go test -count=1 ./stages/label -run Kills -v -kills 50

# kills at every point of every stage and at random, and disks that fail: resumed, and compared bit for bit
torture points="10000" random="228" faults="4" report=(justfile_directory() / "benchmarks/results/torture.md"): setup
    go test -count=1 ./checks/torture -v -timeout 60m -points {{ points }} -random {{ random }} -faults {{ faults }} -report '{{ report }}'

# read a run's files with pandas, DuckDB, ONNX and run the documentation's snippets
checks runs="runs":
    checks/run.sh '{{ runs }}'

# open the reports of runs in Chromium, a phone's width and a desktop's, light and dark; `just check-report runs shots` keeps screenshots
check-report runs="runs" shots="":
    checks/report/run.sh '{{ runs }}' '{{ shots }}'

# live answers from llama.cpp's server and a model with random weights, on the loopback interface
check-local-llm: setup
    checks/local_llm/run.sh

# what WebGPU computes against the CPU, on a software GPU that is fetched; `just check-gpu webgpu` on this machine's own
check-gpu device="": setup
    checks/gpu.sh {{ device }}

# completions in the real bash, zsh and fish; the manual page
check-shells: setup
    checks/shells.sh

# dist/hsnas_<version>_linux_{amd64,arm64}.tar.gz, tried where they were not built
release *args:
    scripts/release.sh {{ args }}
    checks/release.sh

# tfs on a real Slurm of two nodes on the loopback interface, one of them killed; installs Debian's packages
check-slurm: setup
    checks/slurm/run.sh

# remove what recipes built here (never runs/)
clean:
    rm -rf bin dist .cache
