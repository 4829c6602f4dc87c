/*
 * consent.c: may a customer's conversations be trained on? Each word is an event
 * of the stream subject/CUSTOMER, and the record has the last one. Who denies
 * reaches back: datasets that are made already are superseded, which a thread
 * does (datasets/supersede.h). Until it has, the record is "pending"; a grant
 * that comes before does not undo that, or it would depend on who is quicker.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "desk/bodies.h"

#define DENIED "denied"
#define WORDS "granted|" DENIED

static json_t *subject_body(const struct call *c, struct text training, int pending)
{
	json_t *b = body_new(c->arena);

	if (!b || body_set_text(b, "training", training) < 0 || body_set_time(b, "at", clock_wall_ms()) < 0 ||
	    body_set(b, "principal", c->rights->key) < 0 || body_set(b, "agent", c->rights->agent) < 0 ||
	    body_set(b, "datasets", pending ? "pending" : "settled") < 0)
		return NULL;
	return b;
}

static int say(struct desk *d, const struct call *c, const char *customer, struct text training,
	       const json_t *result)
{
	struct changes cs = CHANGES_INIT(c->arena);
	struct record before;
	struct commit done;
	int found = engine_find(d->engine, RECORD_SUBJECT, customer, c->arena, &before, c->err);

	if (found < 0)
		return found;
	int pending = text_is(training, DENIED) ||
		      (found && strcmp(body_string(before.body, "datasets"), "pending") == 0);
	changes_put(&cs, RECORD_SUBJECT, customer, subject_of(c->arena, customer, NULL),
		    subject_body(c, training, pending));
	struct event ev = { .stream = stream_of(c->arena, "subject", customer),
			    .expect = found ? before.revision : 0,
			    .kind = "subject.consent_changed",
			    .changes = cs.list,
			    .n = cs.n };
	if (!ev.stream || changes_done(&cs, NULL) < 0)
		return no_memory(c->err);
	return call_commit(c, d->engine, &ev, 200, result, &done);
}

int consent_act(struct desk *d, const struct call *c, const char *customer, json_t *body, json_t **result)
{
	struct text training = { 0 };
	struct reader r;

	reader_init(&r, body, NULL, c->err);
	reader_word(&r, "training", REQUIRED, WORDS, &training);
	int rc = reader_done(&r);
	if (rc == 0)
		rc = id_check(text_of(customer), "customer", c->err);
	JSON_AUTO *res = json_pack("{s:s}", "customer", customer);
	if (rc == 0 && !res)
		rc = no_memory(c->err);
	if (rc < 0)
		return rc;
	struct retries y = retries_of(d->engine, customer);
	while (retry(&y, rc))
		rc = say(d, c, customer, training, res);
	if (rc == 0)
		*result = json_incref(res);
	return rc;
}

int consent_get(struct desk *d, const struct call *c, const char *customer, json_t **out)
{
	static const char *const told[] = { "training", "at", "agent", "datasets" };
	struct record r;
	int rc = engine_find(d->engine, RECORD_SUBJECT, customer, c->arena, &r, c->err);

	if (rc == 0)
		return error_set(c->err, ERR_NOT_FOUND, NULL, "nothing was said of this customer's consent");
	if (rc < 0)
		return rc;
	json_t *j = json_pack("{s:s}", "customer", r.id);
	int bad = !j;
	for (size_t i = 0; !bad && i < sizeof(told) / sizeof(told[0]); i++)
		bad = body_set(j, told[i], body_string(r.body, told[i])) < 0;
	if (bad) {
		json_decref(j);
		return no_memory(c->err);
	}
	*out = j;
	return 0;
}
