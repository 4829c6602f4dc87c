/* The embedder of whoever works with words alone: no vectors, and an estimate of tokens. */
#include <stdlib.h>

#include "embed/estimate.h"
#include "embed/kind.h"

static int none_open(const struct embedder_options *o, const char *folder, struct embedder **out,
		     struct error *e)
{
	struct embedder *m = malloc(sizeof(*m));

	(void)o, (void)folder;
	if (!m)
		return no_memory(e);
	*m = (struct embedder){
		.kind = &embedder_none,
		.info = { .id = "none", .weights = "", .precision = "" },
	};
	*out = m;
	return 0;
}

static void none_close(struct embedder *m)
{
	free(m);
}

static int none_embed(struct embedder *m, const struct text *texts, size_t n, float *out, struct error *e)
{
	(void)m, (void)texts, (void)n, (void)out;
	return error_set(e, ERR_NO_EMBEDDER, NULL,
			 "no model is installed, so there are no vectors: search by words");
}

static size_t none_count(const struct embedder *m, const char *s, size_t n)
{
	(void)m;
	return estimate_tokens(s, n, SIZE_MAX, NULL);
}

const struct embedder_kind embedder_none = {
	.name = "none",
	.open = none_open,
	.close = none_close,
	.embed = none_embed,
	.count = none_count,
};
