/* cmd_export_withdrawn.c: `readback export withdrawn FOLDER`. */
#include "cmd.h"
#include "cmd_export.h"
#include "datasets/withdrawn.h"
#include "desk/bodies.h"

static int print_row(void *arg, const json_t *row, struct error *e)
{
	(void)arg;
	(void)e;
	printf("%s:%lld %s", body_string(row, "file"), (long long)body_int(row, "line"),
	       body_string(row, "row"));
	if (*body_string(row, "conversation"))
		printf(" (conversation %s)", body_string(row, "conversation"));
	putchar('\n');
	return 0;
}

/* `arg`: an array. */
static int gather_row(void *arg, const json_t *row, struct error *e)
{
	return json_array_append_new(arg, json_deep_copy(row)) < 0 ? no_memory(e) : 0;
}

static void print_text(const struct withdrawn *w)
{
	printf("%llu of %llu rows have to go\n", (unsigned long long)w->withdrawn,
	       (unsigned long long)w->rows);
	if (w->unknown)
		printf("%llu rows are of conversations that this data folder (or tenant) does not have: "
		       "nothing is known of these\n",
		       (unsigned long long)w->unknown);
}

static int look(const struct workplace_options *o, const char *folder, int json, int *clean, struct error *e)
{
	JSON_AUTO *rows = json_array();
	struct withdrawn found;
	struct workplace w;
	int rc = rows ? workplace_open(o, &w, e) : no_memory(e);

	if (rc < 0)
		return rc;
	rc = dataset_withdrawn(w.engine, folder, json ? gather_row : print_row, rows, &found, e);
	workplace_close(&w);
	if (rc < 0)
		return rc;
	*clean = found.withdrawn + found.unknown == 0;
	if (!json) {
		print_text(&found);
		return 0;
	}
	JSON_AUTO *all = json_pack("{s:O, s:I, s:I}", "withdrawn", rows, "rows", (json_int_t)found.rows,
				   "unknown", (json_int_t)found.unknown);
	if (!all)
		return no_memory(e);
	json_print(all, stdout);
	return 0;
}

int export_withdrawn_run(int argc, char **argv)
{
	struct workplace_options o = {
		.embedder = { .kind = "none" }, .read_only = 1, .no_background = 1, .no_index = 1
	};
	struct error e = { 0 };
	int json = 0, operands, clean = 0;
	const struct option_spec options[] = {
		{ "--data", "DIR", OPTION_TEXT, &o.data, "the data folder that it was exported from" },
		{ "--tenant", "T", OPTION_TEXT, &o.tenant, "the tenant (default: \"default\")" },
		{ "--json", NULL, OPTION_FLAG, &json, "print JSON" },
		{ 0 },
	};
	const struct usage u = {
		"export withdrawn",
		"FOLDER",
		"Lists the rows of an exported folder that have to go, for their customers deny training by now\n"
		"(`readback consent`): file, line and id of each. The folder is not changed: delete these rows from all\n"
		"copies, or export again at the same mark, which leaves out no others.",
		options,
		"exit codes: 0 no row has to go, 1 some have, or some are of conversations that the data folder does not\n"
		"have, or a failure",
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	if (operands != 1)
		return cmd_fail(
			&(struct error){ .code = ERR_USAGE, .message = "export withdrawn takes one folder" });
	if (look(&o, argv[1], json, &clean, &e) < 0)
		return cmd_fail(&e);
	return clean ? EXIT_OK : EXIT_FAILED;
}
