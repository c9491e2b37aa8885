# Shared by the scripts in this folder; sourced, not run.

# One line of progress.
say() { printf '%s: %s\n' "${0##*/}" "$*"; }

# Ends the script with one sentence.
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Cores of this machine, counting a core with two hardware threads once, as mpirun counts its slots.
physical_cores() {
    local cores
    cores=$(lscpu --parse=core,socket 2>/dev/null | grep -v '^#' | sort -u | wc -l)
    if [ "$cores" -gt 0 ]; then echo "$cores"; else nproc; fi
}

# mpirun's options for $1 ranks on this machine, one a line.
# As root Open MPI asks for consent; with more ranks than cores likewise. It would bind each rank to one core;
# dicerank divides the cores among the ranks itself.
mpirun_options() {
    printf '%s\n' -np "$1" --bind-to none
    if [ "$(id -u)" -eq 0 ]; then echo --allow-run-as-root; fi
    if [ "$1" -gt "$(physical_cores)" ]; then echo --oversubscribe; fi
}

# A setting of Open MPI, unless the environment has it already.
setting() { export "OMPI_MCA_$1=$(printenv "OMPI_MCA_$1" || echo "$2")"; }

# A host that falls silent is noticed after 20 + 4 * 5 s, and the job ended on all hosts. Open MPI's own 8 minutes are
# more than distributed.timeout: the ranks would end by themselves, but not the launcher.
notice_silent_hosts() {
    setting oob_tcp_keepalive_time 20
    setting oob_tcp_keepalive_intvl 5
    setting oob_tcp_keepalive_probes 4
}
