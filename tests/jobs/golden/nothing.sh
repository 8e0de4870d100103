#!/bin/bash
# The job of toy, for the target laptop.
# Made by: tumpline job script. To run it: sbatch FILE. It may be edited.
#SBATCH --output=%x-%j.out
#SBATCH --open-mode=append

set -euo pipefail

fail() {
    echo "tumpline: $*" >&2
    exit 1
}

if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
    echo "tumpline: Slurm has started this job anew, on $(hostname) (time $SLURM_RESTART_COUNT): from its beginning" >&2
fi

# What the shell had activated from which the job was submitted is not the job's.
unset SLURM_EXPORT_ENV VIRTUAL_ENV PYTHONHOME
export PYTHONNOUSERSITE=1

# The environment, on the own disk of each node.
[ -n "${SLURM_TMPDIR:-}" ] || fail "SLURM_TMPDIR is not set: this cluster gives jobs no disk of their own; write the script with --environment login-node"
environment=$SLURM_TMPDIR/environment
export environment

tumpline() {
    command tumpline "$@"
}

make() {
    tumpline sync -q --project . --target laptop --env "$1"
}

make_here() {
    [ -d "$SLURM_TMPDIR" ] || fail "$(hostname) has no $SLURM_TMPDIR, which the cluster should make"
    make "$environment" || fail "no environment on $(hostname): what is written above says why"
}

on_every_node() { # runs a function of this script once on each node
    if [ "$SLURM_JOB_NUM_NODES" -eq 1 ]; then
        "$1"
    else
        srun --ntasks="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 \
            bash -c "set -euo pipefail; $(declare -f fail make tumpline make_here); $1"
    fi
}
on_every_node make_here

# The command: each rank in the environment of its node. srun does not take the number of CPUs from sbatch by itself.
if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK; fi
# shellcheck disable=SC2016
srun bash -c '. "$1/bin/activate" && shift && exec "$@"' bash \
    "$environment" true
