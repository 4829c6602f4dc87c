/*
 * bench_index: what the index costs on this machine.
 *
 *   build/tests/bench/bench_index [entries] [dimensions] [rows an entry] [vectors.f32 queries.f32]
 *
 * Adding, merging, saving and opening; then searches by one thread, for 10
 * and for 100 candidates, with filters of several widths, against the exact scan. Vectors come from clusters of 200 entries,
 * or from files of floats (embed_file). BENCH_FOLDER names a folder that is
 * kept for the next run.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "index/index.h"

#define SEED 42
#define QUERIES 200
#define ROWS 3

struct bench {
	size_t entries, dim, rows;
	float *centres, *vectors, *queries; /* queries: of a file */
	size_t clusters;
	char folder[128];
	struct index *x;
};

static uint64_t state = SEED;

static double uniform(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (double)((state * 0x2545f4914f6cdd1du) >> 11) / 9007199254740992.0;
}

static void near(const float *centre, double spread, size_t dim, float *out)
{
	double norm = 0;

	for (size_t i = 0; i < dim; i++) {
		double gauss = sqrt(-2 * log(1 - uniform())) * cos(6.283185307179586 * uniform());
		out[i] = (float)((centre ? centre[i] : 0) + gauss * spread / sqrt((double)dim));
		norm += (double)out[i] * out[i];
	}
	for (size_t i = 0; i < dim; i++)
		out[i] = (float)(out[i] / sqrt(norm));
}

static void check(int rc, const struct error *e)
{
	if (rc < 0) {
		fprintf(stderr, "bench_index: %s\n", e->message);
		exit(1);
	}
}

static double seconds(int64_t from)
{
	return (double)(clock_mono_us() - from) / 1e6;
}

static float *read_floats(const char *path, size_t n)
{
	FILE *f = fopen(path, "rb");
	float *v = malloc(n * sizeof(*v));

	if (!f || !v || fread(v, sizeof(*v), n, f) != n) {
		fprintf(stderr, "bench_index: %s: cannot be read, or is too short\n", path);
		exit(1);
	}
	fclose(f);
	return v;
}

static void make_vectors(struct bench *b)
{
	b->clusters = b->entries / 200 + 1;
	b->centres = malloc(b->clusters * b->dim * sizeof(float));
	b->vectors = malloc(b->entries * b->rows * b->dim * sizeof(float));
	for (size_t i = 0; i < b->clusters; i++)
		near(NULL, 1, b->dim, b->centres + i * b->dim);
	for (size_t i = 0; i < b->entries; i++) {
		float *v = b->vectors + i * b->rows * b->dim;
		near(b->centres + i % b->clusters * b->dim, .8, b->dim, v);
		for (size_t j = 1; j < b->rows; j++)
			near(v, .7, b->dim, v + j * b->dim);
	}
}

static void add_all(struct bench *b)
{
	static const enum row_field fields[ROWS] = { ROW_WHOLE, ROW_TITLE, ROW_CHUNK };
	struct error e;

	for (size_t i = 0; i < b->entries; i++) {
		struct index_row rows[ROWS];
		struct index_tag lot = { "lot", { .type = VALUE_NUMBER, .number = floor(uniform() * 1000) } };
		struct index_change c = { INDEX_ADD,
					  { .id = i + 1,
					    .rows = rows,
					    .n_rows = b->rows,
					    .everyone = 1,
					    .tags = &lot,
					    .n_tags = 1 } };
		for (size_t j = 0; j < b->rows; j++)
			rows[j] = (struct index_row){ i * ROWS + j + 1, fields[j], 0,
						      b->vectors + (i * b->rows + j) * b->dim };
		check(index_apply(b->x, i + 1, &c, 1, &e), &e);
	}
}

static void open_index(struct bench *b)
{
	struct index_options o = { .folder = b->folder, .dim = b->dim };
	struct error e;

	check(index_open(&o, &b->x, &e), &e);
}

static int mark_of(void *arg, uint64_t seq, unsigned char mark[INDEX_MARK])
{
	(void)arg, (void)seq;
	memset(mark, 1, INDEX_MARK);
	return 0;
}

static void build(struct bench *b)
{
	struct index_stats s;
	struct rusage use;
	struct error e;
	int rc;
	int64_t from = clock_mono_us();

	add_all(b);
	printf("add       %8.2f s\n", seconds(from));
	from = clock_mono_us();
	while ((rc = index_maintain(b->x, 1, &e)) == 1)
		;
	check(rc, &e);
	double took = seconds(from);
	index_stats(b->x, &s);
	printf("merge     %8.2f s, %zu segments, %zu rows of %zu in graphs\n", took, s.segments, s.graph_rows,
	       s.rows);
	from = clock_mono_us();
	check(index_save(b->x, mark_of, NULL, NULL, &e), &e);
	printf("save      %8.2f s\n", seconds(from));
	index_close(b->x);
	from = clock_mono_us();
	open_index(b);
	took = seconds(from);
	getrusage(RUSAGE_SELF, &use);
	index_stats(b->x, &s);
	printf("open      %8.2f s; index %zu MiB; at most %ld MiB with the vectors of this test\n", took,
	       s.bytes >> 20, use.ru_maxrss >> 10);
}

static void remove_folder(const char *folder)
{
	char **names, path[512];
	size_t n;

	if (folder_list(folder, &names, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		file_remove(path, NULL);
	}
	free(names);
	rmdir(folder);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void time_searches(struct bench *b, size_t k, double share)
{
	struct index_value v = { .type = VALUE_NUMBER, .number = share * 1000 };
	struct index_filter f = { .op = FILTER_LT, .key = "lot", .values = &v, .n_values = 1 };
	int64_t took[2][QUERIES];
	size_t found = 0;
	const size_t p50 = QUERIES / 2, p95 = QUERIES * 95 / 100;
	float *q = malloc(b->dim * sizeof(*q));
	struct error e;

	for (size_t i = 0; i < QUERIES; i++) {
		struct arena *a = arena_new(1 << 16);
		struct index_result r[2];
		if (b->queries)
			memcpy(q, b->queries + i * b->dim, b->dim * sizeof(*q));
		else
			near(b->centres + (size_t)(uniform() * (double)b->clusters) * b->dim, .8, b->dim, q);
		for (int exact = 0; exact < 2; exact++) {
			struct index_query iq = { .vector = q,
						  .filter = share < 1 ? &f : NULL,
						  .k = k,
						  .all_groups = 1,
						  .exact = exact };
			int64_t from = clock_mono_us();
			check(index_search(b->x, &iq, a, &r[exact], &e), &e);
			took[exact][i] = clock_mono_us() - from;
		}
		for (size_t j = 0; j < r[0].n; j++) {
			for (size_t h = 0; h < r[1].n; h++)
				found += r[1].hits[h].entry == r[0].hits[j].entry &&
					 r[1].hits[h].vector_rank <= 10;
		}
		arena_free(a);
	}
	free(q);
	for (int i = 0; i < 2; i++)
		qsort(took[i], QUERIES, sizeof(took[i][0]), by_value);
	printf("k %3zu, %5.1f %% allowed: p50 %6.2f ms, p95 %6.2f ms, recall@10 %.4f; exact p50 %6.2f ms\n",
	       k, share * 100, (double)took[0][p50] / 1e3, (double)took[0][p95] / 1e3,
	       (double)found / 10 / QUERIES, (double)took[1][p50] / 1e3);
}

static size_t number(int argc, char **argv, int i, size_t otherwise)
{
	return argc > i ? strtoul(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
	static const double shares[] = { 1, .9, .5, .2, .1, .01 };
	const char *tmp = getenv("TMPDIR");
	struct bench b = { .entries = number(argc, argv, 1, 100000),
			   .dim = number(argc, argv, 2, 384),
			   .rows = number(argc, argv, 3, 1) };

	if (b.entries < 200 || b.dim < 1 || b.rows < 1 || b.rows > ROWS) {
		fprintf(stderr, "usage: bench_index [entries >= 200] [dimensions] [rows an entry, 1 to %d]\n",
			ROWS);
		return 2;
	}
	const char *kept = getenv("BENCH_FOLDER");
	if (kept)
		snprintf(b.folder, sizeof(b.folder), "%s", kept);
	else
		snprintf(b.folder, sizeof(b.folder), "%s/bench-index-XXXXXX", tmp ? tmp : "/tmp");
	if (!kept && !mkdtemp(b.folder))
		return 1;
	printf("%zu entries of %zu rows, %zu dimensions, seed %d\n", b.entries, b.rows, b.dim, SEED);
	if (argc > 5) {
		b.vectors = read_floats(argv[4], b.entries * b.rows * b.dim);
		b.queries = read_floats(argv[5], QUERIES * b.dim);
	} else {
		make_vectors(&b);
	}
	open_index(&b);
	struct index_stats s;
	index_stats(b.x, &s);
	if (!s.rows)
		build(&b);
	for (size_t k = 10; k <= 100; k *= 10) {
		for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
			time_searches(&b, k, shares[i]);
	}
	index_close(b.x);
	free(b.centres);
	free(b.vectors);
	free(b.queries);
	if (!kept)
		remove_folder(b.folder);
	return 0;
}
