#include "http/idempotency.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"

#define KEPT_MS (24 * 3600 * 1000LL)
#define MAX_KEY 255
#define MAX_WAITING 16

struct under_way {
	struct under_way *next;
	char name[2 * SHA256_SIZE + 1];
};

struct idempotency {
	pthread_mutex_t lock;
	pthread_cond_t left;
	struct under_way *list; /* at most one per worker: a list is enough */
	unsigned waiting;
};

struct idempotency *idempotency_new(void)
{
	struct idempotency *t = calloc(1, sizeof(*t));
	pthread_condattr_t attr;

	if (!t)
		return NULL;
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->left, &attr);
	pthread_condattr_destroy(&attr);
	return t;
}

void idempotency_free(struct idempotency *t)
{
	if (!t)
		return;
	pthread_cond_destroy(&t->left);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static struct under_way **find(struct idempotency *t, const char *name)
{
	struct under_way **p = &t->list;

	while (*p && strcmp((*p)->name, name) != 0)
		p = &(*p)->next;
	return p;
}

int idempotency_enter(struct idempotency *t, const char *name, int wait_ms, struct error *e)
{
	struct timespec until;
	struct under_way *mine = calloc(1, sizeof(*mine));
	int waited = 0;

	if (!mine)
		return no_memory(e);
	strncpy(mine->name, name, sizeof(mine->name) - 1);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&t->lock);
	int may_wait = t->waiting < MAX_WAITING;
	t->waiting += (unsigned)may_wait;
	while (may_wait && *find(t, name) && waited != ETIMEDOUT)
		waited = pthread_cond_timedwait(&t->left, &t->lock, &until);
	t->waiting -= (unsigned)may_wait;
	int busy = *find(t, name) != NULL;
	if (!busy) {
		mine->next = t->list;
		t->list = mine;
	}
	pthread_mutex_unlock(&t->lock);
	if (busy) {
		free(mine);
		return error_set(e, ERR_IDEMPOTENCY_IN_PROGRESS, "Idempotency-Key",
				 "a request with this key is still under way; try again");
	}
	return 0;
}

void idempotency_leave(struct idempotency *t, const char *name)
{
	pthread_mutex_lock(&t->lock);
	struct under_way **p = find(t, name), *gone = *p;
	if (gone)
		*p = gone->next;
	pthread_cond_broadcast(&t->left);
	pthread_mutex_unlock(&t->lock);
	free(gone);
}

static void add_part(struct sha256 *h, const char *s, size_t n)
{
	uint64_t length = n;

	sha256_add(h, &length, sizeof(length)); /* so that parts cannot run into each other */
	sha256_add(h, s, n);
}

int idempotency_name(struct exchange *x)
{
	const char *value = request_header(x->in, "Idempotency-Key");
	size_t path = strcspn(x->in->target, "?");
	unsigned char hash[SHA256_SIZE];
	struct sha256 h;

	if (!value)
		return 0;
	if (!*value || strlen(value) > MAX_KEY)
		return error_set(x->err, ERR_BAD_HEADER, "Idempotency-Key", "must be 1 to %d characters",
				 MAX_KEY);
	sha256_init(&h);
	add_part(&h, x->api->tenant, strlen(x->api->tenant));
	add_part(&h, x->rights.key, strlen(x->rights.key));
	add_part(&h, x->in->method, strlen(x->in->method));
	add_part(&h, x->in->target, path);
	add_part(&h, value, strlen(value));
	sha256_end(&h, hash);
	char *name = arena_alloc(x->arena, 2 * SHA256_SIZE + 1);
	char *body = arena_alloc(x->arena, 2 * SHA256_SIZE + 1);
	if (!name || !body)
		return no_memory(x->err);
	hex_encode(hash, sizeof(hash), name);
	crypto_sha256(x->in->body, x->in->n_body, hash);
	hex_encode(hash, sizeof(hash), body);
	x->call.request = name;
	x->call.request_hash = body;
	return 0;
}

/* Who acts, and for which groups, as one hash: "" without memory. */
static const char *rights_name(struct exchange *x)
{
	const struct rights *r = &x->rights;
	const char *agent = r->agent ? r->agent : "";
	unsigned char hash[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	struct sha256 h;

	sha256_init(&h);
	add_part(&h, agent, strlen(agent));
	add_part(&h, r->all_groups ? "*" : "", r->all_groups ? 1 : 0);
	for (size_t i = 0; i < r->n_groups && !r->all_groups; i++)
		add_part(&h, r->groups[i], strlen(r->groups[i]));
	sha256_end(&h, hash);
	hex_encode(hash, sizeof(hash), hex);
	const char *name = arena_strdup(x->arena, hex);
	return name ? name : "";
}

/* A refusal of somebody with other rights says nothing about this caller. */
static int is_of_others(struct exchange *x, const json_t *result)
{
	const char *rights = json_string_value(json_object_get(result, "rights"));

	return json_object_get(result, "error") && (!rights || strcmp(rights, rights_name(x)) != 0);
}

int idempotency_recall(struct exchange *x, int *status, json_t **result)
{
	struct record kept;
	int rc = engine_get(x->api->desk->engine, RECORD_REQUEST, x->call.request, x->arena, &kept, x->err);

	if (rc == ERR_NOT_FOUND)
		return 0;
	if (rc < 0)
		return rc;
	if (json_integer_value(json_object_get(kept.body, "at")) + KEPT_MS < clock_wall_ms())
		return 0;
	const char *hash = json_string_value(json_object_get(kept.body, "body"));
	if (!hash || strcmp(hash, x->call.request_hash) != 0)
		return error_set(x->err, ERR_IDEMPOTENCY_MISMATCH, "Idempotency-Key",
				 "this key was used for another body; take a new key for a new request");
	if (is_of_others(x, json_object_get(kept.body, "result")))
		return 0;
	*status = (int)json_integer_value(json_object_get(kept.body, "status"));
	*result = json_object_get(kept.body, "result");
	return 1;
}

void idempotency_keep_refusal(struct exchange *x)
{
	const struct error_kind *kind = error_kind(x->err->code);
	struct error e;
	struct commit done;

	if (!x->call.request || kind->status < 400 || kind->status >= 500 || kind->status == 401 ||
	    kind->status == 429 || x->err->code == ERR_IDEMPOTENCY_MISMATCH ||
	    x->err->code == ERR_IDEMPOTENCY_IN_PROGRESS || x->err->code == ERR_CONFLICT)
		return;
	const char *stream = arena_printf(x->arena, "request/%s", x->call.request);
	json_t *result = json_keep(x->arena,
				   json_pack("{s:{s:i, s:s, s:s, s:s}, s:s}", "error", "code", x->err->code,
					     "param", x->err->param, "message", x->err->message, "state",
					     x->err->state, "rights", rights_name(x)));
	if (!stream || !result)
		return;
	struct event ev = { .stream = stream, .expect = ENGINE_ANY, .kind = "request.refused" };
	struct call c = x->call;
	c.err = &e; /* the refusal is what the caller hears, also when it could not be kept */
	call_commit(&c, x->api->desk->engine, &ev, kind->status, result, &done);
}
