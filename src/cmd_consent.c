#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "cmd.h"
#include "desk/bodies.h"

static int ask(struct client *c, const char *customer, const char *training, json_t **answer, struct error *e)
{
	STRBUF_AUTO target = STRBUF_INIT;
	JSON_AUTO *body = training ? json_pack("{s:s}", "training", training) : NULL;
	char *segment = path_segment(customer);

	strbuf_printf(&target, "/v1/subjects/%s/consent", segment ? segment : "");
	int failed = !segment || target.failed || (training && !body);
	free(segment);
	return failed ? no_memory(e) : client_json(c, training ? "PUT" : "GET", target.p, body, answer, e);
}

static void print_text(const json_t *answer)
{
	printf("%s: %s since %s\n", body_string(answer, "customer"), body_string(answer, "training"),
	       body_string(answer, "at"));
	if (strcmp(body_string(answer, "datasets"), "pending") == 0)
		puts("datasets with rows of this customer are superseded by the server, or when one starts");
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
		"consent", "CUSTOMER [granted|denied]",
		"Prints or sets what a customer says about training: `denied` keeps what they said out of new training\n"
		"sets, and supersedes those that a server made with it. Folders of `readback export` are looked through\n"
		"by `readback export withdrawn`.",
		options, NULL
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	if (operands != 1 && operands != 2)
		return cmd_fail(&(struct error){
			.code = ERR_USAGE,
			.message = "give a customer's id, and to set it granted or denied" });
	o.writes = operands == 2;
	if (client_open(&o, &client, &e) < 0)
		return cmd_fail(&e);
	int rc = ask(client, argv[1], operands == 2 ? argv[2] : NULL, &answer, &e);
	client_close(client);
	if (rc < 0)
		return cmd_fail(&e);
	if (json)
		json_print(answer, stdout);
	else
		print_text(answer);
	return EXIT_OK;
}

const struct command cmd_consent = { "consent", "what a customer says about training on their conversations",
				     run };
