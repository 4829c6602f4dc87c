/*
 * The embedder of whoever works with words alone: no vectors, and a count of
 * tokens that is near the one of a BERT tokenizer (about 1.2 tokens a word in
 * English prose), so that texts are cut to passages of much the same length.
 */
#include <stdlib.h>

#include "base/utf8.h"
#include "embed/kind.h"
#include "text/fold.h"

/* Longer words are seldom in a vocabulary as a whole. */
#define LETTERS_A_TOKEN 9

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
	size_t tokens = 0, letters = 0;
	uint32_t c;

	(void)m;
	for (size_t i = 0; i < n;) {
		i += utf8_next(s + i, n - i, &c);
		if ((fold_is_letter(c) || fold_is_digit(c)) && !fold_is_ideograph(c)) {
			tokens += letters++ % LETTERS_A_TOKEN == 0;
		} else if (!fold_is_mark(c)) {
			letters = 0;
			tokens += !fold_is_space(c) && !fold_is_control(c);
		}
	}
	return tokens;
}

const struct embedder_kind embedder_none = {
	.name = "none",
	.open = none_open,
	.close = none_close,
	.embed = none_embed,
	.count = none_count,
};
