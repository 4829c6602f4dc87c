#include <string.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "cmd.h"
#include "datasets/dataset.h"

struct options {
	const char *data, *tenant, *format, *kind, *out, *pii, *since, *until;
	long mark;
	int json;
};

static void rows_written(void *arg, uint64_t rows)
{
	progress_show(arg, (int64_t)rows, 0);
}

static int find_format(const char *name, const struct dataset_format **out, struct error *e)
{
	STRBUF_AUTO known = STRBUF_INIT;

	for (size_t i = 0; dataset_format_at(i); i++)
		strbuf_printf(&known, "%s%s", i ? ", " : "", dataset_format_at(i)->name);
	if (!name)
		return error_set(e, ERR_USAGE, NULL, "--format says what to write: there is %s", known.p);
	*out = dataset_format_find(name);
	return *out ? 0
		    : error_set(e, ERR_USAGE, NULL, "--format %.60s is not there: there is %s", name,
				known.p);
}

static int read_time(const char *flag, const char *s, int64_t *out, struct error *e)
{
	if (!s || time_parse(s, strlen(s), out) == 0)
		return 0;
	return error_set(e, ERR_USAGE, NULL, "%s takes a time such as 2026-06-01 or 2026-06-01T08:00:00Z",
			 flag);
}

static int read_options(const struct options *o, struct dataset_options *d, struct error *e)
{
	int rc = find_format(o->format, &d->format, e);

	if (rc < 0)
		return rc;
	if (!o->out || !*o->out)
		return error_set(e, ERR_USAGE, NULL, "--out names the folder to make");
	if (dataset_kind_find(o->kind, &d->kind) < 0)
		return error_set(e, ERR_USAGE, NULL, "--kind is answers or intents");
	if (!o->pii || strcmp(o->pii, "keep") != 0)
		return error_set(
			e, ERR_USAGE, NULL,
			"%s: this version does not redact. Say --pii keep to export the texts as they are, "
			"with all personal data in them",
			o->pii ? "--pii takes keep" : "--pii is missing");
	if (o->mark < 0)
		return error_set(e, ERR_USAGE, NULL, "--at is a mark that an earlier export printed");
	d->folder = o->out;
	d->pii = o->pii;
	d->mark = (uint64_t)o->mark;
	rc = read_time("--since", o->since, &d->since, e);
	return rc < 0 ? rc : read_time("--until", o->until, &d->until, e);
}

static void print_end(const struct options *o, const struct dataset_options *d,
		      const struct dataset_summary *s)
{
	if (!o->json) {
		printf("%s: %llu rows of %s in %s (mark %llu, %llu records made no row)\n", d->format->name,
		       (unsigned long long)s->rows, dataset_kind_name(d->kind), o->out,
		       (unsigned long long)s->mark, (unsigned long long)s->skipped);
		return;
	}
	JSON_AUTO *j = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "format", d->format->name, "kind",
				 dataset_kind_name(d->kind), "out", o->out, "mark", (json_int_t)s->mark,
				 "rows", (json_int_t)s->rows, "skipped", (json_int_t)s->skipped, "manifest",
				 s->sha256);
	json_dumpf(j, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int export_set(const struct options *o, struct error *e)
{
	struct workplace_options wo = {
		.data = o->data, .tenant = o->tenant, .read_only = 1, .no_background = 1
	};
	struct progress bar;
	struct dataset_options d = { .progress = rows_written, .arg = &bar, .stop = &cmd_stop };
	struct dataset_summary done;
	struct workplace w;
	int rc = read_options(o, &d, e);

	if (rc < 0 || (rc = workplace_open(&wo, &w, e)) < 0)
		return rc;
	cmd_catch_stop();
	progress_start(&bar, "export");
	rc = dataset_write(w.engine, &d, &done, e);
	if (rc == 0)
		progress_end(&bar, (int64_t)done.rows);
	workplace_close(&w);
	if (rc == 0)
		print_end(o, &d, &done);
	return rc;
}

static int run(int argc, char **argv)
{
	struct options o = { .kind = "answers" };
	struct error e = { 0 };
	int operands;
	const struct option_spec options[] = {
		{ "--format", "NAME", OPTION_TEXT, &o.format, "trl-sft" },
		{ "--out", "DIR", OPTION_TEXT, &o.out, "the folder to make; it must be new or empty" },
		{ "--data", "DIR", OPTION_TEXT, &o.data, "the data folder" },
		{ "--tenant", "T", OPTION_TEXT, &o.tenant, "the tenant (default: \"default\")" },
		{ "--kind", "KIND", OPTION_TEXT, &o.kind,
		  "answers (of agents; default) or intents (texts and labels)" },
		{ "--pii", "HOW", OPTION_TEXT, &o.pii,
		  "keep: texts as they are; required, as nothing is redacted yet" },
		{ "--since", "TIME", OPTION_TEXT, &o.since,
		  "only what was resolved or labelled from then on" },
		{ "--until", "TIME", OPTION_TEXT, &o.until, "only what was resolved or labelled before" },
		{ "--at", "MARK", OPTION_INT, &o.mark, "as of an earlier export's mark (default: now)" },
		{ "--json", NULL, OPTION_FLAG, &o.json, "print JSON" },
		{ 0 },
	};
	const struct usage u = {
		"export", "", "Writes a training set: rows, where each is from, and a manifest with sums.",
		options,
		"The same data at the same mark gives the same bytes. Bot turns are left out.\n"
		"It may run beside a server. What fails leaves nothing behind that looks finished."
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	int rc = operands ? error_set(&e, ERR_USAGE, NULL, "%.100s: give the folder by --out", argv[1])
			  : export_set(&o, &e);
	return rc < 0 ? cmd_fail(&e) : EXIT_OK;
}

const struct command cmd_export = { "export", "write a training set", run };
