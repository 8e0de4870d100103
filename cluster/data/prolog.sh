#!/bin/bash
# Before a job starts on a node, as root: a folder for it on the node's own disk.
set -eu
folder=@local@/$SLURM_JOB_USER.$SLURM_JOB_ID.0
mkdir -p "$folder"
chown "$SLURM_JOB_UID" "$folder"
chmod 700 "$folder"
