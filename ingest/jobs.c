/*
 * Jobs. A job is a record that names its stream, "job/ID", and its input, the
 * NDJSON, a file (job_input.h):
 *
 *	{"state":"queued|running|done|failed","what":"documents","done":lines,"total":lines,
 *	 "imported","updated","unchanged","failed": counts,"errors":[{"line","param","code"}] (the first 100),
 *	 "error"?: {"code","message"} of a job that failed as a whole,
 *	 "rights":{"key","agent","scopes","all_groups","groups"}: of who asked, under which it runs}
 *
 * One thread takes the oldest running job (one that was cut off), then the
 * oldest queued one, until it is closed. Lines are committed in order and
 * `done` is written behind them, so a job that goes on skips what is done; the
 * few lines between are found unchanged.
 */
#include "ingest/ingest.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/worker.h"
#include "desk/bodies.h"
#include "ingest/import.h"
#include "ingest/job_input.h"

#define MAX_ERRORS 100
#define SAVE_EVERY_US 500000
#define RETRY_SECONDS 5 /* after an error of the engine */

struct jobs {
	struct desk *desk;
	char *folder; /* of inputs */
	struct worker *worker;
};

/* The job under way. */
struct run {
	struct jobs *jobs;
	struct arena *arena;
	const char *id, *stream;
	json_t *body;
	int64_t revision;
	int64_t done;                  /* lines, before this start */
	struct import_progress before; /* counts of earlier starts */
	int64_t saved_us;
};

static int save(struct run *r, struct error *e)
{
	struct arena *a = arena_new(4096);
	struct changes cs = CHANGES_INIT(a);
	struct commit done;

	if (!a)
		return no_memory(e);
	changes_put(&cs, RECORD_JOB, r->id, NULL, r->body);
	struct event ev = { .stream = r->stream,
			    .expect = r->revision,
			    .kind = "job.progress",
			    .changes = cs.list,
			    .n = cs.n,
			    .principal = body_string(json_object_get(r->body, "rights"), "key") };
	int rc = changes_done(&cs, e);
	if (rc == 0)
		rc = engine_commit(r->jobs->desk->engine, &ev, &done, e);
	if (rc == 0)
		r->revision = done.revision;
	r->saved_us = clock_mono_us();
	arena_free(a);
	return rc;
}

static int add_error(json_t *errors, uint64_t line, const struct error *error)
{
	if (json_array_size(errors) >= MAX_ERRORS)
		return 0;
	return json_array_append_new(errors,
				     json_pack("{s:I, s:o, s:s}", "line", (json_int_t)line, "param",
					       error->param[0] ? json_string(error->param) : json_null(),
					       "code", error_kind(error->code)->name));
}

static void bad_line(void *arg, const char *file, uint64_t line, const struct error *error)
{
	struct run *r = arg;

	(void)file;
	add_error(json_object_get(r->body, "errors"), line, error);
}

static int set_counts(struct run *r, const struct import_progress *p)
{
	const struct import_progress *b = &r->before;

	return body_set_int(r->body, "done", r->done + (int64_t)p->lines) < 0 ||
			       body_set_int(r->body, "imported", (int64_t)(b->imported + p->imported)) < 0 ||
			       body_set_int(r->body, "updated", (int64_t)(b->updated + p->updated)) < 0 ||
			       body_set_int(r->body, "unchanged", (int64_t)(b->unchanged + p->unchanged)) <
				       0 ||
			       body_set_int(r->body, "failed", (int64_t)(b->failed + p->failed)) < 0
		       ? -1
		       : 0;
}

static int batch_done(void *arg, const struct import_progress *p, struct error *e)
{
	struct run *r = arg;

	if (set_counts(r, p) < 0)
		return no_memory(e);
	return clock_mono_us() - r->saved_us < SAVE_EVERY_US ? 0 : save(r, e);
}

static int read_rights(struct arena *a, const json_t *saved, struct rights *out)
{
	const json_t *groups = json_object_get(saved, "groups");
	size_t n = json_array_size(groups);
	const char **list = arena_alloc(a, (n + 1) * sizeof(*list));

	if (!list)
		return -1;
	for (size_t i = 0; i < n; i++)
		list[i] = json_string_value(json_array_get(groups, i));
	*out = (struct rights){ .key = body_string(saved, "key"),
				.agent = body_string(saved, "agent"),
				.scopes = (unsigned)body_int(saved, "scopes"),
				.all_groups = body_bool(saved, "all_groups"),
				.groups = list,
				.n_groups = n };
	return 0;
}

static int is_blank(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && (s[i] == ' ' || s[i] == '\t' || s[i] == '\r'))
		i++;
	return i == n;
}

/* The next line at *s; *s goes behind it. 0 at the end. */
static int next_line(struct text *s, struct text *line)
{
	if (s->n == 0)
		return 0;
	const char *nl = memchr(s->s, '\n', s->n);
	line->s = s->s;
	line->n = nl ? (size_t)(nl - s->s) : s->n;
	size_t step = line->n + (nl != NULL);
	s->s += step;
	s->n -= step;
	return 1;
}

static int64_t count_lines(struct text s)
{
	struct text line;
	int64_t total = 0;

	while (next_line(&s, &line))
		total += !is_blank(line.s, line.n);
	return total;
}

/* Lines of the input behind those that are done; blank lines count as none. */
static int import_input(struct run *r, struct text input, const struct rights *rights, struct error *e)
{
	struct importer_options o = { .what = IMPORT_DOCUMENTS,
				      .rights = rights,
				      .threads = 1,
				      .bad = bad_line,
				      .batch_done = batch_done,
				      .arg = r,
				      .stop = worker_stop(r->jobs->worker) };
	struct importer *m;
	int64_t not_blank = 0;
	uint64_t n = 0;
	struct text line;
	int rc = importer_open(r->jobs->desk, &o, &m, e);

	while (rc == 0 && next_line(&input, &line)) {
		n++;
		if (line.n && line.s[line.n - 1] == '\r')
			line.n--;
		if (!is_blank(line.s, line.n) && not_blank++ >= r->done)
			rc = importer_add(m, "", n, line.s, line.n, e);
	}
	if (rc == 0)
		rc = importer_flush(m, e);
	importer_close(m);
	return rc;
}

/* What may be over when it is tried again. */
static int is_passing(int rc)
{
	return rc == ERR_DISK_FULL || rc == ERR_READ_ONLY || rc == ERR_NOT_READY || rc == ERR_IO ||
	       rc == ERR_NO_MEMORY || rc == ERR_CLOSING || rc == ERR_CONFLICT ||
	       rc == ERR_EMBEDDER_UNAVAILABLE;
}

/* `rc`: 0, or why it failed as a whole, which `e` tells. */
static int end_job(struct run *r, int rc, struct error *e)
{
	if (rc < 0 &&
	    body_set_take(r->body, "error",
			  json_pack("{s:s, s:s}", "code", error_kind(rc)->name, "message", e->message)) < 0)
		return no_memory(e);
	if (body_set(r->body, "state", rc < 0 ? "failed" : "done") < 0)
		return no_memory(e);
	if ((rc = save(r, e)) < 0)
		return rc;
	/* What cannot be removed now is removed at the next start. */
	struct error why;
	if (job_input_remove(r->jobs->folder, r->id, &why) < 0)
		log_line(LOG_LEVEL_WARN, "job_input_left", "job=%s message=%s", r->id, why.message);
	return 0;
}

static int run_job(struct jobs *j, struct arena *a, const struct record *job, struct error *e)
{
	struct run r = { .jobs = j, .arena = a, .id = job->id, .revision = job->revision };
	struct rights rights;
	struct text input;
	int rc;

	r.stream = stream_of(a, "job", job->id);
	r.body = body_copy(a, job->body);
	if (!r.stream || !r.body || read_rights(a, json_object_get(r.body, "rights"), &rights) < 0)
		return no_memory(e);
	r.done = body_int(r.body, "done");
	r.before = (struct import_progress){ .imported = (uint64_t)body_int(r.body, "imported"),
					     .updated = (uint64_t)body_int(r.body, "updated"),
					     .unchanged = (uint64_t)body_int(r.body, "unchanged"),
					     .failed = (uint64_t)body_int(r.body, "failed") };
	if (body_set(r.body, "state", "running") < 0)
		return no_memory(e);
	if ((rc = save(&r, e)) < 0)
		return rc;
	if ((rc = job_input_map(j->folder, r.id, &input, e)) == 0) {
		rc = import_input(&r, input, &rights, e);
		job_input_unmap(input);
	}
	if (rc == ERR_INTERRUPTED)
		return save(&r, e); /* still running: it goes on after the next start */
	return is_passing(rc) ? rc : end_job(&r, rc, e);
}

/* The oldest job in this state. 1: found. */
static int find_job(struct jobs *j, struct arena *a, const char *state, struct record *out, struct error *e)
{
	struct scan s = { .kind = RECORD_JOB, .field = { "state" }, .value = { state }, .limit = 1 };
	struct record *found;
	size_t n;
	int rc = engine_scan(j->desk->engine, &s, a, &found, &n, e);

	if (rc < 0 || n == 0)
		return rc;
	*out = found[0];
	return 1;
}

/* What the engine could not do now (a full disk) is tried again, from where it stopped. */
static int run_next(void *arg)
{
	struct jobs *j = arg;
	struct arena *a = arena_new(64 << 10);
	struct record job;
	struct error e = { 0 };
	int rc = a ? find_job(j, a, "running", &job, &e) : ERR_NO_MEMORY;

	if (rc == 0)
		rc = find_job(j, a, "queued", &job, &e);
	if (rc > 0 && (rc = run_job(j, a, &job, &e)) == 0)
		rc = 1;
	arena_free(a);
	return rc;
}

int jobs_open(struct desk *d, const char *folder, struct jobs **out, struct error *e)
{
	struct jobs *j = calloc(1, sizeof(*j));
	const struct worker_options o = { .next = run_next, .arg = j, .retry_seconds = RETRY_SECONDS };

	if (!j)
		return no_memory(e);
	j->desk = d;
	j->folder = strdup(folder);
	int rc = j->folder ? job_inputs_open(folder, d->engine, e) : no_memory(e);
	if (rc == 0)
		rc = worker_open(&o, &j->worker, e);
	if (rc < 0) {
		jobs_close(j);
		return rc;
	}
	*out = j;
	return 0;
}

void jobs_close(struct jobs *j)
{
	if (!j)
		return;
	worker_close(j->worker);
	free(j->folder);
	free(j);
}

static json_t *rights_json(const struct rights *r)
{
	json_t *groups = json_array();

	for (size_t i = 0; groups && !r->all_groups && i < r->n_groups; i++)
		json_array_append_new(groups, json_string(r->groups[i]));
	return json_pack("{s:s, s:s, s:i, s:b, s:o}", "key", r->key ? r->key : "", "agent",
			 r->agent ? r->agent : "", "scopes", (int)r->scopes, "all_groups", r->all_groups,
			 "groups", groups);
}

static json_t *job_body(struct arena *a, const struct rights *r, int64_t total)
{
	json_t *b = body_new(a);

	if (!b || body_set(b, "state", "queued") < 0 || body_set(b, "what", "documents") < 0 ||
	    body_set_int(b, "done", 0) < 0 || body_set_int(b, "total", total) < 0 ||
	    body_set_int(b, "failed", 0) < 0 || body_set_take(b, "errors", json_array()) < 0 ||
	    body_set_take(b, "rights", rights_json(r)) < 0)
		return NULL;
	return b;
}

int job_documents_act(struct jobs *j, const struct call *c, const char *ndjson, size_t n, json_t **result)
{
	const char *id = id_make(c->arena, "job_");
	struct changes cs = CHANGES_INIT(c->arena);
	int64_t total = count_lines((struct text){ ndjson, n });
	struct commit done;

	if (!id)
		return no_memory(c->err);
	if (total == 0)
		return error_set(c->err, ERR_EMPTY_TEXT, NULL,
				 "the batch holds no document: send one a line");
	changes_put(&cs, RECORD_JOB, id, NULL, job_body(c->arena, c->rights, total));
	struct event ev = {
		.stream = stream_of(c->arena, "job", id), .kind = "job.queued", .changes = cs.list, .n = cs.n
	};
	JSON_AUTO *res = json_pack("{s:s}", "job", id);
	if (!ev.stream || !res || changes_done(&cs, NULL) < 0)
		return no_memory(c->err);
	int rc = job_input_write(j->folder, id, ndjson, n, c->err);
	if (rc < 0)
		return rc;
	/* An input whose event failed stays until the next start: nobody knows yet if the event is there. */
	if ((rc = call_commit(c, j->desk->engine, &ev, 202, res, &done)) < 0)
		return rc;
	worker_tell(j->worker);
	*result = json_incref(res);
	return 0;
}

int job_show(struct desk *d, const struct call *c, const json_t *result, json_t **out)
{
	static const char *const shown[] = { "state",   "what",      "done",   "total",  "imported",
					     "updated", "unchanged", "failed", "errors", "error" };
	const char *id = body_string(result, "job");
	struct record r;
	int rc = engine_get(d->engine, RECORD_JOB, id, c->arena, &r, c->err);

	/* Another key's job is told of to admins only. */
	if (rc == 0 && !rights_scope(c->rights, SCOPE_ADMIN) &&
	    strcmp(body_string(json_object_get(r.body, "rights"), "key"), c->rights->key) != 0)
		rc = ERR_NOT_FOUND;
	if (rc == ERR_NOT_FOUND)
		return error_set(c->err, ERR_NOT_FOUND, NULL, "there is no such job");
	if (rc < 0)
		return rc;
	json_t *job = json_pack("{s:s}", "id", id);
	int bad = !job;
	for (size_t i = 0; !bad && i < sizeof(shown) / sizeof(shown[0]); i++)
		bad = body_set_copy(job, shown[i], json_object_get(r.body, shown[i])) < 0;
	json_t *j = bad ? NULL : json_pack("{s:O}", "job", job);
	json_decref(job);
	if (!j)
		return no_memory(c->err);
	*out = j;
	return 0;
}
