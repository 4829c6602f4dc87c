#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "cmd.h"

#define TIMEOUT_SECONDS 120L

struct client {
	CURL *curl; /* NULL: in process */
	const char *url, *key;
	struct workplace place;
};

int client_open(const struct client_options *o, struct client **out, struct error *e)
{
	struct client *c = calloc(1, sizeof(*c));
	int rc = 0;

	if (!c)
		return no_memory(e);
	if (o->url) {
		c->url = o->url;
		c->key = o->key;
		c->curl = curl_easy_init();
		if (!c->curl)
			rc = error_set(e, ERR_REMOTE, NULL, "the HTTP client library does not start");
	} else {
		struct workplace_options w = { .data = o->data, .read_only = !o->writes, .no_background = 1 };
		rc = workplace_open(&w, &c->place, e);
	}
	if (rc < 0) {
		free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	if (c->curl)
		curl_easy_cleanup(c->curl);
	else
		workplace_close(&c->place);
	free(c);
}

static size_t take(char *p, size_t size, size_t n, void *arg)
{
	strbuf_add(arg, p, size * n);
	return size * n;
}

static struct curl_slist *request_headers(const struct client *c)
{
	STRBUF_AUTO auth = STRBUF_INIT;
	struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");

	if (c->key) {
		strbuf_printf(&auth, "Authorization: Bearer %s", c->key);
		list = curl_slist_append(list, auth.p);
	}
	return list;
}

static int call_url(struct client *c, const char *method, const char *target, const char *body, int *status,
		    char **out, struct error *e)
{
	STRBUF_AUTO url = STRBUF_INIT, answer = STRBUF_INIT;
	struct curl_slist *headers = request_headers(c);
	size_t base = strlen(c->url);
	long code = 0;

	while (base > 0 && c->url[base - 1] == '/')
		base--;
	strbuf_printf(&url, "%.*s%s", (int)base, c->url, target);
	curl_easy_reset(c->curl);
	curl_easy_setopt(c->curl, CURLOPT_URL, url.p);
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &answer);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, TIMEOUT_SECONDS);
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	if (body)
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body);
	CURLcode rc = curl_easy_perform(c->curl);
	curl_slist_free_all(headers);
	if (rc != CURLE_OK)
		return error_set(e, ERR_REMOTE, NULL, "%s: %s", c->url, curl_easy_strerror(rc));
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &code);
	*status = (int)code;
	*out = strbuf_steal(&answer, NULL);
	return *out ? 0 : no_memory(e);
}

static int call_here(struct client *c, const char *method, const char *target, const char *body, int *status,
		     char **out, struct error *e)
{
	struct arena *a = arena_new(64 << 10);
	struct request in = { .method = method, .target = target, .rights = &cli_rights };
	struct response answer;
	STRBUF_AUTO text = STRBUF_INIT;

	if (!a)
		return no_memory(e);
	in.body = body ? body : "";
	in.n_body = strlen(in.body);
	api_handle(&c->place.api, &in, a, &answer);
	strbuf_add(&text, answer.body, answer.n);
	*status = answer.status;
	arena_free(a);
	*out = strbuf_steal(&text, NULL);
	return *out ? 0 : no_memory(e);
}

int client_call(struct client *c, const char *method, const char *target, const json_t *body, int *status,
		char **out, struct error *e)
{
	char *text = body ? json_text(body, NULL) : NULL;
	int rc = c->curl ? call_url(c, method, target, text, status, out, e)
			 : call_here(c, method, target, text, status, out, e);

	free(text);
	return rc;
}

int client_json(struct client *c, const char *method, const char *target, const json_t *body, json_t **out,
		struct error *e)
{
	char *text = NULL;
	json_t *answer = NULL;
	int status = 0;
	int rc = client_call(c, method, target, body, &status, &text, e);

	if (rc == 0 && text)
		rc = json_parse(text, strlen(text), e, &answer);
	free(text);
	if (rc < 0)
		return rc;
	if (status >= 400) {
		const json_t *error = json_object_get(answer, "error");
		const char *message = json_string_value(json_object_get(error, "message"));
		rc = error_set(e, ERR_REMOTE, json_string_value(json_object_get(error, "param")), "%s",
			       message ? message : "the server answered with an error");
		json_decref(answer);
		return rc;
	}
	*out = answer;
	return 0;
}

char *path_segment(const char *s)
{
	STRBUF_AUTO b = STRBUF_INIT;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("-_.~", c))
			strbuf_putc(&b, (char)c);
		else
			strbuf_printf(&b, "%%%02X", c);
	}
	return strbuf_steal(&b, NULL);
}
