/*
 * suite_random.c: random operations on the engine and on a model beside it:
 * the memory engine without weaknesses. Both must always answer the same.
 * READBACK_SEED chooses another seed than the one that is printed on failure.
 */
#include "suite.h"

#include <math.h>

#include "base/uuid.h"
#include "memory_engine.h"

#define STEPS 2000
#define IDS 30
#define SEQS (STEPS + 1)
#define SAME(x, y) assert_int_equal((x), (y))

struct world {
	struct fixture *f;
	struct engine *g[2]; /* the engine, the model */
	struct cluster *model;
	struct arena *a; /* of one step */
	uint64_t random;
	uint64_t seq[SEQS][2]; /* of each event, in both; seq[0] is 0 */
	size_t n_seqs;
	struct event past[16]; /* some that were committed; they live in f->a */
};

static size_t below(struct world *w, size_t n)
{
	return random_below(&w->random, n);
}

static int chance(struct world *w, size_t percent)
{
	return below(w, 100) < percent;
}

/* --- making things up -------------------------------------------------------------------------------------- */

/* Words that Porter's stemmer and Snowball's agree on. */
static const char *const vocabulary[] = { "router", "cable",  "invoice", "refund", "password", "screen",
					  "order",  "charge", "letter",  "camera", "window",   "garden" };
#define VOCABULARY 12

static const char *any_word(struct world *w)
{
	return vocabulary[below(w, VOCABULARY)];
}

static const char *any_words(struct world *w, struct arena *a, size_t max)
{
	const char *s = "";

	for (size_t n = below(w, max + 1); n > 0; n--)
		s = arena_printf(a, "%s%s%s", s, *s ? " " : "", any_word(w));
	return s;
}

static const float *any_vector(struct world *w, struct arena *a)
{
	float *v = arena_alloc(a, SUITE_DIM * sizeof(*v));

	vector_fill(&w->random, v, SUITE_DIM);
	return v;
}

static const char *any_groups(struct world *w)
{
	static const char *const groups[] = { NULL, NULL, "", "a", "b", "a b", "c" };

	return groups[below(w, 7)];
}

static const char *any_tags(struct world *w, struct arena *a)
{
	static const char *const langs[] = { "\"en\"", "\"de\"", "[\"en\",\"fr\"]", "3", "true" };

	if (chance(w, 15))
		return NULL;
	return arena_printf(a, "{\"lang\":%s,\"n\":%zu,\"hot\":%s%s}", langs[below(w, 5)], below(w, 10),
			    chance(w, 50) ? "true" : "false", chance(w, 50) ? ",\"extra\":[\"x\",1.5]" : "");
}

static const char *any_id(struct world *w)
{
	return arena_printf(w->f->a, "d/%zu", below(w, IDS));
}

static const struct entry_row *any_rows(struct world *w, struct arena *a, size_t *n)
{
	struct entry_row *r = arena_alloc(a, 5 * sizeof(*r));

	*n = below(w, 6);
	for (size_t i = 0; i < *n; i++)
		r[i] = (struct entry_row){ .field = (enum row_field)below(w, 5),
					   .n = (uint32_t)i,
					   .start = i,
					   .end = 2 * i,
					   .vector = chance(w, 90) ? any_vector(w, a) : NULL };
	return r;
}

static const struct change *any_change(struct world *w, const char *id)
{
	struct arena *a = w->f->a;
	struct doc d = {
		.id = id, .groups = any_groups(w), .tags = any_tags(w, a), .keep_rows = chance(w, 25)
	};
	struct change *ch = arena_alloc(a, sizeof(*ch));
	const char *source = arena_printf(a, "s%zu", below(w, 3));

	d.title = chance(w, 70) ? any_words(w, a, 3) : NULL;
	d.text = chance(w, 80) ? any_words(w, a, 9) : NULL;
	d.rows = any_rows(w, a, &d.n_rows);
	*ch = *doc_change(a, &d);
	ch->subject = chance(w, 50) ? "somebody" : NULL;
	json_object_set_new(ch->body, "source", json_string(source));
	json_object_set_new(ch->body, "x", json_integer((json_int_t)below(w, 1000)));
	if (chance(w, 15))
		ch->entry = NULL;
	if (chance(w, 20))
		*ch = (struct change){ .kind = RECORD_DOCUMENT, .id = id };
	return ch;
}

/* --- writing to both ------------------------------------------------------------------------------------------ */

static size_t same_event(struct world *w, uint64_t seq, int which)
{
	for (size_t i = 0; i < w->n_seqs; i++)
		if (w->seq[i][which] == seq)
			return i;
	fail_msg("seq %lu was never given", (unsigned long)seq);
	return 0;
}

static void commit_both(struct world *w, struct event *ev)
{
	struct commit c[2] = { 0 };
	struct error e[2];
	int rc[2];

	for (int i = 0; i < 2; i++)
		rc[i] = commit_try(w->g[i], ev, &c[i], &e[i]);
	SAME(rc[0], rc[1]);
	if (rc[0] < 0)
		return;
	SAME(c[0].revision, c[1].revision);
	for (size_t i = 0; i < w->n_seqs; i++)
		if (w->seq[i][1] == c[1].seq) {
			SAME(w->seq[i][0], c[0].seq); /* redelivered */
			return;
		}
	assert_true(c[0].seq > w->seq[w->n_seqs - 1][0]);
	w->seq[w->n_seqs][0] = c[0].seq;
	w->seq[w->n_seqs++][1] = c[1].seq;
	w->past[below(w, 16)] = *ev;
}

static struct event any_event(struct world *w, const char *stream, const struct change *ch, size_t n)
{
	char *id = arena_alloc(w->f->a, UUID_TEXT);
	int64_t at = 0;

	uuid_v7(id);
	assert_int_equal(engine_revision(w->g[1], stream, &at, &w->f->e), 0);
	return (struct event){ .id = id,
			       .stream = stream,
			       .expect = chance(w, 75)   ? at
					 : chance(w, 50) ? ENGINE_ANY
							 : (int64_t)below(w, 8),
			       .kind = "test.changed",
			       .principal = "key-1",
			       .agent = "agent-1",
			       .at = 1700000000000 + (int64_t)below(w, 1000000),
			       .changes = ch,
			       .n = n };
}

static void step_document(struct world *w)
{
	const char *id = any_id(w);
	struct event ev = any_event(w, stream_name(w->f->a, RECORD_DOCUMENT, id), any_change(w, id), 1);

	commit_both(w, &ev);
}

/* A conversation, turns and an example in one event. */
static void step_conversation(struct world *w)
{
	struct arena *a = w->f->a;
	struct change *ch = arena_alloc(a, 4 * sizeof(*ch));
	const char *id = arena_printf(a, "c%zu", below(w, 5));

	for (int i = 0; i < 2; i++)
		ch[i] = (struct change){ .kind = RECORD_TURN,
					 .id = turn_id(a, id, (uint32_t)below(w, 20)),
					 .body = json_keep(a, json_pack("{s:s}", "conversation", id)),
					 .text = text_from(any_words(w, a, 4)) };
	ch[2] = *any_change(w, arena_printf(a, "%s/example", id));
	ch[2].kind = RECORD_EXAMPLE;
	ch[3] = (struct change){ .kind = RECORD_CONVERSATION, .id = id, .body = json_keep(a, json_object()) };
	if (strcmp(ch[0].id, ch[1].id) == 0)
		ch[1].id = turn_id(a, id, 99);
	struct event ev = any_event(w, stream_name(a, RECORD_CONVERSATION, id), ch, 4);
	commit_both(w, &ev);
}

static void step_redelivery(struct world *w)
{
	struct event *ev = &w->past[below(w, 16)];

	if (ev->id)
		commit_both(w, ev);
}

/* --- reading from both ------------------------------------------------------------------------------------------ */

static void same_text(struct text x, struct text y)
{
	SAME(!x.s, !y.s);
	SAME(x.n, y.n);
	if (x.s)
		assert_memory_equal(x.s, y.s, x.n);
}

static void same_record(struct world *w, const struct record *x, const struct record *y)
{
	SAME(!x->id, !y->id);
	if (!x->id)
		return;
	assert_string_equal(x->id, y->id);
	assert_string_equal(x->subject, y->subject);
	SAME(x->kind, y->kind);
	SAME(x->revision, y->revision);
	SAME(same_event(w, x->created, 0), same_event(w, y->created, 1));
	SAME(same_event(w, x->changed, 0), same_event(w, y->changed, 1));
	SAME(x->created_at, y->created_at);
	SAME(x->changed_at, y->changed_at);
	same_text(x->text, y->text);
	assert_true(json_equal(x->body, y->body));
}

static void step_get(struct world *w)
{
	struct record r[2] = { 0 };
	const char *id = any_id(w);
	int64_t revision[2];
	int rc[2];

	for (int i = 0; i < 2; i++) {
		rc[i] = engine_get(w->g[i], RECORD_DOCUMENT, id, w->a, &r[i], &w->f->e);
		SAME(engine_revision(w->g[i], stream_name(w->a, RECORD_DOCUMENT, id), &revision[i], &w->f->e),
		     0);
	}
	SAME(rc[0], rc[1]);
	SAME(revision[0], revision[1]);
	same_record(w, &r[0], &r[1]);
}

static void step_rows(struct world *w)
{
	struct entry_row *r[2];
	size_t n[2];
	const char *id = any_id(w);

	for (int i = 0; i < 2; i++)
		SAME(engine_rows(w->g[i], RECORD_DOCUMENT, id, w->a, &r[i], &n[i], &w->f->e), 0);
	SAME(n[0], n[1]);
	for (size_t i = 0; i < n[0]; i++) {
		SAME(r[0][i].field, r[1][i].field);
		SAME(r[0][i].n, r[1][i].n);
		SAME(r[0][i].start, r[1][i].start);
		SAME(r[0][i].end, r[1][i].end);
		SAME(!r[0][i].vector, !r[1][i].vector);
		if (r[0][i].vector)
			assert_memory_equal(r[0][i].vector, r[1][i].vector, SUITE_DIM * sizeof(float));
	}
}

/* Two pages. */
static void step_scan(struct world *w)
{
	int turns = chance(w, 30);
	struct scan s = { .kind = turns ? RECORD_TURN : RECORD_DOCUMENT,
			  .limit = 1 + below(w, 20),
			  .newest_first = chance(w, 50) };
	size_t at = chance(w, 30) ? below(w, w->n_seqs) : 0;
	struct record *r[2];
	size_t n[2];

	if (chance(w, 50)) {
		s.field[0] = turns ? "conversation" : "source";
		s.value[0] = arena_printf(w->a, "%c%zu", turns ? 'c' : 's', below(w, 5));
	}
	if (chance(w, 30))
		s.created_from = 1700000000000 + (int64_t)below(w, 1000000);
	if (chance(w, 30))
		s.created_to = 1700000000000 + (int64_t)below(w, 1000000);
	for (int page = 0; page < 2; page++) {
		for (int i = 0; i < 2; i++) {
			struct scan own = s;
			own.at = w->seq[at][i];
			if (page > 0) {
				own.after = r[i][n[i] - 1].created;
				own.after_id = r[i][n[i] - 1].id;
			}
			SAME(engine_scan(w->g[i], &own, w->a, &r[i], &n[i], &w->f->e), 0);
		}
		SAME(n[0], n[1]);
		for (size_t i = 0; i < n[0]; i++)
			same_record(w, &r[0][i], &r[1][i]);
		if (!n[0])
			break;
	}
}

/* --- searching both ----------------------------------------------------------------------------------------------- */

static struct index_filter *any_filter(struct world *w, int depth)
{
	static const char *const keys[] = { "lang", "n", "hot", "extra" };
	static const char *const strings[] = { "en", "de", "fr", "x" };
	struct index_filter *f = arena_alloc(w->a, sizeof(*f));
	struct index_value *v = arena_alloc(w->a, 3 * sizeof(*v));
	struct index_filter *children = arena_alloc(w->a, 2 * sizeof(*children));

	if (depth > 0 && chance(w, 40)) {
		for (int i = 0; i < 2; i++)
			children[i] = *any_filter(w, depth - 1);
		*f = (struct index_filter){ .op = chance(w, 50) ? FILTER_AND : FILTER_OR,
					    .children = children,
					    .n_children = 2 };
		return f;
	}
	*f = (struct index_filter){ .op = (enum filter_op)(FILTER_EQ + below(w, 8)),
				    .key = keys[below(w, 4)],
				    .values = v };
	f->n_values = f->op == FILTER_IN || f->op == FILTER_NIN ? below(w, 4) : 1;
	for (size_t i = 0; i < f->n_values; i++) {
		v[i].type = (enum value_type)below(w, f->op >= FILTER_GT && f->op <= FILTER_LTE ? 2 : 3);
		v[i].s = text_from(strings[below(w, 4)]);
		v[i].number = v[i].type == VALUE_BOOL ? (double)below(w, 2) : (double)below(w, 10);
	}
	return f;
}

static const char *any_match(struct world *w)
{
	const char *x = any_word(w), *y = any_word(w);

	switch (below(w, 7)) {
	case 0:
		return arena_printf(w->a, "%s AND %s", x, y);
	case 1:
		return arena_printf(w->a, "%s OR title:%s", x, y);
	case 2:
		return arena_printf(w->a, "%s NOT %s", x, y);
	case 3:
		return arena_printf(w->a, "\"%s %s\"", x, y);
	case 4:
		return arena_printf(w->a, "(%s OR %s) NOT refund", x, y);
	case 5:
		return arena_printf(w->a, "%.3s* OR %s", x, y);
	default:
		return x;
	}
}

static struct index_query any_query(struct world *w)
{
	static const char *const groups[] = { "a", "b", "c" };
	static const size_t ks[] = { 1, 3, 10, 100 };
	struct index_query q = { .collection = chance(w, 85) ? COLLECTION_DOCUMENT : COLLECTION_EXAMPLE,
				 .all_groups = chance(w, 40),
				 .groups = groups,
				 .n_groups = below(w, 4),
				 .k = ks[below(w, 4)],
				 .exact = chance(w, 30) };

	if (chance(w, 70))
		q.vector = any_vector(w, w->a);
	if (!q.vector || chance(w, 60)) {
		const char *words = arena_printf(w->a, "%s %s", any_word(w), any_words(w, w->a, 4));
		q.n_terms = (size_t)analyse_query(w->a, words, strlen(words), 8, &q.terms);
	}
	if (chance(w, 40))
		q.filter = any_filter(w, 2);
	if (chance(w, 30))
		q.match = any_match(w);
	return q;
}

static int near(double x, double y)
{
	return (isnan(x) && isnan(y)) || fabs(x - y) <= 1e-5 + 1e-4 * fabs(y);
}

static const struct index_hit *hit_named(const struct index_result *r, struct record *const named,
					 const char *id)
{
	for (size_t i = 0; i < r->n; i++)
		if (named[i].id && strcmp(named[i].id, id) == 0)
			return &r->hits[i];
	return NULL;
}

static void same_hit(const struct index_hit *x, const struct index_hit *y)
{
	SAME(!x->vector_rank, !y->vector_rank);
	SAME(!x->words_rank, !y->words_rank);
	assert_true(near((double)x->words, (double)y->words));
	if (!x->vector_rank)
		return;
	assert_true(near((double)x->vector, (double)y->vector));
	assert_true(near((double)x->title, (double)y->title));
	assert_true(near((double)x->whole, (double)y->whole));
	assert_true(near((double)x->chunk, (double)y->chunk));
	SAME(x->row_field, y->row_field);
	SAME(x->row_n, y->row_n);
}

/* Of how many in r `hit` is not among the best k, by a clear margin. */
static size_t better(const struct index_result *r, const struct index_hit *hit, int by_words)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct index_hit *h = &r->hits[i];
		if (by_words)
			n += h->words_rank && h->words > hit->words - 1e-5f;
		else
			n += h->vector_rank && h->vector > hit->vector - 1e-5f;
	}
	return n - 1; /* itself */
}

static void check_ranks(const struct index_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		for (size_t j = 0; j < r->n; j++) {
			const struct index_hit *x = &r->hits[i], *y = &r->hits[j];
			if (x->vector_rank && y->vector_rank && x->vector > y->vector)
				assert_true(x->vector_rank < y->vector_rank);
			if (x->words_rank && y->words_rank && x->words > y->words)
				assert_true(x->words_rank < y->words_rank);
		}
}

static struct record *load_hits(struct world *w, int which, const struct index_query *q,
				const struct index_result *r)
{
	struct rights rights = { .all_groups = q->all_groups, .groups = q->groups, .n_groups = q->n_groups };
	enum record_kind k = q->collection == COLLECTION_DOCUMENT ? RECORD_DOCUMENT : RECORD_EXAMPLE;
	uint64_t *entries = arena_alloc(w->a, (r->n + 1) * sizeof(*entries));
	struct record *out;

	for (size_t i = 0; i < r->n; i++)
		entries[i] = r->hits[i].entry;
	SAME(engine_load(w->g[which], k, &rights, entries, r->n, w->a, &out, &w->f->e), 0);
	for (size_t i = 0; i < r->n; i++)
		assert_non_null(out[i].id);
	return out;
}

/* The model tells of all that is allowed; the engine must have the best k of each source among its hits. */
static void step_search(struct world *w)
{
	struct index_query q = any_query(w), all = q;
	struct index_result r[2];

	all.k = 1000;
	SAME(engine_search(w->g[0], &q, w->a, &r[0], &w->f->e), 0);
	SAME(engine_search(w->g[1], &all, w->a, &r[1], &w->f->e), 0);
	SAME(r[0].allowed, r[1].allowed);
	struct record *have = load_hits(w, 0, &q, &r[0]), *want = load_hits(w, 1, &q, &r[1]);
	size_t by_vector = 0, by_words = 0;
	for (size_t i = 0; i < r[0].n; i++) {
		const struct index_hit *h = hit_named(&r[1], want, have[i].id);
		assert_non_null(h);
		same_hit(&r[0].hits[i], h);
	}
	for (size_t i = 0; i < r[1].n; i++) {
		const struct index_hit *h = &r[1].hits[i], *found = hit_named(&r[0], have, want[i].id);
		by_vector += h->vector_rank > 0;
		by_words += h->words_rank > 0;
		if ((h->vector_rank && better(&r[1], h, 0) < q.k) ||
		    (h->words_rank && better(&r[1], h, 1) < q.k))
			assert_non_null(found);
		if (found)
			same_record(w, &have[hit_named(&r[0], have, want[i].id) - r[0].hits], &want[i]);
	}
	assert_true(r[0].n <= 2 * q.k);
	SAME(r[0].exhausted, by_vector <= q.k && by_words <= q.k);
	check_ranks(&r[0]);
}

/* --- the walk --------------------------------------------------------------------------------------------------------- */

static void same_status(struct world *w)
{
	struct engine_status s[2];

	for (int i = 0; i < 2; i++)
		SAME(engine_status(w->g[i], w->a, &s[i], &w->f->e), 0);
	assert_memory_equal(s[0].records, s[1].records, sizeof(s[0].records));
	assert_memory_equal(s[0].index.entries, s[1].index.entries, sizeof(s[0].index.entries));
	SAME(same_event(w, s[0].seq, 0), same_event(w, s[1].seq, 1));
}

static void step(struct world *w, size_t n)
{
	size_t what = below(w, 100);

	if (n % 500 == 499) {
		fixture_reopen(w->f);
		w->g[0] = w->f->g;
	}
	if (what < 35)
		step_document(w);
	else if (what < 42)
		step_conversation(w);
	else if (what < 46)
		step_redelivery(w);
	else if (what < 58)
		step_get(w);
	else if (what < 63)
		step_rows(w);
	else if (what < 75)
		step_scan(w);
	else if (what < 98)
		step_search(w);
	else
		same_status(w);
}

static void close_world(void *arg)
{
	struct world *w = arg;

	if (w->a != w->f->a)
		arena_free(w->a);
	engine_close(w->g[1]);
	cluster_free(w->model);
}

static uint64_t chosen_seed(void)
{
	const char *s = getenv("READBACK_SEED");

	return s && *s ? strtoull(s, NULL, 10) : 1;
}

static void test_random__operations_answer_as_the_model_does(void **state)
{
	struct fixture *f = *state;
	const struct memory_options model = { .dim = SUITE_DIM };
	struct world *w = arena_alloc(f->a, sizeof(*w));
	uint64_t seed = chosen_seed();

	*w = (struct world){ .f = f, .model = cluster_new(&model), .random = seed, .n_seqs = 1 };
	w->g[0] = f->g;
	w->g[1] = memory_engine_open(w->model);
	f->clean = close_world;
	f->clean_arg = w;
	for (size_t i = 0; i < STEPS; i++) {
		f->seed = seed;
		f->step = i + 1;
		w->a = arena_new(1 << 14);
		step(w, i);
		arena_free(w->a);
	}
	w->a = f->a;
	same_status(w);
	f->step = 0;
}

const struct suite_test suite_random[] = {
	SUITE_TEST(test_random__operations_answer_as_the_model_does),
	{ NULL, NULL },
};
