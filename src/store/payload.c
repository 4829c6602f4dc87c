/* payload.c: an event's changes as JSON and back; docs/formats.md has the grammar. */
#include "store/event.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "store/tables.h"

/* 17 digits, with which a number is the same again: filters compare it with that of a query. */
char *payload_tags(const json_t *tags, size_t *n)
{
	char *s = json_dumps(tags, JSON_COMPACT);

	if (s && n)
		*n = strlen(s);
	return s;
}

/* --- writing: by hand, for this is on the way of every write, and bodies are JSON texts already ------ */

static void add_string(struct strbuf *b, const char *s)
{
	static const char digits[] = "0123456789abcdef";
	size_t plain;

	strbuf_putc(b, '"');
	for (; *s; s++) {
		for (plain = 0; (unsigned char)s[plain] >= 0x20 && s[plain] != '"' && s[plain] != '\\';
		     plain++)
			continue;
		strbuf_add(b, s, plain);
		s += plain;
		if (!*s)
			break;
		if (*s == '"' || *s == '\\') {
			char pair[2] = { '\\', *s };
			strbuf_add(b, pair, 2);
		} else {
			char code[6] = { '\\', 'u', '0', '0', digits[(*s >> 4) & 1], digits[*s & 15] };
			strbuf_add(b, code, 6);
		}
	}
	strbuf_putc(b, '"');
}

static void add_hash(struct strbuf *b, const struct stored_ref *r)
{
	char hex[2 * SHA256_SIZE + 3];

	if (!r->there) {
		strbuf_puts(b, "null");
		return;
	}
	hex[0] = '"';
	hex_encode(r->hash, SHA256_SIZE, hex + 1);
	hex[2 * SHA256_SIZE + 1] = '"';
	strbuf_add(b, hex, 2 * SHA256_SIZE + 2);
}

static void add_row(struct strbuf *b, const struct stored_row *r)
{
	const uint64_t numbers[] = { r->row, (uint64_t)r->field, r->n, r->start, r->end };

	strbuf_putc(b, '[');
	for (size_t i = 0; i < 5; i++) {
		strbuf_uint(b, numbers[i]);
		strbuf_putc(b, ',');
	}
	add_hash(b, &r->vector);
	strbuf_putc(b, ']');
}

static void add_entry(struct strbuf *b, const struct stored_entry *en)
{
	strbuf_puts(b, "{\"acl\":");
	strbuf_puts(b, en->acl ? en->acl : "null");
	if (!en->keep_rows) {
		strbuf_puts(b, ",\"entry\":");
		strbuf_uint(b, en->entry);
		strbuf_puts(b, ",\"rows\":[");
		for (size_t i = 0; i < en->n_rows; i++) {
			if (i)
				strbuf_putc(b, ',');
			add_row(b, &en->rows[i]);
		}
		strbuf_putc(b, ']');
	}
	strbuf_puts(b, ",\"tags\":");
	strbuf_puts(b, en->tags);
	if (!en->keep_rows) {
		strbuf_puts(b, ",\"text\":");
		add_hash(b, &en->text);
		strbuf_puts(b, ",\"title\":");
		add_hash(b, &en->title);
	}
	strbuf_putc(b, '}');
}

static void add_change(const struct tables *t, struct strbuf *b, const struct stored_change *c)
{
	strbuf_putc(b, '{');
	if (c->body) {
		strbuf_puts(b, "\"body\":");
		strbuf_puts(b, c->body);
		strbuf_putc(b, ',');
	}
	if (c->body && c->entry) {
		strbuf_puts(b, "\"entry\":");
		add_entry(b, c->entry);
		strbuf_putc(b, ',');
	}
	strbuf_puts(b, "\"id\":");
	add_string(b, c->id);
	strbuf_puts(b, ",\"kind\":");
	add_string(b, tables_spec(t, c->kind)->name);
	strbuf_puts(b, ",\"subject\":");
	add_string(b, c->subject);
	if (c->body && c->text.there) {
		strbuf_puts(b, ",\"text\":");
		add_hash(b, &c->text);
	}
	strbuf_putc(b, '}');
}

void payload_write(const struct tables *t, const struct stored_event *ev, struct strbuf *out)
{
	strbuf_puts(out, "{\"changes\":[");
	for (size_t i = 0; i < ev->n; i++) {
		if (i)
			strbuf_putc(out, ',');
		add_change(t, out, &ev->changes[i]);
	}
	strbuf_puts(out, "],\"id\":");
	add_string(out, ev->id);
	strbuf_putc(out, '}');
}

/* --- reading ------------------------------------------------------------------------------------ */

struct parse {
	const struct tables *t;
	struct arena *a;
	int bad; /* sticky: 1 not the grammar, 2 no memory */
};

static void *take(struct parse *p, void *memory)
{
	if (!memory)
		p->bad = 2;
	return memory;
}

static void read_hash(struct parse *p, const json_t *j, struct stored_ref *out)
{
	if (!j || json_is_null(j))
		return;
	out->there = 1;
	if (!json_is_string(j) ||
	    hex_decode(json_string_value(j), json_string_length(j), out->hash, sizeof(out->hash)) < 0)
		p->bad = 1;
}

static const char *read_string(struct parse *p, const json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	if (!s)
		p->bad = 1;
	return s ? s : "";
}

/* The JSON text of a member, NULL if it is missing or null. `text_of` is what wrote it before. */
static const char *read_json(struct parse *p, const json_t *j, const char *name,
			     char *(*text_of)(const json_t *j, size_t *n))
{
	const json_t *member = json_object_get(j, name);
	char *text, *copy;

	if (!member || json_is_null(member))
		return NULL;
	text = take(p, text_of(member, NULL));
	copy = text ? take(p, arena_strdup(p->a, text)) : NULL;
	free(text);
	return copy;
}

static void read_row(struct parse *p, const json_t *j, struct stored_row *r)
{
	if (json_array_size(j) != 6) {
		p->bad = 1;
		return;
	}
	uint64_t v[5];
	for (size_t i = 0; i < 5; i++)
		v[i] = (uint64_t)json_integer_value(json_array_get(j, i));
	*r = (struct stored_row){
		.row = v[0], .field = (int)v[1], .n = (uint32_t)v[2], .start = v[3], .end = v[4]
	};
	read_hash(p, json_array_get(j, 5), &r->vector);
}

static const struct stored_entry *read_entry(struct parse *p, const json_t *j)
{
	struct stored_entry *en = take(p, arena_alloc(p->a, sizeof(*en)));
	const json_t *rows = json_object_get(j, "rows");
	size_t n = json_array_size(rows);
	struct stored_row *r = take(p, arena_alloc(p->a, (n + 1) * sizeof(*r)));

	if (!en || !r)
		return NULL;
	for (size_t i = 0; i < n; i++)
		read_row(p, json_array_get(rows, i), &r[i]);
	en->keep_rows = !json_object_get(j, "entry");
	en->entry = (uint64_t)json_integer_value(json_object_get(j, "entry"));
	en->acl = read_json(p, j, "acl", json_text);
	en->tags = read_json(p, j, "tags", payload_tags);
	read_hash(p, json_object_get(j, "text"), &en->text);
	read_hash(p, json_object_get(j, "title"), &en->title);
	en->rows = r;
	en->n_rows = n;
	if (!en->tags)
		p->bad = 1;
	return en;
}

static void read_change(struct parse *p, const json_t *j, struct stored_change *c)
{
	const json_t *entry = json_object_get(j, "entry"), *body = json_object_get(j, "body");

	c->kind = tables_kind(p->t, read_string(p, j, "kind"));
	c->id = read_string(p, j, "id");
	c->subject = read_string(p, j, "subject");
	if (c->kind < 0) {
		p->bad = 1;
		return;
	}
	c->body = read_json(p, j, "body", json_text);
	for (int i = 0; i < STORED_FIELDS && tables_spec(p->t, c->kind)->fields[i]; i++)
		c->fields[i] = json_string_value(
			json_object_get(body, tables_spec(p->t, c->kind)->fields[i]));
	read_hash(p, json_object_get(j, "text"), &c->text);
	if (entry)
		c->entry = read_entry(p, entry);
}

int payload_read(const struct tables *t, const char *s, size_t n, struct arena *a, struct stored_event *ev,
		 struct error *e)
{
	struct parse p = { .t = t, .a = a };
	json_t *j = json_keep(a, json_loadb(s, n, JSON_REJECT_DUPLICATES, NULL));
	const json_t *changes = json_object_get(j, "changes");
	size_t count = json_array_size(changes);
	struct stored_change *c = take(&p, arena_alloc(a, (count + 1) * sizeof(*c)));

	if (!json_is_array(changes))
		p.bad = 1;
	for (size_t i = 0; i < count && !p.bad; i++)
		read_change(&p, json_array_get(changes, i), &c[i]);
	if (p.bad == 2)
		return no_memory(e);
	if (p.bad)
		return error_set(e, ERR_CORRUPT, NULL, "an event's payload is not what readback writes");
	ev->changes = c;
	ev->n = count;
	return 0;
}
