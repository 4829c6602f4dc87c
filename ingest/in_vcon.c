/*
 * vCon (draft-ietf-vcon-vcon-core, up to 0.4): a conversation in text. Turns
 * are in the order of the file. The intent that our own export wrote is what
 * the conversation was resolved with; what others analysed is no label.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "desk/conversation.h"
#include "ingest/foreign.h"

#define MAJOR 0
#define MINOR 4
#define MAX_WORD 128 /* bytes of what is a name, and is shown in errors */

/* Whom the turns are of, and what an agent said last. */
struct told {
	json_t *parties, *turns;
	struct text by_agent;
};

static int is_newer(const char *version)
{
	char *end;
	unsigned long major = strtoul(version, &end, 10),
		      minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;

	return major > MAJOR || (major == MAJOR && minor > MINOR);
}

static void check_version(struct reader *r)
{
	struct text version = { 0 };
	json_t *critical = NULL;

	reader_string(r, "vcon", OPTIONAL, MAX_WORD, &version);
	if (version.s && strspn(version.s, "0123456789.") != version.n)
		reader_fail(r, ERR_BAD_VALUE, "vcon", "must be a version such as 0.4.0");
	else if (version.s && is_newer(version.s))
		reader_fail(r, ERR_BAD_VALUE, "vcon",
			    "version %s is newer than %d.%d, the last that is known here", version.s, MAJOR,
			    MINOR);
	reader_strings(r, "critical", OPTIONAL, 100, MAX_WORD, &critical);
	if (json_array_size(critical) > 0)
		reader_fail(r, ERR_BAD_VALUE, "critical",
			    "it needs the extension %s, which is not known here",
			    json_string_value(json_array_get(critical, 0)));
}

/* The index of the party that speaks: the originator, or else the first that is named. -1: failed. */
static json_int_t speaker(struct reader *r)
{
	json_t *parties = NULL, *originator = NULL;

	reader_any(r, "originator", OPTIONAL, &originator);
	reader_any(r, "parties", OPTIONAL, &parties);
	const json_t *first = originator               ? originator
			      : json_is_array(parties) ? json_array_get(parties, 0)
						       : parties;
	if (r->rc == 0 && (!json_is_integer(first) || json_integer_value(first) < 0))
		reader_fail(r, ERR_BAD_VALUE, originator ? "originator" : "parties",
			    "must name a party by its place, from 0");
	return r->rc < 0 ? -1 : json_integer_value(first);
}

static void check_plain(struct reader *r)
{
	struct text type = { 0 }, media = { 0 }, older = { 0 }, encoding = { 0 };

	reader_string(r, "type", REQUIRED, MAX_WORD, &type);
	if (type.s && strcmp(type.s, "text") != 0)
		reader_fail(r, ERR_BAD_VALUE, "type", "is %s: only text is read", type.s);
	reader_text(r, "mediatype", OPTIONAL, MAX_WORD, &media);
	reader_text(r, "mimetype", OPTIONAL, MAX_WORD, &older);
	if (!media.s)
		media = older;
	if (media.n && strncmp(media.s, "text/plain", strlen("text/plain")) != 0)
		reader_fail(r, ERR_BAD_VALUE, "mediatype", "is %s: only text/plain is read", media.s);
	reader_text(r, "encoding", OPTIONAL, MAX_WORD, &encoding);
	if (encoding.n && strcmp(encoding.s, "none") != 0)
		reader_fail(r, ERR_BAD_VALUE, "encoding", "is %s: only none is read", encoding.s);
}

static int read_role(const struct told *t, json_int_t party, struct text *role, struct error *why)
{
	struct reader r;
	char path[40];

	snprintf(path, sizeof(path), "parties[%lld]", (long long)party);
	if ((size_t)party >= json_array_size(t->parties))
		return error_set(why, ERR_BAD_VALUE, path, "%s: there is no such party", path);
	reader_init(&r, json_array_get(t->parties, (size_t)party), path, why);
	reader_word(&r, "role", REQUIRED, "customer|bot|agent|system", role);
	return r.rc;
}

static int read_turn(struct told *t, json_t *dialog, size_t i, struct error *why)
{
	struct text role = { 0 }, body = { 0 };
	json_t *start = NULL, *turn;
	struct reader r;
	char path[48];
	int64_t at;
	int rc;

	snprintf(path, sizeof(path), "dialog[%zu]", i);
	reader_init(&r, dialog, path, why);
	check_plain(&r);
	reader_string(&r, "body", REQUIRED, TURN_MAX_TEXT, &body);
	reader_time(&r, "start", OPTIONAL, &at);
	reader_any(&r, "start", OPTIONAL, &start);
	json_int_t party = speaker(&r);
	if (party < 0)
		return r.rc;
	if ((rc = read_role(t, party, &role, why)) < 0)
		return rc;
	turn = json_pack("{s:s, s:s%, s:O*}", "role", role.s, "text", body.s, body.n, "at", start);
	if (json_array_append_new(t->turns, turn) < 0)
		return no_memory(why);
	if (strcmp(role.s, "agent") == 0)
		t->by_agent = body;
	return 0;
}

static int is_string(const json_t *object, const char *key, const char *value)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s && strcmp(s, value) == 0;
}

/* The intent of our export, NULL if there is none. */
static const json_t *find_intent(const json_t *analysis)
{
	const json_t *item;
	size_t i;

	json_array_foreach(analysis, i, item)
		if (is_string(item, "vendor", "readback") && is_string(item, "type", "intent"))
			return json_object_get(item, "body");
	return NULL;
}

/*
 * The export does not say what solved it, so the agent's last answer does.
 * Where only a bot answered there is none: its text makes no case.
 */
static int add_resolution(const struct told *t, const json_t *intent, json_t *created, json_t *out,
			  struct error *why)
{
	if (!intent || !t->by_agent.s)
		return 0;
	if (json_object_set_new(out, "resolution",
				json_pack("{s:s, s:O, s:s%, s:O*}", "outcome", "resolved", "intent", intent,
					  "text", t->by_agent.s, t->by_agent.n, "at", created)) < 0)
		return no_memory(why);
	return 0;
}

static int value(struct arena *a, json_t *in, json_t **out, struct error *why)
{
	struct told t = { .turns = json_keep(a, json_array()) };
	json_t *dialog = NULL, *analysis = NULL, *created = NULL, *item;
	struct text uuid = { 0 };
	struct reader r;
	size_t i;
	int rc;

	reader_init(&r, in, NULL, why);
	check_version(&r);
	reader_string(&r, "uuid", REQUIRED, MAX_WORD, &uuid);
	reader_any(&r, "created_at", OPTIONAL, &created);
	reader_array(&r, "parties", REQUIRED, CONVERSATION_MAX_TURNS, &t.parties);
	reader_array(&r, "dialog", REQUIRED, CONVERSATION_MAX_TURNS, &dialog);
	reader_array(&r, "analysis", OPTIONAL, CONVERSATION_MAX_TURNS, &analysis);
	if (r.rc < 0)
		return r.rc;
	if (!t.turns)
		return no_memory(why);
	json_array_foreach(dialog, i, item)
		if ((rc = read_turn(&t, item, i, why)) < 0)
			return rc;
	const char *id = arena_printf(a, "vcon:%s", uuid.s);
	json_t *line = id ? json_keep(a, json_pack("{s:s, s:O}", "id", id, "turns", t.turns)) : NULL;
	if (!line)
		return no_memory(why);
	if ((rc = add_resolution(&t, find_intent(analysis), created, line, why)) < 0)
		return rc;
	*out = line;
	return 0;
}

const struct import_format in_vcon = {
	.name = "vcon",
	.what = IMPORT_CONVERSATIONS,
	.value = value,
};
