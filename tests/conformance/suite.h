/*
 * suite.h: what callers rely on in an engine, as tests that every engine
 * passes. engine.h says it; where it leaves something open, the name of the
 * test says what was decided.
 *
 * Commits go through commit_try(): an answer that was lost (ERR_REMOTE) is
 * asked for again with the same event id, as every caller must.
 */
#ifndef READBACK_TESTS_SUITE_H
#define READBACK_TESTS_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "engine/engine.h"

#define SUITE_DIM 16

/* An engine that is to be tested. */
struct suite_engine {
	const char *name;
	void *ctx;
	void (*start)(void *ctx, size_t dim); /* makes an empty store */
	struct engine *(*open)(void *ctx); /* opens it; again after engine_close(), with all that was in it */
	void (*stop)(void *ctx);           /* takes the store away; the engine is closed */
};

/* Runs all tests; the number of those that failed. */
int suite_run(const struct suite_engine *u);

/* --- what a test has ------------------------------------------------------------------------------------ */

struct fixture {
	const struct suite_engine *under;
	struct engine *g;
	struct arena *a;
	struct error e;
	uint64_t random;
	uint64_t seed; /* of a test by chance, and the step that it is at: printed when it fails */
	size_t step;
	void (*clean)(void *arg); /* called when the test ends, in whatever way */
	void *clean_arg;
};

/* Closes and opens again. */
void fixture_reopen(struct fixture *f);

uint64_t random_next(uint64_t *state);
size_t random_below(uint64_t *state, size_t n);

/* Unit vectors: by chance; (1, 0, 0 …); and one whose inner product with the latter is `s`. */
const float *vector_random(struct fixture *f);
const float *vector_first(struct fixture *f);
const float *vector_near(struct fixture *f, float s);
void vector_fill(uint64_t *random, float *v, size_t dim);

json_t *json_of(struct fixture *f, const char *text); /* the arena's */
struct text text_from(const char *s);                 /* NULL: none */
char *text_long(struct fixture *f, size_t n);         /* n bytes of words */

/* Commits, again while the answer is lost. The id is made if it is NULL. Any thread. */
int commit_try(struct engine *g, struct event *ev, struct commit *out, struct error *e);
struct commit commit_ok(struct fixture *f, struct event *ev);
int commit_code(struct fixture *f, struct event *ev); /* the error, 0 if there was none */

/* An event of one put. */
struct commit put_record(struct fixture *f, enum record_kind k, const char *id, int64_t expect,
			 const char *body);
struct commit delete_record(struct fixture *f, enum record_kind k, const char *id);
const char *stream_name(struct arena *a, enum record_kind k, const char *id); /* "document/help-12" */

/* A document with its entry: one row (whole), unless `rows` are given. */
struct doc {
	const char *id, *title, *text;
	const float *vector;
	const struct entry_row *rows;
	size_t n_rows;
	const char *groups; /* separated by spaces; NULL: everyone; "": nobody */
	const char *tags;   /* a JSON object of strings, numbers, booleans and arrays of them; NULL: none */
	int keep_rows;
};
const struct change *doc_change(struct arena *a, const struct doc *d);
struct commit put_doc(struct fixture *f, struct doc d);

struct record get_ok(struct fixture *f, enum record_kind k, const char *id);
int is_there(struct fixture *f, enum record_kind k, const char *id);
int64_t revision_of(struct fixture *f, const char *stream);
void assert_body(const json_t *body, const char *text);

/* Documents, everyone's groups, k 100, by vector_first() unless the caller changes it. */
struct index_query query_all(struct fixture *f);
void query_words(struct fixture *f, struct index_query *q, const char *words);
struct index_result search_ok(struct fixture *f, const struct index_query *q);
/* Ids of the records found, sorted and separated by spaces. */
const char *found_ids(struct fixture *f, const struct index_query *q);
#define assert_finds(f, q, ids) assert_string_equal(found_ids((f), (q)), (ids))
const struct index_hit *hit_of(struct fixture *f, const struct index_result *r, const char *id);
const char *id_of_entry(struct fixture *f, enum record_kind k, uint64_t entry); /* NULL: dead */

/* Ids of a scan, in its order. */
const char *scan_ids(struct fixture *f, const struct scan *s);

/* --- the lists of tests, one a file ------------------------------------------------------------------------ */

struct suite_test {
	const char *name;
	CMUnitTestFunction run;
};
#define SUITE_TEST(f) \
	{             \
#f, f \
	}

extern const struct suite_test suite_commits[], suite_records[], suite_scans[], suite_search[],
	suite_filters[], suite_reopen[], suite_threads[], suite_random[];

#endif
