#include "datasets/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/map.h"

#define PAGE 200
#define TURNS_PAGE 1000

static const struct dataset_format *const formats[] = { &dataset_trl_sft };
static const char *const kind_names[DATASET_KINDS] = { "answers", "intents" };

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

int dataset_kind_find(const char *name, enum dataset_kind *out)
{
	for (int k = 0; k < DATASET_KINDS; k++)
		if (strcmp(kind_names[k], name) == 0) {
			*out = (enum dataset_kind)k;
			return 0;
		}
	return -1;
}

/* Why something recorded made no row. */
enum reason { SKIP_SUPERSEDED, SKIP_OUTCOME, SKIP_TIME, SKIP_NOTHING_SAID, REASONS };

static const char *const reason_names[REASONS] = { "superseded", "not_resolved", "out_of_time",
						   "nothing_to_learn" };

struct writing {
	struct engine *engine;
	const struct dataset_options *o;
	struct error *err;
	uint64_t mark, rows, skipped[REASONS];
	struct strbuf data, provenance;
	struct arena *arena; /* of votes */
	struct map *last;    /* answers: conversation -> seq of its resolution in force at the mark */
	struct map *votes;   /* intents: example -> its struct vote in force at the mark */
};

static int check_stop(const struct writing *w)
{
	if (!w->o->stop || !__atomic_load_n(w->o->stop, __ATOMIC_RELAXED))
		return 0;
	return error_set(w->err, ERR_INTERRUPTED, NULL, "interrupted; nothing was written");
}

/* Calls each() with all records of the scan's kind up to the mark, a page an arena. */
static int each_record(struct writing *w, enum record_kind k,
		       int (*each)(struct writing *w, struct arena *a, const struct record *r))
{
	struct scan s = { .kind = k, .at = w->mark, .limit = PAGE };
	char after[1024] = "";
	size_t n = PAGE;
	int rc = 0;

	while (rc == 0 && n == PAGE) {
		struct arena *a = arena_new(256 << 10);
		struct record *page;
		s.after_id = after;
		rc = a ? engine_scan(w->engine, &s, a, &page, &n, w->err) : no_memory(w->err);
		for (size_t i = 0; rc == 0 && i < n; i++)
			if ((rc = check_stop(w)) == 0)
				rc = each(w, a, &page[i]);
		if (rc == 0 && n) {
			s.after = page[n - 1].created;
			snprintf(after, sizeof(after), "%s", page[n - 1].id);
		}
		arena_free(a);
	}
	return rc;
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

/* The row, and where it is from. `from` is taken. */
static int add_row(struct writing *w, const struct dataset_row *row, json_t *from)
{
	size_t start = w->data.n;
	char hash[SHA256_TEXT];
	size_t n;

	w->o->format->write_row(row, &w->data);
	if (!w->data.failed)
		crypto_sha256_text(w->data.p + start, w->data.n - start - 1, hash);
	if (w->data.failed || !from || body_set(from, "file", "train.jsonl") < 0 ||
	    body_set_int(from, "line", (int64_t)++w->rows) < 0 || body_set(from, "sha256", hash) < 0) {
		json_decref(from);
		return no_memory(w->err);
	}
	char *s = json_text(from, &n);
	json_decref(from);
	if (!s)
		return no_memory(w->err);
	strbuf_add(&w->provenance, s, n);
	strbuf_putc(&w->provenance, '\n');
	free(s);
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
	json_t *from = json_pack("{s:s, s:s, s:s}", "conversation", conversation, "resolution", r->id, "at",
				 body_string(r->body, "at"));
	if (from && (body_set(from, "case", body_string(r->body, "case")) < 0 ||
		     body_set(from, "intent", body_string(r->body, "intent")) < 0)) {
		json_decref(from);
		from = NULL;
	}
	return add_row(w, &row, from);
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

	(void)a;
	if (!row.text.s || !vote)
		return skip(w, SKIP_NOTHING_SAID);
	if (!in_time(w, r->body))
		return skip(w, SKIP_TIME);
	row.label = vote->label;
	json_t *from = json_pack("{s:s, s:s, s:s}", "example", r->id, "origin",
				 body_string(r->body, "origin"), "at", body_string(r->body, "at"));
	if (from && body_set(from, "conversation", body_string(r->body, "conversation")) < 0) {
		json_decref(from);
		from = NULL;
	}
	return add_row(w, &row, from);
}

/* --- files ------------------------------------------------------------------------------------------- */

static int collect(struct writing *w)
{
	int rc;

	w->arena = arena_new(64 << 10);
	w->last = map_new();
	w->votes = map_new();
	if (!w->arena || !w->last || !w->votes)
		return no_memory(w->err);
	if (w->o->kind == DATASET_INTENTS)
		rc = each_record(w, RECORD_VOTE, note_vote);
	else
		rc = each_record(w, RECORD_RESOLUTION, note_resolution);
	if (rc < 0)
		return rc;
	return w->o->kind == DATASET_INTENTS ? each_record(w, RECORD_EXAMPLE, add_example)
					     : each_record(w, RECORD_RESOLUTION, add_resolution);
}

static json_t *file_json(const char *name, const struct strbuf *b, uint64_t rows)
{
	char hash[SHA256_TEXT];

	crypto_sha256_text(b->p, b->n, hash);
	return json_pack("{s:s, s:s, s:I, s:I}", "name", name, "sha256", hash, "bytes", (json_int_t)b->n,
			 "rows", (json_int_t)rows);
}

static json_t *manifest_json(const struct writing *w)
{
	json_t *skipped = json_object();
	json_t *j;
	int bad = 0;

	for (int i = 0; i < REASONS; i++)
		bad |= w->skipped[i] && body_set_int(skipped, reason_names[i], (int64_t)w->skipped[i]) < 0;
	j = json_pack("{s:i, s:s, s:s, s:I, s:s, s:I, s:o, s:[o, o]}", "readback_dataset", 1, "format",
		      w->o->format->name, "kind", dataset_kind_name(w->o->kind), "mark", (json_int_t)w->mark,
		      "pii", w->o->pii, "rows", (json_int_t)w->rows, "skipped", skipped, "files",
		      file_json("train.jsonl", &w->data, w->rows),
		      file_json("rows.provenance.jsonl", &w->provenance, w->rows));
	if (j && ((w->o->since && body_set_time(j, "since", w->o->since) < 0) ||
		  (w->o->until && body_set_time(j, "until", w->o->until) < 0)))
		bad = 1;
	if (bad) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static int write_in(const struct writing *w, const char *folder, const char *name, const char *s, size_t n)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return error_set(w->err, ERR_FOLDER, NULL, "the path of the folder is too long");
	return file_write(path, s, n, w->err);
}

static int write_files(struct writing *w, const char *folder, struct dataset_summary *out)
{
	JSON_AUTO *j = manifest_json(w);
	char *text = j ? json_dumps(j, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;

	if (!text)
		return no_memory(w->err);
	int rc = write_in(w, folder, "train.jsonl", w->data.p, w->data.n);
	if (rc == 0)
		rc = write_in(w, folder, "rows.provenance.jsonl", w->provenance.p, w->provenance.n);
	if (rc == 0)
		rc = write_in(w, folder, "manifest.json", text, strlen(text));
	if (rc == 0) {
		*out = (struct dataset_summary){ .mark = w->mark, .rows = w->rows };
		for (int i = 0; i < REASONS; i++)
			out->skipped += w->skipped[i];
		crypto_sha256_text(text, strlen(text), out->sha256);
	}
	free(text);
	return rc;
}

/* All that write_files() may have made. */
static void remove_files(const char *folder)
{
	static const char *const names[] = { "train.jsonl", "rows.provenance.jsonl", "manifest.json" };
	char path[4096];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		file_remove(path, NULL);
	}
	rmdir(folder);
}

/* The folder's path without slashes at the end; ERR_EXISTS if there is something in it. */
static int check_folder(const char *folder, char out[3072], struct error *e)
{
	size_t n = strlen(folder), entries = 0;
	char **names;

	while (n > 1 && folder[n - 1] == '/')
		n--;
	if (n == 0 || n >= 3072)
		return error_set(e, ERR_FOLDER, NULL, "the path of the folder is empty or too long");
	memcpy(out, folder, n);
	out[n] = '\0';
	if (!file_exists(out))
		return 0;
	if (!file_is_folder(out))
		return error_set(e, ERR_EXISTS, NULL, "%.200s is there already, and no folder", out);
	int rc = folder_list(out, &names, &entries, e);
	if (rc < 0)
		return rc;
	free(names);
	return entries ? error_set(e, ERR_EXISTS, NULL, "the folder %.200s is not empty: name a new one", out)
		       : 0;
}

static int publish(struct writing *w, struct dataset_summary *out)
{
	char folder[3072], tmp[3200];
	int rc = check_folder(w->o->folder, folder, w->err);

	if (rc < 0)
		return rc;
	snprintf(tmp, sizeof(tmp), "%s.tmp-%ld", folder, (long)getpid());
	rc = folder_make(tmp, w->err);
	if (rc == 0)
		rc = write_files(w, tmp, out);
	if (rc == 0)
		rc = file_publish(tmp, folder, w->err);
	if (rc < 0)
		remove_files(tmp);
	return rc;
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
	char folder[3072];
	int rc;

	if (!(o->format->kinds & 1u << o->kind))
		return error_set(e, ERR_BAD_VALUE, "kind", "%s has no rows of kind %s", o->format->name,
				 dataset_kind_name(o->kind));
	if ((rc = check_folder(o->folder, folder, e)) < 0 || (rc = find_mark(&w)) < 0)
		return rc;
	rc = collect(&w);
	if (rc == 0 && w.rows == 0)
		rc = error_set(e, ERR_EMPTY_TEXT, NULL, "there is nothing to export: no %s were recorded",
			       o->kind == DATASET_INTENTS ? "examples" : "resolved conversations");
	if (rc == 0 && (w.data.failed || w.provenance.failed))
		rc = no_memory(e);
	if (rc == 0)
		rc = publish(&w, out);
	strbuf_release(&w.data);
	strbuf_release(&w.provenance);
	map_free(w.last);
	map_free(w.votes);
	arena_free(w.arena);
	return rc;
}
