#!/usr/bin/env bash
# Runs the module's Go benchmarks and compares them with the last results, in
# benchmarks/results/go.txt, which a full run replaces. Run it on a quiet machine.
#
# Usage: checks/bench.sh PATTERN COUNT BENCHSTAT   (BENCHSTAT: package@version)
set -euo pipefail
cd "$(dirname "$0")/.."
pattern=$1 count=$2 benchstat=$3

mapfile -t packages < <(find . -name '*_test.go' -not -path './.*/*' -printf '%P\n' | sort |
	xargs -r grep -lE '^func Benchmark' | xargs -r -n 1 dirname | sort -u | sed 's,^,./,')
[ "${#packages[@]}" -gt 0 ] || { echo "bench: no benchmark found" >&2; exit 1; }

results=benchmarks/results
mkdir -p "$results"
new=$(mktemp "$results/.go.XXXXXX")
trap 'rm -f "$new"' EXIT
go test -p 1 -run '^$' -bench "$pattern" -benchmem -count "$count" "${packages[@]}" | tee "$new"
grep -q '^Benchmark' "$new" || { echo "bench: no benchmark matches $pattern" >&2; exit 1; }

if [ -f "$results/go.txt" ]; then
	go run "$benchstat" "before=$results/go.txt" "now=$new"
else
	go run "$benchstat" "now=$new"
fi
if [ "$pattern" = . ]; then
	chmod 0644 "$new"
	mv "$new" "$results/go.txt"
else
	echo "bench: $results/go.txt left as it is: only some of the benchmarks ran" >&2
fi
