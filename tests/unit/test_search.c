#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "engine/search.h"

#define DIM 3
#define MAX_ITEMS 1200

/* --- an engine of a few items in memory: scans all, and can be behind with permissions --------- */

struct item {
	enum collection kind;
	char id[24];
	json_t *body; /* owned */
	const char *text;
	float vector[DIM]; /* all zero: none */
	enum row_field field;
	uint32_t n;
	const struct entry_row *rows;
	size_t n_rows;
};

struct fake {
	struct item items[MAX_ITEMS]; /* entry = index + 1 */
	size_t n;
	json_t *turns; /* array of bodies, owned */
	int searches;
	size_t last_k, first_right, last_right;
	const char *unknown_key;
	int lost_turn;
};

static float dot(const float *a, const float *b)
{
	float s = 0;

	for (int i = 0; i < DIM; i++)
		s += a[i] * b[i];
	return s;
}

static float words_of(struct arena *a, const char *text, const struct term *terms, size_t n)
{
	const struct token *t;
	long count = analyse_text(a, text, strlen(text), &t);
	float score = 0;

	for (long i = 0; i < count; i++)
		for (size_t k = 0; k < n; k++)
			score += strcmp(t[i].stem, terms[k].stem) == 0;
	return score;
}

static void rank(struct index_hit *h, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			int before = j < i;
			if (h[i].vector_rank && h[j].vector_rank)
				h[i].vector_rank += h[j].vector > h[i].vector ||
						    (h[j].vector == h[i].vector && before);
			if (h[i].words_rank && h[j].words_rank)
				h[i].words_rank += h[j].words > h[i].words ||
						   (h[j].words == h[i].words && before);
		}
}

static int fake_search(void *self, const struct index_query *q, struct arena *a, struct index_result *out,
		       struct error *e)
{
	struct fake *f = self;
	struct index_hit *all = arena_alloc(a, f->n * sizeof(*all));
	size_t n = 0, kept = 0;

	(void)e;
	f->first_right = f->searches++ ? f->first_right : q->right;
	f->last_right = q->right;
	f->last_k = q->k;
	*out = (struct index_result){ .unknown_key = q->filter ? f->unknown_key : NULL };
	for (size_t i = 0; i < f->n && !out->unknown_key; i++) {
		const struct item *it = &f->items[i];
		struct index_hit h = { .entry = i + 1, .title = NAN, .whole = NAN, .chunk = NAN };
		if (it->kind != q->collection)
			continue;
		out->allowed++;
		if (q->vector && dot(it->vector, it->vector) > 0) {
			h.vector = h.chunk = dot(q->vector, it->vector);
			h.vector_rank = 1;
			h.row = 10 * i + 1;
			h.row_field = it->field;
			h.row_n = it->n;
		}
		h.words = words_of(a, it->text, q->terms, q->n_terms);
		h.words_rank = h.words > 0;
		if (h.vector_rank || h.words_rank)
			all[n++] = h;
	}
	rank(all, n);
	for (size_t i = 0; i < n; i++)
		if ((all[i].vector_rank && all[i].vector_rank <= q->k) ||
		    (all[i].words_rank && all[i].words_rank <= q->k))
			all[kept++] = all[i];
	out->hits = all;
	out->n = kept;
	out->exhausted = kept == n;
	return 0;
}

static void fill_record(const struct item *it, enum record_kind k, struct record *out)
{
	*out = (struct record){ .kind = k, .id = it->id, .body = it->body };
	if (k == RECORD_DOCUMENT)
		out->text = (struct text){ it->text, strlen(it->text) };
}

static int fake_load(void *self, enum record_kind k, const struct rights *r, const uint64_t *entries,
		     size_t n, struct arena *a, struct record **out, struct error *e)
{
	struct fake *f = self;
	struct record *records = arena_alloc(a, n * sizeof(*records));

	(void)e;
	for (size_t i = 0; i < n; i++) {
		const struct item *it = &f->items[entries[i] - 1];
		if (!r || rights_see(r, json_object_get(it->body, "acl")))
			fill_record(it, k, &records[i]);
	}
	*out = records;
	return 0;
}

static int fake_rows(void *self, enum record_kind k, const char *id, struct arena *a, struct entry_row **out,
		     size_t *n, struct error *e)
{
	struct fake *f = self;

	(void)k;
	(void)e;
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->items[i].id, id) == 0) {
			*n = f->items[i].n_rows;
			*out = arena_alloc(a, *n * sizeof(**out));
			if (*n)
				memcpy(*out, f->items[i].rows, *n * sizeof(**out));
		}
	return 0;
}

static void fill_turn(json_t *body, struct record *out)
{
	*out = (struct record){ .kind = RECORD_TURN, .id = "turn", .body = body };
}

static int fake_get(void *self, enum record_kind k, const char *id, struct arena *a, struct record *out,
		    struct error *e)
{
	struct fake *f = self;
	size_t i;
	json_t *body;

	assert_int_equal(k, RECORD_TURN);
	json_array_foreach(f->turns, i, body) {
		const char *c = json_string_value(json_object_get(body, "conversation"));
		uint32_t n = (uint32_t)json_integer_value(json_object_get(body, "n"));
		if (!f->lost_turn && strcmp(turn_id(a, c, n), id) == 0) {
			fill_turn(body, out);
			return 0;
		}
	}
	return error_set(e, ERR_NOT_FOUND, NULL, "no such turn");
}

static int fake_scan(void *self, const struct scan *s, struct arena *a, struct record **out, size_t *n,
		     struct error *e)
{
	struct fake *f = self;
	size_t i;
	json_t *body;

	(void)e;
	assert_int_equal(s->kind, RECORD_TURN);
	*out = arena_alloc(a, json_array_size(f->turns) * sizeof(**out));
	*n = 0;
	json_array_foreach(f->turns, i, body)
		if (strcmp(json_string_value(json_object_get(body, "conversation")), s->value[0]) == 0)
			fill_turn(body, &(*out)[(*n)++]);
	return 0;
}

/* No stream ever was: there are no rules. */
static int fake_revision(void *self, const char *stream, int64_t *out, struct error *e)
{
	(void)self;
	(void)stream;
	(void)e;
	*out = 0;
	return 0;
}

static void fake_close(void *self)
{
	struct fake *f = self;

	for (size_t i = 0; i < f->n; i++)
		json_decref(f->items[i].body);
	json_decref(f->turns);
	free(f);
}

static const struct engine_ops ops = { .search = fake_search,
				       .load = fake_load,
				       .rows = fake_rows,
				       .get = fake_get,
				       .revision = fake_revision,
				       .scan = fake_scan,
				       .close = fake_close };

/* --- the bench ---------------------------------------------------------------------------------- */

struct bench {
	struct fake *fake;
	struct engine *engine;
	struct arena *arena;
	struct error err;
	struct rights rights;
	struct search_result found;
};

static const char *const tier1[] = { "tier1" };

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->fake = calloc(1, sizeof(*b->fake));
	b->fake->turns = json_array();
	b->engine = engine_new(&ops, b->fake);
	b->arena = arena_new(1 << 16);
	b->rights = (struct rights){ .key = "k", .scopes = SCOPE_AGENT, .groups = tier1, .n_groups = 1 };
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	engine_close(b->engine);
	arena_free(b->arena);
	free(b);
	return 0;
}

static struct item *add(struct bench *b, enum collection kind, const char *id, const char *text,
			double cosine)
{
	struct item *it = &b->fake->items[b->fake->n++];

	assert_true(b->fake->n <= MAX_ITEMS);
	*it = (struct item){ .kind = kind, .text = text, .body = json_object() };
	it->field = kind == COLLECTION_CONVERSATION ? ROW_TURN : ROW_WHOLE;
	snprintf(it->id, sizeof(it->id), "%s", id);
	if (!isnan(cosine)) {
		it->vector[0] = (float)cosine;
		it->vector[1] = sqrtf(1 - it->vector[0] * it->vector[0]);
	}
	return it;
}

static const float axis[DIM] = { 1, 0, 0 };

static struct text text_of(const char *s)
{
	return (struct text){ s, strlen(s) };
}

static int run(struct bench *b, const struct search_request *q)
{
	return search_run(b->engine, NULL, &b->rights, q, b->arena, &b->found, &b->err);
}

static const char *ids(struct bench *b)
{
	char *s = arena_strdup(b->arena, "");

	for (size_t i = 0; i < b->found.n; i++)
		s = arena_printf(b->arena, "%s%s%s", s, i ? " " : "", b->found.hits[i].record.id);
	return s;
}

static const char *shown(struct bench *b, size_t i)
{
	return arena_strndup(b->arena, b->found.hits[i].text.s, b->found.hits[i].text.n);
}

/* --- ranking ------------------------------------------------------------------------------------ */

static void test_run__fuses_both_sources(void **state)
{
	struct bench *b = *state;
	struct search_request q = { .query = text_of("refund order"), .vector = axis };

	add(b, COLLECTION_DOCUMENT, "words", "refund order refund order", 0.1);
	add(b, COLLECTION_DOCUMENT, "vector", "nothing of it", 0.9);
	add(b, COLLECTION_DOCUMENT, "both", "a refund", 0.8);
	add(b, COLLECTION_DOCUMENT, "neither", "nothing", -0.5);
	assert_int_equal(run(b, &q), 0);
	assert_string_equal(ids(b), "vector both words neither");
	assert_true(b->found.weights[COLLECTION_DOCUMENT].vector == 0.9);
	for (size_t i = 0; i < b->found.n; i++)
		assert_true(b->found.hits[i].score == b->found.hits[i].vector + b->found.hits[i].words);
	q.weights = (struct search_weights){ 0, 2 };
	assert_int_equal(run(b, &q), 0);
	assert_string_equal(ids(b), "words both"); /* a source of weight 0 is not asked */
	q.weights = (struct search_weights){ 0, 0 };
	q.no_words = 1;
	assert_int_equal(run(b, &q), 0);
	assert_true(b->found.hits[0].words == 0 && b->found.hits[0].score == 1);
	q.no_words = 0;
	q.no_vector = 1;
	assert_int_equal(run(b, &q), 0);
	assert_string_equal(ids(b), "words both");
}

static void test_run__without_an_embedder_answers_by_words(void **state)
{
	struct bench *b = *state;
	struct search_request q = { .query = text_of("refund") };

	add(b, COLLECTION_DOCUMENT, "a", "refund", 0.1);
	assert_int_equal(run(b, &q), 0);
	assert_string_equal(ids(b), "a");
	assert_int_equal(b->found.n_warnings, 1);
	assert_non_null(strstr(b->found.warnings[0], "no embedder"));
	assert_true(b->found.weights[COLLECTION_DOCUMENT].words == 1);
}

static void test_run__ties_go_by_id(void **state)
{
	struct bench *b = *state;
	struct search_request q = { .query = text_of("refund"), .vector = axis, .k = 5 };
	char id[24];

	for (int i = 0; i < 300; i++) {
		snprintf(id, sizeof(id), "d%03d", (i * 37) % 300);
		add(b, COLLECTION_DOCUMENT, id, "refund", 0.5);
	}
	assert_int_equal(run(b, &q), 0);
	assert_string_equal(ids(b), "d000 d001 d002 d003 d004");
}

static void test_run__refills_what_may_not_be_seen(void **state)
{
	struct bench *b = *state;
	struct search_request q = { .query = text_of("refund"), .vector = axis, .k = 10 };
	char id[24];

	for (int i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "d%03d", i);
		struct item *it = add(b, COLLECTION_DOCUMENT, id, "refund", 1 - i / 2000.0);
		if (i < 700)
			json_object_set_new(it->body, "acl", json_pack("[s]", "others"));
	}
	assert_int_equal(run(b, &q), 0);
	assert_int_equal(b->found.n, 10);
	assert_string_equal(b->found.hits[0].record.id, "d700");
	assert_string_equal(b->found.hits[9].record.id, "d709");
	/* What comes up for those that are gone was perhaps left out, as it was not among the best. */
	assert_int_equal(b->fake->first_right, 10);
	assert_int_equal(b->fake->last_right, 0);
	q.k = 100;
	q.offset = 250;
	assert_int_equal(run(b, &q), 0);
	assert_int_equal(b->found.n, 50);
	assert_string_equal(b->found.hits[0].record.id, "d950");
}

static void test_run__pages_add_up(void **state)
{
	struct bench *b = *state;
	struct search_request q = { .query = text_of("refund order"), .vector = axis, .k = 100 };
	char id[24];
	static const char *const texts[] = { "refund", "order", "refund order", "none" };
	const struct search_hit *all;

	srand(5);
	for (int i = 0; i < 90; i++) {
		snprintf(id, sizeof(id), "d%03d", i);
		add(b, COLLECTION_DOCUMENT, id, texts[rand() % 4], (rand() % 10) / 10.0);
	}
	assert_int_equal(run(b, &q), 0);
	assert_int_equal(b->found.n, 90);
	all = b->found.hits;
	q.k = 7;
	for (q.offset = 0; q.offset < 90; q.offset += 7) {
		assert_int_equal(run(b, &q), 0);
		for (size_t i = 0; i < b->found.n; i++)
			assert_string_equal(b->found.hits[i].record.id, all[q.offset + i].record.id);
	}
}

static void test_run__kinds_come_in_the_order_asked(void **state)
{
	struct bench *b = *state;
	struct search_request q = { .query = text_of("refund"),
				    .kinds = { COLLECTION_CASE, COLLECTION_DOCUMENT, COLLECTION_CASE },
				    .n_kinds = 3 };

	add(b, COLLECTION_DOCUMENT, "doc", "refund", NAN);
	json_object_set_new(add(b, COLLECTION_CASE, "case", "refund", NAN)->body, "problem",
			    json_string("Where is my refund"));
	assert_int_equal(run(b, &q), 0);
	assert_string_equal(ids(b), "case doc");
	assert_string_equal(shown(b, 0), "Where is my refund");
	assert_int_equal(b->found.hits[0].n_highlights, 1);
}

static void test_run__match_alone_is_ranked_by_its_words(void **state)
{
	struct bench *b = *state;
	struct search_request q = { .match = "\"refund order\" OR fee*" };

	add(b, COLLECTION_DOCUMENT, "a", "refund or not", NAN);
	add(b, COLLECTION_DOCUMENT, "b", "refund order fee", NAN);
	add(b, COLLECTION_DOCUMENT, "c", "or", NAN);
	assert_int_equal(run(b, &q), 0);
	assert_string_equal(ids(b), "b a");
}

static void test_run__nothing_to_look_for_finds_nothing(void **state)
{
	struct bench *b = *state;
	struct search_request q = { .query = text_of("?!") };

	add(b, COLLECTION_DOCUMENT, "a", "refund", NAN);
	assert_int_equal(run(b, &q), 0);
	assert_int_equal(b->found.n, 0);
	assert_int_equal(b->fake->searches, 0);
}

static void test_run__warns_of_an_unknown_key(void **state)
{
	struct bench *b = *state;
	struct index_value v = { .type = VALUE_STRING, .s = { "en", 2 } };
	struct index_filter f = { .op = FILTER_EQ, .key = "lnag", .values = &v, .n_values = 1 };
	struct search_request q = { .query = text_of("refund"), .vector = axis, .filter = &f };

	b->fake->unknown_key = "lnag";
	assert_int_equal(run(b, &q), 0);
	assert_int_equal(b->found.n, 0);
	assert_int_equal(b->found.n_warnings, 1);
	assert_non_null(strstr(b->found.warnings[0], "\"lnag\""));
}

static void test_run__refuses_what_is_out_of_range(void **state)
{
	struct bench *b = *state;
	const struct {
		struct search_request q;
		int code;
		const char *param;
	} wrong[] = {
		{ { .k = 101 }, ERR_BAD_VALUE, "k" },
		{ { .offset = 991 }, ERR_BAD_VALUE, "offset" },
		{ { .offset = SIZE_MAX, .k = 1 }, ERR_BAD_VALUE, "offset" },
		{ { .weights = { -1, 2 } }, ERR_BAD_VALUE, "weights" },
		{ { .weights = { NAN, 2 } }, ERR_BAD_VALUE, "weights" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(run(b, &wrong[i].q), wrong[i].code);
		assert_string_equal(b->err.param, wrong[i].param);
	}
}

/* --- passages ----------------------------------------------------------------------------------- */

static const char *long_text(struct arena *a)
{
	char *s = arena_strdup(a, "");

	for (int i = 0; i < 60; i++)
		s = arena_printf(a, "%sSentence number %d is here to fill the page. ", s, i);
	return arena_printf(a, "%sA refund needs the order. And the end.", s);
}

static void test_part__is_the_chunk_that_was_found(void **state)
{
	struct bench *b = *state;
	const char *s = long_text(b->arena);
	size_t n = strlen(s);
	struct entry_row rows[] = { { .field = ROW_TITLE },
				    { .field = ROW_WHOLE, .end = n },
				    { .field = ROW_CHUNK, .n = 0, .start = 0, .end = 1000 },
				    { .field = ROW_CHUNK, .n = 1, .start = 1000, .end = n } };
	struct item *it = add(b, COLLECTION_DOCUMENT, "d", s, 0.5);
	struct search_request q = { .query = text_of("refund"), .vector = axis };

	it->rows = rows;
	it->n_rows = 4;
	it->field = ROW_CHUNK;
	it->n = 0;
	assert_int_equal(run(b, &q), 0);
	assert_int_equal(b->found.hits[0].part_n, 0);
	assert_int_equal(b->found.hits[0].text.n, 1000);
	assert_int_equal(b->found.hits[0].n_highlights, 0);
	/* no vector chose: the words do */
	q.vector = NULL;
	assert_int_equal(run(b, &q), 0);
	assert_int_equal(b->found.hits[0].part_n, 1);
	assert_int_equal(b->found.hits[0].part.start, 1000);
	assert_int_equal(b->found.hits[0].part.end, n);
	const struct search_hit *h = &b->found.hits[0];
	assert_int_equal(h->n_highlights, 1);
	assert_memory_equal(h->text.s + h->highlights[0].start, "refund", 6);
	/* rows without places, or none */
	it->n_rows = 2;
	assert_int_equal(run(b, &q), 0);
	assert_non_null(strstr(shown(b, 0), "A refund needs"));
	assert_true(b->found.hits[0].text.n <= 1000);
}

static void test_part__of_a_short_document_is_all_of_it(void **state)
{
	struct bench *b = *state;
	struct search_request q = { .query = text_of("refunds"),
				    .vector = axis,
				    .text_for_highlights = text_of("us") };

	add(b, COLLECTION_DOCUMENT, "d", "The refund. Ask us.", 0.5);
	add(b, COLLECTION_DOCUMENT, "empty", "", 0.1);
	assert_int_equal(run(b, &q), 0);
	assert_string_equal(shown(b, 0), "The refund. Ask us.");
	assert_int_equal(b->found.hits[0].n_highlights, 1);
	assert_int_equal(b->found.hits[0].highlights[0].start, 16);
	assert_string_equal(shown(b, 1), "");
	q.no_highlight = 1;
	assert_int_equal(run(b, &q), 0);
	assert_null(b->found.hits[0].highlights);
}

static void add_turn(struct bench *b, int n, const char *role, const char *text)
{
	json_array_append_new(b->fake->turns, json_pack("{s:s,s:i,s:s,s:s}", "conversation", "c-1", "n", n,
							"role", role, "text", text));
}

static void test_part__of_a_conversation_is_a_turn(void **state)
{
	struct bench *b = *state;
	struct item *it = add(b, COLLECTION_CONVERSATION, "c-1", "hello refund order thanks", 0.5);
	struct search_request q = { .query = text_of("order refund"),
				    .vector = axis,
				    .kinds = { COLLECTION_CONVERSATION },
				    .n_kinds = 1 };

	it->n = 4;
	add_turn(b, 1, "customer", "hello");
	add_turn(b, 2, "agent", "a refund of the order, you say");
	add_turn(b, 3, "customer", "the refund of my order");
	add_turn(b, 4, "customer", "thanks");
	assert_int_equal(run(b, &q), 0);
	assert_string_equal(shown(b, 0), "thanks");
	assert_int_equal(b->found.hits[0].part_n, 4);
	b->fake->lost_turn = 1;
	assert_int_equal(run(b, &q), 0);
	assert_int_equal(b->found.hits[0].part_n, 3);
	q.no_vector = 1;
	assert_int_equal(run(b, &q), 0);
	assert_string_equal(shown(b, 0), "the refund of my order");
	assert_int_equal(b->found.hits[0].n_highlights, 2);
}

/* --- bots --------------------------------------------------------------------------------------- */

static void test_bot__sees_shareable_cases_without_their_texts(void **state)
{
	struct bench *b = *state;
	struct search_request q = { .query = text_of("refund"),
				    .vector = axis,
				    .kinds = { COLLECTION_CASE, COLLECTION_CONVERSATION },
				    .n_kinds = 2 };
	struct item *mine = add(b, COLLECTION_CASE, "shared", "refund", 0.2);

	json_object_update_new(mine->body,
			       json_pack("{s:s,s:s,s:[s],s:s,s:b}", "problem", "refund", "resolution", "paid",
					 "steps", "did", "intent", "refund_status", "shareable", 1));
	json_object_set_new(add(b, COLLECTION_CASE, "closed", "refund", 0.9)->body, "problem",
			    json_string("refund"));
	add(b, COLLECTION_CONVERSATION, "c-1", "refund", 0.9);
	assert_int_equal(run(b, &q), 0);
	assert_string_equal(ids(b), "closed shared c-1");
	b->rights.scopes = SCOPE_BOT;
	q.n_kinds = 1; /* most of what is found is not for it: then nothing is left out */
	assert_int_equal(run(b, &q), 0);
	assert_int_equal(b->fake->last_right, 0);
	q.n_kinds = 2;
	assert_int_equal(run(b, &q), 0);
	assert_string_equal(ids(b), "shared");
	assert_int_equal(b->found.n_warnings, 1);
	JSON_AUTO *j = search_hit_json(&b->found.hits[0], 0);
	assert_string_equal(json_string_value(json_object_get(j, "intent")), "refund_status");
	assert_null(json_object_get(j, "problem"));
	assert_null(json_object_get(j, "resolution"));
	assert_null(json_object_get(j, "steps"));
	assert_null(json_object_get(j, "text"));
	assert_non_null(json_object_get(mine->body, "problem"));
	/* the system's own rights (a queue's) are no bot's */
	b->rights.scopes = 0;
	assert_int_equal(run(b, &q), 0);
	assert_string_equal(ids(b), "closed shared c-1");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_run__fuses_both_sources),
		TEST(test_run__without_an_embedder_answers_by_words),
		TEST(test_run__ties_go_by_id),
		TEST(test_run__refills_what_may_not_be_seen),
		TEST(test_run__pages_add_up),
		TEST(test_run__kinds_come_in_the_order_asked),
		TEST(test_run__match_alone_is_ranked_by_its_words),
		TEST(test_run__nothing_to_look_for_finds_nothing),
		TEST(test_run__warns_of_an_unknown_key),
		TEST(test_run__refuses_what_is_out_of_range),
		TEST(test_part__is_the_chunk_that_was_found),
		TEST(test_part__of_a_short_document_is_all_of_it),
		TEST(test_part__of_a_conversation_is_a_turn),
		TEST(test_bot__sees_shareable_cases_without_their_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
