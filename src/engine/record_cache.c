#include "engine/record_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

#define SHARDS 16
#define BUCKETS 2048 /* a shard */
#define PLACES 65536
#define BYTES_PER_BODY_BYTE 5 /* of a parsed body */

struct shard {
	pthread_mutex_t lock;
	struct cached_record *buckets[BUCKETS];
	struct cached_record *newest, *oldest;
	size_t bytes;
};

struct record_cache {
	size_t bytes; /* a shard */
	_Atomic uint64_t published;
	_Atomic uint64_t touched[PLACES]; /* the last commit that changed a record of this place */
	struct shard shards[SHARDS];
};

struct record_cache *record_cache_new(size_t bytes)
{
	struct record_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->bytes = bytes / SHARDS;
	for (int i = 0; i < SHARDS; i++)
		pthread_mutex_init(&c->shards[i].lock, NULL);
	return c;
}

void record_cache_free(struct record_cache *c)
{
	if (!c)
		return;
	for (int i = 0; i < SHARDS; i++) {
		struct cached_record *r = c->shards[i].newest;
		while (r) {
			struct cached_record *older = r->older;
			cached_record_release(r);
			r = older;
		}
		pthread_mutex_destroy(&c->shards[i].lock);
	}
	free(c);
}

/* --- what is current -------------------------------------------------------------------------------- */

static size_t place_of(enum record_kind k, const char *id)
{
	return (size_t)((hash_fnv1a(id, strlen(id)) + (uint64_t)k * 0x9e3779b97f4a7c15u) % PLACES);
}

uint64_t record_cache_view(const struct record_cache *c)
{
	return atomic_load(&c->published);
}

void record_cache_touch(struct record_cache *c, enum record_kind k, const char *id, uint64_t seq)
{
	atomic_store(&c->touched[place_of(k, id)], seq);
}

void record_cache_publish(struct record_cache *c, uint64_t seq)
{
	atomic_store(&c->published, seq);
}

int record_cache_current(const struct record_cache *c, const struct cached_record *r)
{
	return atomic_load(&c->touched[r->place]) <= r->view;
}

/* --- records --------------------------------------------------------------------------------------------- */

/* Takes `n` bytes with a NUL behind them from what is left of a block. */
static char *put_bytes(char **at, const char *s, size_t n)
{
	char *p = *at;

	memcpy(p, s, n);
	p[n] = '\0';
	*at += n + 1;
	return p;
}

struct cached_record *cached_record_new(const struct record *r, json_t *acl, uint64_t entry, size_t body_n)
{
	size_t id = strlen(r->id), subject = r->subject ? strlen(r->subject) : 0;
	size_t rows = r->n_rows * sizeof(*r->rows);
	size_t size = sizeof(struct cached_record) + rows + id + subject + r->text.n + 3;
	struct cached_record *c = malloc(size);

	if (!c)
		return NULL;
	*c = (struct cached_record){ .record = *r, .acl = acl, .entry = entry };
	struct entry_row *places = (struct entry_row *)(c + 1);
	char *at = (char *)places + rows;
	if (rows)
		memcpy(places, r->rows, rows);
	c->record.rows = places;
	c->record.id = put_bytes(&at, r->id, id);
	c->record.subject = put_bytes(&at, r->subject ? r->subject : "", subject);
	if (r->text.s)
		c->record.text.s = put_bytes(&at, r->text.s, r->text.n);
	c->bytes = size + BYTES_PER_BODY_BYTE * body_n;
	atomic_init(&c->holders, 1);
	return c;
}

void cached_record_release(void *p)
{
	struct cached_record *r = p;

	if (!r || atomic_fetch_sub(&r->holders, 1) > 1)
		return;
	json_decref(r->record.body);
	json_decref(r->acl);
	free(r);
}

/* --- shards: all under their lock ------------------------------------------------------------------------ */

static struct shard *shard_of(struct record_cache *c, uint64_t entry)
{
	return &c->shards[entry % SHARDS];
}

static struct cached_record **bucket_of(struct shard *s, uint64_t entry)
{
	return &s->buckets[entry / SHARDS % BUCKETS];
}

static void list_add(struct shard *s, struct cached_record *r)
{
	r->newer = NULL;
	r->older = s->newest;
	*(s->newest ? &s->newest->newer : &s->oldest) = r;
	s->newest = r;
}

static void list_remove(struct shard *s, struct cached_record *r)
{
	*(r->newer ? &r->newer->older : &s->newest) = r->older;
	*(r->older ? &r->older->newer : &s->oldest) = r->newer;
}

static struct cached_record *find(struct shard *s, enum record_kind k, uint64_t entry)
{
	struct cached_record *r = *bucket_of(s, entry);

	while (r && (r->entry != entry || r->record.kind != k))
		r = r->next;
	return r;
}

static void drop(struct shard *s, struct cached_record *r)
{
	struct cached_record **at = bucket_of(s, r->entry);

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	list_remove(s, r);
	s->bytes -= r->bytes;
	cached_record_release(r);
}

struct cached_record *record_cache_get(struct record_cache *c, enum record_kind k, uint64_t entry)
{
	struct shard *s = shard_of(c, entry);

	pthread_mutex_lock(&s->lock);
	struct cached_record *r = find(s, k, entry);
	if (r && !record_cache_current(c, r)) {
		drop(s, r);
		r = NULL;
	}
	if (r) {
		atomic_fetch_add(&r->holders, 1);
		list_remove(s, r);
		list_add(s, r);
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}

void record_cache_put(struct record_cache *c, struct cached_record *r, uint64_t view)
{
	struct shard *s = shard_of(c, r->entry);

	r->view = view;
	r->place = place_of(r->record.kind, r->record.id);
	if (r->bytes > c->bytes || !record_cache_current(c, r))
		return;
	pthread_mutex_lock(&s->lock);
	struct cached_record *before = find(s, r->record.kind, r->entry);
	if (before)
		drop(s, before);
	while (s->oldest && s->bytes + r->bytes > c->bytes)
		drop(s, s->oldest);
	atomic_fetch_add(&r->holders, 1);
	struct cached_record **bucket = bucket_of(s, r->entry);
	r->next = *bucket;
	*bucket = r;
	list_add(s, r);
	s->bytes += r->bytes;
	pthread_mutex_unlock(&s->lock);
}
