#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/http_client.h"
#include "base/strbuf.h"
#include "cmd.h"

#define TIMEOUT_MS 120000L
#define MAX_ANSWER ((size_t)256 << 20)

struct client {
	struct http_client *http; /* NULL: in process */
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
		rc = http_client_new(&c->http, e);
	} else {
		struct workplace_options w = {
			.data = o->data, .embedder = o->embedder, .read_only = !o->writes, .no_background = 1
		};
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
	if (c->http)
		http_client_free(c->http);
	else
		workplace_close(&c->place);
	free(c);
}

static int call_url(struct client *c, const char *method, const char *target, const char *body, int *status,
		    char **out, struct error *e)
{
	STRBUF_AUTO url = STRBUF_INIT, auth = STRBUF_INIT;
	const char *headers[] = { "Content-Type: application/json", NULL, NULL };
	size_t base = strlen(c->url);
	struct http_answer answer;
	struct error why = { 0 };

	while (base > 0 && c->url[base - 1] == '/')
		base--;
	strbuf_printf(&url, "%.*s%s", (int)base, c->url, target);
	if (c->key) {
		strbuf_printf(&auth, "Authorization: Bearer %s", c->key);
		headers[1] = auth.p;
	}
	if (url.failed || auth.failed)
		return no_memory(e);
	struct http_call call = { .method = method,
				  .url = url.p,
				  .headers = headers,
				  .body = body,
				  .timeout_ms = TIMEOUT_MS,
				  .max_answer = MAX_ANSWER };
	int rc = http_client_call(c->http, &call, &answer, &why);
	if (rc < 0)
		return error_set(e, rc, NULL, "%s: %s", c->url, why.message);
	*status = answer.status;
	*out = answer.body;
	return 0;
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
	int rc = c->http ? call_url(c, method, target, text, status, out, e)
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

int client_list(struct client *c, const char *path, json_t *all, struct error *e)
{
	STRBUF_AUTO target = STRBUF_INIT;

	strbuf_printf(&target, "%s?limit=200", path);
	for (;;) {
		JSON_AUTO *page = NULL;
		int rc = target.failed ? no_memory(e) : client_json(c, "GET", target.p, NULL, &page, e);
		if (rc < 0)
			return rc;
		json_array_extend(all, json_object_get(page, "data"));
		const char *last = json_string_value(json_object_get(page, "last_id"));
		if (!json_is_true(json_object_get(page, "has_more")) || !last)
			return 0;
		char *after = path_segment(last);
		strbuf_clear(&target);
		strbuf_printf(&target, "%s?limit=200&after=%s", path, after ? after : "");
		free(after);
	}
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
