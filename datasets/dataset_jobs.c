#include "datasets/dataset_jobs_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#define PRIORITY 10     /* searches go first */
#define RETRY_SECONDS 5 /* when the engine takes no events */

int dataset_is_id(const char *id)
{
	return strncmp(id, DATASET_ID_PREFIX, strlen(DATASET_ID_PREFIX)) == 0;
}

/* --- the one under way ------------------------------------------------------------------------------------ */

int making_save(struct making *m, const char *event, struct error *e)
{
	struct changes cs = CHANGES_INIT(m->arena);
	struct commit done;

	changes_put(&cs, RECORD_DATASET, m->id, NULL, m->body);
	struct event ev = { .stream = m->stream,
			    .expect = m->revision,
			    .kind = event,
			    .changes = cs.list,
			    .n = cs.n,
			    .principal = body_string(m->body, "key"),
			    .agent = body_string(m->body, "agent") };
	int rc = changes_done(&cs, e);
	if (rc == 0)
		rc = engine_commit(m->engine, &ev, &done, e);
	if (rc == 0)
		m->revision = done.revision;
	return rc;
}

static void rows_so_far(void *arg, uint64_t rows)
{
	__atomic_store_n((uint64_t *)arg, rows, __ATOMIC_RELAXED);
}

/* What is told of a finished one. */
static int note_facts(struct making *m, const struct dataset_summary *s, struct error *e)
{
	const char *path = arena_printf(m->arena, "%s/manifest.json", m->folder);
	json_t *manifest, *files;
	char *text;
	size_t n;

	if (!path)
		return no_memory(e);
	int rc = file_read(path, &text, &n, e);
	if (rc < 0)
		return rc;
	rc = json_parse_arena(m->arena, text, n, e, &manifest);
	free(text);
	if (rc == 0)
		rc = dataset_files_list(m->arena, m->folder, manifest, &files, e);
	if (rc < 0)
		return rc;
	int bad = body_set_int(m->body, "rows", (int64_t)s->rows) < 0 ||
		  body_set_int(m->body, "redacted", (int64_t)s->redacted) < 0 ||
		  body_set_copy(m->body, "skipped", json_object_get(manifest, "skipped")) < 0 ||
		  body_set(m->body, "sha256", s->sha256) < 0 || body_set_copy(m->body, "files", files) < 0;
	return bad ? no_memory(e) : 0;
}

static int write_dataset(struct making *m, struct error *e)
{
	struct dataset_jobs *j = m->jobs;
	struct dataset_summary done;
	struct dataset_options o;
	int rc = dataset_request_load(m->arena, json_object_get(m->body, "request"), &o, e);

	if (rc < 0)
		return rc;
	memcpy(o.secret, j->desk->secret, sizeof(o.secret));
	o.folder = m->folder;
	o.progress = rows_so_far;
	o.arg = &j->rows;
	o.stop = worker_stop(j->worker);
	rows_so_far(&j->rows, 0);
	/* Whole, but the server ended before the record said so: nobody has seen it. */
	if ((rc = folder_remove(m->folder, e)) < 0)
		return rc;
	rc = dataset_write(j->desk->engine, &o, &done, e);
	return rc < 0 ? rc : note_facts(m, &done, e);
}

/* Nothing of a path or of a text gets into the ledger. */
static const char *reason_of(int rc, const struct error *e)
{
	if (rc == ERR_EMPTY_TEXT)
		return e->message;
	return rc == ERR_DISK_FULL
		       ? "there is no room for the dataset's files: free space and ask for it again"
		       : error_kind(rc)->name;
}

int making_end(struct making *m, int rc, struct error *e)
{
	if (rc < 0 && body_set_take(m->body, "error",
				    json_pack("{s:s, s:s}", "code", error_kind(rc)->name, "message",
					      reason_of(rc, e))) < 0)
		return no_memory(e);
	if (body_set_time(m->body, "finished_at", clock_wall_ms()) < 0 ||
	    body_set(m->body, "state", rc < 0 ? "failed" : "done") < 0)
		return no_memory(e);
	return making_save(m, rc < 0 ? "dataset.failed" : "dataset.made", e);
}

static int make_dataset(struct dataset_jobs *j, struct arena *a, const struct record *r, struct error *e)
{
	struct making m = { .engine = j->desk->engine,
			    .jobs = j,
			    .arena = a,
			    .id = r->id,
			    .stream = stream_of(a, "dataset", r->id),
			    .folder = arena_printf(a, "%s/%s", j->folder, r->id),
			    .body = body_copy(a, r->body),
			    .revision = r->revision };

	if (!m.stream || !m.folder || !m.body || body_set(m.body, "state", "running") < 0)
		return no_memory(e);
	int rc = making_save(&m, "dataset.started", e);
	if (rc < 0)
		return rc;
	rc = write_dataset(&m, e);
	if (rc == ERR_INTERRUPTED)
		return 0; /* still running: it is made after the next start */
	if (rc < 0) {
		log_line(LOG_LEVEL_WARN, "dataset_failed", "dataset=%s code=%s message=%s", m.id,
			 error_kind(rc)->name, e->message);
		folder_remove(m.folder, NULL);
	}
	return making_end(&m, rc, e);
}

/* --- the next one ------------------------------------------------------------------------------------------- */

/* The oldest in this state. 1: found. */
static int find_oldest(struct dataset_jobs *j, struct arena *a, const char *state, struct record *out,
		       struct error *e)
{
	struct scan s = { .kind = RECORD_DATASET, .field = { "state" }, .value = { state }, .limit = 1 };
	struct record *found;
	size_t n;
	int rc = engine_scan(j->desk->engine, &s, a, &found, &n, e);

	if (rc < 0 || n == 0)
		return rc;
	*out = found[0];
	return 1;
}

static int make_next(void *arg)
{
	struct dataset_jobs *j = arg;
	struct arena *a = arena_new(64 << 10);
	struct record r;
	struct error e = { 0 };
	int rc = a ? supersede_next(j, a, &e) : ERR_NO_MEMORY;

	if (rc != 0) {
		arena_free(a);
		return rc;
	}
	rc = find_oldest(j, a, "running", &r, &e);
	if (rc == 0)
		rc = find_oldest(j, a, "queued", &r, &e);
	if (rc > 0 && (rc = make_dataset(j, a, &r, &e)) == 0)
		rc = 1;
	arena_free(a);
	return rc;
}

/* --- opening ------------------------------------------------------------------------------------------------ */

/* What has no record that says "done" is what a crash left; it is made anew if it is wanted. */
static int sweep(struct dataset_jobs *j, const char *name, struct error *e)
{
	struct arena *a = arena_new(4096);
	const char *path = a ? arena_printf(a, "%s/%s", j->folder, name) : NULL;
	struct record r;
	int rc = path ? engine_get(j->desk->engine, RECORD_DATASET, name, a, &r, e) : no_memory(e);

	if (rc == ERR_NOT_FOUND || (rc == 0 && strcmp(body_string(r.body, "state"), "done") != 0))
		rc = folder_remove(path, e);
	arena_free(a);
	return rc;
}

static int open_folder(struct dataset_jobs *j, struct error *e)
{
	char **names;
	size_t n;
	int rc = folder_make(j->folder, e);

	if (rc == 0)
		rc = folder_list(j->folder, &names, &n, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = sweep(j, names[i], e);
	free(names);
	return rc;
}

int dataset_jobs_open(struct desk *d, const char *folder, struct dataset_jobs **out, struct error *e)
{
	struct dataset_jobs *j = calloc(1, sizeof(*j));
	const struct worker_options o = {
		.next = make_next, .arg = j, .nice = PRIORITY, .retry_seconds = RETRY_SECONDS
	};

	if (!j)
		return no_memory(e);
	j->desk = d;
	j->folder = strdup(folder);
	int rc = j->folder ? open_folder(j, e) : no_memory(e);
	if (rc == 0)
		rc = worker_open(&o, &j->worker, e);
	if (rc < 0) {
		dataset_jobs_close(j);
		return rc;
	}
	*out = j;
	return 0;
}

void dataset_jobs_close(struct dataset_jobs *j)
{
	if (!j)
		return;
	worker_close(j->worker);
	free(j->folder);
	free(j);
}

void dataset_consent_changed(struct dataset_jobs *j)
{
	worker_tell(j->worker);
}

/* --- asking ------------------------------------------------------------------------------------------------- */

static json_t *first_body(const struct call *c, const json_t *request)
{
	json_t *b = body_new(c->arena);

	if (!b || body_set(b, "state", "queued") < 0 || body_set(b, "key", c->rights->key) < 0 ||
	    body_set(b, "agent", c->rights->agent) < 0 ||
	    body_set_time(b, "requested_at", clock_wall_ms()) < 0 || body_set_copy(b, "request", request) < 0)
		return NULL;
	return b;
}

static int may_ask(const struct call *c, const json_t *request)
{
	if (strcmp(body_string(request, "pii"), dataset_pii_name(PII_KEEP)) != 0 ||
	    rights_scope(c->rights, SCOPE_EXPORT_RAW))
		return 0;
	return error_set(c->err, ERR_FORBIDDEN, "pii", "to keep personal data needs the scope export:raw");
}

int dataset_act(struct dataset_jobs *j, const struct call *c, json_t *body, json_t **result)
{
	const char *id = id_make(c->arena, DATASET_ID_PREFIX);
	struct changes cs = CHANGES_INIT(c->arena);
	struct commit done;
	json_t *request;

	if (!id)
		return no_memory(c->err);
	if (!c->rights->all_groups)
		return error_set(
			c->err, ERR_FORBIDDEN, NULL,
			"a dataset is made of what any group may see: it needs a key with all groups");
	int rc = dataset_request_read(j->desk->engine, c, body, &request);
	if (rc < 0 || (rc = may_ask(c, request)) < 0)
		return rc;
	changes_put(&cs, RECORD_DATASET, id, NULL, first_body(c, request));
	struct event ev = { .stream = stream_of(c->arena, "dataset", id),
			    .kind = "dataset.requested",
			    .changes = cs.list,
			    .n = cs.n };
	JSON_AUTO *res = json_pack("{s:s}", "job", id);
	if (!ev.stream || !res || changes_done(&cs, NULL) < 0)
		return no_memory(c->err);
	if ((rc = call_commit(c, j->desk->engine, &ev, 202, res, &done)) < 0)
		return rc;
	worker_tell(j->worker);
	*result = json_incref(res);
	return 0;
}
