/*
 * eval.c: comparisons of two systems on a frozen dataset (`readback eval
 * compare`), kept, so that whoever retrains sees what was gained before. Each is
 * a stream of its own and never changes. What follows from the other figures
 * (type, n, difference) is not read but computed: nothing can contradict itself.
 */
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "desk/bodies.h"

#define METRICS "ndcg@10|recall@1|recall@5|recall@10|mrr@10|map|accuracy"
#define MAX_NAME 255 /* bytes */
#define MAX_COUNT 1000000000
#define MAX_SAMPLES 1000000
#define MAX_SEED 9007199254740991 /* what every JSON parser keeps */

/* --- reading ---------------------------------------------------------------------------------------------- */

/* It is printed on terminals. */
static void read_name(struct reader *r, enum presence p, struct text *out)
{
	reader_string(r, "name", p, MAX_NAME, out);
	for (size_t i = 0; out->s && i < out->n; i++)
		if ((unsigned char)out->s[i] < 0x20 || out->s[i] == 0x7f)
			reader_fail(r, ERR_BAD_VALUE, "name", "must not have control characters");
}

static void read_sha256(struct reader *r)
{
	unsigned char hash[SHA256_SIZE];
	struct text t = { 0 };

	reader_text(r, "sha256", REQUIRED, SHA256_TEXT - 1, &t);
	if (t.s && (t.n != SHA256_TEXT - 1 || strncmp(t.s, "sha256:", 7) != 0 ||
		    strspn(t.s + 7, "0123456789abcdef") != t.n - 7 ||
		    hex_decode(t.s + 7, t.n - 7, hash, sizeof(hash)) < 0))
		reader_fail(r, ERR_BAD_VALUE, "sha256", "must be sha256: and 64 hexadecimal digits");
}

/* 95 %: [from, to]. */
static void read_interval(struct reader *r, double lo, double hi)
{
	json_t *list = NULL;
	double at[2] = { 0 };

	reader_array(r, "interval", REQUIRED, 2, &list);
	if (!list)
		return;
	for (size_t i = 0; i < 2; i++) {
		const json_t *v = json_array_get(list, i);
		at[i] = json_number_value(v);
		if (!json_is_number(v))
			reader_fail(r, v ? ERR_WRONG_TYPE : ERR_BAD_VALUE, "interval", "must be two numbers");
		else if (!(at[i] >= lo && at[i] <= hi))
			reader_fail(r, ERR_BAD_VALUE, "interval", "must be from %g to %g", lo, hi);
	}
	if (at[0] > at[1])
		reader_fail(r, ERR_BAD_VALUE, "interval", "must begin with the lower end");
}

static int64_t read_count(struct reader *r, const char *name)
{
	int64_t n = 0;

	reader_int(r, name, REQUIRED, 0, MAX_COUNT, &n);
	return n;
}

/* The file of one of the systems: *value is its figure. */
static int read_side(json_t *side, const char *path, double *value, struct error *e)
{
	struct text name = { 0 };
	struct reader r;

	reader_init(&r, side, path, e);
	read_name(&r, REQUIRED, &name);
	read_sha256(&r);
	reader_number(&r, "value", REQUIRED, 0, 1, value);
	read_interval(&r, 0, 1);
	read_count(&r, "missing");
	read_count(&r, "unknown");
	return reader_done(&r);
}

static int read_dataset(json_t *dataset, struct error *e)
{
	struct text name = { 0 };
	struct reader r;

	reader_init(&r, dataset, "dataset", e);
	read_name(&r, REQUIRED, &name);
	read_sha256(&r);
	return reader_done(&r);
}

struct figures {
	struct text metric;
	double a, b;
	int64_t n;
};

static int read_body(json_t *body, struct figures *f, struct error *e)
{
	json_t *a = NULL, *b = NULL, *dataset = NULL;
	struct text name = { 0 };
	int64_t seed = 0, samples = 0;
	double p = 0;
	struct reader r;

	reader_init(&r, body, NULL, e);
	read_name(&r, OPTIONAL, &name);
	reader_word(&r, "metric", REQUIRED, METRICS, &f->metric);
	reader_object(&r, "dataset", REQUIRED, &dataset);
	reader_object(&r, "a", REQUIRED, &a);
	reader_object(&r, "b", REQUIRED, &b);
	read_interval(&r, -1, 1);
	reader_number(&r, "p", REQUIRED, 0, 1, &p);
	f->n = read_count(&r, "wins") + read_count(&r, "ties") + read_count(&r, "losses");
	reader_int(&r, "samples", REQUIRED, 1, MAX_SAMPLES, &samples);
	reader_int(&r, "seed", REQUIRED, 0, MAX_SEED, &seed);
	if (f->n == 0)
		reader_fail(&r, ERR_BAD_VALUE, "ties", "wins, ties and losses must not be 0 all three");
	int rc = reader_done(&r);
	if (rc == 0)
		rc = read_dataset(dataset, e);
	if (rc == 0)
		rc = read_side(a, "a", &f->a, e);
	return rc < 0 ? rc : read_side(b, "b", &f->b, e);
}

/* --- keeping ---------------------------------------------------------------------------------------------- */

static json_t *eval_body(const struct call *c, const json_t *told, const struct figures *f)
{
	json_t *body = body_copy(c->arena, told);

	if (!body || body_set(body, "type", text_is(f->metric, "accuracy") ? "intent" : "retrieval") < 0 ||
	    body_set_int(body, "n", f->n) < 0 || body_set_number(body, "difference", f->b - f->a) < 0 ||
	    body_set(body, "principal", c->rights->key) < 0 || body_set(body, "agent", c->rights->agent) < 0)
		return NULL;
	if (json_is_null(json_object_get(body, "name")))
		json_object_del(body, "name");
	return body;
}

int eval_act(struct desk *d, const struct call *c, json_t *body, json_t **result)
{
	struct changes cs = CHANGES_INIT(c->arena);
	struct figures f = { 0 };
	struct commit done;
	int rc = read_body(body, &f, c->err);

	if (rc < 0)
		return rc;
	const char *id = id_make(c->arena, "ev_");
	JSON_AUTO *res = id ? json_pack("{s:s}", "eval", id) : NULL;
	if (!res)
		return no_memory(c->err);
	changes_put(&cs, RECORD_EVAL, id, NULL, eval_body(c, body, &f));
	struct event ev = {
		.stream = stream_of(c->arena, "eval", id), .kind = "eval.kept", .changes = cs.list, .n = cs.n
	};
	if (!ev.stream || changes_done(&cs, NULL) < 0)
		return no_memory(c->err);
	if ((rc = call_commit(c, d->engine, &ev, 201, res, &done)) == 0)
		*result = json_incref(res);
	return rc;
}

/* --- showing ---------------------------------------------------------------------------------------------- */

static json_t *eval_json(const struct record *r)
{
	json_t *j = json_pack("{s:s}", "id", r->id);

	if (!j || json_object_update(j, r->body) < 0 || body_set_time(j, "at", r->created_at) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static int find(struct desk *d, const struct call *c, const char *id, const char *param, struct record *out)
{
	int rc = engine_find(d->engine, RECORD_EVAL, id, c->arena, out, c->err);

	if (rc == 0)
		return error_set(c->err, ERR_NOT_FOUND, param, "there is no such eval");
	return rc < 0 ? rc : 0;
}

int eval_get(struct desk *d, const struct call *c, const char *id, json_t **out)
{
	struct record r;
	int rc = find(d, c, id, NULL, &r);

	if (rc < 0)
		return rc;
	*out = eval_json(&r);
	return *out ? 0 : no_memory(c->err);
}

int eval_show(struct desk *d, const struct call *c, const json_t *result, json_t **out)
{
	return eval_get(d, c, body_string(result, "eval"), out);
}

int eval_list(struct desk *d, const struct call *c, struct text after, size_t limit, json_t **out)
{
	struct scan s = { .kind = RECORD_EVAL, .limit = limit + 1, .newest_first = 1 };
	JSON_AUTO *data = json_array();
	struct record *all, last;
	size_t n;
	int rc = data ? 0 : no_memory(c->err);

	if (rc == 0 && after.s) {
		const char *id = text_copy(c->arena, after);
		rc = id ? find(d, c, id, "after", &last) : no_memory(c->err);
		if (rc < 0)
			return rc;
		s.after = last.created;
		s.after_id = last.id;
	}
	if (rc < 0 || (rc = engine_scan(d->engine, &s, c->arena, &all, &n, c->err)) < 0)
		return rc;
	size_t shown = n > limit ? limit : n;
	for (size_t i = 0; i < shown; i++)
		if (json_array_append_new(data, eval_json(&all[i])) < 0)
			return no_memory(c->err);
	*out = json_pack("{s:s, s:O, s:b, s:s?}", "object", "list", "data", data, "has_more", n > limit,
			 "last_id", shown ? all[shown - 1].id : NULL);
	return *out ? 0 : no_memory(c->err);
}
