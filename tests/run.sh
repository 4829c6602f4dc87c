#!/bin/sh
# Runs tests and counts them; fails if one fails, and if a sanitizer has anything to say.
#
#   tests/run.sh BUILD [--http] [PROGRAM...]
#
# PROGRAM: a cmocka program. --http: pytest over tests/http as well, against BUILD/readback.
# From the environment: VENV (its Python), SAN (the sanitizers in BUILD), TEST_TIMEOUT
# (seconds a program may take), PYTEST_ARGS.
set -u

build=$(cd "$1" && pwd) && shift || exit 2
http=
[ "${1:-}" != --http ] || { http=1; shift; }
logs=$build/test-logs
rm -rf "$logs"
mkdir -p "$logs"
passed=0 failed=0 skipped=0 programs=0

# Sanitizers report into files: what the server says while pytest runs must not get lost.
supp=$PWD/tests/sanitize
export ASAN_OPTIONS="log_path=$logs/report:strict_string_checks=1:handle_segv=2:handle_sigbus=2:handle_sigfpe=2"
export LSAN_OPTIONS="suppressions=$supp/leak.supp:print_suppressions=0"
export UBSAN_OPTIONS="log_path=$logs/report:print_stacktrace=1"
export TSAN_OPTIONS="log_path=$logs/report:suppressions=$supp/thread.supp:second_deadlock_stack=1"

count() # LOG WORD: cmocka's number of tests under that word
{
	sed -n "s/^\[ *$2 *\] *\([^:]*: \)\{0,1\}\([0-9][0-9]*\) test(s).*/\2/p" "$1" | awk '{ n += $1 } END { print n + 0 }'
}

for program; do
	name=$(basename "$(dirname "$program")")/$(basename "$program")
	log=$logs/$(basename "$program").log
	CMOCKA_MESSAGE_OUTPUT=STDOUT timeout --kill-after=10 "${TEST_TIMEOUT:-600}" "$program" >"$log" 2>&1 </dev/null
	status=$?
	p=$(count "$log" PASSED) f=$(count "$log" FAILED) s=$(count "$log" SKIPPED)
	if [ $status = 0 ] && [ $((p + s)) = 0 ]; then
		echo "no test was run" >>"$log"
		status=1
	fi
	[ $status = 0 ] || [ "$f" != 0 ] || f=1
	printf '%-52s %4d passed' "$name" "$p"
	[ "$s" = 0 ] || printf ', %d skipped' "$s"
	[ "$f" = 0 ] || printf ', %d FAILED (exit status %d)' "$f" "$status"
	echo
	if [ "$f" != 0 ]; then
		sed '/^\[ *\(RUN\|OK\) *\]/d; s/^/    /' "$log"
	elif [ "$s" != 0 ]; then
		sed -n 's/^\[ *SKIPPED *\] \([a-z].*\)/    skipped: \1/p' "$log" | sort -u
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s)) programs=$((programs + 1))
done

if [ -n "$http" ]; then
	# What is paced by the clock tells nothing at a tenth of the speed; pytest counts it as deselected.
	paced=
	case ${SAN:-} in *thread*) paced='not paced' ;; esac
	READBACK_BIN=$build/readback HYPOTHESIS_STORAGE_DIRECTORY=$build/hypothesis PYTHONPYCACHEPREFIX=$build/pycache \
		"$VENV/bin/python" -m pytest -p no:cacheprovider -q -rs --junitxml="$logs/http.xml" \
		${paced:+-m "$paced"} ${PYTEST_ARGS:-} tests/http </dev/null
	status=$?
	attribute() { sed -n "s/.*<testsuite [^>]*$1=\"\([0-9]*\)\".*/\1/p" "$logs/http.xml" 2>/dev/null | head -n 1; }
	t=$(attribute tests) s=$(attribute skipped) f=$(($(attribute failures) + $(attribute errors)))
	[ $status = 0 ] || [ "$f" != 0 ] || f=1
	[ $status != 5 ] || echo "tests: pytest found no test"
	p=$((${t:-0} - f - ${s:-0}))
	[ $p -ge 0 ] || p=0
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + ${s:-0}))
fi

reports=$(find "$logs" -name 'report.*' -size +0 | sort)
if [ -n "$reports" ]; then
	echo "tests: sanitizer reports:"
	for r in $reports; do
		echo "--- $r"
		cat "$r"
	done
	failed=$((failed + 1))
fi

echo "tests: $passed passed, $failed failed, $skipped skipped ($programs programs${http:+ and pytest}${SAN:+, $SAN sanitizer})"
[ "$failed" = 0 ]
