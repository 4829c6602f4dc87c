#include "cmd_replay.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "cmd_scratch.h"
#include "datasets/measure.h"
#include "desk/boosts.h"
#include "desk/predict.h"
#include "desk/query.h"

#define DOCUMENTS 10

static const struct outcome nothing = {
	.evidence1 = NAN, .evidence5 = NAN, .ndcg10 = NAN, .words_right = NAN, .words_evidence1 = NAN
};

/* What is asked of a conversation, and where the answer goes. */
struct question {
	struct outcome *out;
	const struct map *known; /* documents that what was learned from has used */
	int by_words;
	size_t turns; /* struct pass */
};

static const json_t *evidence_used(const struct chat *chat)
{
	return json_object_get(json_object_get(chat->line, "resolution"), "evidence_used");
}

/*
 * The conversation as it was when a decision had to be made.
 * Where a bot spoke: up to the first agent turn behind a customer's.
 * Where agents did from the beginning: the first `most` customer turns,
 * of those before the first system turn, which is what an agent's action looks
 * like in a transcript. (A greeting before the customer decides nothing.)
 * 0 turns: no customer spoke before.
 */
static void cut_to_opening(struct conversation *v, size_t most)
{
	const struct turn *t = v->turns, *end = t + v->n_turns, *first, *answer;
	size_t spoken = 0;

	while (t < end && !turn_is(t, "customer"))
		t++;
	first = answer = t;
	while (answer < end && !turn_is(answer, "agent") && !turn_is(answer, "bot"))
		answer++;
	if (answer < end && turn_is(answer, "bot"))
		while (t < end && !turn_is(t, "agent"))
			t++;
	else
		while (t < end && !turn_is(t, "system") && spoken < most)
			spoken += (size_t)turn_is(t++, "customer");
	v->n_turns = first < end ? (size_t)(t - v->turns) : 0;
}

/* Of documents, best first; NaN everywhere where no evidence was used. -1 without memory. */
static int score(struct arena *a, const json_t *used, const char *const *ranked, size_t n,
		 struct ranking_scores *out)
{
	size_t n_used = json_array_size(used);
	struct judged *judged = arena_alloc(a, (n_used + 1) * sizeof(*judged));

	if (!judged)
		return -1;
	*out = (struct ranking_scores){ NAN, NAN, NAN, NAN, NAN };
	for (size_t i = 0; i < n_used; i++) {
		const char *id = json_string_value(json_array_get(used, i));
		judged[i] = (struct judged){ id ? id : "", 1 };
	}
	if (n_used)
		ranking_score(ranked, n, judged, n_used, out);
	return 0;
}

static int score_suggestions(struct arena *a, const json_t *used, const json_t *suggestions,
			     struct outcome *out)
{
	size_t n = json_array_size(suggestions);
	const char **ranked = arena_alloc(a, (n + 1) * sizeof(*ranked));
	struct ranking_scores s;

	for (size_t i = 0; ranked && i < n; i++)
		ranked[i] = body_string(json_array_get(suggestions, i), "id");
	if (!ranked || score(a, used, ranked, n, &s) < 0)
		return -1;
	out->evidence1 = s.recall1;
	out->evidence5 = s.recall5;
	out->ndcg10 = s.ndcg10;
	return 0;
}

static enum met met_before(const struct map *known, const json_t *used)
{
	size_t n = json_array_size(used), met = 0;

	for (size_t i = 0; i < n; i++) {
		const json_t *id = json_array_get(used, i);
		met += json_is_string(id) && map_get(known, json_string_value(id), json_string_length(id));
	}
	return n == 0 ? MET_NOTHING : met == n ? MET_SEEN : met == 0 ? MET_UNSEEN : MET_MIXED;
}

/* Of a line that was imported, so that all are ids. -1 without memory. */
static int add_known(struct map *known, const json_t *used)
{
	for (size_t i = 0; i < json_array_size(used); i++) {
		const json_t *id = json_array_get(used, i);
		if (!map_put(known, json_string_value(id), json_string_length(id), NULL))
			return -1;
	}
	return 0;
}

/* The first similar case has the label. */
static int case_hits_with(struct desk *d, const struct call *c, const struct conversation *v,
			  const char *label, const struct learned *learned, int *out)
{
	struct search_request r = { .kinds = { COLLECTION_CASE }, .n_kinds = 1, .k = 1, .no_highlight = 1 };
	struct search_result found;
	struct desk_query q;
	struct intent in;
	int rc = query_of_conversation(d, c->arena, v, &q, c->err);

	*out = 0;
	if (rc == 0)
		rc = query_require_vector(&q, c->err);
	if (rc < 0 || (!q.vector && q.n_terms == 0))
		return rc;
	if ((rc = intent_of_query(d, c, &q, c->rights, learned, &in)) < 0)
		return rc;
	query_for_cases(&q);
	query_to_request(&q, &r);
	if (boosts_set(c->arena, learned, &in, &r) < 0)
		return no_memory(c->err);
	rc = search_run(d->engine, d->embedder, c->rights, &r, c->arena, &found, c->err);
	if (rc == 0 && found.n)
		*out = strcmp(body_string(found.hits[0].record.body, "intent"), label) == 0;
	return rc;
}

static int case_hits(struct desk *d, const struct call *c, const struct conversation *v, const char *label,
		     int *out)
{
	struct learned learned;

	learner_take(d->learner, &learned);
	int rc = case_hits_with(d, c, v, label, &learned, out);
	learner_give(d->learner, &learned);
	return rc;
}

static int first_by_words(struct desk *d, const struct call *c, const struct desk_query *q,
			  enum collection kind, struct search_result *out)
{
	struct search_request r = { .kinds = { kind }, .n_kinds = 1, .k = 1, .no_highlight = 1 };

	query_to_request(q, &r);
	r.vector = NULL;
	r.no_vector = 1;
	return search_run(d->engine, d->embedder, c->rights, &r, c->arena, out, c->err);
}

/* BM25 over the opening's words: the first document, and the intent of the first case. */
static int by_words(struct desk *d, const struct call *c, const struct conversation *v,
		    const struct chat *chat, struct outcome *out)
{
	struct search_result documents = { 0 }, cases = { 0 };
	struct ranking_scores s;
	struct desk_query q;
	int rc = query_of_conversation(d, c->arena, v, &q, c->err);

	if (rc == 0 && q.n_terms)
		rc = first_by_words(d, c, &q, COLLECTION_DOCUMENT, &documents);
	if (rc == 0 && q.n_terms)
		rc = first_by_words(d, c, &q, COLLECTION_CASE, &cases);
	if (rc < 0)
		return rc;
	const char *first = documents.n ? documents.hits[0].record.id : "";
	if (score(c->arena, evidence_used(chat), &first, documents.n ? 1 : 0, &s) < 0)
		return no_memory(c->err);
	out->words_evidence1 = s.recall1;
	out->words_right = cases.n &&
			   strcmp(body_string(cases.hits[0].record.body, "intent"), chat->label) == 0;
	return 0;
}

static int predict(struct desk *d, const struct call *c, const struct chat *chat,
		   const struct question *asked)
{
	const json_t *used = evidence_used(chat);
	struct outcome o = nothing;
	struct conversation v;
	struct reader r;
	json_t *p;
	int rc;

	reader_init(&r, chat->line, NULL, c->err);
	if ((rc = conversation_read(c, &r, &v)) < 0)
		return rc;
	cut_to_opening(&v, asked->turns);
	if (v.n_turns == 0)
		return 0;
	if ((rc = conversation_embed(d, c->arena, &v, c->err)) < 0 ||
	    (rc = predict_conversation(d, c, &v, DOCUMENTS, &p)) < 0)
		return rc;
	json_keep(c->arena, p);
	o.measured = !chat->out_of_scope;
	o.out_of_scope = chat->out_of_scope;
	const json_t *suggestions = json_object_get(p, "suggestions");
	o.answered = strcmp(body_string(p, "decision"), "answer") == 0;
	if (chat->out_of_scope) {
		*asked->out = o;
		return 0;
	}
	o.right = strcmp(body_string(json_object_get(p, "intent"), "label"), chat->label) == 0;
	o.met = met_before(asked->known, used);
	if (score_suggestions(c->arena, used, suggestions, &o) < 0)
		return no_memory(c->err);
	if ((rc = case_hits(d, c, &v, chat->label, &o.case_hit)) < 0 ||
	    (asked->by_words && (rc = by_words(d, c, &v, chat, &o)) < 0))
		return rc;
	*asked->out = o;
	return 0;
}

/* The line with the label that is taught; new reference, NULL without memory. */
static json_t *line_to_learn(const struct chat *chat)
{
	if (!chat->taught)
		return json_incref(chat->line);
	json_t *line = json_copy(chat->line);
	json_t *resolution = json_copy(json_object_get(chat->line, "resolution"));

	if (!line || !resolution ||
	    json_object_set_new(resolution, "intent", json_string(chat->taught)) < 0 ||
	    json_object_set(line, "resolution", resolution) < 0) {
		json_decref(line);
		line = NULL;
	}
	json_decref(resolution);
	return line;
}

static int learn(struct desk *d, const struct call *c, const struct chat *chat)
{
	JSON_AUTO *line = line_to_learn(chat);
	int fresh;

	return line ? conversation_import(d, c, line, &fresh) : no_memory(c->err);
}

/* Asks, or learns when nothing is asked. With an arena of its own; an error of the line is said and counted, and the history goes on. */
static int step(struct desk *d, const struct chat *chat, const struct question *asked, size_t *bad,
		struct error *e)
{
	struct arena *a = arena_new(256 << 10);
	struct error why = { 0 };
	struct call c = scratch_call(a, &why);
	int rc = !a ? no_memory(e) : 0;

	if (rc == 0)
		rc = asked ? predict(d, &c, chat, asked) : learn(d, &c, chat);
	if (rc < 0 && a && import_is_line_error(rc)) {
		if (!asked) {
			fprintf(stderr, "readback: conversation %s: %s%s%s\n", body_string(chat->line, "id"),
				why.param, why.param[0] ? ": " : "", why.message);
			++*bad;
		}
		rc = 0;
	} else if (rc < 0 && a) {
		*e = why;
	}
	arena_free(a);
	return rc;
}

/* What counts at once; what is trained does with train(). */
static int learn_next(struct desk *d, const struct chat *chat, struct map *known, size_t *bad,
		      struct error *e)
{
	size_t bad_before = *bad;
	int rc = chat->out_of_scope ? 0 : step(d, chat, NULL, bad, e);

	if (rc == 0 && *bad == bad_before && add_known(known, evidence_used(chat)) < 0)
		return no_memory(e);
	return rc;
}

/* As soon as the service would, if so many have come that it may. */
static int train(const struct pass *p, struct desk *d, size_t come, struct error *e)
{
	if (come < p->train && come - p->delay < p->learned)
		return 0;
	int rc = learner_train(d->learner, 1, e);
	return rc > 0 ? 0 : rc;
}

static int go_through(const struct pass *p, struct desk *d, struct outcome *out, size_t *bad, struct error *e)
{
	struct map *known = map_new();
	struct progress bar;
	int rc = known ? 0 : no_memory(e);

	progress_start(&bar, p->what);
	for (size_t i = 0; rc == 0 && i < p->n; i++) {
		const struct chat *chat = &p->chats[p->order[i]];
		const struct question asked = { &out[i], known, i >= p->words, p->turns };
		out[i] = nothing;
		if (cmd_stop)
			rc = error_set(e, ERR_INTERRUPTED, NULL, "interrupted");
		else if ((chat->label || chat->out_of_scope) && i >= p->skip)
			rc = step(d, chat, &asked, bad, e);
		if (rc == 0 && i >= p->delay && i - p->delay < p->learned &&
		    (rc = learn_next(d, &p->chats[p->order[i - p->delay]], known, bad, e)) == 0)
			rc = train(p, d, i + 1, e);
		progress_show(&bar, (int64_t)i + 1, (int64_t)p->n);
	}
	progress_end(&bar, (int64_t)p->n);
	map_free(known);
	return rc;
}

int replay_pass(const struct pass *p, struct outcome *out, size_t *bad, struct error *e)
{
	struct import_options o = { .what = IMPORT_DOCUMENTS, .rights = &cli_rights, .stop = &cmd_stop };
	struct import_progress done = { 0 };
	struct scratch s;
	const struct workplace_options place = { .ready = p->embedder, .target_precision = p->target };
	int rc = scratch_open(NULL, &place, &s, e);

	if (rc < 0)
		return rc;
	if (p->documents)
		rc = import_path(&s.place.desk, p->documents, &o, &done, e);
	if (done.failed)
		fprintf(stderr, "readback: %s: %llu lines were skipped\n", p->documents,
			(unsigned long long)done.failed);
	*bad = 0;
	if (rc == 0)
		rc = go_through(p, &s.place.desk, out, bad, e);
	scratch_close(&s);
	return rc;
}
