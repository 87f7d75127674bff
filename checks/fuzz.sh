#!/usr/bin/env bash
# Runs every fuzz target of the module, one after the other.
#
# Usage: checks/fuzz.sh [SECONDS]   for each target, 10 if not given
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10}

found=0
while IFS=: read -r file target; do
	found=$((found + 1))
	echo "fuzz: $(dirname "$file") $target, $seconds s"
	# -run with the target's name alone: seeds are run, other tests are not.
	go test -run "^$target\$" -fuzz "^$target\$" -fuzztime "${seconds}s" "./$(dirname "$file")"
done < <(find . -name '*_test.go' -not -path './.*/*' -printf '%P\n' | sort |
	xargs -r grep -oHE '^func Fuzz[A-Za-z0-9_]+' | sed 's/func //')
[ "$found" -gt 0 ] || { echo "fuzz: no fuzz target found" >&2; exit 1; }
echo "fuzz: $found targets passed"
