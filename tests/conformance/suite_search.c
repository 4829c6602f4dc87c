/* suite_search.c: candidates by vector, by words, by expression; what a load of them gives. */
#include "suite.h"

#include <math.h>

static void assert_near(float have, double want)
{
	if (fabs((double)have - want) > 2e-6)
		fail_msg("%.9g is not %.9g", (double)have, want);
}

/* --- by vector -------------------------------------------------------------------------------------------- */

static void test_search__by_vector_ranks_by_inner_product(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);
	const float s[] = { 0.25f, 0.75f, -0.5f, 0.5f };
	const uint32_t rank[] = { 3, 1, 4, 2 };

	for (int i = 0; i < 4; i++)
		put_doc(f, (struct doc){ .id = arena_printf(f->a, "d%d", i),
					 .text = "t",
					 .vector = vector_near(f, s[i]) });
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.n, 4);
	assert_int_equal(r.allowed, 4);
	for (int i = 0; i < 4; i++) {
		const struct index_hit *h = hit_of(f, &r, arena_printf(f->a, "d%d", i));
		assert_near(h->vector, (double)s[i]);
		assert_near(h->whole, (double)s[i]);
		assert_true(isnan(h->title) && isnan(h->chunk));
		assert_int_equal(h->vector_rank, rank[i]);
		assert_int_equal(h->words_rank, 0);
		assert_int_equal(h->row_field, ROW_WHOLE);
		assert_true(h->row != 0);
	}
}

static void test_search__vector_score_is_of_title_whole_and_best_chunk(void **state)
{
	struct fixture *f = *state;
	struct entry_row all[] = {
		{ ROW_TITLE, 0, 0, 0, vector_near(f, 0.9f) }, { ROW_WHOLE, 0, 0, 0, vector_near(f, 0.3f) },
		{ ROW_CHUNK, 0, 0, 0, vector_near(f, 0.1f) }, { ROW_CHUNK, 1, 0, 0, vector_near(f, 0.6f) },
		{ ROW_CHUNK, 2, 0, 0, vector_near(f, 0.2f) },
	};
	struct entry_row some[] = {
		{ ROW_TITLE, 0, 0, 0, vector_near(f, 0.2f) },
		{ ROW_QUESTION, 4, 0, 0, vector_near(f, 0.1f) },
		{ ROW_TURN, 9, 0, 0, vector_near(f, 0.4f) },
	};
	struct entry_row title[] = { { ROW_TITLE, 0, 0, 0, vector_near(f, -0.5f) },
				     { ROW_WHOLE, 0, 0, 0, NULL } };
	struct index_query q = query_all(f);

	put_doc(f, (struct doc){ .id = "all", .rows = all, .n_rows = 5 });
	put_doc(f, (struct doc){ .id = "some", .rows = some, .n_rows = 3 });
	put_doc(f, (struct doc){ .id = "title", .rows = title, .n_rows = 2 });
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.n, 3);
	const struct index_hit *h = hit_of(f, &r, "all");
	assert_near(h->vector, 0.2 * 0.9 + 0.8 * 0.45);
	assert_near(h->title, 0.9);
	assert_near(h->whole, 0.3);
	assert_near(h->chunk, 0.6);
	assert_int_equal(h->row_field, ROW_CHUNK);
	assert_int_equal(h->row_n, 1);
	assert_int_equal(h->vector_rank, 1);
	h = hit_of(f, &r, "some");
	assert_near(h->vector, 0.2 * 0.2 + 0.8 * 0.4);
	assert_near(h->chunk, 0.4);
	assert_true(isnan(h->whole));
	assert_int_equal(h->row_field, ROW_TURN);
	assert_int_equal(h->row_n, 9);
	assert_int_equal(h->vector_rank, 2);
	h = hit_of(f, &r, "title");
	assert_near(h->vector, -0.5);
	assert_true(isnan(h->whole) && isnan(h->chunk));
	assert_int_equal(h->row_field, ROW_TITLE);
}

static void test_search__k_bounds_each_source_and_exhausted_tells_if_there_is_more(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	for (int i = 0; i < 12; i++)
		put_doc(f, (struct doc){ .id = arena_printf(f->a, "d%02d", i),
					 .text = i < 6 ? "apple" : "pear",
					 .vector = vector_near(f, 0.05f * (float)i) });
	q.k = 3;
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.n, 3);
	assert_int_equal(r.allowed, 12);
	assert_false(r.exhausted);
	assert_finds(f, &q, "d09 d10 d11");
	q.k = 11;
	assert_false(search_ok(f, &q).exhausted);
	q.k = 12;
	assert_true(search_ok(f, &q).exhausted);
	query_words(f, &q, "apple");
	q.k = 5;
	r = search_ok(f, &q);
	assert_int_equal(r.n, 5);
	assert_false(r.exhausted);
	q.k = 6;
	r = search_ok(f, &q);
	assert_int_equal(r.n, 6);
	assert_true(r.exhausted);
	q.k = 3;
	q.vector = vector_first(f);
	r = search_ok(f, &q);
	assert_int_equal(r.n, 6);
	assert_false(r.exhausted);
	q.k = 100;
	r = search_ok(f, &q);
	assert_int_equal(r.n, 12);
	assert_true(r.exhausted);
}

static void test_search__of_nothing_finds_nothing(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);
	struct index_result r = search_ok(f, &q);

	assert_int_equal(r.n, 0);
	assert_int_equal(r.allowed, 0);
	assert_true(r.exhausted);
	query_words(f, &q, "word");
	assert_int_equal(search_ok(f, &q).n, 0);
}

static void test_search__exact_gives_the_same_for_small_sets(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 200; i++)
		put_doc(f, (struct doc){ .id = arena_printf(f->a, "d%03d", i),
					 .text = "t",
					 .vector = vector_random(f) });
	for (int i = 0; i < 20; i++) {
		struct index_query q = query_all(f);
		q.vector = vector_random(f);
		q.k = 10;
		const char *walked = found_ids(f, &q);
		q.exact = 1;
		assert_string_equal(found_ids(f, &q), walked);
	}
}

/* --- by words --------------------------------------------------------------------------------------------- */

static void test_search__by_words_finds_any_of_the_terms_in_title_or_text(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	put_doc(f, (struct doc){ .id = "a", .title = "Refund", .text = "of a cable" });
	put_doc(f, (struct doc){ .id = "b", .title = "Invoice", .text = "and refunds" });
	put_doc(f, (struct doc){ .id = "c", .title = "Invoice", .text = "copy" });
	put_doc(f, (struct doc){ .id = "d", .text = "Router REFÜND" });
	put_doc(f, (struct doc){ .id = "e", .title = "Screen" });
	put_doc(f, (struct doc){ .id = "f" });
	query_words(f, &q, "refund");
	assert_finds(f, &q, "a b d");
	query_words(f, &q, "refunding cables");
	assert_finds(f, &q, "a b d");
	query_words(f, &q, "invoices copy");
	assert_finds(f, &q, "b c");
	query_words(f, &q, "screen");
	assert_finds(f, &q, "e");
	query_words(f, &q, "printer");
	assert_finds(f, &q, "");
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.allowed, 6);
	assert_true(r.exhausted);
}

static void test_search__words_score_rare_terms_and_short_texts_higher(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	for (int i = 0; i < 20; i++)
		put_doc(f, (struct doc){ .id = arena_printf(f->a, "d%02d", i),
					 .text = i < 8 ? "common words" : "other words" });
	put_doc(f, (struct doc){ .id = "rare", .text = "unusual words" });
	put_doc(f, (struct doc){ .id = "both", .text = "unusual common" });
	put_doc(f, (struct doc){ .id = "long",
				 .text = "unusual words and a great many more of which none was asked for" });
	query_words(f, &q, "unusual common");
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.n, 11);
	assert_int_equal(hit_of(f, &r, "both")->words_rank, 1);
	assert_int_equal(hit_of(f, &r, "rare")->words_rank, 2);
	assert_true(hit_of(f, &r, "rare")->words > hit_of(f, &r, "long")->words);
	assert_true(hit_of(f, &r, "rare")->words > hit_of(f, &r, "d00")->words);
	for (size_t i = 0; i < r.n; i++) {
		assert_true(r.hits[i].words > 0);
		assert_int_equal(r.hits[i].vector_rank, 0);
	}
}

static void test_search__weights_multiply_a_terms_score(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);
	struct term terms[2];

	put_doc(f, (struct doc){ .id = "apple", .text = "apple tree" });
	put_doc(f, (struct doc){ .id = "pear", .text = "pear tree" });
	put_doc(f, (struct doc){ .id = "both", .text = "apple pear" });
	for (int i = 0; i < 5; i++)
		put_doc(f, (struct doc){ .id = arena_printf(f->a, "d%d", i), .text = "nothing here" });
	query_words(f, &q, "apple pear");
	assert_int_equal(q.n_terms, 2);
	memcpy(terms, q.terms, sizeof(terms));
	struct index_result r = search_ok(f, &q);
	double plain = (double)hit_of(f, &r, "apple")->words;
	assert_near(hit_of(f, &r, "pear")->words, plain);
	assert_near(hit_of(f, &r, "both")->words, 2 * plain);
	terms[0].weight = 3;
	terms[1].weight = 0.5f;
	q.terms = terms;
	r = search_ok(f, &q);
	assert_near(hit_of(f, &r, "apple")->words, 3 * plain);
	assert_near(hit_of(f, &r, "pear")->words, 0.5 * plain);
	assert_near(hit_of(f, &r, "both")->words, 3.5 * plain);
}

/* A word that most texts have scores next to nothing, but is found. */
static void test_search__a_word_that_all_have_is_found(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	for (int i = 0; i < 5; i++)
		put_doc(f, (struct doc){ .id = arena_printf(f->a, "d%d", i), .text = "everywhere" });
	query_words(f, &q, "everywhere");
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.n, 5);
	for (size_t i = 0; i < r.n; i++)
		assert_true(r.hits[i].words > 0 && r.hits[i].words_rank > 0);
}

static void test_search__entries_without_vectors_are_found_by_words_only(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	put_doc(f, (struct doc){ .id = "vector", .text = "apple", .vector = vector_near(f, 0.5f) });
	put_doc(f, (struct doc){ .id = "words", .text = "apple" });
	assert_finds(f, &q, "vector");
	query_words(f, &q, "apple");
	assert_finds(f, &q, "vector words");
	q.vector = vector_first(f);
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.n, 2);
	assert_int_equal(hit_of(f, &r, "words")->vector_rank, 0);
	assert_int_equal(hit_of(f, &r, "words")->row, 0);
	assert_int_equal(hit_of(f, &r, "vector")->vector_rank, 1);
}

/* --- both -------------------------------------------------------------------------------------------------- */

static void test_search__all_candidates_carry_both_scores(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	for (int i = 0; i < 10; i++)
		put_doc(f, (struct doc){ .id = arena_printf(f->a, "d%d", i),
					 .text = "filler words",
					 .vector = vector_near(f, 0.01f * (float)i) });
	put_doc(f, (struct doc){ .id = "near",
				 .text = "apple and a lot else besides",
				 .vector = vector_near(f, 0.9f) });
	put_doc(f, (struct doc){ .id = "said", .text = "apple", .vector = vector_near(f, -0.7f) });
	query_words(f, &q, "apple");
	q.vector = vector_first(f);
	q.k = 1;
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.n, 2);
	assert_false(r.exhausted);
	const struct index_hit *near = hit_of(f, &r, "near"), *said = hit_of(f, &r, "said");
	assert_near(near->vector, 0.9);
	assert_near(said->vector, -0.7);
	assert_true(said->words > near->words && near->words > 0);
	assert_int_equal(near->vector_rank, 1);
	assert_int_equal(said->vector_rank, 2);
	assert_int_equal(said->words_rank, 1);
	assert_int_equal(near->words_rank, 2);
	q.k = 2;
	r = search_ok(f, &q);
	assert_int_equal(r.n, 3); /* d9 by vector */
	assert_true(hit_of(f, &r, "d9")->words == 0 && hit_of(f, &r, "d9")->words_rank == 0);
}

static void test_search__without_vector_and_terms_gives_any_k_of_the_allowed(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	for (int i = 0; i < 5; i++)
		put_doc(f,
			(struct doc){ .id = arena_printf(f->a, "d%d", i), .text = i % 2 ? "odd" : "even" });
	q.vector = NULL;
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.n, 5);
	assert_true(r.exhausted);
	for (size_t i = 0; i < r.n; i++)
		assert_true(r.hits[i].vector_rank == 0 && r.hits[i].words_rank == 0);
	q.match = "odd";
	assert_finds(f, &q, "d1 d3");
	q.k = 1;
	r = search_ok(f, &q);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.allowed, 2);
	assert_false(r.exhausted);
}

static void test_search__collections_are_apart(void **state)
{
	struct fixture *f = *state;
	const enum record_kind kinds[] = { RECORD_DOCUMENT, RECORD_CASE, RECORD_CONVERSATION,
					   RECORD_EXAMPLE };

	for (int i = 0; i < 4; i++) {
		struct doc d = { .id = arena_printf(f->a, "x%d", i),
				 .text = "apple",
				 .vector = vector_first(f) };
		struct change ch = *doc_change(f->a, &d);
		ch.kind = kinds[i];
		struct event ev = { .stream = arena_printf(f->a, "conversation/%d", i),
				    .changes = &ch,
				    .n = 1 };
		commit_ok(f, &ev);
	}
	for (int i = 0; i < 4; i++) {
		struct index_query q = query_all(f);
		q.collection = (enum collection)record_schema(kinds[i])->collection;
		assert_finds(f, &q, arena_printf(f->a, "x%d", i));
		query_words(f, &q, "apple");
		assert_finds(f, &q, arena_printf(f->a, "x%d", i));
		q.match = "apple";
		assert_finds(f, &q, arena_printf(f->a, "x%d", i));
	}
}

/* --- expressions --------------------------------------------------------------------------------------------- */

static void test_match__words_phrases_prefixes_and_or_not(void **state)
{
	static const struct {
		const char *expr, *ids;
	} cases[] = {
		{ "refund", "a b d" },
		{ "Refunds", "a b d" },
		{ "\"refund\"", "a b d" },
		{ "refund AND invoice", "b" },
		{ "refund invoice", "b" },
		{ "refund OR invoice", "a b c d" },
		{ "refund NOT invoice", "a d" },
		{ "\"lost order\"", "a" },
		{ "\"order lost\"", "d" },
		{ "lost order", "a d" },
		{ "inv*", "b c" },
		{ "\"lost ord\" *", "a" },
		{ "\"lost ord\"", "" },
		{ "E1234", "c" },
		{ "e12*", "c" },
		{ "\"A-77/x\"", "d" },
		{ "(refund OR copy) AND invoice", "b c" },
		{ "refund OR copy AND invoice", "a b c d" },
		{ "refund AND NOTHING", "" },
		{ "refund NOT (lost OR invoice)", "" },
		{ "title : refund", "a" },
		{ "text : refund", "b d" },
		{ "café", "c" },
		{ "CAFE", "c" },
		{ "nothing", "" },
	};
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	put_doc(f, (struct doc){ .id = "a", .title = "Refund", .text = "for a lost order" });
	put_doc(f, (struct doc){ .id = "b", .title = "Invoice", .text = "and refunds" });
	put_doc(f, (struct doc){ .id = "c", .title = "Invoice", .text = "copy E1234 at the Café" });
	put_doc(f, (struct doc){ .id = "d", .text = "The order lost its refund, number A-77/x" });
	q.vector = NULL;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		q.match = cases[i].expr;
		if (strcmp(found_ids(f, &q), cases[i].ids) != 0)
			fail_msg("%s finds \"%s\", not \"%s\"", q.match, found_ids(f, &q), cases[i].ids);
	}
}

static void test_match__what_does_not_parse_is_a_bad_match(void **state)
{
	static const char *const wrong[] = { "",          "   ",        "AND",    "refund AND",
					     "OR refund", "NOT refund", "\"open", "(refund",
					     "refund)",   "refund -x",  "a-b",    "colour : red",
					     "refund /",  "()",         "(a) b",  "a, b",
					     "*",         "'quoted'" };
	struct fixture *f = *state;
	struct index_query q = query_all(f);
	struct index_result r = { .n = 99 };

	put_doc(f, (struct doc){ .id = "a", .text = "refund", .vector = vector_first(f) });
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		q.match = wrong[i];
		int rc = engine_search(f->g, &q, f->a, &r, &f->e);
		if (rc != ERR_BAD_MATCH)
			fail_msg("%s: %d", wrong[i], rc);
		assert_int_equal(r.n, 99);
		assert_true(f->e.message[0] != '\0');
	}
}

static void test_match__bounds_what_vector_and_words_find(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	put_doc(f, (struct doc){ .id = "a", .text = "apple pie", .vector = vector_near(f, 0.1f) });
	put_doc(f, (struct doc){ .id = "b", .text = "apple tree", .vector = vector_near(f, 0.9f) });
	put_doc(f, (struct doc){ .id = "c", .text = "pear pie", .vector = vector_near(f, 0.8f) });
	q.match = "pie";
	assert_finds(f, &q, "a c");
	assert_int_equal(search_ok(f, &q).allowed, 2);
	query_words(f, &q, "apple");
	assert_finds(f, &q, "a");
	q.vector = vector_first(f);
	q.k = 1;
	assert_finds(f, &q, "a c");
}

/* --- what changes ------------------------------------------------------------------------------------------- */

static void test_search__a_replaced_entry_is_found_as_it_is_now(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f), w = query_all(f);

	put_doc(f, (struct doc){ .id = "d", .text = "older text", .vector = vector_near(f, 0.9f) });
	uint64_t old = search_ok(f, &q).hits[0].entry;
	put_doc(f, (struct doc){ .id = "d", .text = "newer text", .vector = vector_near(f, 0.2f) });
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.n, 1);
	assert_near(r.hits[0].vector, 0.2);
	assert_true(r.hits[0].entry != old);
	assert_null(id_of_entry(f, RECORD_DOCUMENT, old));
	query_words(f, &w, "older");
	assert_finds(f, &w, "");
	query_words(f, &w, "newer");
	assert_finds(f, &w, "d");
	query_words(f, &w, "text");
	assert_finds(f, &w, "d");
	q.vector = NULL;
	q.match = "older";
	assert_finds(f, &q, "");
}

static void test_search__a_put_without_entry_leaves_the_entry(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	put_doc(f, (struct doc){ .id = "d", .text = "apple", .vector = vector_first(f), .groups = "a" });
	uint64_t entry = search_ok(f, &q).hits[0].entry;
	put_record(f, RECORD_DOCUMENT, "d", 1, "{\"title\":\"new\"}");
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.hits[0].entry, entry);
	struct record *loaded;
	assert_int_equal(engine_load(f->g, RECORD_DOCUMENT, NULL, &entry, 1, f->a, &loaded, &f->e), 0);
	assert_body(loaded[0].body, "{\"title\":\"new\"}");
	assert_int_equal(loaded[0].revision, 2);
	query_words(f, &q, "apple");
	assert_finds(f, &q, "d");
	q.all_groups = 0;
	assert_finds(f, &q, "");
}

static void test_search__a_retag_keeps_words_and_vectors_and_the_entry(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);
	struct index_value en = { .type = VALUE_STRING, .s = text_from("en") };
	struct index_filter filter = { .op = FILTER_EQ, .key = "lang", .values = &en, .n_values = 1 };

	put_doc(f, (struct doc){ .id = "d",
				 .title = "One",
				 .text = "apple",
				 .vector = vector_near(f, 0.5f),
				 .tags = "{\"lang\":\"de\"}" });
	uint64_t entry = search_ok(f, &q).hits[0].entry;
	put_doc(f, (struct doc){ .id = "d", .keep_rows = 1, .tags = "{\"lang\":\"en\"}" });
	q.filter = &filter;
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.hits[0].entry, entry);
	assert_near(r.hits[0].vector, 0.5);
	query_words(f, &q, "apple one");
	assert_finds(f, &q, "d");
	q.match = "title:one AND text:apple";
	assert_finds(f, &q, "d");
	en.s = text_from("de");
	assert_finds(f, &q, "");
}

static void test_frequencies__count_live_entries_of_the_collection(void **state)
{
	const struct term terms[] = { { "apples", "appl", 1 }, { "pear", "pear", 1 }, { "plum", "plum", 1 } };
	struct fixture *f = *state;
	uint64_t have[3] = { 9, 9, 9 };

	for (int times = 0; times < 2; times++) {
		assert_int_equal(engine_frequencies(f->g, COLLECTION_DOCUMENT, terms, 3, have, &f->e), 0);
		assert_int_equal(have[0] + have[1] + have[2], 0);
		put_doc(f, (struct doc){ .id = "a", .title = "Apple", .text = "apples and a pear" });
		put_doc(f, (struct doc){ .id = "b", .text = "an apple", .groups = "x" });
		put_doc(f, (struct doc){ .id = "c", .text = "apple" });
		delete_record(f, RECORD_DOCUMENT, "c");
		assert_int_equal(engine_frequencies(f->g, COLLECTION_DOCUMENT, terms, 3, have, &f->e), 0);
		assert_int_equal(have[0], 2);
		assert_int_equal(have[1], 1);
		assert_int_equal(have[2], 0);
		assert_int_equal(engine_frequencies(f->g, COLLECTION_CASE, terms, 3, have, &f->e), 0);
		assert_int_equal(have[0], 0);
		delete_record(f, RECORD_DOCUMENT, "a");
		delete_record(f, RECORD_DOCUMENT, "b");
	}
}

/* --- loading -------------------------------------------------------------------------------------------------- */

static void test_load__dead_and_forbidden_come_back_without_id(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);
	const char *ids[] = { "open", "ours", "theirs", "nobodys", "dead", "replaced" };
	const char *groups[] = { NULL, "x ours", "theirs", "", NULL, NULL };
	const char *group[] = { "ours" };
	struct rights rights = { .groups = group, .n_groups = 1 }, all = { .all_groups = 1 }, none = { 0 };
	uint64_t entries[9] = { 0 };
	struct record *r;

	for (int i = 0; i < 6; i++)
		put_doc(f, (struct doc){ .id = ids[i],
					 .text = ids[i],
					 .vector = vector_random(f),
					 .groups = groups[i] });
	struct index_result found = search_ok(f, &q);
	for (int i = 0; i < 6; i++)
		entries[i] = hit_of(f, &found, ids[i])->entry;
	entries[6] = entries[0];
	entries[7] = 123456789;
	entries[8] = 0;
	delete_record(f, RECORD_DOCUMENT, "dead");
	put_doc(f, (struct doc){ .id = "replaced", .text = "again", .vector = vector_random(f) });

	const struct {
		const struct rights *rights;
		const char *ids[9];
	} cases[] = {
		{ &rights, { "open", "ours", NULL, NULL, NULL, NULL, "open" } },
		{ &none, { "open", NULL, NULL, NULL, NULL, NULL, "open" } },
		{ &all, { "open", "ours", "theirs", "nobodys", NULL, NULL, "open" } },
		{ NULL, { "open", "ours", "theirs", "nobodys", NULL, NULL, "open" } },
	};
	for (size_t c = 0; c < 4; c++) {
		assert_int_equal(
			engine_load(f->g, RECORD_DOCUMENT, cases[c].rights, entries, 9, f->a, &r, &f->e), 0);
		for (int i = 0; i < 9; i++) {
			assert_int_equal(!r[i].id, !cases[c].ids[i]);
			if (!r[i].id)
				continue;
			assert_string_equal(r[i].id, cases[c].ids[i]);
			assert_string_equal(r[i].text.s, cases[c].ids[i]);
			assert_int_equal(r[i].kind, RECORD_DOCUMENT);
			assert_int_equal(r[i].revision, 1);
		}
	}
	assert_int_equal(engine_load(f->g, RECORD_CASE, NULL, entries, 9, f->a, &r, &f->e), 0);
	for (int i = 0; i < 9; i++)
		assert_null(r[i].id);
	assert_int_equal(engine_load(f->g, RECORD_DOCUMENT, NULL, entries, 0, f->a, &r, &f->e), 0);
}

static void test_load__shows_the_last_change_with_the_places_of_the_rows(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);
	struct entry_row rows[2] = { { ROW_TITLE, 0, 0, 0, vector_random(f) }, { ROW_CHUNK, 3, 1, 4, NULL } };
	struct record *r;

	put_doc(f, (struct doc){ .id = "d", .title = "One", .text = "apple", .rows = rows, .n_rows = 2 });
	struct index_result found = search_ok(f, &q);
	uint64_t entry = hit_of(f, &found, "d")->entry;
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(engine_load(f->g, RECORD_DOCUMENT, NULL, &entry, 1, f->a, &r, &f->e), 0);
		assert_int_equal(r[0].revision, i);
		assert_int_equal(r[0].n_rows, 2);
		assert_int_equal(r[0].rows[1].field, ROW_CHUNK);
		assert_int_equal(r[0].rows[1].n, 3);
		assert_int_equal(r[0].rows[1].start, 1);
		assert_int_equal(r[0].rows[1].end, 4);
		assert_null(r[0].rows[0].vector);
		put_record(f, RECORD_DOCUMENT, "d", i, "{}");
	}
	delete_record(f, RECORD_DOCUMENT, "d");
	assert_int_equal(engine_load(f->g, RECORD_DOCUMENT, NULL, &entry, 1, f->a, &r, &f->e), 0);
	assert_null(r[0].id);
}

static void test_search__a_store_without_vectors_answers_by_words(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);
	struct entry_row *rows;
	struct engine_status s;
	size_t n;

	engine_close(f->g);
	f->under->stop(f->under->ctx);
	f->under->start(f->under->ctx, 0);
	f->g = f->under->open(f->under->ctx);
	put_doc(f, (struct doc){ .id = "a", .title = "Refund", .text = "apple", .groups = "x" });
	put_doc(f, (struct doc){ .id = "b", .text = "pear" });
	for (int times = 0; times < 2; times++) {
		assert_int_equal(engine_status(f->g, f->a, &s, &f->e), 0);
		assert_int_equal(s.dim, 0);
		query_words(f, &q, "refund pear");
		assert_finds(f, &q, "a b");
		q.all_groups = 0;
		assert_finds(f, &q, "b");
		q.all_groups = 1;
		assert_int_equal(engine_rows(f->g, RECORD_DOCUMENT, "a", f->a, &rows, &n, &f->e), 0);
		assert_int_equal(n, 1);
		assert_null(rows[0].vector);
		fixture_reopen(f);
	}
}

const struct suite_test suite_search[] = {
	SUITE_TEST(test_search__by_vector_ranks_by_inner_product),
	SUITE_TEST(test_search__vector_score_is_of_title_whole_and_best_chunk),
	SUITE_TEST(test_search__k_bounds_each_source_and_exhausted_tells_if_there_is_more),
	SUITE_TEST(test_search__of_nothing_finds_nothing),
	SUITE_TEST(test_search__exact_gives_the_same_for_small_sets),
	SUITE_TEST(test_search__by_words_finds_any_of_the_terms_in_title_or_text),
	SUITE_TEST(test_search__words_score_rare_terms_and_short_texts_higher),
	SUITE_TEST(test_search__weights_multiply_a_terms_score),
	SUITE_TEST(test_search__a_word_that_all_have_is_found),
	SUITE_TEST(test_search__entries_without_vectors_are_found_by_words_only),
	SUITE_TEST(test_search__all_candidates_carry_both_scores),
	SUITE_TEST(test_search__without_vector_and_terms_gives_any_k_of_the_allowed),
	SUITE_TEST(test_search__collections_are_apart),
	SUITE_TEST(test_match__words_phrases_prefixes_and_or_not),
	SUITE_TEST(test_match__what_does_not_parse_is_a_bad_match),
	SUITE_TEST(test_match__bounds_what_vector_and_words_find),
	SUITE_TEST(test_search__a_replaced_entry_is_found_as_it_is_now),
	SUITE_TEST(test_search__a_put_without_entry_leaves_the_entry),
	SUITE_TEST(test_search__a_retag_keeps_words_and_vectors_and_the_entry),
	SUITE_TEST(test_search__a_store_without_vectors_answers_by_words),
	SUITE_TEST(test_frequencies__count_live_entries_of_the_collection),
	SUITE_TEST(test_load__dead_and_forbidden_come_back_without_id),
	SUITE_TEST(test_load__shows_the_last_change_with_the_places_of_the_rows),
	{ NULL, NULL },
};
