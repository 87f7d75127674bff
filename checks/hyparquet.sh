#!/usr/bin/env bash
# Prints the folder of the program that reads Parquet files with hyparquet, fetching
# that first where it is not there. Needs Node.js 20.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=.cache/hyparquet-$(cat checks/hyparquet/* | sha256sum | cut -c 1-12)
if [ ! -f "$folder/complete" ]; then
	rm -rf "$folder"
	mkdir -p "$folder"
	cp checks/hyparquet/* "$folder"
	npm ci --prefix "$folder" --no-audit --no-fund --silent >&2
	touch "$folder/complete"
fi
echo "$PWD/$folder"
