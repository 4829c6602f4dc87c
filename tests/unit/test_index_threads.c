/*
 * Eight threads: four search, two write, delete and retag, one merges, one
 * saves. What a delete or a retag took away must not be answered once the call
 * has returned; what was put or given back must be found from then on.
 *
 * READBACK_SOAK=SECONDS: for so long instead of for some thousand writes.
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
#include "base/clock.h"
#include "index/index_internal.h"
#include "index_fixture.h"

#define DIM 16
#define ENTRIES 600
#define SEARCHERS 4
#define WRITERS 2
#define WRITES 4000

enum { PERHAPS, VISIBLE, FORBIDDEN, GONE };

struct shared {
	struct index *index;
	struct model *model;
	_Atomic int state[ENTRIES];      /* what is surely so, but for PERHAPS */
	_Atomic uint64_t stamp[ENTRIES]; /* counts changes of `state` */
	_Atomic int stop, wrong;
	pthread_mutex_t writing; /* index_apply is for one at a time */
	uint64_t writes;
	int64_t until; /* 0: WRITES */
	_Atomic long searches;
	_Atomic uint64_t seed;
};

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
	int all = rng_below(r, 4) == 0; /* a list of all that is allowed */
	char found[ENTRIES] = { 0 };

	random_unit(r, DIM, v);
	if (all) {
		q.vector = NULL;
		q.n_terms = 0;
		q.k = ENTRIES;
	}
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
		if (state[e] > VISIBLE && s->stamp[e] == stamp[e])
			s->wrong++;
		found[e] = 1;
	}
	for (size_t e = 0; all && e < ENTRIES; e++)
		if (!found[e] && state[e] == VISIBLE && s->stamp[e] == stamp[e])
			s->wrong++;
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
		int rc = index_maintain(s->index, i % 10 == 0, NULL);
		if (rc < 0)
			s->wrong++;
		if (rc == 0)
			usleep(1000);
	}
	return NULL;
}

static void *save_run(void *arg)
{
	struct shared *s = arg;

	while (!s->stop) {
		struct index_stats stats;
		if (index_save(s->index, NULL, NULL, NULL, NULL) < 0)
			s->wrong++;
		index_stats(s->index, &stats);
		usleep(20000);
	}
	return NULL;
}

static void set_state(struct shared *s, size_t i, int state)
{
	s->state[i] = state;
	s->stamp[i]++;
}

/* What was sure is not while it changes. */
static void write_one(struct shared *s, struct rng *r)
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
	int was_there = s->state[i] != GONE;
	set_state(s, i, PERHAPS);
	if (index_apply(s->index, ++s->writes, &c, 1, NULL) < 0)
		s->wrong++;
	if (!visible || (op == INDEX_RETAG && !was_there)) /* nothing to retag */
		set_state(s, i, op == INDEX_DELETE || !was_there ? GONE : FORBIDDEN);
	else
		set_state(s, i, VISIBLE);
}

static void *write_run(void *arg)
{
	struct shared *s = arg;
	struct rng r = { s->seed++ };
	int more = 1;

	while (more) {
		pthread_mutex_lock(&s->writing);
		more = s->until ? clock_mono_us() < s->until : s->writes < WRITES;
		if (more)
			write_one(s, &r);
		pthread_mutex_unlock(&s->writing);
		if (rng_below(&r, 10) == 0)
			usleep(2000);
	}
	return NULL;
}

static void test_threads__what_is_acknowledged_holds_for_every_search(void **state)
{
	struct shared *s = calloc(1, sizeof(*s));
	pthread_t searchers[SEARCHERS], writers[WRITERS], maintainer, saver;
	const char *soak = getenv("READBACK_SOAK");
	char folder[256];

	(void)state;
	snprintf(folder, sizeof(folder), "%s/index-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(folder));
	struct index_options o = { .folder = folder, .dim = DIM };
	assert_int_equal(index_open(&o, &s->index, NULL), 0);
	struct index_tuning *t = index_tuning(s->index);
	t->scan_rows = t->links_rows = 100;
	t->large_rows = 200;
	t->small_docs = 64;
	t->merge_docs = 128;
	s->model = model_new(DIM, ENTRIES, 17);
	s->seed = 23;
	s->until = soak ? clock_mono_us() + strtol(soak, NULL, 10) * 1000000 : 0;
	pthread_mutex_init(&s->writing, NULL);
	for (size_t i = 0; i < ENTRIES; i++)
		s->state[i] = GONE;
	assert_int_equal(pthread_create(&maintainer, NULL, maintain_run, s), 0);
	assert_int_equal(pthread_create(&saver, NULL, save_run, s), 0);
	for (int i = 0; i < SEARCHERS; i++)
		assert_int_equal(pthread_create(&searchers[i], NULL, search_run, s), 0);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&writers[i], NULL, write_run, s), 0);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	s->stop = 1;
	for (int i = 0; i < SEARCHERS; i++)
		pthread_join(searchers[i], NULL);
	pthread_join(maintainer, NULL);
	pthread_join(saver, NULL);
	printf("%ld searches beside %llu writes\n", s->searches, (unsigned long long)s->writes);
	assert_int_equal(s->wrong, 0);
	assert_true(s->searches > 0);
	index_close(s->index);
	model_free(s->model);
	free(s);
	char command[300];
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads__what_is_acknowledged_holds_for_every_search),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
