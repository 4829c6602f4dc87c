#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/grow.h"
#include "base/map.h"
#include "datasets/dataset_internal.h"
#include "datasets/duplicates.h"

/* A component is its number, in the order in which they were made: 32 bytes and no name, where a million have one row each. */
struct component {
	const char
		*name; /* "customer:cu-7", "conversation:c-1", "example:ex_1"; NULL but for a split by time */
	int64_t first; /* when its first conversation began */
	uint32_t rows; /* behind components_split(): of all that were joined with it */
	uint32_t with; /* the eldest of those that it was joined with; itself */
	uint32_t customers; /* number + 1 of the customer's names; 0: none */
	enum dataset_part part;
};

struct components {
	struct arena *arena;
	struct splitting how;
	struct map *by_name, *by_conversation; /* -> number + 1; lone examples are in neither */
	struct component *list;
	struct strbuf *names; /* "\nJane Roe\nJ. Roe\n" of each customer who has any */
	struct strbuf key;
	struct duplicates *duplicates; /* NULL before the first text, and when all are joined */
	size_t n, cap, n_names, names_cap;
	uint64_t joined;
};

struct components *components_new(const struct splitting *how)
{
	struct components *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->how = *how;
	c->arena = arena_new(64 << 10);
	c->by_name = map_new();
	c->by_conversation = map_new();
	if (c->arena && c->by_name && c->by_conversation)
		return c;
	components_free(c);
	return NULL;
}

void components_free(struct components *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_names; i++)
		strbuf_release(&c->names[i]);
	free(c->names);
	free(c->list);
	strbuf_release(&c->key);
	map_free(c->by_name);
	map_free(c->by_conversation);
	duplicates_free(c->duplicates);
	arena_free(c->arena);
	free(c);
}

/* Which part a place from 0 up to 1 is in. */
static enum dataset_part part_at(double at, const double sizes[PARTS])
{
	if (at < sizes[PART_TRAIN])
		return PART_TRAIN;
	/* A test of nothing has nothing, whatever the shares before it add up to. */
	return at < sizes[PART_TRAIN] + sizes[PART_VALID] || sizes[PART_TEST] == 0 ? PART_VALID : PART_TEST;
}

static enum dataset_part part_by_hash(const struct splitting *how, struct text name)
{
	unsigned char hash[SHA256_SIZE];
	struct sha256 s;
	uint64_t bits = 0;
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)how->seed);

	sha256_init(&s);
	sha256_add(&s, text, (size_t)n);
	sha256_add(&s, name.s, name.n);
	sha256_end(&s, hash);
	for (int b = 0; b < 8; b++)
		bits = bits << 8 | hash[b];
	/* 53 bits are a double, exactly. */
	return part_at((double)(bits >> 11) / (double)(1ULL << 53), how->sizes);
}

/* A new component whose name is c->key. */
static long make(struct components *c, int64_t at)
{
	struct component of = { .first = at, .with = (uint32_t)c->n, .part = PART_TRAIN };
	const struct text name = { c->key.p, c->key.n };

	if (c->how.by == SPLIT_TIME && !(of.name = arena_strndup(c->arena, name.s, name.n)))
		return -1;
	if (c->how.by == SPLIT_HASH)
		of.part = part_by_hash(&c->how, name);
	if (GROW(c->list, c->n, c->cap) < 0)
		return -1;
	c->list[c->n] = of;
	return (long)c->n++;
}

/* The component of that name, made if it is not there; it began at `at` or before. */
static long find_or_make(struct components *c, const char *kind, const char *id, int64_t at)
{
	strbuf_clear(&c->key);
	strbuf_printf(&c->key, "%s:%s", kind, id);
	if (c->key.failed)
		return -1;
	/* An example comes once: nobody will look for it. */
	if (strcmp(kind, COMPONENT_EXAMPLE) == 0)
		return make(c, at);
	uint64_t *slot = map_put(c->by_name, c->key.p, c->key.n, NULL);
	long of = !slot ? -1 : *slot ? (long)(*slot - 1) : make(c, at);

	if (of < 0)
		return -1;
	*slot = (uint64_t)of + 1;
	if (at < c->list[of].first)
		c->list[of].first = at;
	return of;
}

static int add_name(struct components *c, struct component *of, const char *name)
{
	const char *line = arena_printf(c->arena, "\n%s\n", name);

	if (!line)
		return -1;
	if (!of->customers) {
		if (GROW(c->names, c->n_names, c->names_cap) < 0)
			return -1;
		c->names[c->n_names++] = (struct strbuf)STRBUF_INIT;
		of->customers = (uint32_t)c->n_names;
	}
	struct strbuf *names = &c->names[of->customers - 1];
	if (names->p && strstr(names->p, line))
		return 0;
	strbuf_puts(names, names->n ? line + 1 : line);
	return names->failed ? -1 : 0;
}

int components_add(struct components *c, const char *conversation, const json_t *body)
{
	const char *customer = body_string(body, "customer"), *name = body_string(body, "customer_name");
	uint64_t *slot = map_put(c->by_conversation, conversation, strlen(conversation), NULL);
	long of = find_or_make(c, *customer ? "customer" : "conversation",
			       *customer ? customer : conversation, body_time(body, "started_at"));

	if (!slot || of < 0 || (*name && add_name(c, &c->list[of], name) < 0))
		return -1;
	*slot = (uint64_t)of + 1;
	return 0;
}

long components_of(struct components *c, const char *kind, const char *id, int64_t at)
{
	const uint64_t *slot = map_get(c->by_conversation, id, strlen(id));

	if (slot && strcmp(kind, "conversation") == 0)
		return (long)(*slot - 1);
	return find_or_make(c, kind, id, at);
}

struct text component_names(const struct components *c, uint32_t of)
{
	uint32_t names = of == COMPONENT_NONE ? 0 : c->list[of].customers;

	return names ? (struct text){ c->names[names - 1].p, c->names[names - 1].n }
		     : (struct text){ NULL, 0 };
}

void component_add_row(struct components *c, uint32_t of)
{
	c->list[of].rows++;
}

int components_add_text(struct components *c, uint32_t of, const struct dataset_row *row, struct error *e)
{
	STRBUF_AUTO asked = STRBUF_INIT;
	const char *path = c->duplicates ? "" : arena_printf(c->arena, "%s/asked.spool", c->how.folder);
	int rc = !path ? no_memory(e) : c->duplicates ? 0 : duplicates_open(path, &c->duplicates, e);

	/* What is asked must not be known from training; answers are alike where agents have templates. */
	for (size_t i = 0; i < row->n_messages; i++)
		if (row->messages[i].role == ROLE_USER) {
			strbuf_add(&asked, row->messages[i].text.s, row->messages[i].text.n);
			strbuf_putc(&asked, '\n');
		}
	for (size_t i = 0; i < row->n_turns; i++)
		if (strcmp(row->turns[i].role, "customer") == 0) {
			strbuf_add(&asked, row->turns[i].text.s, row->turns[i].text.n);
			strbuf_putc(&asked, '\n');
		}
	if (row->text.s)
		strbuf_add(&asked, row->text.s, row->text.n);
	if (rc == 0 && asked.failed)
		rc = no_memory(e);
	if (rc < 0 || asked.n == 0)
		return rc;
	return duplicates_add(c->duplicates, asked.p, asked.n, of, e);
}

enum dataset_part component_part(const struct components *c, uint32_t of)
{
	return c->list[c->list[of].with].part;
}

uint64_t components_joined(const struct components *c)
{
	return c->joined;
}

size_t components_with_rows(const struct components *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->list[i].rows > 0;
	return n;
}

/* --- parts ---------------------------------------------------------------------------------------------- */

static int older_first(const void *x, const void *y)
{
	const struct component *a = *(struct component *const *)x, *b = *(struct component *const *)y;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Each goes where the middle of its rows is. */
static int split_by_time(struct components *c)
{
	struct component **sorted = malloc((c->n + 1) * sizeof(struct component *));
	uint64_t total = 0, before = 0;
	size_t n = 0;

	if (!sorted)
		return -1;
	for (size_t i = 0; i < c->n; i++) {
		if (c->list[i].rows)
			sorted[n++] = &c->list[i];
		total += c->list[i].rows;
	}
	qsort(sorted, n, sizeof(struct component *), older_first);
	for (size_t i = 0; i < n; i++) {
		sorted[i]->part = part_at(((double)before + (double)sorted[i]->rows / 2) / (double)total,
					  c->how.sizes);
		before += sorted[i]->rows;
	}
	free(sorted);
	return 0;
}

/* Those with near-duplicates become one: the eldest has the rows of all, and began when the first of them did. */
static int join_components(struct components *c, struct error *e)
{
	int rc = duplicates_join(c->duplicates, e);

	for (size_t i = 0; rc == 0 && i < c->n; i++) {
		struct component *of = &c->list[i];
		of->with = duplicates_group(c->duplicates, (uint32_t)i);
		if (of->with == i)
			continue;
		struct component *with = &c->list[of->with];
		with->rows += of->rows;
		with->first = of->first < with->first ? of->first : with->first;
		of->rows = 0;
	}
	c->joined = duplicates_counts(c->duplicates).joined;
	duplicates_free(c->duplicates);
	c->duplicates = NULL;
	return rc;
}

int components_split(struct components *c, struct error *e)
{
	int rc = c->duplicates ? join_components(c, e) : 0;

	if (rc < 0)
		return rc;
	return c->how.by == SPLIT_TIME && split_by_time(c) < 0 ? no_memory(e) : 0;
}
