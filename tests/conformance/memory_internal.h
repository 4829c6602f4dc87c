/* memory_internal.h: what the files of the memory engine share. All under the cluster's lock. */
#ifndef READBACK_TESTS_MEMORY_INTERNAL_H
#define READBACK_TESTS_MEMORY_INTERNAL_H

#include <pthread.h>

#include "base/arena.h"
#include "base/map.h"
#include "memory_engine.h"

/* One incarnation of an indexed record. Numbers start from 1 and are never used again. */
struct memory_entry {
	uint64_t id;
	enum record_kind kind;
	size_t slot;
	int live;
	json_t *acl; /* owned; NULL: everyone */
	struct arena *tags_arena;
	struct index_tag *tags;
	size_t n_tags;
	struct arena *arena; /* of all below */
	struct entry_row *rows;
	size_t n_rows;
	uint64_t first_row;           /* row ids follow each other */
	const struct token *words[2]; /* title, text */
	size_t n_words[2];
};

struct slot {
	enum record_kind kind;
	char *id;
	int live;
	int64_t revision, created_at, changed_at;
	uint64_t created, changed;
	char *subject;
	json_t *body;
	char *text; /* NULL: none */
	size_t n_text;
	uint64_t entry; /* 0: not indexed */
};

struct memory_stream {
	int64_t taken; /* by the event being committed, if any */
	int64_t shown;
	int busy;
};

/* events[seq - 1] */
struct memory_event {
	int64_t revision;
	int weak;
};

struct cluster {
	struct memory_options options;
	char *embedder;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t random;
	struct memory_shown shown;

	struct memory_event *events;
	size_t n_events, cap_events;
	uint64_t complete;     /* all events up to this seq are */
	struct map *event_ids; /* to seq */

	struct memory_stream *streams;
	size_t n_streams, cap_streams;
	struct map *stream_ids; /* to index + 1 */

	struct slot *slots;
	size_t n_slots, cap_slots;
	struct map *slot_ids; /* "kind/id" to index + 1 */

	struct memory_entry *entries; /* entries[id - 1] */
	size_t n_entries, cap_entries;
	uint64_t rows;
};

/* These end the program when there is no memory. */
void *memory_must(void *p);
struct arena *memory_arena(void);

/* memory_write.c */
void memory_commit(struct cluster *c, const struct event *ev, struct commit *out);
void memory_entry_release(struct memory_entry *en);
/* The slot of a record that was ever put; NULL if none. */
struct slot *memory_slot(struct cluster *c, enum record_kind k, const char *id);
struct memory_stream *memory_stream(struct cluster *c, const char *name);

/* memory_search.c */
int memory_search(struct cluster *c, const struct index_query *q, struct arena *a, struct index_result *out,
		  struct error *e);

int memory_has_word(const struct memory_entry *en, const char *stem);

/* memory_match.c: an expression of FTS5's, as far as words, phrases, prefixes, columns, AND, OR, NOT and parentheses. */
struct match;
int match_parse(struct arena *a, const char *expr, const struct match **out, struct error *e);
int match_meets(const struct match *m, const struct memory_entry *en);

#endif
