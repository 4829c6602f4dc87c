#include "desk/situation.h"

#include <string.h>

#include "desk/package.h"
#include "desk/predict.h"
#include "embed/embed.h"
#include "text/analyser.h"

#define SAME_COSINE .9f
#define SAME_WORDS .6 /* Jaccard, of texts of at least three words */

/* The last customer turn says an earlier one again, by meaning or by words. 1, 0, or -1 without memory. */
static int repeats_himself(struct arena *a, const struct conversation *v, size_t dim)
{
	const struct turn *last = conversation_last(v, "customer");
	const struct term *now = NULL, *then = NULL;

	long n = last ? analyse_query(a, last->text.s, last->text.n, 64, &now) : 0;
	if (n < 3)
		return n < 0 ? -1 : 0;
	for (const struct turn *t = v->turns; t && t < last; t++) {
		if (!turn_is(t, "customer"))
			continue;
		float cosine = 0;
		for (size_t i = 0; t->vector && last->vector && i < dim; i++)
			cosine += t->vector[i] * last->vector[i];
		long m = analyse_query(a, t->text.s, t->text.n, 64, &then);
		if (m < 0)
			return -1;
		long shared = 0;
		for (long i = 0; i < n; i++)
			for (long j = 0; j < m; j++)
				shared += strcmp(now[i].stem, then[j].stem) == 0;
		if (m >= 3 &&
		    (cosine >= SAME_COSINE || (double)shared / (double)(n + m - shared) >= SAME_WORDS))
			return 1;
	}
	return 0;
}

/* The last two bot turns say the same. */
static int bot_repeated(const struct conversation *v)
{
	const struct turn *last = conversation_last(v, "bot");

	for (const struct turn *t = last; t && t-- > v->turns;)
		if (turn_is(t, "bot"))
			return t->text.n == last->text.n && memcmp(t->text.s, last->text.s, t->text.n) == 0;
	return 0;
}

int situation_read(const struct desk *d, struct arena *a, const struct conversation *v, int earlier_handoffs,
		   struct situation *out)
{
	const struct turn *last = conversation_last(v, "customer");
	struct situation s = {
		.sentiment = predict_sentiment(a, v),
		.customer_turns = conversation_count(v, "customer"),
		.bot_turns = conversation_count(v, "bot"),
		.asks_for_human = last && asks_for_human(a, last->text.s, last->text.n),
		.repeats_himself = repeats_himself(a, v, d->embedder ? embedder_info(d->embedder)->dim : 0),
		.bot_repeated = bot_repeated(v),
		.earlier_handoffs = earlier_handoffs,
		.promises_open = infer_promise_open(a, v),
	};

	if (s.repeats_himself < 0 || s.promises_open < 0)
		return -1;
	*out = s;
	return 0;
}
