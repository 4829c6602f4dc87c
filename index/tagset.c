#include "index/tagset.h"

#include <string.h>

#include "index/bits.h"

struct header {
	uint32_t docs, names;
};

static int is_dense(const struct tag_name *name, uint32_t docs)
{
	return name->count > docs / 32;
}

static size_t list_bytes(const struct tag_name *name, uint32_t docs)
{
	if (!name->values && is_dense(name, docs))
		return bits_words(docs) * sizeof(uint64_t);
	return (size_t)name->count * sizeof(uint32_t);
}

static int inside(uint64_t at, uint64_t size, size_t n)
{
	return at <= n && size <= n - at;
}

static int name_fits(const struct tag_name *name, const char *p, size_t n, uint32_t docs)
{
	if (!inside(name->at, name->n, n) || name->n == 0 || !inside(name->list, list_bytes(name, docs), n) ||
	    name->list % 8)
		return 0;
	if (name->values && (name->values % 8 || !inside(name->values, 8 * (uint64_t)name->count, n)))
		return 0;
	if (!name->values && is_dense(name, docs))
		return 1;
	const uint32_t *list = (const uint32_t *)(const void *)(p + name->list);
	for (uint32_t i = 0; i < name->count; i++)
		if (list[i] >= docs)
			return 0;
	return 1;
}

int tagset_open(const void *p, size_t n, struct tagset *out, struct error *e)
{
	const struct header *h = p;
	struct tagset t = { .p = p };

	if (n < sizeof(*h) || (uint64_t)h->names * sizeof(struct tag_name) > n - sizeof(*h))
		return error_set(e, ERR_CORRUPT, NULL, "the tags of a segment are cut short");
	t.docs = h->docs;
	t.n = h->names;
	t.names = (const struct tag_name *)(h + 1);
	for (uint32_t i = 0; i < t.n; i++)
		if (!name_fits(&t.names[i], p, n, t.docs))
			return error_set(e, ERR_CORRUPT, NULL, "the tags of a segment do not fit together");
	*out = t;
	return 0;
}

struct text tagset_text(const struct tagset *t, const struct tag_name *name)
{
	return (struct text){ t->p + name->at, name->n };
}

/* A name in its parts, so that nobody has to put it together. */
struct wanted {
	char kind;
	const char *key;
	size_t key_n;
	const struct text *value;
};

static int compare_rest(const char *a, size_t an, const char *b, size_t bn)
{
	size_t n = an < bn ? an : bn;
	int order = n ? memcmp(a, b, n) : 0;

	return order ? order : (an > bn) - (an < bn);
}

static int compare_name(const struct tagset *t, const struct tag_name *name, const struct wanted *w)
{
	const char *s = t->p + name->at + 1;
	size_t n = name->n - 1, head = n < w->key_n ? n : w->key_n;

	if (s[-1] != w->kind)
		return (unsigned char)s[-1] < (unsigned char)w->kind ? -1 : 1;
	int order = head ? memcmp(s, w->key, head) : 0;
	if (order || n < w->key_n)
		return order ? order : -1;
	if (!w->value)
		return n > w->key_n;
	if (n == w->key_n)
		return -1;
	if (s[w->key_n] != '\0')
		return 1;
	return compare_rest(s + w->key_n + 1, n - w->key_n - 1, w->value->s, w->value->n);
}

const struct tag_name *tagset_find(const struct tagset *t, char kind, const char *key,
				   const struct text *value)
{
	const struct wanted w = { kind, key, strlen(key), value };
	uint32_t low = 0, high = t->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int order = compare_name(t, &t->names[mid], &w);
		if (order == 0)
			return &t->names[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

uint32_t tagset_from(const struct tagset *t, const char *bytes, size_t n)
{
	uint32_t low = 0, high = t->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const struct tag_name *name = &t->names[mid];
		if (compare_rest(t->p + name->at, name->n, bytes, n) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const uint32_t *tagset_column(const struct tagset *t, const struct tag_name *name)
{
	return (const uint32_t *)(const void *)(t->p + name->list);
}

const double *tagset_values(const struct tagset *t, const struct tag_name *name)
{
	return (const double *)(const void *)(t->p + name->values);
}

void tagset_into(const struct tagset *t, const struct tag_name *name, uint64_t *to)
{
	if (!name)
		return;
	if (!name->values && is_dense(name, t->docs)) {
		bits_or(to, (const uint64_t *)(const void *)(t->p + name->list), t->docs);
		return;
	}
	const uint32_t *list = tagset_column(t, name);
	for (uint32_t i = 0; i < name->count; i++)
		bits_add(to, list[i]);
}

size_t tagset_count(const struct tagset *t, const struct tag_name *name, const uint64_t *in)
{
	size_t sum = 0;

	if (!name || !in)
		return name ? name->count : 0;
	if (!name->values && is_dense(name, t->docs)) {
		const uint64_t *bits = (const uint64_t *)(const void *)(t->p + name->list);
		for (size_t i = 0; i < bits_words(t->docs); i++)
			sum += (size_t)__builtin_popcountll(bits[i] & in[i]);
		return sum;
	}
	const uint32_t *list = tagset_column(t, name);
	for (uint32_t i = 0; i < name->count; i++)
		sum += (size_t)bits_has(in, list[i]);
	return sum;
}

int tagset_open_to_all(const struct tagset *t)
{
	const struct tag_name *everyone = tagset_find(t, 'e', "", NULL);

	return everyone && everyone->count == t->docs;
}

void tagset_visible(const struct tagset *t, const char *const *groups, size_t n, uint64_t *to)
{
	tagset_into(t, tagset_find(t, 'e', "", NULL), to);
	for (size_t i = 0; i < n; i++)
		tagset_into(t, tagset_find(t, 'g', groups[i], NULL), to);
}
