#include "text/bag.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "text/analyser.h"

/* Equal stems of one text are one string, so that most of them meet as pointers. */
static int by_bytes(const void *a, const void *b)
{
	const struct bag_term *x = a, *y = b;

	if (x->s == y->s)
		return 0;
	size_t n = x->n < y->n ? x->n : y->n;
	int order = memcmp(x->s, y->s, n);
	return order ? order : (x->n > y->n) - (x->n < y->n);
}

static void add_tokens(struct bag_term *to, const struct token *tokens, long n, uint32_t tf)
{
	for (long i = 0; i < n; i++)
		to[i] = (struct bag_term){ tokens[i].stem, strlen(tokens[i].stem), tf };
}

int bag_of_texts(struct arena *a, struct text title, struct text text, struct bag *out)
{
	const struct token *of_title = NULL, *of_text = NULL;
	long n_title = title.n ? analyse_text(a, title.s, title.n, &of_title) : 0;
	long n_text = text.n ? analyse_text(a, text.s, text.n, &of_text) : 0;
	size_t n = 0;

	if (n_title < 0 || n_text < 0)
		return -1;
	size_t all = (size_t)(n_title + n_text);
	struct bag_term *terms = arena_alloc(a, (all + 1) * sizeof(*terms));
	if (!terms)
		return -1;
	add_tokens(terms, of_title, n_title, BAG_TITLE_WEIGHT);
	add_tokens(terms + n_title, of_text, n_text, 1);
	qsort(terms, all, sizeof(*terms), by_bytes);
	for (size_t i = 0; i < all; i++) {
		if (n && by_bytes(&terms[n - 1], &terms[i]) == 0)
			terms[n - 1].tf += terms[i].tf;
		else
			terms[n++] = terms[i];
	}
	*out = (struct bag){ terms, n, (uint32_t)n_title * BAG_TITLE_WEIGHT + (uint32_t)n_text };
	return 0;
}
