/*
 * readback.c: the agent repeats what was handed over, and the server compares
 * it field by field with the package. Every attempt is an event and is kept
 * with the handoff (the latest KEPT), what differed included.
 *
 * A field that the agent leaves out was not read back: "missing", unless the
 * package has nothing there.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "desk/compare.h"
#include "desk/handoff.h"
#include "desk/package.h"
#include "text/fold.h"

#define KEPT 32

struct readback {
	json_t *identity; /* NULL: not read back */
	struct text intent, customer, name, method, reason;
	int verified;     /* -1: not said */
	json_t *lists[2]; /* unresolved_actions, promises */
	int override;
};

static const char *const list_names[2] = { "unresolved_actions", "promises" };

static int read_identity(struct reader *r, struct readback *q)
{
	struct reader sub;

	q->verified = -1;
	reader_object(r, "identity", OPTIONAL, &q->identity);
	if (!q->identity)
		return r->rc;
	reader_init(&sub, q->identity, "identity", r->err);
	reader_text(&sub, "customer_id", OPTIONAL, 512, &q->customer);
	reader_text(&sub, "name", OPTIONAL, 256, &q->name);
	reader_bool(&sub, "verified", OPTIONAL, &q->verified);
	reader_text(&sub, "method", OPTIONAL, 64, &q->method);
	int rc = reader_done(&sub);
	if (r->rc == 0)
		r->rc = rc;
	return r->rc;
}

static int read_body(const struct call *c, json_t *body, struct readback *out)
{
	struct readback q = { 0 };
	struct text agent = { 0 };
	json_t *override = NULL;
	struct reader r, sub;
	int rc;

	reader_init(&r, body, NULL, c->err);
	reader_string(&r, "agent", OPTIONAL, 512, &agent);
	read_identity(&r, &q);
	reader_text(&r, "intent", OPTIONAL, 256, &q.intent);
	for (size_t i = 0; i < 2; i++)
		reader_strings(&r, list_names[i], OPTIONAL, COMPARE_MAX, PACKAGE_MAX_TEXT, &q.lists[i]);
	reader_object(&r, "override", OPTIONAL, &override);
	if ((rc = reader_done(&r)) < 0)
		return rc;
	if (override) {
		reader_init(&sub, override, "override", c->err);
		reader_string(&sub, "reason", REQUIRED, PACKAGE_MAX_TEXT, &q.reason);
		if ((rc = reader_done(&sub)) < 0)
			return rc;
		q.override = 1;
	}
	*out = q;
	return call_check_agent(c, agent);
}

/* Case, accents and outer white space aside; for `label` also what parts words. */
static int normalise(struct text t, int label, struct strbuf *out)
{
	STRBUF_AUTO folded = STRBUF_INIT;
	int gap = 0;

	fold_text(t.s ? t.s : "", t.s ? t.n : 0, &folded);
	for (size_t i = 0; i < folded.n; i++) {
		char ch = folded.p[i];
		if (ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r' ||
		    (label && (ch == '_' || ch == '-'))) {
			gap = 1;
			continue;
		}
		if (gap && out->n)
			strbuf_putc(out, ' ');
		strbuf_putc(out, ch);
		gap = 0;
	}
	return folded.failed || out->failed ? -1 : 0;
}

/* 1 equal, 0 not, -1 without memory. */
static int same_value(struct text x, struct text y, int label)
{
	STRBUF_AUTO a = STRBUF_INIT;
	STRBUF_AUTO b = STRBUF_INIT;

	if (normalise(x, label, &a) < 0 || normalise(y, label, &b) < 0)
		return -1;
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* The discrepancies found so far; a failure is sticky. */
struct found {
	const struct call *call;
	json_t *list;
	int failed;
};

/* Takes expected and got, which may be NULL. */
static json_t *differ(struct found *f, const char *field, const char *kind, json_t *expected, json_t *got)
{
	json_t *j = json_pack("{s:s, s:s, s:o*, s:o*}", "field", field, "kind", kind, "expected", expected,
			      "got", got);

	if (!j || json_array_append_new(f->list, j) < 0) {
		f->failed = 1;
		return NULL;
	}
	return j;
}

static json_t *text_json(struct text t)
{
	return t.s ? json_stringn(t.s, t.n) : NULL;
}

static void compare_value(struct found *f, const char *field, struct text expected, struct text got,
			  int label)
{
	int same = got.s ? same_value(expected, got, label) : 0;

	f->failed |= same < 0;
	if (!got.s || got.n == 0)
		differ(f, field, "missing", text_json(expected), NULL);
	else if (!same)
		differ(f, field, "different", text_json(expected), text_json(got));
}

static void compare_identity(struct found *f, const json_t *package, const struct readback *q)
{
	const json_t *who = package_value(package, "identity");

	if (!who) {
		/* nobody was identified: an identity that is read back comes from nowhere */
		if (q->customer.s && q->customer.n)
			differ(f, "identity.customer_id", "extra", NULL, text_json(q->customer));
		return;
	}
	compare_value(f, "identity.customer_id", body_text(who, "customer_id"), q->customer, 0);
	if (q->name.s && body_text(who, "name").s)
		compare_value(f, "identity.name", body_text(who, "name"), q->name, 0);
	if (q->verified >= 0 && q->verified != body_bool(who, "verified"))
		differ(f, "identity.verified", "different", json_boolean(body_bool(who, "verified")),
		       json_boolean(q->verified));
	if (q->method.s && body_text(who, "method").s)
		compare_value(f, "identity.method", body_text(who, "method"), q->method, 1);
}

static void compare_intent(struct found *f, const json_t *package, const struct readback *q)
{
	struct text label = body_text(package_value(package, "intent"), "label");

	if (label.s)
		compare_value(f, "intent", label, q->intent, 1);
}

static int texts_of(struct arena *a, const json_t *list, struct text **out, size_t *n)
{
	size_t count = json_array_size(list);
	struct text *texts = arena_alloc(a, (count + 1) * sizeof(*texts));

	for (size_t i = 0; texts && i < count; i++) {
		const json_t *v = json_array_get(list, i);
		texts[i] = (struct text){ json_string_value(v), json_string_length(v) };
	}
	*out = texts;
	*n = count;
	return texts ? 0 : -1;
}

static void report_pair(struct found *f, const char *name, size_t i, struct text expected, struct text got,
			const struct likeness *l)
{
	char field[64];

	snprintf(field, sizeof(field), "%s[%zu]", name, i);
	json_t *j = differ(f, field, "different", text_json(expected), text_json(got));
	if (!j || body_set(j, "because", l->because) < 0 || body_set_number(j, "words", l->words) < 0 ||
	    (l->cosine > 0 && body_set_number(j, "cosine", l->cosine) < 0))
		f->failed = 1;
}

static int compare_list(struct desk *d, struct found *f, const char *name, const json_t *expected,
			const json_t *got)
{
	struct arena *a = f->call->arena;
	struct text *left, *right;
	struct compared *x, *y;
	struct likeness likeness[COMPARE_MAX] = { 0 };
	long to[COMPARE_MAX];
	char taken[COMPARE_MAX] = { 0 }, field[64];
	size_t n, m;
	int rc;

	if (texts_of(a, expected, &left, &n) < 0 || texts_of(a, got, &right, &m) < 0)
		return no_memory(f->call->err);
	if ((rc = compare_prepare(d, a, left, n, &x, f->call->err)) < 0 ||
	    (rc = compare_prepare(d, a, right, m, &y, f->call->err)) < 0)
		return rc;
	if (compare_assign(a, x, n, y, m, to, likeness) < 0)
		return no_memory(f->call->err);
	for (size_t i = 0; i < n; i++) {
		if (to[i] < 0) {
			snprintf(field, sizeof(field), "%s[%zu]", name, i);
			differ(f, field, "missing", text_json(left[i]), NULL);
			continue;
		}
		taken[to[i]] = 1;
		if (!likeness[i].agree)
			report_pair(f, name, i, left[i], right[to[i]], &likeness[i]);
	}
	for (size_t j = 0; j < m; j++)
		if (!taken[j]) {
			snprintf(field, sizeof(field), "%s[%zu]", name, j);
			differ(f, field, "extra", NULL, text_json(right[j]));
		}
	return 0;
}

/* New reference to the array of discrepancies. */
static int compare_all(struct desk *d, const struct call *c, const json_t *package, const struct readback *q,
		       json_t **out)
{
	JSON_AUTO *list = json_array();
	struct found f = { .call = c, .list = list, .failed = !list };
	int rc = 0;

	compare_identity(&f, package, q);
	compare_intent(&f, package, q);
	for (size_t i = 0; i < 2 && rc == 0; i++)
		rc = compare_list(d, &f, list_names[i], package_value(package, list_names[i]), q->lists[i]);
	if (rc < 0)
		return rc;
	if (f.failed)
		return no_memory(c->err);
	*out = json_incref(list);
	return 0;
}

/* Adds the attempt to the handoff's list and drops the oldest past KEPT; *n is its number. */
static int record_attempt(const struct call *c, json_t *body, const json_t *discrepancies, int accepted,
			  int64_t at, int64_t *n)
{
	json_t *list = json_object_get(body, "readbacks"), *j = json_object();
	const json_t *last;

	if (!list && body_set_take(body, "readbacks", list = json_array()) < 0) {
		json_decref(j);
		return no_memory(c->err);
	}
	last = json_array_get(list, json_array_size(list) - 1);
	*n = json_array_size(list) ? body_int(last, "n") + 1 : 1;
	if (!j || json_array_append_new(list, j) < 0 || body_set_int(j, "n", *n) < 0 ||
	    body_set(j, "agent", c->rights->agent) < 0 || body_set_time(j, "at", at) < 0 ||
	    body_set_bool(j, "accepted", accepted) < 0 ||
	    body_set_copy(j, "discrepancies", discrepancies) < 0)
		return no_memory(c->err);
	while (json_array_size(list) > KEPT)
		json_array_remove(list, 0);
	return 0;
}

static int accept(const struct call *c, json_t *body, const struct readback *q, int differs, int64_t at)
{
	if (body_set(body, "state", "accepted") < 0 || body_set_bool(body, "read_back", 1) < 0 ||
	    body_set_time(body, "read_back_at", at) < 0)
		return no_memory(c->err);
	if (!differs || !q->override)
		return 0;
	json_t *o = json_object();
	if (!o || body_set_text(o, "reason", q->reason) < 0 || body_set(o, "agent", c->rights->agent) < 0 ||
	    body_set_time(o, "at", at) < 0) {
		json_decref(o);
		return no_memory(c->err);
	}
	return body_set_take(body, "override", o) < 0 ? no_memory(c->err) : 0;
}

static int read_back(struct desk *d, const struct call *c, const char *id, const struct readback *q,
		     json_t **result)
{
	struct changes cs = CHANGES_INIT(c->arena);
	JSON_AUTO *discrepancies = NULL;
	int64_t at = clock_wall_ms(), n = 0;
	struct handoff h;
	int rc = handoff_load(d, c, id, &h);

	if (rc < 0)
		return rc;
	if (!state_in(handoff_state(h.body), "offered"))
		return wrong_state(c, handoff_state(h.body), "read back");
	if ((rc = compare_all(d, c, json_object_get(h.body, "package"), q, &discrepancies)) < 0)
		return rc;
	int differs = json_array_size(discrepancies) > 0, accepted = !differs || q->override;
	if ((rc = record_attempt(c, h.body, discrepancies, accepted, at, &n)) < 0 ||
	    (accepted && (rc = accept(c, h.body, q, differs, at)) < 0))
		return rc;
	changes_put(&cs, RECORD_HANDOFF, h.record.id, h.record.subject, h.body);
	JSON_AUTO *res = json_pack("{s:s, s:I, s:b}", "handoff", h.record.id, "n", (json_int_t)n, "accepted",
				   accepted);
	if (!res)
		return no_memory(c->err);
	rc = handoff_commit(d, c, &h.conversation, &cs, accepted ? "handoff.accepted" : "handoff.read_back",
			    0, accepted ? 200 : error_kind(ERR_READBACK_DISCREPANCIES)->status, res);
	if (rc < 0)
		return rc;
	*result = json_incref(res);
	return accepted ? 0
			: error_set(c->err, ERR_READBACK_DISCREPANCIES, NULL,
				    "the read-back differs from the handoff");
}

int readback_act(struct desk *d, const struct call *c, const char *handoff, json_t *body, json_t **result)
{
	struct readback q = { 0 };
	int rc = read_body(c, body, &q);

	if (rc < 0)
		return rc;
	struct retries y = retries_of(d->engine, handoff);
	while (retry(&y, rc))
		rc = read_back(d, c, handoff, &q, result);
	return rc;
}

static const json_t *attempt(const json_t *body, int64_t n)
{
	const json_t *list = json_object_get(body, "readbacks");

	for (size_t i = json_array_size(list); i > 0; i--)
		if (body_int(json_array_get(list, i - 1), "n") == n)
			return json_array_get(list, i - 1);
	return NULL;
}

/*
 * What was expected is the package's, which whoever sees the handoff sees; so
 * the rights are those of the handoff.
 */
int readback_show(struct desk *d, const struct call *c, const json_t *result, json_t **out)
{
	struct record h;
	int rc = handoff_get(d, c, body_string(result, "handoff"), &h, NULL);

	if (rc < 0)
		return rc;
	const json_t *one = attempt(h.body, body_int(result, "n"));
	if (!one)
		return error_set(c->err, ERR_NOT_FOUND, NULL, "this read-back is no longer kept");
	json_t *thresholds = json_pack("{s:f, s:f}", "words", AGREE_WORDS, "cosine", AGREE_COSINE);
	json_t *j = json_pack("{s:o}", "thresholds", thresholds);
	if (!j || body_set_copy(j, "discrepancies", json_object_get(one, "discrepancies")) < 0 ||
	    (body_bool(one, "accepted") &&
	     (body_set(j, "result", "accepted") < 0 || body_set(j, "state", "accepted") < 0 ||
	      body_set_copy(j, "read_back_at", json_object_get(one, "at")) < 0 ||
	      body_set_copy(j, "override", json_object_get(h.body, "override")) < 0))) {
		json_decref(j);
		return no_memory(c->err);
	}
	*out = j;
	return 0;
}
