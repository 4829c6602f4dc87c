/* tagset_build.c: collects (name, document) pairs and writes them out sorted. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/map.h"
#include "index/bits.h"
#include "index/tagset.h"

struct pair {
	double value; /* of a column; 0 elsewhere */
	uint32_t doc;
};

struct list {
	const char *name; /* the map's */
	size_t name_n;
	struct pair *pairs; /* owned */
	size_t n, cap;
};

struct tag_builder {
	struct map *names; /* name to number of its list, plus 1 */
	struct list *lists;
	size_t n, cap;
	struct strbuf name; /* the one that is being put together */
};

struct tag_builder *tag_builder_new(void)
{
	struct tag_builder *b = calloc(1, sizeof(*b));

	if (b && !(b->names = map_new())) {
		free(b);
		return NULL;
	}
	return b;
}

void tag_builder_free(struct tag_builder *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n; i++)
		free(b->lists[i].pairs);
	free(b->lists);
	map_free(b->names);
	strbuf_release(&b->name);
	free(b);
}

static struct list *list_of(struct tag_builder *b, const char *name, size_t n)
{
	uint64_t *v = map_put(b->names, name, n, NULL);

	if (!v)
		return NULL;
	if (*v)
		return &b->lists[*v - 1];
	if (GROW(b->lists, b->n, b->cap) < 0)
		return NULL;
	b->lists[b->n] = (struct list){ 0 };
	*v = ++b->n;
	return &b->lists[b->n - 1];
}

static int list_add(struct list *l, uint32_t doc, double value)
{
	if (!l || GROW(l->pairs, l->n, l->cap) < 0)
		return -1;
	l->pairs[l->n++] = (struct pair){ value, doc };
	return 0;
}

/* The document has the name, however often it is said. */
static int put(struct tag_builder *b, char kind, const char *key, const struct text *value, uint32_t doc)
{
	strbuf_clear(&b->name);
	strbuf_putc(&b->name, kind);
	strbuf_puts(&b->name, key);
	if (value) {
		strbuf_putc(&b->name, '\0');
		strbuf_add(&b->name, value->s, value->n);
	}
	struct list *l = b->name.failed ? NULL : list_of(b, b->name.p, b->name.n);
	if (l && l->n && l->pairs[l->n - 1].doc == doc)
		return 0;
	return list_add(l, doc, 0);
}

static int put_number(struct tag_builder *b, const char *key, double value, uint32_t doc)
{
	strbuf_clear(&b->name);
	strbuf_putc(&b->name, 'n');
	strbuf_puts(&b->name, key);
	return b->name.failed ? -1 : list_add(list_of(b, b->name.p, b->name.n), doc, value);
}

static int put_tag(struct tag_builder *b, const struct index_tag *tag, uint32_t doc)
{
	static const struct text flags[2] = { { "0", 1 }, { "1", 1 } };

	if (put(b, 'k', tag->key, NULL, doc) < 0)
		return -1;
	switch (tag->value.type) {
	case VALUE_STRING:
		return put(b, 's', tag->key, &tag->value.s, doc);
	case VALUE_BOOL:
		return put(b, 'b', tag->key, &flags[tag->value.number != 0], doc);
	case VALUE_NUMBER:
		return put_number(b, tag->key, tag->value.number, doc);
	}
	return 0;
}

int tag_builder_add(struct tag_builder *b, uint32_t doc, const struct index_entry *e)
{
	int rc = e->everyone ? put(b, 'e', "", NULL, doc) : 0;

	for (size_t i = 0; rc == 0 && !e->everyone && i < e->n_groups; i++)
		rc = put(b, 'g', e->groups[i], NULL, doc);
	for (size_t i = 0; rc == 0 && i < e->n_tags; i++)
		rc = put_tag(b, &e->tags[i], doc);
	return rc;
}

static int merge_dense(struct list *l, const uint64_t *bits, uint32_t docs, const uint32_t *to)
{
	int rc = 0;

	for (uint32_t d = bits_next(bits, docs, 0); rc == 0 && d < docs; d = bits_next(bits, docs, d + 1))
		if (to[d] != TAG_GONE)
			rc = list_add(l, to[d], 0);
	return rc;
}

int tag_builder_merge(struct tag_builder *b, const struct tagset *from, const uint32_t *to)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < from->n; i++) {
		const struct tag_name *name = &from->names[i];
		const uint32_t *list = tagset_column(from, name);
		struct list *l = list_of(b, from->p + name->at, name->n);
		if (!l)
			return -1;
		if (!name->values && name->count > from->docs / 32) {
			rc = merge_dense(l, (const uint64_t *)(const void *)list, from->docs, to);
			continue;
		}
		for (uint32_t j = 0; rc == 0 && j < name->count; j++)
			if (to[list[j]] != TAG_GONE)
				rc = list_add(l, to[list[j]],
					      name->values ? tagset_values(from, name)[j] : 0);
	}
	return rc;
}

static int by_value(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return (x->doc > y->doc) - (x->doc < y->doc);
}

static int by_bytes(const void *a, const void *b)
{
	const struct list *x = a, *y = b;
	size_t n = x->name_n < y->name_n ? x->name_n : y->name_n;
	int order = memcmp(x->name, y->name, n);

	return order ? order : (x->name_n > y->name_n) - (x->name_n < y->name_n);
}

static void pad(struct strbuf *out, size_t start)
{
	while ((out->n - start) % 8 && !out->failed)
		strbuf_putc(out, '\0');
}

static void write_dense(struct strbuf *out, const struct list *l, uint32_t docs)
{
	uint64_t word = 0;
	size_t j = 0;

	for (size_t w = 0; w < bits_words(docs); w++, word = 0) {
		for (; j < l->n && l->pairs[j].doc / 64 == w; j++)
			word |= UINT64_C(1) << (l->pairs[j].doc % 64);
		strbuf_add(out, (const char *)&word, sizeof(word));
	}
}

/* What follows the names; fills in `name`. */
static void write_list(struct strbuf *out, size_t start, struct list *l, uint32_t docs, struct tag_name *name)
{
	int column = l->name[0] == 'n';

	qsort(l->pairs, l->n, sizeof(*l->pairs), by_value);
	name->n = (uint32_t)l->name_n;
	name->count = (uint32_t)l->n;
	name->at = out->n - start;
	strbuf_add(out, l->name, l->name_n);
	pad(out, start);
	name->list = out->n - start;
	if (!column && l->n > docs / 32)
		write_dense(out, l, docs);
	else
		for (size_t i = 0; i < l->n; i++)
			strbuf_add(out, (const char *)&l->pairs[i].doc, sizeof(l->pairs[i].doc));
	pad(out, start);
	if (!column)
		return;
	name->values = out->n - start;
	for (size_t i = 0; i < l->n; i++)
		strbuf_add(out, (const char *)&l->pairs[i].value, sizeof(l->pairs[i].value));
}

/* Gives lists their names and puts those that have documents in order; returns how many. */
static size_t sort_lists(struct tag_builder *b)
{
	const char *name;
	size_t n, kept = 0;
	uint64_t *v;

	for (size_t i = 0; map_each(b->names, &i, &name, &n, &v);) {
		b->lists[*v - 1].name = name;
		b->lists[*v - 1].name_n = n;
	}
	for (size_t i = 0; i < b->n; i++) {
		if (b->lists[i].n) {
			struct list swap = b->lists[kept];
			b->lists[kept++] = b->lists[i];
			b->lists[i] = swap;
		}
	}
	if (kept > 1)
		qsort(b->lists, kept, sizeof(*b->lists), by_bytes);
	return kept;
}

int tag_builder_finish(struct tag_builder *b, uint32_t docs, struct strbuf *out)
{
	size_t start = out->n, kept = sort_lists(b);
	const uint32_t header[2] = { docs, (uint32_t)kept };
	struct tag_name *names = calloc(kept + 1, sizeof(*names));

	if (!names)
		return -1;
	strbuf_add(out, (const char *)header, sizeof(header));
	size_t at = out->n;
	strbuf_add(out, (const char *)names, kept * sizeof(*names));
	for (size_t i = 0; i < kept; i++)
		write_list(out, start, &b->lists[i], docs, &names[i]);
	if (!out->failed && kept)
		memcpy(out->p + at, names, kept * sizeof(*names));
	free(names);
	return out->failed ? -1 : 0;
}
