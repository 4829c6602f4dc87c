/* `readback eval list`: the comparisons that were kept, the newest first. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd_eval.h"
#include "desk/bodies.h"

static void print_eval(const json_t *x)
{
	const json_t *a = json_object_get(x, "a"), *b = json_object_get(x, "b");
	const json_t *interval = json_object_get(x, "interval");
	const char *name = body_string(x, "name");

	printf("%s  %s  %s  %s  %s %.4f  %s %.4f  %+.4f [%+.4f, %+.4f]  p %.4f  n %lld%s%s\n",
	       body_string(x, "id"), body_string(x, "at"), body_string(json_object_get(x, "dataset"), "name"),
	       body_string(x, "metric"), body_string(a, "name"), body_number(a, "value"),
	       body_string(b, "name"), body_number(b, "value"), body_number(x, "difference"),
	       json_number_value(json_array_get(interval, 0)), json_number_value(json_array_get(interval, 1)),
	       body_number(x, "p"), (long long)body_number(x, "n"), *name ? "  " : "", name);
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
	rc = client_list(client, "/v1/evals", all, &e);
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
