/*
 * vCon (draft-ietf-vcon-vcon-core, 0.4.0): a conversation a line, with all of
 * its turns, the bot's and the system's too: it is a record, not a lesson.
 * Parties are roles; the intent it was resolved with is an analysis.
 */
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json_write.h"
#include "datasets/format.h"

static const char *const roles[] = { "customer", "bot", "agent", "system" };

#define ROLES (sizeof(roles) / sizeof(roles[0]))

static void put_text(struct strbuf *b, const char *key, const char *s)
{
	put_field(b, key, (struct text){ s, strlen(s) });
}

static void put_time(struct strbuf *b, const char *key, int64_t ms)
{
	char text[TIME_TEXT];

	time_format(ms, text);
	put_text(b, key, text);
}

/* A UUID of version 8 (RFC 9562): the row's name, hashed. */
static void put_uuid(struct strbuf *b, const char *id)
{
	unsigned char hash[SHA256_SIZE];
	char hex[2 * 16 + 1], uuid[40];

	crypto_sha256(id, strlen(id), hash);
	hash[6] = (unsigned char)((hash[6] & 0x0f) | 0x80);
	hash[8] = (unsigned char)((hash[8] & 0x3f) | 0x80);
	hex_encode(hash, 16, hex);
	char *to = uuid;
	for (int i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			*to++ = '-';
		*to++ = hex[i];
	}
	*to = '\0';
	put_text(b, "uuid", uuid);
}

static size_t party_of(const char *role)
{
	size_t i = 0;

	while (i + 1 < ROLES && strcmp(roles[i], role) != 0)
		i++;
	return i;
}

static void put_turn(struct strbuf *b, const struct said *t)
{
	size_t party = party_of(t->role);

	jsonw_open(b, '{');
	put_text(b, "type", "text");
	put_time(b, "start", t->at);
	jsonw_key(b, "parties");
	jsonw_open(b, '[');
	jsonw_int(b, (int64_t)party);
	jsonw_close(b, ']');
	jsonw_key(b, "originator");
	jsonw_int(b, (int64_t)party);
	put_text(b, "mediatype", "text/plain");
	put_field(b, "body", t->text);
	put_text(b, "encoding", "none");
	jsonw_close(b, '}');
}

static void put_analysis(struct strbuf *b, const struct dataset_row *r)
{
	jsonw_key(b, "analysis");
	jsonw_open(b, '[');
	if (r->label.n) {
		jsonw_open(b, '{');
		put_text(b, "type", "intent");
		jsonw_key(b, "dialog");
		jsonw_open(b, '[');
		for (size_t i = 0; i < r->n_turns; i++)
			jsonw_int(b, (int64_t)i);
		jsonw_close(b, ']');
		put_text(b, "vendor", "readback");
		put_text(b, "mediatype", "text/plain");
		put_field(b, "body", r->label);
		put_text(b, "encoding", "none");
		jsonw_close(b, '}');
	}
	jsonw_close(b, ']');
}

static void row(struct dataset_writer *w, const struct dataset_row *r)
{
	struct strbuf *b = &w->out[0];

	line_begin(b);
	put_text(b, "vcon", "0.4.0");
	put_uuid(b, r->id);
	put_time(b, "created_at", r->at);
	jsonw_key(b, "parties");
	jsonw_open(b, '[');
	for (size_t i = 0; i < ROLES; i++) {
		jsonw_open(b, '{');
		put_text(b, "role", roles[i]);
		jsonw_close(b, '}');
	}
	jsonw_close(b, ']');
	jsonw_key(b, "dialog");
	jsonw_open(b, '[');
	for (size_t i = 0; i < r->n_turns; i++)
		put_turn(b, &r->turns[i]);
	jsonw_close(b, ']');
	put_analysis(b, r);
	jsonw_key(b, "attachments");
	strbuf_puts(b, "[]");
	line_end(b);
}

const struct dataset_format dataset_vcon = {
	.name = "vcon",
	.help = "vCon 0.4.0: a conversation with all its turns a line",
	.kinds = 1u << DATASET_ANSWERS,
	.flags = FORMAT_TURNS,
	.files = { "%s.jsonl" },
	.row = row,
};
