#!/bin/sh
# Finds a Python to set up with; everything after that is pieced_local/setup.py, which needs nothing but Python.
set -eu
cd "$(dirname "$0")/.."

for python in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        PYTHONPATH=local exec "$python" -m pieced_local.setup "$@"
    fi
done
echo "Python 3.11 or newer is needed: install it (python.org, or your system's package python3) and put it on PATH." >&2
exit 1
