#include <stdio.h>

#include "base/arena.h"
#include "cmd.h"
#include "embed/embed.h"
#include "engine/embedded.h"

static int verify(const char *data, const char *tenant, struct arena *a, size_t *differences, struct error *e)
{
	struct embedder_options model = { .kind = "none" };
	struct embedded_options o = { 0 };
	struct embedder *none = NULL;
	int rc = tenant_folder(data, tenant, a, &o.folder, e);

	if (rc == 0)
		rc = embedder_open(&model, &none, e);
	if (rc < 0)
		return rc;
	o.embedder = embedder_info(none);
	rc = embedded_verify(&o, differences, e);
	embedder_close(none);
	return rc;
}

static int run(int argc, char **argv)
{
	const char *data = NULL, *tenant = "default";
	int operands = 0, json = 0;
	size_t differences = 0;
	struct error e = { 0 };
	const struct option_spec options[] = {
		{ "--data", "DIR", OPTION_TEXT, &data, "the data folder; no server may be running on it" },
		{ "--tenant", "T", OPTION_TEXT, &tenant, "the tenant (default)" },
		{ "--json", NULL, OPTION_FLAG, &json, "print JSON" },
		{ 0 },
	};
	const struct usage u = {
		"verify", "",
		"Makes all tables again from the events, beside the database, and compares every row.",
		options, "exit codes: 0 all the same, 1 a difference or a failure"
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	if (!data) {
		fputs("readback verify: --data DIR names the data folder\n", stderr);
		return EXIT_USAGE;
	}
	struct arena *a = arena_new(4096);
	int rc = a ? verify(data, tenant, a, &differences, &e) : no_memory(&e);
	arena_free(a);
	if (rc < 0)
		return cmd_fail(&e);
	if (json)
		printf("{\"differences\": %zu}\n", differences);
	else
		printf("%zu differences between the tables and the events\n", differences);
	return differences ? EXIT_FAILED : EXIT_OK;
}

const struct command cmd_verify = { "verify", "compare all tables with the events that made them", run };
