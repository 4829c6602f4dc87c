#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "cmd.h"
#include "store/keys.h"

static const struct {
	const char *name;
	unsigned bit;
} scopes[] = {
	{ "bot", SCOPE_BOT },       { "agent", SCOPE_AGENT },           { "curator", SCOPE_CURATOR },
	{ "export", SCOPE_EXPORT }, { "export:raw", SCOPE_EXPORT_RAW }, { "admin", SCOPE_ADMIN },
};

#define SCOPES (sizeof(scopes) / sizeof(scopes[0]))
#define MAX_GROUPS 64

static int parse_scopes(char *list, unsigned *out)
{
	char *save = NULL;

	for (char *s = strtok_r(list, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
		size_t i = 0;
		while (i < SCOPES && strcmp(scopes[i].name, s) != 0)
			i++;
		if (i == SCOPES) {
			fprintf(stderr,
				"readback key: there is no scope \"%s\" (bot, agent, curator, export, export:raw, admin)\n",
				s);
			return -1;
		}
		*out |= scopes[i].bit;
	}
	return *out ? 0 : -1;
}

static const char *scopes_text(struct arena *a, unsigned bits)
{
	const char *out = "";

	for (size_t i = 0; i < SCOPES; i++)
		if (bits & scopes[i].bit)
			out = arena_printf(a, "%s%s%s", out, *out ? "," : "", scopes[i].name);
	return out;
}

static int create(struct control *c, struct arena *a, const char *scope_list, const char *group_list,
		  struct key_spec *spec, int json, struct error *e)
{
	const char **groups = arena_alloc(a, MAX_GROUPS * sizeof(*groups));
	char text[KEY_TEXT], id[KEY_TEXT], *save = NULL;

	if (!groups)
		return no_memory(e);
	if (!scope_list || parse_scopes(arena_strdup(a, scope_list), &spec->scopes) < 0)
		return error_set(e, ERR_USAGE, NULL,
				 "key create needs --scopes, such as --scopes agent,curator");
	spec->all_groups = group_list && strcmp(group_list, "*") == 0;
	if (group_list && !spec->all_groups)
		for (char *g = strtok_r(arena_strdup(a, group_list), ",", &save);
		     g && spec->n_groups < MAX_GROUPS; g = strtok_r(NULL, ",", &save))
			groups[spec->n_groups++] = g;
	spec->groups = groups;
	int rc = key_create(c, spec, text, id, e);
	if (rc < 0)
		return rc;
	if (json) {
		JSON_AUTO *j = json_pack("{s:s, s:s, s:s}", "id", id, "key", text, "scopes",
					 scopes_text(a, spec->scopes));
		json_print(j, stdout);
	} else {
		printf("%s\n", text);
		fprintf(stderr, "readback: key %s made; its text is shown this once\n", id);
	}
	return 0;
}

static const char *groups_text(struct arena *a, const struct key_spec *k)
{
	const char *out = k->all_groups ? "*" : "";

	for (size_t i = 0; i < k->n_groups; i++)
		out = arena_printf(a, "%s%s%s", out, *out ? "," : "", k->groups[i]);
	return out;
}

static int list(struct control *c, struct arena *a, int json, struct error *e)
{
	struct key_spec *keys;
	size_t n;
	int rc = key_list(c, a, &keys, &n, e);

	if (rc < 0)
		return rc;
	JSON_AUTO *all = json_array();
	for (size_t i = 0; i < n; i++) {
		char at[TIME_TEXT];
		time_format(keys[i].created_at, at);
		json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:b}", "id", keys[i].id,
						     "name", keys[i].name ? keys[i].name : "", "scopes",
						     scopes_text(a, keys[i].scopes), "groups",
						     groups_text(a, &keys[i]), "act_as", keys[i].act_as,
						     "created_at", at, "revoked", keys[i].revoked_at != 0));
		if (!json)
			printf("%-24s %-28s groups %-20s %s%s\n", keys[i].id, scopes_text(a, keys[i].scopes),
			       groups_text(a, &keys[i]), at, keys[i].revoked_at ? "  revoked" : "");
	}
	if (json) {
		json_print(all, stdout);
	}
	return 0;
}

static int run(int argc, char **argv)
{
	const char *data = NULL, *scope_list = NULL, *group_list = NULL;
	struct key_spec spec = { 0 };
	int json = 0, operands = 0, rc;
	struct error e = { 0 };
	struct control *control;
	const struct option_spec options[] = {
		{ "--data", "DIR", OPTION_TEXT, &data, "the data folder" },
		{ "--scopes", "LIST", OPTION_TEXT, &scope_list,
		  "create: of bot,agent,curator,export,export:raw,admin" },
		{ "--groups", "LIST", OPTION_TEXT, &group_list,
		  "create: ACL groups, such as tier1,emea; * for all (none)" },
		{ "--name", "TEXT", OPTION_TEXT, &spec.name, "create: a name for people" },
		{ "--act-as", NULL, OPTION_FLAG, &spec.act_as,
		  "create: may carry the Readback-Agent header" },
		{ "--json", NULL, OPTION_FLAG, &json, "print JSON" },
		{ 0 },
	};
	const struct usage u = { "key", "create|list|revoke [ID]",
				 "Makes, lists and revokes API keys. Only their hashes are kept.", options,
				 "example: readback key create --scopes agent --groups tier1 --data DIR" };
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	if (operands < 1 || !data) {
		fputs("readback key: give create, list or revoke ID, and --data DIR\n", stderr);
		return EXIT_USAGE;
	}
	struct arena *a = arena_new(4096);
	if (!a || folder_make(data, &e) < 0 || control_open(data, 0, &control, &e) < 0) {
		arena_free(a);
		return cmd_fail(&e);
	}
	if (strcmp(argv[1], "create") == 0)
		rc = create(control, a, scope_list, group_list, &spec, json, &e);
	else if (strcmp(argv[1], "list") == 0)
		rc = list(control, a, json, &e);
	else if (strcmp(argv[1], "revoke") == 0 && operands == 2)
		rc = key_revoke(control, argv[2], &e);
	else
		rc = error_set(&e, ERR_USAGE, NULL, "give create, list or revoke ID");
	control_close(control);
	arena_free(a);
	return rc < 0 ? cmd_fail(&e) : EXIT_OK;
}

const struct command cmd_key = { "key", "make, list and revoke API keys", run };
