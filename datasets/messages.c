#include <string.h>

#include "base/arena.h"
#include "datasets/dataset.h"

static int is_blank(struct text t)
{
	return !t.s || strspn(t.s, " \t\r\n") >= t.n;
}

/* 1: the customer or the agent said it. What a bot or the system said teaches nothing. */
static int role_of(const struct said *t, enum message_role *out)
{
	int customer = strcmp(t->role, "customer") == 0;

	*out = customer ? ROLE_USER : ROLE_ASSISTANT;
	return (customer || strcmp(t->role, "agent") == 0) && !is_blank(t->text);
}

/* The turns of one role from `from` on, joined; *next is the first that is not of the run. s NULL without memory. */
static struct text join_run(struct arena *a, const struct said *turns, size_t n, size_t from, size_t *next)
{
	enum message_role role, r;
	size_t len = 0, i;

	role_of(&turns[from], &role);
	for (i = from; i < n; i++) {
		if (!role_of(&turns[i], &r))
			continue;
		if (r != role)
			break;
		len += turns[i].text.n + 1;
	}
	*next = i;
	char *s = arena_alloc(a, len + 1), *p = s;
	if (!s)
		return (struct text){ NULL, 0 };
	for (i = from; i < *next; i++) {
		if (!role_of(&turns[i], &r))
			continue;
		if (p > s)
			*p++ = '\n';
		memcpy(p, turns[i].text.s, turns[i].text.n);
		p += turns[i].text.n;
	}
	return (struct text){ s, (size_t)(p - s) };
}

/* All that was said, from the user's first message on; there is room for one more. */
static long join_turns(struct arena *a, const struct said *turns, size_t n, struct message **out)
{
	struct message *list = arena_alloc(a, (n + 2) * sizeof(*list));
	size_t count = 0, next = 0;

	if (!list)
		return -1;
	for (size_t i = 0; i < n; i = next) {
		enum message_role role;
		next = i + 1;
		if (!role_of(&turns[i], &role))
			continue;
		struct text joined = join_run(a, turns, n, i, &next);
		if (!joined.s)
			return -1;
		if (count == 0 && role == ROLE_ASSISTANT)
			continue; /* a greeting answers nothing */
		list[count++] = (struct message){ role, joined };
	}
	*out = list;
	return (long)count;
}

long dataset_messages(struct arena *a, const struct said *turns, size_t n, struct text resolution,
		      const struct message **out)
{
	struct message *list = NULL;
	long count = join_turns(a, turns, n, &list);

	/* Roles take turns, so an answer is among two messages. */
	if (count > 0 && list[count - 1].role == ROLE_USER) {
		if (count > 1)
			count--; /* thanks behind the last answer */
		else if (!is_blank(resolution))
			list[count++] = (struct message){ ROLE_ASSISTANT, resolution };
		else
			count = 0;
	}
	*out = list;
	return count;
}

long dataset_prompt(struct arena *a, const struct said *turns, size_t n, const struct message **out)
{
	struct message *list = NULL;
	long count = join_turns(a, turns, n, &list);

	if (count > 0 && list[count - 1].role == ROLE_ASSISTANT)
		count = 0;
	*out = list;
	return count;
}

int dataset_answer(struct arena *a, const struct said *turns, size_t n, size_t from, enum message_role role,
		   struct text *out)
{
	enum message_role r = ROLE_USER;
	size_t next;

	*out = (struct text){ NULL, 0 };
	while (from < n && !role_of(&turns[from], &r))
		from++;
	if (from == n || r != role)
		return 0;
	*out = join_run(a, turns, n, from, &next);
	return out->s ? 0 : -1;
}
