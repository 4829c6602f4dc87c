#include "embed/estimate.h"

#include "base/utf8.h"
#include "text/fold.h"

/* Longer words are seldom in a vocabulary as a whole. */
#define LETTERS_A_TOKEN 9

size_t estimate_tokens(const char *s, size_t n, size_t max, size_t *bytes)
{
	size_t i = 0, tokens = 0, letters = 0;
	uint32_t c;

	while (i < n) {
		size_t more = 0, length = utf8_next(s + i, n - i, &c);
		if ((fold_is_letter(c) || fold_is_digit(c)) && !fold_is_ideograph(c)) {
			more = letters++ % LETTERS_A_TOKEN == 0;
		} else if (!fold_is_mark(c)) {
			letters = 0;
			more = !fold_is_space(c) && !fold_is_control(c);
		}
		if (tokens + more > max)
			break;
		tokens += more;
		i += length;
	}
	if (bytes)
		*bytes = i;
	return tokens;
}
