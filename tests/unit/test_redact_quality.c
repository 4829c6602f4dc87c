/*
 * What the redactor finds of planted values, and what it takes besides, kind
 * by kind (planted.h). READBACK_REDACT=SEED,TEXTS,SEEDS prints more of it than
 * the test needs, and READBACK_REDACT_SHOW=1 each line that went wrong.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "datasets/redact.h"
#include "planted.h"

#define LINES 3 /* of a text */
#define KINDS REDACT_KINDS

struct figures {
	long planted[KINDS], found[KINDS], tokens[KINDS];
	long unsaid[KINDS], unsaid_found[KINDS]; /* where only a word would tell, and there is none */
	long quiet, quiet_kept; /* lines without personal data; those that stayed as they were */
};

static int kind_of(const char *name)
{
	for (int k = 0; k < KINDS; k++)
		if (strcmp(redact_kind_name((enum redact_kind)k), name) == 0)
			return k;
	fail_msg("no kind %s", name);
	return -1;
}

/* The kind of the token at s, its length in *n; -1: there is none. */
static int token_at(const char *s, size_t *n)
{
	for (int k = 0; k < KINDS; k++) {
		const char *name = redact_kind_name((enum redact_kind)k);
		size_t len = strlen(name);
		if (s[0] != '[' || strncasecmp(s + 1, name, len) != 0 || s[len + 1] != '_' ||
		    s[len + 12] != ']')
			continue;
		*n = len + 13;
		return k;
	}
	return -1;
}

/* 1 if the value, no more and no less, became one token of its kind. */
static int is_right(const struct planted_line *line, const char *out, int kind)
{
	size_t n;

	return strncmp(out, line->text, line->at) == 0 && token_at(out + line->at, &n) == kind &&
	       strcmp(out + line->at + n, line->text + line->at + line->n) == 0;
}

static void count_line(const struct planted_line *line, const char *out, struct figures *f)
{
	int kind = line->kind ? kind_of(line->kind) : -1, right = line->kind && is_right(line, out, kind);
	size_t n;

	if (line->without_word) {
		f->unsaid[kind]++;
		f->unsaid_found[kind] += strcmp(out, line->text) != 0; /* under whatever name */
		return;
	}
	if (line->kind) {
		f->planted[kind]++;
		f->found[kind] += right;
	} else {
		f->quiet++;
		f->quiet_kept += strcmp(out, line->text) == 0;
	}
	for (const char *s = out; *s; s++) {
		int token = token_at(s, &n);
		if (token >= 0)
			f->tokens[token]++;
	}
	if (getenv("READBACK_REDACT_SHOW") && (line->kind ? !right : strcmp(out, line->text) != 0))
		printf("%-12s %s\n             %s\n", line->kind ? line->kind : "-", line->text, out);
}

/* A text of some lines, redacted as a whole. */
static void measure_text(struct redactor *r, struct planted_rng *rng, struct figures *f)
{
	struct arena *a = arena_new(1 << 14);
	struct planted_line lines[LINES];
	char name[80], text[LINES * (PLANTED_ROOM + 1)] = "";
	struct text out;
	size_t n = 0;

	planted_name(rng, name);
	for (int i = 0; i < LINES; i++) {
		planted_line(rng, name, &lines[i]);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? "\n" : "", lines[i].text);
	}
	assert_int_equal(redactor_begin(r, (struct text){ name, strlen(name) }), 0);
	assert_int_equal(redactor_text(r, a, (struct text){ text, strlen(text) }, &out), 0);
	char *copy = arena_strndup(a, out.s, out.n), *rest = copy;
	for (int i = 0; i < LINES; i++) {
		const char *line = strsep(&rest, "\n");
		assert_non_null(line);
		count_line(&lines[i], line, f);
	}
	assert_null(rest);
	arena_free(a);
}

static void measure(uint64_t seed, long texts, struct figures *f)
{
	static const unsigned char secret[32] = "quality";
	struct redactor *r = redactor_new(secret);
	struct planted_rng rng = { seed };

	assert_non_null(r);
	for (long i = 0; i < texts; i++)
		measure_text(r, &rng, f);
	redactor_free(r);
}

static double share(long part, long of)
{
	return of ? (double)part / (double)of : 1;
}

static void print_figures(const struct figures *f)
{
	printf("| kind | planted | recall | tokens | precision | without a word |\n|---|---|---|---|---|---|\n");
	for (size_t i = 0; planted_kind(i); i++) {
		int k = kind_of(planted_kind(i));
		printf("| %s | %ld | %.4f | %ld | %.4f |", planted_kind(i), f->planted[k],
		       share(f->found[k], f->planted[k]), f->tokens[k], share(f->found[k], f->tokens[k]));
		if (f->unsaid[k])
			printf(" %ld of %ld", f->unsaid_found[k], f->unsaid[k]);
		printf(" |\n");
	}
	printf("lines without personal data: %ld, of them as they were: %ld\n", f->quiet, f->quiet_kept);
}

static void test_redact__finds_what_was_planted_and_leaves_look_alikes(void **state)
{
	const char *asked = getenv("READBACK_REDACT");
	unsigned long long seed = 2, seeds = 3;
	long texts = 2000;
	struct figures f = { 0 };

	(void)state;
	if (asked)
		assert_int_equal(sscanf(asked, "%llu,%ld,%llu", &seed, &texts, &seeds), 3);
	for (unsigned long long i = 0; i < seeds; i++)
		measure(seed + i, texts, &f);
	if (asked)
		print_figures(&f);
	for (size_t i = 0; planted_kind(i); i++) {
		int k = kind_of(planted_kind(i));
		if (share(f.found[k], f.planted[k]) < .99 || share(f.found[k], f.tokens[k]) < .97)
			fail_msg("%s: recall %.4f, precision %.4f (seeds from %llu)", planted_kind(i),
				 share(f.found[k], f.planted[k]), share(f.found[k], f.tokens[k]), seed);
	}
	assert_true(share(f.quiet_kept, f.quiet) >= .99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_redact__finds_what_was_planted_and_leaves_look_alikes),
	};
	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
