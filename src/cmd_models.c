#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "cmd.h"
#include "desk/bodies.h"

static void print_models(const json_t *list)
{
	json_t *m;
	size_t i;

	json_array_foreach(json_object_get(list, "data"), i, m) {
		JSON_AUTO *facts = json_copy(json_object_get(m, "facts"));
		char *figures = facts ? json_dumps(facts,
						   JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(4))
				      : NULL;
		printf("%s  %-10s  %-7s  %s  %s%s%s\n", body_string(m, "id"), body_string(m, "type"),
		       body_string(m, "state"), body_string(m, "trained_at"), body_string(m, "why"),
		       *body_string(m, "why") ? ": " : "", figures ? figures : "");
		free(figures);
	}
	if (json_array_size(json_object_get(list, "data")) == 0)
		puts("nothing was trained yet");
}

/* What can be done with a model: `readback models NAME ID`. */
static const struct act {
	const char *name, *method, *path, *done;
} acts[] = {
	{ "activate", "POST", "activate", "is in force" },
	{ "shadow", "POST", "shadow", "is in shadow" },
	{ "unshadow", "DELETE", "shadow", "stands by" },
};

static const struct act *find_act(const char *name)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strcmp(acts[i].name, name) == 0)
			return &acts[i];
	return NULL;
}

static int act_on(struct client *c, const struct act *what, const char *id, double share, json_t **answer,
		  struct error *e)
{
	STRBUF_AUTO target = STRBUF_INIT;
	JSON_AUTO *body = strcmp(what->name, "shadow") == 0 ? json_pack("{s:f}", "share", share) : NULL;
	char *segment = path_segment(id);

	strbuf_printf(&target, "/v1/models/%s/%s", segment ? segment : "", what->path);
	free(segment);
	return target.failed ? no_memory(e) : client_json(c, what->method, target.p, body, answer, e);
}

static int run(int argc, char **argv)
{
	struct client_options o = { 0 };
	const struct act *what = NULL;
	int json = 0, operands = 0;
	double share = 0;
	struct error e = { 0 };
	struct client *client;
	JSON_AUTO *answer = NULL;
	const struct option_spec options[] = {
		CLIENT_OPTIONS(o),
		{ "--share", "P", OPTION_NUMBER, &share,
		  "of conversations that a model in shadow speaks in (0)" },
		{ "--json", NULL, OPTION_FLAG, &json, "print JSON" },
		{ 0 },
	};
	const struct usage u = {
		"models", "[activate|shadow|unshadow ID]",
		"Prints what was trained, the newest first: id, type, state, time, and how it was chosen.\n"
		"`activate ID` puts a model in force that stands by: back, or forward again. While one that is not\n"
		"the newest of its type is in force by choice, newer ones stand by. `shadow ID` puts a model of intents\n"
		"beside the one in force, to see which is right more often; `unshadow ID` ends that.",
		options, NULL
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	if (operands == 2)
		what = find_act(argv[1]);
	if (operands && !what) {
		error_set(&e, ERR_USAGE, NULL, "give nothing, or `activate ID`, `shadow ID`, `unshadow ID`");
		return cmd_fail(&e);
	}
	o.writes = operands != 0;
	if (client_open(&o, &client, &e) < 0)
		return cmd_fail(&e);
	int rc = what ? act_on(client, what, argv[2], share, &answer, &e)
		      : client_json(client, "GET", "/v1/models", NULL, &answer, &e);
	client_close(client);
	if (rc < 0)
		return cmd_fail(&e);
	if (json)
		json_print(answer, stdout);
	else if (what)
		printf("%s %s\n", body_string(answer, "id"), what->done);
	else
		print_models(answer);
	return EXIT_OK;
}

const struct command cmd_models = { "models",
				    "list what was trained; put an earlier model in force, or one in shadow",
				    run };
