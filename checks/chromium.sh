#!/usr/bin/env bash
# Prints the path of a Chromium, installing Debian's package first where there is
# none; HSNAS_CHROMIUM names another one. Fails, with the reason, where it cannot.
set -euo pipefail

if [ -n "${HSNAS_CHROMIUM:-}" ]; then
	command -v "$HSNAS_CHROMIUM"
	exit
fi
found() {
	for name in chromium chromium-browser google-chrome; do
		command -v "$name" && return
	done
	return 1
}
found && exit

fail() {
	echo "chromium: $*; HSNAS_CHROMIUM names one that is installed" >&2
	exit 1
}
command -v apt-get >/dev/null || fail "it is installed from a Debian package, and this is no Debian"
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo -n"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "chromium: installing Debian's package" >&2
install() { DEBIAN_FRONTEND=noninteractive $sudo apt-get install -qq -y --no-install-recommends chromium fonts-liberation >"$log" 2>&1; }
# The lists of packages may be empty, as they are in containers, or too old.
install || { $sudo apt-get update -qq >"$log" 2>&1 && install; } || fail "apt-get cannot install it ($(tail -n 1 "$log"))"
found || fail "the package has no program chromium"
