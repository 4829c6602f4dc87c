#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "cmd.h"
#include "cmd_export.h"
#include "datasets/dataset_jobs.h"
#include "datasets/redact.h"

struct options {
	const char *data, *tenant, *format, *kind, *out, *pii, *split, *sizes, *filter, *agreement, *since,
		*until;
	struct option_list settings;
	long mark, seed;
	int json;
};

static void rows_written(void *arg, uint64_t rows)
{
	progress_show(arg, (int64_t)rows, 0);
}

static const char *format_name(size_t i)
{
	return dataset_format_at(i) ? dataset_format_at(i)->name : NULL;
}

static const char *kind_name(size_t i)
{
	return i < DATASET_KINDS ? dataset_kind_name((enum dataset_kind)i) : NULL;
}

static void list_names(const char *(*name)(size_t i), struct strbuf *out)
{
	for (size_t i = 0; name(i); i++)
		strbuf_printf(out, "%s%s", i ? ", " : "", name(i));
}

static int find_format(const char *name, const struct dataset_format **out, struct error *e)
{
	STRBUF_AUTO known = STRBUF_INIT;

	list_names(format_name, &known);
	if (!name)
		return error_set(e, ERR_USAGE, NULL, "--format says what to write: there is %s", known.p);
	*out = dataset_format_find(name);
	return *out ? 0
		    : error_set(e, ERR_USAGE, NULL, "--format %.60s is not there: there is %s", name,
				known.p);
}

/* As asked for; else answers, or what the format has in their place. */
static int find_kind(const char *name, const struct dataset_format *f, enum dataset_kind *out,
		     struct error *e)
{
	STRBUF_AUTO known = STRBUF_INIT;

	if (!name) {
		*out = dataset_format_kind(f);
		return 0;
	}
	if (dataset_kind_find(name, out) == 0)
		return 0;
	list_names(kind_name, &known);
	return error_set(e, ERR_USAGE, NULL, "--kind %.60s is not there: there is %s", name, known.p);
}

static int read_time(const char *flag, const char *s, int64_t *out, struct error *e)
{
	if (!s || time_parse(s, strlen(s), out) == 0)
		return 0;
	return error_set(e, ERR_USAGE, NULL, "%s takes a time such as 2026-06-01 or 2026-06-01T08:00:00Z",
			 flag);
}

static int read_filter(const char *s, json_t **out, struct error *e)
{
	if (!s || json_parse(s, strlen(s), e, out) == 0)
		return 0;
	error_prefix(e, "filter");
	e->code = ERR_USAGE;
	return ERR_USAGE;
}

/* "0.7,0.2,0.1" */
static int read_sizes(const char *s, struct dataset_options *d, struct error *e)
{
	char more;

	if (!s || (sscanf(s, "%lf,%lf,%lf%c", &d->sizes[PART_TRAIN], &d->sizes[PART_VALID],
			  &d->sizes[PART_TEST], &more) == 3 &&
		   d->sizes[PART_TRAIN] + d->sizes[PART_VALID] + d->sizes[PART_TEST] > 0))
		return 0;
	return error_set(e, ERR_USAGE, NULL,
			 "--sizes takes the shares of train, valid and test: 0.7,0.2,0.1");
}

/* "2,0.8": two annotators at least, of whom four fifths say it. */
static int read_agreement(const char *s, struct dataset_options *d, struct error *e)
{
	char more;

	if (!s || (sscanf(s, "%u,%lf%c", &d->min_votes, &d->agreement, &more) == 2 && d->min_votes >= 1 &&
		   d->min_votes <= DATASET_MOST_VOTES))
		return 0;
	return error_set(e, ERR_USAGE, NULL,
			 "--agreement takes how many have to vote (1 to %d) and which share of them for the "
			 "label: 2,0.8",
			 DATASET_MOST_VOTES);
}

/* `filter` is borrowed. */
static int read_options(const struct options *o, const json_t *filter, struct dataset_options *d,
			struct error *e)
{
	int rc = find_format(o->format, &d->format, e);

	if (rc < 0 || (rc = find_kind(o->kind, d->format, &d->kind, e)) < 0)
		return rc;
	if (!o->out || !*o->out)
		return error_set(e, ERR_USAGE, NULL, "--out names the folder to make");
	if (dataset_pii_find(o->pii, &d->pii) < 0)
		return error_set(e, ERR_USAGE, NULL, "--pii is redact or keep");
	if (dataset_split_find(o->split, &d->split) < 0)
		return error_set(e, ERR_USAGE, NULL, "--split is time, hash or none");
	if (o->seed < 0)
		return error_set(e, ERR_USAGE, NULL, "--seed is a number from 0 up");
	if (o->mark < 0)
		return error_set(e, ERR_USAGE, NULL, "--at is a mark that an earlier export printed");
	d->settings = o->settings.items;
	d->n_settings = o->settings.n;
	d->filter = filter;
	if ((rc = read_sizes(o->sizes, d, e)) < 0 || (rc = read_agreement(o->agreement, d, e)) < 0)
		return rc;
	if (dataset_check(d, e) < 0) {
		e->code = ERR_USAGE;
		return ERR_USAGE;
	}
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

/* For writing where personal data is kept: the ledger tells who asked for it. */
static int open_data(const struct options *o, int keeps, struct workplace *w, struct error *e)
{
	const struct workplace_options wo = {
		.data = o->data,
		.tenant = o->tenant,
		.embedder = { .kind = "none" }, /* rows are texts: whose the vectors are does not matter */
		.read_only = !keeps,
		.no_background = 1,
		.no_index = !keeps,
	};
	struct arena *a = arena_new(4096);
	char why[sizeof(e->message)];
	const char *folder;
	/* Nothing is made by a name that is mistyped. */
	int rc = !a                 ? no_memory(e)
		 : keeps && o->data ? tenant_folder(o->data, o->tenant ? o->tenant : "default", a, &folder, e)
				    : 0;

	arena_free(a);
	if (rc < 0 || (rc = workplace_open(&wo, w, e)) == 0 || !keeps || !o->data)
		return rc;
	memcpy(why, e->message, sizeof(why));
	return error_set(
		e, rc, NULL,
		"--pii keep is told in the ledger, and the data folder cannot be written: %.200s. Beside "
		"a server, ask it: POST /v1/datasets",
		why);
}

static int export_set(const struct options *o, struct error *e)
{
	struct progress bar;
	struct dataset_options d = { .progress = rows_written, .arg = &bar, .stop = &cmd_stop };
	struct dataset_summary done;
	struct workplace w;
	JSON_AUTO *filter = NULL;
	int rc = read_filter(o->filter, &filter, e);

	if (rc < 0 || (rc = read_options(o, filter, &d, e)) < 0 ||
	    (rc = open_data(o, d.pii == PII_KEEP, &w, e)) < 0)
		return rc;
	memcpy(d.secret, w.desk.secret, sizeof(d.secret));
	cmd_catch_stop();
	progress_start(&bar, "export");
	rc = d.pii == PII_KEEP ? dataset_export(w.engine, &cli_rights, &d, &done, e)
			       : dataset_write(w.engine, &d, &done, e);
	if (rc == 0)
		progress_end(&bar, (int64_t)done.rows);
	workplace_close(&w);
	if (rc == 0)
		print_end(o, &d, &done);
	return rc;
}

static void put_options(struct strbuf *out, const struct dataset_option *table)
{
	for (; table && table->name; table++)
		strbuf_printf(out, "      --option %s=%s  %s\n", table->name,
			      table->words ? table->words : "N", table->help);
}

/* The formats with their kinds and options, for --help. */
static void put_formats(struct strbuf *out)
{
	strbuf_puts(out, "formats:\n");
	for (size_t i = 0; dataset_format_at(i); i++) {
		const struct dataset_format *f = dataset_format_at(i);
		strbuf_printf(out, "  %s: %s\n      ", f->name, f->help);
		for (int k = 0, n = 0; k < DATASET_KINDS; k++)
			if (f->kinds & 1u << k)
				strbuf_printf(out, "%s%s", n++ ? ", " : "kind ",
					      dataset_kind_name((enum dataset_kind)k));
		strbuf_putc(out, '\n');
		put_options(out, f->options);
	}
	for (int k = 0; k < DATASET_KINDS; k++) {
		if (!dataset_options_of((enum dataset_kind)k)->name)
			continue;
		strbuf_printf(out, "all formats, kind %s:\n", dataset_kind_name((enum dataset_kind)k));
		put_options(out, dataset_options_of((enum dataset_kind)k));
	}
}

static int run(int argc, char **argv)
{
	struct options o = { .pii = "redact", .split = "none" };
	STRBUF_AUTO more = STRBUF_INIT;
	struct error e = { 0 };
	int operands;
	const struct option_spec options[] = {
		{ "--format", "NAME", OPTION_TEXT, &o.format, "what to write, see below" },
		{ "--out", "DIR", OPTION_TEXT, &o.out, "the folder to make; it must be new or empty" },
		{ "--data", "DIR", OPTION_TEXT, &o.data, "the data folder" },
		{ "--tenant", "T", OPTION_TEXT, &o.tenant, "the tenant (default: \"default\")" },
		{ "--kind", "KIND", OPTION_TEXT, &o.kind,
		  "answers (of agents), intents (texts and labels), preferences (an agent's answer over the bot's draft)\n"
		  "                           or retrieval (questions and documents); default: the format's first" },
		{ "--option", "NAME=VALUE", OPTION_LIST, &o.settings,
		  "of the format or the kind, see below; may be given several times" },
		{ "--pii", "HOW", OPTION_TEXT, &o.pii,
		  "redact: e-mails, phones, cards, the customer's name … become tokens (default); keep: texts as they are,\n"
		  "                           which the ledger tells: no server may be running on the folder" },
		{ "--split", "BY", OPTION_TEXT, &o.split,
		  "time (oldest for training) or hash: train, valid and test, a customer in one (default: none)" },
		{ "--sizes", "A,B,C", OPTION_TEXT, &o.sizes,
		  "of --split: shares of train, valid and test (default: 0.8,0.1,0.1)" },
		{ "--seed", "N", OPTION_INT, &o.seed, "of --split hash (default: 0)" },
		{ "--since", "TIME", OPTION_TEXT, &o.since,
		  "only what was resolved, labelled or handed off from then on" },
		{ "--until", "TIME", OPTION_TEXT, &o.until,
		  "only what was resolved, labelled or handed off before" },
		{ "--filter", "JSON", OPTION_TEXT, &o.filter,
		  "as that of a search, upon intent, origin, outcome, queue, channel, customer, consent (granted) and the conversation's attributes" },
		{ "--agreement", "N,SHARE", OPTION_TEXT, &o.agreement,
		  "of intents: only examples that N people have labelled, of whom that share says the label" },
		{ "--at", "MARK", OPTION_INT, &o.mark, "as of an earlier export's mark (default: now)" },
		{ "--json", NULL, OPTION_FLAG, &o.json, "print JSON" },
		{ 0 },
	};
	put_formats(&more);
	strbuf_puts(
		&more,
		"\nThe same data at the same mark gives the same bytes. Bot turns are left out, but of vcon.\n"
		"Redaction is by pattern, checksum and the customer's known name: other names in free text are missed.\n"
		"It may run beside a server, but for --pii keep. What fails leaves nothing behind that looks finished.");
	if (more.failed)
		return cmd_fail(&(struct error){ .code = ERR_NO_MEMORY, .message = "out of memory" });
	const struct usage u = {
		"export",
		"",
		"Writes a training set, as a bag (BagIt): rows in data/, where each is from, a manifest with sums, a card.\n"
		"`readback export diff A B` compares two such folders; `readback export withdrawn FOLDER` lists the rows of one\n"
		"that customers withdrew.",
		options,
		more.p,
	};
	if (argc > 1 && strcmp(argv[1], "diff") == 0)
		return export_diff_run(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "withdrawn") == 0)
		return export_withdrawn_run(argc - 1, argv + 1);
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	int rc = operands ? error_set(&e, ERR_USAGE, NULL, "%.100s: give the folder by --out", argv[1])
			  : export_set(&o, &e);
	return rc < 0 ? cmd_fail(&e) : EXIT_OK;
}

const struct command cmd_export = { "export", "write a training set", run };
