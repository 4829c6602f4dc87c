/*
 * bench_train: how long an intent model takes to train, and a prediction to be
 * asked of it, beyond the embedding.
 *
 *	bench_train PASSAGES.jsonl PASSAGES.f32 [EXAMPLES [LABELS]]
 *
 * Examples are passages of tests/bench/make_data.py with their vectors; the
 * label of each is the nearest of LABELS of them, so that labels can be learned
 * and are of uneven size. Prints JSON. One thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/dice.h"
#include "base/file.h"
#include "base/json.h"
#include "learn/intent_model.h"

#define DIM 384
#define ASKED 1000
#define TEXT_BYTES 200 /* of a passage: an opening is short */

static void die(const char *what, const struct error *e)
{
	fprintf(stderr, "bench_train: %s: %s\n", what, e ? e->message : "");
	exit(1);
}

/* Texts of the first n lines. */
static void read_texts(const char *path, struct arena *a, struct lesson *list, size_t n)
{
	struct error e = { 0 };
	struct lines *l;
	const char *line;
	size_t len;

	if (lines_open(path, &l, &e) < 0)
		die(path, &e);
	for (size_t i = 0; i < n; i++) {
		json_t *j = NULL;
		if (lines_next(l, 1 << 20, &line, &len, &e) != 1 || json_parse(line, len, &e, &j) < 0)
			die(path, &e);
		const char *text = json_string_value(json_object_get(j, "text"));
		size_t bytes = text ? strlen(text) : 0;
		bytes = bytes > TEXT_BYTES ? TEXT_BYTES : bytes;
		list[i].text = (struct text){ arena_strndup(a, text ? text : "", bytes), bytes };
		json_decref(j);
	}
	lines_close(l);
}

static uint32_t nearest(const float *v, const float *const *centres, size_t n)
{
	uint32_t best = 0;
	float most = -2;

	for (size_t c = 0; c < n; c++) {
		float dot = 0;
		for (size_t i = 0; i < DIM; i++)
			dot += v[i] * centres[c][i];
		if (dot > most) {
			most = dot;
			best = (uint32_t)c;
		}
	}
	return best;
}

static void label_all(struct lesson *list, size_t n, size_t labels)
{
	const float **centres = calloc(labels, sizeof(*centres));
	struct dice dice = { 1 };

	for (size_t c = 0; c < labels; c++)
		centres[c] = list[dice_below(&dice, n)].vector;
	for (size_t i = 0; i < n; i++)
		list[i].label = nearest(list[i].vector, centres, labels);
	free(centres);
}

/* Microseconds of one question; *right: share whose label comes first. */
static double ask(const struct intent_model *m, const struct lesson *list, size_t n, double *right)
{
	float *share = calloc(intent_model_labels(m), sizeof(*share));
	struct intent_votes votes = { .share = share, .top = .8 };
	struct dice dice = { 2 };
	size_t hits = 0;
	int64_t start = clock_mono_us();

	for (int i = 0; i < ASKED; i++) {
		const struct lesson *l = &list[dice_below(&dice, n)];
		struct arena *a = arena_new(1 << 16);
		struct intent_opinion said;
		if (!a || intent_model_ask(m, a, l->vector, l->text, &votes, &said) < 0)
			die("ask", NULL);
		hits += said.by_vector == l->label;
		arena_free(a);
	}
	free(share);
	*right = (double)hits / ASKED;
	return (double)(clock_mono_us() - start) / ASKED;
}

static void bench(int argc, char **argv)
{
	size_t n = argc > 3 ? strtoul(argv[3], NULL, 10) : 100000;
	size_t labels = argc > 4 ? strtoul(argv[4], NULL, 10) : 150, bytes;
	struct arena *a = arena_new(1 << 20);
	struct lesson *list = calloc(n, sizeof(*list));
	const char **names = calloc(labels, sizeof(*names));
	struct intent_training o = { .seed = 1 };
	struct intent_model *m;
	struct error e = { 0 };
	double right, seconds;
	const void *vectors;

	if (file_map(argv[2], &vectors, &bytes, &e) < 0)
		die(argv[2], &e);
	if (bytes < n * DIM * sizeof(float))
		die(argv[2], NULL);
	read_texts(argv[1], a, list, n);
	for (size_t i = 0; i < n; i++) {
		list[i].vector = (const float *)vectors + i * DIM;
		list[i].weight = 1;
	}
	label_all(list, n, labels);
	for (size_t i = 0; i < labels; i++)
		names[i] = arena_printf(a, "label%04zu", i);
	const struct lessons lessons = { names, labels, list, n, DIM };
	int64_t start = clock_mono_us();
	if (intent_model_train(&lessons, &o, &m, &e) < 0)
		die("train", &e);
	seconds = (double)(clock_mono_us() - start) / 1e6;
	double us = ask(m, list, n, &right);
	printf("{\"examples\": %zu, \"labels\": %zu, \"train_s\": %.1f, \"ask_us\": %.1f, \"by_vector_right\": %.3f}\n",
	       n, labels, seconds, us, right);
	intent_model_free(m);
	file_unmap(vectors, bytes);
	free(list);
	free(names);
	arena_free(a);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fputs("usage: bench_train PASSAGES.jsonl PASSAGES.f32 [EXAMPLES [LABELS]]\n", stderr);
		return 2;
	}
	bench(argc, argv);
	return 0;
}
