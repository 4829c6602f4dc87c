#include <string.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "cmd.h"
#include "datasets/dataset.h"
#include "datasets/redact.h"

struct options {
	const char *data, *tenant, *format, *kind, *out, *pii, *split, *since, *until;
	long mark, seed;
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
	if (dataset_pii_find(o->pii, &d->pii) < 0)
		return error_set(e, ERR_USAGE, NULL, "--pii is redact or keep");
	if (dataset_split_find(o->split, &d->split) < 0)
		return error_set(e, ERR_USAGE, NULL, "--split is time, hash or none");
	if (o->seed < 0)
		return error_set(e, ERR_USAGE, NULL, "--seed is a number from 0 up");
	if (o->mark < 0)
		return error_set(e, ERR_USAGE, NULL, "--at is a mark that an earlier export printed");
	d->folder = o->out;
	d->seed = (uint64_t)o->seed;
	d->mark = (uint64_t)o->mark;
	rc = read_time("--since", o->since, &d->since, e);
	return rc < 0 ? rc : read_time("--until", o->until, &d->until, e);
}

static void print_text(const struct options *o, const struct dataset_options *d,
		       const struct dataset_summary *s)
{
	printf("%s: %llu rows of %s in %s (mark %llu, %llu records made no row)\n", d->format->name,
	       (unsigned long long)s->rows, dataset_kind_name(d->kind), o->out, (unsigned long long)s->mark,
	       (unsigned long long)s->skipped);
	if (d->split != SPLIT_NONE)
		printf("split by %s: %llu rows for training, %llu to validate, %llu for the test\n",
		       dataset_split_name(d->split), (unsigned long long)s->parts[PART_TRAIN],
		       (unsigned long long)s->parts[PART_VALID], (unsigned long long)s->parts[PART_TEST]);
	if (d->pii == PII_REDACT)
		printf("%llu places redacted; %s\n", (unsigned long long)s->redacted, REDACT_LIMITS);
	else
		printf("nothing redacted: all personal data is in the texts\n");
}

static void print_end(const struct options *o, const struct dataset_options *d,
		      const struct dataset_summary *s)
{
	if (!o->json) {
		print_text(o, d, s);
		return;
	}
	JSON_AUTO *j = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:I}", "format", d->format->name,
				 "kind", dataset_kind_name(d->kind), "out", o->out, "mark",
				 (json_int_t)s->mark, "rows", (json_int_t)s->rows, "skipped",
				 (json_int_t)s->skipped, "manifest", s->sha256, "pii",
				 dataset_pii_name(d->pii), "redacted", (json_int_t)s->redacted);
	if (d->split != SPLIT_NONE)
		json_object_set_new(j, "split",
				    json_pack("{s:s, s:I, s:I, s:I}", "by", dataset_split_name(d->split),
					      "train", (json_int_t)s->parts[PART_TRAIN], "valid",
					      (json_int_t)s->parts[PART_VALID], "test",
					      (json_int_t)s->parts[PART_TEST]));
	json_dumpf(j, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int export_set(const struct options *o, struct error *e)
{
	struct workplace_options wo = {
		.data = o->data,
		.tenant = o->tenant,
		.embedder = { .kind = "none" }, /* rows are texts: whose the vectors are does not matter */
		.read_only = 1,
		.no_background = 1,
	};
	struct progress bar;
	struct dataset_options d = { .progress = rows_written, .arg = &bar, .stop = &cmd_stop };
	struct dataset_summary done;
	struct workplace w;
	int rc = read_options(o, &d, e);

	if (rc < 0 || (rc = workplace_open(&wo, &w, e)) < 0)
		return rc;
	memcpy(d.secret, w.desk.secret, sizeof(d.secret));
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
	struct options o = { .kind = "answers", .pii = "redact", .split = "none" };
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
		  "redact: e-mails, phones, cards, the customer's name … become tokens (default); keep: texts as they are" },
		{ "--split", "BY", OPTION_TEXT, &o.split,
		  "time (oldest for training) or hash: train, valid and test by 8:1:1, a customer in one (default: none)" },
		{ "--seed", "N", OPTION_INT, &o.seed, "of --split hash (default: 0)" },
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
		"Redaction is by pattern, checksum and the customer's known name: other names in free text are missed.\n"
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
