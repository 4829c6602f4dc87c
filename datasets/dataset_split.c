#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/map.h"
#include "datasets/dataset_internal.h"
#include "datasets/duplicates.h"

struct component {
	const char *name;    /* "customer:cu-7", "conversation:c-1", "example:ex_1" */
	struct strbuf names; /* "\nJane Roe\nJ. Roe\n", or nothing */
	int64_t first;       /* when its first conversation began */
	uint64_t rows;       /* behind components_split(): of all that were joined with it */
	enum dataset_part part;
	uint32_t number;        /* in the order in which they were made */
	struct component *with; /* the eldest of those that it was joined with; itself */
	struct component *next;
};

struct components {
	struct arena *arena;
	const char *folder;
	struct map *by_name, *by_conversation; /* -> struct component * */
	struct component *list;                /* the last made is the first */
	struct duplicates *duplicates;         /* NULL before the first text */
	size_t n;
};

struct components *components_new(const char *folder)
{
	struct components *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->folder = folder;
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
	for (struct component *of = c->list; of; of = of->next)
		strbuf_release(&of->names);
	map_free(c->by_name);
	map_free(c->by_conversation);
	duplicates_free(c->duplicates);
	arena_free(c->arena);
	free(c);
}

/* The component of that name, made if it is not there; it began at `at` or before. */
static struct component *find_or_make(struct components *c, const char *kind, const char *id, int64_t at)
{
	const char *name = arena_printf(c->arena, "%s:%s", kind, id);
	uint64_t *slot = name ? map_put(c->by_name, name, strlen(name), NULL) : NULL;
	struct component *of = slot ? (struct component *)(uintptr_t)*slot : NULL;

	if (slot && !of) {
		of = arena_alloc(c->arena, sizeof(*of));
		if (!of)
			return NULL;
		*of = (struct component){
			.name = name, .first = at, .number = (uint32_t)c->n, .next = c->list
		};
		of->with = of;
		*slot = (uint64_t)(uintptr_t)of;
		c->list = of;
		c->n++;
	}
	if (of && at < of->first)
		of->first = at;
	return of;
}

static int add_name(struct components *c, struct component *of, const char *name)
{
	const char *line = arena_printf(c->arena, "\n%s\n", name);

	if (!line)
		return -1;
	if (of->names.p && strstr(of->names.p, line))
		return 0;
	strbuf_puts(&of->names, of->names.n ? line + 1 : line);
	return of->names.failed ? -1 : 0;
}

int components_add(struct components *c, const char *conversation, const json_t *body)
{
	const char *customer = body_string(body, "customer"), *name = body_string(body, "customer_name");
	uint64_t *slot = map_put(c->by_conversation, conversation, strlen(conversation), NULL);
	struct component *of = find_or_make(c, *customer ? "customer" : "conversation",
					    *customer ? customer : conversation,
					    body_time(body, "started_at"));

	if (!slot || !of || (*name && add_name(c, of, name) < 0))
		return -1;
	*slot = (uint64_t)(uintptr_t)of;
	return 0;
}

struct component *components_of(struct components *c, const char *kind, const char *id, int64_t at)
{
	const uint64_t *slot = map_get(c->by_conversation, id, strlen(id));

	if (slot && strcmp(kind, "conversation") == 0)
		return (struct component *)(uintptr_t)*slot;
	return find_or_make(c, kind, id, at);
}

struct text component_names(const struct component *of)
{
	return of ? (struct text){ of->names.p, of->names.n } : (struct text){ NULL, 0 };
}

void component_add_row(struct component *of)
{
	of->rows++;
}

int components_add_text(struct components *c, const struct component *of, const struct dataset_row *row,
			struct error *e)
{
	STRBUF_AUTO asked = STRBUF_INIT;
	const char *path = c->duplicates ? "" : arena_printf(c->arena, "%s/asked.spool", c->folder);
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
	return duplicates_add(c->duplicates, asked.p, asked.n, of->number, e);
}

enum dataset_part component_part(const struct component *of)
{
	return of->with->part;
}

uint64_t components_joined(const struct components *c)
{
	return c->duplicates ? duplicates_counts(c->duplicates).joined : 0;
}

size_t components_with_rows(const struct components *c)
{
	size_t n = 0;

	for (const struct component *of = c->list; of; of = of->next)
		n += of->rows > 0;
	return n;
}

/* --- parts ---------------------------------------------------------------------------------------------- */

/* Which part a place from 0 up to 1 is in. */
static enum dataset_part part_at(double at, const double sizes[PARTS])
{
	if (at < sizes[PART_TRAIN])
		return PART_TRAIN;
	/* A test of nothing has nothing, whatever the shares before it add up to. */
	return at < sizes[PART_TRAIN] + sizes[PART_VALID] || sizes[PART_TEST] == 0 ? PART_VALID : PART_TEST;
}

static int split_by_hash(struct components *c, uint64_t seed, const double sizes[PARTS])
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)seed);

	for (struct component *of = c->list; of; of = of->next) {
		unsigned char hash[SHA256_SIZE];
		struct sha256 s;
		uint64_t bits = 0;
		sha256_init(&s);
		sha256_add(&s, text, (size_t)n);
		sha256_add(&s, of->name, strlen(of->name));
		sha256_end(&s, hash);
		for (int b = 0; b < 8; b++)
			bits = bits << 8 | hash[b];
		/* 53 bits are a double, exactly. */
		of->part = part_at((double)(bits >> 11) / (double)(1ULL << 53), sizes);
	}
	return 0;
}

static int older_first(const void *x, const void *y)
{
	const struct component *a = *(struct component *const *)x, *b = *(struct component *const *)y;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Each goes where the middle of its rows is. */
static int split_by_time(struct components *c, const double sizes[PARTS])
{
	struct component **sorted = malloc((c->n + 1) * sizeof(struct component *));
	uint64_t total = 0, before = 0;
	size_t n = 0;

	if (!sorted)
		return -1;
	for (struct component *of = c->list; of; of = of->next) {
		sorted[n++] = of;
		total += of->rows;
	}
	qsort(sorted, n, sizeof(struct component *), older_first);
	for (size_t i = 0; i < n; i++) {
		if (sorted[i]->rows)
			sorted[i]->part = part_at(
				((double)before + (double)sorted[i]->rows / 2) / (double)total, sizes);
		before += sorted[i]->rows;
	}
	free(sorted);
	return 0;
}

/* Those with near-duplicates become one: the eldest has the rows of all, and began when the first of them did. */
static int join_components(struct components *c, struct error *e)
{
	struct component **made = malloc((c->n + 1) * sizeof(struct component *));
	int rc = made ? duplicates_join(c->duplicates, e) : no_memory(e);

	for (struct component *of = c->list; rc == 0 && of; of = of->next)
		made[of->number] = of;
	for (struct component *of = c->list; rc == 0 && of; of = of->next) {
		struct component *with = made[duplicates_group(c->duplicates, of->number)];
		if (with == of)
			continue;
		of->with = with;
		with->rows += of->rows;
		with->first = of->first < with->first ? of->first : with->first;
		of->rows = 0;
	}
	free(made);
	return rc;
}

int components_split(struct components *c, enum dataset_split by, uint64_t seed, const double sizes[PARTS],
		     struct error *e)
{
	int rc = c->duplicates ? join_components(c, e) : 0;

	if (rc < 0)
		return rc;
	rc = by == SPLIT_HASH ? split_by_hash(c, seed, sizes) : split_by_time(c, sizes);
	return rc < 0 ? no_memory(e) : 0;
}
