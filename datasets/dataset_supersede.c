/*
 * dataset_supersede.c: who denies training withdraws the rows that datasets have
 * already. Subjects whose word is "pending" are taken together, for what costs
 * is to go through the rows of all datasets, once however many they are.
 *
 * A list of deletions is written before the record tells of it, and a subject is
 * settled when all datasets are done: what is cut off is done again, with the
 * same result, for a list holds what the one before it held.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "datasets/consents.h"
#include "datasets/dataset_jobs_internal.h"
#include "datasets/provenance.h"
#include "engine/each.h"

#define SUBJECTS 100 /* at once */
#define REASON "consent_withdrawn"

struct superseding {
	struct dataset_jobs *jobs;
	struct map *withdrawn; /* conversations */
	int failed;            /* 0, or the first error of a dataset that did not stop the others */
	struct error first;
};

/* What becomes of one dataset. */
struct list {
	const char *path;   /* of its deletions */
	struct map *listed; /* rows that were withdrawn before */
	struct strbuf lines;
	size_t rows, fresh, all; /* all: the dataset's */
};

/* --- the rows of one ---------------------------------------------------------------------------------------- */

static int read_listed(struct list *l, struct error *e)
{
	char *text = NULL;
	size_t n = 0;
	int rc = file_read(l->path, &text, &n, e);

	if (rc == ERR_NOT_FOUND)
		return 0;
	for (char *at = text, *end; rc == 0 && (end = memchr(at, '\n', n - (size_t)(at - text)));
	     at = end + 1) {
		json_t *parsed = NULL;
		rc = json_parse(at, (size_t)(end - at), e, &parsed);
		JSON_AUTO *j = parsed;
		const char *row = body_string(j, "row");
		if (rc < 0)
			rc = rc == ERR_NO_MEMORY ? rc : ERR_CORRUPT;
		else if (!map_put(l->listed, row, strlen(row), NULL))
			rc = no_memory(e);
	}
	free(text);
	return rc;
}

static int list_row(struct list *l, const char *dataset, const json_t *row)
{
	JSON_AUTO *place = provenance_place(row);
	char *text = place && body_set(place, "dataset", dataset) == 0 ? json_text(place, NULL) : NULL;

	if (!text)
		return -1;
	strbuf_printf(&l->lines, "%s\n", text);
	free(text);
	l->rows++;
	return l->lines.failed ? -1 : 0;
}

static int list_rows(const struct superseding *s, struct list *l, const char *dataset,
		     const struct provenance *rows, struct error *e)
{
	size_t at = 0;

	while (at < rows->n) {
		JSON_AUTO *row = provenance_next(rows, &at, e);
		if (!row)
			return e->code;
		const char *id = body_string(row, "row");
		l->all++;
		int known = map_get(l->listed, id, strlen(id)) != NULL;
		int fresh = !known &&
			    consent_of(s->withdrawn, body_string(row, "conversation")) == CONSENT_DENIED;
		if ((known || fresh) && list_row(l, dataset, row) < 0)
			return no_memory(e);
		l->fresh += (size_t)fresh;
		if (__atomic_load_n(worker_stop(s->jobs->worker), __ATOMIC_RELAXED))
			return error_set(e, ERR_INTERRUPTED, NULL, "interrupted");
	}
	return 0;
}

/* --- one dataset ---------------------------------------------------------------------------------------------- */

/* `l` NULL: its rows are gone, so nobody can tell which are withdrawn. */
static int tell(const struct superseding *s, struct arena *a, const struct record *r, const struct list *l,
		struct error *e)
{
	json_t *body = body_copy(a, r->body), *told = body_copy(a, json_object_get(r->body, "superseded"));
	struct making m = { .engine = s->jobs->desk->engine,
			    .jobs = s->jobs,
			    .arena = a,
			    .id = r->id,
			    .stream = stream_of(a, "dataset", r->id),
			    .body = body,
			    .revision = r->revision };

	if (!told)
		told = body_new(a);
	if (!body || !told || !m.stream || body_set_time(told, "at", clock_wall_ms()) < 0 ||
	    body_set(told, "reason", REASON) < 0 ||
	    (l ? body_set_int(told, "rows", (int64_t)l->rows) : body_set_bool(told, "unchecked", 1)) < 0 ||
	    body_set_copy(body, "superseded", told) < 0)
		return no_memory(e);
	return making_save(&m, "dataset.superseded", e);
}

static int list_deletions(const struct superseding *s, struct arena *a, const struct record *r,
			  const struct provenance *rows, struct list *l, struct error *e)
{
	const json_t *before = json_object_get(r->body, "superseded");

	l->path = arena_printf(a, "%s/%s/" DATASET_DELETIONS, s->jobs->folder, r->id);
	l->listed = map_new();
	int rc = l->path && l->listed ? read_listed(l, e) : no_memory(e);
	if (rc == 0 && map_count(l->listed) < (size_t)body_int(before, "rows"))
		rc = error_set(e, ERR_CORRUPT, NULL, DATASET_DELETIONS " has not all that it had");
	if (rc < 0 || (rc = list_rows(s, l, r->id, rows, e)) < 0)
		return rc;
	if (l->all != (size_t)body_int(r->body, "rows"))
		return error_set(e, ERR_CORRUPT, NULL, DATASET_PROVENANCE " has not all rows");
	if (l->rows == 0)
		return 0;
	if (l->fresh && (rc = file_write(l->path, l->lines.p, l->lines.n, e)) < 0)
		return rc;
	/* Also where a list was written and the record not. */
	return body_int(before, "rows") == (int64_t)l->rows ? 0 : tell(s, a, r, l, e);
}

static int supersede(const struct superseding *s, struct arena *a, const struct record *r, struct error *e)
{
	const char *folder = arena_printf(a, "%s/%s", s->jobs->folder, r->id);
	struct provenance rows = { 0 };
	struct list l = { .lines = STRBUF_INIT };

	/* Of the command line: its folder may be anywhere (withdrawn.h). */
	if (*body_string(r->body, "folder"))
		return 0;
	int rc = folder ? provenance_open(folder, &rows, e) : no_memory(e);

	if (rc == 0)
		rc = list_deletions(s, a, r, &rows, &l, e);
	provenance_close(&rows);
	strbuf_release(&l.lines);
	map_free(l.listed);
	if (rc != ERR_NOT_FOUND && rc != ERR_CORRUPT)
		return rc;
	log_line(LOG_LEVEL_WARN, "dataset_unchecked", "dataset=%s code=%s", r->id, error_kind(rc)->name);
	return body_bool(json_object_get(r->body, "superseded"), "unchecked") ? 0 : tell(s, a, r, NULL, e);
}

/* One that fails keeps the subjects pending; it does not keep the others from being superseded. */
static int supersede_or_go_on(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct superseding *s = arg;
	int rc = supersede(s, a, r, e);

	if (rc >= 0 || rc == ERR_INTERRUPTED)
		return rc;
	if (!s->failed) {
		s->failed = rc;
		s->first = *e;
	}
	return 0;
}

/* --- all of them ---------------------------------------------------------------------------------------------- */

/* Unless the subject has said something since, which is then looked at in its turn. */
static int settle(struct dataset_jobs *j, struct arena *a, const struct record *r, struct error *e)
{
	struct changes cs = CHANGES_INIT(a);
	json_t *body = body_copy(a, r->body);
	struct commit done;

	if (!body || body_set(body, "datasets", "settled") < 0)
		return no_memory(e);
	changes_put(&cs, RECORD_SUBJECT, r->id, r->subject, body);
	struct event ev = { .stream = stream_of(a, "subject", r->id),
			    .expect = r->revision,
			    .kind = "subject.datasets_settled",
			    .changes = cs.list,
			    .n = cs.n,
			    .principal = body_string(body, "principal"),
			    .agent = body_string(body, "agent") };
	if (!ev.stream || changes_done(&cs, e) < 0)
		return no_memory(e);
	int rc = engine_commit(j->desk->engine, &ev, &done, e);
	return rc == ERR_CONFLICT ? 0 : rc;
}

static int supersede_all(struct superseding *s, const struct record *subjects, size_t n, struct error *e)
{
	const struct scan done = { .kind = RECORD_DATASET, .field = { "state" }, .value = { "done" } };
	struct engine *g = s->jobs->desk->engine;
	int rc = s->withdrawn ? 0 : no_memory(e);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = consents_note(g, subjects[i].id, CONSENT_DENIED, s->withdrawn, e);
	if (rc < 0 || map_count(s->withdrawn) == 0)
		return rc;
	if ((rc = engine_each(g, &done, supersede_or_go_on, s, e)) < 0 || !s->failed)
		return rc;
	*e = s->first;
	return s->failed;
}

int subjects_pending(struct dataset_jobs *j, size_t limit, struct arena *a, struct record **out, size_t *n,
		     struct error *e)
{
	const struct scan pending = {
		.kind = RECORD_SUBJECT, .field = { "datasets" }, .value = { "pending" }, .limit = limit
	};

	return engine_scan(j->desk->engine, &pending, a, out, n, e);
}

int supersede_next(struct dataset_jobs *j, struct arena *a, struct error *e)
{
	struct superseding s = { .jobs = j };
	struct record *subjects;
	size_t n;
	int rc = subjects_pending(j, SUBJECTS, a, &subjects, &n, e);

	if (rc < 0 || n == 0)
		return rc;
	s.withdrawn = map_new();
	rc = supersede_all(&s, subjects, n, e);
	map_free(s.withdrawn);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = settle(j, a, &subjects[i], e);
	if (rc < 0 && rc != ERR_INTERRUPTED)
		log_line(LOG_LEVEL_WARN, "supersede_failed", "code=%s message=%s", error_kind(rc)->name,
			 e->message);
	return rc < 0 ? rc : 1;
}
