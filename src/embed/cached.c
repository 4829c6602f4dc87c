#include "embed/cached.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/grow.h"
#include "base/map.h"
#include "base/strbuf.h"
#include "embed/kind.h"

#define FORMAT "readback-vectors-1"
#define UNIT_SLACK 1e-2 /* of a vector's length, which may come from a server */

struct cached {
	struct embedder base;
	struct embedder *inner;
	pthread_mutex_t lock; /* of what follows */
	struct map *places;   /* hash of a text -> place + 1 */
	float **vectors;      /* [n][dim] */
	size_t n, cap;
};

static void cached_close(struct embedder *m)
{
	struct cached *c = (struct cached *)m;

	for (size_t i = 0; i < c->n; i++)
		free(c->vectors[i]);
	free(c->vectors);
	map_free(c->places);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static size_t cached_count(const struct embedder *m, const char *s, size_t n)
{
	return embedder_count(((const struct cached *)m)->inner, s, n);
}

/* Under the lock. A text that is there already stays: another thread was faster. */
static int keep(struct cached *c, const unsigned char hash[SHA256_SIZE], const float *vector)
{
	size_t bytes = c->base.info.dim * sizeof(*vector);
	float *copy = malloc(bytes);

	if (!copy || GROW(c->vectors, c->n, c->cap) < 0) {
		free(copy);
		return -1;
	}
	uint64_t *place = map_put(c->places, (const char *)hash, SHA256_SIZE, NULL);
	if (!place || *place) {
		free(copy);
		return place ? 0 : -1;
	}
	memcpy(copy, vector, bytes);
	c->vectors[c->n++] = copy;
	*place = c->n;
	return 0;
}

/* What of a call is not known yet. */
struct missing {
	struct text *texts;
	size_t *at; /* which of the call's */
	float *vectors;
	size_t n;
};

static void find_missing(struct cached *c, const struct text *texts, const unsigned char *hashes, size_t n,
			 struct missing *x, float *out)
{
	size_t dim = c->base.info.dim;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < n; i++) {
		const uint64_t *place = map_get(c->places, (const char *)hashes + i * SHA256_SIZE,
						SHA256_SIZE);
		if (place) {
			memcpy(out + i * dim, c->vectors[*place - 1], dim * sizeof(*out));
			continue;
		}
		x->texts[x->n] = texts[i];
		x->at[x->n++] = i;
	}
	pthread_mutex_unlock(&c->lock);
}

static int embed_missing(struct cached *c, const unsigned char *hashes, struct missing *x, float *out,
			 struct error *e)
{
	size_t dim = c->base.info.dim;
	int bad = 0, rc = embedder_embed(c->inner, x->texts, x->n, x->vectors, e);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < x->n && !bad; i++) {
		const float *v = x->vectors + i * dim;
		memcpy(out + x->at[i] * dim, v, dim * sizeof(*out));
		bad = keep(c, hashes + x->at[i] * SHA256_SIZE, v) < 0;
	}
	pthread_mutex_unlock(&c->lock);
	return bad ? no_memory(e) : 0;
}

static int cached_embed(struct embedder *m, const struct text *texts, size_t n, float *out, struct error *e)
{
	struct cached *c = (struct cached *)m;
	size_t dim = m->info.dim;

	if (dim == 0 || n == 0)
		return embedder_embed(c->inner, texts, n, out, e);
	unsigned char *hashes = malloc(n * SHA256_SIZE);
	struct missing x = { calloc(n, sizeof(*x.texts)), calloc(n, sizeof(*x.at)),
			     calloc(n * dim, sizeof(*x.vectors)), 0 };
	int rc = 0;
	if (!hashes || !x.texts || !x.at || !x.vectors) {
		rc = no_memory(e);
	} else {
		for (size_t i = 0; i < n; i++)
			crypto_sha256(texts[i].s, texts[i].n, hashes + i * SHA256_SIZE);
		find_missing(c, texts, hashes, n, &x, out);
		rc = x.n ? embed_missing(c, hashes, &x, out, e) : 0;
	}
	free(hashes);
	free(x.texts);
	free(x.at);
	free(x.vectors);
	return rc;
}

static const struct embedder_kind embedder_cached = {
	.name = "cached",
	.close = cached_close,
	.embed = cached_embed,
	.count = cached_count,
};

int cached_open(struct embedder *inner, struct embedder **out, struct error *e)
{
	struct cached *c = calloc(1, sizeof(*c));

	if (!c || !(c->places = map_new())) {
		free(c);
		return no_memory(e);
	}
	c->base = (struct embedder){ .kind = &embedder_cached, .info = *embedder_info(inner) };
	c->inner = inner;
	pthread_mutex_init(&c->lock, NULL);
	*out = &c->base;
	return 0;
}

/* --- the file ---------------------------------------------------------------------------------------- */

/* What the vectors are of; they fit together where it is the same. New reference; NULL without memory. */
static json_t *head_of(const struct embedder_info *info)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I}", "format", FORMAT, "embedder", info->id, "weights",
			 info->weights, "precision", info->precision, "dim", (json_int_t)info->dim);
}

struct row {
	const char *hash;
	const float *vector;
};

static int by_hash(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return memcmp(x->hash, y->hash, SHA256_SIZE);
}

/* Under the lock. */
static int write_rows(const struct cached *c, struct strbuf *out)
{
	struct row *rows = calloc(c->n + 1, sizeof(*rows));
	size_t at = 0, n = 0, len;
	const char *key;
	uint64_t *place;

	if (!rows)
		return -1;
	while (map_each(c->places, &at, &key, &len, &place))
		rows[n++] = (struct row){ key, c->vectors[*place - 1] };
	if (n > 1)
		qsort(rows, n, sizeof(*rows), by_hash);
	for (size_t i = 0; i < n; i++) {
		strbuf_add(out, rows[i].hash, SHA256_SIZE);
		strbuf_add(out, (const char *)rows[i].vector, c->base.info.dim * sizeof(float));
	}
	free(rows);
	return 0;
}

static int file_text(struct cached *c, struct strbuf *out, struct error *e)
{
	JSON_AUTO *head = head_of(&c->base.info);
	size_t n;
	int rc = -1;

	pthread_mutex_lock(&c->lock);
	char *line = head && json_object_set_new(head, "n", json_integer((json_int_t)c->n)) == 0
			     ? json_text(head, &n)
			     : NULL;
	if (line) {
		strbuf_add(out, line, n);
		strbuf_putc(out, '\n');
		rc = write_rows(c, out);
	}
	pthread_mutex_unlock(&c->lock);
	free(line);
	return rc < 0 || out->failed ? no_memory(e) : 0;
}

int cached_write(struct embedder *m, const char *path, struct error *e)
{
	STRBUF_AUTO text = STRBUF_INIT;
	int rc = file_text((struct cached *)m, &text, e);

	return rc < 0 ? rc : file_write(path, text.p, text.n, e);
}

int cached_hash(struct embedder *m, char out[SHA256_TEXT], struct error *e)
{
	STRBUF_AUTO text = STRBUF_INIT;
	int rc = file_text((struct cached *)m, &text, e);

	if (rc == 0)
		crypto_sha256_text(text.p, text.n, out);
	return rc;
}

static int is_unit(const float *v, size_t dim)
{
	double sum = 0;

	for (size_t i = 0; i < dim; i++)
		sum += (double)v[i] * v[i];
	return fabs(sqrt(sum) - 1) < UNIT_SLACK; /* false for NaN */
}

static int damaged(const char *path, const char *why, struct error *e)
{
	return error_set(e, ERR_CORRUPT, NULL, "%.200s: %s", path, why);
}

/* Reads the first line; *rows is what follows. */
static int read_head(const struct cached *c, const char *path, const char *s, size_t n, size_t *rows,
		     size_t *n_rows, struct error *e)
{
	const char *end = memchr(s, '\n', n);
	JSON_AUTO *head = NULL, *own = head_of(&c->base.info);
	struct error why;

	if (!end || json_parse(s, (size_t)(end - s), &why, &head) < 0 || !json_is_object(head))
		return damaged(path, "is no file of vectors", e);
	json_int_t count = json_integer_value(json_object_get(head, "n"));
	json_object_del(head, "n");
	if (!own)
		return no_memory(e);
	if (!json_equal(head, own))
		return error_set(e, ERR_CONFIG, NULL, "%.200s: the vectors are of another embedder", path);
	*rows = (size_t)(end - s) + 1;
	size_t each = SHA256_SIZE + c->base.info.dim * sizeof(float);
	if (count < 0 || (n - *rows) % each != 0 || (n - *rows) / each != (size_t)count)
		return damaged(path, "is cut short, or longer than it says", e);
	*n_rows = (size_t)count;
	return 0;
}

static int read_rows(struct cached *c, const char *path, const char *s, size_t n, struct error *e)
{
	size_t dim = c->base.info.dim, each = SHA256_SIZE + dim * sizeof(float);
	float *v = calloc(dim + 1, sizeof(*v));
	int rc = v ? 0 : no_memory(e);

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < n && rc == 0; i++, s += each) {
		memcpy(v, s + SHA256_SIZE, dim * sizeof(*v));
		if (!is_unit(v, dim) || (i && memcmp(s - each, s, SHA256_SIZE) >= 0))
			rc = damaged(path, "has a vector that is none, or out of order", e);
		else if (keep(c, (const unsigned char *)s, v) < 0)
			rc = no_memory(e);
	}
	pthread_mutex_unlock(&c->lock);
	free(v);
	return rc;
}

int cached_read(struct embedder *m, const char *path, struct error *e)
{
	struct cached *c = (struct cached *)m;
	size_t n, at, rows;
	char *s;

	if (!file_exists(path))
		return 0;
	int rc = file_read(path, &s, &n, e);
	if (rc < 0)
		return rc;
	rc = read_head(c, path, s, n, &at, &rows, e);
	if (rc == 0)
		rc = read_rows(c, path, s + at, rows, e);
	free(s);
	return rc;
}
