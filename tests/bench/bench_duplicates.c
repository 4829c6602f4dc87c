/*
 * bench_duplicates: near-duplicates of many short texts, as a split looks for them.
 *
 *   build/tests/bench/bench_duplicates [texts (1000000)] [share of near-duplicates (0.3)]
 *
 * Texts are of 6 to 20 words of a made vocabulary of 8,000 (common words come more often); so many of them are an earlier
 * one with a word or two changed. Prints JSON: seconds to add and to join, and the largest memory of the process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "datasets/duplicates.h"

#define WORDS 8000
#define LATEST 4096 /* texts that may be repeated */
#define MOST_WORDS 20

struct line {
	unsigned short words[MOST_WORDS];
	int n;
};

static uint64_t state = 1;

/* Where a file may be made that loses its name at once. */
static const char *spool_path(void)
{
	static char path[300];
	const char *tmp = getenv("TMPDIR");

	snprintf(path, sizeof(path), "%s/readback-spool-%ld", tmp ? tmp : "/tmp", (long)getpid());
	return path;
}

static size_t below(size_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)((state >> 33) % n);
}

/* Of two draws the smaller: the first words are the common ones. */
static unsigned short draw_word(void)
{
	size_t a = below(WORDS), b = below(a + 1);

	return (unsigned short)below(b + 1);
}

static void make_line(struct line *l)
{
	l->n = 6 + (int)below(MOST_WORDS - 5);
	for (int i = 0; i < l->n; i++)
		l->words[i] = draw_word();
}

static size_t write_line(const struct line *l, char words[WORDS][12], char *out)
{
	size_t n = 0;

	for (int i = 0; i < l->n; i++)
		n += (size_t)sprintf(out + n, "%s%s", i ? " " : "", words[l->words[i]]);
	return n;
}

static void make_words(char words[WORDS][12])
{
	for (size_t i = 0; i < WORDS; i++) {
		size_t n = 2 + below(8);
		for (size_t k = 0; k < n; k++)
			words[i][k] = (k % 2 ? "aeiou" : "bcdfgklmnprst")[below(k % 2 ? 5 : 13)];
		words[i][n] = '\0';
	}
}

static void check(int rc, const struct error *e)
{
	if (rc < 0) {
		fprintf(stderr, "bench_duplicates: %s\n", e->message);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	static struct line latest[LATEST];
	static char words[WORDS][12];
	size_t texts = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000, bytes = 0;
	double near = argc > 2 ? strtod(argv[2], NULL) : 0.3;
	struct duplicates *d;
	struct error e = { 0 };
	struct rusage used;
	char text[MOST_WORDS * 12];

	make_words(words);
	check(duplicates_open(spool_path(), &d, &e), &e);
	int64_t from = clock_mono_us();
	for (size_t i = 0; i < texts; i++) {
		struct line *l = &latest[i % LATEST];
		if (i >= LATEST && (double)below(1000) < near * 1000) {
			*l = latest[below(LATEST)];
			for (size_t k = 1 + below(2); k > 0; k--)
				l->words[below((size_t)l->n)] = draw_word();
		} else {
			make_line(l);
		}
		size_t n = write_line(l, words, text);
		bytes += n;
		check(duplicates_add(d, text, n, (uint32_t)i, &e), &e);
	}
	int64_t added = clock_mono_us();
	check(duplicates_join(d, &e), &e);
	int64_t joined = clock_mono_us();
	struct duplicates_counts c = duplicates_counts(d);
	duplicates_free(d);
	getrusage(RUSAGE_SELF, &used);
	printf("{\"texts\": %zu, \"mean_bytes\": %.1f, \"same\": %llu, \"compared\": %llu, \"joined\": %llu, \"add_s\": %.2f, "
	       "\"join_s\": %.2f, \"peak_mb\": %.1f}\n",
	       texts, (double)bytes / (double)texts, (unsigned long long)c.same,
	       (unsigned long long)c.compared, (unsigned long long)c.joined, (double)(added - from) / 1e6,
	       (double)(joined - added) / 1e6, (double)used.ru_maxrss / 1024);
	return 0;
}
