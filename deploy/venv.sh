#!/bin/sh
# Makes a virtual environment with the newest Python >= 3.11 there is.
set -eu
for python in python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$python" >/dev/null 2>&1 &&
        "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "making $1 with $("$python" --version)"
        exec "$python" -m venv "$1"
    fi
done
echo "Python 3.11 or newer with its venv module is missing (on Debian and Ubuntu: apt-get install python3-venv)" >&2
exit 1
