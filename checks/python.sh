#!/usr/bin/env bash
# Prints the path of a Python that has checks/requirements.txt, making it first
# where it is not there: a virtual environment in .cache, with pinned versions.
# HSNAS_PYTHON names another interpreter, which must have the packages.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -n "${HSNAS_PYTHON:-}" ]; then
	command -v "$HSNAS_PYTHON"
	exit
fi
venv=.cache/venv-$(sha256sum checks/requirements.txt | cut -c 1-12)
mkdir -p .cache
exec 9>"$venv.lock"
flock 9 # two that start at once make it once
if [ ! -f "$venv/complete" ]; then
	if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
		sudo=""
		[ "$(id -u)" = 0 ] || sudo="sudo -n"
		echo "checks: python3 has no venv module; installing python3-venv" >&2
		{ $sudo apt-get update && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y --no-install-recommends python3 python3-venv; } >&2 ||
			{ echo "checks: cannot install it: run apt-get install python3-venv, or set HSNAS_PYTHON" >&2; exit 1; }
	fi
	rm -rf "$venv"
	python3 -m venv "$venv" >&2
	"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement checks/requirements.txt >&2
	touch "$venv/complete"
fi
echo "$PWD/$venv/bin/python"
