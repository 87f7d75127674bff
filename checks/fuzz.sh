#!/usr/bin/env bash
# Runs every fuzz target of all modules, one after the other.
#
# Usage: checks/fuzz.sh [SECONDS]   for each target, 10 if not given
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10}

found=0
while IFS=: read -r file target; do
	found=$((found + 1))
	echo "fuzz: $(dirname "$file") $target, $seconds s"
	# -run with the target's name alone: seeds are run, other tests are not. In its folder,
	# as some belong to a module of their own.
	go -C "$(dirname "$file")" test -run "^$target\$" -fuzz "^$target\$" -fuzztime "${seconds}s" .
done < <(find . -name '*_test.go' -not -path './.*/*' -printf '%P\n' | sort |
	xargs -r grep -oHE '^func Fuzz[A-Za-z0-9_]+' | sed 's/func //')
[ "$found" -gt 0 ] || { echo "fuzz: no fuzz target found" >&2; exit 1; }
echo "fuzz: $found targets passed"
