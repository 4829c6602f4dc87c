#include "datasets/consents.h"

#include <string.h>

#include "desk/bodies.h"
#include "engine/each.h"

/* For engine_each(). */
struct noting {
	struct engine *engine;
	enum consent said;
	struct map *to;
};

static int note_conversation(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	const struct noting *n = arg;
	uint64_t *said = map_put(n->to, r->id, strlen(r->id), NULL);

	(void)a;
	if (!said)
		return no_memory(e);
	*said = n->said;
	return 0;
}

int consents_note(struct engine *g, const char *customer, enum consent said, struct map *to, struct error *e)
{
	const struct scan s = { .kind = RECORD_CONVERSATION, .field = { "customer" }, .value = { customer } };
	struct noting n = { .said = said, .to = to };

	return engine_each(g, &s, note_conversation, &n, e);
}

static int note_subject(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	const struct noting *n = arg;
	int denied = strcmp(body_string(r->body, "training"), "denied") == 0;

	(void)a;
	return consents_note(n->engine, r->id, denied ? CONSENT_DENIED : CONSENT_GRANTED, n->to, e);
}

int consents_load(struct engine *g, struct map *to, struct error *e)
{
	const struct scan s = { .kind = RECORD_SUBJECT };
	struct noting n = { .engine = g, .to = to };

	return engine_each(g, &s, note_subject, &n, e);
}

enum consent consent_of(const struct map *consents, const char *conversation)
{
	const uint64_t *said = map_get(consents, conversation, strlen(conversation));

	return said ? (enum consent) * said : CONSENT_UNSAID;
}
