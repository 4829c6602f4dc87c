/*
 * embed_file: vectors of a file of texts, for the benchmarks.
 *
 *   build/tests/bench/embed_file IN.jsonl OUT.f32 [FIELD] [THREADS]
 *
 * OUT gets one row of floats a line of IN, in its order; FIELD ("text") is what is embedded. Goes
 * on where an earlier run stopped: rows that OUT has are kept.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "embed/embed.h"

#define BATCH 32

static struct embedder *model;
static char **texts;
static size_t n_texts, done_before;
static _Atomic size_t next;
static int out;

static void die(const char *what)
{
	fprintf(stderr, "embed_file: %s\n", what);
	exit(1);
}

static void read_texts(const char *path, const char *field)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t room = 0, cap = 0;

	if (!f)
		die(path);
	while (getline(&line, &room, f) > 0) {
		json_t *row = json_loads(line, 0, NULL);
		const char *s = json_string_value(json_object_get(row, field));

		if (!s)
			die("a line without the field");
		if (n_texts == cap) {
			cap = cap ? cap * 2 : 4096;
			texts = realloc(texts, cap * sizeof(*texts));
		}
		if (!texts || !(texts[n_texts++] = strdup(s)))
			die("no memory");
		json_decref(row);
	}
	free(line);
	fclose(f);
}

static void *run(void *arg)
{
	size_t dim = embedder_info(model)->dim, from;
	float *rows = malloc(BATCH * dim * sizeof(*rows));
	struct text t[BATCH];
	struct error e;

	(void)arg;
	while ((from = atomic_fetch_add(&next, BATCH)) < n_texts) {
		size_t n = n_texts - from < BATCH ? n_texts - from : BATCH;

		for (size_t i = 0; i < n; i++)
			t[i] = (struct text){ texts[from + i], strlen(texts[from + i]) };
		if (!rows || embedder_embed(model, t, n, rows, &e) < 0)
			die("cannot embed");
		if (pwrite(out, rows, n * dim * sizeof(*rows), (off_t)(from * dim * sizeof(*rows))) < 0)
			die("cannot write");
		if (from % 10240 == 0)
			fprintf(stderr, "%zu of %zu\n", from, n_texts);
	}
	free(rows);
	return NULL;
}

int main(int argc, char **argv)
{
	size_t threads = argc > 4 ? strtoul(argv[4], NULL, 10) : 2;
	struct embedder_options o = { .kind = "minilm" };
	pthread_t t[16];
	struct stat st;
	struct error e;

	if (argc < 3 || threads < 1 || threads > 16 || crypto_start() < 0)
		die("embed_file IN.jsonl OUT.f32 [FIELD] [THREADS]");
	if (embedder_open(&o, &model, &e) < 0)
		die(e.message);
	read_texts(argv[1], argc > 3 ? argv[3] : "text");
	out = open(argv[2], O_RDWR | O_CREAT, 0644);
	if (out < 0 || fstat(out, &st) < 0)
		die(argv[2]);
	/* Batches end in any order: the last ones that were begun are made again. */
	done_before = (size_t)st.st_size / (embedder_info(model)->dim * sizeof(float)) / BATCH;
	done_before = done_before == (n_texts + BATCH - 1) / BATCH ? done_before
		      : done_before > threads                      ? done_before - threads
								   : 0;
	atomic_store(&next, done_before * BATCH);
	for (size_t i = 0; i < threads; i++)
		pthread_create(&t[i], NULL, run, NULL);
	for (size_t i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	if (fsync(out) < 0)
		die("cannot write");
	return 0;
}
