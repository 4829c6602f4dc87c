/*
 * store_fixture.h: an embedded engine in a temporary folder, and small events
 * for it. Failures of the fixture itself fail the test.
 */
#ifndef READBACK_TESTS_STORE_FIXTURE_H
#define READBACK_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "embed/embed.h"
#include "engine/embedded.h"

#define STORE_DIM 8

struct store_fixture {
	char base[256]; /* a temporary folder */
	char folder[300], database[320];
	struct embedder_info embedder;
	struct embedded_options options;
	struct engine *g;
	struct arena *a;
	struct error e;
};

/* For cmocka_unit_test_setup_teardown: *state is a struct store_fixture with an open engine. */
int store_set_up(void **state);
int store_set_up_closed(void **state); /* the engine is not opened */
int store_tear_down(void **state);

void store_open(struct store_fixture *f);
void store_close(struct store_fixture *f);
void store_reopen(struct store_fixture *f);
/* The code of embedded_open, which must fail. */
int store_open_fails(struct store_fixture *f);
size_t store_verify(
	struct store_fixture *f); /* differences; the engine must be closed, or options.read_only */

/* One document of a few words, with a title row and a whole row whose vectors come from `seed`. */
struct store_doc {
	const char *id, *title, *text, *subject;
	const char *group; /* NULL: everyone */
	const char *lang;  /* a tag; NULL: none */
	int keep_rows, no_entry;
	unsigned seed;
};
struct change *store_change(struct arena *a, const struct store_doc *d);
/* Commits it as an event of stream "document/<id>"; the error code or 0. */
int store_try(struct store_fixture *f, const struct store_doc *d, int64_t expect, struct commit *out);
struct commit store_put(struct store_fixture *f, struct store_doc d);
struct commit store_delete(struct store_fixture *f, const char *id);

/* Ten events: a little of all that can happen to documents. */
void store_history(struct store_fixture *f);

/* Ids of documents that have the word, in no order; how many. */
size_t store_find(struct store_fixture *f, const char *word, const char **ids, size_t max);
int store_has(struct store_fixture *f, const char *id);

/* Runs SQL on the closed database by SQLite itself, for tests that damage it. */
void store_sql(struct store_fixture *f, const char *sql);

void remove_tree(const char *path);

#endif
