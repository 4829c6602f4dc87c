/*
 * foreign_fixture.h: a desk, and files of other tools that are imported into
 * it, for tests of `import --from`. Functions that fail stop the test.
 */
#ifndef READBACK_TESTS_FOREIGN_FIXTURE_H
#define READBACK_TESTS_FOREIGN_FIXTURE_H

#include "desk_fixture.h"

#include "base/file.h"
#include "ingest/import.h"

struct bench {
	struct fixture *f;
	struct strbuf said; /* "line:param:code\n" */
	struct error last;
};

static inline int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->f = fixture_open("none");
	*state = b;
	return 0;
}

static inline int tear_down(void **state)
{
	struct bench *b = *state;

	fixture_close(b->f);
	strbuf_release(&b->said);
	free(b);
	return 0;
}

static inline const char *write_bytes(struct bench *b, const char *name, const char *s, size_t n)
{
	const char *path = arena_printf(b->f->arena, "%s/%s", b->f->folder, name);

	NO_ERROR(b->f, file_write(path, s, n, &b->f->err));
	return path;
}

static inline const char *write_file(struct bench *b, const char *name, const char *s)
{
	return write_bytes(b, name, s, strlen(s));
}

static inline void report(void *arg, const char *file, uint64_t line, const struct error *e,
			  const struct import_progress *p)
{
	struct bench *b = arg;

	(void)file;
	(void)p;
	if (!e)
		return;
	strbuf_printf(&b->said, "%d:%s:%s\n", (int)line, e->param, error_kind(e->code)->name);
	b->last = *e;
}

static inline const struct import_format *format(struct bench *b, enum import_what what, const char *name)
{
	const struct import_format *f;

	NO_ERROR(b->f, import_format_find(what, name, &f, &b->f->err));
	return f;
}

static inline int try_import(struct bench *b, enum import_what what, const char *from, const char *path,
			     struct import_progress *p)
{
	struct import_options o = { .what = what,
				    .rights = &b->f->rights,
				    .report = report,
				    .arg = b,
				    .from = from ? format(b, what, from) : NULL };

	strbuf_clear(&b->said);
	strbuf_puts(&b->said, "");
	return import_path(&b->f->desk, path, &o, p, &b->f->err);
}

#define COUNTS(p, i, s, x)                          \
	do {                                        \
		assert_int_equal((p).imported, i);  \
		assert_int_equal((p).unchanged, s); \
		assert_int_equal((p).failed, x);    \
	} while (0)

/* All goes in, and a second time all is there. */
static inline void import_twice(struct bench *b, enum import_what what, const char *from, const char *path,
				size_t n)
{
	struct import_progress p;

	NO_ERROR(b->f, try_import(b, what, from, path, &p));
	assert_string_equal(b->said.p, "");
	COUNTS(p, n, 0, 0);
	NO_ERROR(b->f, try_import(b, what, from, path, &p));
	COUNTS(p, 0, n, 0);
}

/* The label of the example with this text. */
static inline const char *label_of(struct bench *b, const char *text)
{
	struct scan s = { .kind = RECORD_EXAMPLE, .limit = 5000 };
	struct record *list;
	size_t n;

	NO_ERROR(b->f, engine_scan(b->f->desk.engine, &s, b->f->arena, &list, &n, &b->f->err));
	for (size_t i = 0; i < n; i++)
		if (strcmp(body_string(list[i].body, "text"), text) == 0) {
			assert_string_equal(body_string(list[i].body, "origin"), "import");
			return body_string(list[i].body, "label");
		}
	fail_msg("no example \"%s\"", text);
	return NULL;
}

static inline size_t count(struct bench *b, enum record_kind k)
{
	struct scan s = { .kind = k, .limit = 5000 };
	struct record *list;
	size_t n;

	NO_ERROR(b->f, engine_scan(b->f->desk.engine, &s, b->f->arena, &list, &n, &b->f->err));
	return n;
}

static inline json_t *show(struct bench *b, const char *id)
{
	struct fixture *f = b->f;
	json_t *named = json_keep(f->arena, json_pack("{s:s}", "conversation", id)), *out = NULL;

	NO_ERROR(f, conversation_show(&f->desk, &f->call, named, &out));
	return json_keep(f->arena, out);
}

struct bad {
	const char *content, *said;
	const char *message; /* a part of it; NULL: whatever */
};

/* Each file has one thing that is not taken. */
static inline void check_bad(struct bench *b, enum import_what what, const char *from, const struct bad *list,
			     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct import_progress p;
		NO_ERROR(b->f, try_import(b, what, from, write_file(b, "bad", list[i].content), &p));
		if (strcmp(b->said.p, list[i].said) != 0)
			fail_msg("%s\nsaid: %s (%s)", list[i].content, b->said.p, b->last.message);
		if (list[i].message && !strstr(b->last.message, list[i].message))
			fail_msg("%s\nsaid: %s", list[i].content, b->last.message);
		assert_int_equal(p.failed, 1);
		assert_int_equal(p.imported, 0);
	}
	assert_int_equal(count(b, RECORD_EXAMPLE) + count(b, RECORD_CONVERSATION), 0);
}

#define CHECK_BAD(b, what, from, list) check_bad(b, what, from, list, sizeof(list) / sizeof((list)[0]))

#endif
