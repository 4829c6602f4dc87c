/* memory_write.c: how an event comes into the cluster, with what can go wrong on the way. */
#include "memory_internal.h"

#include <assert.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/grow.h"
#include "base/uuid.h"

void *memory_must(void *p)
{
	if (!p) {
		fputs("memory engine: out of memory\n", stderr);
		abort();
	}
	return p;
}

struct arena *memory_arena(void)
{
	return memory_must(arena_new(1024));
}

#define MUST_GROW(array, n, cap)             \
	do {                                 \
		if (GROW(array, n, cap) < 0) \
			memory_must(NULL);   \
	} while (0)

/* --- chance -------------------------------------------------------------------------------------- */

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(struct cluster *c)
{
	uint64_t z = c->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static int happens(struct cluster *c, unsigned chance)
{
	return chance && next_random(c) % 1000 < chance;
}

/* Lets others in for a while. */
static void linger(struct cluster *c)
{
	useconds_t us = c->options.max_delay_us ? (useconds_t)(next_random(c) % (c->options.max_delay_us + 1))
						: 0;

	pthread_mutex_unlock(&c->lock);
	if (us)
		usleep(us);
	else
		sched_yield();
	pthread_mutex_lock(&c->lock);
}

/* --- streams and records --------------------------------------------------------------------------- */

/* Streams stay where they are in memory only until the next new one: never keep this over linger(). */
struct memory_stream *memory_stream(struct cluster *c, const char *name)
{
	uint64_t *at = memory_must(map_put(c->stream_ids, name, strlen(name), NULL));

	if (!*at) {
		MUST_GROW(c->streams, c->n_streams, c->cap_streams);
		c->streams[c->n_streams] = (struct memory_stream){ 0 };
		*at = ++c->n_streams;
	}
	return &c->streams[*at - 1];
}

static uint64_t *slot_at(struct cluster *c, enum record_kind k, const char *id, int make)
{
	struct arena *a = memory_arena();
	const char *key = memory_must(arena_printf(a, "%s/%s", record_schema(k)->name, id));
	uint64_t *at = make ? memory_must(map_put(c->slot_ids, key, strlen(key), NULL))
			    : map_get(c->slot_ids, key, strlen(key));

	arena_free(a);
	return at;
}

struct slot *memory_slot(struct cluster *c, enum record_kind k, const char *id)
{
	uint64_t *at = slot_at(c, k, id, 0);

	return at ? &c->slots[*at - 1] : NULL;
}

static struct slot *make_slot(struct cluster *c, enum record_kind k, const char *id)
{
	uint64_t *at = slot_at(c, k, id, 1);

	if (!*at) {
		MUST_GROW(c->slots, c->n_slots, c->cap_slots);
		c->slots[c->n_slots] = (struct slot){ .kind = k, .id = memory_must(strdup(id)) };
		*at = ++c->n_slots;
	}
	return &c->slots[*at - 1];
}

static void slot_clear(struct slot *s)
{
	json_decref(s->body);
	free(s->subject);
	free(s->text);
	s->body = NULL;
	s->subject = s->text = NULL;
	s->n_text = 0;
	s->live = 0;
}

/* --- entries ------------------------------------------------------------------------------------------ */

void memory_entry_release(struct memory_entry *en)
{
	json_decref(en->acl);
	arena_free(en->tags_arena);
	arena_free(en->arena);
	en->acl = NULL;
	en->tags_arena = en->arena = NULL;
	en->live = 0;
}

static void drop_entry(struct cluster *c, struct slot *s)
{
	if (s->entry)
		memory_entry_release(&c->entries[s->entry - 1]);
	s->entry = 0;
}

static void tag_entry(struct memory_entry *en, const struct entry *from)
{
	json_decref(en->acl);
	en->acl = !from->acl || json_is_null(from->acl) ? NULL : memory_must(json_deep_copy(from->acl));
	arena_free(en->tags_arena);
	en->tags_arena = memory_arena();
	en->tags = memory_must(arena_alloc(en->tags_arena, (from->n_tags + 1) * sizeof(*en->tags)));
	en->n_tags = from->n_tags;
	for (size_t i = 0; i < from->n_tags; i++) {
		struct index_tag t = from->tags[i];
		t.key = memory_must(arena_strdup(en->tags_arena, t.key));
		if (t.value.type == VALUE_STRING)
			t.value.s.s = memory_must(arena_strndup(en->tags_arena, t.value.s.s, t.value.s.n));
		en->tags[i] = t;
	}
}

static void entry_words(struct memory_entry *en, int i, struct text t)
{
	if (!t.s)
		return;
	long n = analyse_text(en->arena, t.s, t.n, &en->words[i]);
	if (n < 0)
		memory_must(NULL);
	en->n_words[i] = (size_t)n;
}

static void put_entry(struct cluster *c, struct slot *s, const struct entry *from)
{
	struct memory_entry en = { .kind = s->kind, .slot = (size_t)(s - c->slots), .live = 1 };
	size_t dim = c->options.dim;

	drop_entry(c, s);
	MUST_GROW(c->entries, c->n_entries, c->cap_entries);
	en.id = c->n_entries + 1;
	en.arena = memory_arena();
	en.first_row = c->rows + 1;
	en.n_rows = from->n_rows;
	en.rows = memory_must(arena_alloc(en.arena, (from->n_rows + 1) * sizeof(*en.rows)));
	for (size_t i = 0; i < from->n_rows; i++) {
		en.rows[i] = from->rows[i];
		if (!from->rows[i].vector)
			continue;
		float *v = memory_must(arena_alloc(en.arena, dim * sizeof(*v)));
		memcpy(v, from->rows[i].vector, dim * sizeof(*v));
		en.rows[i].vector = v;
	}
	entry_words(&en, 0, from->title);
	entry_words(&en, 1, from->text);
	tag_entry(&en, from);
	c->rows += from->n_rows;
	c->entries[c->n_entries++] = en;
	s->entry = en.id;
}

/* --- applying -------------------------------------------------------------------------------------------- */

static void apply(struct cluster *c, const struct change *ch, uint64_t seq, int64_t revision, int64_t at)
{
	struct slot *s = make_slot(c, ch->kind, ch->id);
	int fresh = !s->live;

	slot_clear(s);
	if (!ch->body) {
		drop_entry(c, s);
		return;
	}
	s->live = 1;
	s->revision = revision;
	s->changed = seq;
	s->changed_at = at;
	if (fresh) {
		s->created = seq;
		s->created_at = at;
	}
	s->subject = memory_must(strdup(ch->subject ? ch->subject : ""));
	s->body = memory_must(json_deep_copy(ch->body));
	if (ch->text.s) {
		s->text = memory_must(malloc(ch->text.n + 1));
		memcpy(s->text, ch->text.s, ch->text.n);
		s->text[ch->text.n] = '\0';
		s->n_text = ch->text.n;
	}
	if (!ch->entry)
		return;
	if (ch->entry->keep_rows)
		tag_entry(&c->entries[s->entry - 1], ch->entry);
	else
		put_entry(c, s, ch->entry);
}

/* Does this change put the record that names the stream? */
static int names_stream(const struct event *ev, const struct change *ch)
{
	const char *name = record_schema(ch->kind)->name;
	size_t n = strlen(name);

	return strncmp(ev->stream, name, n) == 0 && ev->stream[n] == '/' &&
	       strcmp(ev->stream + n + 1, ch->id) == 0;
}

/* The order in which changes become visible: by chance, the stream's own record last. */
static size_t *order_of(struct cluster *c, const struct event *ev)
{
	size_t *order = memory_must(malloc((ev->n + 1) * sizeof(*order))), last = ev->n;

	for (size_t i = 0; i < ev->n; i++)
		order[i] = i;
	if (!c->options.gradual)
		return order;
	for (size_t i = ev->n; i > 1; i--) {
		size_t j = (size_t)(next_random(c) % i), t = order[i - 1];
		order[i - 1] = order[j];
		order[j] = t;
	}
	for (size_t i = 0; i < ev->n; i++)
		if (names_stream(ev, &ev->changes[order[i]]))
			last = i;
	if (last < ev->n) {
		size_t t = order[ev->n - 1];
		order[ev->n - 1] = order[last];
		order[last] = t;
	}
	return order;
}

/*
 * Whoever sees the last record of an event must find the others by a scan
 * too, and scans go no further than all before is complete.
 */
static void wait_for_turn(struct cluster *c, uint64_t seq)
{
	while (c->complete < seq - 1)
		pthread_cond_wait(&c->changed, &c->lock);
}

static void apply_all(struct cluster *c, const struct event *ev, uint64_t seq, int64_t revision)
{
	int64_t at = ev->at ? ev->at : clock_wall_ms();
	size_t *order = order_of(c, ev);
	int gradual = happens(c, c->options.gradual);

	for (size_t i = 0; i < ev->n; i++) {
		if (gradual && i > 0)
			linger(c);
		if (i + 1 == ev->n)
			wait_for_turn(c, seq);
		apply(c, &ev->changes[order[i]], seq, revision, at);
	}
	wait_for_turn(c, seq);
	c->shown.gradual += gradual && ev->n > 1;
	free(order);
}

/* --- commits ----------------------------------------------------------------------------------------------- */

static int fail(struct commit *out, int code, const char *why)
{
	*out = (struct commit){ .code = code };
	return error_set(&out->error, code, NULL, "%s", why);
}

/* What was answered the first time. 0 if the event is new. */
static int answer_again(struct cluster *c, const char *id, struct commit *out)
{
	uint64_t *at = map_get(c->event_ids, id, strlen(id));

	if (!at)
		return 0;
	uint64_t seq = *at;
	while (c->complete < seq)
		pthread_cond_wait(&c->changed, &c->lock);
	const struct memory_event *e = &c->events[seq - 1];
	*out = (struct commit){ .seq = seq, .revision = e->revision, .weak = e->weak };
	return 1;
}

/* 0 when the event may take its revision now. */
static int look(struct cluster *c, const struct event *ev, struct commit *out)
{
	while (memory_stream(c, ev->stream)->busy)
		pthread_cond_wait(&c->changed, &c->lock);
	if (ev->expect >= 0 && ev->expect != memory_stream(c, ev->stream)->taken)
		return fail(out, ERR_CONFLICT, "another event has taken that revision");
	for (size_t i = 0; i < ev->n; i++) {
		const struct change *ch = &ev->changes[i];
		const struct slot *s = memory_slot(c, ch->kind, ch->id);
		if (ch->body && ch->entry && ch->entry->keep_rows && (!s || !s->entry))
			return fail(out, ERR_NOT_FOUND, "keep_rows: the record is not indexed");
	}
	return 0;
}

static void deliver(struct cluster *c, const struct event *ev, const char *id, struct commit *out)
{
	int late = happens(c, c->options.late_conflict);

	for (int first = 1;; first = 0) {
		if (answer_again(c, id, out))
			return;
		int rc = look(c, ev, out);
		/* It may have waited for another delivery of the same event. */
		if (answer_again(c, id, out) || rc < 0) {
			c->shown.late_conflict += out->code == ERR_CONFLICT && !first;
			return;
		}
		if (!late || !first)
			break;
		linger(c);
	}
	MUST_GROW(c->events, c->n_events, c->cap_events);
	uint64_t seq = ++c->n_events;
	struct memory_stream *s = memory_stream(c, ev->stream);
	struct memory_event e = { .revision = ++s->taken, .weak = happens(c, c->options.weak) };
	s->busy = 1;
	c->events[seq - 1] = e;
	*(uint64_t *)memory_must(map_put(c->event_ids, id, strlen(id), NULL)) = seq;
	apply_all(c, ev, seq, e.revision);
	s = memory_stream(c, ev->stream);
	s->shown = e.revision;
	s->busy = 0;
	c->shown.weak += (unsigned)e.weak;
	c->complete = seq;
	pthread_cond_broadcast(&c->changed);
	*out = (struct commit){ .seq = seq, .revision = e.revision, .weak = e.weak };
}

void memory_commit(struct cluster *c, const struct event *ev, struct commit *out)
{
	char made[UUID_TEXT];
	const char *id = ev->id;
	int lost = happens(c, c->options.lost), applied = (int)(next_random(c) % 2);

	if (!id) {
		uuid_v7(made);
		id = made;
	}
	if (!lost || applied)
		deliver(c, ev, id, out);
	if (happens(c, c->options.repeated) && !lost && out->code == 0) {
		struct commit again;
		linger(c);
		deliver(c, ev, id, &again);
		assert(again.code == 0 && again.seq == out->seq && again.revision == out->revision);
		c->shown.repeated++;
	}
	if (!lost)
		return;
	c->shown.lost_applied += (unsigned)applied;
	c->shown.lost_unapplied += (unsigned)!applied;
	fail(out, ERR_REMOTE, "the connection was lost: the outcome is not known");
}
