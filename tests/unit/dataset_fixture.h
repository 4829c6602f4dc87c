/* dataset_fixture.h: conversations in, files of a dataset out, for the tests of datasets. */
#ifndef READBACK_TESTS_DATASET_FIXTURE_H
#define READBACK_TESTS_DATASET_FIXTURE_H

#include "handoff_fixture.h"

#include "base/file.h"
#include "datasets/dataset.h"

static inline void import(struct fixture *f, const char *line)
{
	int status;

	NO_ERROR(f, conversation_import(&f->desk, &f->call, J(f, line), &status));
	assert_int_equal(status, 1);
}

static inline struct dataset_options options_as(struct fixture *f, const struct dataset_format *format,
						enum dataset_kind kind, const char *name)
{
	return (struct dataset_options){ .format = format,
					 .kind = kind,
					 .pii = PII_KEEP,
					 .folder = arena_printf(f->arena, "%s/%s", f->folder, name) };
}

static inline const char *content(struct fixture *f, const char *folder, const char *name)
{
	char *s;
	size_t n;

	NO_ERROR(f, file_read(arena_printf(f->arena, "%s/%s", folder, name), &s, &n, &f->err));
	const char *copy = arena_strndup(f->arena, s, n);
	free(s);
	return copy;
}

static inline struct dataset_summary export(struct fixture *f, const struct dataset_options *o)
{
	struct dataset_summary s;

	NO_ERROR(f, dataset_write(f->desk.engine, o, &s, &f->err));
	return s;
}

static inline struct dataset_options options_of(struct fixture *f, enum dataset_kind kind, const char *name)
{
	return options_as(f, &dataset_trl_sft, kind, name);
}

static inline const char *written(struct fixture *f, const struct dataset_options *o, const char *name)
{
	export(f, o);
	return content(f, o->folder, name);
}

static inline json_t *parsed(struct fixture *f, const char *text)
{
	json_t *j;

	if (json_parse_arena(f->arena, text, strcspn(text, "\n"), &f->err, &j) < 0)
		fail_msg("%s: %s", f->err.message, text);
	return j;
}

static inline json_t *manifest_of(struct fixture *f, const struct dataset_options *o)
{
	json_t *j;
	const char *text = content(f, o->folder, "manifest.json");

	NO_ERROR(f, json_parse_arena(f->arena, text, strlen(text), &f->err, &j));
	return j;
}

/* The export must fail so, and leave nothing. */
#define EXPORT_FAILS(f, code_, o)                                                              \
	({                                                                                     \
		struct dataset_summary s_;                                                     \
		assert_int_equal(dataset_write((f)->desk.engine, (o), &s_, &(f)->err), code_); \
		assert_false(file_exists((o)->folder));                                        \
		(f)->err.message;                                                              \
	})

#endif
