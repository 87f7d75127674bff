#!/usr/bin/env bash
# Formatting, modules, static analysis and known vulnerabilities, each with a pinned tool.
#
# Usage: checks/lint.sh GOFUMPT STATICCHECK GOVULNCHECK   (package@version each)
set -euo pipefail
cd "$(dirname "$0")/.."
gofumpt=$1 staticcheck=$2 govulncheck=$3

unformatted=$(go run "$gofumpt" -l .)
if [ -n "$unformatted" ]; then
	printf 'lint: not formatted as gofumpt does; run: go run %s -w .\n%s\n' "$gofumpt" "$unformatted" >&2
	exit 1
fi
echo "lint: gofumpt: nothing to change"

if ! go mod tidy -diff >/dev/null; then
	echo "lint: go.mod or go.sum is not what go mod tidy writes" >&2
	exit 1
fi
echo "lint: go mod tidy: nothing to change"

go run "$staticcheck" ./...
echo "lint: staticcheck: no findings"

# govulncheck ends with 3 for findings and with 1 where it could not look, which
# is what happens without a network: its database is not shipped. `go run` ends
# with 1 for both and prints which it was.
report=$(mktemp)
trap 'rm -f "$report"' EXIT
unreachable='fetching vulnerabilities|dial tcp|no such host|proxyconnect|i/o timeout'
if go run "$govulncheck" ./... >"$report" 2>&1; then
	echo "lint: govulncheck: $(tail -n 1 "$report")"
elif ! grep -q '^exit status 3$' "$report" && grep -qE "$unreachable" "$report"; then
	echo "lint: skipped govulncheck: its database cannot be reached: $(grep -m 1 -E "$unreachable" "$report")"
else
	cat "$report" >&2
	exit 1
fi
