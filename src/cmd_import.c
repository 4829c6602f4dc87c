#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "cmd.h"

#define SHOWN_ERRORS 100
#define MAX_LINE (24u << 20)
#define POLL_US 200000

/* What is told while it runs and at the end. */
struct tally {
	enum import_what what;
	const struct import_format *from; /* NULL: ours */
	struct import_progress sum;       /* of the files before this one */
	struct progress bar;
	json_t *errors; /* the first SHOWN_ERRORS */
};

static const char *const names[] = { "documents", "conversations", "examples", "rules" };

static int read_what(const char *s, enum import_what *out)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(s, names[i]) == 0) {
			*out = (enum import_what)i;
			return 0;
		}
	return -1;
}

static void say_bad(struct tally *t, const char *file, uint64_t line, const struct error *e)
{
	size_t n = strlen(e->param);
	int named = n == 0 || (strncmp(e->message, e->param, n) == 0 && e->message[n] == ':');

	fprintf(stderr, "%s%s:%llu: %s%s%s\n", t->bar.terminal ? "\r\033[K" : "", file,
		(unsigned long long)line, named ? "" : e->param, named ? "" : ": ", e->message);
	if (json_array_size(t->errors) < SHOWN_ERRORS)
		json_array_append_new(t->errors, json_pack("{s:s, s:I, s:o, s:s, s:s}", "file", file, "line",
							   (json_int_t)line, "param",
							   n ? json_string(e->param) : json_null(), "code",
							   error_kind(e->code)->name, "message", e->message));
}

static void report(void *arg, const char *file, uint64_t line, const struct error *e,
		   const struct import_progress *p)
{
	struct tally *t = arg;

	if (e) {
		say_bad(t, file, line, e);
		return;
	}
	int64_t lines = (int64_t)p->lines, total = 0;
	if (p->bytes_total > 0 && p->bytes_done > 0)
		total = (int64_t)((double)lines * (double)p->bytes_total / (double)p->bytes_done);
	progress_show(&t->bar, lines, total);
}

static void add_up(struct tally *t, const struct import_progress *p)
{
	t->sum.lines += p->lines;
	t->sum.imported += p->imported;
	t->sum.updated += p->updated;
	t->sum.unchanged += p->unchanged;
	t->sum.failed += p->failed;
	t->sum.deleted += p->deleted;
}

/* One file or folder into the data folder. */
static int import_here(struct workplace *w, const char *path, const char *source, struct tally *t,
		       struct error *e)
{
	struct import_options o = { .what = t->what,
				    .rights = &cli_rights,
				    .report = report,
				    .arg = t,
				    .stop = &cmd_stop,
				    .source = source,
				    .from = t->from };
	struct import_progress p = { 0 };
	int rc = import_path(&w->desk, path, &o, &p, e);

	add_up(t, &p);
	return rc;
}

/* Waits for the job of a long document. */
static int wait_for_job(struct client *c, const json_t *job, struct error *e)
{
	STRBUF_AUTO target = STRBUF_INIT;

	strbuf_printf(&target, "/v1/jobs/%s", json_string_value(json_object_get(job, "id")));
	for (;;) {
		JSON_AUTO *answer = NULL;
		if (cmd_stop)
			return error_set(e, ERR_INTERRUPTED, NULL,
					 "interrupted; the server goes on with the job");
		int rc = client_json(c, "GET", target.p, NULL, &answer, e);
		if (rc < 0)
			return rc;
		const json_t *now = json_object_get(answer, "job");
		const char *state = json_string_value(json_object_get(now, "state"));
		const json_t *first = json_array_get(json_object_get(now, "errors"), 0);
		if (first)
			return error_set(e, ERR_BAD_VALUE, json_string_value(json_object_get(first, "param")),
					 "%s", json_string_value(json_object_get(first, "code")));
		if (state && strcmp(state, "done") == 0)
			return 0;
		if (!state || strcmp(state, "failed") == 0)
			return error_set(e, ERR_REMOTE, NULL, "the job failed");
		usleep(POLL_US);
	}
}

/* One line by PUT. The server tells a created from an updated and an unchanged document. */
static int put_line(struct client *c, const char *s, size_t n, struct import_progress *p, int *remote,
		    struct error *e)
{
	JSON_AUTO *body = NULL, *answer = NULL;
	int rc = json_parse(s, n, e, &body);
	const char *id = rc < 0 ? NULL : json_string_value(json_object_get(body, "_id"));
	STRBUF_AUTO target = STRBUF_INIT;

	*remote = 0;
	if (rc < 0)
		return rc;
	if (!id || !*id)
		return error_set(e, ERR_MISSING_FIELD, "_id", "is required");
	char *segment = path_segment(id);
	strbuf_printf(&target, "/v1/documents/%s", segment ? segment : "");
	free(segment);
	json_object_del(body, "_id");
	json_t *metadata = json_object_get(body, "metadata");
	if (metadata && json_object_size(metadata))
		json_object_set(body, "attributes", metadata);
	json_object_del(body, "metadata");
	*remote = 1;
	if ((rc = client_json(c, "PUT", target.p, body, &answer, e)) < 0)
		return rc;
	const json_t *job = json_object_get(answer, "job");
	const char *result = json_string_value(json_object_get(answer, "result"));
	if (job && (rc = wait_for_job(c, job, e)) < 0)
		return rc;
	if (result && strcmp(result, "unchanged") == 0)
		p->unchanged++;
	else if (result && strcmp(result, "updated") == 0)
		p->updated++;
	else
		p->imported++;
	return 0;
}

static int put_file(struct client *c, const char *path, struct tally *t, struct import_progress *p,
		    struct error *e)
{
	struct lines *lines;
	const char *s;
	size_t n;
	uint64_t line = 0;
	int rc = lines_open(path, &lines, e);

	if (rc < 0)
		return rc;
	while ((rc = lines_next(lines, MAX_LINE, &s, &n, e)) > 0) {
		struct error why = { 0 };
		int remote;
		line++;
		if (strspn(s, " \t\r") == n)
			continue;
		if (cmd_stop) {
			rc = error_set(e, ERR_INTERRUPTED, NULL,
				       "interrupted; the same command goes on from here");
			break;
		}
		p->lines++;
		if (put_line(c, s, n, p, &remote, &why) < 0) {
			/* The server's refusal of a line names a field; without one it is no answer about the line. */
			if (why.code == ERR_INTERRUPTED ||
			    (remote && why.code == ERR_REMOTE && !why.param[0])) {
				*e = why;
				rc = why.code;
				break;
			}
			p->failed++;
			say_bad(t, path, line, &why);
		}
		p->bytes_done = lines_offset(lines);
		report(t, NULL, 0, NULL, p);
	}
	lines_close(lines);
	return rc;
}

static int import_there(struct client *c, const char *path, struct tally *t, struct error *e)
{
	struct import_progress p = { .bytes_total = file_size(path) < 0 ? 0 : file_size(path) };

	if (file_is_folder(path))
		return error_set(e, ERR_USAGE, NULL,
				 "%s is a folder: --url takes files of NDJSON; import folders with --data",
				 path);
	int rc = put_file(c, path, t, &p, e);
	add_up(t, &p);
	return rc;
}

static void print_end(const struct tally *t, double seconds, int json)
{
	const struct import_progress *p = &t->sum;

	if (!json) {
		printf("%s: imported %llu, updated %llu, unchanged %llu, deleted %llu, skipped %llu in %.1f s\n",
		       names[t->what], (unsigned long long)p->imported, (unsigned long long)p->updated,
		       (unsigned long long)p->unchanged, (unsigned long long)p->deleted,
		       (unsigned long long)p->failed, seconds);
		return;
	}
	JSON_AUTO *j = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:O, s:f}", "what", names[t->what],
				 "lines", (json_int_t)p->lines, "imported", (json_int_t)p->imported,
				 "updated", (json_int_t)p->updated, "unchanged", (json_int_t)p->unchanged,
				 "deleted", (json_int_t)p->deleted, "failed", (json_int_t)p->failed, "errors",
				 t->errors, "seconds", seconds);
	json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	putchar('\n');
}

struct flags {
	struct client_options remote;
	const char *tenant, *source, *from;
	int json;
};

/* Imports argv[2 … operands]; what was done counts in `t` even when it fails. */
static int import_all(const struct flags *f, char **argv, int operands, struct tally *t, struct error *e)
{
	struct workplace_options wo = { .data = f->remote.data,
					.tenant = f->tenant,
					.embedder = f->remote.embedder };
	struct workplace w;
	struct client *c = NULL;
	int rc = f->remote.url ? client_open(&f->remote, &c, e) : workplace_open(&wo, &w, e);

	if (rc < 0)
		return rc;
	cmd_catch_stop();
	for (int i = 2; rc == 0 && i <= operands; i++) {
		uint64_t before = t->sum.lines;
		progress_start(&t->bar, argv[i]);
		rc = c ? import_there(c, argv[i], t, e) : import_here(&w, argv[i], f->source, t, e);
		progress_end(&t->bar, (int64_t)(t->sum.lines - before));
	}
	if (c)
		client_close(c);
	else
		workplace_close(&w);
	return rc;
}

static int check_operands(const struct flags *f, char **argv, int operands, struct tally *t)
{
	if (operands < 2 || read_what(argv[1], &t->what) < 0) {
		fputs("readback import: say what (documents, conversations, examples or rules) and then which files\n",
		      stderr);
		return EXIT_USAGE;
	}
	if (f->remote.url && t->what != IMPORT_DOCUMENTS) {
		fprintf(stderr,
			"readback import: a server takes documents only: import %s with --data, while no server "
			"has the folder open\n",
			argv[1]);
		return EXIT_USAGE;
	}
	struct error e = { 0 };
	if (f->from && import_format_find(t->what, f->from, &t->from, &e) < 0)
		return cmd_fail(&e);
	return -1;
}

static int run(int argc, char **argv)
{
	struct flags f = { 0 };
	struct tally t = { 0 };
	struct error e = { 0 };
	int operands;
	const struct option_spec options[] = {
		{ "--data", "DIR", OPTION_TEXT, &f.remote.data, "the data folder" },
		{ "--tenant", "T", OPTION_TEXT, &f.tenant, "the tenant (default: \"default\")" },
		EMBEDDER_OPTIONS(f.remote.embedder),
		{ "--source", "NAME", OPTION_TEXT, &f.source,
		  "of a folder's text files; also goes in front of their ids (default: the folder's name and a hash)" },
		{ "--from", "FORMAT", OPTION_TEXT, &f.from,
		  "of another tool: fasttext, label-studio, argilla (examples); openai, vcon (conversations)" },
		{ "--url", "URL", OPTION_TEXT, &f.remote.url,
		  "a running server instead of the folder; documents only" },
		{ "--key", "KEY", OPTION_TEXT, &f.remote.key, "API key for --url" },
		{ "--json", NULL, OPTION_FLAG, &f.json, "print the counts and the first errors as JSON" },
		{ 0 },
	};
	const struct usage u = {
		"import", "documents|conversations|examples|rules FILE…",
		"Imports files of NDJSON (gzip accepted, - is stdin), or folders: .ndjson and .jsonl, and for documents "
		".md, .txt and .html, a document a file. Documents whose file is gone from its folder are deleted.",
		options,
		"A bad line is reported as file:line: field: what is wrong, and skipped. Of an array of JSON (--from) the\n"
		"line is the record's number. docs/formats-datasets.md says what is taken of each format.\n"
		"Importing the same again changes nothing; after Ctrl-C the same command goes on where it stopped.\n"
		"exit codes: 0 all in, 1 failed, 2 wrong use, 3 some lines were skipped, 130 interrupted"
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0 || (code = check_operands(&f, argv, operands, &t)) >= 0)
		return code;
	int64_t started = clock_mono_us();
	t.errors = json_array();
	int rc = import_all(&f, argv, operands, &t, &e);
	if (rc == 0 || t.sum.lines > 0)
		print_end(&t, (double)(clock_mono_us() - started) / 1e6, f.json);
	json_decref(t.errors);
	if (rc < 0)
		return cmd_fail(&e);
	return t.sum.failed ? EXIT_SKIPPED : EXIT_OK;
}

const struct command cmd_import = { "import", "import documents, conversations, examples or rules", run };
