#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

/* A line that `readback import rules` takes. */
static void print_rule(json_t *rule)
{
	json_object_del(rule, "revision");
	json_object_del(rule, "updated_at");
	json_dumpf(rule, stdout, JSON_COMPACT);
	putchar('\n');
}

static int run(int argc, char **argv)
{
	struct client_options o = { 0 };
	int json = 0, operands = 0;
	struct error e = { 0 };
	struct client *client;
	JSON_AUTO *all = json_array();
	json_t *rule;
	size_t i;
	const struct option_spec options[] = {
		CLIENT_OPTIONS(o),
		{ "--json", NULL, OPTION_FLAG, &json, "print one JSON list, with revisions and times" },
		{ 0 },
	};
	const struct usage u = {
		"rules", "",
		"Prints the rules for searches (synonyms, pins, hides), one a line, as `readback import "
		"rules` takes them.",
		options, NULL
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	if (client_open(&o, &client, &e) < 0)
		return cmd_fail(&e);
	int rc = client_list(client, "/v1/rules", all, &e);
	client_close(client);
	if (rc < 0)
		return cmd_fail(&e);
	if (json) {
		JSON_AUTO *list = json_pack("{s:s, s:O}", "object", "list", "data", all);
		json_print(list, stdout);
		return EXIT_OK;
	}
	json_array_foreach(all, i, rule)
		print_rule(rule);
	return EXIT_OK;
}

const struct command cmd_rules = { "rules", "print the rules for searches", run };
