/*
 * desk_fixture.h: a desk over a real engine in a folder of its own, for tests.
 *
 *	struct fixture *f = fixture_open("none");      or "minilm": NULL when there is no model
 *	json_t *r = ACT(f, conversation_act, J(f, "{'id':'c-1'}"));
 *
 * All memory of calls is the fixture's arena's. Functions that fail stop the test.
 */
#ifndef READBACK_TESTS_DESK_FIXTURE_H
#define READBACK_TESTS_DESK_FIXTURE_H

#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/strbuf.h"
#include "desk/bodies.h"
#include "desk/desk.h"
#include "embed/embed.h"
#include "engine/embedded.h"

struct fixture {
	struct desk desk;
	struct arena *arena;
	struct rights rights;
	struct call call; /* of `rights`; err is below */
	struct error err;
	char folder[256];
};

/* Everything that a key may do. */
static inline struct rights fixture_rights(const char *key, unsigned scopes, const char *const *groups,
					   size_t n)
{
	return (struct rights){ .key = key,
				.agent = key,
				.scopes = scopes,
				.all_groups = groups == NULL,
				.groups = groups,
				.n_groups = n };
}

/* From now on the caller is this one. */
static inline void fixture_caller(struct fixture *f, struct rights r)
{
	f->rights = r;
	f->call = (struct call){
		.arena = f->arena, .rights = &f->rights, .err = &f->err, .if_match = CALL_NO_MATCH
	};
}

static inline struct fixture *fixture_open(const char *embedder)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");
	struct embedder_options eo = { .kind = embedder };
	int rc;

	assert_non_null(f);
	assert_int_equal(crypto_start(), 0);
	f->arena = arena_new(1 << 16);
	assert_non_null(f->arena);
	rc = embedder_open(&eo, &f->desk.embedder, &f->err);
	if (rc == ERR_MODEL) {
		print_message("no model: %s\n", f->err.message);
		arena_free(f->arena);
		free(f);
		return NULL;
	}
	if (rc < 0)
		fail_msg("embedder: %s", f->err.message);
	snprintf(f->folder, sizeof(f->folder), "%s/readback-desk-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->folder));
	struct embedded_options o = { .folder = f->folder,
				      .embedder = embedder_info(f->desk.embedder),
				      .no_background = 1 };
	if (embedded_open(&o, &f->desk.engine, &f->err) < 0)
		fail_msg("engine: %s", f->err.message);
	memset(f->desk.secret, 7, sizeof(f->desk.secret));
	fixture_caller(f, fixture_rights("k-all", SCOPE_ADMIN, NULL, 0));
	return f;
}

static inline void fixture_close(struct fixture *f)
{
	char command[300];

	if (!f)
		return;
	engine_close(f->desk.engine);
	embedder_close(f->desk.embedder);
	arena_free(f->arena);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
}

/* JSON written with ' in place of ". */
static inline json_t *J(struct fixture *f, const char *text)
{
	char *s = arena_strdup(f->arena, text);
	json_t *j;

	for (char *p = s; *p; p++)
		if (*p == '\'')
			*p = '"';
	if (json_parse_arena(f->arena, s, strlen(s), &f->err, &j) < 0)
		fail_msg("%s: %s", f->err.message, s);
	return j;
}

#define NO_ERROR(f, rc)                                                                                   \
	do {                                                                                              \
		int rc_ = (rc);                                                                           \
		if (rc_ < 0)                                                                              \
			fail_msg("%s: %s (%s)", error_kind(rc_)->name, (f)->err.message, (f)->err.param); \
	} while (0)

/* An act that must succeed: its result. */
#define ACT(f, act, ...)                                                           \
	({                                                                         \
		json_t *result_ = NULL;                                            \
		NO_ERROR(f, act(&(f)->desk, &(f)->call, ##__VA_ARGS__, &result_)); \
		json_keep((f)->arena, result_);                                    \
	})

/* An act that must fail so; returns the error for a look at param and state. */
#define FAILS(f, code_, act, ...)                                                                        \
	({                                                                                               \
		json_t *result_ = NULL;                                                                  \
		(f)->err = (struct error){ 0 };                                                          \
		int rc_ = act(&(f)->desk, &(f)->call, ##__VA_ARGS__, &result_);                          \
		json_decref(result_);                                                                    \
		if (rc_ != (code_))                                                                      \
			fail_msg("%s instead of %s: %s", error_kind(rc_)->name, error_kind(code_)->name, \
				 (f)->err.message);                                                      \
		&(f)->err;                                                                               \
	})

/* desk_search with its answer as a tree, as acts have their results. */
static inline int search_act(struct desk *d, const struct call *c, json_t *body, json_t **out)
{
	STRBUF_AUTO text = STRBUF_INIT;
	int rc = desk_search(d, c, body, &text);

	return rc < 0 ? rc : json_parse(text.p, text.n, c->err, out);
}

/* A string deep inside: get(j, "a.b.0.c"); NULL where there is none. */
static inline json_t *at(const json_t *j, const char *path)
{
	char name[64];

	while (j && *path) {
		size_t n = strcspn(path, ".");
		assert_true(n < sizeof(name));
		memcpy(name, path, n);
		name[n] = '\0';
		j = json_is_array(j) ? json_array_get(j, (size_t)atoi(name)) : json_object_get(j, name);
		path += n + (path[n] == '.');
	}
	return (json_t *)j;
}

static inline const char *string_at(const json_t *j, const char *path)
{
	const char *s = json_string_value(at(j, path));

	if (!s)
		fail_msg("%s is no string", path);
	return s;
}

static inline long long int_at(const json_t *j, const char *path)
{
	if (!json_is_integer(at(j, path)))
		fail_msg("%s is no integer", path);
	return json_integer_value(at(j, path));
}

static inline double number_at(const json_t *j, const char *path)
{
	if (!json_is_number(at(j, path)))
		fail_msg("%s is no number", path);
	return json_number_value(at(j, path));
}

/* Puts a document directly, as ingest does for one without chunks. */
static inline void put_document(struct fixture *f, const char *id, const char *title, const char *text,
				const char *acl)
{
	size_t dim = embedder_info(f->desk.embedder)->dim;
	float *v = arena_alloc(f->arena, 2 * (dim + 1) * sizeof(*v));
	struct text parts[2] = { text_of(title), text_of(text) };
	json_t *body = J(f, "{'version':'sha256:0','updated_at':'2026-06-01T00:00:00Z','source':'test'}");
	int64_t revision;
	struct commit done;

	if (dim)
		NO_ERROR(f, embedder_embed(f->desk.embedder, parts, 2, v, &f->err));
	body_set(body, "title", title);
	if (acl)
		body_set_copy(body, "acl", J(f, acl));
	struct entry_row rows[2] = { { ROW_TITLE, 0, 0, 0, dim ? v : NULL },
				     { ROW_WHOLE, 0, 0, strlen(text), dim ? v + dim : NULL } };
	struct entry entry = { .title = parts[0],
			       .text = parts[1],
			       .rows = rows,
			       .n_rows = 2,
			       .acl = json_object_get(body, "acl") };
	struct change change = {
		.kind = RECORD_DOCUMENT, .id = id, .body = body, .text = parts[1], .entry = &entry
	};
	const char *stream = stream_of(f->arena, "document", id);
	NO_ERROR(f, engine_revision(f->desk.engine, stream, &revision, &f->err));
	struct event ev = { .stream = stream,
			    .expect = revision,
			    .kind = "document.put",
			    .principal = "k-all",
			    .changes = &change,
			    .n = 1 };
	NO_ERROR(f, engine_commit(f->desk.engine, &ev, &done, &f->err));
}

#endif
