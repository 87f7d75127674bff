#!/usr/bin/env bash
# Runs hsnas against a service that speaks OpenAI's API and is not ours, on the
# loopback interface: see check.py. Everything lies in .cache/local-llm, logs too.
#
# Usage: checks/local_llm/run.sh [HSNAS]   the program, bin/hsnas if not given
set -euo pipefail
cd "$(dirname "$0")/../.."
hsnas=${1:-bin/hsnas}

python=$(checks/python.sh)
llama=$(checks/local_llm/python.sh)
work=.cache/local-llm
rm -rf "$work"
mkdir -p "$work"
"$llama" checks/local_llm/model.py "$work/model.gguf"
"$python" checks/local_llm/check.py "$hsnas" "$llama" "$work"
for run in "$work"/runs/*/; do
	"$python" checks/batch_files.py "${run%/}"
done
