#include "desk/case.h"

#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "desk/annotations.h"
#include "desk/example.h"
#include "desk/expectation.h"
#include "desk/query.h"
#include "embed/embed.h"

/* What is under construction. */
struct build {
	struct desk *desk;
	struct arena *arena;
	const struct case_input *in;
	const struct conversation *conv;
	struct changes *cs;
	struct error *err;
	struct text opening, problem; /* opening.s NULL: no customer has spoken */
	int two;                      /* the problem says something else than the opening */
	const float *opening_vector, *problem_vector;
	json_t *acl; /* json null: everyone */
	const char *case_id, *review_id;
	const json_t *review;    /* of this conversation so far; NULL: none */
	struct annotations said; /* about this conversation before */
	const char *origin;      /* of the label */
	int disputed;            /* somebody else has said another label */
	struct expectation expected;
};

const char *case_id(struct arena *a, const char *conversation)
{
	return arena_printf(a, "%s/case", conversation);
}

const char *review_id(struct arena *a, const char *conversation)
{
	return arena_printf(a, "%s/review", conversation);
}

static int same_text(struct text x, struct text y)
{
	return x.s && y.s && x.n == y.n && memcmp(x.s, y.s, x.n) == 0;
}

static int set_texts(struct build *b)
{
	struct text texts[2];
	const float *vectors = NULL;
	size_t n = 0, dim = b->desk->embedder ? embedder_info(b->desk->embedder)->dim : 0;

	b->opening = conversation_opening(b->arena, b->conv);
	if (!b->opening.s && conversation_count(b->conv, "customer") > 0)
		return no_memory(b->err);
	b->problem = b->in->problem.s ? b->in->problem : b->opening;
	b->two = b->problem.s && !same_text(b->problem, b->opening);
	if (b->opening.s)
		texts[n++] = b->opening;
	if (b->two)
		texts[n++] = b->problem;
	int rc = desk_embed(b->desk, b->arena, texts, n, &vectors, b->err);
	if (rc < 0 || !vectors)
		return rc;
	b->opening_vector = b->opening.s ? vectors : NULL;
	b->problem_vector = b->two ? vectors + (n - 1) * dim : b->opening_vector;
	return 0;
}

/* Who may see all that went into the case. */
static int set_acl(struct build *b)
{
	b->acl = json_keep(b->arena, acl_intersect(json_object_get(b->conv->body, "acl"), b->in->acl));
	return b->acl ? 0 : no_memory(b->err);
}

static int set_acl_field(const struct build *b, json_t *body)
{
	return json_is_null(b->acl) ? 0 : body_set_copy(body, "acl", b->acl);
}

static int set_contested(const struct build *b, json_t *body)
{
	return b->expected.contested ? body_set_bool(body, "contested", 1) : 0;
}

/* A field of the case's text; a blank line stands between two. */
static void add_part(struct strbuf *to, struct text t)
{
	if (!t.s || t.n == 0)
		return;
	if (to->n)
		strbuf_puts(to, "\n\n");
	strbuf_add(to, t.s, t.n);
}

static void add_steps(struct strbuf *to, const json_t *steps)
{
	json_t *step;
	size_t i;

	json_array_foreach((json_t *)steps, i, step)
		add_part(to, (struct text){ json_string_value(step), json_string_length(step) });
}

static int finish_text(struct build *b, struct strbuf *from, struct text *out)
{
	char *s = from->failed ? NULL : arena_strndup(b->arena, from->p ? from->p : "", from->n);

	if (!s)
		return no_memory(b->err);
	*out = (struct text){ s, from->n };
	return 0;
}

/* What is shown and cut to passages; and what its words are: the customer's are in, too. */
static int case_texts(struct build *b, struct text *shown, struct text *words)
{
	STRBUF_AUTO show = STRBUF_INIT;
	STRBUF_AUTO find = STRBUF_INIT;

	add_part(&show, b->problem);
	add_part(&show, b->in->text);
	add_steps(&show, b->in->steps);
	if (b->two)
		add_part(&find, b->opening);
	add_part(&find, b->in->text);
	add_steps(&find, b->in->steps);
	int rc = finish_text(b, &show, shown);
	return rc < 0 ? rc : finish_text(b, &find, words);
}

static json_t *case_body(struct build *b)
{
	const struct case_input *in = b->in;
	json_t *body = body_new(b->arena), *documents = json_array(), *ranks = json_array(), *steps;

	for (size_t i = 0; documents && ranks && i < in->n_documents; i++)
		if (in->documents[i].used &&
		    (json_array_append_new(documents, json_string(in->documents[i].id)) < 0 ||
		     json_array_append_new(ranks, json_integer(in->documents[i].shown_rank)) < 0))
			body = NULL;
	steps = in->steps ? json_deep_copy(in->steps) : json_array();
	if (!body || !documents || !ranks || !steps) {
		json_decref(documents);
		json_decref(ranks);
		json_decref(steps);
		return NULL;
	}
	int rc = body_set_take(body, "documents", documents);
	rc |= body_set_take(body, "ranks", ranks);
	rc |= body_set_take(body, "steps", steps);
	rc |= body_set(body, "conversation", b->conv->id);
	rc |= body_set(body, "handoff", in->handoff);
	rc |= body_set(body, "resolution_id", in->resolution);
	rc |= body_set_text(body, "intent", in->intent);
	rc |= body_set_text(body, "problem", b->problem.s ? b->problem : text_of(""));
	rc |= body_set_text(body, "resolution", in->text.s ? in->text : text_of(""));
	rc |= body_set(body, "outcome", in->outcome);
	rc |= body_set_time(body, "resolved_at", in->at);
	rc |= body_set(body, "queue", body_string(b->conv->body, "queue"));
	rc |= body_set(body, "customer", body_string(b->conv->body, "customer"));
	rc |= set_acl_field(b, body);
	rc |= set_contested(b, body);
	return rc < 0 ? NULL : body;
}

static int case_entry(struct build *b, struct text words, const json_t *body, const struct entry **out)
{
	struct entry *en = arena_alloc(b->arena, sizeof(*en));
	struct entry_row *rows = arena_alloc(b->arena, 2 * sizeof(*rows));
	struct tags tags = { .arena = b->arena };
	size_t n = 0;

	tags_string(&tags, "intent", body_string(body, "intent"));
	tags_string(&tags, "outcome", body_string(body, "outcome"));
	tags_string(&tags, "queue", body_string(body, "queue"));
	tags_object(&tags, json_object_get(b->conv->body, "attributes"));
	if (!en || !rows || tags.failed)
		return no_memory(b->err);
	/* Both stand for the problem: the agent's words and the customer's; the nearer one counts. */
	if (b->problem.s)
		rows[n++] = (struct entry_row){ ROW_QUESTION, 1, 0, b->problem.n, b->problem_vector };
	if (b->two && b->opening.s)
		rows[n++] = (struct entry_row){ ROW_QUESTION, 2, 0, b->problem.n, b->opening_vector };
	*en = (struct entry){ .title = b->problem,
			      .text = words,
			      .rows = rows,
			      .n_rows = n,
			      .acl = b->acl,
			      .tags = tags.list,
			      .n_tags = tags.n };
	*out = en;
	return 0;
}

/* 1 if a record is there, 0 if not. */
static int is_there(struct build *b, enum record_kind k, const char *id)
{
	return b->conv->fresh ? 0 : engine_has(b->desk->engine, k, id, b->arena, b->err);
}

static int take_back(struct build *b, enum record_kind k, const char *id)
{
	int rc = is_there(b, k, id);

	if (rc > 0)
		changes_delete(b->cs, k, id);
	return rc < 0 ? rc : 0;
}

static int makes_case(const char *outcome)
{
	return strcmp(outcome, "resolved") == 0 || strcmp(outcome, "unresolved") == 0;
}

static int put_case(struct build *b, struct case_made *made)
{
	struct text shown = { 0 }, words = { 0 };
	const struct entry *entry = NULL;
	int rc;

	if (!makes_case(b->in->outcome))
		return take_back(b, RECORD_CASE, b->case_id);
	json_t *body = case_body(b);
	if (!body)
		return no_memory(b->err);
	if ((rc = case_texts(b, &shown, &words)) < 0 || (rc = case_entry(b, words, body, &entry)) < 0)
		return rc;
	struct change *put = changes_put(b->cs, RECORD_CASE, b->case_id, b->conv->subject, body);
	put->text = shown;
	put->entry = entry;
	made->case_id = b->case_id;
	return 0;
}

static int put_example(struct build *b, int n, struct text text, const float *vector, struct case_made *made)
{
	const struct case_input *in = b->in;
	const char *id = example_id(b->arena, b->conv->id, n);

	if (!text.s || text.n == 0)
		return id ? take_back(b, RECORD_EXAMPLE, id) : no_memory(b->err);
	text.n = utf8_floor(text.s, text.n, text.n < OPENING_MAX_TEXT ? text.n : OPENING_MAX_TEXT);
	const struct example x = {
		.id = id,
		.conversation = b->conv->id,
		.case_id = made->case_id,
		.subject = b->conv->subject,
		.text = text,
		.label = in->intent,
		.vector = vector,
		.origin = b->origin,
		.principal = in->principal,
		.agent = in->agent,
		.at = in->at,
		.acl = b->acl,
		.contested = b->expected.contested,
		.backed = in->backed,
	};
	example_put(b->cs, &x);
	vote_put(b->cs, arena_printf(b->arena, "%s/vote/%d", in->resolution, n), &x);
	made->examples++;
	made->labels++;
	return 0;
}

static json_t *relevance_body(struct build *b, const struct case_document *doc)
{
	const struct case_input *in = b->in;
	json_t *body = body_new(b->arena);

	if (!body || body_set(body, "document", doc->id) < 0 ||
	    body_set_text(body, "intent", in->intent) < 0 ||
	    body_set(body, "conversation", b->conv->id) < 0 || body_set(body, "case", b->case_id) < 0 ||
	    body_set(body, "handoff", in->handoff) < 0 || body_set_bool(body, "used", doc->used) < 0 ||
	    (doc->shown_rank > 0 && body_set_int(body, "shown_rank", doc->shown_rank) < 0) ||
	    body_set(body, "outcome", in->outcome) < 0)
		return NULL;
	return body;
}

static void put_relevance(struct build *b, struct case_made *made)
{
	const struct case_document *docs = b->in->documents;

	for (size_t i = 0; i < b->in->n_documents; i++) {
		const char *id = arena_printf(b->arena, "%s/relevance/%zu", b->in->resolution, i + 1);
		changes_put(b->cs, RECORD_RELEVANCE, id, NULL, relevance_body(b, &docs[i]));
		made->labels++;
	}
}

/* What is expected of a text that is to be an example; the label is contested when it is of either. */
static int expect_of(struct build *b, struct text text, const float *vector, const char *own,
		     size_t n_documents, struct expectation *out)
{
	if (!text.s || !text.n)
		return 0;
	int rc = expectation_make(b->desk, b->arena, text, vector, b->in->intent, own, b->in->documents,
				  n_documents, out, b->err);
	if (rc == 0 && out->contested && (!b->expected.contested || out->doubt < b->expected.doubt)) {
		b->expected.contested = 1;
		b->expected.doubt = out->doubt;
	}
	return rc;
}

/* What was said about this conversation before, and its review. */
static int read_past(struct build *b)
{
	struct record r;
	int rc;

	b->review_id = review_id(b->arena, b->conv->id);
	if (!b->review_id)
		return no_memory(b->err);
	if (b->conv->fresh)
		return 0;
	rc = engine_find(b->desk->engine, RECORD_REVIEW, b->review_id, b->arena, &r, b->err);
	b->review = rc > 0 ? r.body : NULL;
	return rc < 0 ? rc : annotations_read(b->desk->engine, b->conv->id, b->arena, &b->said, b->err);
}

static const char *annotator_of(const struct case_input *in)
{
	return in->agent ? in->agent : in->principal;
}

/*
 * What QA has decided an agent does not undo: his label is contested. Where
 * nobody has decided, two agents who say different things are in dispute.
 */
static void weigh(struct build *b)
{
	const struct annotation *first = annotations_in_force(&b->said, NULL);
	const char *self = annotator_of(b->in);

	b->origin = b->in->decided && annotations_in_force(&b->said, self) ? "qa" : b->in->origin;
	if (b->in->decided) {
		b->expected.contested = 0;
		return;
	}
	if (first && first->qa) {
		b->expected.contested = !text_is(b->in->intent, first->label);
		return;
	}
	for (size_t i = 0; i < b->said.n; i++)
		b->disputed |= strcmp(b->said.list[i].who, self) != 0 &&
			       !text_is(b->in->intent, b->said.list[i].label);
}

/*
 * Of a conversation that was resolved before, the truth is in the index already:
 * how the prediction comes out would say nothing. That its label is contested
 * does, by the examples of others.
 */
static int expect(struct build *b, struct case_made *made)
{
	const char *own = arena_printf(b->arena, "%s/example/", b->conv->id);
	struct expectation opening = { 0 }, problem = { 0 };
	int known, rc;

	if (!own)
		return no_memory(b->err);
	if ((known = is_there(b, RECORD_CASE, b->case_id)) == 0)
		known = is_there(b, RECORD_EXAMPLE, example_id(b->arena, b->conv->id, 1));
	if (known < 0 ||
	    (rc = expect_of(b, b->opening, b->opening_vector, own, known ? 0 : b->in->n_documents,
			    &opening)) < 0 ||
	    (rc = b->two ? expect_of(b, b->problem, b->problem_vector, own, 0, &problem) : 0) < 0 ||
	    (rc = read_past(b)) < 0)
		return known < 0 ? known : rc;
	weigh(b);
	/* Who is not believed does not say either which articles should have come first. */
	if (b->expected.contested && opening.told)
		json_object_del(opening.told, "documents");
	made->expected = known || !makes_case(b->in->outcome) ? NULL : opening.told;
	return 0;
}

static json_t *opinion(const char *label, size_t n, const char *agent, int64_t at)
{
	json_t *j = json_pack("{s:s%, s:s}", "label", label, n, "agent", agent);

	if (j && body_set_time(j, "at", at) == 0)
		return j;
	json_decref(j);
	return NULL;
}

/* Who has said what, the latest last. New reference; NULL without memory. */
static json_t *opinions(const struct build *b)
{
	const struct case_input *in = b->in;
	const char *self = annotator_of(in);
	json_t *list = json_array();
	int rc = list ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < b->said.n; i++) {
		const struct annotation *x = &b->said.list[i];
		if (strcmp(x->who, self) != 0)
			rc = json_array_append_new(list, opinion(x->label, strlen(x->label), x->who, x->at));
	}
	if (rc == 0 && json_array_append_new(list, opinion(in->intent.s, in->intent.n, self, in->at)) == 0)
		return list;
	json_decref(list);
	return NULL;
}

/* What stays of the review before: who looks at it while it is open, and what was decided last. */
static int keep_review(const struct build *b, json_t *body)
{
	static const char *const kept[] = { "assigned_to", "decision", "decided_by", "decided_at", "note" };
	const char *state = body_string(b->review, "state");

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (body_set_copy(body, kept[i], json_object_get(b->review, kept[i])) < 0)
			return -1;
	if (strcmp(state, "assigned") == 0)
		return body_set(body, "state", state);
	json_object_del(body, "assigned_to");
	return 0;
}

static json_t *review_body(struct build *b)
{
	const struct case_input *in = b->in;
	json_t *body = body_new(b->arena);
	const char *reason = b->expected.contested ? "contested" : "disagreement";

	if (!body || body_set(body, "conversation", b->conv->id) < 0 || body_set(body, "state", "open") < 0 ||
	    body_set(body, "reason", reason) < 0 || body_set_text(body, "label", in->intent) < 0 ||
	    (b->expected.contested && body_set_number(body, "doubt", b->expected.doubt) < 0) ||
	    (b->disputed && body_set_take(body, "labels", opinions(b)) < 0) ||
	    body_set(body, "principal", in->principal) < 0 || body_set(body, "agent", in->agent) < 0 ||
	    body_set_time(body, "at", in->at) < 0 || set_acl_field(b, body) < 0 || keep_review(b, body) < 0)
		return NULL;
	return body;
}

static int is_decided(const json_t *review)
{
	return strcmp(body_string(review, "state"), "decided") == 0;
}

/* What brought a decided review up again is taken back, or a curator has decided by resolving again. */
static json_t *settled_body(struct build *b)
{
	const struct case_input *in = b->in;
	json_t *body = body_copy(b->arena, b->review);

	if (!body || body_set(body, "state", "decided") < 0 ||
	    (in->decided && (body_set_text(body, "decision", in->intent) < 0 ||
			     body_set(body, "decided_by", annotator_of(in)) < 0 ||
			     body_set_time(body, "decided_at", in->at) < 0)))
		return NULL;
	return body;
}

/*
 * A label that is contested or disputed waits for somebody to look; one that is
 * not any more does not. What was decided stays told.
 */
static void put_review(struct build *b)
{
	if (b->expected.contested || b->disputed)
		changes_put(b->cs, RECORD_REVIEW, b->review_id, b->conv->subject, review_body(b));
	else if (*body_string(b->review, "decision") && (b->in->decided || !is_decided(b->review)))
		changes_put(b->cs, RECORD_REVIEW, b->review_id, b->conv->subject, settled_body(b));
	else if (b->review && !is_decided(b->review))
		changes_delete(b->cs, RECORD_REVIEW, b->review_id);
}

int case_changes(struct desk *d, struct arena *a, const struct case_input *in, struct changes *cs,
		 struct case_made *out, struct error *e)
{
	struct build b = { .desk = d, .arena = a, .in = in, .conv = in->conversation, .cs = cs, .err = e };
	struct case_made made = { 0 };
	struct text second = { 0 };
	int rc;

	b.case_id = case_id(a, b.conv->id);
	if (!b.case_id)
		return no_memory(e);
	if ((rc = set_texts(&b)) < 0 || (rc = expect(&b, &made)) < 0 || (rc = set_acl(&b)) < 0 ||
	    (rc = put_case(&b, &made)) < 0)
		return rc;
	if (b.two)
		second = b.problem;
	if ((rc = put_example(&b, 1, b.opening, b.opening_vector, &made)) < 0 ||
	    (rc = put_example(&b, 2, second, b.problem_vector, &made)) < 0)
		return rc;
	put_relevance(&b, &made);
	put_review(&b);
	if ((rc = changes_done(cs, e)) < 0)
		return rc;
	*out = made;
	return 0;
}
