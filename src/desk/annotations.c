#include "desk/annotations.h"

#include <string.h>

#include "base/arena.h"
#include "engine/each.h"

/* A second word of the same annotator takes the place of the first, at the end. */
static void forget(struct annotations *x, const char *who)
{
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->list[i].who, who) == 0) {
			memmove(&x->list[i], &x->list[i + 1], (x->n - i - 1) * sizeof(*x->list));
			x->n--;
			return;
		}
}

int annotations_add(struct annotations *x, struct arena *a, const json_t *vote)
{
	const char *key = body_string(vote, "principal"), *agent = body_string(vote, "agent");
	struct annotation new = {
		.who = arena_strdup(a, *agent ? agent : key),
		.label = arena_strdup(a, body_string(vote, "label")),
		.is_key = !*agent || strcmp(agent, key) == 0,
		.qa = strcmp(body_string(vote, "by"), "qa") == 0,
		.at = body_time(vote, "at"),
	};

	if (!new.who || !new.label)
		return -1;
	/* Nobody undoes what QA has decided by a name: agents' keys may bear any. */
	for (size_t i = 0; !new.qa &&i < x->n; i++)
		if (x->list[i].qa && strcmp(x->list[i].who, new.who) == 0)
			return 0;
	forget(x, new.who);
	if (ARENA_GROW(a, x->list, x->n, x->cap) < 0)
		return -1;
	x->list[x->n++] = new;
	return 0;
}

const struct annotation *annotations_in_force(const struct annotations *x, const char *but)
{
	const struct annotation *best = NULL;

	for (size_t i = 0; i < x->n; i++) {
		const struct annotation *one = &x->list[i];
		if ((!but || strcmp(one->who, but) != 0) && (!best || one->qa || !best->qa))
			best = one;
	}
	return best;
}

struct reading {
	struct annotations *to;
	struct arena *arena;
};

static int read_vote(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct reading *x = arg;

	(void)a;
	return annotations_add(x->to, x->arena, r->body) < 0 ? no_memory(e) : 0;
}

int annotations_read(struct engine *g, const char *conversation, struct arena *a, struct annotations *out,
		     struct error *e)
{
	struct annotations found = { 0 };
	struct reading x = { &found, a };
	const struct scan votes = { .kind = RECORD_VOTE,
				    .field = { "conversation" },
				    .value = { conversation } };
	int rc = engine_each(g, &votes, read_vote, &x, e);

	if (rc == 0)
		*out = found;
	return rc;
}
