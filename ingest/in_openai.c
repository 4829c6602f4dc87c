/*
 * OpenAI's fine-tuning chats, {"messages":[{"role","content"},…]} a line: the
 * user is the customer, the assistant the agent. A chat has no name, so it is
 * known by what was said; a weight says nothing about that.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "desk/conversation.h"
#include "ingest/foreign.h"

static const char *role_of(struct text role)
{
	switch (role.s[0]) {
	case 'u':
		return "customer";
	case 'a':
		return "agent";
	default:
		return "system";
	}
}

static int read_message(json_t *message, size_t i, json_t *turns, struct error *why)
{
	struct text role = { 0 }, content = { 0 };
	struct reader r;
	char path[48];
	int64_t weight;
	int rc;

	snprintf(path, sizeof(path), "messages[%zu]", i);
	reader_init(&r, message, path, why);
	reader_word(&r, "role", REQUIRED, "user|assistant|system", &role);
	reader_string(&r, "content", REQUIRED, TURN_MAX_TEXT, &content);
	reader_int(&r, "weight", OPTIONAL, 0, 1, &weight);
	if ((rc = reader_done(&r)) < 0)
		return rc;
	if (json_array_append_new(
		    turns, json_pack("{s:s, s:s%}", "role", role_of(role), "text", content.s, content.n)) < 0)
		return no_memory(why);
	return 0;
}

static int read_messages(json_t *in, json_t *turns, struct error *why)
{
	json_t *messages = NULL, *message;
	struct reader r;
	size_t i;
	int rc;

	reader_init(&r, in, NULL, why);
	if (json_object_get(in, "preferred_output"))
		reader_fail(&r, ERR_BAD_VALUE, "preferred_output",
			    "is a preference, not what was said; rows with \"messages\" are imported");
	reader_array(&r, "messages", REQUIRED, CONVERSATION_MAX_TURNS, &messages);
	if (messages && json_array_size(messages) == 0)
		reader_fail(&r, ERR_BAD_VALUE, "messages", "has no message");
	if ((rc = reader_done(&r)) < 0)
		return rc;
	json_array_foreach(messages, i, message)
		if ((rc = read_message(message, i, turns, why)) < 0)
			return rc;
	return 0;
}

static int value(struct arena *a, json_t *in, json_t **out, struct error *why)
{
	json_t *turns = json_keep(a, json_array());
	char hash[SHA256_TEXT];
	size_t n;
	int rc = turns ? read_messages(in, turns, why) : no_memory(why);

	if (rc < 0)
		return rc;
	char *said = json_text(turns, &n);
	if (!said)
		return no_memory(why);
	crypto_sha256_text(said, n, hash);
	free(said);
	const char *id = arena_printf(a, "openai:%.32s", hash + sizeof("sha256:") - 1);
	*out = id ? json_keep(a, json_pack("{s:s, s:O}", "id", id, "turns", turns)) : NULL;
	return *out ? 0 : no_memory(why);
}

const struct import_format in_openai = {
	.name = "openai",
	.what = IMPORT_CONVERSATIONS,
	.value = value,
};
