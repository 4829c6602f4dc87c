#include <stdlib.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "http/exchange.h"

/* Its answer is text already. */
static int search(struct exchange *x, const json_t *result, json_t **out)
{
	STRBUF_AUTO text = STRBUF_INIT;
	size_t n = 0;
	int rc = desk_search(x->api->desk, &x->call, x->body, &text);

	(void)result;
	*out = NULL;
	if (rc < 0)
		return rc;
	char *s = strbuf_steal(&text, &n);
	if (!s || arena_defer(x->arena, free, s) < 0) {
		free(s);
		return no_memory(x->err);
	}
	x->out->type = "application/json";
	x->out->body = s;
	x->out->n = n;
	return 0;
}

static int predict(struct exchange *x, const json_t *result, json_t **out)
{
	(void)result;
	return predict_show(x->api->desk, &x->call, x->body, out);
}

const struct route routes_search[] = {
	{ "POST", "/v1/search", SCOPE_BOT | SCOPE_AGENT | SCOPE_CURATOR, BODY_JSON, BODY_SMALL, 200, NULL,
	  search },
	{ "POST", "/v1/predict", SCOPE_BOT | SCOPE_AGENT | SCOPE_CURATOR, BODY_JSON, BODY_SMALL, 200, NULL,
	  predict },
	{ 0 },
};
