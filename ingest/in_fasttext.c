/*
 * fastText: "__label__refund_status where is my refund", a line an example.
 *
 * Of a dataset of ours the manifest tells what a label was before it became
 * one word; any other label is what stands there, with its underscores.
 */
#include <string.h>

#include "base/utf8.h"
#include "ingest/foreign.h"

#define PREFIX "__label__"
#define SPACES " \t\r\n\v\f" /* where fastText splits; NUL, the last, is no text for us */

static int is_space(char c)
{
	return c && strchr(SPACES, c);
}

/* The next word from *at on, which is moved behind it; n 0: there is none. */
static struct text next_word(struct text in, size_t *at)
{
	size_t begin = *at, end;

	while (begin < in.n && is_space(in.s[begin]))
		begin++;
	for (end = begin; end < in.n && !is_space(in.s[end]);)
		end++;
	*at = end;
	return (struct text){ in.s + begin, end - begin };
}

static int is_label(struct text word)
{
	return word.n > strlen(PREFIX) && memcmp(word.s, PREFIX, strlen(PREFIX)) == 0;
}

static int check_words(struct text in, size_t at, struct error *why)
{
	struct text word = next_word(in, &at);

	if (word.n == 0)
		return error_set(why, ERR_EMPTY_TEXT, "text", "text: there is none behind the label");
	for (; word.n; word = next_word(in, &at))
		if (is_label(word))
			return error_set(why, ERR_BAD_VALUE, "label",
					 "label: an example has one, here is a second " PREFIX);
	return 0;
}

static int line(struct arena *a, const json_t *labels, struct text in, json_t **out, struct error *why)
{
	size_t at = 0;
	struct text word = next_word(in, &at), label, text;
	int rc;

	if (word.n == 0)
		return 0;
	if (utf8_valid(in.s, in.n) != in.n || memchr(in.s, '\0', in.n))
		return error_set(why, ERR_BAD_UTF8, NULL, "invalid UTF-8 or a NUL in the line");
	if (!is_label(word))
		return error_set(why, ERR_MISSING_FIELD, "label",
				 "label: the line does not begin with " PREFIX " and a label");
	if ((rc = check_words(in, at, why)) < 0)
		return rc;
	label = (struct text){ word.s + strlen(PREFIX), word.n - strlen(PREFIX) };
	const json_t *known = labels ? json_object_getn(labels, label.s, label.n) : NULL;
	if (known)
		label = string_text(known);
	while (is_space(in.s[at]))
		at++;
	text = (struct text){ in.s + at, in.n - at };
	while (is_space(text.s[text.n - 1]))
		text.n--;
	return example_line(a, text, label, NULL, out, why);
}

const struct import_format in_fasttext = {
	.name = "fasttext",
	.what = IMPORT_EXAMPLES,
	.line = line,
};
