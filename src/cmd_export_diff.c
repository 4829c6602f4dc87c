/* cmd_export_diff.c: `readback export diff A B`. */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "cmd.h"
#include "cmd_export.h"
#include "datasets/dataset_diff.h"

/* "label "a" to "b", tokens". */
static void put_reasons(const json_t *reasons, struct strbuf *out)
{
	for (size_t i = 0; i < json_array_size(reasons); i++) {
		const json_t *r = json_array_get(reasons, i);
		strbuf_printf(out, "%s%s", i ? ", " : "", json_string_value(json_object_get(r, "why")));
		if (!json_object_get(r, "from"))
			continue;
		char *from = json_dumps(json_object_get(r, "from"), JSON_ENCODE_ANY);
		char *to = json_dumps(json_object_get(r, "to"), JSON_ENCODE_ANY);
		strbuf_printf(out, " %s to %s", from ? from : "?", to ? to : "?");
		free(from);
		free(to);
	}
}

static int print_row(void *arg, enum diff_what what, const json_t *row, struct error *e)
{
	static const char signs[DIFF_KINDS] = { '+', '-', '~' };
	static const char *const ids[] = { "handoff", "example", "conversation" };
	STRBUF_AUTO why = STRBUF_INIT;

	(void)arg;
	put_reasons(json_object_get(row, "reasons"), &why);
	if (why.failed)
		return error_set(e, ERR_NO_MEMORY, NULL, "out of memory");
	printf("%c %s", signs[what], json_string_value(json_object_get(row, "row")));
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (json_object_get(row, ids[i])) {
			printf(" (%s %s)", ids[i], json_string_value(json_object_get(row, ids[i])));
			break;
		}
	printf(": %s\n", why.n ? why.p : "");
	return 0;
}

/* `arg`: an object of three arrays. */
static int gather_row(void *arg, enum diff_what what, const json_t *row, struct error *e)
{
	json_t *list = json_object_get(arg, diff_name(what));

	return json_array_append_new(list, json_deep_copy(row)) < 0
		       ? error_set(e, ERR_NO_MEMORY, NULL, "out of memory")
		       : 0;
}

static void print_text(const struct dataset_diff *d)
{
	const char *name;
	json_t *value;

	json_object_foreach(d->request, name, value) {
		char *from = json_dumps(json_object_get(value, "from"), JSON_ENCODE_ANY | JSON_COMPACT);
		char *to = json_dumps(json_object_get(value, "to"), JSON_ENCODE_ANY | JSON_COMPACT);
		printf("request: %s %s to %s\n", name, from ? from : "?", to ? to : "?");
		free(from);
		free(to);
	}
	for (size_t i = 0; i < json_array_size(d->files); i++)
		printf("file: %s\n", json_string_value(json_array_get(d->files, i)));
	printf("%llu rows added, %llu gone, %llu changed, %llu equal\n",
	       (unsigned long long)d->counts[DIFF_ADDED], (unsigned long long)d->counts[DIFF_GONE],
	       (unsigned long long)d->counts[DIFF_CHANGED], (unsigned long long)d->equal);
}

static int diff(const char *a, const char *b, int json, int *equal, struct error *e)
{
	JSON_AUTO *all = json_pack("{s:[], s:[], s:[]}", "added", "gone", "changed");
	struct dataset_diff d;
	int rc = all ? dataset_diff(a, b, json ? gather_row : print_row, all, &d, e)
		     : error_set(e, ERR_NO_MEMORY, NULL, "out of memory");

	if (rc < 0)
		return rc;
	*equal = d.counts[DIFF_ADDED] + d.counts[DIFF_GONE] + d.counts[DIFF_CHANGED] == 0 && d.files &&
		 json_array_size(d.files) == 0;
	json_object_set_new(all, "request", d.request);
	json_object_set_new(all, "equal", json_integer((json_int_t)d.equal));
	if (d.files)
		json_object_set_new(all, "files", d.files);
	if (json)
		json_print(all, stdout);
	else
		print_text(&d);
	return 0;
}

int export_diff_run(int argc, char **argv)
{
	struct error e = { 0 };
	int json = 0, operands, equal = 0;
	const struct option_spec options[] = {
		{ "--json", NULL, OPTION_FLAG, &json, "print JSON" },
		{ 0 },
	};
	const struct usage u = {
		"export diff",
		"A B",
		"Compares two exported folders: rows that B has and A has not (+), the reverse (-), and changed ones (~),\n"
		"each with the reason as far as the folders tell it.",
		options,
		"reasons of + and -: recorded_later (than the other's mark), out_of_time (of the other's --since and --until);\n"
		"or what may be, as the requests differ: format, options, pii, filter, agreement, generator, time, changed_between_marks, consent_denied\n"
		"reasons of ~: label, intent, origin, resolution, evidence, part, text; tokens: only those of redaction\n"
		"exit codes: 0 all the same, 1 a difference or a failure",
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	if (operands != 2)
		return cmd_fail(
			&(struct error){ .code = ERR_USAGE, .message = "export diff takes two folders" });
	if (diff(argv[1], argv[2], json, &equal, &e) < 0)
		return cmd_fail(&e);
	return equal ? EXIT_OK : EXIT_FAILED;
}
