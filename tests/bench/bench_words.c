/*
 * bench_words: searches by words in process, as against other engines of words.
 *
 *   build/tests/bench/bench_words WORDS.jsonl QUERIES.jsonl FOLDER [seconds]
 *
 * The files are make_data.py's. The index is built in FOLDER, merged into one segment and saved, unless
 * FOLDER has it from an earlier run. Then one thread searches for the 10 best of each query, for so many
 * seconds (3): "text", 6 to 8 content words, and "long", 60 words of running text. The time of a search
 * includes the analysis of its text. Prints JSON, times in ms.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "index/index.h"
#include "text/analyser.h"
#include "text/bag.h"

#define BATCH 500       /* documents of one change */
#define MOST_TERMS 1024 /* of a query; as engine/search.c */
#define MOST_QUERIES 4096
#define MOST_TIMES 4000000

struct queries {
	char *s[MOST_QUERIES];
	size_t n;
};

static void die(const char *what)
{
	fprintf(stderr, "bench_words: %s\n", what);
	exit(1);
}

static void check(int rc, const struct error *e)
{
	if (rc < 0)
		die(e->message);
}

static double seconds_since(int64_t from)
{
	return (double)(clock_mono_us() - from) / 1e6;
}

/* A field of the next line, the arena's; NULL at the end. */
static const char *next_text(FILE *f, const char *field, struct arena *a)
{
	char *line = NULL, *out = NULL;
	size_t room = 0;

	if (getline(&line, &room, f) > 0) {
		json_t *row = json_loads(line, 0, NULL);
		const char *s = json_string_value(json_object_get(row, field));

		if (!s)
			die("a line without the field");
		out = arena_strdup(a, s);
		if (!out)
			die("no memory");
		json_decref(row);
	}
	free(line);
	return out;
}

/* Adds at most BATCH documents. Returns how many. */
static size_t add_batch(struct index *x, FILE *f, size_t before)
{
	struct arena *a = arena_new(1 << 20);
	struct index_change c[BATCH];
	size_t n = 0;
	const char *s;
	struct error e;

	while (n < BATCH && (s = next_text(f, "text", a))) {
		struct bag *words = arena_alloc(a, sizeof(*words));

		if (!words ||
		    bag_of_texts(a, (struct text){ NULL, 0 }, (struct text){ s, strlen(s) }, words) < 0)
			die("no memory");
		c[n] = (struct index_change){ INDEX_ADD,
					      { .id = before + n + 1, .words = words, .everyone = 1 } };
		n++;
	}
	if (n)
		check(index_apply(x, before + n, c, n, &e), &e);
	arena_free(a);
	return n;
}

static int mark_of(void *arg, uint64_t seq, unsigned char mark[INDEX_MARK])
{
	(void)arg, (void)seq;
	memset(mark, 1, INDEX_MARK);
	return 0;
}

static void build(struct index *x, const char *path)
{
	FILE *f = fopen(path, "r");
	size_t all = 0, n;
	struct error e;
	int rc;

	if (!f)
		die(path);
	while ((n = add_batch(x, f, all)) > 0)
		all += n;
	fclose(f);
	while ((rc = index_maintain(x, 1, &e)) == 1)
		;
	check(rc, &e);
	check(index_save(x, mark_of, NULL, NULL, &e), &e);
}

static void read_queries(const char *path, const char *field, struct arena *a, struct queries *out)
{
	FILE *f = fopen(path, "r");
	const char *s;

	if (!f)
		die(path);
	out->n = 0;
	while (out->n < MOST_QUERIES && (s = next_text(f, field, a)))
		out->s[out->n++] = (char *)s;
	fclose(f);
	if (!out->n)
		die("no queries");
}

static size_t search(struct index *x, const char *text)
{
	struct arena *a = arena_new(1 << 16);
	struct index_query q = { .k = 10, .all_groups = 1 };
	struct index_result r;
	struct error e;
	long n = analyse_query(a, text, strlen(text), MOST_TERMS, &q.terms);

	if (n < 0)
		die("no memory");
	q.n_terms = (size_t)n;
	check(index_search(x, &q, a, &r, &e), &e);
	arena_free(a);
	return r.n;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static json_t *time_searches(struct index *x, const struct queries *q, double seconds)
{
	int64_t *took = malloc(MOST_TIMES * sizeof(*took)), began;
	size_t n = 0, hits = 0;

	if (!took)
		die("no memory");
	for (size_t i = 0; i < q->n; i++) /* what is read from disk is read */
		search(x, q->s[i]);
	began = clock_mono_us();
	while (n < MOST_TIMES && seconds_since(began) < seconds) {
		int64_t from = clock_mono_us();
		hits += search(x, q->s[n % q->n]);
		took[n++] = clock_mono_us() - from;
	}
	double all = seconds_since(began);
	qsort(took, n, sizeof(*took), by_value);
	const size_t p50 = n / 2, p99 = n * 99 / 100;
	json_t *out = json_pack("{s:I, s:f, s:f, s:f, s:f}", "n", (json_int_t)n, "hits",
				(double)hits / (double)n, "p50", (double)took[p50] / 1e3, "p99",
				(double)took[p99] / 1e3, "rate", (double)n / all);
	free(took);
	return out;
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "text", "long" };
	double seconds = argc > 4 ? strtod(argv[4], NULL) : 3;
	struct arena *a = arena_new(1 << 20);
	struct queries *q = arena_alloc(a, sizeof(*q));
	json_t *report = json_object();
	struct index_stats st;
	struct index *x;
	struct error e;

	if (argc < 4 || seconds <= 0 || !q || !report)
		die("bench_words WORDS.jsonl QUERIES.jsonl FOLDER [seconds]");
	struct index_options o = { .folder = argv[3] };
	mkdir(argv[3], 0755);
	int64_t from = clock_mono_us();
	check(index_open(&o, &x, &e), &e);
	json_object_set_new(report, "open_s", json_real(seconds_since(from)));
	if (index_seq(x) == 0) {
		from = clock_mono_us();
		build(x, argv[1]);
		json_object_set_new(report, "build_s", json_real(seconds_since(from)));
	}
	index_stats(x, &st);
	json_object_set_new(report, "documents", json_integer((json_int_t)st.entries[COLLECTION_DOCUMENT]));
	json_object_set_new(report, "segments", json_integer((json_int_t)st.segments));
	json_object_set_new(report, "bytes", json_integer((json_int_t)st.bytes));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		read_queries(argv[2], kinds[i], a, q);
		json_object_set_new(report, kinds[i], time_searches(x, q, seconds));
	}
	json_dumpf(report, stdout, JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(report);
	index_close(x);
	arena_free(a);
	return 0;
}
