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
#include "index/bits.h"
#include "index/words.h"
#include "index_fixture.h"

#define PARTS 3
#define STEMS 800
#define MAX_TERMS 64

/* Documents of a part: counts by stem, so that a look at every one is simple. */
struct part {
	size_t n;
	struct bag *bags;
	uint64_t *ids, *allowed;
	uint32_t n_allowed, *dead_df;
	char *dead;
	struct strbuf bytes;
	struct words words;
};

struct corpus {
	struct arena *arena;
	struct part parts[PARTS];
	uint64_t docs, length; /* live */
	char stems[STEMS][8];
};

/* Frequent ones first, about as in a language. */
static size_t any_stem(struct rng *r)
{
	return (size_t)(STEMS * pow(rng_real(r), 3));
}

static struct bag random_bag(struct corpus *c, struct rng *r)
{
	uint32_t counts[STEMS] = { 0 };
	struct bag b = { 0 };

	b.length = (uint32_t)(rng_below(r, 20) == 0 ? rng_below(r, 3000) : 5 + rng_below(r, 90));
	for (uint32_t i = 0; i < b.length; i++)
		counts[any_stem(r)]++;
	for (size_t i = 0; i < STEMS; i++)
		b.n += counts[i] > 0;
	struct bag_term *terms = arena_alloc(c->arena, (b.n + 1) * sizeof(*terms));
	for (size_t i = 0, at = 0; i < STEMS; i++)
		if (counts[i])
			terms[at++] = (struct bag_term){ c->stems[i], strlen(c->stems[i]), counts[i] };
	b.terms = terms;
	return b;
}

static void open_words(struct part *p)
{
	struct error e;

	if (words_open(p->bytes.p, p->bytes.n, &p->words, &e) < 0)
		fail_msg("%s", e.message);
}

static void count_dead(struct part *p)
{
	p->dead_df = calloc(p->words.terms + 1, sizeof(*p->dead_df));
	for (size_t d = 0; d < p->n; d++) {
		if (!p->dead[d])
			continue;
		for (size_t i = 0; i < p->bags[d].n; i++)
			p->dead_df[words_find(&p->words, p->bags[d].terms[i].s, p->bags[d].terms[i].n)]++;
	}
}

/* Ids are spread over the parts, so that ties are between parts. */
static struct corpus *corpus_new(struct rng *r, size_t docs, double dead, double allowed)
{
	struct corpus *c = calloc(1, sizeof(*c));
	uint64_t id = 1;

	c->arena = arena_new(1 << 20);
	for (size_t i = 0; i < STEMS; i++)
		snprintf(c->stems[i], sizeof(c->stems[i]), "s%03zu", i);
	for (int i = 0; i < PARTS; i++) {
		struct part *p = &c->parts[i];
		p->n = i == 0 ? docs : docs / (size_t)(4 * i) + 1;
		p->bags = calloc(p->n, sizeof(*p->bags));
		p->ids = calloc(p->n, sizeof(*p->ids));
		p->dead = calloc(p->n, 1);
		p->allowed = calloc(bits_words(p->n), sizeof(*p->allowed));
		id = 1 + (uint64_t)i;
		for (size_t d = 0; d < p->n; d++, id += PARTS) {
			p->bags[d] = d > 5 && rng_below(r, 10) == 0 ? p->bags[d - 1 - rng_below(r, 5)]
								    : random_bag(c, r);
			p->ids[d] = id;
			p->dead[d] = rng_real(r) < dead;
			if (p->dead[d])
				continue;
			c->docs++;
			c->length += p->bags[d].length;
			if (rng_real(r) < allowed) {
				bits_add(p->allowed, (uint32_t)d);
				p->n_allowed++;
			}
		}
		assert_int_equal(words_build(p->bags, p->n, &p->bytes), 0);
		open_words(p);
		count_dead(p);
	}
	return c;
}

static void corpus_free(struct corpus *c)
{
	for (int i = 0; i < PARTS; i++) {
		struct part *p = &c->parts[i];
		free(p->bags);
		free(p->ids);
		free(p->dead);
		free(p->allowed);
		free(p->dead_df);
		strbuf_release(&p->bytes);
	}
	arena_free(c->arena);
	free(c);
}

static uint32_t count_of(const struct bag *b, const char *stem)
{
	for (size_t i = 0; i < b->n; i++)
		if (strlen(stem) == b->terms[i].n && memcmp(b->terms[i].s, stem, b->terms[i].n) == 0)
			return b->terms[i].tf;
	return 0;
}

static double idf_of(const struct corpus *c, const char *stem)
{
	double df = 0;

	for (int i = 0; i < PARTS; i++)
		for (size_t d = 0; d < c->parts[i].n; d++)
			df += !c->parts[i].dead[d] && count_of(&c->parts[i].bags[d], stem) > 0;
	return log(1 + ((double)c->docs - df + .5) / (df + .5));
}

static double score_of(const struct corpus *c, const struct words_query *q, const double *idf,
		       const struct bag *b)
{
	double average = (double)c->length / (double)c->docs, sum = 0;

	for (size_t t = 0; t < q->n_terms; t++) {
		double tf = count_of(b, q->terms[t].stem);
		sum += q->terms[t].weight * idf[t] * tf * (q->k1 + 1) /
		       (tf + q->k1 * (1 - q->b + q->b * b->length / average));
	}
	return sum;
}

static struct words_query any_query(struct corpus *c, struct rng *r, struct arena *a,
				    struct words_part *parts)
{
	struct words_query q = { .k1 = rng_below(r, 4) ? 1.2 : rng_real(r) * 2,
				 .b = rng_below(r, 4) ? .75 : rng_real(r),
				 .docs = c->docs,
				 .length = c->length,
				 .parts = parts,
				 .n_parts = PARTS };
	struct term *terms = arena_alloc(a, MAX_TERMS * sizeof(*terms));
	int filtered = rng_below(r, 2) == 0;

	q.n_terms = 1 + rng_below(r, rng_below(r, 3) ? 8 : MAX_TERMS);
	for (size_t i = 0; i < q.n_terms; i++) {
		const char *s = rng_below(r, 30) ? c->stems[any_stem(r)] : "unknown";
		terms[i] = (struct term){ s, s, rng_below(r, 5) ? 1 : (float)rng_real(r) * 3 };
	}
	q.terms = terms;
	for (int i = 0; i < PARTS; i++) {
		struct part *p = &c->parts[i];
		size_t live = 0;
		for (size_t d = 0; !filtered && d < p->n; d++) {
			if (!p->dead[d])
				bits_add(p->allowed, (uint32_t)d);
			live += !p->dead[d];
		}
		if (!filtered)
			p->n_allowed = (uint32_t)live;
		parts[i] = (struct words_part){ &p->words, p->ids, p->allowed, p->n_allowed, p->dead_df };
	}
	return q;
}

struct ranked {
	double score;
	uint64_t id;
};

static int by_score(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;
	return (x->id > y->id) - (x->id < y->id);
}

/* The best k are those of a look at every document, and their scores those of the formula. */
static void check_query(struct corpus *c, struct rng *r, uint64_t seed)
{
	struct arena *a = arena_new(1 << 16);
	struct words_part parts[PARTS];
	struct words_query q = any_query(c, r, a, parts);
	struct words_plan *plan = words_plan_new(a, &q);
	const struct words_hit *hits;
	size_t k = 1 + rng_below(r, rng_below(r, 2) ? 10 : 2000), n = 0;
	double *idf = arena_alloc(a, q.n_terms * sizeof(*idf));
	struct ranked *all = calloc(c->docs + 1, sizeof(*all));

	for (size_t t = 0; t < q.n_terms; t++)
		idf[t] = idf_of(c, q.terms[t].stem);
	for (uint32_t i = 0; i < PARTS; i++) {
		for (uint32_t d = 0; d < c->parts[i].n; d++) {
			if (!bits_has(parts[i].allowed, d))
				continue;
			double got = words_score(plan, i, d);
			double want = score_of(c, &q, idf, &c->parts[i].bags[d]);
			if (fabs(got - want) > 1e-9 * (1 + want))
				fail_msg("seed %d: scored %.17g instead of %.17g", (int)seed, got, want);
			if (got > 0)
				all[n++] = (struct ranked){ got, parts[i].ids[d] };
		}
	}
	qsort(all, n, sizeof(*all), by_score);
	long found = words_best(plan, a, k, NULL, &hits);
	assert_int_equal(found, n < k ? n : k);
	for (long i = 0; i < found; i++) {
		if (parts[hits[i].part].ids[hits[i].doc] != all[i].id || hits[i].score != all[i].score)
			fail_msg("seed %d: rank %ld is entry %d instead of %d", (int)seed, i,
				 (int)parts[hits[i].part].ids[hits[i].doc], (int)all[i].id);
	}
	free(all);
	arena_free(a);
}

static void test_words__the_best_are_those_of_a_look_at_every_document(void **state)
{
	static const struct {
		size_t docs;
		double dead, allowed;
	} shapes[] = { { 3000, 0, 1 }, { 3000, .2, .5 }, { 3000, .05, .02 },
		       { 1, 0, 1 },    { 140, .9, .9 },  { 6000, .1, .2 } };

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct rng r = { 40 + i };
		struct corpus *c = corpus_new(&r, shapes[i].docs, shapes[i].dead, shapes[i].allowed);
		for (int j = 0; j < 12; j++)
			check_query(c, &r, 40 + i);
		corpus_free(c);
	}
}

/* Merged words are, byte for byte, those that are built of the same documents. */
static void test_words__a_merge_is_a_build(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct rng r = { seed };
		struct corpus *c = corpus_new(&r, 400, .3, 1);
		struct words_pick *picks = calloc(2000, sizeof(*picks));
		struct bag *bags = calloc(2000, sizeof(*bags));
		STRBUF_AUTO merged = STRBUF_INIT;
		STRBUF_AUTO built = STRBUF_INIT;
		size_t n = 0;
		for (int i = 0; i < PARTS; i++) {
			for (uint32_t d = 0; d < c->parts[i].n; d++) {
				if (c->parts[i].dead[d])
					continue;
				picks[n] = (struct words_pick){ &c->parts[i].words, d };
				bags[n++] = c->parts[i].bags[d];
			}
		}
		assert_int_equal(words_merge(picks, n, &merged), 0);
		assert_int_equal(words_build(bags, n, &built), 0);
		assert_int_equal(merged.n, built.n);
		assert_memory_equal(merged.p, built.p, built.n);
		free(picks);
		free(bags);
		corpus_free(c);
	}
}

static void see_term(void *arg, uint32_t term, uint32_t tf)
{
	uint64_t *sum = arg;

	*sum += (uint64_t)term * 31 + tf;
}

/* Whatever bytes are damaged, it is refused, or nothing outside is read: the sanitizers watch. */
static void test_words__damaged_bytes_are_refused_or_harmless(void **state)
{
	struct rng r = { 9 };
	struct corpus *c = corpus_new(&r, 120, 0, 1);
	struct part *p = &c->parts[0];
	size_t refused = 0;

	(void)state;
	for (int i = 0; i < 4000; i++) {
		size_t at = i % 2 ? rng_below(&r, p->bytes.n) : rng_below(&r, 4000) % p->bytes.n;
		struct words w;
		char *copy = malloc(p->bytes.n);
		memcpy(copy, p->bytes.p, p->bytes.n);
		copy[at] ^= (char)(1 << rng_below(&r, 8));
		if (words_open(copy, p->bytes.n, &w, NULL) < 0) {
			refused++;
		} else {
			struct arena *a = arena_new(4096);
			const struct term t[] = { { "s001", "s001", 1 }, { "s100", "s100", 1 } };
			struct words_part part = { .words = &w, .ids = p->ids };
			struct words_query q = { t, 2, 1.2, .75, p->n, p->words.length, &part, 1 };
			const struct words_hit *hits;
			uint64_t sum = 0;
			words_best(words_plan_new(a, &q), a, 5, NULL, &hits);
			for (uint32_t d = 0; d < w.docs; d++)
				words_each_term(&w, d, see_term, &sum);
			arena_free(a);
		}
		free(copy);
	}
	assert_true(refused > 1000);
	for (size_t n = 0; n < 200; n++)
		assert_int_not_equal(words_open(p->bytes.p, n, &(struct words){ 0 }, NULL), 0);
	corpus_free(c);
}

static void test_words__of_nothing_finds_nothing(void **state)
{
	struct arena *a = arena_new(4096);
	const struct term t = { "word", "word", 1 };
	const struct bag empty = { 0 };
	const struct words_hit *hits;
	uint64_t id = 1;
	struct words w;
	STRBUF_AUTO b = STRBUF_INIT;

	(void)state;
	assert_int_equal(words_build(&empty, 1, &b), 0);
	assert_int_equal(words_open(b.p, b.n, &w, NULL), 0);
	struct words_part part = { .words = &w, .ids = &id };
	struct words_query q = { &t, 1, 1.2, .75, 1, 0, &part, 1 };
	assert_int_equal(words_best(words_plan_new(a, &q), a, 5, NULL, &hits), 0);
	assert_true(words_score(words_plan_new(a, &q), 0, 0) == 0);
	q.n_parts = 0;
	q.docs = 0;
	assert_int_equal(words_best(words_plan_new(a, &q), a, 5, NULL, &hits), 0);
	q.n_terms = 0;
	assert_int_equal(words_best(words_plan_new(a, &q), a, 5, NULL, &hits), 0);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words__the_best_are_those_of_a_look_at_every_document),
		cmocka_unit_test(test_words__a_merge_is_a_build),
		cmocka_unit_test(test_words__damaged_bytes_are_refused_or_harmless),
		cmocka_unit_test(test_words__of_nothing_finds_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
