#!/usr/bin/env bash
# Measures the models of two tasks on this machine, some of them twice, and writes
# what their latency predictors are worth to benchmarks/results/latency.md. It goes
# on where it was after a kill; its datasets lie in the folder WORK.
#
# Usage: benchmarks/latency.sh HSNAS WORK
set -euo pipefail
hsnas=$1 work=$2
results="$(dirname "$0")/results/latency.md"
mkdir -p "$work"
# Exported models are some hundred megabytes each: into memory, where there is a
# folder of it.
if [ -z "${TMPDIR:-}" ] && [ -d /dev/shm ]; then export TMPDIR=/dev/shm; fi

# rows FILE: how many a dataset has.
rows() { if [ -f "$1" ]; then grep -c '^[0-9]' "$1" || true; else echo 0; fi; }

# measure TASK N FILE FLAGS...
measure() {
	local task=$1 n=$2 file=$3
	shift 3
	[ "$(rows "$file")" -ge "$n" ] || "$hsnas" latency measure --task "$task" --n "$n" --out "$file" "$@"
}

micro=(--rounds 24 --repetitions 288)
wmt=(--steps 4 --rounds 3 --repetitions 48 --memory 12)
measure micro.en-de 200 "$work/micro.csv" "${micro[@]}"
measure wmt14.en-de 200 "$work/wmt14ende.csv" "${wmt[@]}"
measure micro.en-de 40 "$work/micro-again.csv" "${micro[@]}"
measure wmt14.en-de 40 "$work/wmt14ende-again.csv" "${wmt[@]}"

new=$(mktemp "$results.XXXXXX")
trap 'rm -f "$new"' EXIT
{
	cat <<'TEXT'
# Latency of this device

`just bench-latency` measures architectures of two spaces here and holds predicted against measured times. A fifth of each dataset is held out: no
regressor, source or penalty is chosen by it. In brackets 95 % bootstrap intervals over the architectures held out, and where draws are named the standard
deviation over them. What is measured and how few measurements suffice: [docs/latency.md](../../docs/latency.md).

## WMT'14 English-German, HAT's space

TEXT
	"$hsnas" latency eval --task wmt14.en-de --dataset "$work/wmt14ende.csv" --repeat "$work/wmt14ende-again.csv" --from any --markdown
	printf '\n## micro.en-de\n\n'
	"$hsnas" latency eval --task micro.en-de --dataset "$work/micro.csv" --repeat "$work/micro-again.csv" --from any --markdown
} >"$new"
chmod 0644 "$new"
mv "$new" "$results"
