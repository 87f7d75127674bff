#!/usr/bin/env bash
# Prints the path of a Python that has requirements.txt, making it first where it
# is not there: a virtual environment in .cache, with pinned versions.
# HSNAS_PYMOO_PYTHON names another interpreter, which must have the packages.
set -euo pipefail
cd "$(dirname "$0")"

if [ -n "${HSNAS_PYMOO_PYTHON:-}" ]; then
	command -v "$HSNAS_PYMOO_PYTHON"
	exit
fi
venv=$(cd ../../.. && pwd)/.cache/venv-pymoo-$(sha256sum requirements.txt | cut -c 1-12)
if [ ! -f "$venv/complete" ]; then
	if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
		echo "search: python3 has no venv module: run apt-get install python3-venv, or set HSNAS_PYMOO_PYTHON" >&2
		exit 1
	fi
	rm -rf "$venv"
	python3 -m venv "$venv" >&2
	"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement requirements.txt >&2
	touch "$venv/complete"
fi
echo "$venv/bin/python"
