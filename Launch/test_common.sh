# Shared by test_slurm and test_hosts; sourced, not run.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Ends the script well, with one sentence: this machine does not allow the test.
skip() {
    say "skipped: $*"
    exit 0
}

# Installs packages that the test alone needs, on machines that are thrown away: as root, where no service manager would
# start what is installed. Elsewhere the test is skipped. Arguments: a command, then the packages.
need() {
    local command=$1
    shift
    ! command -v "$command" >/dev/null || return 0
    local advice="there is no $command; for this test: apt-get install $*"
    if [ "$(id -u)" -ne 0 ] || [ -d /run/systemd/system ] || ! command -v apt-get >/dev/null; then skip "$advice"; fi
    say "installing $*"
    apt-get update -q >/dev/null 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" >/dev/null 2>&1 || skip "$advice"
    command -v "$command" >/dev/null || skip "$advice"
}

# Waits until a command succeeds: wait_for SECONDS "what is awaited" COMMAND… A failure shows the end of $log.
wait_for() {
    local limit=$1 what=$2 begin=$SECONDS
    shift 2
    until "$@"; do
        [ $((SECONDS - begin)) -le "$limit" ] ||
            fail "Waited $limit s for $what in vain. $(tail -n 20 "${log:-/dev/null}" 2>/dev/null)"
        sleep 0.1
    done
}

# Rows of steps in the metrics of a run.
steps_of() { if [ -e "$1/metrics.csv" ]; then tail -n +2 "$1/metrics.csv" | wc -l; else echo 0; fi; }
has_steps() { [ "$(steps_of "$1")" -ge "$2" ]; }

# A data set in $1/data and a configuration $1/config.yaml of $2 steps, each a fraction of a second.
make_small_run() {
    "$dicerank" phantom "$1/data" --subjects 6 --size 48 --quiet >/dev/null
    cat >"$1/config.yaml" <<END
seed: 1
steps: $2
data: {list: data/subjects.csv, modalities: [flair, t1, t2], reference: lesion}
patch: {size: 37}
batch: 6
convolution: winograd
network: {name: highres3dnet, batch_norm: global, widths: [4, 4, 8]}
loss: {name: gdl}
optimizer: {name: adam, learning_rate: 1.0e-3}
checkpoint: {every: 1}
log: {every: 1, tensorboard: false}
END
}
