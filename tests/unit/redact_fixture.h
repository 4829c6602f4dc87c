/* redact_fixture.h: a redactor, and what it makes of a text with its tokens numbered. */
#ifndef READBACK_TESTS_REDACT_FIXTURE_H
#define READBACK_TESTS_REDACT_FIXTURE_H

#include "unit.h"

#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/strbuf.h"
#include "datasets/redact.h"

#define MOST_TOKENS 64
#define HASH_DIGITS 10

static const unsigned char secret[32] = "of this dataset";

struct fixture {
	struct arena *arena;
	struct redactor *redactor;
	const char *tokens[MOST_TOKENS]; /* of the row, in the order in which they came */
	size_t n;
};

static inline struct text text(const char *s)
{
	return (struct text){ s, s ? strlen(s) : 0 };
}

static inline int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->arena = arena_new(1 << 16);
	f->redactor = redactor_new(secret);
	assert_non_null(f->redactor);
	assert_int_equal(redactor_begin(f->redactor, text(NULL)), 0);
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	redactor_free(f->redactor);
	arena_free(f->arena);
	free(f);
	return 0;
}

/* The length of a token at s, "[EMAIL_0123456789]"; 0: there is none. */
static inline size_t token_at(const char *s)
{
	size_t n = 1 + strspn(s + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

	if (s[0] != '[' || s[n - 1] != '_' || strspn(s + n, "0123456789abcdef") != HASH_DIGITS ||
	    s[n + HASH_DIGITS] != ']')
		return 0;
	return n + HASH_DIGITS + 1;
}

/* How many different tokens of its kind the row had when this one came first, itself included. */
static inline int number_of(struct fixture *f, const char *token, size_t n)
{
	size_t kind = n - HASH_DIGITS - 1, i;
	int number = 1;

	for (i = 0; i < f->n && strncmp(f->tokens[i], token, n) != 0; i++)
		number += strncmp(f->tokens[i], token, kind) == 0;
	if (i == f->n) {
		assert_true(f->n < MOST_TOKENS);
		f->tokens[f->n++] = arena_strndup(f->arena, token, n);
	}
	return number;
}

/* The text with numbers in place of the tokens' hashes: they can be read, and tests say which are the same. */
static inline const char *numbered(struct fixture *f, const char *s)
{
	STRBUF_AUTO out = STRBUF_INIT;
	size_t n;

	for (; *s; s += n) {
		n = token_at(s);
		if (n)
			strbuf_printf(&out, "%.*s%d]", (int)(n - HASH_DIGITS - 1), s, number_of(f, s, n));
		else
			strbuf_add(&out, s, n = 1);
	}
	return arena_strndup(f->arena, out.n ? out.p : "", out.n);
}

/* The text without personal data, tokens numbered; the bytes are copied, so that reading past their end is seen. */
static inline const char *redact(struct fixture *f, const char *s)
{
	size_t n = strlen(s);
	char *exact = malloc(n ? n : 1);
	struct text out;

	assert_non_null(exact);
	memcpy(exact, s, n);
	assert_int_equal(redactor_text(f->redactor, f->arena, (struct text){ exact, n }, &out), 0);
	const char *copy = arena_strndup(f->arena, out.s, out.n);
	free(exact);
	return numbered(f, copy);
}

static inline void row(struct fixture *f, const char *names)
{
	f->n = 0;
	assert_int_equal(redactor_begin(f->redactor, text(names)), 0);
}

/* Each of the list, alone in a row and in a sentence, is replaced whole by the first token of the kind. */
static inline void all_go(struct fixture *f, const char *token, const char *const *list)
{
	static const char *const around[][2] = { { "", "" },     { "it is ", ", thanks" },
						 { "(", ")" },   { "\n", ".\n" },
						 { "\"", "\"" }, { "\xc3\xa0 ", " \xc3\xa0" } };

	for (; *list; list++)
		for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
			row(f, NULL);
			assert_string_equal(
				redact(f,
				       arena_printf(f->arena, "%s%s%s", around[i][0], *list, around[i][1])),
				arena_printf(f->arena, "%s[%s_1]%s", around[i][0], token, around[i][1]));
		}
}

static inline void all_stay(struct fixture *f, const char *const *list)
{
	for (; *list; list++) {
		row(f, NULL);
		assert_string_equal(redact(f, *list), *list);
		const char *in = arena_printf(f->arena, "it is %s, thanks", *list);
		assert_string_equal(redact(f, in), in);
	}
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

#endif
