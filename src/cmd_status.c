#include <stdio.h>

#include "cmd.h"

static void print_status(const json_t *s)
{
	const json_t *embedder = json_object_get(s, "embedder"), *index = json_object_get(s, "index");
	const char *kind;
	json_t *n;

	printf("tenant    %s\nstate     %s%s\n", json_string_value(json_object_get(s, "tenant")),
	       json_is_true(json_object_get(s, "ready")) ? "ready" : "not ready: ",
	       json_string_value(json_object_get(s, "reason")));
	printf("embedder  %s %s\n", json_string_value(json_object_get(embedder, "id")),
	       json_string_value(json_object_get(embedder, "precision")));
	printf("events    %lld (index at %lld)\n", (long long)json_integer_value(json_object_get(s, "seq")),
	       (long long)json_integer_value(json_object_get(s, "index_seq")));
	printf("index     %lld segments, %lld rows, %lld of them in graphs, %.1f MiB\n",
	       (long long)json_integer_value(json_object_get(index, "segments")),
	       (long long)json_integer_value(json_object_get(index, "rows")),
	       (long long)json_integer_value(json_object_get(index, "graph_rows")),
	       (double)json_integer_value(json_object_get(index, "bytes")) / (1 << 20));
	printf("database  %.1f MiB\n",
	       (double)json_integer_value(json_object_get(s, "database_bytes")) / (1 << 20));
	json_object_foreach(json_object_get(s, "records"), kind, n)
		if (json_integer_value(n) > 0)
			printf("  %-14s %lld\n", kind, (long long)json_integer_value(n));
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
	const struct usage u = { "status", "", "Tells what a data folder holds and whether it is ready.",
				 options, NULL };
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	if (client_open(&o, &client, &e) < 0)
		return cmd_fail(&e);
	int rc = client_json(client, "GET", "/v1/status", NULL, &answer, &e);
	client_close(client);
	if (rc < 0)
		return cmd_fail(&e);
	if (json) {
		json_print(answer, stdout);
	} else {
		print_status(answer);
	}
	return EXIT_OK;
}

const struct command cmd_status = { "status", "tell what a data folder holds", run };
