/* test_memory.c: the suite on the memory engine, without weaknesses and with all of them. */
#include "memory_engine.h"
#include "suite.h"

struct memory_case {
	struct memory_options options;
	struct cluster *cluster;
};

static void start(void *ctx, size_t dim)
{
	struct memory_case *c = ctx;

	c->options.dim = dim;
	c->options.seed++; /* not the same weaknesses in every test */
	c->cluster = cluster_new(&c->options);
}

static struct engine *open_again(void *ctx)
{
	struct memory_case *c = ctx;

	return memory_engine_open(c->cluster);
}

static void stop(void *ctx)
{
	struct memory_case *c = ctx;

	cluster_free(c->cluster);
}

/* --- of the memory engine alone ------------------------------------------------------------------------- */

/* A weakness that is never met tests nothing. */
static void test_memory__shows_every_weakness(void **state)
{
	struct memory_options o = memory_weaknesses(SUITE_DIM, 1);
	struct cluster *c = cluster_new(&o);
	struct fixture f = { .g = memory_engine_open(c), .a = arena_new(4096), .random = 1 };
	struct change ch[2] = { { .kind = RECORD_JOB, .id = "j", .body = json_of(&f, "{}") },
				{ .kind = RECORD_CASE, .id = "j", .body = json_of(&f, "{}") } };
	struct event ev = { .stream = "job/j", .expect = ENGINE_ANY, .changes = ch, .n = 2 };
	int weak = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		weak += commit_ok(&f, &ev).weak;
	struct memory_shown s = cluster_shown(c);
	assert_true(weak > 0 && s.weak > 0);
	assert_true(s.gradual > 0 && s.repeated > 0 && s.lost_applied > 0 && s.lost_unapplied > 0);
	engine_close(f.g);
	arena_free(f.a);
	cluster_free(c);
}

/* The cluster is one, however many processes are connected to it. */
static void test_memory__what_one_process_commits_the_other_finds(void **state)
{
	const struct memory_options o = { .dim = SUITE_DIM };
	struct cluster *c = cluster_new(&o);
	struct engine *one = memory_engine_open(c), *two = memory_engine_open(c);
	struct fixture f = { .g = one, .a = arena_new(4096), .random = 1 };
	struct index_query q = query_all(&f);

	(void)state;
	put_doc(&f, (struct doc){ .id = "d", .text = "apple", .vector = vector_first(&f) });
	f.g = two;
	assert_finds(&f, &q, "d");
	put_record(&f, RECORD_DOCUMENT, "d", 1, "{}");
	engine_close(two);
	f.g = one;
	assert_int_equal(get_ok(&f, RECORD_DOCUMENT, "d").revision, 2);
	engine_close(one);
	arena_free(f.a);
	cluster_free(c);
}

int main(void)
{
	struct memory_case plain = { 0 }, weak = { .options = memory_weaknesses(0, 1000) };
	const struct suite_engine engines[] = {
		{ "memory", &plain, start, open_again, stop },
		{ "memory, with all weaknesses", &weak, start, open_again, stop },
	};
	const struct CMUnitTest own[] = {
		cmocka_unit_test(test_memory__shows_every_weakness),
		cmocka_unit_test(test_memory__what_one_process_commits_the_other_finds),
	};
	int failed = 0;

	for (size_t i = 0; i < 2; i++)
		failed += suite_run(&engines[i]);
	return failed + cmocka_run_group_tests(own, NULL, NULL);
}
