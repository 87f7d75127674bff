#!/usr/bin/env bash
# Opens the report of runs in Chromium and fails on what a reader would stumble over:
# see check.mjs. Node.js drives it; where Chromium or its driver cannot be had, the
# reason is printed and nothing fails.
#
# Usage: checks/report/run.sh [RUNS [SHOTS]]
#   RUNS    folder of runs, "runs" if not given
#   SHOTS   folder for screenshots and a print of every page, none if not given
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${1:-runs}
shots=${2:-}

skip() {
	echo "check-report: skipped: $*" >&2
	exit 0
}

chromium=$(checks/chromium.sh) || skip "there is no Chromium, for the reason above"
command -v node >/dev/null && command -v npm >/dev/null || skip "Node.js with npm drives Chromium, and there is none"
modules=.cache/report-$(sha256sum checks/report/package-lock.json | cut -c 1-12)
if [ ! -f "$modules/complete" ]; then
	rm -rf "$modules"
	mkdir -p "$modules"
	cp checks/report/package.json checks/report/package-lock.json "$modules"
	npm ci --prefix "$modules" --ignore-scripts --no-audit --no-fund --silent >&2 || skip "npm cannot fetch puppeteer-core"
	touch "$modules/complete"
fi

shopt -s nullglob
pages=("$runs"/*/report/report.html)
[ ${#pages[@]} -gt 0 ] || { echo "check-report: no report in $runs; run: bin/hsnas run -x micro" >&2; exit 1; }
node checks/report/check.mjs "$modules" "$chromium" "$shots" "${pages[@]}"
