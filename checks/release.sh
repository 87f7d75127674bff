#!/usr/bin/env bash
# Unpacks releases somewhere else and uses them as one would without the repository:
# version, a computation, the manual page, and what doctor says where ONNX Runtime is
# missing. A program for another processor runs in qemu-user.
#
# Usage: checks/release.sh [DIST]   folder of releases, dist if not given
set -euo pipefail
cd "$(dirname "$0")/.."
dist=$(realpath "${1:-dist}")
arch_line='{"encoder_embed_dim":96,"encoder_ffn_dim":[64,64,64],"encoder_self_attn_heads":[2,2,4],"decoder_embed_dim":64,"decoder_ffn_dim":[256],"decoder_self_attn_heads":[2],"decoder_cross_attn_heads":[2],"decoder_cross_attn_span":[1]}'
# What cmd/hsnas's test of the same architecture expects.
cost='{"params":184256,"embedding_params":65728,"flops":6658560,"flops_without_last_layer":5694720}'

fail() {
	echo "check-release: $*" >&2
	exit 1
}

# emulator prints what runs programs of a processor here; nothing for this one's.
emulator() {
	case $1 in
	"$(go env GOHOSTARCH)") return ;;
	arm64) set -- aarch64 ;;
	amd64) set -- x86_64 ;;
	esac
	if ! command -v "qemu-$1" >/dev/null; then
		[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends qemu-user; } >/dev/null 2>&1 || return 1
	fi
	echo "qemu-$1 -L /usr/$1-linux-gnu"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$dist" && sha256sum --quiet --check SHA256SUMS)
shopt -s nullglob
checked=0
for tarball in "$dist"/hsnas_*.tar.gz; do
	name=$(basename "$tarball" .tar.gz)
	version=${name#hsnas_} arch=${name##*_}
	version=${version%_linux_*}
	tar -xzf "$tarball" -C "$work"
	cd "$work/$name"
	for file in hsnas LICENSE README.md CHANGELOG.md docs/operating.md scripts/setup-onnxruntime.sh man/man1/hsnas.1 completions/{hsnas.bash,_hsnas,hsnas.fish}; do
		[ -s "$file" ] || fail "$name has no $file"
	done
	if ! run=$(emulator "$arch"); then
		echo "check-release: skipped running $name: qemu-user is not installed and cannot be"
		cd - >/dev/null
		continue
	fi
	hsnas() { $run ./hsnas "$@"; }
	said=$(hsnas --version)
	[[ $said == "hsnas version $version (commit "*"linux/$arch, ONNX Runtime "* ]] || fail "$name: --version says: $said"
	said=$(hsnas cost --task micro.en-de - <<<"$arch_line")
	[ "$said" = "$cost" ] || fail "$name: cost says $said, expected $cost"
	hsnas man | cmp - man/man1/hsnas.1 || fail "$name: its manual page is not its own"
	if [ -z "$run" ]; then # in an emulator doctor would start itself without one
		if said=$(XDG_CACHE_HOME=$work/cache HSNAS_ORT_LIB="" HSNAS_RUNS=$work/runs hsnas doctor 2>/dev/null); then
			fail "$name: doctor misses nothing where ONNX Runtime is missing: $said"
		fi
		grep -q "^onnx-runtime  missing  no library in $work/cache/.*; run: sh $work/$name/scripts/setup-onnxruntime.sh$" <<<"$said" || fail "$name: doctor says: $said"
		[ "$(XDG_CACHE_HOME=$work/cache sh scripts/setup-onnxruntime.sh --print)" = "$(sed -n 's/^onnx-runtime  missing  no library in \([^;]*\);.*/\1/p' <<<"$said")" ] ||
			fail "$name: the script that fetches ONNX Runtime puts it where the program does not look"
	fi
	checked=$((checked + 1))
	echo "check-release: $name: version, cost, manual page${run:+ (by $run)}"
	cd - >/dev/null
done
[ "$checked" -gt 0 ] || fail "no release in $dist could be run; run: just release"
