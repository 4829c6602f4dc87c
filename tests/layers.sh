#!/bin/sh
# Fails on an #include that goes up a layer, into a neighbour, or to a third-party
# library from a file that is not its wrapper. Prints every such line.
#
#   tests/layers.sh [FILE...]      (from the top of the tree; default: all sources)
set -eu

[ $# -gt 0 ] || set -- $(find src index ingest datasets -name '*.[ch]' 2>/dev/null | sort)
if [ $# = 0 ]; then
	echo "layers: no sources here" >&2
	exit 1
fi

awk '
BEGIN {
	layer["src/base"] = 0
	layer["src/text"] = layer["src/embed"] = 1
	layer["src/store"] = layer["index"] = 2
	layer["src/engine"] = 3
	layer["src/learn"] = 4
	layer["src/desk"] = 5
	layer["ingest"] = layer["datasets"] = 6
	layer["src/http"] = 7
	layer["main"] = 8
	# Neighbours in a layer do not know each other, but for these.
	beside["src/embed src/text"] = beside["index src/store"] = 1

	# header (a prefix) -> the files that may include it; with "1 " in front, only one of them may
	wrapper["sqlite3"] = "^src/store/"
	wrapper["jansson.h"] = "^src/base/json[.]"
	wrapper["sodium"] = wrapper["openssl/"] = "^src/base/crypto[.]"
	wrapper["microhttpd.h"] = "^src/http/"
	wrapper["utf8proc.h"] = "^src/(text/|base/utf8[.])"
	wrapper["libstemmer.h"] = "^src/text/"
	wrapper["faiss/"] = "^index/faiss[.]"
	wrapper["zlib.h"] = "^src/base/"
	wrapper["dnnl"] = wrapper["oneapi/dnnl/"] = "1 ^src/embed/"
	wrapper["curl/"] = "^src/base/http_client[.]"
	wrapper["cmark"] = "1 "
}
function module(file) {
	if (file ~ /^src\/[^\/]+$/)
		return "main"
	if (match(file, /^(src\/[^\/]+|[^\/]+)\//))
		return substr(file, 1, RLENGTH - 1)
	return ""
}
function exists(file, line, r) {
	r = (getline line < file)
	close(file)
	return r >= 0
}
function bad(why) {
	printf "%s:%d: includes %s: %s\n", FILENAME, FNR, $0, why
	errors++
}
function check_own(to, dir, target, a, b) {
	dir = FILENAME
	sub(/[^\/]*$/, "", dir)
	if (to ~ /(^|\/)[.][.]?\//)
		return bad("name it from src/ or from the top")
	target = exists("src/" to) ? "src/" to : exists(to) ? to : dir to
	if (!exists(target))
		return bad("there is no such file")
	a = module(FILENAME)
	b = module(target)
	if (!(b in layer))
		bad("the layer of " target " is not known")
	else if (layer[b] > layer[a])
		bad("goes up, from " a " to " b)
	else if (layer[b] == layer[a] && a != b && !((a " " b) in beside))
		bad("goes aside, from " a " to " b)
}
function check_foreign(header, w, rule, first) {
	for (w in wrapper) {
		if (index(header, w) != 1)
			continue
		rule = wrapper[w]
		if (sub(/^1 /, "", rule)) {
			sub(/^oneapi\/dnnl\//, "dnnl", w)
			first = (w in only) ? only[w] : (only[w] = FILENAME)
			if (first != FILENAME)
				return bad("one file wraps it, and " first " does already")
		}
		if (FILENAME !~ rule)
			return bad("only files that match " rule " may")
		return
	}
}
FNR == 1 && !(module(FILENAME) in layer) {
	printf "%s: the layer of this folder is not known\n", FILENAME
	errors++
	nextfile
}
/^[ \t]*#[ \t]*include[ \t]*["<]/ {
	quoted = /include[ \t]*"/
	sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "")
	sub(/[">].*/, "")
	if (quoted && ($0 !~ /^(faiss|curl)\// && $0 !~ /^(sqlite3|jansson|sodium|microhttpd|utf8proc|libstemmer|cmark)[.]h$/))
		check_own($0)
	else
		check_foreign($0)
}
END {
	if (errors)
		printf "layers: %d wrong\n", errors
	else
		printf "layers: %d files, all includes go down\n", ARGC - 1
	exit errors > 0
}' "$@"
