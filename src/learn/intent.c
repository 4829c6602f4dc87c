#include "learn/intent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "text/analyser.h"

#define NEIGHBOURS 10
#define FETCHED 40           /* more than vote, for duplicates have one vote and back each other */
#define TEMPERATURE .05      /* of cosines */
#define WORD_TEMPERATURE .15 /* of BM25 scores relative to the best */

/*
 * Where a text is as likely out of scope as in, and how fast that changes.
 * Similarity: banking77 with 1 in 11 CLINC150 out-of-scope texts thrown in,
 * error of the confidence (ECE) .049, .030, .035, .016 with 2, 5, 10, 40
 * examples a label; of those at .8 or more .92, .94, .96, .97 are right. The
 * best middle moves from .45 with one example a label to .65 with forty.
 * Overlap: by reading, for want of anything better to see in words alone.
 */
#define SIMILARITY_MIDDLE .55
#define SIMILARITY_WIDTH .06
#define OVERLAP_MIDDLE .25
#define OVERLAP_WIDTH .08

struct neighbour {
	const char *id, *label, *who, *subject;
	double score;  /* cosine, or BM25 */
	uint64_t hash; /* of the normalised text */
	struct text text;
	int backed;
};

static int nearer(const void *x, const void *y)
{
	const struct neighbour *a = x, *b = y;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return strcmp(a->id, b->id);
}

static int better_hit(const void *x, const void *y)
{
	const struct index_hit *a = x, *b = y;
	float sa = a->vector_rank ? a->vector : a->words, sb = b->vector_rank ? b->vector : b->words;

	if (sa != sb)
		return sa > sb ? -1 : 1;
	return a->entry < b->entry ? -1 : a->entry > b->entry;
}

/* The same for texts that differ in case, accents, punctuation and space only. 0, or -1 without memory. */
static int text_hash(struct arena *a, struct text t, uint64_t *out)
{
	const struct token *tokens = NULL;
	uint64_t h = 0;
	long n = analyse_text(a, t.s, t.n, &tokens);

	if (n < 0)
		return -1;
	for (long i = 0; i < n; i++)
		h = (h ^ hash_fnv1a(tokens[i].word, strlen(tokens[i].word))) * 0x9e3779b97f4a7c15u;
	*out = n ? h : hash_fnv1a(t.s, t.n);
	return 0;
}

static const char *string_of(const json_t *body, const char *name)
{
	const char *s = json_string_value(json_object_get(body, name));

	return s ? s : "";
}

static int read_neighbour(struct arena *a, const struct record *r, double score, struct neighbour *out)
{
	const json_t *text = json_object_get(r->body, "text");
	const char *agent = string_of(r->body, "agent");
	struct neighbour nb = {
		.id = r->id,
		.label = string_of(r->body, "label"),
		.who = *agent ? agent : string_of(r->body, "principal"),
		.subject = r->subject ? r->subject : "",
		.score = score,
		.text = { json_string_value(text), json_string_length(text) },
		.backed = json_is_true(json_object_get(r->body, "backed")),
	};

	if (!nb.text.s)
		nb.text.s = "";
	if (text_hash(a, nb.text, &nb.hash) < 0)
		return -1;
	*out = nb;
	return 0;
}

/* The examples that are nearest, best first. */
static int fetch(struct engine *g, const struct intent_query *q, const struct rights *r, struct arena *a,
		 struct neighbour **out, size_t *n, struct error *e)
{
	struct index_query iq = { .collection = COLLECTION_EXAMPLE,
				  .vector = q->vector,
				  .all_groups = !r || r->all_groups,
				  .groups = r ? r->groups : NULL,
				  .n_groups = r ? r->n_groups : 0,
				  .k = FETCHED };
	struct index_result found;
	struct record *records;
	uint64_t entries[FETCHED];

	if (!q->vector) {
		iq.terms = q->terms;
		iq.n_terms = q->n_terms;
	}
	int rc = engine_search(g, &iq, a, &found, e);
	if (rc < 0)
		return rc;
	struct index_hit *hits = arena_alloc(a, (found.n + 1) * sizeof(*hits));
	struct neighbour *all = arena_alloc(a, FETCHED * sizeof(*all));
	if (!hits || !all)
		return no_memory(e);
	size_t n_hits = 0, count = 0;
	for (size_t i = 0; i < found.n; i++)
		if (q->vector ? found.hits[i].vector_rank : found.hits[i].words_rank)
			hits[n_hits++] = found.hits[i];
	if (n_hits > 1)
		qsort(hits, n_hits, sizeof(*hits), better_hit);
	if (n_hits > FETCHED)
		n_hits = FETCHED;
	for (size_t i = 0; i < n_hits; i++)
		entries[i] = hits[i].entry;
	if (n_hits > 0 && (rc = engine_load(g, RECORD_EXAMPLE, r, entries, n_hits, a, &records, e)) < 0)
		return rc;
	for (size_t i = 0; i < n_hits; i++) {
		if (!records[i].id)
			continue;
		double score = q->vector ? hits[i].vector : hits[i].words;
		if (read_neighbour(a, &records[i], score, &all[count++]) < 0)
			return no_memory(e);
	}
	if (count > 1)
		qsort(all, count, sizeof(*all), nearer);
	*out = all;
	*n = count;
	return 0;
}

/* An earlier one with the same words and label has this one's vote. */
static int is_duplicate(const struct neighbour *all, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (all[j].hash == all[i].hash && strcmp(all[j].label, all[i].label) == 0)
			return 1;
	return 0;
}

struct tally {
	struct intent_candidate label[NEIGHBOURS];
	size_t n, voters;
	double total;
};

static void vote(struct tally *t, const char *label, double weight)
{
	size_t i = 0;

	while (i < t->n && strcmp(t->label[i].label, label) != 0)
		i++;
	if (i == t->n)
		t->label[t->n++] = (struct intent_candidate){ label, 0 };
	t->label[i].confidence += weight;
	t->total += weight;
	t->voters++;
}

static void count_votes(const struct neighbour *all, size_t n, int vectors, struct tally *t)
{
	double best = all[0].score;

	for (size_t i = 0; i < n && t->voters < NEIGHBOURS; i++) {
		if (is_duplicate(all, i))
			continue;
		double w = vectors ? exp((all[i].score - best) / TEMPERATURE)
				   : exp((all[i].score / best - 1) / WORD_TEMPERATURE);
		vote(t, all[i].label, w);
	}
}

static int more_votes(const void *x, const void *y)
{
	const struct intent_candidate *a = x, *b = y;

	if (a->confidence != b->confidence)
		return a->confidence > b->confidence ? -1 : 1;
	return strcmp(a->label, b->label);
}

/* Two different values among those of the label? */
static int is_backed(const struct neighbour *all, size_t n, const char *label)
{
	const struct neighbour *first = NULL;
	int principals = 0, customers = 0;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(all[i].label, label) != 0)
			continue;
		if (all[i].backed)
			return 1;
		if (!first)
			first = &all[i];
		principals |= strcmp(all[i].who, first->who) != 0;
		customers |= strcmp(all[i].subject, first->subject) != 0;
	}
	return principals && customers;
}

/* Dice coefficient of the query's words and the text's, by stem, without stop words. -1 without memory. */
static double overlap(struct arena *a, const struct intent_query *q, struct text t)
{
	const struct term *terms = NULL;
	double shared = 0, weight = 0;
	long n = analyse_query(a, t.s, t.n, 64, &terms);

	if (n < 0)
		return -1;
	for (size_t i = 0; i < q->n_terms; i++) {
		weight += q->terms[i].weight;
		for (long j = 0; j < n; j++)
			if (strcmp(q->terms[i].stem, terms[j].stem) == 0) {
				shared += q->terms[i].weight;
				break;
			}
	}
	return weight + (double)n > 0 ? 2 * shared / (weight + (double)n) : 0;
}

static double logistic(double x)
{
	return 1 / (1 + exp(-x));
}

int intent_predict(struct engine *g, const struct intent_query *q, const struct rights *r, struct arena *a,
		   struct intent *out, struct error *e)
{
	struct tally t = { 0 };
	struct intent in = { 0 };
	struct neighbour *all = NULL;
	double in_scope;
	size_t n = 0;
	int rc;

	if ((q->vector || q->n_terms > 0) && (rc = fetch(g, q, r, a, &all, &n, e)) < 0)
		return rc;
	if (n == 0) {
		*out = in;
		return 0;
	}
	count_votes(all, n, q->vector != NULL, &t);
	qsort(t.label, t.n, sizeof(t.label[0]), more_votes);
	if (q->vector) {
		in.top_similarity = all[0].score;
		in_scope = logistic((all[0].score - SIMILARITY_MIDDLE) / SIMILARITY_WIDTH);
	} else {
		double dice = overlap(a, q, all[0].text);
		if (dice < 0)
			return no_memory(e);
		in_scope = logistic((dice - OVERLAP_MIDDLE) / OVERLAP_WIDTH);
	}
	in.out_of_scope = 1 - in_scope;
	in.examples = t.voters;
	in.backed = is_backed(all, n, t.label[0].label);
	for (; in.n < t.n && in.n < INTENT_CANDIDATES; in.n++)
		in.candidates[in.n] = (struct intent_candidate){
			t.label[in.n].label, t.label[in.n].confidence / t.total * in_scope
		};
	*out = in;
	return 0;
}
