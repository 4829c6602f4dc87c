#!/bin/sh
# A Python environment of tests, in the user's cache folder. Its name holds the
# hash of what is in it.
#
#   tests/venv.sh [FOLDER]           makes it unless it is there
#   tests/venv.sh --print [FOLDER]   prints its folder only
#
# FOLDER (tests: the HTTP tests') has requirements.txt, all of which must go in,
# and perhaps requirements-optional.txt, of which each line goes in if it can,
# and requirements-alone.txt, likewise but without what they depend on.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
print=
if [ "${1:-}" = --print ]; then
	print=1
	shift
fi
folder=${1:-$here}
key=$(cat "$here/venv.sh" "$folder"/requirements*.txt | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/readback
name=venv
[ "$folder" = "$here" ] || name=$(basename "$folder")-venv
venv=$cache/$name-$key

if [ -n "$print" ]; then
	echo "$venv"
	exit 0
fi
# A python that was upgraded or taken away leaves a broken one behind.
if [ -f "$venv/complete" ] && "$venv/bin/python" -c 'import pytest' 2>/dev/null; then
	exit 0
fi

install()
{
	"$venv/bin/python" -m pip install --disable-pip-version-check "$@"
}

# install_each FILE [OPTION...]: all at once, or else one by one. Some are small
# and published as source alone.
install_each()
{
	file=$1
	shift
	[ -f "$file" ] || return 0
	install --prefer-binary "$@" -r "$file" && return 0
	sed 's/#.*//; /^ *$/d' "$file" | while read -r one; do
		install --prefer-binary "$@" "$one" || echo "tests: $one cannot be installed here"
	done
}

echo "tests: making the Python environment of $folder, once"
mkdir -p "$cache"
rm -rf "$venv"
"${PYTHON:-python3}" -m venv "$venv"
install --only-binary=:all: -r "$folder/requirements.txt"
install_each "$folder/requirements-optional.txt"
install_each "$folder/requirements-alone.txt" --no-deps
touch "$venv/complete"
