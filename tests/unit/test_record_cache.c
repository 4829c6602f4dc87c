/* test_record_cache.c: what is kept of records is never older than what was committed. */
#include "store_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "engine/record_cache.h"

#define READERS 3
#define CHANGES 400

/* --- the cache alone ------------------------------------------------------------------------------------ */

static void keep(struct record_cache *c, enum record_kind k, const char *id, uint64_t entry, uint64_t view)
{
	const struct record as = { .kind = k, .id = id };
	struct cached_record *r = cached_record_new(&as, NULL, entry, 0);

	assert_non_null(r);
	r->bytes = 1000;
	record_cache_put(c, r, view);
	cached_record_release(r);
}

static int is_kept(struct record_cache *c, enum record_kind k, uint64_t entry)
{
	struct cached_record *r = record_cache_get(c, k, entry);

	cached_record_release(r);
	return r != NULL;
}

static void a_commit_ends_what_was_read_before_it(void **state)
{
	struct record_cache *c = record_cache_new(1 << 20);

	(void)state;
	record_cache_publish(c, 5);
	assert_int_equal(record_cache_view(c), 5);
	keep(c, RECORD_DOCUMENT, "a", 1, 5);
	keep(c, RECORD_DOCUMENT, "b", 2, 5);
	assert_true(is_kept(c, RECORD_DOCUMENT, 1));
	assert_false(is_kept(c, RECORD_CASE, 1));
	record_cache_touch(c, RECORD_DOCUMENT, "a", 6);
	assert_false(is_kept(c, RECORD_DOCUMENT, 1));
	assert_true(is_kept(c, RECORD_DOCUMENT, 2));
	keep(c, RECORD_DOCUMENT, "a", 1, 5); /* a reader that is late */
	assert_false(is_kept(c, RECORD_DOCUMENT, 1));
	record_cache_publish(c, 6);
	keep(c, RECORD_DOCUMENT, "a", 1, 6);
	assert_true(is_kept(c, RECORD_DOCUMENT, 1));
	record_cache_free(c);
}

static void what_is_held_outlives_the_cache(void **state)
{
	struct record_cache *c = record_cache_new(1 << 20);

	(void)state;
	keep(c, RECORD_DOCUMENT, "a", 1, 0);
	struct cached_record *r = record_cache_get(c, RECORD_DOCUMENT, 1);
	record_cache_free(c);
	assert_string_equal(r->record.id, "a");
	cached_record_release(r);
}

static void what_was_not_asked_for_goes_first(void **state)
{
	struct record_cache *c = record_cache_new(16 *
						  3000); /* room for three of a shard, which are 16 apart */
	char id[16];

	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		snprintf(id, sizeof(id), "d-%d", (int)i);
		keep(c, RECORD_DOCUMENT, id, 16 * i, 0);
	}
	assert_true(is_kept(c, RECORD_DOCUMENT, 0));
	keep(c, RECORD_DOCUMENT, "d-3", 48, 0);
	assert_true(is_kept(c, RECORD_DOCUMENT, 0));
	assert_false(is_kept(c, RECORD_DOCUMENT, 16));
	assert_true(is_kept(c, RECORD_DOCUMENT, 32));
	assert_true(is_kept(c, RECORD_DOCUMENT, 48));
	record_cache_free(c);
}

/* --- behind an engine ------------------------------------------------------------------------------------- */

static struct record load(struct store_fixture *f, const struct rights *r, uint64_t entry)
{
	struct record *list;

	assert_int_equal(engine_load(f->g, RECORD_DOCUMENT, r, &entry, 1, f->a, &list, &f->e), 0);
	return list[0];
}

static const char *title(const struct record *r)
{
	return json_string_value(json_object_get(r->body, "title"));
}

static void each_change_shows_at_once(void **state)
{
	const char *const tier1[] = { "tier1" };
	const struct rights agent = { .groups = tier1, .n_groups = 1 };
	struct store_fixture *f = *state;

	store_put(f, (struct store_doc){ .id = "d", .title = "one" });
	for (int i = 0; i < 2; i++) {
		struct record r = load(f, &agent, 1);
		assert_string_equal(title(&r), "one");
		assert_int_equal(r.n_rows, 2);
		assert_int_equal(r.rows[1].field, ROW_WHOLE);
		assert_int_equal(r.rows[1].end, strlen("some words"));
		assert_null(r.rows[1].vector);
	}
	store_put(f, (struct store_doc){ .id = "d", .title = "two", .no_entry = 1 });
	struct record r = load(f, &agent, 1);
	assert_string_equal(title(&r), "two");
	assert_int_equal(r.revision, 2);
	store_put(f, (struct store_doc){ .id = "d", .title = "two", .keep_rows = 1, .group = "tier2" });
	assert_null(load(f, &agent, 1).id);
	assert_string_equal(load(f, NULL, 1).id, "d");
	store_put(f, (struct store_doc){ .id = "d", .title = "two", .keep_rows = 1, .group = "tier1" });
	assert_string_equal(load(f, &agent, 1).id, "d");
	store_delete(f, "d");
	assert_null(load(f, NULL, 1).id);
}

/* --- in one view, never going back -------------------------------------------------------------------------- */

struct pair {
	struct store_fixture *f;
	atomic_int acknowledged, done;
	atomic_int torn, old, reads;
};

static void *read_both(void *arg)
{
	struct pair *p = arg;
	const uint64_t entries[] = { 1, 2 };

	while (!atomic_load(&p->done)) {
		struct arena *a = arena_new(4096);
		struct error e = { 0 };
		struct record *r;
		int before = atomic_load(&p->acknowledged);
		if (engine_load(p->f->g, RECORD_DOCUMENT, NULL, entries, 2, a, &r, &e) < 0 || !r[0].id ||
		    !r[1].id) {
			atomic_fetch_add(&p->torn, 1);
		} else {
			atomic_fetch_add(&p->torn, strcmp(title(&r[0]), title(&r[1])) != 0);
			atomic_fetch_add(&p->old, atoi(title(&r[0])) < before);
		}
		atomic_fetch_add(&p->reads, 1);
		arena_free(a);
	}
	return NULL;
}

/* Both documents get the same title, in one event. */
static void change_both(struct store_fixture *f, int n)
{
	struct arena *a = arena_new(4096);
	const char *t = arena_printf(a, "%d", n);
	const struct change both[] = {
		*store_change(a, &(struct store_doc){ .id = "a", .title = t, .no_entry = n > 0 }),
		*store_change(a, &(struct store_doc){ .id = "b", .title = t, .no_entry = n > 0 }),
	};
	const struct event ev = {
		.stream = "document/a", .expect = ENGINE_ANY, .kind = "put", .changes = both, .n = 2
	};
	struct commit c;

	assert_int_equal(engine_commit(f->g, &ev, &c, &f->e), 0);
	arena_free(a);
}

static void two_of_one_event_change_together(void **state)
{
	struct pair p = { .f = *state };
	pthread_t t[READERS];

	change_both(p.f, 0);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, read_both, &p), 0);
	for (int n = 1; n <= CHANGES; n++) {
		change_both(p.f, n);
		atomic_store(&p.acknowledged, n);
	}
	atomic_store(&p.done, 1);
	for (int i = 0; i < READERS; i++)
		pthread_join(t[i], NULL);
	print_message("%d reads\n", atomic_load(&p.reads));
	assert_int_equal(p.torn, 0);
	assert_int_equal(p.old, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_commit_ends_what_was_read_before_it),
		cmocka_unit_test(what_is_held_outlives_the_cache),
		cmocka_unit_test(what_was_not_asked_for_goes_first),
		cmocka_unit_test_setup_teardown(each_change_shows_at_once, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(two_of_one_event_change_together, store_set_up,
						store_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
