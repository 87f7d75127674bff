#!/usr/bin/env bash
# Prints the path of a Python that has the packages of a requirements file, making
# it first where it is not there: a virtual environment in .cache, with pinned
# versions. The environment variable VARIABLE names another interpreter, which must
# have the packages.
#
# Usage: scripts/python-venv.sh NAME REQUIREMENTS VARIABLE [OPTION OF PIP...]
set -euo pipefail
cd "$(dirname "$0")/.."
name=$1 requirements=$2 variable=$3
shift 3

if [ -n "${!variable:-}" ]; then
	command -v "${!variable}"
	exit
fi
mkdir -p .cache
venv=.cache/venv-$name-$(sha256sum "$requirements" | cut -c 1-12)
exec 9>"$venv.lock"
flock 9 # two that start at once make it once
if [ ! -f "$venv/complete" ]; then
	if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
		sudo=""
		[ "$(id -u)" = 0 ] || sudo="sudo -n"
		echo "$name: python3 has no venv module; installing python3-venv" >&2
		{ $sudo apt-get update && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y --no-install-recommends python3 python3-venv; } >&2 ||
			{ echo "$name: cannot install it: run apt-get install python3-venv, or set $variable" >&2; exit 1; }
	fi
	rm -rf "$venv"
	python3 -m venv "$venv" >&2
	"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" --requirement "$requirements" >&2
	touch "$venv/complete"
fi
echo "$PWD/$venv/bin/python"
