#!/bin/sh
echo 'Load a Python module before you run virtualenv: module load python' >&2
exit 1
