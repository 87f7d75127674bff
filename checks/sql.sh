#!/usr/bin/env bash
# Builds bin/hsnas-sql and tests it. DuckDB's library is C++: linking it needs g++, which
# is installed where it is not there. Ends with 0, saying why, where the module cannot be
# fetched: nothing but `hsnas sql` needs it.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v g++ >/dev/null; then
	sudo=""
	[ "$(id -u)" = 0 ] || sudo="sudo -n"
	{ $sudo apt-get update && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y --no-install-recommends g++; } >&2
fi
if ! (cd cmd/hsnas-sql && go list -deps . >/dev/null); then # this system's library alone, not those of all
	echo "sql: skipped: DuckDB's Go module cannot be fetched, for the reason above"
	exit 0
fi
(cd cmd/hsnas-sql && go vet . ./statements && go test ./statements && go build -o ../../bin/hsnas-sql .)
go test -count=1 -run SQL ./cmd/hsnas
