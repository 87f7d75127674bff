#!/usr/bin/env bash
# Runs the embedded task's tfs on a real Slurm of two nodes on this host (cluster.sh),
# whose arrays have ten tasks at most: kills the driver and, with its jobs running, a
# node, starts the driver again, and holds tfs.parquet against the local executor's.
# Where Slurm cannot be installed, the reason is printed and nothing fails.
#
# Usage: checks/slurm/run.sh [HSNAS]   the program, bin/hsnas if not given
set -euo pipefail
cd "$(dirname "$0")/../.."
hsnas=$(readlink -f "${1:-bin/hsnas}")
packages=(slurmctld slurmd slurm-client munge)
PATH=$PATH:/usr/sbin

skip() {
	echo "check-slurm: skipped: $*" >&2
	exit 0
}

fail() {
	echo "check-slurm: $*" >&2
	tail -n 20 "$work"/*.err "$work"/cluster/slurmctld.log >&2 || true
	exit 1
}

install() {
	local sudo="" log
	command -v slurmctld >/dev/null && command -v slurmd >/dev/null && command -v sbatch >/dev/null && command -v munged >/dev/null && return
	command -v apt-get >/dev/null || skip "Slurm comes from Debian packages, and this is no Debian"
	[ "$(id -u)" = 0 ] || sudo="sudo -n"
	log=$(mktemp)
	echo "check-slurm: installing ${packages[*]}"
	apt_install() { DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${packages[@]}" >"$log" 2>&1; }
	apt_install || { $sudo apt-get update -qq >"$log" 2>&1 && apt_install; } || skip "apt-get cannot install ${packages[*]} ($(tail -n 1 "$log"))"
	rm -f "$log"
}

run=slurm
experiment=checks/slurm/experiment.yaml
hsnas_run() { "$hsnas" run -x "$experiment" --to tfs "$@"; }

# start starts hsnas as a driver in the background, its log in a file.
start() {
	local log=$1
	shift
	"$hsnas" run -x "$experiment" --to tfs --executor slurm "$@" >/dev/null 2>"$log" &
	driver=$!
	drivers+=("$driver")
}
pieces() { find "$HSNAS_RUNS/$run/shards" -name '*-[0-9].json' 2>/dev/null | wc -l; }

# until waits for a condition, half a minute at most.
until_true() {
	local i
	for ((i = 0; i < 300; i++)); do
		"$@" && return
		sleep 0.1
	done
	fail "waited in vain for: $*"
}

# refuses runs hsnas on bad input and holds its last line against what it has to be.
refuses() {
	local want=$1 code=0
	shift
	"$@" >"$work/refused.out" 2>"$work/refused.err" || code=$?
	[ $code = 2 ] && [ "$(tail -n 1 "$work/refused.err")" = "$want" ] || fail "exit code $code, expected 2 and: $want"
	echo "check-slurm: refused: $want"
}

install
work=$(mktemp -d)
drivers=()
finish() {
	local p
	for p in "${drivers[@]}"; do kill "$p" 2>/dev/null || true; done
	checks/slurm/cluster.sh down "$work/cluster" || true
	rm -rf "$work"
}
trap finish EXIT

echo "check-slurm: the local executor"
HSNAS_RUNS=$work/local hsnas_run >/dev/null 2>"$work/local.err" || fail "the local run failed"

export HSNAS_RUNS=$work/runs
checks/slurm/cluster.sh up "$work/cluster" 2 MaxArraySize=10
export SLURM_CONF=$work/cluster/slurm.conf
refuses 'hsnas: stage tfs: slurm.partition: this cluster has no partition "nosuch"; known: main (to go on once that is mended: hsnas run -x checks/slurm/experiment.yaml --name bad --set slurm.partition=nosuch --executor slurm)' \
	hsnas_run --executor slurm --name bad --set slurm.partition=nosuch

echo "check-slurm: 12 trainings in arrays of 10"
start "$work/first.err"
some_are_done() { [ "$(pieces)" -ge 3 ]; }
until_true some_are_done
kill -KILL "$driver"
wait "$driver" 2>/dev/null || true
its_jobs_go_on() { squeue --noheader --array --format='%j %T' | grep 'hsnas-slurm-tfs-.* RUNNING' >/dev/null; }
until_true its_jobs_go_on
checks/slurm/cluster.sh kill "$work/cluster" n1
checks/slurm/cluster.sh crash "$work/cluster" n0
finished=$(find "$HSNAS_RUNS/$run/shards" -name '*-[0-9].json' -exec basename {} .json \;)
echo "check-slurm: the driver killed, a node killed, and what ran on the other; $(wc -w <<<"$finished") trainings are done; the driver again"
hsnas_run --executor slurm 2>"$work/second.err" >/dev/null || fail "the second driver failed"
grep -q 'tfs        goes on with 3 submissions that Slurm has already: jobs ' "$work/second.err" || fail "the second driver did not go on with the jobs of the first"
grep -Eq 'tfs        shard [0-9a-f]+-[12] runs again: job [12]_[0-9] ended as FAILED' "$work/second.err" || fail "the second driver did not tell of the job that was killed"

cmp "$work/local/$run/tfs/tfs.parquet" "$HSNAS_RUNS/$run/tfs/tfs.parquet" || fail "tfs.parquet differs from the local executor's"
untimed() { sed -E 's/"(CPU|Wall)Seconds":[^,}]*|"seal":"[0-9a-f]*",//g' "$1"; } # nor the seal, which is over the times, too
for file in "$work/local/$run"/tfs/state/*.json; do # with every loss of the training
	diff <(untimed "$file") <(untimed "$HSNAS_RUNS/$run/tfs/state/${file##*/}") || fail "the training ${file##*/} differs from the local executor's"
done
for log in "$HSNAS_RUNS/$run"/shards/tfs/*/*-[0-9].log; do
	shard=$(basename "$log" .log)
	[ "$(grep -c '"msg":"ended".*"exit":0' "$log")" = 1 ] || fail "shard $shard did not end well exactly once: $(cat "$log")"
	if grep -qxF "$shard" <<<"$finished"; then
		[ "$(grep -c '"msg":"started"' "$log")" = 1 ] || fail "shard $shard was done when the driver was killed, and was started again: $(cat "$log")"
	fi
done
[ "$(pieces)" = 12 ] || fail "$(pieces) pieces, expected 12"
grep -q 'requeue job JobId=.* due to failure of node n1' "$work/cluster/slurmctld.log" || fail "the lost node had no job, which tests nothing"
echo "check-slurm: tfs.parquet is that of the local executor; no training that was done was started again"
hsnas_run --executor slurm 2>&1 >/dev/null | grep 'tfs        up to date' >/dev/null || fail "the same command again did something"

start "$work/cancelled.err" --name cancelled --set tfs.recipe.steps=20000
one_runs() { squeue --noheader --states=running --format=%j | grep hsnas-cancelled-tfs >/dev/null; }
until_true one_runs
refuses 'hsnas: the run cancelled may have jobs on a cluster; go on with --executor slurm, or end them: hsnas cancel --run cancelled' \
	hsnas_run --name cancelled
"$hsnas" cancel --run cancelled
code=0
wait "$driver" || code=$?
[ $code = 130 ] || fail "the driver of cancelled jobs ended with $code, expected 130"
nothing_left() { [ -z "$(squeue --noheader)" ]; }
until_true nothing_left
echo "check-slurm: cancelled"
