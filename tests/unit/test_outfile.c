#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/outfile.h"

struct place {
	char folder[256], path[300];
	struct error err;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	const char *tmp = getenv("TMPDIR");

	snprintf(p->folder, sizeof(p->folder), "%s/readback-outfile-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->path, sizeof(p->path), "%s/out", p->folder);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	unlink(p->path);
	assert_int_equal(rmdir(p->folder), 0);
	free(p);
	return 0;
}

/* Pieces below, at and above the size of the buffer. */
static const size_t pieces[] = { 0, 1, 65535, 65536, 65537, 200000, 3 };

static void add_pieces(struct outfile *o, char *all, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		memset(all + *n, 'a' + (int)i, pieces[i]);
		outfile_add(o, all + *n, pieces[i]);
		*n += pieces[i];
		assert_int_equal(outfile_bytes(o), *n);
	}
}

static void test_outfile__has_what_was_added_and_its_hash(void **state)
{
	struct place *p = *state;
	struct outfile *o;
	char *all = malloc(500000), *read, hash[SHA256_TEXT], wanted[SHA256_TEXT];
	size_t n, got;

	assert_int_equal(outfile_open(p->path, OUTFILE_NAMED, &o, &p->err), 0);
	add_pieces(o, all, &n);
	assert_int_equal(outfile_end(o, hash, &p->err), 0);
	assert_int_equal(file_read(p->path, &read, &got, &p->err), 0);
	assert_int_equal(got, n);
	assert_memory_equal(read, all, n);
	crypto_sha256_text(all, n, wanted);
	assert_string_equal(hash, wanted);
	/* What is there already is not written over. */
	assert_int_equal(outfile_open(p->path, OUTFILE_NAMED, &o, &p->err), ERR_IO);
	free(read);
	free(all);
}

static void test_outfile__a_spool_is_read_back_and_has_no_name(void **state)
{
	struct place *p = *state;
	struct outfile *o;
	char *all = malloc(500000), piece[100];
	size_t n;

	assert_int_equal(outfile_open(p->path, OUTFILE_SPOOL, &o, &p->err), 0);
	assert_false(file_exists(p->path));
	add_pieces(o, all, &n);
	assert_int_equal(outfile_read(o, n - 50, piece, 50, &p->err), 0);
	assert_memory_equal(piece, all + n - 50, 50);
	outfile_add(o, "more", 4);
	assert_int_equal(outfile_read(o, n, piece, 4, &p->err), 0);
	assert_memory_equal(piece, "more", 4);
	assert_int_equal(outfile_read(o, n, piece, 5, &p->err), ERR_IO);
	outfile_drop(o);
	outfile_drop(NULL);
	free(all);
}

static void test_outfile__a_write_that_failed_is_told_at_the_end(void **state)
{
	struct place *p = *state;
	struct rlimit before, low;
	struct outfile *o;
	char piece[10];

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	low = before;
	low.rlim_cur = 4;
	assert_int_equal(outfile_open(p->path, OUTFILE_NAMED, &o, &p->err), 0);
	void (*was)(int) = signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &low);
	outfile_add(o, "123456", 6);
	int read = outfile_read(o, 0, piece, 6, &p->err);
	int ended = outfile_end(o, NULL, &p->err);
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, was);
	assert_int_equal(read, ERR_IO);
	assert_int_equal(ended, ERR_IO);
	assert_non_null(strstr(p->err.message, "cannot be written"));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_outfile__has_what_was_added_and_its_hash),
		TEST(test_outfile__a_spool_is_read_back_and_has_no_name),
		TEST(test_outfile__a_write_that_failed_is_told_at_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
