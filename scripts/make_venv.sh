#!/bin/sh
# Make the virtual environment in folder $1, or keep the one that is there if it works; its pip knows --group.
set -eu

folder=$1
here=$(dirname "$0")
works='import sys, pip; sys.exit(0 if sys.version_info >= (3, 11) else 1)'
if ! "$folder/bin/python" -c "$works" >/dev/null 2>&1; then
    python=$("$here/find_python.sh")
    echo "making $folder with $("$python" --version)"
    "$python" -m venv --clear "$folder"
fi
# Dependency groups need pip 25.1. PIP_USER has no place in a virtual environment.
PIP_USER=0 "$folder/bin/python" -m pip install -qq --disable-pip-version-check --upgrade 'pip>=25.1'
