/* `readback eval list`: the comparisons that were kept, the newest first. */
#include <stdio.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "cmd_eval.h"

static const char *text(const json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	return s ? s : "";
}

static double number(const json_t *j, const char *name)
{
	return json_number_value(json_object_get(j, name));
}

/* Page by page, into `all`. */
static int read_all(struct client *c, json_t *all, struct error *e)
{
	STRBUF_AUTO target = STRBUF_INIT;

	strbuf_puts(&target, "/v1/evals?limit=200");
	for (;;) {
		JSON_AUTO *page = NULL;
		int rc = target.failed ? no_memory(e) : client_json(c, "GET", target.p, NULL, &page, e);
		if (rc < 0)
			return rc;
		json_array_extend(all, json_object_get(page, "data"));
		const char *last = json_string_value(json_object_get(page, "last_id"));
		if (!json_is_true(json_object_get(page, "has_more")) || !last)
			return 0;
		char *after = path_segment(last);
		strbuf_clear(&target);
		strbuf_printf(&target, "/v1/evals?limit=200&after=%s", after ? after : "");
		free(after);
	}
}

static void print_eval(const json_t *x)
{
	const json_t *a = json_object_get(x, "a"), *b = json_object_get(x, "b");
	const json_t *interval = json_object_get(x, "interval");
	const char *name = text(x, "name");

	printf("%s  %s  %s  %s  %s %.4f  %s %.4f  %+.4f [%+.4f, %+.4f]  p %.4f  n %lld%s%s\n", text(x, "id"),
	       text(x, "at"), text(json_object_get(x, "dataset"), "name"), text(x, "metric"), text(a, "name"),
	       number(a, "value"), text(b, "name"), number(b, "value"), number(x, "difference"),
	       json_number_value(json_array_get(interval, 0)), json_number_value(json_array_get(interval, 1)),
	       number(x, "p"), (long long)number(x, "n"), *name ? "  " : "", name);
}

int eval_list_kept(int argc, char **argv)
{
	struct client_options o = { 0 };
	int json = 0, operands = 0;
	struct error e = { 0 };
	struct client *client;
	JSON_AUTO *all = json_array();
	json_t *one;
	size_t i;
	const struct option_spec options[] = {
		CLIENT_OPTIONS(o),
		{ "--json", NULL, OPTION_FLAG, &json, "print one JSON list, with all that was kept" },
		{ 0 },
	};
	const struct usage u = {
		"eval list", "",
		"Prints the comparisons that `readback eval compare --save` has kept, the newest first: id, time,\n"
		"dataset, metric, both systems with their figures, the difference with its interval, p, n, name.",
		options, NULL
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	int rc = operands ? error_set(&e, ERR_USAGE, NULL, "%.100s: list takes options only", argv[1])
			  : client_open(&o, &client, &e);
	if (rc < 0)
		return cmd_fail(&e);
	rc = read_all(client, all, &e);
	client_close(client);
	if (rc < 0)
		return cmd_fail(&e);
	if (json) {
		JSON_AUTO *list = json_pack("{s:s, s:O}", "object", "list", "data", all);
		json_print(list, stdout);
		return EXIT_OK;
	}
	json_array_foreach(all, i, one)
		print_eval(one);
	if (i == 0)
		puts("no comparison was kept yet");
	return EXIT_OK;
}
