#!/bin/sh
# Fetches the ONNX Runtime library that hsnas computes with into the user's
# cache folder. Safe to run at any time: a library that is already there and
# right is left alone and nothing is downloaded.
#
# Usage: scripts/setup-onnxruntime.sh [--print]
#   --print   print the path the library has (or would have) and do nothing else
set -eu

version=1.27.0
tarball_sha256=c3779c01c59832f8c03e2c392ac3af10bf08579f1822e8b1c63cc451edb302a2
x64_sha256=d8aff4aa8abee8fb2abb2f2f2459ffc94461e781e41b9f7c072829dd0d470221
library=libonnxruntime.so.1

fail() {
	echo "setup-onnxruntime: $*" >&2
	exit 1
}

sum() {
	sha256sum "$1" | cut -d ' ' -f 1
}

[ "$(uname -s)" = Linux ] ||
	fail "no library for $(uname -s): build ONNX Runtime $version and set HSNAS_ORT_LIB to it"
case $(uname -m) in
x86_64) arch=x64 ;;
aarch64 | arm64) arch=arm64 ;;
*) fail "no library for $(uname -m): build ONNX Runtime $version and set HSNAS_ORT_LIB to it" ;;
esac

if [ -z "${XDG_CACHE_HOME:-}" ] && [ -z "${HOME:-}" ]; then
	fail "neither XDG_CACHE_HOME nor HOME is set: set one of them"
fi
folder=${XDG_CACHE_HOME:-$HOME/.cache}/hsnas/onnxruntime-$version/linux-$arch
target=$folder/$library
member=package/bin/napi-v6/linux/$arch/$library

if [ "${1:-}" = --print ]; then
	echo "$target"
	exit 0
fi

# The tarball's checksum vouches for the arm64 library when it is extracted;
# what it was then is kept beside it, so that later damage is seen too.
expected() {
	if [ "$arch" = x64 ]; then
		echo "$x64_sha256"
	elif [ -f "$target.sha256" ]; then
		cat "$target.sha256"
	fi
}

if [ -f "$target" ] && [ "$(sum "$target")" = "$(expected)" ]; then
	echo "onnx runtime $version: $target"
	exit 0
fi

command -v npm >/dev/null 2>&1 ||
	fail "npm not found: install Node.js 20 or newer (it brings npm), then run this again"

mkdir -p "$folder" || fail "cannot create $folder: make it writable, or set XDG_CACHE_HOME"
# Inside the cache folder, so that the last step is a rename on one file system.
work=$(mktemp -d "$folder/.setup.XXXXXX") || fail "cannot write to $folder: make it writable, or set XDG_CACHE_HOME"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "onnx runtime $version: fetching it (101 MB, once)" >&2
(cd "$work" && npm pack --silent "onnxruntime-node@$version" >npm.out 2>npm.err) ||
	fail "npm could not fetch onnxruntime-node@$version ($(grep -m 1 . "$work/npm.err" || echo "no message")): check the network and npm's registry setting, then run this again"

tarball=$work/onnxruntime-node-$version.tgz
[ -f "$tarball" ] || fail "npm pack left no onnxruntime-node-$version.tgz: run 'npm pack onnxruntime-node@$version' by hand and see what it says"
found=$(sum "$tarball")
[ "$found" = "$tarball_sha256" ] ||
	fail "onnxruntime-node-$version.tgz has SHA-256 $found, expected $tarball_sha256: the download is damaged or not the published package; run this again"

tar -xzf "$tarball" -C "$work" "$member" ||
	fail "cannot extract $member: check the free space in $folder"
found=$(sum "$work/$member")
if [ "$arch" = x64 ] && [ "$found" != "$x64_sha256" ]; then
	fail "$member has SHA-256 $found, expected $x64_sha256: the package is not the one hsnas was tested with"
fi

echo "$found" >"$work/sha256"
chmod 0755 "$work/$member"
sync "$work/$member" "$work/sha256" 2>/dev/null || sync
mv -f "$work/sha256" "$target.sha256"
mv -f "$work/$member" "$target"
echo "onnx runtime $version: $target"
