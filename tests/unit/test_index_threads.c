/*
 * Four threads search while one writes, one maintains and saves. What a delete
 * or a retag took away must not be answered once the call has returned.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "index/index_internal.h"
#include "index_fixture.h"

#define DIM 16
#define ENTRIES 600
#define SEARCHERS 4
#define WRITES 4000

enum { VISIBLE, FORBIDDEN, GONE };

struct shared {
	struct index *index;
	struct model *model;
	_Atomic int state[ENTRIES];      /* what is surely so: VISIBLE is "perhaps" */
	_Atomic uint64_t stamp[ENTRIES]; /* counts changes of `state` */
	_Atomic int stop, wrong;
	_Atomic long searches;
	_Atomic uint64_t seed;
};

static int match_all(void *ctx, enum collection c, const struct term *t, size_t n,
		     void (*each)(void *arg, struct word_hit hit), void *arg, struct error *e)
{
	(void)ctx, (void)c, (void)t, (void)n, (void)e;
	for (uint64_t i = 1; i <= ENTRIES; i++)
		each(arg, (struct word_hit){ i, (float)i });
	return 0;
}

static void check_one(struct shared *s, struct rng *r)
{
	static const char *const groups[] = { "tier1" };
	struct arena *a = arena_new(4096);
	struct term term = { "w0", "w0", 1 };
	struct index_result out = { 0 };
	int state[ENTRIES];
	uint64_t stamp[ENTRIES];
	float v[DIM];
	struct index_query q = { .vector = v,
				 .terms = &term,
				 .n_terms = rng_below(r, 2),
				 .groups = groups,
				 .n_groups = 1,
				 .k = 1 + rng_below(r, 40),
				 .exact = rng_below(r, 2) == 0 };

	random_unit(r, DIM, v);
	for (int i = 0; i < ENTRIES; i++) {
		stamp[i] = s->stamp[i];
		state[i] = s->state[i];
	}
	uint64_t seq = index_seq(s->index);
	if (index_search(s->index, &q, a, &out, NULL) < 0 || out.seq < seq)
		s->wrong++;
	for (size_t i = 0; i < out.n; i++) {
		size_t e = (size_t)out.hits[i].entry - 1;
		/* It was so before the search began, and nothing was done to it until now. */
		if (state[e] != VISIBLE && s->stamp[e] == stamp[e])
			s->wrong++;
	}
	s->searches++;
	arena_free(a);
}

static void *search_run(void *arg)
{
	struct shared *s = arg;
	struct rng r = { s->seed++ };

	while (!s->stop)
		check_one(s, &r);
	return NULL;
}

static void *maintain_run(void *arg)
{
	struct shared *s = arg;

	for (int i = 1; !s->stop; i++) {
		int rc = index_maintain(s->index, NULL);
		if (rc < 0 || (i % 50 == 0 && index_save(s->index, NULL) < 0))
			s->wrong++;
		struct index_stats stats;
		index_stats(s->index, &stats);
		if (rc == 0)
			usleep(1000);
	}
	return NULL;
}

static void set_state(struct shared *s, size_t i, int state)
{
	s->state[i] = state;
	s->stamp[i]++;
}

/* Applies, and says so only when it has returned; what gives a right back says so before. */
static void write_one(struct shared *s, struct rng *r, uint64_t seq)
{
	size_t i = rng_below(r, ENTRIES);
	struct model_entry *e = &s->model->entries[i];
	enum index_op op = (enum index_op)rng_below(r, 3);

	if (op == INDEX_ADD)
		model_fill(s->model, e);
	e->everyone = op != INDEX_RETAG || rng_below(r, 2);
	e->n_groups = 0;
	int visible = op == INDEX_ADD || (op == INDEX_RETAG && e->everyone);
	struct index_change c = model_change(e, op);
	if (visible)
		set_state(s, i, VISIBLE);
	if (index_apply(s->index, seq, &c, 1, NULL) < 0)
		s->wrong++;
	if (!visible)
		set_state(s, i, op == INDEX_DELETE ? GONE : FORBIDDEN);
}

static void test_threads__what_was_taken_away_is_not_answered(void **state)
{
	struct shared *s = calloc(1, sizeof(*s));
	pthread_t searchers[SEARCHERS], maintainer;
	char folder[256];
	struct rng r = { 31 };

	(void)state;
	snprintf(folder, sizeof(folder), "%s/index-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(folder));
	struct index_options o = { .folder = folder, .dim = DIM, .words = { NULL, match_all, NULL } };
	assert_int_equal(index_open(&o, &s->index, NULL), 0);
	*index_tuning(s->index) = (struct index_tuning){
		.distance = distance_best(), .exact_rows = 100, .growing_rows = 50, .slice = 16
	};
	s->model = model_new(DIM, ENTRIES, 17);
	s->seed = 23;
	for (size_t i = 0; i < ENTRIES; i++)
		s->state[i] = GONE;
	assert_int_equal(pthread_create(&maintainer, NULL, maintain_run, s), 0);
	for (int i = 0; i < SEARCHERS; i++)
		assert_int_equal(pthread_create(&searchers[i], NULL, search_run, s), 0);
	for (uint64_t seq = 1; seq <= WRITES; seq++) {
		write_one(s, &r, seq);
		if (seq % 20 == 0)
			usleep(2000);
	}
	s->stop = 1;
	for (int i = 0; i < SEARCHERS; i++)
		pthread_join(searchers[i], NULL);
	pthread_join(maintainer, NULL);
	printf("%ld searches beside %d writes\n", s->searches, WRITES);
	assert_int_equal(s->wrong, 0);
	assert_true(s->searches > 0);
	index_close(s->index);
	model_free(s->model);
	free(s);
	char path[300];
	snprintf(path, sizeof(path), "%s/documents.graph", folder);
	unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads__what_was_taken_away_is_not_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
