#!/bin/sh
# FAISS with its C API, optimised for this CPU, from Debian's source package, as
# two static libraries in the user's cache folder. Debian's own binary package
# has neither the C API nor AVX code.
#
#   deps/faiss/build.sh           builds it unless it is there; prints progress
#   deps/faiss/build.sh --print   prints the folder only
#
# FAISS_PREFIX=<folder with include/ and lib/> overrides all of this.
set -eu

version=1.7.3
sha256=3e4fac26d8c9e9008ecea4ae5fc414c658998fce4ba75835058b1a71d3516002
tarball=faiss_$version.orig.tar.gz

# The name holds what the bytes depend on: this recipe and the CPU's flags.
here=$(cd "$(dirname "$0")" && pwd)
key=$({ cat "$here/build.sh"; uname -m; grep -m1 -iE '^(flags|features)' /proc/cpuinfo || :; } | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/readback
prefix=${FAISS_PREFIX:-$cache/faiss-$key}

if [ "${1:-}" = --print ]; then
	echo "$prefix"
	exit 0
fi
if [ -f "$prefix/lib/libfaiss_c.a" ] && [ -f "$prefix/lib/libfaiss.a" ]; then
	exit 0
fi
if [ -n "${FAISS_PREFIX:-}" ]; then
	echo "deps/faiss: no lib/libfaiss_c.a and lib/libfaiss.a under FAISS_PREFIX=$FAISS_PREFIX" >&2
	exit 1
fi
if ! command -v apt-get >/dev/null; then
	echo "deps/faiss: the recipe needs apt-get (Debian 12). Elsewhere build FAISS $version with" >&2
	echo "  -DFAISS_ENABLE_C_API=ON and set FAISS_PREFIX=<folder with include/ and lib/>." >&2
	exit 1
fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/faiss-tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# Apt with lists of its own: the system's sources stay as they are, and no root is needed.
mkdir -p "$work/apt/sources.d" "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
for f in /etc/apt/sources.list.d/debian.sources; do
	[ ! -f "$f" ] || sed 's/^Types:.*/Types: deb-src/' "$f" >"$work/apt/sources.d/$(basename "$f")"
done
# The older form, one line a source.
[ ! -f /etc/apt/sources.list ] || sed -n 's/^deb[[:space:]]/deb-src /p' /etc/apt/sources.list >"$work/apt/sources.d/debian.list"
if [ ! -s "$work/apt/sources.d/debian.sources" ] && [ ! -s "$work/apt/sources.d/debian.list" ]; then
	echo "deps/faiss: apt knows no Debian sources here (sources.list.d/debian.sources or sources.list)" >&2
	exit 1
fi
apt_private()
{
	apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/apt/sources.d" \
		-o Dir::State::Lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache" \
		-o Dir::State::Status=/var/lib/dpkg/status -o APT::Sandbox::User=root \
		-o Acquire::Languages=none "$@"
}
echo "deps/faiss: fetching Debian's source of FAISS $version"
apt_private update
(cd "$work" && apt_private source --download-only "faiss=$version-*" 2>/dev/null ||
	apt_private source --download-only faiss)
echo "$sha256  $work/$tarball" | sha256sum --check --quiet
mkdir "$work/src"
tar -xzf "$work/$tarball" -C "$work/src" --strip-components=1

echo "deps/faiss: building for this CPU, once (about 70 s on 2 cores)"
cmake -G Ninja -S "$work/src" -B "$work/build" \
	-DFAISS_ENABLE_GPU=OFF -DFAISS_ENABLE_PYTHON=OFF -DFAISS_ENABLE_C_API=ON \
	-DFAISS_OPT_LEVEL=generic -DBUILD_TESTING=OFF -DBUILD_SHARED_LIBS=OFF \
	-DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_BUILD_TYPE=Release \
	-DCMAKE_CXX_FLAGS="-O3 -march=native" -DBLA_VENDOR=OpenBLAS >"$work/cmake.log" 2>&1 ||
	{ cat "$work/cmake.log" >&2; exit 1; }
ninja -C "$work/build" faiss_c

# C code writes <faiss/c_api/Index_c.h>; these headers name each other relatively.
mkdir -p "$work/out/include/faiss" "$work/out/lib"
(cd "$work/src" && find c_api -name '*.h' ! -path '*/gpu/*' -exec cp --parents {} "$work/out/include/faiss" \;)
cp "$work/src/LICENSE" "$work/out/"
cp "$work/build/c_api/libfaiss_c.a" "$work/build/faiss/libfaiss.a" "$work/out/lib/"

# The rename makes it whole or absent; whoever was first keeps it.
mv -T "$work/out" "$prefix" 2>/dev/null || [ -f "$prefix/lib/libfaiss.a" ]
echo "deps/faiss: ready in $prefix"
