#include "desk_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "ingest/import.h"

/* A desk, a folder for files, and what the import said. */
struct bench {
	struct fixture *f;
	char folder[300];
	struct strbuf said; /* "line:param:code\n" */
	int reports;
	volatile int stop;
	int stop_after; /* reports; 0: never */
};

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->f = fixture_open("none");
	snprintf(b->folder, sizeof(b->folder), "%s/in", b->f->folder);
	*state = b;
	return mkdir(b->folder, 0700);
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	fixture_close(b->f);
	strbuf_release(&b->said);
	free(b);
	return 0;
}

static const char *write_text(struct bench *b, const char *name, const char *s, size_t n)
{
	const char *path = arena_printf(b->f->arena, "%s/%s", b->folder, name);

	NO_ERROR(b->f, file_write(path, s, n, &b->f->err));
	return path;
}

static const char *write_lines(struct bench *b, const char *name, const char *s)
{
	char *copy = arena_strdup(b->f->arena, s);

	for (char *p = copy; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	return write_text(b, name, copy, strlen(copy));
}

static void report(void *arg, const char *file, uint64_t line, const struct error *e,
		   const struct import_progress *p)
{
	struct bench *b = arg;

	(void)p;
	if (e) {
		assert_non_null(file);
		strbuf_printf(&b->said, "%d:%s:%s\n", (int)line, e->param, error_kind(e->code)->name);
	} else if (++b->reports == b->stop_after) {
		__atomic_store_n(&b->stop, 1, __ATOMIC_RELAXED);
	}
}

static int try_import(struct bench *b, enum import_what what, const char *path, struct import_progress *p)
{
	struct import_options o = {
		.what = what, .rights = &b->f->rights, .report = report, .arg = b, .stop = &b->stop
	};

	strbuf_clear(&b->said);
	strbuf_puts(&b->said, "");
	return import_path(&b->f->desk, path, &o, p, &b->f->err);
}

static struct import_progress import(struct bench *b, enum import_what what, const char *path)
{
	struct import_progress p;

	NO_ERROR(b->f, try_import(b, what, path, &p));
	return p;
}

#define COUNTS(p, i, u, s, x)                                       \
	do {                                                        \
		assert_int_equal((p).imported, i);                  \
		assert_int_equal((p).updated, u);                   \
		assert_int_equal((p).unchanged, s);                 \
		assert_int_equal((p).failed, x);                    \
		assert_int_equal((p).lines, (i) + (u) + (s) + (x)); \
	} while (0)

static const char *text_of_document(struct bench *b, const char *id)
{
	struct fixture *f = b->f;

	return string_at(ACT(f, document_get, id), "text");
}

static void test_import__bad_lines_are_told_and_the_rest_goes_in(void **state)
{
	struct bench *b = *state;
	const char *path = write_lines(b, "a.jsonl",
				       "\xEF\xBB\xBF{'_id':'a','text':'one'}\r\n"
				       "\r\n"
				       "{'_id':'b','text':7}\n"
				       "{'_id':'c'\n"
				       "{'_id':'d','text':'\xff'}\n"
				       "{'_id':'e','text':'x','colour':'red'}\n"
				       "[]\n"
				       "   \n"
				       "{'_id':'f','text':'last, without a newline'}");
	struct import_progress p = import(b, IMPORT_DOCUMENTS, path);

	COUNTS(p, 2, 0, 0, 5);
	assert_int_equal(p.bytes_done, p.bytes_total);
	assert_string_equal(b->said.p, "3:text:wrong_type\n4::bad_json\n5::bad_utf8\n6:colour:unknown_field\n"
				       "7::wrong_type\n");
	assert_string_equal(text_of_document(b, "a"), "one");
	assert_string_equal(text_of_document(b, "f"), "last, without a newline");

	p = import(b, IMPORT_DOCUMENTS, path);
	COUNTS(p, 0, 0, 2, 5);
}

/* `n` documents, "d0" …; texts of version v. */
static const char *write_many(struct bench *b, const char *name, int n, int v)
{
	STRBUF_AUTO s = STRBUF_INIT;

	for (int i = 0; i < n; i++)
		strbuf_printf(&s,
			      "{\"_id\":\"d%d\",\"title\":\"Title %d\",\"text\":\"text %d, version %d\"}\n",
			      i, i, i, v);
	return write_text(b, name, s.p, s.n);
}

static void test_import__many_batches_and_again(void **state)
{
	struct bench *b = *state;
	struct import_progress p = import(b, IMPORT_DOCUMENTS, write_many(b, "a.jsonl", 1000, 1));

	COUNTS(p, 1000, 0, 0, 0);
	assert_true(b->reports > 5);
	p = import(b, IMPORT_DOCUMENTS, write_many(b, "a.jsonl", 1000, 1));
	COUNTS(p, 0, 0, 1000, 0);
	p = import(b, IMPORT_DOCUMENTS, write_many(b, "a.jsonl", 1100, 2));
	COUNTS(p, 100, 1000, 0, 0);
	assert_string_equal(text_of_document(b, "d999"), "text 999, version 2");
}

/* The same id in one batch, in the next, and in one far off; a return to the first text among them. */
static void test_import__the_last_line_of_an_id_wins(void **state)
{
	struct bench *b = *state;
	STRBUF_AUTO s = STRBUF_INIT;

	for (int round = 0; round < 400; round++)
		for (int i = 0; i < 3; i++)
			strbuf_printf(&s, "{\"_id\":\"same%d\",\"text\":\"%d\"}\n", i, round % 4);
	struct import_progress p = import(b, IMPORT_DOCUMENTS, write_text(b, "a.jsonl", s.p, s.n));
	COUNTS(p, 3, 1197, 0, 0);
	assert_string_equal(text_of_document(b, "same2"), "3");
}

static void test_import__stops_at_a_batch_and_goes_on_there(void **state)
{
	struct bench *b = *state;
	const char *path = write_many(b, "a.jsonl", 2000, 1);
	struct import_progress first, p;

	b->stop_after = 2;
	assert_int_equal(try_import(b, IMPORT_DOCUMENTS, path, &first), ERR_INTERRUPTED);
	assert_true(first.imported > 0 && first.imported < 2000);
	b->stop_after = b->stop = 0;
	p = import(b, IMPORT_DOCUMENTS, path);
	COUNTS(p, 2000 - first.imported, 0, first.imported, 0);
}

static void test_import__gzip(void **state)
{
	struct bench *b = *state;
	const char *path = arena_printf(b->f->arena, "%s/a.jsonl.gz", b->folder);
	gzFile gz = gzopen(path, "wb");

	for (int i = 0; i < 100; i++)
		gzprintf(gz, "{\"_id\":\"z%d\",\"text\":\"packed\"}\n", i);
	gzclose(gz);
	struct import_progress p = import(b, IMPORT_DOCUMENTS, path);
	COUNTS(p, 100, 0, 0, 0);
}

/* Some packed data that ends too soon: an error, but what came before is in. */
static void test_import__a_file_that_breaks_off(void **state)
{
	struct bench *b = *state;
	const char *path = arena_printf(b->f->arena, "%s/a.jsonl.gz", b->folder);
	gzFile gz = gzopen(path, "wb");
	struct import_progress p;
	char *s;
	size_t n;

	srand(1);
	for (int i = 0; i < 20000; i++)
		gzprintf(gz, "{\"_id\":\"z%d\",\"text\":\"%d %d %d\"}\n", i, rand(), rand(), rand());
	gzclose(gz);
	NO_ERROR(b->f, file_read(path, &s, &n, &b->f->err));
	memset(s + n / 2, 0xA5, n / 2); /* cut short alone, zlib takes it for the end */
	write_text(b, "a.jsonl.gz", s, n);
	free(s);
	assert_int_equal(try_import(b, IMPORT_DOCUMENTS, path, &p), ERR_CORRUPT);
	assert_true(p.imported > 100);
	assert_int_equal(try_import(b, IMPORT_DOCUMENTS, "/nowhere/at.all", &p), ERR_NOT_FOUND);
}

static void test_import__too_long_a_line_is_one_bad_line(void **state)
{
	struct bench *b = *state;
	STRBUF_AUTO s = STRBUF_INIT;

	strbuf_puts(&s, "{\"_id\":\"a\",\"text\":\"one\"}\n{\"_id\":\"b\",\"text\":\"");
	for (size_t i = 0; i < IMPORT_MAX_LINE / 16 + 1; i++)
		strbuf_puts(&s, "0123456789abcdef");
	strbuf_puts(&s, "\"}\n{\"_id\":\"c\",\"text\":\"three\"}\n");
	struct import_progress p = import(b, IMPORT_DOCUMENTS, write_text(b, "a.jsonl", s.p, s.n));
	COUNTS(p, 2, 0, 0, 1);
	assert_string_equal(b->said.p, "2::too_large\n");
}

static void test_import__folders(void **state)
{
	struct bench *b = *state;
	struct fixture *f = b->f;
	char deeper[320];

	snprintf(deeper, sizeof(deeper), "%s/faq", b->folder);
	mkdir(deeper, 0700);
	write_text(b, "plain.txt", "Just words.", 11);
	write_text(b, "faq/returns.md", "# Returns\n\nThirty days.", 23);
	write_text(b, "faq/no-heading.md", "Thirty *days*.", 14);
	write_text(b, "faq/empty.md", "", 0);
	write_text(b, "faq/bad.txt", "\xff\xfe", 2);
	write_text(b, "picture.png", "\x89PNG", 4);
	write_text(b, ".hidden.txt", "no", 2);
	write_lines(b, "lines.ndjson", "{'_id':'l','text':'x'}\n{'_id':''}\n");
	struct import_progress p = import(b, IMPORT_DOCUMENTS, b->folder);

	COUNTS(p, 4, 0, 0, 3);
	assert_string_equal(b->said.p, "1:text:bad_utf8\n1:text:empty_text\n2:_id:bad_id\n");
	assert_string_equal(string_at(ACT(f, document_get, "plain.txt"), "title"), "plain");
	assert_string_equal(string_at(ACT(f, document_get, "faq/returns.md"), "title"), "Returns");
	assert_string_equal(string_at(ACT(f, document_get, "faq/no-heading.md"), "title"), "no-heading");
	assert_string_equal(text_of_document(b, "faq/no-heading.md"), "Thirty days.");
	p = import(b, IMPORT_DOCUMENTS, b->folder);
	COUNTS(p, 0, 0, 4, 3);
}

static void remove_text(struct bench *b, const char *name)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/%s", b->folder, name);
	assert_int_equal(unlink(path), 0);
}

static int is_there(struct bench *b, const char *id)
{
	json_t *out = NULL;
	int rc = document_get(&b->f->desk, &b->f->call, id, &out);

	json_decref(out);
	assert_true(rc == 0 || rc == ERR_NOT_FOUND);
	return rc == 0;
}

static void test_import__a_folder_is_kept_the_same(void **state)
{
	struct bench *b = *state;

	write_text(b, "a.txt", "alpha", 5);
	write_text(b, "b.html", "<title>Bee</title><nav>menu</nav><p>buzz</p>", 44);
	write_text(b, "c.md", "gamma", 5);
	write_lines(b, "lines.ndjson", "{'_id':'of-a-line','text':'x'}\n");
	struct import_progress p = import(b, IMPORT_DOCUMENTS, b->folder);
	COUNTS(p, 4, 0, 0, 0);
	assert_int_equal(p.deleted, 0);
	assert_string_equal(string_at(ACT(b->f, document_get, "b.html"), "title"), "Bee");
	assert_string_equal(text_of_document(b, "b.html"), "buzz");

	/* a file that cannot be read is still there; a line is not a file */
	remove_text(b, "a.txt");
	write_text(b, "c.md", "\xff", 1);
	remove_text(b, "lines.ndjson");
	p = import(b, IMPORT_DOCUMENTS, b->folder);
	COUNTS(p, 0, 0, 1, 1);
	assert_int_equal(p.deleted, 1);
	assert_false(is_there(b, "a.txt"));
	assert_true(is_there(b, "c.md") && is_there(b, "of-a-line"));

	/* nothing there at all: not believed */
	remove_text(b, "b.html");
	remove_text(b, "c.md");
	p = import(b, IMPORT_DOCUMENTS, b->folder);
	assert_int_equal(p.deleted, 0);
	assert_true(is_there(b, "b.html"));
}

static void test_import__conversations_in_their_order(void **state)
{
	struct bench *b = *state;
	const char *path = write_lines(
		b, "c.jsonl",
		"{'id':'c-1','turns':[{'role':'customer','text':'my parcel is lost'},{'role':'agent','text':'sent again'}],"
		"'resolution':{'outcome':'resolved','intent':'lost_parcel','text':'sent it again'}}\n"
		"{'turns':[]}\n"
		"{'id':'c-2','turns':[{'role':'customer','text':'hello'}]}\n");
	struct import_progress p = import(b, IMPORT_CONVERSATIONS, path);
	struct engine_status s;

	COUNTS(p, 2, 0, 0, 1);
	assert_string_equal(b->said.p, "2:id:missing_field\n");
	NO_ERROR(b->f, engine_status(b->f->desk.engine, b->f->arena, &s, &b->f->err));
	assert_int_equal(s.records[RECORD_CASE], 1);
	p = import(b, IMPORT_CONVERSATIONS, path);
	COUNTS(p, 0, 0, 2, 1);
}

static void test_import__examples(void **state)
{
	struct bench *b = *state;
	STRBUF_AUTO s = STRBUF_INIT;

	for (int i = 0; i < 500; i++)
		strbuf_printf(&s, "{\"text\":\"text number %d\",\"label\":\"l%d\"}\n", i, i % 7);
	strbuf_puts(&s, "{\"text\":\"no label\"}\n");
	const char *path = write_text(b, "e.jsonl", s.p, s.n);
	struct import_progress p = import(b, IMPORT_EXAMPLES, path);

	COUNTS(p, 500, 0, 0, 1);
	assert_string_equal(b->said.p, "501:label:missing_field\n");
	p = import(b, IMPORT_EXAMPLES, path);
	COUNTS(p, 0, 0, 500, 1);
}

static int fail_batch(void *arg, const struct import_progress *p, struct error *e)
{
	(void)arg;
	(void)p;
	return error_set(e, ERR_DISK_FULL, NULL, "full");
}

static void test_importer__an_error_of_the_whole_import_is_sticky(void **state)
{
	struct bench *b = *state;
	struct importer_options o = { .rights = &b->f->rights, .batch_done = fail_batch };
	struct importer *m;
	struct error e;

	NO_ERROR(b->f, importer_open(&b->f->desk, &o, &m, &e));
	const char *line = "{\"_id\":\"a\",\"text\":\"x\"}";
	assert_int_equal(importer_add(m, "f", 1, line, strlen(line), &e), 0);
	assert_int_equal(importer_flush(m, &e), ERR_DISK_FULL);
	assert_int_equal(importer_add(m, "f", 2, line, strlen(line), &e), ERR_DISK_FULL);
	assert_string_equal(e.message, "full");
	assert_int_equal(importer_flush(m, &e), ERR_DISK_FULL);
	importer_close(m);
}

static void test_importer__what_was_not_flushed_is_dropped(void **state)
{
	struct bench *b = *state;
	struct importer_options o = { .rights = &b->f->rights };
	struct importer *m;
	json_t *out;

	NO_ERROR(b->f, importer_open(&b->f->desk, &o, &m, &b->f->err));
	const char *line = "{\"_id\":\"a\",\"text\":\"x\"}";
	NO_ERROR(b->f, importer_add(m, "f", 1, line, strlen(line), &b->f->err));
	importer_close(m);
	assert_int_equal(document_get(&b->f->desk, &b->f->call, "a", &out), ERR_NOT_FOUND);
}

static void test_import__puts_back_what_another_writer_changed(void **state)
{
	struct bench *b = *state;
	const char *path = write_many(b, "a.jsonl", 300, 1);
	struct fixture *f = b->f;

	for (int i = 0; i < 3; i++) {
		struct import_progress p = import(b, IMPORT_DOCUMENTS, path);
		assert_int_equal(p.failed, 0);
		ACT(f, document_act, "d0", J(f, arena_printf(f->arena, "{'text':'other %d'}", i)));
	}
	struct import_progress p = import(b, IMPORT_DOCUMENTS, path);
	COUNTS(p, 0, 1, 299, 0);
	assert_string_equal(text_of_document(b, "d0"), "text 0, version 1");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_import__bad_lines_are_told_and_the_rest_goes_in),
		TEST(test_import__many_batches_and_again),
		TEST(test_import__the_last_line_of_an_id_wins),
		TEST(test_import__stops_at_a_batch_and_goes_on_there),
		TEST(test_import__gzip),
		TEST(test_import__a_file_that_breaks_off),
		TEST(test_import__too_long_a_line_is_one_bad_line),
		TEST(test_import__folders),
		TEST(test_import__a_folder_is_kept_the_same),
		TEST(test_import__conversations_in_their_order),
		TEST(test_import__examples),
		TEST(test_importer__an_error_of_the_whole_import_is_sticky),
		TEST(test_importer__what_was_not_flushed_is_dropped),
		TEST(test_import__puts_back_what_another_writer_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
