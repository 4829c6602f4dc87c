#!/bin/sh
# Installs the Debian packages that the given lists name, if any is missing:
#   deps/setup.sh deps/apt-packages.txt
# As root, or by sudo. Without either it prints the line to run, and fails.
set -eu

wanted=$(sed 's/#.*//' "$@" | tr -s ' \n' ' ')

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "deps: not a Debian system; taking these as installed under their names here: $wanted" >&2
	exit 0
fi

missing=
# shellcheck disable=SC2086 # a list of words
have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null || :)
for package in $wanted; do
	case "
$have
" in
	*"
installed $package
"*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
	as_root='sudo -n'
elif command -v sudo >/dev/null && [ -t 0 ]; then
	as_root=sudo
else
	echo "deps: packages are missing, and there is neither root nor sudo to install them. As root, run:" >&2
	echo "  apt-get update && apt-get install -y --no-install-recommends$missing" >&2
	exit 1
fi

echo "deps: installing$missing"
# shellcheck disable=SC2086
$as_root apt-get -q update
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $missing </dev/null
