#include "desk/brief.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "desk/case.h"
#include "desk/package.h"
#include "desk/query.h"

#define EARLIER 3       /* contacts named */
#define EARLIER_READ 20 /* contacts looked at */
#define KEY_PART 280    /* bytes of a turn that are quoted */

json_t *brief_from_turn(const struct turn *t)
{
	return json_pack("{s:I}", "turn", (json_int_t)t->n);
}

json_t *brief_from_package(const char *field, long i)
{
	char name[128];

	if (i < 0)
		return json_pack("{s:s}", "package", field);
	snprintf(name, sizeof(name), "%s[%ld]", field, i);
	return json_pack("{s:s}", "package", name);
}

json_t *brief_from_document(const char *id, size_t start, size_t end)
{
	return json_pack("{s:s, s:I, s:I}", "document", id, "start", (json_int_t)start, "end",
			 (json_int_t)end);
}

json_t *brief_need(const char *kind, const struct record *r)
{
	json_t *j = json_pack("{s:s, s:s}", "kind", kind, "id", r->id);

	if (j && body_set_copy(j, "acl", json_object_get(r->body, "acl")) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

struct text brief_cut(struct text t)
{
	if (t.n > BRIEF_SENTENCE)
		t.n = utf8_floor(t.s, t.n, BRIEF_SENTENCE);
	return t;
}

/* Takes the references in `list` into an array under `name`; -1 without memory, or when one of them is missing. */
static int take_list(json_t *j, const char *name, json_t *const list[3], size_t n)
{
	json_t *array = json_array();
	int bad = !array;

	for (size_t i = 0; i < n; i++)
		bad |= json_array_append_new(array, list[i]) < 0;
	return body_set_take(j, name, array) < 0 || bad ? -1 : 0;
}

static size_t count(json_t *const list[3])
{
	size_t n = 0;

	while (n < 3 && list[n])
		n++;
	return n;
}

void brief_say(struct brief *b, const struct sentence *s)
{
	json_t *j = json_object();
	size_t n = count(s->from), needs = count(s->needs);

	if (!j || take_list(j, "from", s->from, n) < 0 || n == 0 ||
	    (needs && take_list(j, "needs", s->needs, needs) < 0) || body_set_text(j, "text", s->text) < 0 ||
	    (s->cited && body_set_take(j, "cited", s->cited) < 0) || body_set(j, "instead", s->instead) < 0 ||
	    body_set(j, "label", s->label) < 0 || (s->quote && body_set_bool(j, "quote", 1) < 0) ||
	    json_array_append(json_object_get(b->sections, b->section), j) < 0)
		b->rc = no_memory(b->call->err);
	json_decref(j);
}

void brief_line(struct brief *b, const char *text, json_t *from, json_t *from2)
{
	struct sentence s = { .text = text_of(text), .from = { from, from2 } };

	if (!text)
		b->rc = no_memory(b->call->err);
	brief_say(b, &s);
}

static void say_who(struct brief *b)
{
	const json_t *who = package_value(b->in->package, "identity");
	const char *name = body_string(who, "name"), *id = body_string(who, "customer_id");
	const char *to = *b->in->queue ? b->in->queue : "an agent";
	int verified = body_bool(who, "verified");
	const char *method = verified ? body_string(who, "method") : "";
	struct arena *a = b->call->arena;
	const char *text;

	if (!*id)
		text = arena_printf(a, "A customer who is not identified was handed to %s.", to);
	else
		text = arena_printf(a, "%s%s%s%s, %s%s%s, was handed to %s.", *name ? name : id,
				    *name ? " (" : "", *name ? id : "", *name ? ")" : "",
				    verified ? "verified" : "not verified", *method ? " by " : "", method,
				    to);
	brief_line(b, text, brief_from_package("identity", -1),
		   *b->in->queue ? brief_from_package("queue", -1) : NULL);
}

static void say_why(struct brief *b)
{
	static const char *const why[][2] = {
		{ "low_confidence", "the bot was not sure enough" },
		{ "customer_request", "the customer asked for a person" },
		{ "negative_sentiment", "the customer is upset" },
		{ "policy", "a rule asks for a person" },
		{ "repeated_failure", "what the bot tried did not help" },
		{ "out_of_scope", "it is outside of what the bot knows" },
	};
	const char *trigger = json_string_value(package_value(b->in->package, "trigger"));
	const char *reason = json_string_value(package_value(b->in->package, "reason"));
	const char *words = "of another reason";

	for (size_t i = 0; trigger && i < sizeof(why) / sizeof(why[0]); i++)
		if (strcmp(why[i][0], trigger) == 0)
			words = why[i][1];
	/* an inferred reason is the customer's own sentence, which follows anyway */
	if (package_inferred(b->in->package, "reason"))
		reason = NULL;
	brief_line(b,
		   arena_printf(b->call->arena, "Handed off because %s%s%s", words, reason ? ": " : ".",
				reason ? reason : ""),
		   brief_from_package("trigger", -1), reason ? brief_from_package("reason", -1) : NULL);
}

/* A short turn whole, of a longer one the part that holds most of what the search was made from. */
static struct text key_part(struct brief *b, const struct turn *t)
{
	const struct desk_query *q = b->in->found->query;
	struct span p = { 0, t->text.n };

	if (t->text.n > KEY_PART)
		p = best_passage(b->call->arena, t->text.s, t->text.n, q->terms, q->n_terms, KEY_PART);
	return (struct text){ t->text.s + p.start, p.end - p.start };
}

static void say_turn(struct brief *b, const char *label, const struct turn *t)
{
	struct sentence s = { .label = label, .text = key_part(b, t), .quote = 1 };

	if (s.text.n == 0)
		return;
	s.from[0] = brief_from_turn(t);
	brief_say(b, &s);
}

/* What the customer came with, and what he said last. */
static void say_customer(struct brief *b)
{
	const struct conversation *v = b->in->conversation;
	const struct turn *first = NULL, *last = conversation_last(v, "customer");

	for (size_t i = 0; i < v->n_turns && !first; i++)
		if (turn_is(&v->turns[i], "customer") && (v->turns[i].text.n >= 25 || &v->turns[i] == last))
			first = &v->turns[i];
	if (first)
		say_turn(b, "Customer", first);
	if (last && last != first)
		say_turn(b, "Customer, last", last);
}

/* Each text of a list of the package. */
static void say_list(struct brief *b, const char *label, const char *field)
{
	const json_t *list = package_value(b->in->package, field);

	for (size_t i = 0; i < json_array_size(list) && b->rc == 0; i++) {
		const json_t *v = json_array_get(list, i);
		struct sentence s = { .label = label, .from = { brief_from_package(field, (long)i) } };
		s.text = (struct text){ json_string_value(v), json_string_length(v) };
		brief_say(b, &s);
	}
}

static void say_steps(struct brief *b)
{
	const json_t *list = package_value(b->in->package, "steps_tried");

	for (size_t i = 0; i < json_array_size(list) && b->rc == 0; i++) {
		const json_t *step = json_array_get(list, i);
		const char *detail = body_string(step, "detail"), *outcome = body_string(step, "outcome");
		const char *text = arena_printf(b->call->arena, "%s: %s%s%s%s", body_string(step, "action"),
						strcmp(outcome, "unknown") == 0 ? "outcome not known"
										: outcome,
						*detail ? " (" : "", detail, *detail ? ")" : "");
		struct sentence s = { .label = "Tried",
				      .text = text_of(text ? text : ""),
				      .from = { brief_from_package("steps_tried", (long)i) } };
		brief_say(b, &s);
	}
}

/* The promises of an earlier conversation's last handoff, unless the matter was settled. */
static void say_open_promises(struct brief *b, const struct record *v)
{
	const json_t *ids = json_object_get(v->body, "handoffs");
	const char *id = json_string_value(json_array_get(ids, json_array_size(ids) - 1));
	struct record h;

	if (!json_array_size(ids) || !id)
		return;
	int rc = engine_get(b->desk->engine, RECORD_HANDOFF, id, b->call->arena, &h, b->call->err);
	if (rc < 0) {
		b->rc = rc == ERR_NOT_FOUND ? b->rc : rc;
		return;
	}
	const json_t *list = package_value(json_object_get(h.body, "package"), "promises");
	for (size_t i = 0; i < json_array_size(list) && b->rc == 0; i++) {
		const json_t *p = json_array_get(list, i);
		struct sentence s = { .label = "Promised earlier and still open",
				      .text = { json_string_value(p), json_string_length(p) },
				      .from = { json_pack("{s:s}", "conversation", v->id) },
				      .needs = { brief_need("conversation", v) } };
		brief_say(b, &s);
	}
}

/* The conversation's case, if the queue may see it: 1; 0 if there is none. */
static int case_of(struct brief *b, const char *conversation, struct record *out)
{
	const char *id = case_id(b->call->arena, conversation);
	int rc = id ? engine_get(b->desk->engine, RECORD_CASE, id, b->call->arena, out, b->call->err)
		    : no_memory(b->call->err);

	if (rc < 0 && rc != ERR_NOT_FOUND)
		b->rc = rc;
	return rc == 0 && rights_see(&b->in->found->rights, json_object_get(out->body, "acl"));
}

static void say_contact(struct brief *b, const struct record *v)
{
	const char *channel = body_string(v->body, "channel");
	struct record k;
	int seen = case_of(b, v->id, &k);
	const char *outcome = seen ? body_string(k.body, "outcome") : body_string(v->body, "state");
	const char *text = arena_printf(b->call->arena, "%.10s%s%s: %s (%s)",
					body_string(v->body, "started_at"), *channel ? ", by " : "", channel,
					seen ? body_string(k.body, "problem") : "nothing is noted", outcome);
	struct sentence s = { .label = "Earlier contact",
			      .text = text_of(text ? text : ""),
			      .from = { json_pack("{s:s}", "conversation", v->id),
					seen ? json_pack("{s:s}", "case", k.id) : NULL },
			      .needs = { brief_need("conversation", v),
					 seen ? brief_need("case", &k) : NULL } };

	brief_say(b, &s);
	if (strcmp(outcome, "resolved") != 0 && b->rc == 0)
		say_open_promises(b, v);
}

static void say_earlier(struct brief *b)
{
	const struct conversation *v = b->in->conversation;
	const char *customer = body_string(v->body, "customer");
	struct scan s = { .kind = RECORD_CONVERSATION,
			  .field = { "customer" },
			  .value = { customer },
			  .limit = EARLIER_READ,
			  .newest_first = 1 };
	struct record *list;
	size_t n = 0, said = 0;

	if (!*customer)
		return;
	int rc = engine_scan(b->desk->engine, &s, b->call->arena, &list, &n, b->call->err);
	if (rc < 0) {
		b->rc = rc;
		return;
	}
	for (size_t i = 0; i < n && said < EARLIER && b->rc == 0; i++) {
		if (strcmp(list[i].id, v->id) == 0 ||
		    body_time(list[i].body, "started_at") > body_time(v->body, "started_at") ||
		    !rights_see(&b->in->found->rights, json_object_get(list[i].body, "acl")))
			continue;
		say_contact(b, &list[i]);
		said++;
	}
}

int brief_build(struct desk *d, const struct call *c, const struct brief_input *in, json_t **out)
{
	JSON_AUTO *sections = json_pack("{s:[], s:[], s:[], s:[]}", "situation", "background", "assessment",
					"recommendation");
	struct brief b = { .desk = d, .call = c, .in = in, .sections = sections, .section = "situation" };

	if (!sections)
		return no_memory(c->err);
	say_who(&b);
	say_why(&b);
	say_customer(&b);
	b.section = "background";
	say_earlier(&b);
	say_list(&b, "Promise still open", "promises");
	say_steps(&b);
	b.section = "assessment";
	brief_assess(&b);
	b.section = "recommendation";
	brief_recommend(&b);
	if (b.rc < 0)
		return b.rc;
	*out = json_incref(sections);
	return 0;
}
