#!/usr/bin/env bash
# Checks runs with readers that are not ours: pandas, Polars, DuckDB and hyparquet on the
# Parquet files, and on one of each kind with every value that a column may hold, Python's onnx and onnxruntime on the models, the official client's
# types on the requests, and the documentation's snippets. Python is for these
# checks alone.
#
# Usage: checks/run.sh [RUNS]   folder of runs, "runs" if not given
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-runs}

python=$(checks/python.sh)
HSNAS_HYPARQUET=$(checks/hyparquet.sh)
export HSNAS_HYPARQUET
shopt -s nullglob
checked=0
for run in "$runs"/*/; do
	[ -f "$run/run.json" ] || continue
	run=${run%/}
	checked=$((checked + 1))
	for check in formats parquet onnx_models batch_files; do
		echo "checks: $check.py $run"
		"$python" "checks/$check.py" "$run"
	done
done
echo "checks: parquet.py on every kind of artifact"
HSNAS_PYTHON=$python go test -count=1 -run IndependentReaders ./schemas
[ "$checked" -gt 0 ] || { echo "checks: no run in $runs; run: bin/hsnas run -x micro" >&2; exit 1; }
echo "checks: snippets of README.md and docs"
"$python" checks/snippets.py --runs "$runs" README.md docs/*.md
