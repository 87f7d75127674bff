#!/usr/bin/env bash
# A real Slurm of some nodes, all of them on this host and on the loopback interface,
# without systemd or cgroups: Debian's slurmctld, slurmd and munged, in a folder.
#
# Usage: checks/slurm/cluster.sh up DIR NODES [LINE OF slurm.conf...]
#        checks/slurm/cluster.sh kill DIR NODE    as a loss of power does
#        checks/slurm/cluster.sh crash DIR NODE   kills what its jobs run
#        checks/slurm/cluster.sh down DIR
# Programs find the cluster by SLURM_CONF=DIR/slurm.conf.
set -euo pipefail
command=$1 dir=$(readlink -m "$2")
shift 2
export SLURM_CONF=$dir/slurm.conf
PATH=$PATH:/usr/sbin

# free prints a port from which on so many are not listened on.
free() {
	local first port
	for first in $(shuf -n 50 -i 20000-32000); do
		for ((port = first; port < first + $1; port++)); do
			(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue 2
		done
		echo "$first"
		return
	done
	echo "cluster: no free ports on the loopback interface" >&2
	exit 1
}

configuration() {
	local nodes=$1 host port memory i
	shift
	host=$(hostname -s) port=$(free $((nodes + 1)))
	memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.8)}' /proc/meminfo)
	cat <<-CONF
		ClusterName=check
		SlurmctldHost=$host(127.0.0.1)
		SlurmctldPort=$port
		SlurmUser=$(id -un)
		SlurmdUser=$(id -un)
		AuthType=auth/munge
		CredType=cred/munge
		# A lost node's jobs start again once their credentials have expired.
		AuthInfo=socket=$dir/munge.sock,cred_expire=5
		StateSaveLocation=$dir/state
		SlurmdSpoolDir=$dir/spool.%n
		SlurmctldPidFile=$dir/slurmctld.pid
		SlurmdPidFile=$dir/slurmd.%n.pid
		SlurmctldLogFile=$dir/slurmctld.log
		SlurmdLogFile=$dir/slurmd.%n.log
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		SwitchType=switch/none
		MpiDefault=none
		JobAcctGatherType=jobacct_gather/none
		AccountingStorageType=accounting_storage/none
		JobCompType=jobcomp/none
		SchedulerType=sched/builtin
		SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0
		SelectType=select/cons_tres
		SelectTypeParameters=CR_CPU
		ReturnToService=2
		SlurmdTimeout=6
		KillWait=2
		JobRequeue=1
	CONF
	printf '%s\n' "$@"
	for ((i = 0; i < nodes; i++)); do
		echo "NodeName=n$i NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1 + i)) CPUs=1 RealMemory=$memory State=UNKNOWN"
	done
	echo "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP"
}

up() {
	local nodes=$1 i
	mkdir -p "$dir/state"
	chmod 755 "$dir"
	(umask 077 && head -c 128 /dev/urandom >"$dir/munge.key")
	configuration "$@" >"$SLURM_CONF"
	munged --force --key-file="$dir/munge.key" --socket="$dir/munge.sock" --pid-file="$dir/munged.pid" \
		--log-file="$dir/munged.log" --seed-file="$dir/munged.seed"
	slurmctld -f "$SLURM_CONF" -c
	for ((i = 0; i < nodes; i++)); do
		mkdir -p "$dir/spool.n$i"
		slurmd -f "$SLURM_CONF" -N "n$i"
	done
	for ((i = 0; i < 200; i++)); do
		[ "$(sinfo --noheader --Node --states=idle --format=%N 2>/dev/null | wc -l)" = "$nodes" ] && return
		sleep 0.1
	done
	echo "cluster: its nodes did not come up" >&2
	cat "$dir"/*.log >&2
	exit 1
}

# of prints the processes of this cluster's jobs, of those on a node if one is named.
of() {
	local files
	files=$(grep -lzxF "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ 2>/dev/null || true) # some are gone, or others'
	[ -n "$files" ] || return 0
	# shellcheck disable=SC2086 # one word each
	{ grep -lzxE "SLURMD_NODENAME=${1:-.*}" $files 2>/dev/null || true; } | cut -d / -f 3
}

# steps prints the daemons that watch over jobs on a node.
steps() {
	local job
	for job in $(squeue --noheader --nodelist="$1" --states=running,completing --format=%A); do
		pgrep -f "^slurmstepd: \[$job\." | while read -r p; do
			! grep -qzxF "SLURM_CONF=$SLURM_CONF" "/proc/$p/environ" || echo "$p"
		done
	done
}

# stop stops what a job on a node runs, one that has just started: it has not ended when
# it is killed.
stop() {
	local before now i
	before=$(of "$1")
	for ((i = 0; i < 1000; i++)); do
		now=$(of "$1")
		if [ -n "$now" ] && [ "$now" != "$before" ]; then
			# shellcheck disable=SC2086
			end STOP $now
			return
		fi
		sleep 0.03
	done
	echo "cluster: node $1 starts no job" >&2
	exit 1
}

end() { # SIGNAL PID...
	local signal=$1
	shift
	[ $# = 0 ] || kill "-$signal" "$@" 2>/dev/null || true
}

down() {
	local f
	scancel --quiet --user="$(id -un)" 2>/dev/null || true
	for f in "$dir"/slurmctld.pid "$dir"/slurmd.*.pid "$dir"/munged.pid; do
		[ ! -f "$f" ] || end TERM "$(cat "$f")"
	done
	# shellcheck disable=SC2046 # one word each
	end KILL $(of)
}

case $command in
up) up "$@" ;;
down) down ;;
kill)
	stop "$1"
	# shellcheck disable=SC2046
	end KILL "$(cat "$dir/slurmd.$1.pid")" $(steps "$1") $(of "$1")
	;;
crash)
	stop "$1"
	# shellcheck disable=SC2046
	end KILL $(of "$1")
	;;
*) echo "cluster: unknown command $command" >&2 && exit 2 ;;
esac
