#!/bin/bash
# Before each task, as the user: what is printed here is set for it.
folder=@local@/$SLURM_JOB_USER.$SLURM_JOB_ID.0
[ -n "${SLURM_JOB_USER:-}" ] || folder=@local@/$(id -un).$SLURM_JOB_ID.0
echo "export SLURM_TMPDIR=$folder"
# A job that was submitted without any variables finds the modules by this.
echo "export BASH_ENV=@root@/etc/profile.sh"
@more@
