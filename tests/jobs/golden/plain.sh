#!/bin/bash
# The job of training, for the target narval.
# Made by: tumpline job script. To run it: sbatch FILE. It may be edited.
#SBATCH --job-name=train
#SBATCH --account=def-pi
#SBATCH --time=3:00:00
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --gpus-per-node=a100:2
#SBATCH --mail-user=me@example.org
#SBATCH --mail-type=END,FAIL
#SBATCH --output=/scratch/me/runs/%x-%j.out
#SBATCH --open-mode=append
#SBATCH --exclusive
#SBATCH --comment="a # b"

set -euo pipefail

fail() {
    echo "tumpline: $*" >&2
    exit 1
}

output=/scratch/me/runs
# The record of this run, in the folder of its output.
number=$SLURM_JOB_ID
if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then number=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID; fi
record=$output/$SLURM_JOB_NAME-$number.json
started=$(date -u +%Y-%m-%dT%H:%M:%SZ)
text() {
    local value=${1//\\/\\\\}
    value=${value//\"/\\\"}
    printf '"%s"' "${value//[[:cntrl:]]/?}"
}
write_record() { # END STATUS
    local driver=null loaded=${LOADEDMODULES:-}
    if [ -r /sys/module/nvidia/version ]; then driver=$(text "$(</sys/module/nvidia/version)"); fi
    {
        cat <<'TUMPLINE'
{
 "schema": "tumpline.run/1",
 "command": ["python", "train.py"],
TUMPLINE
        echo " \"job\": $(text "$number"),"
        echo " \"restarts\": $((${SLURM_RESTART_COUNT:-0})),"
        echo " \"account\": $(text "${SLURM_JOB_ACCOUNT:-}"),"
        echo " \"nodes\": $(text "${SLURM_JOB_NODELIST:-}"),"
        echo " \"tasks\": $((${SLURM_NTASKS:-1})),"
        echo " \"driver\": $driver,"
        echo " \"loaded\": $(text "$loaded"),"
        echo " \"start\": $(text "$started"),"
        echo " \"end\": $1,"
        echo " \"status\": $2"
        echo "}"
    } >"$record.part" && mv -f "$record.part" "$record" ||
        echo "tumpline: the record of this run can not be written: $record" >&2
}
finish() {
    write_record "$(text "$(date -u +%Y-%m-%dT%H:%M:%SZ)")" "$1"
    if declare -F leave_shared on_every_node >/dev/null; then on_every_node leave_shared || true; fi
}
trap 'finish $?' EXIT
trap 'exit 143' TERM
write_record null null

if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
    echo "tumpline: Slurm has started this job anew, on $(hostname) (time $SLURM_RESTART_COUNT): from its beginning" >&2
fi

# What the shell had activated from which the job was submitted is not the job's.
unset SLURM_EXPORT_ENV VIRTUAL_ENV PYTHONHOME PYTHONPATH
export PYTHONNOUSERSITE=1
set +u # the module system reads variables that need not be set
if ! command -v module >/dev/null && [ -r "${LMOD_PKG:-}/init/bash" ]; then
    # shellcheck disable=SC1091
    . "$LMOD_PKG/init/bash"
fi
module --force purge
module load StdEnv/2023 python/3.11.5 arrow/17.0.0 || fail 'these modules can not be loaded: StdEnv/2023 python/3.11.5 arrow/17.0.0; see which there are with: module spider NAME'
set -u

# The environment, on the own disk of each node.
[ -n "${SLURM_TMPDIR:-}" ] || fail "SLURM_TMPDIR is not set: this cluster gives jobs no disk of their own; write the script with --environment login-node"
environment=$SLURM_TMPDIR/environment
export environment

make() {
    local wheels=(
        /cvmfs/wheels/generic/alpha-1.0+computecanada-py3-none-any.whl
    )
    # virtualenv keeps what it brings in here, not in the home folder.
    export VIRTUALENV_OVERRIDE_APP_DATA="$SLURM_TMPDIR/virtualenv"
    command -v virtualenv >/dev/null || fail "there is no virtualenv: load a module of Python"
    virtualenv --quiet --no-download "$1" &&
        "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-compile \
            "${wheels[@]}" && return
    echo "tumpline: where a wheel is gone, have this script written again: tumpline job script --plain" >&2
    echo "tumpline: where the disk is full, ask for a node with more room: sbatch --tmp=20G" >&2
    return 1
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
            bash -c "set -euo pipefail; $(declare -f fail make make_here); $1"
    fi
}
on_every_node make_here

# The command: each rank in the environment of its node. srun does not take the number of CPUs from sbatch by itself.
if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK; fi
# shellcheck disable=SC2016
srun bash -c '. "$1/bin/activate" && shift && exec "$@"' bash \
    "$environment" python train.py --rate 0.1
