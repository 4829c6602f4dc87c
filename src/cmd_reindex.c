#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "cmd.h"
#include "embed/embed.h"
#include "engine/embedded.h"

static void show(void *arg, size_t done, size_t total)
{
	progress_show(arg, (int64_t)done, (int64_t)total);
}

static int reindex(const char *data, const char *tenant, const struct embedder_options *model,
		   struct arena *a, struct error *e)
{
	struct embedded_options o = { 0 };
	struct embedder *embedder = NULL;
	struct progress p;
	int rc = tenant_folder(data, tenant, a, &o.folder, e);

	if (rc == 0)
		rc = embedder_open(model, &embedder, e);
	if (rc < 0)
		return rc;
	o.embedder = embedder_info(embedder);
	progress_start(&p, "reindex");
	rc = embedded_reindex(&o, show, &p, e);
	if (rc == 0)
		fputs("readback: the index was built again from the database\n", stderr);
	embedder_close(embedder);
	return rc;
}

static int run(int argc, char **argv)
{
	const char *data = NULL, *tenant = "default";
	struct embedder_options model = { 0 };
	int operands = 0;
	struct error e = { 0 };
	const struct option_spec options[] = {
		{ "--data", "DIR", OPTION_TEXT, &data, "the data folder; no server may be running on it" },
		{ "--tenant", "T", OPTION_TEXT, &tenant, "the tenant (default)" },
		EMBEDDER_OPTIONS(model),
		{ 0 },
	};
	const struct usage u = { "reindex", "",
				 "Drops the index files and builds them again from the database.", options,
				 NULL };
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	if (!data) {
		fputs("readback reindex: --data DIR names the data folder\n", stderr);
		return EXIT_USAGE;
	}
	struct arena *a = arena_new(4096);
	int rc = a ? reindex(data, tenant, &model, a, &e) : no_memory(&e);
	arena_free(a);
	return rc < 0 ? cmd_fail(&e) : EXIT_OK;
}

const struct command cmd_reindex = { "reindex", "build the index again from the database", run };
