#include <stdlib.h>
#include <string.h>

#include "datasets/dataset_jobs.h"
#include "http/exchange.h"

/* Bytes of the document's text, in whichever form it comes. */
static size_t text_length(const json_t *body)
{
	static const char *const fields[] = { "text", "markdown", "html" };
	size_t longest = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		size_t n = json_string_length(json_object_get(body, fields[i]));
		longest = n > longest ? n : longest;
	}
	return longest;
}

static int no_jobs(struct exchange *x)
{
	return error_set(x->err, ERR_NOT_READY, NULL, "no jobs run here");
}

/* A long document is a batch of one line: the answer names its job. */
static int put_as_job(struct exchange *x, json_t **result)
{
	if (!x->api->jobs)
		return no_jobs(x);
	if (json_object_get(x->body, "_id"))
		return error_set(x->err, ERR_UNKNOWN_FIELD, "_id", "the id is in the path");
	json_object_set_new(x->body, "_id", json_string(x->params[0]));
	size_t n;
	char *line = json_unpack_all(x->body) == 0 ? json_text(x->body, &n) : NULL;
	if (!line)
		return no_memory(x->err);
	int rc = job_documents_act(x->api->jobs, &x->call, line, n, result);
	free(line);
	return rc;
}

static int put(struct exchange *x, json_t **result)
{
	size_t n = text_length(x->body);

	if (n > DOCUMENT_MAX_TEXT)
		return error_set(x->err, ERR_TOO_LARGE, "text", "the text is longer than %u bytes",
				 DOCUMENT_MAX_TEXT);
	if (n > DOCUMENT_SYNC_TEXT)
		return put_as_job(x, result);
	return document_act(x->api->desk, &x->call, x->params[0], x->body, result);
}

static int was_put(struct exchange *x, const json_t *result, json_t **out)
{
	if (json_object_get(result, "job"))
		return job_show(x->api->desk, &x->call, result, out);
	return document_show(x->api->desk, &x->call, result, out);
}

static int one(struct exchange *x, const json_t *result, json_t **out)
{
	int rc = exchange_query_known(x, "");

	(void)result;
	return rc < 0 ? rc : document_get(x->api->desk, &x->call, x->params[0], out);
}

static int list(struct exchange *x, const json_t *result, json_t **out)
{
	size_t limit;
	int rc = exchange_query_known(x, "source|after|limit");

	(void)result;
	if (rc == 0)
		rc = exchange_limit(x, 20, 200, &limit);
	if (rc < 0)
		return rc;
	return document_list(x->api->desk, &x->call, exchange_query(x, "source"), exchange_query(x, "after"),
			     limit, out);
}

static int delete_one(struct exchange *x, json_t **result)
{
	return document_delete_act(x->api->desk, &x->call, x->params[0], result);
}

static int was_deleted(struct exchange *x, const json_t *result, json_t **out)
{
	(void)x;
	*out = json_pack("{s:O, s:b}", "id", json_object_get(result, "id"), "deleted", 1);
	return *out ? 0 : no_memory(x->err);
}

static int batch(struct exchange *x, json_t **result)
{
	if (!x->api->jobs)
		return no_jobs(x);
	return job_documents_act(x->api->jobs, &x->call, x->in->body, x->in->n_body, result);
}

static int show_job(struct exchange *x, const json_t *result, json_t **out)
{
	return job_show(x->api->desk, &x->call, result, out);
}

static int job(struct exchange *x, const json_t *result, json_t **out)
{
	JSON_AUTO *named = json_pack("{s:s}", "job", x->params[0]);
	int rc = exchange_query_known(x, "");

	(void)result;
	if (rc < 0)
		return rc;
	if (dataset_is_id(x->params[0]) && x->api->datasets)
		return dataset_job_show(x->api->datasets, &x->call, named, out);
	return job_show(x->api->desk, &x->call, named, out);
}

static int sources(struct exchange *x, const json_t *result, json_t **out)
{
	int rc = exchange_query_known(x, "");

	(void)result;
	return rc < 0 ? rc : source_list(x->api->desk, &x->call, out);
}

#define READERS (SCOPE_BOT | SCOPE_AGENT | SCOPE_CURATOR)

const struct route routes_documents[] = {
	{ "POST", "/v1/documents/batch", SCOPE_CURATOR, BODY_NDJSON, BODY_BATCH, 202, batch, show_job },
	{ "PUT", "/v1/documents/{id}", SCOPE_CURATOR, BODY_JSON, BODY_DOCUMENT, 200, put, was_put },
	{ "GET", "/v1/documents/{id}", READERS, BODY_NONE, 0, 200, NULL, one },
	{ "DELETE", "/v1/documents/{id}", SCOPE_CURATOR, BODY_NONE, 0, 200, delete_one, was_deleted },
	{ "GET", "/v1/documents", READERS, BODY_NONE, 0, 200, NULL, list },
	{ "GET", "/v1/sources", READERS, BODY_NONE, 0, 200, NULL, sources },
	{ "GET", "/v1/jobs/{id}", SCOPE_CURATOR | SCOPE_EXPORT, BODY_NONE, 0, 200, NULL, job },
	{ 0 },
};
