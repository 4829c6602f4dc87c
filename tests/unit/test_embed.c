#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "embed/embed.h"
#include "unit/small_model.h"

#define DIM 384
#define TEXTS 40
#define WINDOW 256
#define THREADS 4

static char folder[SMALL_MODEL_PATH];
static struct text texts[TEXTS];

/* Of all lengths: empty, a word, up to more than the window. */
static void make_texts(void)
{
	srand(7);
	for (size_t i = 0; i < TEXTS; i++) {
		struct strbuf b = STRBUF_INIT;
		size_t words = i < 2 ? i : (size_t)rand() % (i % 8 == 0 ? 100 : 12);
		strbuf_puts(&b, "");
		for (size_t w = 0; w < words; w++)
			strbuf_printf(&b, "%c%c%d ", 'a' + rand() % 26, 'a' + rand() % 26, rand() % 100);
		texts[i].s = strbuf_steal(&b, &texts[i].n);
		assert_non_null(texts[i].s);
	}
}

static struct embedder *open_small(enum embed_precision p)
{
	struct embedder_options o = { .kind = "minilm", .model = folder, .precision = p };
	struct embedder *m;
	struct error e = { 0 };
	int rc = embedder_open(&o, &m, &e);

	if (rc == ERR_CONFIG && p == PRECISION_BF16)
		skip(); /* no instructions for it here */
	if (rc < 0)
		fail_msg("%s", e.message);
	return m;
}

/* Vectors of all texts, each embedded alone. */
static float *embed_alone(struct embedder *m)
{
	float *v = malloc(TEXTS * DIM * sizeof(*v));

	assert_non_null(v);
	for (size_t i = 0; i < TEXTS; i++)
		assert_int_equal(embedder_embed(m, &texts[i], 1, v + i * DIM, NULL), 0);
	return v;
}

static int same_bits(const void *a, const void *b, size_t floats)
{
	return memcmp(a, b, floats * sizeof(float)) == 0;
}

/* Embeds the texts in the given order, `size` at a time, and compares bits. */
static void assert_same_bits(struct embedder *m, const size_t order[TEXTS], size_t size, const float *alone)
{
	float *got = malloc((TEXTS * DIM + 1) * sizeof(*got));
	struct text batch[TEXTS];

	assert_non_null(got);
	for (size_t from = 0; from < TEXTS; from += size) {
		size_t n = TEXTS - from < size ? TEXTS - from : size;
		float *out = got + from % 2; /* wherever it lies in memory */
		for (size_t i = 0; i < n; i++)
			batch[i] = texts[order[from + i]];
		assert_int_equal(embedder_embed(m, batch, n, out, NULL), 0);
		for (size_t i = 0; i < n; i++)
			if (!same_bits(out + i * DIM, alone + order[from + i] * DIM, DIM))
				fail_msg("text %zu differs in a batch of %zu", order[from + i], size);
	}
	free(got);
}

static void assert_no_companions(enum embed_precision p)
{
	static const size_t sizes[] = { 2, 7, TEXTS };
	struct embedder *m = open_small(p);
	float *alone = embed_alone(m);
	size_t order[TEXTS];

	for (size_t i = 0; i < TEXTS; i++)
		order[i] = i;
	for (size_t round = 0; round < 3; round++) {
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
			assert_same_bits(m, order, sizes[s], alone);
		for (size_t i = TEXTS - 1; i > 0; i--) {
			size_t k = (size_t)rand() % (i + 1), was = order[i];
			order[i] = order[k];
			order[k] = was;
		}
	}
	free(alone);
	embedder_close(m);
}

static void test_embed__a_vector_does_not_depend_on_companions_float32(void **state)
{
	(void)state;
	assert_no_companions(PRECISION_FLOAT32);
}

static void test_embed__a_vector_does_not_depend_on_companions_bf16(void **state)
{
	(void)state;
	assert_no_companions(PRECISION_BF16);
}

struct worker {
	struct embedder *m;
	const float *alone;
	size_t start, wrong;
};

static void *embed_in_thread(void *arg)
{
	struct worker *w = arg;
	static __thread float out[TEXTS * DIM];

	for (size_t round = 0; round < 2; round++) {
		size_t from = (w->start + round * 11) % TEXTS;
		if (embedder_embed(w->m, texts + from, TEXTS - from, out, NULL) < 0 ||
		    !same_bits(out, w->alone + from * DIM, (TEXTS - from) * DIM))
			w->wrong++;
	}
	return NULL;
}

static void test_embed__many_threads_at_once(void **state)
{
	struct embedder *m = open_small(PRECISION_AUTO), *fresh = open_small(PRECISION_AUTO);
	float *alone = embed_alone(m);
	struct worker w[THREADS];
	pthread_t t[THREADS];

	(void)state;
	/* The other one has met no number of rows yet: threads race to make its kernels. */
	for (size_t i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ fresh, alone, i * 7, 0 };
		assert_int_equal(pthread_create(&t[i], NULL, embed_in_thread, &w[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(t[i], NULL);
		assert_int_equal(w[i].wrong, 0);
	}
	free(alone);
	embedder_close(m);
	embedder_close(fresh);
}

static void test_embed__unit_vectors_for_any_text(void **state)
{
	struct embedder *m = open_small(PRECISION_AUTO);
	float *v = embed_alone(m);
	struct text none = { NULL, 0 };
	float out[DIM];

	(void)state;
	for (size_t i = 0; i < TEXTS; i++) {
		double length = 0;
		for (size_t k = 0; k < DIM; k++)
			length += (double)v[i * DIM + k] * (double)v[i * DIM + k];
		assert_true(fabs(length - 1) < 1e-5);
	}
	assert_int_equal(embedder_embed(m, &none, 1, out, NULL), 0);
	assert_memory_equal(out, v, sizeof(out)); /* texts[0] is empty, too */
	assert_int_equal(embedder_embed(m, NULL, 0, NULL, NULL), 0);
	free(v);
	embedder_close(m);
}

static void test_embed__what_is_past_the_window_is_not_read(void **state)
{
	struct embedder *m = open_small(PRECISION_AUTO);
	size_t max = embedder_info(m)->max_tokens;
	struct strbuf b = STRBUF_INIT;
	float whole[DIM], cut[DIM], shorter[DIM];
	struct text t;

	(void)state;
	assert_int_equal(max, WINDOW - 2);
	for (size_t i = 0; i < max; i++)
		strbuf_puts(&b, i % 3 ? "a " : "b ");
	t = (struct text){ b.p, b.n };
	assert_int_equal(embedder_count(m, b.p, b.n), max);
	assert_int_equal(embedder_embed(m, &t, 1, cut, NULL), 0);
	t.n -= 2;
	assert_int_equal(embedder_embed(m, &t, 1, shorter, NULL), 0);
	while (b.n < 1 << 20)
		strbuf_puts(&b, "c d e f ");
	t = (struct text){ b.p, b.n };
	assert_int_equal(embedder_count(m, b.p, b.n), max + (b.n - max * 2) / 2);
	assert_int_equal(embedder_embed(m, &t, 1, whole, NULL), 0);
	assert_memory_equal(whole, cut, sizeof(cut));
	assert_memory_not_equal(whole, shorter, sizeof(shorter));
	strbuf_release(&b);
	embedder_close(m);
}

static void test_embed__info_names_the_weights(void **state)
{
	struct embedder *m = open_small(PRECISION_FLOAT32);
	const struct embedder_info *info = embedder_info(m);
	char path[SMALL_MODEL_PATH + 32], want[SHA256_TEXT];
	const void *p;
	size_t n;

	(void)state;
	snprintf(path, sizeof(path), "%s/model.safetensors", folder);
	assert_int_equal(file_map(path, &p, &n, NULL), 0);
	crypto_sha256_text(p, n, want);
	file_unmap(p, n);
	assert_string_equal(info->id, "minilm-l6-v2");
	assert_int_equal(info->dim, DIM);
	assert_string_equal(info->precision, "float32");
	assert_string_equal(info->weights, want);
	embedder_close(m);
}

static void test_embed__none_has_no_vectors_but_counts(void **state)
{
	struct embedder_options o = { .kind = "none", .model = "/nowhere" };
	struct embedder *m;
	struct error e = { 0 };
	float out[DIM];

	(void)state;
	assert_int_equal(embedder_open(&o, &m, &e), 0);
	assert_string_equal(embedder_info(m)->id, "none");
	assert_string_equal(embedder_info(m)->weights, "");
	assert_int_equal(embedder_info(m)->dim, 0);
	assert_int_equal(embedder_embed(m, texts, 1, out, &e), ERR_NO_EMBEDDER);
	assert_int_equal(e.code, ERR_NO_EMBEDDER);
	assert_int_equal(embedder_count(m, "", 0), 0);
	assert_int_equal(embedder_count(m, "How do I reset it?", 18), 6);
	assert_int_equal(embedder_count(m, "authentication 中文", 21), 4);
	embedder_close(m);
	embedder_close(NULL);
}

static int set_up(void **state)
{
	(void)state;
	if (crypto_start() < 0)
		return -1;
	make_texts();
	small_model_make(&(struct small_model){ 0 }, folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	small_model_remove(folder);
	for (size_t i = 0; i < TEXTS; i++)
		free((char *)(uintptr_t)texts[i].s);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_embed__a_vector_does_not_depend_on_companions_float32),
		cmocka_unit_test(test_embed__a_vector_does_not_depend_on_companions_bf16),
		cmocka_unit_test(test_embed__many_threads_at_once),
		cmocka_unit_test(test_embed__unit_vectors_for_any_text),
		cmocka_unit_test(test_embed__what_is_past_the_window_is_not_read),
		cmocka_unit_test(test_embed__info_names_the_weights),
		cmocka_unit_test(test_embed__none_has_no_vectors_but_counts),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
