/* Exports of whoever has the data folder that the ledger must know of: those with personal data in them. */
#include "datasets/dataset_jobs_internal.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"

/* The mark is taken before the event, which is no part of what is exported. */
static int set_mark(struct making *m, struct dataset_options *o, struct error *e)
{
	struct engine_status st = { 0 };
	int rc = o->mark ? 0 : engine_status(m->engine, m->arena, &st, e);

	if (rc == 0 && !o->mark)
		o->mark = st.seq;
	return rc;
}

static int begin(struct making *m, const struct rights *who, const struct dataset_options *o, struct error *e)
{
	json_t *request = body_new(m->arena);

	m->id = id_make(m->arena, DATASET_ID_PREFIX);
	m->stream = m->id ? stream_of(m->arena, "dataset", m->id) : NULL;
	m->body = body_new(m->arena);
	if (!m->stream || !m->body || !request || dataset_request_keep(o, request) < 0 ||
	    body_set(m->body, "state", "exporting") < 0 || body_set(m->body, "key", who->key) < 0 ||
	    body_set(m->body, "agent", who->agent) < 0 ||
	    body_set_time(m->body, "requested_at", clock_wall_ms()) < 0 ||
	    body_set(m->body, "folder", o->folder) < 0 || body_set_copy(m->body, "request", request) < 0)
		return no_memory(e);
	return making_save(m, "dataset.requested", e);
}

static int end(struct making *m, const struct dataset_summary *done, struct error *e)
{
	if (body_set_int(m->body, "rows", (int64_t)done->rows) < 0 ||
	    body_set_int(m->body, "redacted", (int64_t)done->redacted) < 0 ||
	    body_set(m->body, "sha256", done->sha256) < 0)
		return no_memory(e);
	return making_end(m, 0, e);
}

static int export(struct making *m, const struct rights *who, struct dataset_options *o,
		  struct dataset_summary *out, struct error *e)
{
	struct dataset_summary done;
	struct error later = { 0 };
	int rc = set_mark(m, o, e);

	if (rc == 0)
		rc = begin(m, who, o, e);
	if (rc < 0)
		return rc;
	if ((rc = dataset_write(m->engine, o, &done, e)) < 0) {
		/* That it was asked for is told already; the error of the export is the one to be seen. */
		later = *e;
		making_end(m, rc, &later);
		return rc;
	}
	if ((rc = end(m, &done, e)) < 0)
		folder_remove(o->folder, NULL);
	else
		*out = done;
	return rc;
}

int dataset_export(struct engine *g, const struct rights *who, struct dataset_options *o,
		   struct dataset_summary *out, struct error *e)
{
	struct making m = { .engine = g, .arena = arena_new(16 << 10) };
	int rc = m.arena ? export(&m, who, o, out, e) : no_memory(e);

	arena_free(m.arena);
	return rc;
}
