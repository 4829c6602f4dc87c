/* import_example.c: one line of an examples file: a text with its label, vouched for by a curator. */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "desk/example.h"
#include "desk/import.h"
#include "desk/query.h"

#define MAX_LABEL 256

struct line {
	struct example example;
	const char *stream;
	char hash[SHA256_TEXT];
};

/* An example without an id of its own is known by its words and its label. */
static const char *derived_id(struct arena *a, const struct example *x)
{
	STRBUF_AUTO key = STRBUF_INIT;
	const struct token *tokens = NULL;
	char hash[SHA256_TEXT];
	long n = analyse_text(a, x->text.s, x->text.n, &tokens);

	for (long i = 0; i < n; i++) {
		strbuf_puts(&key, tokens[i].word);
		strbuf_putc(&key, ' ');
	}
	if (n == 0)
		strbuf_add(&key, x->text.s, x->text.n);
	strbuf_putc(&key, '\n');
	strbuf_add(&key, x->label.s, x->label.n);
	if (n < 0 || key.failed)
		return NULL;
	crypto_sha256_text(key.p, key.n, hash);
	return arena_printf(a, "example:%.32s", hash + strlen("sha256:"));
}

/* Ids that examples of resolved conversations have: "c-1/example/2". */
static int is_derived_form(struct text id)
{
	static const char form[] = "/example/";
	size_t n = sizeof(form) - 1;

	return id.n > n + 1 && memcmp(id.s + id.n - n - 1, form, n) == 0;
}

static int read_line(const struct call *c, json_t *line, struct line *out)
{
	struct example x = { .at = clock_wall_ms(), .principal = c->rights->key, .backed = 1 };
	struct text id = { 0 }, origin = { 0 };
	struct reader r;
	int rc;

	reader_init(&r, line, NULL, c->err);
	reader_string(&r, "text", REQUIRED, TURN_MAX_TEXT, &x.text);
	reader_string(&r, "label", REQUIRED, MAX_LABEL, &x.label);
	reader_text(&r, "id", OPTIONAL, TURN_MAX_TEXT, &id);
	reader_word(&r, "origin", OPTIONAL, "agent|import|qa", &origin);
	reader_time(&r, "at", OPTIONAL, &x.at);
	if ((rc = reader_done(&r)) < 0 || (id.s && (rc = id_check(id, "id", c->err)) < 0))
		return rc;
	if (id.s && is_derived_form(id))
		return error_set(c->err, ERR_BAD_ID, "id",
				 "id: this form is kept for examples of conversations");
	x.origin = origin.s ? text_copy(c->arena, origin) : "import";
	x.id = id.s ? text_copy(c->arena, id) : derived_id(c->arena, &x);
	out->stream = x.id ? stream_of(c->arena, "example", x.id) : NULL;
	if (!x.origin || !x.id || !out->stream)
		return no_memory(c->err);
	x.imported = out->hash;
	out->example = x;
	return 0;
}

static int commit_example(struct desk *d, const struct call *c, struct line *l, int64_t revision)
{
	struct changes cs = CHANGES_INIT(c->arena);
	struct example *x = &l->example;
	struct event ev = {
		.stream = l->stream, .expect = revision, .kind = "example.imported", .at = x->at
	};
	struct commit done;
	int rc = desk_embed(d, c->arena, &x->text, 1, &x->vector, c->err);

	if (rc < 0)
		return rc;
	example_put(&cs, x);
	vote_put(&cs, arena_printf(c->arena, "%s/vote/1", x->id), x);
	if ((rc = changes_done(&cs, c->err)) < 0)
		return rc;
	ev.changes = cs.list;
	ev.n = cs.n;
	return call_commit(c, d->engine, &ev, 201, NULL, &done);
}

int example_import(struct desk *d, const struct call *c, json_t *line, int *status)
{
	struct line l = { 0 };
	const struct example *x = &l.example;
	int64_t revision;
	int rc = read_line(c, line, &l);

	if (rc < 0)
		return rc;
	/* Only what an example is counts: the same text and label without an id, but other times, is the same. */
	JSON_AUTO *what = json_pack("{s:s%, s:s%, s:s}", "text", x->text.s, x->text.n, "label", x->label.s,
				    x->label.n, "origin", x->origin);
	if (!what)
		return no_memory(c->err);
	if ((rc = import_hash(what, l.hash, c->err)) < 0)
		return rc;
	const struct import_record record = {
		.kind = RECORD_EXAMPLE, .id = x->id, .stream = l.stream, .hash = l.hash
	};
	rc = import_before(d, c, &record, &revision);
	/* Known by its words: another spelling of the same is no other content. */
	if (rc == ERR_EXISTS && !json_object_get(line, "id"))
		rc = 1;
	if (rc == 0 && (rc = commit_example(d, c, &l, revision)) == 0) {
		*status = 1;
		return 0;
	}
	if (rc == ERR_CONFLICT)
		rc = import_before(d, c, &record, &revision);
	if (rc != 1)
		return rc == 0 ? error_set(c->err, ERR_CONFLICT, "id",
					   "id: is being changed by another request")
			       : rc;
	*status = 0;
	return 0;
}
