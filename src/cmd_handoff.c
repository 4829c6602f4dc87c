#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "cmd.h"

/* The handoff of a conversation: its open one, else its last. */
static int find_handoff(struct client *c, const char *conversation, json_t **out, struct error *e)
{
	JSON_AUTO *found = NULL;
	char *id = path_segment(conversation);
	STRBUF_AUTO target = STRBUF_INIT;

	strbuf_printf(&target, "/v1/conversations/%s", id ? id : "");
	free(id);
	int rc = client_json(c, "GET", target.p, NULL, &found, e);
	if (rc < 0)
		return rc;
	const json_t *all = json_object_get(found, "handoffs");
	const char *last = json_string_value(json_array_get(all, json_array_size(all) - 1));
	if (!last)
		return error_set(e, ERR_NOT_FOUND, NULL, "conversation %s has no handoff", conversation);
	strbuf_clear(&target);
	strbuf_printf(&target, "/v1/handoffs/%s", last);
	return client_json(c, "GET", target.p, NULL, out, e);
}

static int print_brief(struct client *c, const char *id, struct error *e)
{
	STRBUF_AUTO target = STRBUF_INIT;
	char *text;
	int status;

	strbuf_printf(&target, "/v1/handoffs/%s/brief?format=text", id);
	int rc = client_call(c, "GET", target.p, NULL, &status, &text, e);
	if (rc < 0)
		return rc;
	fputs(text, stdout);
	free(text);
	return 0;
}

static void print_reason(const json_t *item)
{
	const char *name;
	json_t *source, *boost;
	size_t i;

	printf("     why: score %.3f", json_number_value(json_object_get(item, "score")));
	json_object_foreach(json_object_get(item, "sources"), name, source)
		printf(" | %s rank %lld (%.3f) adds %.3f", name,
		       (long long)json_integer_value(json_object_get(source, "rank")),
		       json_number_value(json_object_get(source, "score")),
		       json_number_value(json_object_get(source, "contribution")));
	json_array_foreach(json_object_get(item, "boosts"), i, boost)
		printf(" | %s: %s", json_string_value(json_object_get(boost, "name")),
		       json_string_value(json_object_get(boost, "because")));
	putchar('\n');
}

static void print_item(const json_t *item)
{
	const char *state = json_string_value(json_object_get(item, "state"));
	const char *kind = json_string_value(json_object_get(item, "kind"));
	const char *title = json_string_value(json_object_get(item, "title"));
	const char *text = json_string_value(json_object_get(item, "text"));
	const char *problem = json_string_value(json_object_get(item, "problem"));
	const char *resolution = json_string_value(json_object_get(item, "resolution"));

	printf("%3lld  ", (long long)json_integer_value(json_object_get(item, "n")));
	if (!kind) {
		printf("(%s)\n", state ? state : "withheld");
		return;
	}
	printf("%s %s  %s%s\n", kind, json_string_value(json_object_get(item, "id")), title ? title : "",
	       json_is_true(json_object_get(item, "cited_by_bot")) ? "  [cited by the bot]" : "");
	print_reason(item);
	if (problem) {
		print_line("     problem: ", problem, 160);
		print_line("     resolution: ", resolution ? resolution : "", 200);
	} else if (text) {
		print_line("     ", text, 200);
	}
}

static int print_handoff(struct client *c, const json_t *h, struct error *e)
{
	const char *id = json_string_value(json_object_get(h, "id"));
	const json_t *evidence = json_object_get(h, "evidence");
	json_t *item;
	size_t i;

	printf("Handoff %s  (%s, conversation %s)\n\n", id, json_string_value(json_object_get(h, "state")),
	       json_string_value(json_object_get(h, "conversation_id")));
	int rc = print_brief(c, id, e);
	if (rc < 0)
		return rc;
	printf("\nEvidence %s\n", json_string_value(json_object_get(evidence, "hash")));
	json_array_foreach(json_object_get(evidence, "data"), i, item)
		print_item(item);
	json_array_foreach(json_object_get(evidence, "bot_citations"), i, item)
		printf("  bot cited %s: %s\n", json_string_value(json_object_get(item, "document_id")),
		       json_string_value(json_object_get(item, "status")));
	return 0;
}

static int run(int argc, char **argv)
{
	struct client_options o = { 0 };
	int json = 0, operands = 0;
	struct error e = { 0 };
	struct client *client;
	JSON_AUTO *handoff = NULL;
	const struct option_spec options[] = {
		CLIENT_OPTIONS(o),
		{ "--json", NULL, OPTION_FLAG, &json, "print the handoff as JSON" },
		{ 0 },
	};
	const struct usage u = {
		"handoff", "CONVERSATION",
		"Prints a conversation's handoff: the brief, and the evidence with its reasons.", options,
		NULL
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	if (operands != 1) {
		fputs("readback handoff: give the id of one conversation\n", stderr);
		return EXIT_USAGE;
	}
	if (client_open(&o, &client, &e) < 0)
		return cmd_fail(&e);
	int rc = find_handoff(client, argv[1], &handoff, &e);
	if (rc == 0 && json) {
		json_print(handoff, stdout);
	} else if (rc == 0) {
		rc = print_handoff(client, handoff, &e);
	}
	client_close(client);
	return rc < 0 ? cmd_fail(&e) : EXIT_OK;
}

const struct command cmd_handoff = { "handoff", "print a conversation's handoff: brief and evidence", run };
