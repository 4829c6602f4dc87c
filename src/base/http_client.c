#include "base/http_client.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "base/strbuf.h"

struct http_client {
	CURL *curl;
};

/* The answer as it comes in. */
struct intake {
	struct strbuf text;
	size_t max;
	int too_large;
};

int http_client_new(struct http_client **out, struct error *e)
{
	struct http_client *c = malloc(sizeof(*c));

	if (!c)
		return no_memory(e);
	c->curl = curl_easy_init();
	if (!c->curl) {
		free(c);
		return error_set(e, ERR_REMOTE, NULL, "the HTTP client library does not start");
	}
	*out = c;
	return 0;
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	curl_easy_cleanup(c->curl);
	free(c);
}

/* A count other than that of the bytes given ends the transfer. */
static size_t take(char *p, size_t size, size_t n, void *arg)
{
	struct intake *in = arg;

	if (size * n > in->max - in->text.n) {
		in->too_large = 1;
		return 0;
	}
	strbuf_add(&in->text, p, size * n);
	return in->text.failed ? 0 : size * n;
}

/* NULL for none; *bad without memory. */
static struct curl_slist *header_list(const char *const *headers, int *bad)
{
	struct curl_slist *list = NULL;

	for (; headers && *headers; headers++) {
		struct curl_slist *longer = curl_slist_append(list, *headers);
		if (!longer) {
			curl_slist_free_all(list);
			*bad = 1;
			return NULL;
		}
		list = longer;
	}
	return list;
}

static void set_up(CURL *curl, const struct http_call *call, struct curl_slist *headers, struct intake *in)
{
	curl_easy_reset(curl); /* options only: connections stay */
	curl_easy_setopt(curl, CURLOPT_URL, call->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, in);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, call->timeout_ms);
	if (call->connect_ms)
		curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, call->connect_ms);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (call->body)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
}

static int finish(CURL *curl, CURLcode rc, struct intake *in, struct http_answer *out, struct error *e)
{
	struct http_answer answer = { 0 };
	curl_off_t retry_after = 0;
	long status = 0;

	if (in->too_large)
		return error_set(e, ERR_TOO_LARGE, NULL, "the answer is larger than %zu bytes", in->max);
	if (in->text.failed || rc == CURLE_OUT_OF_MEMORY)
		return no_memory(e);
	if (rc != CURLE_OK)
		return error_set(e, ERR_REMOTE, NULL, "%s", curl_easy_strerror(rc));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
	answer.status = (int)status;
	answer.retry_after = (long)retry_after;
	answer.body = strbuf_steal(&in->text, &answer.n);
	if (!answer.body)
		return no_memory(e);
	*out = answer;
	return 0;
}

int http_client_call(struct http_client *c, const struct http_call *call, struct http_answer *out,
		     struct error *e)
{
	struct intake in = { .text = STRBUF_INIT, .max = call->max_answer };
	int bad = 0;
	struct curl_slist *headers = header_list(call->headers, &bad);

	if (bad)
		return no_memory(e);
	set_up(c->curl, call, headers, &in);
	int rc = finish(c->curl, curl_easy_perform(c->curl), &in, out, e);
	curl_slist_free_all(headers);
	strbuf_release(&in.text);
	return rc;
}
