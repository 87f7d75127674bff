#!/usr/bin/env bash
# Completes command lines in the real bash, zsh and fish, and has mandoc read the manual
# page. What is not installed is, on Debian as root; else the reason is printed.
#
# Usage: checks/shells.sh [HSNAS]   the program, bin/hsnas if not given
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${1:-bin/hsnas}") checks=$PWD/checks

fail() {
	echo "shells: $*" >&2
	exit 1
}

missing=()
for tool in zsh fish mandoc; do
	command -v "$tool" >/dev/null || missing+=("$tool")
done
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } >/dev/null 2>&1 || true
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HSNAS_RUNS=$work/runs HOME=$work PATH=$work:$PATH
ln -s "$program" "$work/hsnas"
mkdir -p "$HSNAS_RUNS"/{alpha,beta}
touch "$HSNAS_RUNS"/{alpha,beta}/experiment.yaml "$work/notes.yaml"
cd "$work"

# A command line up to the cursor, and all that may stand there next.
cases=(
	'hsnas doc|doctor'
	'hsnas latency m|measure'
	'hsnas status --run |alpha beta'
	'hsnas cost --task wmt14.en-d|wmt14.en-de'
	'hsnas run -x micro-c|micro-compare'
	'hsnas run -x micro --only wi|winners'
	'hsnas benchmark --device w|webgpu'
	'hsnas run --dry|--dry-run'
	'hsnas --log-format j|json'
	'hsnas cost --task ./no|./notes.yaml'
)

expect() {
	local shell=$1 line=$2 want=$3 got=$4
	[ "$got" = "$want" ] || fail "$shell completes \"$line\" with \"$got\", expected \"$want\""
}

# in_bash calls the function that bash would call, with what bash would give it.
in_bash() {
	(
		# shellcheck disable=SC1090
		source <("$program" completion bash)
		compopt() { files=yes; } # which works only inside a completion
		files=""
		COMP_LINE=$1 COMP_POINT=${#1}
		read -ra COMP_WORDS <<<"$1"
		[[ $1 == *" " ]] && COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_hsnas hsnas "${COMP_WORDS[COMP_CWORD]}" ""
		if [ ${#COMPREPLY[@]} = 0 ] && [ "$files" = yes ]; then mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"); fi
		echo "${COMPREPLY[*]}"
	)
}
for c in "${cases[@]}"; do
	expect bash "${c%|*}" "${c#*|}" "$(in_bash "${c%|*}")"
done
# Bash takes words with = and : apart before it asks.
split=$(
	# shellcheck disable=SC1090
	source <("$program" completion bash)
	COMP_WORDS=(hsnas cost --task = wmt19) COMP_CWORD=4
	compopt() { :; }
	_hsnas hsnas wmt19 =
	echo "${COMPREPLY[*]}"
)
expect bash 'hsnas cost --task=wmt19' wmt19.en-de "$split"
echo "shells: bash $BASH_VERSION completes ${#cases[@]} lines"

if command -v fish >/dev/null; then
	"$program" completion fish >hsnas.fish
	for c in "${cases[@]}"; do
		# shellcheck disable=SC2016
		got=$(fish --no-config --command 'source hsnas.fish; complete --do-complete $argv[1]' "${c%|*}" | cut -f 1 | sort | paste -sd ' ')
		expect fish "${c%|*}" "${c#*|}" "$got"
	done
	echo "shells: $(fish --version) completes ${#cases[@]} lines"
else
	echo "shells: skipped fish: it is not installed and cannot be"
fi

if command -v zsh >/dev/null; then
	for c in "${cases[@]}"; do
		[[ ${c#*|} == *" "* ]] && continue # several: zsh inserts none of them
		expect zsh "${c%|*}" "${c#*|}" "$(zsh -f "$checks/complete.zsh" "${c%|*}")"
	done
	echo "shells: $(zsh --version) completes these that have one answer"
else
	echo "shells: skipped zsh: it is not installed and cannot be"
fi

if command -v mandoc >/dev/null; then
	hsnas man >hsnas.1
	# The date is the commit's, which a build without version control does not know.
	faults=$(mandoc -T lint -W warning hsnas.1 | grep -v 'missing date' || true)
	[ -z "$faults" ] || fail "the manual page has faults: $faults"
	# Not grep -q: it ends before mandoc has written all, which fails the pipe.
	mandoc -T utf8 hsnas.1 | grep 'hsnas run' >/dev/null || fail "the manual page shows nothing"
	echo "shells: mandoc finds no fault in the manual page"
else
	echo "shells: skipped the manual page: mandoc is not installed and cannot be"
fi
