#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "cmd.h"

static const char *text(const json_t *m, const char *name)
{
	const char *s = json_string_value(json_object_get(m, name));

	return s ? s : "";
}

static void print_models(const json_t *list)
{
	json_t *m;
	size_t i;

	json_array_foreach(json_object_get(list, "data"), i, m) {
		JSON_AUTO *facts = json_copy(json_object_get(m, "facts"));
		char *figures = facts ? json_dumps(facts,
						   JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(4))
				      : NULL;
		printf("%s  %-10s  %-7s  %s  %s%s%s\n", text(m, "id"), text(m, "type"), text(m, "state"),
		       text(m, "trained_at"), text(m, "why"), *text(m, "why") ? ": " : "",
		       figures ? figures : "");
		free(figures);
	}
	if (json_array_size(json_object_get(list, "data")) == 0)
		puts("nothing was trained yet");
}

static int activate(struct client *c, const char *id, json_t **answer, struct error *e)
{
	STRBUF_AUTO target = STRBUF_INIT;
	char *segment = path_segment(id);

	strbuf_printf(&target, "/v1/models/%s/activate", segment ? segment : "");
	free(segment);
	return target.failed ? no_memory(e) : client_json(c, "POST", target.p, NULL, answer, e);
}

static int run(int argc, char **argv)
{
	struct client_options o = { 0 };
	int json = 0, operands = 0;
	struct error e = { 0 };
	struct client *client;
	JSON_AUTO *answer = NULL;
	const struct option_spec options[] = {
		CLIENT_OPTIONS(o),
		{ "--json", NULL, OPTION_FLAG, &json, "print JSON" },
		{ 0 },
	};
	const struct usage u = {
		"models", "[activate ID]",
		"Prints what was trained, the newest first: id, type, state, time, and how it was chosen.\n"
		"`activate ID` puts a model in force that stands by: back, or forward again. While one that is not\n"
		"the newest of its type is in force by choice, newer ones stand by.",
		options, NULL
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	if (operands && (operands != 2 || strcmp(argv[1], "activate") != 0)) {
		error_set(&e, ERR_USAGE, NULL, "give nothing, or `activate ID`");
		return cmd_fail(&e);
	}
	o.writes = operands != 0;
	if (client_open(&o, &client, &e) < 0)
		return cmd_fail(&e);
	int rc = operands ? activate(client, argv[2], &answer, &e)
			  : client_json(client, "GET", "/v1/models", NULL, &answer, &e);
	client_close(client);
	if (rc < 0)
		return cmd_fail(&e);
	if (json)
		json_print(answer, stdout);
	else if (operands)
		printf("%s is in force\n", text(answer, "id"));
	else
		print_models(answer);
	return EXIT_OK;
}

const struct command cmd_models = { "models", "list what was trained; put an earlier model in force", run };
