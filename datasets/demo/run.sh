#!/bin/sh
# Imports the demo, shows one handoff, and serves it on loopback. `make run` calls it.
#
#   datasets/demo/run.sh BIN DATADIR      PORT from the environment, 8080 without
#
# What was imported before is not imported again, nor is the learning curve drawn again; remove DATADIR to start afresh.
set -eu

[ $# = 2 ] || { echo "usage: run.sh BIN DATADIR" >&2; exit 2; }
bin=$1
data=$2
port=${PORT:-8080}
here=$(cd "$(dirname "$0")" && pwd)
url=http://127.0.0.1:$port
unset READBACK_URL READBACK_KEY READBACK_LISTEN READBACK_TENANT READBACK_EMBEDDER READBACK_DATA

# Before anything else: an import would be for nothing.
if command -v curl >/dev/null; then
	status=0
	curl -s -o "${TMPDIR:-/tmp}/readback-port.$$" --max-time 2 "$url/" || status=$?
	rm -f "${TMPDIR:-/tmp}/readback-port.$$"
	if [ "$status" != 7 ]; then # 7: nobody listens there
		echo "run.sh: port $port is taken. Name another one: make run PORT=8181" >&2
		exit 1
	fi
fi

umask 077
mkdir -p "$data"

# The order tells a story: the articles change after the resolved conversations and before the open ones.
if [ ! -e "$data/demo-imported" ]; then
	"$bin" import documents "$here/documents.ndjson" --data "$data"
	"$bin" import conversations "$here/conversations.ndjson" --data "$data"
	"$bin" import documents "$here/documents-v2.ndjson" --data "$data"
	"$bin" import conversations "$here/open.ndjson" --data "$data"
	: >"$data/demo-imported"
	# The history alone, in a folder of its own that is deleted afterwards. Nothing below depends on it.
	echo
	echo "What learning buys on this history (predicted before it is known):"
	"$bin" replay --conversations "$here/conversations.ndjson" --documents "$here/documents.ndjson" ||
		echo "run.sh: the replay failed; going on without it" >&2
fi

if [ ! -s "$data/demo-key" ]; then
	"$bin" key create --scopes bot,agent,curator,export,admin --groups '*' --data "$data" >"$data/demo-key.new" 2>/dev/null ||
		{ echo "run.sh: cannot make a key in $data" >&2; exit 1; }
	mv "$data/demo-key.new" "$data/demo-key"
fi
key=$(cat "$data/demo-key")

echo
"$bin" handoff demo-101 --data "$data"
handoff=$("$bin" handoff demo-101 --data "$data" --json | sed -n 's/.*"\(ho_[0-9a-f-]*\)".*/\1/p' | head -n 1)

cat <<END

Try it, in another terminal:

KEY=$key
HANDOFF=$handoff

# search
curl -s $url/v1/search -H "Authorization: Bearer \$KEY" -H 'Content-Type: application/json' \\
  -d '{"query":"hub is offline after I got a new router","kinds":["document","case"],"k":3}'; echo

# the open handoffs; the evidence of one, and what would be found today
curl -s "$url/v1/handoffs?state=offered" -H "Authorization: Bearer \$KEY"; echo
curl -s $url/v1/handoffs/\$HANDOFF/evidence -H "Authorization: Bearer \$KEY"; echo
curl -s "$url/v1/handoffs/\$HANDOFF/evidence?compare=now" -H "Authorization: Bearer \$KEY"; echo

# read it back: this one forgets a promise, and is told so
curl -s $url/v1/handoffs/\$HANDOFF/readback -H "Authorization: Bearer \$KEY" -H 'Content-Type: application/json' \\
  -d '{"identity":{"customer_id":"cu-1131"},"intent":"return_request",
       "unresolved_actions":["open the return of VK-20418 although the portal says R-21",
                             "confirm in writing today what the customer gets","explain the missed call"],
       "promises":["a colleague calls on Friday 7 August between 10:00 and 12:00","return possible until 10 August"]}'; echo

# resolve it: the resolution is a label at once
curl -s $url/v1/handoffs/\$HANDOFF/resolution -H "Authorization: Bearer \$KEY" -H 'Content-Type: application/json' \\
  -d '{"outcome":"resolved","intent":"return_request",
       "text":"Had told 30 days in writing, so tier 2 opened the return; confirmed the full refund by mail.",
       "steps":["Checked what the assistant had promised","Had tier 2 override R-21"],
       "evidence_used":["help-returns-window"],"bot_was_right":false,"escalation_needed":true}'; echo

# what the next customer's words mean
curl -s $url/v1/predict -H "Authorization: Bearer \$KEY" -H 'Content-Type: application/json' \\
  -d '{"text":"the portal refuses my return with R-21 but your bot said 30 days"}'; echo

Data is in $data. Ctrl-C stops the server.

END
exec "$bin" serve --data "$data" --listen "127.0.0.1:$port"
