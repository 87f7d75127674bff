#!/usr/bin/env bash
# Damages files of every kind, by seed, and has what reads them read them: nothing may
# die, hang, or take damage for data without a word. Writes a table.
#
# Usage: checks/mutations.sh HSNAS COUNT REPORT   COUNT damaged files of each kind
set -euo pipefail
cd "$(dirname "$0")/.."
hsnas=$(realpath "$1") count=$2 report=$3

# A run of every stage, too short to mean anything: its files are damaged.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
HSNAS_RUNS=$work "$hsnas" run -x micro --set tfs.retrain=1 --set tfs.recipe.steps=20 --set 'winners.seeds=[1]' \
	--set supernet.recipe.steps=60 --set latency.measure=40 --set latency.rounds=2 --set latency.repetitions=4 \
	--set search.iterations=2 --set search.student_iterations=1 >/dev/null

rows=$work/rows.md
go test -count=1 -p 1 -timeout 2h -run Mutated ./internal/llm ./internal/micro ./stages/search ./stages/latency \
	-mutations "$count" -mutations-report "$rows"
go test -count=1 -timeout 2h -run Mutated ./cmd/hsnas -mutations "$count" -mutations-report "$rows" -mutations-run "$work/micro"

{
	echo "# Damaged files"
	echo
	echo "\`just mutations\`: each file is damaged in one way, drawn by a seed from 0 on: bits flipped, bytes set, cut, inserted, lost, swapped,"
	echo "doubled, zeroed, lengths that lie. *Detected* is an error or a report of one line, and nothing of the damage used; *harmless*, what the whole"
	echo "file gives; *legal*, what a file without a checksum says now, or a journal without some of its lines. A reader that takes damage for data, a death of the process and"
	echo "two minutes without an end fail the test: there was none."
	echo
	echo "| files | read by | n | kB | mutations | detected | harmless | legal | deaths | hangs |"
	echo "|---|---|---|---|---|---|---|---|---|---|"
	cat "$rows"
} >"$report.new"
mv "$report.new" "$report"
