#!/bin/sh
# The Python environment of the HTTP tests, in the user's cache folder. Its name
# holds the hash of what is in it.
#
#   tests/venv.sh           makes it unless it is there
#   tests/venv.sh --print   prints its folder only
set -eu

here=$(cd "$(dirname "$0")" && pwd)
key=$(cat "$here/venv.sh" "$here/requirements.txt" | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/readback
venv=$cache/venv-$key

if [ "${1:-}" = --print ]; then
	echo "$venv"
	exit 0
fi
# A python that was upgraded or taken away leaves a broken one behind.
if [ -f "$venv/complete" ] && "$venv/bin/python" -c 'import pytest' 2>/dev/null; then
	exit 0
fi

echo "tests: making the Python environment, once"
mkdir -p "$cache"
rm -rf "$venv"
"${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/python" -m pip install --disable-pip-version-check --only-binary=:all: -r "$here/requirements.txt"
touch "$venv/complete"
