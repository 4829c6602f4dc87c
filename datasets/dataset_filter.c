/* Which rows a filter leaves: by what is known of the conversation, and by what the row is labelled with. */
#include <string.h>

#include "datasets/consents.h"
#include "datasets/dataset_internal.h"
#include "engine/search.h"

/* As tags have it: a name that is an attribute too has both values. */
static int add_fact(json_t *facts, const char *name, const char *value)
{
	json_t *old = json_object_get(facts, name);

	if (!*value)
		return 0;
	return old ? body_set_take(facts, name, json_pack("[O, s]", old, value))
		   : body_set(facts, name, value);
}

static int add_conversation(struct writing *w, struct arena *a, const char *id, json_t **facts)
{
	static const char *const names[] = { "queue", "channel", "customer" };
	struct record r;
	int rc = engine_find(w->engine, RECORD_CONVERSATION, id, a, &r, w->err);
	const json_t *attributes = rc > 0 ? json_object_get(r.body, "attributes") : NULL;

	if (rc < 0)
		return rc;
	if (attributes)
		*facts = body_copy(a, attributes);
	for (size_t i = 0; *facts && rc > 0 && i < sizeof(names) / sizeof(names[0]); i++)
		if (add_fact(*facts, names[i], body_string(r.body, names[i])) < 0)
			return no_memory(w->err);
	return *facts ? 0 : no_memory(w->err);
}

/* Only what the customer said is consent: an attribute of that name is not. */
static int add_consent(const struct writing *w, const struct row_of *of, json_t *facts)
{
	static const char *const names[] = {
		[CONSENT_UNSAID] = "", [CONSENT_GRANTED] = "granted", [CONSENT_DENIED] = "denied"
	};

	return body_set(facts, "consent", of->kind ? names[consent_of(w->consents, of->id)] : "");
}

int row_meets_filter(struct writing *w, struct arena *a, const struct row_of *of, const json_t *from)
{
	json_t *facts, *body;
	int rc;

	if (!w->filter)
		return 1;
	facts = body_new(a);
	body = body_new(a);
	if (!facts || !body)
		return no_memory(w->err);
	if (of->kind && (rc = add_conversation(w, a, of->id, &facts)) < 0)
		return rc;
	if (add_consent(w, of, facts) < 0 ||
	    (of->kind && add_fact(facts, "outcome", resolution_outcome(w, of->id)) < 0) ||
	    add_fact(facts, "intent", body_string(from, "intent")) < 0 ||
	    add_fact(facts, "intent", body_string(from, "label")) < 0 ||
	    add_fact(facts, "origin", body_string(from, "origin")) < 0 ||
	    body_set_copy(body, "attributes", facts) < 0)
		return no_memory(w->err);
	return search_meets(w->filter, body);
}
