#include "learn/intent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "learn/votes.h"
#include "text/analyser.h"

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
	const char *id, *label, *key, *agent, *subject;
	double score;  /* cosine, or BM25 */
	uint64_t hash; /* of the normalised text */
	struct text text;
	int backed, contested;
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

static const char *string_of(const json_t *body, const char *name)
{
	const char *s = json_string_value(json_object_get(body, name));

	return s ? s : "";
}

static int read_neighbour(struct arena *a, const struct record *r, double score, struct neighbour *out)
{
	const json_t *text = json_object_get(r->body, "text");
	struct neighbour nb = {
		.id = r->id,
		.label = string_of(r->body, "label"),
		.key = string_of(r->body, "principal"),
		.agent = string_of(r->body, "agent"),
		.subject = r->subject ? r->subject : "",
		.score = score,
		.text = { json_string_value(text), json_string_length(text) },
		.backed = json_is_true(json_object_get(r->body, "backed")),
		.contested = json_is_true(json_object_get(r->body, "contested")),
	};

	if (!nb.text.s)
		nb.text.s = "";
	if (votes_text_hash(a, nb.text, &nb.hash) < 0)
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
				  .k = VOTES_FETCHED };
	struct index_result found;
	struct record *records;
	uint64_t entries[VOTES_FETCHED];

	if (!q->vector) {
		iq.terms = q->terms;
		iq.n_terms = q->n_terms;
	}
	int rc = engine_search(g, &iq, a, &found, e);
	if (rc < 0)
		return rc;
	struct index_hit *hits = arena_alloc(a, (found.n + 1) * sizeof(*hits));
	struct neighbour *all = arena_alloc(a, VOTES_FETCHED * sizeof(*all));
	if (!hits || !all)
		return no_memory(e);
	size_t n_hits = 0, count = 0;
	for (size_t i = 0; i < found.n; i++)
		if (q->vector ? found.hits[i].vector_rank : found.hits[i].words_rank)
			hits[n_hits++] = found.hits[i];
	if (n_hits > 1)
		qsort(hits, n_hits, sizeof(*hits), better_hit);
	if (n_hits > VOTES_FETCHED)
		n_hits = VOTES_FETCHED;
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

static const char *agent_of(const struct neighbour *x)
{
	return *x->agent ? x->agent : x->key;
}

/* Two different values of each among those of the label? */
static int is_backed(const struct neighbour *all, size_t n, const char *label)
{
	const struct neighbour *first = NULL;
	int keys = 0, agents = 0, customers = 0;

	for (size_t i = 0; i < n; i++) {
		if (all[i].contested || strcmp(all[i].label, label) != 0)
			continue;
		if (all[i].backed)
			return 1;
		if (!first)
			first = &all[i];
		keys |= strcmp(all[i].key, first->key) != 0;
		agents |= strcmp(agent_of(&all[i]), agent_of(first)) != 0;
		customers |= strcmp(all[i].subject, first->subject) != 0;
	}
	return keys && agents && customers;
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

static void count_votes(const struct neighbour *all, size_t n, int vectors, struct votes *out)
{
	struct voter voters[VOTES_FETCHED];

	for (size_t i = 0; i < n; i++)
		voters[i] = (struct voter){ all[i].label,
					    all[i].score,
					    all[i].hash,
					    all[i].backed ? "" : all[i].key,
					    all[i].backed ? "" : all[i].subject,
					    all[i].contested };
	votes_count(voters, n, vectors, out);
}

/* Without a model: what is seen of the scope in the nearest example alone. -1 without memory. */
static double out_of_scope_by_nearest(struct arena *a, const struct intent_query *q,
				      const struct neighbour *nearest)
{
	if (q->vector)
		return 1 - logistic((nearest->score - SIMILARITY_MIDDLE) / SIMILARITY_WIDTH);
	double dice = overlap(a, q, nearest->text);
	return dice < 0 ? -1 : 1 - logistic((dice - OVERLAP_MIDDLE) / OVERLAP_WIDTH);
}

/* --- all labels that have a share ------------------------------------------------------------------------- */

struct shares {
	struct intent_candidate *list;
	size_t n;
	const struct intent_model *model; /* NULL: it had no say on the scope */
	struct intent_opinion said;
	const char *first[3]; /* what each opinion puts first */
	size_t n_first;
};

static int more(const void *x, const void *y)
{
	const struct intent_candidate *a = x, *b = y;

	if (a->confidence != b->confidence)
		return a->confidence > b->confidence ? -1 : 1;
	return strcmp(a->label, b->label);
}

static int shares_of_votes(struct arena *a, const struct votes *v, struct shares *out)
{
	out->list = arena_alloc(a, (v->n + 1) * sizeof(*out->list));
	if (!out->list)
		return -1;
	for (size_t i = 0; i < v->n; i++)
		out->list[out->n++] = (struct intent_candidate){ v->list[i].label, v->list[i].share };
	out->first[out->n_first++] = v->list[0].label;
	return 0;
}

/* The model's labels, and those that only votes know. */
static int shares_of_model(struct arena *a, const struct intent_query *q, const struct votes *v, double top,
			   struct shares *out)
{
	size_t labels = intent_model_labels(q->model);
	float *known = arena_alloc(a, labels * sizeof(*known));
	struct intent_votes votes = { .share = known, .top = top };

	out->list = arena_alloc(a, (labels + v->n) * sizeof(*out->list));
	if (!known || !out->list)
		return -1;
	for (size_t i = 0; i < v->n; i++) {
		long k = intent_model_find(q->model, v->list[i].label);
		if (k >= 0) {
			known[k] = (float)v->list[i].share;
			continue;
		}
		votes.unknown += v->list[i].share;
		out->list[out->n++] = (struct intent_candidate){ v->list[i].label, v->list[i].share };
	}
	if (intent_model_ask(q->model, a, q->vector, q->text, &votes, &out->said) < 0)
		return -1;
	for (size_t i = 0; i < labels; i++)
		out->list[out->n++] = (struct intent_candidate){ intent_model_label(q->model, i),
								 out->said.p[i] };
	out->first[out->n_first++] = v->list[0].label;
	out->first[out->n_first++] = intent_model_label(q->model, out->said.by_ngrams);
	if (out->said.by_vector != SIZE_MAX)
		out->first[out->n_first++] = intent_model_label(q->model, out->said.by_vector);
	if (intent_model_dim(q->model))
		out->model = q->model;
	return 0;
}

/* With the first of the list. */
static double agreement(const struct shares *s)
{
	size_t agree = 0;

	for (size_t i = 0; i < s->n_first; i++)
		agree += strcmp(s->first[i], s->list[0].label) == 0;
	return (double)agree / (double)s->n_first;
}

static int has_say(const struct intent_query *q)
{
	return q->model && (!intent_model_dim(q->model) || q->vector);
}

/*
 * How likely a right label would be as unlikely as one that somebody gave: the
 * shares of it and of all that have no more, by the examples that are not
 * contested themselves, for who says the same wrong thing again and again makes
 * it no likelier. -2 without memory.
 */
static double doubt_of(struct arena *a, const struct intent_query *q, const struct neighbour *all, size_t n)
{
	struct neighbour *sound = arena_alloc(a, (n + 1) * sizeof(*sound));
	struct shares shares = { 0 };
	struct votes votes = { 0 };
	double about = 0, tail = 0, sum = 0;
	size_t kept = 0;

	if (!q->about || !has_say(q) || intent_model_lessons(q->model) < INTENT_LEAST_TO_DOUBT ||
	    intent_model_find(q->model, q->about) < 0)
		return -1;
	for (size_t i = 0; sound && i < n; i++)
		if (!all[i].contested && !(q->own && strncmp(all[i].id, q->own, strlen(q->own)) == 0))
			sound[kept++] = all[i];
	if (sound && kept == 0)
		return -1;
	if (!sound)
		return -2;
	count_votes(sound, kept, q->vector != NULL, &votes);
	if (shares_of_model(a, q, &votes, q->vector ? sound[0].score : 0, &shares) < 0)
		return -2;
	for (size_t i = 0; i < shares.n; i++)
		if (strcmp(shares.list[i].label, q->about) == 0)
			about = shares.list[i].confidence;
	for (size_t i = 0; i < shares.n; i++) {
		sum += shares.list[i].confidence;
		tail += shares.list[i].confidence <= about ? shares.list[i].confidence : 0;
	}
	return sum > 0 ? tail / sum : -1;
}

/*
 * Shares to confidences: the first label's is how likely it is right; the
 * others keep their proportions, to it where it has become less, among
 * themselves in what is left where it has become more.
 */
static int set_confidences(struct arena *a, const struct shares *s, struct intent *in)
{
	double share = s->list[0].confidence;
	double first = s->model ? intent_model_confidence(s->model, share, &s->said)
				: share * (1 - in->out_of_scope);
	double rest = first <= share ? first / share : (1 - first) / (1 - share);

	in->in_all = first + rest * (1 - share);
	for (; in->n < s->n && in->n < INTENT_CANDIDATES && s->list[in->n].confidence > 0; in->n++) {
		const struct intent_candidate *c = &s->list[in->n];
		char *label = arena_strdup(a, c->label); /* the model's may go away with it */
		if (!label)
			return -1;
		in->candidates[in->n] = (struct intent_candidate){ label,
								   in->n ? c->confidence * rest : first };
	}
	return 0;
}

int intent_predict(struct engine *g, const struct intent_query *q, const struct rights *r, struct arena *a,
		   struct intent *out, struct error *e)
{
	struct shares shares = { 0 };
	struct intent in = { .doubt = -1 };
	struct neighbour *all = NULL;
	struct votes votes = { 0 };
	size_t n = 0;
	int rc;

	if ((q->vector || q->n_terms > 0) && (rc = fetch(g, q, r, a, &all, &n, e)) < 0)
		return rc;
	if (n == 0) {
		*out = in;
		return 0;
	}
	count_votes(all, n, q->vector != NULL, &votes);
	in.top_similarity = q->vector ? all[0].score : 0;
	in.out_of_scope = out_of_scope_by_nearest(a, q, &all[0]);
	rc = has_say(q) ? shares_of_model(a, q, &votes, in.top_similarity, &shares)
			: shares_of_votes(a, &votes, &shares);
	if (shares.model)
		in.out_of_scope = shares.said.out_of_scope;
	if (rc < 0 || in.out_of_scope < 0)
		return no_memory(e);
	qsort(shares.list, shares.n, sizeof(*shares.list), more);
	in.examples = votes.voters;
	in.agreement = agreement(&shares);
	if ((in.doubt = doubt_of(a, q, all, n)) < -1)
		return no_memory(e);
	in.backed = is_backed(all, n, shares.list[0].label);
	if (set_confidences(a, &shares, &in) < 0)
		return no_memory(e);
	*out = in;
	return 0;
}
