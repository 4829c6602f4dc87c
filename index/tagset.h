/*
 * tagset.h: who may see the documents of a segment, and what attributes they
 * have: for each name the documents that have it, for numbers a sorted column.
 *
 * One immutable run of bytes, made by a tag builder, read in place. Names are
 * a letter and a key:
 *
 *   e             seen by everyone
 *   g<group>      seen by this group
 *   k<key>        has the key, whatever the value
 *   s<key>\0<v>   has this string
 *   b<key>\0<0|1> has this boolean
 *   n<key>        numbers of the key, in order
 *
 * The bytes, numbers in the machine's order, offsets from their start:
 *
 *   tags   := docs u32, names u32, name*, (list | column | text)*
 *   name   := at u64, n u32, count u32, list u64, values u64     sorted by bytes
 *   list   := u32 * count            ascending, while count <= docs / 32
 *           | u64 * ceil(docs / 64)  a bit a document, above that
 *   column := u32 * count            documents, by value, then number
 *   values := f64 * count            beside a column
 */
#ifndef READBACK_INDEX_TAGSET_H
#define READBACK_INDEX_TAGSET_H

#include "base/strbuf.h"
#include "index/index.h"

struct tag_name {
	uint64_t at;
	uint32_t n, count;
	uint64_t list, values;
};

/* An opened run of bytes; a plain value that borrows them. */
struct tagset {
	const char *p;
	const struct tag_name *names;
	uint32_t docs, n;
};

/* ERR_CORRUPT unless all offsets are inside. `p` is 8-byte aligned. */
int tagset_open(const void *p, size_t n, struct tagset *out, struct error *e);

/* The name; NULL if no document has it. `value` NULL for e, g, k and n. */
const struct tag_name *tagset_find(const struct tagset *t, char kind, const char *key,
				   const struct text *value);

/* The number in `names` of the first that is not below the bytes. */
uint32_t tagset_from(const struct tagset *t, const char *bytes, size_t n);
struct text tagset_text(const struct tagset *t, const struct tag_name *name);

/* Adds the documents of a name (NULL: none) to `to`, a set of t->docs. */
void tagset_into(const struct tagset *t, const struct tag_name *name, uint64_t *to);
/* How many documents of a name are in `in` (NULL: all). */
size_t tagset_count(const struct tagset *t, const struct tag_name *name, const uint64_t *in);
const double *tagset_values(const struct tagset *t, const struct tag_name *name);
const uint32_t *tagset_column(const struct tagset *t, const struct tag_name *name);

/* 1: everyone sees every document. */
int tagset_open_to_all(const struct tagset *t);
/* Adds to `to` what is seen by everyone or one of the groups. */
void tagset_visible(const struct tagset *t, const char *const *groups, size_t n, uint64_t *to);

struct tag_builder;
struct tag_builder *tag_builder_new(void); /* NULL: no memory */
void tag_builder_free(struct tag_builder *b);

/* The groups and tags of document `doc`. -1: no memory. */
int tag_builder_add(struct tag_builder *b, uint32_t doc, const struct index_entry *e);
/* Those of `from`'s documents that `to` gives a number (not TAG_GONE). -1: no memory. */
#define TAG_GONE UINT32_MAX
int tag_builder_merge(struct tag_builder *b, const struct tagset *from, const uint32_t *to);
/* Appends the bytes for `docs` documents to `out`, which begins 8-byte aligned. -1: no memory. */
int tag_builder_finish(struct tag_builder *b, uint32_t docs, struct strbuf *out);

#endif
