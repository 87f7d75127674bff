#!/usr/bin/env bash
# Runs the tests of devices on a GPU without having one: SwiftShader, the software
# Vulkan driver of Debian's chromium-common, holds what WebGPU computes against the CPU.
# The package is unpacked into .cache and not installed. Where it cannot be had, the
# reason is printed and nothing fails.
#
# Usage: checks/gpu.sh [DEVICE]
#   DEVICE   test a device of this machine instead: webgpu, cuda or cuda:N
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(./internal/ort ./internal/predictor ./internal/nn ./internal/micro ./stages/search ./stages/benchmark)

run() { go test -count=1 -p 1 -run '^TestDevice' "${packages[@]}"; }

if [ $# -gt 0 ]; then
	HSNAS_TEST_DEVICE=$1 run
	exit
fi

driver=$PWD/.cache/swiftshader

skip() {
	echo "check-gpu: skipped: $*; checks/gpu.sh webgpu tests a GPU of this machine" >&2
	exit 0
}

# The lists of packages may be empty, as they are in containers, or too old.
download() { (cd "$work" && apt-get download -q chromium-common >/dev/null 2>apt); }

# Where checks/chromium.sh has been, the driver is there already.
copy() {
	local from=/usr/lib/chromium
	[ -f "$from/vk_swiftshader_icd.json" ] || return
	mkdir -p "$driver"
	cp "$from/libvk_swiftshader.so" "$from/libvulkan.so.1" "$from/vk_swiftshader_icd.json" "$driver"
}

fetch() {
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || skip "SwiftShader comes from a Debian package, and this is no Debian"
	work=$(mktemp -d "$driver.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	if ! download; then
		[ "$(id -u)" = 0 ] || skip "apt-get cannot download chromium-common; run apt-get update as root ($(head -1 "$work/apt"))"
		apt-get update -qq >/dev/null 2>"$work/apt" || skip "apt-get update failed ($(head -1 "$work/apt"))"
		download || skip "apt-get cannot download chromium-common ($(head -1 "$work/apt"))"
	fi
	# It has the Vulkan loader too.
	mkdir "$work/driver"
	dpkg-deb --fsys-tarfile "$work"/chromium-common_*.deb | tar -x -C "$work/driver" --strip-components=4 --wildcards \
		'./usr/lib/chromium/libvk_swiftshader.so' './usr/lib/chromium/libvulkan.so.1' './usr/lib/chromium/vk_swiftshader_icd.json' ||
		skip "this chromium-common has no SwiftShader"
	rm -rf "$driver"
	mv "$work/driver" "$driver"
}

mkdir -p .cache
[ -f "$driver/vk_swiftshader_icd.json" ] || copy || fetch
export LD_LIBRARY_PATH=$driver${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export VK_ICD_FILENAMES=$driver/vk_swiftshader_icd.json
HSNAS_TEST_DEVICE=webgpu run
