#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "cmd.h"
#include "datasets/dataset_jobs.h"
#include "desk/situation.h"
#include "embed/embed.h"
#include "engine/embedded.h"
#include "learn/learner.h"
#include "store/keys.h"

const struct rights cli_rights = {
	.key = "cli",
	.agent = "cli",
	.scopes = SCOPE_BOT | SCOPE_AGENT | SCOPE_CURATOR | SCOPE_EXPORT | SCOPE_EXPORT_RAW | SCOPE_ADMIN,
	.act_as = 1,
	.all_groups = 1,
};

static int open_parts(const struct workplace_options *o, struct workplace *w, struct error *e)
{
	struct embedded_options engine = { .read_only = o->read_only,
					   .no_background = o->no_background,
					   .no_index = o->no_index };
	int rc = o->read_only ? 0 : folder_make(o->data, e);

	if (rc == 0)
		rc = control_open(o->data, o->read_only, &w->control, e);
	if (rc == 0)
		rc = control_tenant(w->control, o->tenant ? o->tenant : "default", w->arena, &engine.folder,
				    e);
	w->embedder = o->ready;
	w->embedder_borrowed = o->ready != NULL;
	if (rc == 0 && !o->ready)
		rc = embedder_open(&o->embedder, &w->embedder, e);
	if (rc < 0)
		return rc;
	engine.embedder = embedder_info(w->embedder);
	if (engine.embedder->dim == 0 && !o->embedder.kind && !o->ready)
		fputs("readback: no model found, so searches use words alone (make model fetches it)\n",
		      stderr);
	rc = embedded_open(&engine, &w->engine, e);
	if (rc < 0)
		return rc;
	w->desk = (struct desk){ .engine = w->engine,
				 .embedder = w->embedder,
				 .audit_share = o->audit_share };
	control_secret(w->control, w->desk.secret);
	struct learner_options learning = { .background = o->with_jobs,
					    .read_only = o->read_only,
					    .folder = arena_printf(w->arena, "%s/models", engine.folder),
					    .target = o->target_precision,
					    .read_risk = situation_lessons_read,
					    .read_arg = &w->desk };
	rc = learning.folder ? learner_open(w->engine, &learning, &w->desk.learner, e) : no_memory(e);
	if (rc < 0)
		return rc;
	if (o->with_jobs) {
		const char *folder = arena_printf(w->arena, "%s/jobs", engine.folder);
		rc = folder ? jobs_open(&w->desk, folder, &w->jobs, e) : no_memory(e);
	}
	if (rc == 0 && o->with_jobs) {
		const char *folder = arena_printf(w->arena, "%s/datasets", engine.folder);
		rc = folder ? dataset_jobs_open(&w->desk, folder, &w->datasets, e) : no_memory(e);
	}
	if (rc < 0)
		return rc;
	w->api = (struct api){ .desk = &w->desk,
			       .control = w->control,
			       .jobs = w->jobs,
			       .datasets = w->datasets,
			       .tenant = o->tenant ? o->tenant : "default" };
	return api_init(&w->api) < 0 ? no_memory(e) : 0;
}

int workplace_open(const struct workplace_options *o, struct workplace *w, struct error *e)
{
	*w = (struct workplace){ .arena = arena_new(4096) };
	if (!w->arena)
		return no_memory(e);
	if (!o->data) {
		workplace_close(w);
		return error_set(e, ERR_USAGE, NULL, "--data DIR (or READBACK_DATA) names the data folder");
	}
	int rc = open_parts(o, w, e);
	if (rc < 0)
		workplace_close(w);
	return rc;
}

int tenant_folder(const char *data, const char *tenant, struct arena *a, const char **folder, struct error *e)
{
	struct control *control;
	int rc = control_open(data, 1, &control, e);

	if (rc < 0)
		return rc;
	rc = control_tenant(control, tenant, a, folder, e);
	control_close(control);
	return rc;
}

void workplace_close(struct workplace *w)
{
	api_release(&w->api);
	dataset_jobs_close(w->datasets);
	if (w->jobs)
		jobs_close(w->jobs);
	learner_close(w->desk.learner);
	if (w->engine)
		engine_close(w->engine);
	if (!w->embedder_borrowed)
		embedder_close(w->embedder);
	if (w->control)
		control_close(w->control);
	arena_free(w->arena);
	*w = (struct workplace){ 0 };
}
