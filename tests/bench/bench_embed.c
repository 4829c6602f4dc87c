/*
 * bench_embed: what the embedder costs on this machine.
 *
 *   build/tests/bench/bench_embed [float32|bf16] [threads]
 *
 * Start-up, a query of 12 tokens, passages of 128 tokens by one and by several
 * threads, and the tokenizer alone. The model is looked for as the program does.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/strbuf.h"
#include "embed/embed.h"

#define PASSAGES 32
#define QUERIES 300
#define DIM 384

/* 10 and 126 tokens, with the two special ones 12 and 128. */
static const char query[] = "how do i reset the password of my online account";
static struct strbuf passage;

static void make_passage(const struct embedder *m)
{
	size_t i = 0;
	static const char *const words[] = { "the",     "order",   "was", "sent",  "to",
					     "another", "address", "and", "never", "came" };

	do {
		strbuf_printf(&passage, "%s ", words[i]);
		i = (i + 3) % 10;
	} while (!passage.failed && embedder_count(m, passage.p, passage.n) < 126);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void time_queries(struct embedder *m)
{
	struct text t = { query, strlen(query) };
	int64_t took[QUERIES];
	float out[DIM];

	for (size_t i = 0; i < QUERIES; i++) {
		int64_t from = clock_mono_us();
		if (embedder_embed(m, &t, 1, out, NULL) < 0)
			exit(1);
		took[i] = clock_mono_us() - from;
	}
	printf("query of %zu tokens: first %.2f ms", embedder_count(m, t.s, t.n) + 2, (double)took[0] / 1e3);
	const size_t p50 = QUERIES / 2, p99 = QUERIES * 99 / 100;
	qsort(took, QUERIES, sizeof(took[0]), by_value);
	printf(", p50 %.2f ms, p99 %.2f ms\n", (double)took[p50] / 1e3, (double)took[p99] / 1e3);
}

/* Passages for two seconds; returns how many. */
static void *run(void *arg)
{
	static __thread float out[PASSAGES][DIM];
	struct text texts[PASSAGES];
	int64_t end = clock_mono_us() + 2000000;
	size_t n = 0;

	for (size_t i = 0; i < PASSAGES; i++)
		texts[i] = (struct text){ passage.p, passage.n };
	for (; clock_mono_us() < end; n += PASSAGES)
		if (embedder_embed(arg, texts, PASSAGES, out[0], NULL) < 0)
			exit(1);
	return (void *)n;
}

static void time_passages(struct embedder *m, size_t threads)
{
	pthread_t t[64];
	size_t n = 0;
	int64_t from = clock_mono_us();

	for (size_t i = 0; i < threads; i++)
		pthread_create(&t[i], NULL, run, m);
	for (size_t i = 0; i < threads; i++) {
		void *did;
		pthread_join(t[i], &did);
		n += (size_t)did;
	}
	printf("passages of %zu tokens, %zu thread(s): %.0f a second\n",
	       embedder_count(m, passage.p, passage.n) + 2, threads,
	       (double)n * 1e6 / (double)(clock_mono_us() - from));
}

static void time_tokens(struct embedder *m)
{
	size_t n = passage.n, copies = (10 << 20) / n, tokens;
	char *text = malloc(copies * n);
	int64_t from;

	if (!text)
		exit(1);
	for (size_t i = 0; i < copies; i++)
		memcpy(text + i * n, passage.p, n);
	from = clock_mono_us();
	tokens = embedder_count(m, text, copies * n);
	from = clock_mono_us() - from;
	printf("tokens: %zu in %.0f ms, %.1f million a second\n", tokens, (double)from / 1e3,
	       (double)tokens / (double)from);
	free(text);
}

int main(int argc, char **argv)
{
	struct embedder_options o = { .kind = "minilm" };
	size_t threads = argc > 2 ? strtoul(argv[2], NULL, 10) : 2;
	struct rusage usage;
	struct embedder *m;
	struct error e;
	int64_t from;

	if (argc > 1)
		o.precision = strcmp(argv[1], "bf16") == 0 ? PRECISION_BF16 : PRECISION_FLOAT32;
	if (crypto_start() < 0)
		return 1;
	from = clock_mono_us();
	if (embedder_open(&o, &m, &e) < 0) {
		fprintf(stderr, "bench_embed: %s\n", e.message);
		return 1;
	}
	printf("open: %.0f ms (%s, %s)\n", (double)(clock_mono_us() - from) / 1e3,
	       embedder_info(m)->precision, embedder_info(m)->weights);
	make_passage(m);
	time_queries(m);
	time_passages(m, 1);
	if (threads > 1)
		time_passages(m, threads < 64 ? threads : 64);
	time_tokens(m);
	getrusage(RUSAGE_SELF, &usage);
	printf("memory at most: %ld MiB\n", usage.ru_maxrss / 1024);
	strbuf_release(&passage);
	embedder_close(m);
	return 0;
}
