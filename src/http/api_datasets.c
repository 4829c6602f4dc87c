#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "datasets/dataset_jobs.h"
#include "http/exchange.h"

static int no_datasets(struct exchange *x)
{
	return error_set(x->err, ERR_NOT_READY, NULL, "no datasets are made here");
}

static int ask(struct exchange *x, json_t **result)
{
	return x->api->datasets ? dataset_act(x->api->datasets, &x->call, x->body, result) : no_datasets(x);
}

static int asked(struct exchange *x, const json_t *result, json_t **out)
{
	return x->api->datasets ? dataset_job_show(x->api->datasets, &x->call, result, out) : no_datasets(x);
}

static int list(struct exchange *x, const json_t *result, json_t **out)
{
	size_t limit;
	int rc = exchange_query_known(x, "state|after|limit");

	(void)result;
	if (rc == 0)
		rc = exchange_limit(x, 20, 200, &limit);
	if (rc < 0)
		return rc;
	if (!x->api->datasets)
		return no_datasets(x);
	return dataset_list(x->api->datasets, &x->call, exchange_query(x, "state"),
			    exchange_query(x, "after"), limit, out);
}

static int one(struct exchange *x, const json_t *result, json_t **out)
{
	int rc = exchange_query_known(x, "");

	(void)result;
	if (rc < 0)
		return rc;
	return x->api->datasets ? dataset_get(x->api->datasets, &x->call, x->params[0], out) : no_datasets(x);
}

static const char *type_of(const char *name)
{
	static const char *const types[][2] = {
		{ ".jsonl", "application/x-ndjson" },    { ".json", "application/json" },
		{ ".tsv", "text/tab-separated-values" }, { ".csv", "text/csv" },
		{ ".txt", "text/plain; charset=utf-8" }, { ".md", "text/markdown; charset=utf-8" },
		{ ".yml", "application/yaml" },          { ".zip", "application/zip" },
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i][0], dot) == 0)
			return types[i][1];
	return "application/octet-stream";
}

static void add_header(struct exchange *x, const char *name, const char *value)
{
	x->out->headers[x->out->n_headers++] = (struct header){ name, value };
}

/* The bytes that are asked for; RFC 9110, 14: what is no range of ours is the whole. */
static int choose_bytes(struct exchange *x, const char *tag, uint64_t size, struct response_file *f)
{
	const char *range = request_header(x->in, "Range"), *only_if = request_header(x->in, "If-Range");

	f->at = 0;
	f->n = size;
	x->out->status = 200;
	if (!range || (only_if && strcmp(only_if, tag) != 0))
		return 0;
	int rc = range_read(range, size, &f->at, &f->n);
	if (rc == 0)
		return 0;
	const char *told = rc > 0 ? arena_printf(x->arena, "bytes %llu-%llu/%llu", (unsigned long long)f->at,
						 (unsigned long long)(f->at + f->n - 1),
						 (unsigned long long)size)
				  : arena_printf(x->arena, "bytes */%llu", (unsigned long long)size);
	if (!told)
		return no_memory(x->err);
	add_header(x, "Content-Range", told);
	if (rc < 0)
		return error_set(x->err, ERR_RANGE, "Range", "the file has %llu bytes",
				 (unsigned long long)size);
	x->out->status = 206;
	return 0;
}

static int serve(struct exchange *x, const struct dataset_file *file)
{
	struct response_file *f = arena_alloc(x->arena, sizeof(*f));
	const char *tag = arena_printf(x->arena, "\"%s\"", file->sha256);

	if (!f || !tag)
		return no_memory(x->err);
	add_header(x, "Accept-Ranges", "bytes");
	add_header(x, "ETag", tag);
	x->out->type = type_of(x->params[1]);
	if (etag_is_among(request_header(x->in, "If-None-Match"), tag)) {
		x->out->status = 304;
		x->out->body = "";
		close(file->fd);
		return 0;
	}
	int rc = choose_bytes(x, tag, file->bytes, f);
	if (rc < 0)
		return rc;
	f->fd = file->fd;
	x->out->body = "";
	x->out->file = f;
	return 0;
}

static int file(struct exchange *x, const json_t *result, json_t **out)
{
	struct dataset_file f;
	int rc = exchange_query_known(x, "");

	(void)result;
	(void)out;
	if (rc < 0)
		return rc;
	if (!x->api->datasets)
		return no_datasets(x);
	rc = dataset_file_open(x->api->datasets, &x->call, x->params[0], x->params[1], &f);
	if (rc == 0 && (rc = serve(x, &f)) < 0)
		close(f.fd);
	return rc;
}

const struct route routes_datasets[] = {
	{ "POST", "/v1/datasets", SCOPE_EXPORT, BODY_JSON, BODY_SMALL, 202, ask, asked },
	{ "GET", "/v1/datasets", SCOPE_EXPORT, BODY_NONE, 0, 200, NULL, list },
	{ "GET", "/v1/datasets/{id}", SCOPE_EXPORT, BODY_NONE, 0, 200, NULL, one },
	{ "GET", "/v1/datasets/{id}/files/{name}", SCOPE_EXPORT, BODY_NONE, 0, 200, NULL, file },
	{ 0 },
};
