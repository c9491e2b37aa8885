#!/usr/bin/env bash
# Trains under PBS (OpenPBS, PBS Professional). Adapt the #PBS lines to the cluster, then, in the repository:
#
#     qsub -v CONFIG=config.yaml,RUN=run Launch/pbs.sh
#
# Before its time is up the run ends with a checkpoint and a job that goes on is submitted, until all steps are done.
# DICERANK, with -v too, names the program where it is not .build/release/dicerank.

# mpiprocs is the ranks of a node: one a socket is a good start.
#PBS -N dicerank
#PBS -l select=2:ncpus=16:mpiprocs=2
#PBS -l walltime=12:00:00
#PBS -j oe
#PBS -r y

set -uo pipefail
cd "$PBS_O_WORKDIR" || exit 1
. Launch/common.sh
: "${CONFIG:?is missing: qsub -v CONFIG=config.yaml,RUN=run Launch/pbs.sh}" "${RUN:?is missing}"
dicerank=${DICERANK:-$PWD/.build/release/dicerank}

# PBS gives no signal in time: TERM comes with seconds to go. This is the walltime less two minutes.
seconds=${SECONDS_TO_TRAIN:-$((12 * 3600 - 120))}

# The file names a node once a rank; Open MPI would take a node named once for one with a slot a core.
hostfile=$(mktemp)
trap 'rm -f "$hostfile"' EXIT
sort "$PBS_NODEFILE" | uniq -c | awk '{ print $2 " slots=" $1 }' >"$hostfile"

notice_silent_hosts
options=(--hostfile "$hostfile" --bind-to none)
[ "$(id -u)" -ne 0 ] || options+=(--allow-run-as-root)
timeout --foreground --preserve-status --signal=USR1 "$seconds" \
    mpirun "${options[@]}" "$dicerank" train "$CONFIG" --output "$RUN"
code=$?

# A run that USR1 stopped says 0, as one that is complete. Ended by USR1 (138) are ranks that had not come as far as to
# catch it. Any other code would come again, or is that of TERM (143): the job is deleted.
case $code in 0 | 138) ;; *) exit "$code" ;; esac
if ! grep -qs '"complete" *: *true' "$RUN/summary.json"; then
    echo "The run is not complete: another job goes on."
    qsub -v "CONFIG=$CONFIG,RUN=$RUN,DICERANK=$dicerank" Launch/pbs.sh
fi
