#include "datasets/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dice.h"

#define FINENESS 1000000 /* of a probability */

/* What is chosen by chance: each has numbers of its own, so that one choice more leaves the others as they were. */
enum choice { BY_ORDER, BY_LATE, BY_HALF, BY_OTHERS, BY_PLACE, BY_WRONG };

static struct dice dice_of(const struct stream *s, enum choice what)
{
	return (struct dice){ s->seed + ((uint64_t)what << 32) };
}

size_t stream_mixed(const struct stream *s, double share)
{
	size_t rest = s->n > s->history ? s->n - s->history : 0;
	size_t wanted = (size_t)llround((double)rest * share / (1 - share));

	return wanted < s->n_others ? wanted : s->n_others;
}

static void count_up(size_t *v, size_t n, size_t from)
{
	for (size_t i = 0; i < n; i++)
		v[i] = from + i;
}

/* Both lists in their order, as evenly mixed as chance has it. */
static void mix(struct dice *d, const size_t *a, size_t n_a, const size_t *b, size_t n_b, size_t *out)
{
	while (n_a + n_b > 0) {
		int from_a = dice_below(d, n_a + n_b) < n_a;
		*out++ = from_a ? *a++ : *b++;
		if (from_a)
			n_a--;
		else
			n_b--;
	}
}

/* A third of the labels. `list` has room for all. */
static void choose_late(const struct stream *s, size_t *list, unsigned char *late)
{
	struct dice d = dice_of(s, BY_LATE);

	count_up(list, s->n_labels, 0);
	dice_shuffle(&d, list, s->n_labels);
	for (size_t i = 0; i < s->n_labels / 3; i++)
		late[list[i]] = 1;
}

static int is_late(const struct stream *s, size_t row, const unsigned char *late)
{
	return s->labels[row] >= 0 && late[s->labels[row]];
}

/* Puts the rows of late labels behind the half; the others keep their order. */
static int hold_back(const struct stream *s, size_t *rows, unsigned char *late)
{
	struct dice d = dice_of(s, BY_HALF);
	size_t room = s->n > s->n_labels ? s->n : s->n_labels, n_early = 0, n_late = 0;
	size_t *early = calloc(room + 1, sizeof(*early)), *held = calloc(s->n + 1, sizeof(*held));
	int rc = -1;

	if (early && held) {
		choose_late(s, early, late);
		for (size_t i = 0; i < s->n; i++) {
			if (is_late(s, rows[i], late))
				held[n_late++] = rows[i];
			else
				early[n_early++] = rows[i];
		}
		size_t half = s->n / 2 < n_early ? s->n / 2 : n_early;
		memcpy(rows, early, half * sizeof(*rows));
		mix(&d, early + half, n_early - half, held, n_late, rows + half);
		rc = 0;
	}
	free(early);
	free(held);
	return rc;
}

int stream_order(const struct stream *s, size_t *out, unsigned char *late)
{
	struct dice order = dice_of(s, BY_ORDER), others = dice_of(s, BY_OTHERS),
		    place = dice_of(s, BY_PLACE);
	size_t *rows = calloc(s->n + 1, sizeof(*rows));
	size_t *outside = calloc(s->n_others + 1, sizeof(*outside));
	int rc = rows && outside ? 0 : -1;

	memset(late, 0, s->n_labels);
	if (rc == 0) {
		count_up(rows, s->n, 0);
		if (s->shuffle)
			dice_shuffle(&order, rows, s->n);
		if (s->drift)
			rc = hold_back(s, rows, late);
	}
	if (rc == 0) {
		count_up(outside, s->n_others, s->n);
		dice_shuffle(&others, outside, s->n_others);
		memcpy(out, rows, s->history * sizeof(*out));
		mix(&place, rows + s->history, s->n - s->history, outside, s->mixed, out + s->history);
	}
	free(rows);
	free(outside);
	return rc;
}

size_t stream_labels(const struct stream *s, int *told)
{
	struct dice d = dice_of(s, BY_WRONG);
	size_t wrong = 0;

	for (size_t i = 0; i < s->n; i++) {
		told[i] = s->labels[i];
		if (told[i] < 0 || s->n_labels < 2 ||
		    !((double)dice_below(&d, FINENESS) < s->wrong * FINENESS))
			continue;
		/* Any but the right one. */
		int other = (int)dice_below(&d, s->n_labels - 1);
		told[i] = other + (other >= told[i]);
		wrong++;
	}
	return wrong;
}
