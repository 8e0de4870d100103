#!/bin/bash
# When a job has ended on a node, as root.
set -eu
rm -rf --one-file-system "@local@/$SLURM_JOB_USER.$SLURM_JOB_ID.0"
