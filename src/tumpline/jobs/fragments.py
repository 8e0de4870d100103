"""The parts of a job's script that are the same in all of them."""

from __future__ import annotations

__all__ = ["FINISH", "MODULES", "ON_EVERY_NODE", "RANKS", "RECORD", "RESTART", "SHARE"]

MODULES = r"""
set +u # the module system reads variables that need not be set
if ! command -v module >/dev/null && [ -r "${LMOD_PKG:-}/init/bash" ]; then
    # shellcheck disable=SC1091
    . "$LMOD_PKG/init/bash"
fi
module --force purge
@LOAD@
set -u
""".strip("\n").split("\n")

RECORD = r"""
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
@KNOWN@
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
""".strip("\n").split("\n")

FINISH = r"""
finish() {
    write_record "$(text "$(date -u +%Y-%m-%dT%H:%M:%SZ)")" "$1"
    if declare -F leave_shared on_every_node >/dev/null; then on_every_node leave_shared || true; fi
}
trap 'finish $?' EXIT
trap 'exit 143' TERM
write_record null null
""".strip("\n").split("\n")

RESTART = r"""
if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
    echo "tumpline: Slurm has started this job anew, on $(hostname) (time $SLURM_RESTART_COUNT): from its beginning" >&2
fi
""".strip("\n").split("\n")

SHARE = r"""
# The tasks of the array that run on a node share one environment: the first makes it, the others wait for it. mkdir and
# mv decide who is first, on the node's own disk. Nothing is locked, so that nothing can stay locked.
join_shared() {
    # Who leaves at this moment may take the folder away again and again.
    local tries=0
    until mkdir -p "$shared/users" 2>/dev/null && touch "$shared/users/$SLURM_JOB_ID" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 50 ] || return 1
    done
    rm -f "$shared/left/$SLURM_JOB_ID"
}
make_shared() {
    local own=$shared/$SLURM_JOB_ID.${SLURM_RESTART_COUNT:-0} waited=0 pulse touched
    [ -d "$SLURM_TMPDIR" ] || fail "$(hostname) has no $SLURM_TMPDIR, which the cluster should make"
    mkdir -m 700 "${shared%/*}" 2>/dev/null || true
    if [ -L "${shared%/*}" ] || [ ! -O "${shared%/*}" ] || ! join_shared; then
        make "$environment" || fail "no environment on $(hostname): what is written above says why"
        return
    fi
    until [ -e "$shared/environment/bin/activate" ]; do
        if mkdir "$shared/building" 2>/dev/null; then
            if [ -e "$shared/environment/bin/activate" ]; then
                rmdir "$shared/building"
                continue
            fi
            making=$own
            (while kill -0 $$ 2>/dev/null && sleep 2; do touch -c "$shared/building"; done) >/dev/null 2>&1 &
            pulse=$!
            if make "$own" && ln -s "$own" "$own.link" && mv -fT "$own.link" "$shared/environment"; then
                making=
                kill "$pulse" 2>/dev/null || true
                rmdir "$shared/building" 2>/dev/null || true
                forget_arrays || true
                continue
            fi
            kill "$pulse" 2>/dev/null || true
            rmdir "$shared/building" 2>/dev/null || true
            rm -rf "$own" "$shared/.${own##*/}".*
            making=
            fail "no environment on $(hostname): what is written above says why"
        fi
        # Who makes it touches its folder every two seconds; after thirty without it, another takes over.
        touched=$(stat -c %Y "$shared/building" 2>/dev/null || date +%s)
        if [ $(($(date +%s) - touched)) -gt 30 ]; then
            echo "tumpline: on $(hostname), whoever was making the environment is gone: making it anew" >&2
            mv -T "$shared/building" "$own.gone" 2>/dev/null && rmdir "$own.gone"
            continue
        fi
        if [ "$waited" -ge 1800 ]; then
            echo "tumpline: on $(hostname), the environment took longer than half an hour: making one for this task" >&2
            make "$environment" || fail "no environment on $(hostname): what is written above says why"
            return
        fi
        sleep 1
        waited=$((waited + 1))
    done
    ln -sfn "$(readlink -f "$shared/environment")" "$environment"
}
forget_arrays() {
    # What arrays left behind that were cancelled, or whose node failed, and that the scheduler knows no more.
    local folder said
    for folder in "${shared%/*}"/*-*; do
        if [ "$folder" = "$shared" ]; then continue; fi
        said=${folder##*/}
        if said=$(squeue --noheader --jobs="${said%%-*}" 2>&1); then
            [ -z "$said" ]
        else
            [[ $said == *"Invalid job id"* ]]
        fi && rm -rf "$folder"
    done
}
leave_shared() {
    local coming other leaving=$shared/leaving.$SLURM_JOB_ID made
    if [ -n "${making:-}" ]; then
        # Cancelled, started anew or out of time while it was making it: the others need not wait for it.
        rmdir "$shared/building" 2>/dev/null || true
        rm -rf "$making" "$shared/.${making##*/}".*
    fi
    if [ ! -e "$shared/users/$SLURM_JOB_ID" ]; then return 0; fi
    { mkdir -p "$shared/left" && touch "$shared/left/$SLURM_JOB_ID"; } 2>/dev/null || true
    rm -f "$shared/users/$SLURM_JOB_ID"
    # The last on its node removes what is shared, unless tasks are waiting that may come here, or have started here and
    # did not get this far. Those that have left may run for a moment still.
    rmdir "$shared/users" 2>/dev/null || return 0
    coming=$(squeue --noheader --states=PENDING --jobs="$SLURM_ARRAY_JOB_ID" 2>/dev/null) || return 0
    if [ -n "$coming" ]; then return 0; fi
    coming=$(squeue --noheader --states=CONFIGURING,RUNNING --nodelist="${SLURMD_NODENAME:-$(hostname -s)}" \
        --jobs="$SLURM_ARRAY_JOB_ID" --format=%A 2>/dev/null) || return 0
    for other in $coming; do
        if [ "$other" != "$SLURM_JOB_ID" ] && [ ! -e "$shared/left/$other" ]; then return 0; fi
    done
    mv -T "$shared/environment" "$leaving" 2>/dev/null || return 0
    if [ -e "$shared/users" ]; then
        # Somebody came before it was taken away, and may have found it.
        mv -fT "$leaving" "$shared/environment"
        return 0
    fi
    made=$(readlink -f "$leaving")
    rm -rf "$made" "$(readlink "$leaving")" "$leaving" "$shared/left"
    rmdir "$shared" 2>/dev/null || true
}
""".strip("\n").split("\n")

ON_EVERY_NODE = r"""
on_every_node() { # runs a function of this script once on each node
    if [ "$SLURM_JOB_NUM_NODES" -eq 1 ]; then
        "$1"
    else
        srun --ntasks="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 \
            bash -c "set -euo pipefail; $(declare -f @FUNCTIONS@); $1"
    fi
}
""".strip("\n").split("\n")

RANKS = r"""
# The command: each rank in the environment of its node. srun does not take the number of CPUs from sbatch by itself.
if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK; fi
# shellcheck disable=SC2016
srun bash -c '. "$1/bin/activate" && shift && exec "$@"' bash \
""".strip("\n").split("\n")
