#!/bin/sh
# Print the newest Python >= 3.11 on PATH that can make a virtual environment; else say what to install.
#
# A file named python3.13 may be a launcher which has no 3.13 to launch (pyenv), and Debian and Ubuntu ship a
# Python without ensurepip unless python3-venv is installed, so each candidate is asked.
set -eu

question='import sys; sys.exit(0 if sys.version_info >= (3, 11) else 1)'
lacking=
for name in ${PYTHON:-python3.15 python3.14 python3.13 python3.12 python3.11 python3}; do
    "$name" -c "$question" >/dev/null 2>&1 || continue
    if "$name" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        command -v "$name"
        exit 0
    fi
    lacking="${lacking:-$("$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])')}"
done

if [ -n "$lacking" ]; then
    echo "Python $lacking is here, but it can not make virtual environments." >&2
    echo "hint: install its venv package, for instance: sudo apt-get install python$lacking-venv" >&2
else
    echo "There is no Python >= 3.11 on PATH${PYTHON:+ (PYTHON=$PYTHON)}." >&2
    echo "hint: Debian and Ubuntu: sudo apt-get install python3 python3-venv; macOS: brew install python" >&2
fi
exit 1
