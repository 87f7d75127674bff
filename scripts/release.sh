#!/usr/bin/env bash
# Builds releases: dist/hsnas_VERSION_linux_ARCH.tar.gz with the program, the manual
# page, completions, documentation and the script that fetches ONNX Runtime, and
# SHA256SUMS of all. Paths and times are left out, so that the same commit, Go and
# compiler should give the same bytes.
#
# Usage: scripts/release.sh [VERSION [ARCH...]]
#   VERSION   the commit's tag without its v; without a tag 0.0.0-COMMIT
#   ARCH      amd64 and arm64 if not given
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
	echo "release: $*" >&2
	exit 1
}

# changed says that the working tree is not what the commit holds.
changed() { [ -n "$(git status --porcelain)" ]; }

version_of() {
	local tag
	if tag=$(git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null); then
		echo "${tag#v}$(changed && echo -changed)"
	else
		echo "0.0.0-$(git rev-parse --short=12 HEAD)$(changed && echo -changed)"
	fi
}

commit=$(git rev-parse HEAD) || fail "no commit: a release is made in a git checkout"
version=${1:-$(version_of || true)}
[[ $version =~ ^[0-9A-Za-z][0-9A-Za-z.+-]*$ ]] || fail "\"$version\" is no version: expected something like 1.2.0"
shift $(($# > 0 ? 1 : 0))
[ $# -gt 0 ] || set -- amd64 arm64
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
date=$(date --utc --date="@$SOURCE_DATE_EPOCH" +%F)
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
umask 022

# compiler prints the C compiler for an architecture, installing Debian's where it can.
compiler() {
	local arch=$1 cpu
	case $arch in
	amd64) cpu=x86_64 ;;
	arm64) cpu=aarch64 ;;
	*) fail "unknown architecture \"$arch\"; known: amd64, arm64" ;;
	esac
	if [ "$(go env GOHOSTARCH)" = "$arch" ]; then
		go env CC
		return
	fi
	local cc=$cpu-linux-gnu-gcc
	if ! command -v "$cc" >/dev/null; then
		local package=gcc-${cpu/_/-}-linux-gnu
		[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "no $cc: install $package"
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package" "libc6-dev-$arch-cross"; } >&2 ||
			fail "cannot install $package: install it, then run this again"
	fi
	echo "$cc"
}

# build compiles the program for an architecture. Paths and build ids, which differ
# between machines, are left out.
build() {
	CGO_ENABLED=1 GOOS=linux GOARCH=$1 CC=$(compiler "$1") go build -trimpath -buildvcs=false \
		-ldflags "-s -w -buildid= -X main.version=$version -X main.commit=$commit -X main.date=$date" -o "$2" ./cmd/hsnas
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p dist

# The manual page and the completions come from a program that runs here.
native=$work/native
build "$(go env GOHOSTARCH)" "$native"

for arch; do
	name=hsnas_${version}_linux_$arch
	folder=$work/$name
	mkdir -p "$folder"/{scripts,docs,man/man1,completions}
	if [ "$arch" = "$(go env GOHOSTARCH)" ]; then cp "$native" "$folder/hsnas"; else build "$arch" "$folder/hsnas"; fi
	cp LICENSE README.md CHANGELOG.md "$folder"
	cp docs/*.md "$folder/docs"
	cp scripts/setup-onnxruntime.sh "$folder/scripts"
	"$native" man >"$folder/man/man1/hsnas.1"
	"$native" completion bash >"$folder/completions/hsnas.bash"
	"$native" completion zsh >"$folder/completions/_hsnas"
	"$native" completion fish >"$folder/completions/hsnas.fish"
	tar --create --directory "$work" --sort=name --format=ustar --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
		--mode=u=rwX,go=rX "$name" | gzip --no-name --best >"$work/$name.tar.gz"
	mv "$work/$name.tar.gz" dist/
	echo "release: dist/$name.tar.gz"
done
(cd dist && sha256sum hsnas_*.tar.gz >SHA256SUMS)
echo "release: dist/SHA256SUMS"
