#!/usr/bin/env bash
# Trains on several hosts that ssh reaches, with Open MPI's mpirun. On one of them, in the repository:
#
#     Launch/hosts.sh HOSTFILE CONFIG RUN [further options of dicerank train]
#
# HOSTFILE has a line a host, its name and how many ranks it runs: "node1 slots=2". The same command goes on with a
# run that ended; a host that was lost is taken out of HOSTFILE first. `kill -USR1` to mpirun ends the run with a
# checkpoint and exit code 0. Reads from the environment:
#   DICERANK  the program, under the same path on all hosts; default .build/release/dicerank
#   NETWORK   the network between the hosts, such as 10.1.0.0/16, where they have several
#   OMPI_MCA_…  settings of Open MPI, which go before those made here
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[ $# -ge 3 ] || fail "Expected Launch/hosts.sh HOSTFILE CONFIG RUN, found $# arguments."
hostfile=$1 run=$3
[ -r "$hostfile" ] || fail "$hostfile cannot be read; expected a file with a line such as \"node1 slots=2\" a host."
config=$(realpath "$2")
dicerank=$(realpath "${DICERANK:-$(dirname "${BASH_SOURCE[0]}")/../.build/release/dicerank}")
shift 3

# Nobody is there to type a password.
setting plm_rsh_agent "ssh -o BatchMode=yes -o ConnectTimeout=10"
notice_silent_hosts
# Left to itself Open MPI also tries interfaces that lead nowhere, such as a container bridge, and hangs.
if [ -n "${NETWORK:-}" ]; then
    setting oob_tcp_if_include "$NETWORK"
    setting btl_tcp_if_include "$NETWORK"
fi

for host in $(awk '!/^[ \t]*(#|$)/ { print $1 }' "$hostfile" | sort -u); do
    [ "$host" != "$(hostname)" ] || continue
    $OMPI_MCA_plm_rsh_agent "$host" "test -x '$dicerank' && test -r '$config'" </dev/null ||
        fail "$host cannot be reached without a password, or has no $dicerank or $config; expected all three."
done

# The ranks of a host divide its cores themselves.
options=(--hostfile "$hostfile" --map-by slot --bind-to none)
[ "$(id -u)" -ne 0 ] || options+=(--allow-run-as-root)
[ -z "${LD_LIBRARY_PATH:-}" ] || options+=(-x LD_LIBRARY_PATH)
exec mpirun "${options[@]}" "$dicerank" train "$config" --output "$run" "$@"
