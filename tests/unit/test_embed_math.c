/* The model's own arithmetic, under every instruction set that this processor has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crypto.h"
#include "embed/minilm_math.h"
#include "embed/onednn.h"
#include "embed/weights_hash.h"

#define HIDDEN MINILM_HIDDEN
#define WINDOW MINILM_WINDOW

static float *floats(size_t n)
{
	float *x = aligned_alloc(64, (n * sizeof(*x) + 63) / 64 * 64);

	assert_non_null(x);
	for (size_t i = 0; i < n; i++)
		x[i] = (float)(rand() % 20001 - 10000) / 10000;
	return x;
}

static void assert_close(const char *what, const struct minilm_math *m, size_t n, double got, double want)
{
	if (fabs(got - want) > 2e-6 * (1 + fabs(want)))
		fail_msg("%s, %s, %zu rows: %.9g, not %.9g", what, m->name, n, got, want);
}

/* Attention of one query and head, by the book. */
static void attend_plainly(const float *qkv, size_t tokens, size_t query, size_t head,
			   double out[MINILM_HEAD])
{
	double p[WINDOW], sum = 0;

	for (size_t t = 0; t < tokens; t++) {
		p[t] = 0;
		for (size_t d = head * MINILM_HEAD; d < (head + 1) * MINILM_HEAD; d++)
			p[t] += (double)qkv[query * 3 * HIDDEN + d] *
				(double)qkv[t * 3 * HIDDEN + HIDDEN + d];
		sum += p[t] = exp(p[t]);
	}
	memset(out, 0, MINILM_HEAD * sizeof(*out));
	for (size_t t = 0; t < tokens; t++)
		for (size_t d = 0; d < MINILM_HEAD; d++)
			out[d] += p[t] / sum *
				  (double)qkv[t * 3 * HIDDEN + 2 * HIDDEN + head * MINILM_HEAD + d];
}

static void check_attention(const struct minilm_math *m)
{
	static const size_t lengths[] = { 1, 2, 3, 4, 15, 16, 17, 31, 130, 255, 256 };
	float *qkv = floats(WINDOW * 3 * HIDDEN), *room = floats(MINILM_ATTEND_FLOATS),
	      *y = floats(WINDOW * HIDDEN);
	double want[MINILM_HEAD];

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t n = lengths[i];
		m->attend(qkv, n, room, y);
		for (size_t t = 0; t<n; t += n> 40 ? 17 : 1)
			for (size_t h = 0; h < MINILM_HEADS; h++) {
				attend_plainly(qkv, n, t, h, want);
				for (size_t d = 0; d < MINILM_HEAD; d++)
					assert_close("attention", m, n,
						     (double)y[t * HIDDEN + h * MINILM_HEAD + d], want[d]);
			}
	}
	free(qkv);
	free(room);
	free(y);
}

static void check_normalisation(const struct minilm_math *m)
{
	float *x = floats(2 * HIDDEN), *add = floats(2 * HIDDEN), *gain = floats(HIDDEN),
	      *bias = floats(HIDDEN);
	double sum[2 * HIDDEN];

	for (size_t i = 0; i < 2 * HIDDEN; i++)
		sum[i] = (double)x[i] + (double)add[i];
	m->normalise(x, add, 2, gain, bias);
	for (size_t r = 0; r < 2; r++) {
		double mean = 0, var = 0;
		for (size_t i = 0; i < HIDDEN; i++)
			mean += sum[r * HIDDEN + i] / HIDDEN;
		for (size_t i = 0; i < HIDDEN; i++)
			var += (sum[r * HIDDEN + i] - mean) * (sum[r * HIDDEN + i] - mean) / HIDDEN;
		for (size_t i = 0; i < HIDDEN; i++)
			assert_close("normalisation", m, r, (double)x[r * HIDDEN + i],
				     (sum[r * HIDDEN + i] - mean) / sqrt(var + 1e-12) * (double)gain[i] +
					     (double)bias[i]);
	}
	free(x);
	free(add);
	free(gain);
	free(bias);
}

static void check_pooling(const struct minilm_math *m)
{
	float *x = floats(7 * HIDDEN), *y = floats(HIDDEN + 1);
	double mean[HIDDEN] = { 0 }, length = 0;

	m->pool(x, 7, y + 1);
	for (size_t i = 0; i < HIDDEN; i++) {
		for (size_t r = 0; r < 7; r++)
			mean[i] += (double)x[r * HIDDEN + i] / 7;
		length += mean[i] * mean[i];
	}
	for (size_t i = 0; i < HIDDEN; i++)
		assert_close("pooling", m, 7, (double)y[i + 1], mean[i] / sqrt(length));
	free(x);
	free(y);
}

static void check_rounding(const struct minilm_math *m)
{
	_Alignas(64) float x[16] = { 0,          -0.f,        1,      -1,     1.00390625f, 1.01171875f,
				     1.0039064f, 3.14159265f, 1e-20f, -65504, 1e30f,       0.1f,
				     0.2f,       0.3f,        -0.7f,  255.5f };
	/* 1 + 1/256 lies in the middle: to even, down; 1 + 3/256 up. */
	static const uint16_t want[16] = { 0,      0x8000, 0x3f80, 0xbf80, 0x3f80, 0x3f82, 0x3f81, 0x4049,
					   0x1e3d, 0xc780, 0x714a, 0x3dcd, 0x3e4d, 0x3e9a, 0xbf33, 0x4380 };
	uint16_t y[16];

	m->narrow(x, 16, y);
	for (size_t i = 0; i < 16; i++)
		if (y[i] != want[i])
			fail_msg("rounding, %s: %g is %04x, not %04x", m->name, (double)x[i], y[i], want[i]);
}

static void test_embed_math__as_by_the_book(void **state)
{
	const struct minilm_math *m;

	(void)state;
	srand(1);
	for (size_t i = 0; (m = minilm_math_at(i)); i++) {
		if (!minilm_math_can_run(m))
			continue;
		check_attention(m);
		check_normalisation(m);
		check_pooling(m);
		check_rounding(m);
	}
	assert_true(minilm_math_can_run(minilm_math()));
}

/* Every number of rows gives each row the same bits as the largest one; and the right ones. */
static void check_products(enum embed_precision p, const struct product_shape *shape)
{
	float *x = floats((WINDOW + 16) * shape->in), *w = floats(shape->in * shape->out),
	      *b = floats(shape->out);
	char *whole = (char *)floats((WINDOW + 16) * shape->out),
	     *y = (char *)floats((WINDOW + 16) * shape->out);
	struct onednn *o;
	struct product *product;
	struct packed *packed;
	struct lane *lane;
	size_t row;
	int saved = lane_enter();

	assert_int_equal(onednn_open(p, WINDOW, &o, NULL), 0);
	row = shape->out * (shape->narrow && onednn_is_bf16(o) ? 2 : sizeof(float));
	if (onednn_is_bf16(o))
		minilm_math()->narrow(x, (WINDOW + 16) * shape->in, (uint16_t *)x);
	assert_int_equal(product_new(o, shape, &product, NULL), 0);
	assert_int_equal(packed_new(product, w, b, &packed, NULL), 0);
	assert_int_equal(lane_new(o, &lane, NULL), 0);
	assert_int_equal(product_run(product, packed, lane, x, WINDOW, whole, NULL), 0);
	for (size_t rows = 1; rows < WINDOW; rows++) {
		assert_true(onednn_rows(o, rows) >= rows && onednn_rows(o, rows) < rows + 16);
		if (rows > 2 && onednn_rows(o, rows) != rows)
			continue; /* computed as the next number */
		assert_int_equal(product_run(product, packed, lane, x, rows, y, NULL), 0);
		if (memcmp(y, whole, rows * row) != 0)
			fail_msg("%zu x %zu: rows of a product of %zu differ", shape->in, shape->out, rows);
	}
	lane_free(lane);
	packed_free(packed);
	product_free(product);
	onednn_close(o);
	lane_leave(saved);
	free(x);
	free(w);
	free(b);
	free(whole);
	free(y);
}

static void test_embed_math__a_row_does_not_depend_on_others(void **state)
{
	static const struct product_shape shapes[] = {
		{ .in = 384, .out = 1152 },
		{ .in = 384, .out = 384 },
		{ .in = 384, .out = 1536, .gelu = 1, .narrow = 1 },
		{ .in = 1536, .out = 384 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		check_products(PRECISION_FLOAT32, &shapes[i]);
		check_products(PRECISION_AUTO, &shapes[i]);
	}
}

static double gelu(double x)
{
	return x * 0.5 * (1 + erf(x / sqrt(2)));
}

static void test_embed_math__products_are_right(void **state)
{
	const struct product_shape shape = { .in = 64, .out = 32, .gelu = 1, .narrow = 1 };
	float *x = floats(16 * 64), *w = floats(32 * 64), *b = floats(32), *y = floats(16 * 32);
	struct onednn *o;
	struct product *product;
	struct packed *packed;
	struct lane *lane;

	(void)state;
	assert_int_equal(onednn_open(PRECISION_FLOAT32, 16, &o, NULL), 0);
	assert_int_equal(product_new(o, &shape, &product, NULL), 0);
	assert_int_equal(packed_new(product, w, b, &packed, NULL), 0);
	assert_int_equal(lane_new(o, &lane, NULL), 0);
	assert_int_equal(product_run(product, packed, lane, x, 3, y, NULL), 0);
	for (size_t r = 0; r < 3; r++)
		for (size_t c = 0; c < 32; c++) {
			double sum = (double)b[c];
			for (size_t i = 0; i < 64; i++)
				sum += (double)x[r * 64 + i] * (double)w[c * 64 + i];
			assert_close("product", minilm_math(), r, (double)y[r * 32 + c], gelu(sum));
		}
	lane_free(lane);
	packed_free(packed);
	product_free(product);
	onednn_close(o);
	free(x);
	free(w);
	free(b);
	free(y);
}

/* oneDNN reads the variable once: each instruction set needs a process of its own. */
static void test_embed_math__under_older_instruction_sets(void **state)
{
	static const char *const sets[] = { "SSE41", "AVX", "AVX2", "AVX512_CORE" };

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		int status;
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			/* What it prints would be taken for results of this program. */
			int null = open("/dev/null", O_WRONLY);
			dup2(null, STDOUT_FILENO);
			dup2(null, STDERR_FILENO);
			setenv("ONEDNN_MAX_CPU_ISA", sets[i], 1);
			execl("/proc/self/exe", "test_embed_math", "products", (char *)NULL);
			_exit(127);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			fail_msg("failed: ONEDNN_MAX_CPU_ISA=%s test_embed_math products", sets[i]);
	}
}

static void test_embed_math__weights_are_hashed(void **state)
{
	unsigned char p[300];
	char got[SHA256_TEXT], want[SHA256_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(p); i++)
		p[i] = (unsigned char)(i * 131 + 7);
	for (size_t n = 0; n <= sizeof(p); n++) {
		crypto_sha256_text(p, n, want);
		weights_hash_end(weights_hash_start(p, n), p, n, got);
		assert_string_equal(got, want);
		weights_hash_end(NULL, p, n, got);
		assert_string_equal(got, want);
	}
}

static int set_up(void **state)
{
	(void)state;
	return crypto_start();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_embed_math__as_by_the_book),
		cmocka_unit_test(test_embed_math__a_row_does_not_depend_on_others),
		cmocka_unit_test(test_embed_math__products_are_right),
		cmocka_unit_test(test_embed_math__under_older_instruction_sets),
		cmocka_unit_test(test_embed_math__weights_are_hashed),
	};
	const struct CMUnitTest products[] = {
		cmocka_unit_test(test_embed_math__a_row_does_not_depend_on_others),
		cmocka_unit_test(test_embed_math__products_are_right),
	};

	if (argc > 1 && strcmp(argv[1], "products") == 0)
		return cmocka_run_group_tests(products, set_up, NULL);
	return cmocka_run_group_tests(tests, set_up, NULL);
}
