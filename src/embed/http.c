/*
 * The embedder that is another server: POST {url}/embeddings, as OpenAI has it
 * (http_wire.h).
 *
 * The server may be slow, gone or wrong at any time, and a caller waits for
 * it: each call has a limit for all its requests and tries together. What may
 * be over in a moment (no connection, 429, 5xx) is tried again within it.
 * Messages go to clients of the API, so they name neither the URL nor what the
 * server wrote: it may repeat the key or a text. Only an embedder that does
 * not open names the URL, to who starts the program.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/http_client.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "embed/estimate.h"
#include "embed/http_wire.h"
#include "embed/kind.h"

#define MAX_TOKENS 512
#define REQUEST_BYTES ((size_t)256 << 10) /* of texts in a request, unless one alone is longer */
#define IDLE_CLIENTS 16                   /* kept for their connections */

#define TIMEOUT_MS 10000L
#define MAX_TIMEOUT_MS 600000L
#define MANY_TEXTS 6 /* times the limit of one text */
#define CONNECT_MS 2000L
#define TRIES 3
#define PAUSE_MS 200L /* before the second try; it doubles */
#define MAX_PAUSE_MS 5000L

#define MAX_URL 1024
#define MAX_MODEL 128 /* the id goes into one that the index's files carry */

struct http_embedder {
	struct embedder base; /* info.id is owned */
	char *url;            /* with /embeddings */
	char *auth;           /* the header; NULL: no key */
	const char *model;    /* in info.id */
	int64_t timeout_us;
	pthread_mutex_t lock;
	struct http_client *idle[IDLE_CLIENTS];
	size_t n_idle;
};

/* --- clients ------------------------------------------------------------------------------------ */

static int client_take(struct http_embedder *h, struct http_client **out, struct error *e)
{
	struct http_client *c = NULL;

	pthread_mutex_lock(&h->lock);
	if (h->n_idle)
		c = h->idle[--h->n_idle];
	pthread_mutex_unlock(&h->lock);
	if (!c)
		return http_client_new(out, e);
	*out = c;
	return 0;
}

static void client_give(struct http_embedder *h, struct http_client *c)
{
	pthread_mutex_lock(&h->lock);
	if (h->n_idle < IDLE_CLIENTS) {
		h->idle[h->n_idle++] = c;
		c = NULL;
	}
	pthread_mutex_unlock(&h->lock);
	http_client_free(c);
}

/* --- one request, and its tries ------------------------------------------------------------------- */

/* One call of embedder_embed() on its way. */
struct asking {
	struct http_embedder *h;
	struct http_client *client;
	int64_t until_us; /* of the monotonic clock */
	struct error *err;
};

static long left_ms(const struct asking *a)
{
	int64_t left = (a->until_us - clock_mono_us()) / 1000;

	return left > 0 ? (long)left : 0;
}

static int is_passing(int status)
{
	return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

/* What an answer that is none of vectors means. */
static int refusal(int status, struct error *e)
{
	if (is_passing(status))
		return error_set(e, ERR_EMBEDDER_UNAVAILABLE, NULL,
				 "the embedding server is not available: it answered with %d", status);
	if (status == 401 || status == 403)
		return error_set(
			e, ERR_MODEL, NULL,
			"the embedding server refuses the key in READBACK_EMBEDDER_KEY, or wants one: "
			"it answered with %d",
			status);
	return error_set(e, ERR_MODEL, NULL,
			 "the embedding server answered with %d: are the embedder's URL and model right?",
			 status);
}

/* One try. ERR_EMBEDDER_UNAVAILABLE: another one may succeed, *pause_ms from now if the server says (else 0). */
static int ask_once(const struct asking *a, const char *body, size_t max_answer, struct http_answer *out,
		    long *pause_ms)
{
	const char *headers[] = { "Content-Type: application/json", a->h->auth, NULL };
	struct http_call call = { .method = "POST",
				  .url = a->h->url,
				  .headers = headers,
				  .body = body,
				  .timeout_ms = left_ms(a),
				  .connect_ms = CONNECT_MS,
				  .max_answer = max_answer };
	struct http_answer answer;
	struct error why = { 0 };
	int rc;

	*pause_ms = 0;
	if (call.timeout_ms == 0)
		return error_set(a->err, ERR_EMBEDDER_UNAVAILABLE, NULL,
				 "the embedding server is not available: it did not answer in time");
	rc = http_client_call(a->client, &call, &answer, &why);
	if (rc == ERR_TOO_LARGE)
		return error_set(a->err, ERR_MODEL, NULL, "the embedding server is of no use: %s",
				 why.message);
	if (rc < 0)
		return error_set(a->err, rc == ERR_REMOTE ? ERR_EMBEDDER_UNAVAILABLE : rc, NULL,
				 "the embedding server is not available: %s", why.message);
	if (answer.status == 200) {
		*out = answer;
		return 0;
	}
	free(answer.body);
	if (answer.retry_after > 0)
		*pause_ms = answer.retry_after < MAX_PAUSE_MS / 1000 ? answer.retry_after * 1000
								     : MAX_PAUSE_MS;
	return refusal(answer.status, a->err);
}

static void sleep_ms(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* The answer (status 200) to `body`, in as many tries as there is time for. */
static int ask(const struct asking *a, const char *body, size_t max_answer, struct http_answer *out)
{
	long pause_ms = PAUSE_MS, asked_ms;
	int rc = ask_once(a, body, max_answer, out, &asked_ms);

	for (int i = 1; i < TRIES && rc == ERR_EMBEDDER_UNAVAILABLE; i++) {
		long wait_ms = asked_ms > pause_ms ? asked_ms : pause_ms;
		if (wait_ms >= left_ms(a))
			return rc;
		sleep_ms(wait_ms);
		pause_ms *= 2;
		rc = ask_once(a, body, max_answer, out, &asked_ms);
	}
	return rc;
}

/* --- texts in, vectors out -------------------------------------------------------------------------- */

/* What is sent of a text: what is past max_tokens is not read, and servers refuse an empty one. */
static struct text shorten(struct text t)
{
	struct text cut = { " ", 1 };
	size_t bytes;

	estimate_tokens(t.s, t.n, MAX_TOKENS, &bytes);
	return bytes ? (struct text){ t.s, bytes } : cut;
}

/* The next texts that go into one request: how many. */
static size_t next_batch(const struct text *texts, size_t n, struct text batch[WIRE_TEXTS])
{
	size_t taken = 0, bytes = 0;

	while (taken < n && taken < WIRE_TEXTS) {
		struct text t = shorten(texts[taken]);
		if (taken && bytes + t.n > REQUEST_BYTES)
			break;
		bytes += t.n;
		batch[taken++] = t;
	}
	return taken;
}

static int embed_batch(const struct asking *a, const struct text *texts, size_t n, float *out)
{
	size_t dim = a->h->base.info.dim;
	char *body = wire_request(a->h->model, texts, n);
	struct http_answer answer;
	int rc = body ? ask(a, body, wire_max_answer(n, dim), &answer) : no_memory(a->err);

	free(body);
	if (rc < 0)
		return rc;
	rc = wire_vectors(answer.body, answer.n, n, dim, out, a->err);
	free(answer.body);
	return rc;
}

static int asking_start(struct http_embedder *h, size_t n, struct asking *out, struct error *e)
{
	struct asking a = { .h = h, .err = e };
	int rc = client_take(h, &a.client, e);

	if (rc < 0)
		return rc;
	a.until_us = clock_mono_us() + h->timeout_us * (n > 1 ? MANY_TEXTS : 1);
	*out = a;
	return 0;
}

static int http_embed(struct embedder *m, const struct text *texts, size_t n, float *out, struct error *e)
{
	struct http_embedder *h = (struct http_embedder *)m;
	struct text batch[WIRE_TEXTS];
	struct asking a;
	int rc = asking_start(h, n, &a, e);

	if (rc < 0)
		return rc;
	for (size_t i = 0, some; rc == 0 && i < n; i += some) {
		some = next_batch(texts + i, n - i, batch);
		rc = embed_batch(&a, batch, some, out + i * h->base.info.dim);
	}
	client_give(h, a.client);
	return rc;
}

static size_t http_count(const struct embedder *m, const char *s, size_t n)
{
	(void)m;
	return estimate_tokens(s, n, SIZE_MAX, NULL);
}

/* --- opening ---------------------------------------------------------------------------------------- */

static int is_plain(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return 0;
	return 1;
}

/* Credentials in a URL would be said wherever the URL is, so the message does not repeat it. */
static int check_url(const char *url, struct error *e)
{
	const char *host = strncasecmp(url, "http://", 7) == 0    ? url + 7
			   : strncasecmp(url, "https://", 8) == 0 ? url + 8
								  : NULL;
	size_t n = host ? strcspn(host, "/") : 0;

	if (n == 0 || strlen(url) > MAX_URL || !is_plain(url))
		return error_set(e, ERR_CONFIG, "embedder_url",
				 "embedder_url: must be http:// or https:// and a host, at most %d bytes",
				 MAX_URL);
	if (memchr(host, '@', n))
		return error_set(
			e, ERR_CONFIG, "embedder_url",
			"embedder_url: must be without credentials: READBACK_EMBEDDER_KEY has the key");
	if (strpbrk(host, "?#"))
		return error_set(e, ERR_CONFIG, "embedder_url",
				 "embedder_url: must end with a path, to which /embeddings is added");
	return 0;
}

static int check_options(const struct embedder_options *o, const char *key, struct error *e)
{
	const char *model = o->remote_model ? o->remote_model : "";
	int rc = check_url(o->url ? o->url : "", e);

	if (rc < 0)
		return rc;
	if (!*model || strlen(model) > MAX_MODEL || !is_plain(model) ||
	    utf8_valid(model, strlen(model)) != strlen(model))
		return error_set(e, ERR_CONFIG, "embedder_model",
				 "embedder_model: must be the model's name at the server, at most %d bytes",
				 MAX_MODEL);
	if (o->dimensions < 0 || o->dimensions > WIRE_MAX_DIM)
		return error_set(e, ERR_CONFIG, "embedder_dimensions",
				 "embedder_dimensions: must be at most %d; 0: the server is asked",
				 WIRE_MAX_DIM);
	if (o->timeout_ms < 0 || o->timeout_ms > MAX_TIMEOUT_MS)
		return error_set(e, ERR_CONFIG, "embedder_timeout_ms",
				 "embedder_timeout_ms: must be 1 to %ld", MAX_TIMEOUT_MS);
	if (!is_plain(key))
		return error_set(e, ERR_CONFIG, NULL,
				 "READBACK_EMBEDDER_KEY has white space or control characters in it");
	return 0;
}

static void http_close(struct embedder *m)
{
	struct http_embedder *h = (struct http_embedder *)m;

	for (size_t i = 0; i < h->n_idle; i++)
		http_client_free(h->idle[i]);
	pthread_mutex_destroy(&h->lock);
	free((char *)(uintptr_t)h->base.info.id);
	free(h->auth);
	free(h->url);
	free(h);
}

static struct http_embedder *http_new(const struct embedder_options *o, const char *key)
{
	STRBUF_AUTO id = STRBUF_INIT, url = STRBUF_INIT, auth = STRBUF_INIT;
	struct http_embedder *h = calloc(1, sizeof(*h));
	size_t n = strlen(o->url);

	if (!h)
		return NULL;
	while (o->url[n - 1] == '/')
		n--;
	strbuf_printf(&id, "http:%s", o->remote_model);
	strbuf_printf(&url, "%.*s/embeddings", (int)n, o->url);
	strbuf_printf(&auth, "Authorization: Bearer %s", key);
	pthread_mutex_init(&h->lock, NULL);
	h->base = (struct embedder){
		.kind = &embedder_http,
		.info = { .id = strbuf_steal(&id, NULL),
			  .dim = (size_t)o->dimensions,
			  .weights = "", /* the server does not tell */
			  .precision = "float32",
			  .max_tokens = MAX_TOKENS },
	};
	h->url = strbuf_steal(&url, NULL);
	h->auth = strbuf_steal(&auth, NULL);
	h->timeout_us = (o->timeout_ms ? o->timeout_ms : TIMEOUT_MS) * 1000;
	if (!h->base.info.id || !h->url || !h->auth) {
		http_close(&h->base);
		return NULL;
	}
	h->model = h->base.info.id + strlen("http:");
	if (!*key) {
		free(h->auth);
		h->auth = NULL;
	}
	return h;
}

/* Asks the server how long its vectors are. */
static int probe(struct http_embedder *h, struct error *e)
{
	static const struct text text = { "readback", 8 };
	struct http_answer answer = { 0 };
	struct error why = { 0 };
	struct asking a;
	int rc = asking_start(h, 1, &a, &why);

	if (rc < 0)
		return error_set(e, rc, NULL, "%s", why.message);
	char *body = wire_request(h->model, &text, 1);
	rc = body ? ask(&a, body, wire_max_answer(1, WIRE_MAX_DIM), &answer) : no_memory(&why);
	client_give(h, a.client);
	free(body);
	if (rc == 0)
		rc = wire_dimensions(answer.body, answer.n, &h->base.info.dim, &why);
	free(answer.body);
	if (rc < 0)
		return error_set(e, rc == ERR_NO_MEMORY ? rc : ERR_MODEL, NULL, "%.150s: %s", h->url,
				 why.message);
	return 0;
}

static int http_open(const struct embedder_options *o, const char *folder, struct embedder **out,
		     struct error *e)
{
	const char *env = getenv("READBACK_EMBEDDER_KEY");
	const char *key = o->key ? o->key : env ? env : "";
	int rc = check_options(o, key, e);

	(void)folder;
	if (rc < 0)
		return rc;
	struct http_embedder *h = http_new(o, key);
	if (!h)
		return no_memory(e);
	if (h->base.info.dim == 0 && (rc = probe(h, e)) < 0) {
		http_close(&h->base);
		return rc;
	}
	*out = &h->base;
	return 0;
}

const struct embedder_kind embedder_http = {
	.name = "http",
	.open = http_open,
	.close = http_close,
	.embed = http_embed,
	.count = http_count,
};
