#include "datasets/dataset_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/grow.h"
#include "base/map.h"
#include "engine/each.h"

#define TURNS_PAGE 1000

static const struct dataset_format *const formats[] = { &dataset_trl_sft };
static const char *const kind_names[DATASET_KINDS] = { "answers", "intents" };
static const char *const pii_names[PII_MODES] = { "redact", "keep" };
static const char *const split_names[SPLITS] = { "none", "time", "hash" };

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

const struct dataset_format *dataset_format_at(size_t i)
{
	return i < FORMATS ? formats[i] : NULL;
}

const struct dataset_format *dataset_format_find(const char *name)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	return NULL;
}

const char *dataset_kind_name(enum dataset_kind k)
{
	return kind_names[k];
}

/* Where `name` is in a list, or -1. */
static int find_name(const char *const *names, int n, const char *name)
{
	while (n-- > 0 && strcmp(names[n], name) != 0)
		;
	return n;
}

int dataset_kind_find(const char *name, enum dataset_kind *out)
{
	int k = find_name(kind_names, DATASET_KINDS, name);

	if (k >= 0)
		*out = (enum dataset_kind)k;
	return k < 0 ? -1 : 0;
}

const char *dataset_pii_name(enum dataset_pii p)
{
	return pii_names[p];
}

int dataset_pii_find(const char *name, enum dataset_pii *out)
{
	int p = find_name(pii_names, PII_MODES, name);

	if (p >= 0)
		*out = (enum dataset_pii)p;
	return p < 0 ? -1 : 0;
}

const char *dataset_split_name(enum dataset_split s)
{
	return split_names[s];
}

int dataset_split_find(const char *name, enum dataset_split *out)
{
	int s = find_name(split_names, SPLITS, name);

	if (s >= 0)
		*out = (enum dataset_split)s;
	return s < 0 ? -1 : 0;
}

static int check_stop(const struct writing *w)
{
	if (!w->o->stop || !__atomic_load_n(w->o->stop, __ATOMIC_RELAXED))
		return 0;
	return error_set(w->err, ERR_INTERRUPTED, NULL, "interrupted; nothing was written");
}

/* For engine_each(): what is to be called, and by whom. */
struct visit {
	struct writing *w;
	int (*each)(struct writing *w, struct arena *a, const struct record *r);
};

static int visit_record(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	const struct visit *v = arg;
	int rc = check_stop(v->w);

	(void)e; /* the writing's own */
	return rc < 0 ? rc : v->each(v->w, a, r);
}

/* All records of the kind up to the mark. */
static int each_record(struct writing *w, enum record_kind k,
		       int (*each)(struct writing *w, struct arena *a, const struct record *r))
{
	const struct scan s = { .kind = k, .at = w->mark };
	struct visit v = { w, each };

	return engine_each(w->engine, &s, visit_record, &v, w->err);
}

static int in_time(const struct writing *w, const json_t *body)
{
	int64_t at = body_time(body, "at");

	return (!w->o->since || at >= w->o->since) && (!w->o->until || at < w->o->until);
}

static int skip(struct writing *w, enum reason why)
{
	w->skipped[why]++;
	return 0;
}

/* --- rows -------------------------------------------------------------------------------------------- */

/* Without a split and with texts as they are, nobody asks whose a row is. */
static int needs_components(const struct writing *w)
{
	return w->o->split != SPLIT_NONE || w->o->pii == PII_REDACT;
}

static int note_conversation(struct writing *w, struct arena *a, const struct record *r)
{
	(void)a;
	return components_add(w->components, r->id, r->body) < 0 ? no_memory(w->err) : 0;
}

/* All texts of the row but the label, without personal data. New ones are the arena's. */
static int redact_row(struct writing *w, struct arena *a, const struct component *of, struct dataset_row *row)
{
	struct message *list = arena_alloc(a, (row->n_messages + 1) * sizeof(*list));

	if (!list || redactor_begin(w->redactor, component_names(of)) < 0)
		return no_memory(w->err);
	for (size_t i = 0; i < row->n_messages; i++) {
		list[i].role = row->messages[i].role;
		if (redactor_text(w->redactor, a, row->messages[i].text, &list[i].text) < 0)
			return no_memory(w->err);
	}
	row->messages = list;
	if (row->text.s && redactor_text(w->redactor, a, row->text, &row->text) < 0)
		return no_memory(w->err);
	return 0;
}

/* The row of a component, and where it is from. `from` is taken. */
static int add_row(struct writing *w, struct arena *a, struct dataset_row *row, struct component *of,
		   json_t *from)
{
	struct kept_row kept = { .component = of, .start = w->data.n, .from = w->from.n };
	char hash[SHA256_TEXT] = "";
	size_t n = 0;
	char *s = NULL;
	int rc = w->o->split != SPLIT_NONE ? components_add_text(w->components, of, row, w->err) : 0;

	if (rc == 0 && w->o->pii == PII_REDACT)
		rc = redact_row(w, a, of, row);
	if (rc == 0)
		w->o->format->write_row(row, &w->data);
	if (rc == 0 && !w->data.failed) {
		crypto_sha256_text(w->data.p + kept.start, w->data.n - kept.start - 1, hash);
		s = from && body_set(from, "sha256", hash) == 0 ? json_text(from, &n) : NULL;
	}
	json_decref(from);
	if (rc < 0)
		return rc;
	if (!s || GROW(w->kept, w->rows, w->cap) < 0) {
		free(s);
		return no_memory(w->err);
	}
	strbuf_add(&w->from, s, n);
	free(s);
	kept.n = w->data.n - kept.start;
	kept.from_n = w->from.n - kept.from;
	w->kept[w->rows++] = kept;
	if (of)
		component_add_row(of);
	if (w->o->progress)
		w->o->progress(w->o->arg, w->rows);
	return 0;
}

/* --- answers ----------------------------------------------------------------------------------------- */

static int note_resolution(struct writing *w, struct arena *a, const struct record *r)
{
	const char *conversation = body_string(r->body, "conversation");
	uint64_t *seq = map_put(w->last, conversation, strlen(conversation), NULL);

	(void)a;
	if (!seq)
		return no_memory(w->err);
	*seq = r->created;
	return 0;
}

/* The turns that were there when it was resolved. */
static int load_turns(struct writing *w, struct arena *a, const char *conversation, uint64_t at,
		      struct said **out, size_t *n)
{
	struct scan s = { .kind = RECORD_TURN,
			  .field = { "conversation" },
			  .value = { conversation },
			  .at = at,
			  .limit = TURNS_PAGE };
	struct said *list = NULL;
	size_t count = 0, got;

	do {
		struct record *page;
		int rc = engine_scan(w->engine, &s, a, &page, &got, w->err);
		if (rc < 0)
			return rc;
		struct said *more = arena_alloc(a, (count + got + 1) * sizeof(*more));
		if (!more)
			return no_memory(w->err);
		if (count)
			memcpy(more, list, count * sizeof(*more));
		list = more;
		for (size_t i = 0; i < got; i++)
			list[count++] = (struct said){ body_string(page[i].body, "role"),
						       body_text(page[i].body, "text") };
		if (got) {
			s.after = page[got - 1].created;
			s.after_id = page[got - 1].id;
		}
	} while (got == s.limit);
	*out = list;
	*n = count;
	return 0;
}

static int add_resolution(struct writing *w, struct arena *a, const struct record *r)
{
	const char *conversation = body_string(r->body, "conversation");
	const uint64_t *last = map_get(w->last, conversation, strlen(conversation));
	struct dataset_row row = { .kind = DATASET_ANSWERS };
	struct component *of = NULL;
	struct said *turns = NULL;
	size_t n = 0;

	if (!last || *last != r->created)
		return skip(w, SKIP_SUPERSEDED);
	if (strcmp(body_string(r->body, "outcome"), "resolved") != 0)
		return skip(w, SKIP_OUTCOME);
	if (!in_time(w, r->body))
		return skip(w, SKIP_TIME);
	int rc = load_turns(w, a, conversation, r->created, &turns, &n);
	if (rc < 0)
		return rc;
	long messages = dataset_messages(a, turns, n, body_text(r->body, "text"), &row.messages);
	if (messages < 0)
		return no_memory(w->err);
	if (messages == 0)
		return skip(w, SKIP_NOTHING_SAID);
	row.n_messages = (size_t)messages;
	if (needs_components(w) &&
	    !(of = components_of(w->components, "conversation", conversation, body_time(r->body, "at"))))
		return no_memory(w->err);
	json_t *from = json_pack("{s:s, s:s, s:s}", "conversation", conversation, "resolution", r->id, "at",
				 body_string(r->body, "at"));
	if (from && (body_set(from, "case", body_string(r->body, "case")) < 0 ||
		     body_set(from, "intent", body_string(r->body, "intent")) < 0)) {
		json_decref(from);
		from = NULL;
	}
	return add_row(w, a, &row, of, from);
}

/* --- intents ----------------------------------------------------------------------------------------- */

/*
 * Labels are those of the votes, for an example's record has the latest label,
 * which may be younger than the mark. A reviewer's vote holds against others;
 * else the last one counts.
 */
struct vote {
	struct text label;
	int by_qa;
};

static int note_vote(struct writing *w, struct arena *a, const struct record *r)
{
	struct text example = body_text(r->body, "example"), label = body_text(r->body, "label");
	uint64_t *slot = example.s ? map_put(w->votes, example.s, example.n, NULL) : NULL;
	int by_qa = strcmp(body_string(r->body, "by"), "qa") == 0;

	(void)a;
	if (!example.s || !label.s)
		return 0;
	if (slot && !*slot)
		*slot = (uint64_t)(uintptr_t)arena_alloc(w->arena, sizeof(struct vote));
	struct vote *v = slot ? (struct vote *)(uintptr_t)*slot : NULL;
	const char *copy = arena_strndup(w->arena, label.s, label.n);
	if (!v || !copy)
		return no_memory(w->err);
	if (by_qa || !v->by_qa)
		*v = (struct vote){ { copy, label.n }, by_qa };
	return 0;
}

static int add_example(struct writing *w, struct arena *a, const struct record *r)
{
	const uint64_t *slot = map_get(w->votes, r->id, strlen(r->id));
	const struct vote *vote = slot ? (const struct vote *)(uintptr_t)*slot : NULL;
	struct dataset_row row = { .kind = DATASET_INTENTS, .text = body_text(r->body, "text") };
	const char *conversation = body_string(r->body, "conversation");
	struct component *of = NULL;

	if (!row.text.s || !vote)
		return skip(w, SKIP_NOTHING_SAID);
	if (!in_time(w, r->body))
		return skip(w, SKIP_TIME);
	row.label = vote->label;
	if (needs_components(w) &&
	    !(of = components_of(w->components, *conversation ? "conversation" : "example",
				 *conversation ? conversation : r->id, body_time(r->body, "at"))))
		return no_memory(w->err);
	json_t *from = json_pack("{s:s, s:s, s:s}", "example", r->id, "origin",
				 body_string(r->body, "origin"), "at", body_string(r->body, "at"));
	if (from && body_set(from, "conversation", conversation) < 0) {
		json_decref(from);
		from = NULL;
	}
	return add_row(w, a, &row, of, from);
}

/* --- the whole --------------------------------------------------------------------------------------- */

/* With a secret of its own: tokens of two requests, or of two data folders, cannot be joined. NULL without memory. */
static struct redactor *make_redactor(const struct writing *w)
{
	const struct dataset_options *o = w->o;
	STRBUF_AUTO asked = STRBUF_INIT;
	unsigned char secret[SHA256_SIZE];

	strbuf_printf(&asked, "dataset\n%s\n%s\n%llu\n%lld\n%lld\n%s\n%llu\n", o->format->name,
		      dataset_kind_name(o->kind), (unsigned long long)w->mark, (long long)o->since,
		      (long long)o->until, dataset_split_name(o->split), (unsigned long long)o->seed);
	if (asked.failed)
		return NULL;
	crypto_hmac(o->secret, asked.p, asked.n, secret);
	return redactor_new(secret);
}

static int collect(struct writing *w)
{
	int rc;

	w->arena = arena_new(64 << 10);
	w->last = map_new();
	w->votes = map_new();
	w->components = components_new();
	w->redactor = make_redactor(w);
	if (!w->arena || !w->last || !w->votes || !w->components || !w->redactor)
		return no_memory(w->err);
	if (needs_components(w) && (rc = each_record(w, RECORD_CONVERSATION, note_conversation)) < 0)
		return rc;
	if (w->o->kind == DATASET_INTENTS)
		rc = each_record(w, RECORD_VOTE, note_vote);
	else
		rc = each_record(w, RECORD_RESOLUTION, note_resolution);
	if (rc < 0)
		return rc;
	return w->o->kind == DATASET_INTENTS ? each_record(w, RECORD_EXAMPLE, add_example)
					     : each_record(w, RECORD_RESOLUTION, add_resolution);
}

static int find_mark(struct writing *w)
{
	struct arena *a = arena_new(4096);
	struct engine_status st = { 0 };
	int rc = a ? engine_status(w->engine, a, &st, w->err) : no_memory(w->err);

	if (rc == 0 && w->o->mark > st.seq)
		rc = error_set(w->err, ERR_BAD_VALUE, "at", "the data has not come to mark %llu yet",
			       (unsigned long long)w->o->mark);
	if (rc == 0)
		w->mark = w->o->mark ? w->o->mark : st.seq;
	arena_free(a);
	return rc;
}

int dataset_write(struct engine *g, const struct dataset_options *o, struct dataset_summary *out,
		  struct error *e)
{
	struct writing w = { .engine = g, .o = o, .err = e };
	char folder[DATASET_PATH];
	int rc;

	if (!(o->format->kinds & 1u << o->kind))
		return error_set(e, ERR_BAD_VALUE, "kind", "%s has no rows of kind %s", o->format->name,
				 dataset_kind_name(o->kind));
	if ((rc = dataset_check_folder(o->folder, folder, e)) < 0 || (rc = find_mark(&w)) < 0)
		return rc;
	rc = collect(&w);
	if (rc == 0 && w.rows == 0)
		rc = error_set(e, ERR_EMPTY_TEXT, NULL, "there is nothing to export: no %s were recorded",
			       o->kind == DATASET_INTENTS ? "examples" : "resolved conversations");
	if (rc == 0 && (w.data.failed || w.from.failed))
		rc = no_memory(e);
	if (rc == 0 && o->split != SPLIT_NONE)
		rc = components_split(w.components, o->split, o->seed, e);
	if (rc == 0)
		rc = dataset_publish(&w, out);
	strbuf_release(&w.data);
	strbuf_release(&w.from);
	free(w.kept);
	components_free(w.components);
	redactor_free(w.redactor);
	map_free(w.last);
	map_free(w.votes);
	arena_free(w.arena);
	return rc;
}
