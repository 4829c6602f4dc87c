#include "ingest/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "engine/rules.h"

#define MOST_READ 1024 /* elements of a list that are looked at; a longer one is too large */
#define DERIVED 24     /* hexadecimal digits of the hash that an id is made of */

/* Fields as they stand in the body. */
struct fields {
	struct text id, type, from, query, intent, customer, decision, because;
	json_t *to, *words, *documents, *when;
};

/* What can never be found in a query would be a rule without effect. */
static int check_phrase(const struct call *c, struct reader *r, const char *name, long i, struct text t)
{
	const struct token *tokens;
	char path[160];

	if (!t.s || r->rc < 0)
		return r->rc;
	long n = analyse_text(c->arena, t.s, t.n, &tokens);
	if (n < 0)
		return no_memory(c->err);
	if (n == 0) {
		reader_path(r, name, i, path, sizeof(path));
		r->rc = error_set(r->err, ERR_BAD_VALUE, path, "%s: has no word", path);
	}
	return r->rc;
}

static int check_size(struct reader *r, const char *name, const json_t *list, size_t least, size_t most)
{
	if (list && json_array_size(list) < least)
		reader_fail(r, ERR_BAD_VALUE, name, "must name at least %zu", least);
	if (json_array_size(list) > most)
		reader_fail(r, ERR_BAD_VALUE, name, "must name at most %zu", most);
	return r->rc;
}

static int check_phrases(const struct call *c, struct reader *r, const char *name, json_t *list, size_t least)
{
	json_t *item;
	size_t i;

	if (check_size(r, name, list, least, RULE_MAX_WORDS) < 0)
		return r->rc;
	json_array_foreach(list, i, item) {
		struct text t = { json_string_value(item), json_string_length(item) };
		int rc = check_phrase(c, r, name, (long)i, t);
		if (rc < 0)
			return rc;
	}
	return r->rc;
}

/* A policy may be for a customer, too. */
static int read_when(const struct call *c, struct fields *f, int policy)
{
	struct reader r;
	int rc;

	reader_init(&r, f->when, "when", c->err);
	reader_string(&r, "query", OPTIONAL, RULE_MAX_QUERY, &f->query);
	reader_string(&r, "intent", OPTIONAL, RULE_MAX_INTENT, &f->intent);
	if (policy)
		reader_string(&r, "customer", OPTIONAL, DOCUMENT_MAX_ID, &f->customer);
	if ((rc = reader_done(&r)) < 0)
		return rc;
	int given = (f->query.s != NULL) + (f->intent.s != NULL) + (f->customer.s != NULL);
	if (given != 1)
		return error_set(c->err, given ? ERR_BAD_VALUE : ERR_MISSING_FIELD, "when",
				 policy ? "when: give a query, an intent or a customer, one of them"
					: "when: give a query or an intent, one of them");
	return check_phrase(c, &r, "query", -1, f->query);
}

static int read_policy(const struct call *c, struct reader *r, struct fields *f)
{
	int rc;

	reader_word(r, "decision", REQUIRED, "escalate|clarify", &f->decision);
	reader_string(r, "because", OPTIONAL, RULE_MAX_BECAUSE, &f->because);
	reader_object(r, "when", REQUIRED, &f->when);
	rc = reader_done(r);
	return rc < 0 ? rc : read_when(c, f, 1);
}

static int read_documents(const struct call *c, struct reader *r, struct fields *f)
{
	json_t *item;
	size_t i;
	int rc;

	reader_strings(r, "documents", REQUIRED, MOST_READ, DOCUMENT_MAX_ID, &f->documents);
	reader_object(r, "when", REQUIRED, &f->when);
	if ((rc = reader_done(r)) < 0)
		return rc;
	if (check_size(r, "documents", f->documents, 1, RULE_MAX_DOCUMENTS) < 0)
		return r->rc;
	json_array_foreach(f->documents, i, item) {
		struct text id = { json_string_value(item), json_string_length(item) };
		char path[32];
		snprintf(path, sizeof(path), "documents[%zu]", i);
		if (r->rc == 0)
			r->rc = id_check(id, path, c->err);
	}
	return r->rc < 0 ? r->rc : read_when(c, f, 0);
}

static int read_words(const struct call *c, struct reader *r, struct fields *f, int both_ways)
{
	int rc;

	if (both_ways) {
		reader_strings(r, "words", REQUIRED, MOST_READ, RULE_MAX_PHRASE, &f->words);
	} else {
		reader_string(r, "from", REQUIRED, RULE_MAX_PHRASE, &f->from);
		reader_strings(r, "to", REQUIRED, MOST_READ, RULE_MAX_PHRASE, &f->to);
	}
	if ((rc = reader_done(r)) < 0 || (rc = check_phrase(c, r, "from", -1, f->from)) < 0 ||
	    (rc = check_phrases(c, r, "to", f->to, 1)) < 0)
		return rc;
	return check_phrases(c, r, "words", f->words, 2);
}

static json_t *body_of(struct arena *a, const struct fields *f)
{
	json_t *b = body_new(a), *when = f->when ? json_object() : NULL;
	int bad = !b || (f->when && body_set_take(b, "when", when) < 0) ||
		  body_set_text(b, "type", f->type) < 0 || body_set_text(b, "from", f->from) < 0 ||
		  body_set_copy(b, "to", f->to) < 0 || body_set_copy(b, "words", f->words) < 0 ||
		  body_set_copy(b, "documents", f->documents) < 0 ||
		  body_set_text(b, "decision", f->decision) < 0 ||
		  body_set_text(b, "because", f->because) < 0;

	if (!bad && when)
		bad = body_set_text(when, "query", f->query) < 0 ||
		      body_set_text(when, "intent", f->intent) < 0 ||
		      body_set_text(when, "customer", f->customer) < 0;
	return bad ? NULL : b;
}

/* So that the same line is the same rule when it comes again. */
static const char *derived_id(struct arena *a, const json_t *body)
{
	char hash[SHA256_TEXT];
	size_t n;
	char *text = json_text(body, &n);

	if (!text)
		return NULL;
	crypto_sha256_text(text, n, hash);
	free(text);
	return arena_printf(a, "rule_%.*s", DERIVED, hash + strlen("sha256:"));
}

int rule_read(const struct call *c, const char *id, json_t *body, struct rule *out)
{
	struct fields f = { .id = text_of(id) };
	struct reader r;
	int rc;

	reader_init(&r, body, NULL, c->err);
	if (!id)
		reader_string(&r, "id", OPTIONAL, RULE_MAX_QUERY, &f.id); /* id_check() has the limit */
	reader_word(&r, "type", REQUIRED, "synonym|synonyms|pin|hide|policy", &f.type);
	if (r.rc < 0) /* the other fields depend on it */
		return r.rc;
	if (text_is(f.type, "policy"))
		rc = read_policy(c, &r, &f);
	else if (text_is(f.type, "pin") || text_is(f.type, "hide"))
		rc = read_documents(c, &r, &f);
	else
		rc = read_words(c, &r, &f, text_is(f.type, "synonyms"));
	if (rc < 0 || (f.id.s && (rc = id_check(f.id, "id", c->err)) < 0))
		return rc;
	struct rule x = { .body = body_of(c->arena, &f) };
	if (x.body)
		x.id = f.id.s ? text_copy(c->arena, f.id) : derived_id(c->arena, x.body);
	if (!x.id)
		return no_memory(c->err);
	*out = x;
	return 0;
}
