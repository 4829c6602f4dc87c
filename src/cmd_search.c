#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

/* From the best sentence on: that says why the hit is one. */
static void print_text(const json_t *hit, const char *text)
{
	const json_t *sentence = json_object_get(hit, "sentence");
	json_int_t start = json_integer_value(json_object_get(sentence, "start"));

	if (start <= 0 || (size_t)start >= strlen(text))
		print_line("     ", text, 240);
	else
		print_line("     … ", text + start, 240);
}

static void print_hit(size_t n, const json_t *hit)
{
	const char *title = json_string_value(json_object_get(hit, "title"));
	const char *text = json_string_value(json_object_get(hit, "text"));
	const char *problem = json_string_value(json_object_get(hit, "problem"));
	const char *key;
	json_t *source, *boost;
	size_t i;

	printf("%2zu  %.3f  %s %s%s%s\n", n, json_number_value(json_object_get(hit, "score")),
	       json_string_value(json_object_get(hit, "kind")), json_string_value(json_object_get(hit, "id")),
	       title && *title ? "  " : "", title ? title : "");
	printf("     why:");
	json_object_foreach(json_object_get(hit, "sources"), key, source)
		printf(" %s rank %lld, score %.3f, adds %.3f;", key,
		       (long long)json_integer_value(json_object_get(source, "rank")),
		       json_number_value(json_object_get(source, "score")),
		       json_number_value(json_object_get(source, "contribution")));
	json_array_foreach(json_object_get(hit, "boosts"), i, boost)
		printf(" %s adds %.3f: %s;", json_string_value(json_object_get(boost, "name")),
		       json_number_value(json_object_get(boost, "contribution")),
		       json_string_value(json_object_get(boost, "because")));
	putchar('\n');
	print_text(hit, text ? text : problem ? problem : "");
}

static int print_answer(const json_t *answer)
{
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(answer, "warnings"), i, v)
		fprintf(stderr, "readback: %s\n", json_string_value(v));
	json_array_foreach(json_object_get(answer, "data"), i, v)
		print_hit(i + 1, v);
	if (json_array_size(json_object_get(answer, "data")) == 0)
		puts("nothing found");
	return EXIT_OK;
}

/* "document,case" */
static json_t *kinds_json(const char *list)
{
	json_t *kinds = json_array();

	while (*list) {
		size_t n = strcspn(list, ",");
		json_array_append_new(kinds, json_stringn(list, n));
		list += n + (list[n] == ',');
	}
	return kinds;
}

static int run(int argc, char **argv)
{
	struct client_options o = { 0 };
	const char *kinds = "document", *match = NULL, *filter = NULL;
	long k = 10;
	int json = 0, operands = 0;
	struct error e = { 0 };
	struct client *client;
	JSON_AUTO *answer = NULL;
	const struct option_spec options[] = {
		CLIENT_OPTIONS(o),
		{ "--kinds", "LIST", OPTION_TEXT, &kinds, "of document,case,conversation (document)" },
		{ "--k", "N", OPTION_INT, &k, "hits of each kind, 1 to 100 (10)" },
		{ "--match", "EXPR", OPTION_TEXT, &match, "an FTS5 expression that must match" },
		{ "--filter", "JSON", OPTION_TEXT, &filter,
		  "{\"type\":\"eq\",\"key\":\"lang\",\"value\":\"en\"}" },
		{ "--json", NULL, OPTION_FLAG, &json, "print the answer as JSON" },
		{ 0 },
	};
	const struct usage u = { "search", "\"text\"",
				 "Searches documents, resolved cases and conversations.", options, NULL };
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	if (operands != 1) {
		fputs("readback search: give one text to search for\n", stderr);
		return EXIT_USAGE;
	}
	JSON_AUTO *body = json_pack("{s:s, s:o, s:I}", "query", argv[1], "kinds", kinds_json(kinds), "k",
				    (json_int_t)k);
	if (match)
		json_object_set_new(body, "match", json_string(match));
	json_t *tree = NULL;
	if (filter && json_parse(filter, strlen(filter), &e, &tree) < 0)
		return cmd_fail(&e);
	if (tree)
		json_object_set_new(body, "filter", tree);
	if (!body || client_open(&o, &client, &e) < 0)
		return cmd_fail(&e);
	int rc = client_json(client, "POST", "/v1/search", body, &answer, &e);
	client_close(client);
	if (rc < 0)
		return cmd_fail(&e);
	if (!json)
		return print_answer(answer);
	json_print(answer, stdout);
	return EXIT_OK;
}

const struct command cmd_search = { "search", "search documents, resolved cases and conversations", run };
