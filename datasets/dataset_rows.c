/*
 * dataset_rows.c: rows wait in a spool until all are there, without personal
 * data. A row is packed field behind field: numbers as they are in memory, a
 * text as its length, its bytes and a NUL. Nobody else reads that.
 */
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "datasets/consents.h"
#include "datasets/dataset_internal.h"

long label_number(struct writing *w, struct text name)
{
	uint64_t *slot = map_put(w->label_numbers, name.s, name.n, NULL);

	if (slot && !*slot) {
		const char *copy = arena_strndup(w->arena, name.s, name.n);
		if (!copy || GROW(w->labels, w->n_labels, w->label_cap) < 0)
			return -1;
		w->labels[w->n_labels++] = (struct label){ .name = { copy, name.n } };
		*slot = w->n_labels;
	}
	return slot ? (long)*slot - 1 : -1;
}

/* --- without personal data -------------------------------------------------------------------------------- */

struct redaction {
	struct redactor *redactor;
	struct arena *arena;
	int failed;
};

static void redact_text(struct redaction *x, struct text *t)
{
	if (t->s && !x->failed)
		x->failed = redactor_text(x->redactor, x->arena, *t, t) < 0;
}

/* All texts of the row but the label. New ones are the arena's; documents are redacted where they are loaded. */
static int redact_row(struct writing *w, struct redactor *by, struct arena *a, uint32_t component,
		      struct dataset_row *row)
{
	const struct text names = component_names(w->components, component);
	struct redaction x = { by, a, redactor_begin(by, names) < 0 };
	struct message *messages = arena_alloc(a, (row->n_messages + 1) * sizeof(*messages));
	struct said *turns = arena_alloc(a, (row->n_turns + 1) * sizeof(*turns));
	struct text *contexts = arena_alloc(a, (row->n_contexts + 1) * sizeof(*contexts));

	if (!messages || !turns || !contexts)
		return no_memory(w->err);
	for (size_t i = 0; i < row->n_messages; i++) {
		messages[i] = row->messages[i];
		redact_text(&x, &messages[i].text);
	}
	for (size_t i = 0; i < row->n_turns; i++) {
		turns[i] = row->turns[i];
		redact_text(&x, &turns[i].text);
	}
	redact_text(&x, &row->text);
	redact_text(&x, &row->chosen);
	redact_text(&x, &row->rejected);
	redact_text(&x, &row->answer);
	for (size_t i = 0; i < row->n_contexts; i++) {
		contexts[i] = row->contexts[i];
		redact_text(&x, &contexts[i]);
	}
	row->messages = messages;
	row->turns = turns;
	row->contexts = contexts;
	return x.failed ? no_memory(w->err) : 0;
}

/* Are there only tokens, and what is between words? */
static int is_only_tokens(struct text t)
{
	const char *s = t.s, *end = t.s + t.n;
	int any = 0;

	while (s < end) {
		size_t token = redact_token(s, (size_t)(end - s));
		unsigned char c = (unsigned char)*s;
		if (token)
			any = 1;
		else if (c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
			return 0;
		s += token ? token : 1;
	}
	return any;
}

/* --- into the spool and out ----------------------------------------------------------------------------- */

#define NO_TEXT UINT64_MAX

static void pack_u64(struct strbuf *b, uint64_t x)
{
	strbuf_add(b, (const char *)&x, sizeof(x));
}

static void pack_text(struct strbuf *b, struct text t)
{
	pack_u64(b, t.s ? t.n : NO_TEXT);
	if (t.s) {
		strbuf_add(b, t.s, t.n);
		strbuf_putc(b, '\0');
	}
}

static void pack_passages(struct strbuf *b, const struct passage *list, size_t n)
{
	pack_u64(b, n);
	for (size_t i = 0; i < n; i++)
		pack_text(b, text_of(list[i].id));
}

static void pack_row(struct strbuf *b, const struct dataset_row *r, struct text from)
{
	const struct text texts[] = { r->text, r->label, r->chosen, r->rejected, r->answer };

	pack_text(b, from);
	pack_text(b, text_of(r->id));
	pack_u64(b, (uint64_t)r->at);
	pack_u64(b, r->n_messages);
	for (size_t i = 0; i < r->n_messages; i++) {
		pack_u64(b, r->messages[i].role);
		pack_text(b, r->messages[i].text);
	}
	pack_u64(b, r->n_turns);
	for (size_t i = 0; i < r->n_turns; i++) {
		pack_text(b, text_of(r->turns[i].role));
		pack_u64(b, (uint64_t)r->turns[i].at);
		pack_text(b, r->turns[i].text);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		pack_text(b, texts[i]);
	pack_passages(b, r->positives, r->n_positives);
	pack_passages(b, r->negatives, r->n_negatives);
	pack_u64(b, r->n_contexts);
	for (size_t i = 0; i < r->n_contexts; i++)
		pack_text(b, r->contexts[i]);
}

static uint64_t unpack_u64(const char **p)
{
	uint64_t x;

	memcpy(&x, *p, sizeof(x));
	*p += sizeof(x);
	return x;
}

static struct text unpack_text(const char **p)
{
	uint64_t n = unpack_u64(p);
	struct text t = { NULL, 0 };

	if (n != NO_TEXT) {
		t = (struct text){ *p, (size_t)n };
		*p += n + 1;
	}
	return t;
}

static int unpack_messages(struct arena *a, const char **p, struct dataset_row *r)
{
	size_t n = (size_t)unpack_u64(p);
	struct message *list = arena_alloc(a, (n + 1) * sizeof(*list));

	if (!list)
		return -1;
	for (size_t i = 0; i < n; i++) {
		list[i].role = (enum message_role)unpack_u64(p);
		list[i].text = unpack_text(p);
	}
	r->messages = list;
	r->n_messages = n;
	return 0;
}

static int unpack_turns(struct arena *a, const char **p, struct dataset_row *r)
{
	size_t n = (size_t)unpack_u64(p);
	struct said *list = arena_alloc(a, (n + 1) * sizeof(*list));

	if (!list)
		return -1;
	for (size_t i = 0; i < n; i++) {
		list[i].role = unpack_text(p).s;
		list[i].at = (int64_t)unpack_u64(p);
		list[i].text = unpack_text(p);
	}
	r->turns = list;
	r->n_turns = n;
	return 0;
}

static int unpack_passages(struct writing *w, struct arena *a, const char **p, const struct passage **out,
			   size_t *count)
{
	size_t n = (size_t)unpack_u64(p);
	struct passage *list = arena_alloc(a, (n + 1) * sizeof(*list));
	int rc = list ? 0 : no_memory(w->err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		list[i].id = unpack_text(p).s;
		rc = documents_get(w, w->documents, a, &list[i]);
	}
	*out = list;
	*count = n;
	return rc;
}

static int unpack_contexts(struct arena *a, const char **p, struct dataset_row *r)
{
	size_t n = (size_t)unpack_u64(p);
	struct text *list = arena_alloc(a, (n + 1) * sizeof(*list));

	if (!list)
		return -1;
	for (size_t i = 0; i < n; i++)
		list[i] = unpack_text(p);
	r->contexts = list;
	r->n_contexts = n;
	return 0;
}

int load_row(struct writing *w, const struct kept_row *kept, struct arena *a, struct dataset_row *row,
	     struct text *from)
{
	char *s = arena_alloc(a, kept->n);
	int rc = s ? outfile_read(w->spool, kept->at, s, kept->n, w->err) : no_memory(w->err);
	const char *p = s;

	if (rc < 0)
		return rc;
	*row = (struct dataset_row){ .kind = w->o->kind };
	*from = unpack_text(&p);
	row->id = unpack_text(&p).s;
	row->at = (int64_t)unpack_u64(&p);
	if (unpack_messages(a, &p, row) < 0 || unpack_turns(a, &p, row) < 0)
		return no_memory(w->err);
	row->text = unpack_text(&p);
	row->label = unpack_text(&p);
	row->chosen = unpack_text(&p);
	row->rejected = unpack_text(&p);
	row->answer = unpack_text(&p);
	if ((rc = unpack_passages(w, a, &p, &row->positives, &row->n_positives)) < 0 ||
	    (rc = unpack_passages(w, a, &p, &row->negatives, &row->n_negatives)) < 0)
		return rc;
	return unpack_contexts(a, &p, row) < 0 ? no_memory(w->err) : 0;
}

/* --- a row comes in ----------------------------------------------------------------------------------------- */

/* "r_" and 16 digits; *lot (0 before) becomes another part of the same hash. */
static const char *row_id(struct arena *a, const struct writing *w, const char *name, uint64_t *lot)
{
	const char *key = arena_printf(a, "%s\n%s", dataset_kind_name(w->o->kind), name);
	unsigned char hash[SHA256_SIZE];
	char digits[17];

	if (!key)
		return NULL;
	/* Keyed: a conversation's id may be a telephone number, and be guessed. */
	crypto_hmac(w->o->secret, key, strlen(key), hash);
	hex_encode(hash, 8, digits);
	for (int i = 8; i < 16; i++)
		*lot = *lot << 8 | hash[i];
	return arena_printf(a, "r_%s", digits);
}

/* Only what the format wants, so that nothing else is redacted and counted. */
static void drop_unwanted(const struct writing *w, struct dataset_row *row)
{
	if (w->o->format->flags & FORMAT_TURNS) {
		row->messages = NULL;
		row->n_messages = 0;
	} else {
		row->turns = NULL;
		row->n_turns = 0;
	}
}

/* A whole row that is ready; `from` is JSON, NULL of a withdrawn one, of which no text is kept. */
static int keep_row(struct writing *w, const struct dataset_row *row, struct kept_row kept,
		    const json_t *from)
{
	size_t n = 0;
	char *s = from ? json_text(from, &n) : NULL;
	long label = row->kind == DATASET_INTENTS ? label_number(w, row->label) : 0;

	strbuf_clear(&w->packed);
	if (s)
		pack_row(&w->packed, row, (struct text){ s, n });
	free(s);
	if ((from && !s) || label < 0 || w->packed.failed || GROW(w->kept, w->rows, w->cap) < 0)
		return no_memory(w->err);
	kept.at = outfile_bytes(w->spool);
	kept.n = (uint32_t)w->packed.n;
	kept.label = (uint32_t)label;
	if (kept.n)
		outfile_add(w->spool, w->packed.p, w->packed.n);
	w->kept[w->rows++] = kept;
	if (w->o->progress)
		w->o->progress(w->o->arg, w->rows);
	return 0;
}

/* For its part, or for the customer's name. -1 without memory. */
static int find_component(const struct writing *w, const struct row_of *of, uint32_t *out)
{
	long found = COMPONENT_NONE;

	if (w->o->split != SPLIT_NONE || (w->o->pii == PII_REDACT && of->kind))
		found = components_of(w->components, of->kind ? of->kind : COMPONENT_EXAMPLE, of->id, of->at);
	*out = (uint32_t)found;
	return found < 0 ? -1 : 0;
}

/*
 * A withdrawn row goes all the way with the others and is dropped last, so that the others are what they would be
 * with it: in the same component and part, and under the same caps.
 */
static int is_withdrawn(const struct writing *w, const struct row_of *of)
{
	return of->kind && consent_of(w->consents, of->id) == CONSENT_DENIED;
}

int add_row(struct writing *w, struct arena *a, struct dataset_row *row, const struct row_of *of,
	    json_t *from)
{
	JSON_AUTO *owned = from;
	const struct dataset_writer settings = { .kind = row->kind, .settings = w->settings.own };
	int redacts = w->o->pii == PII_REDACT, withdrawn = is_withdrawn(w, of), why = -1;
	struct kept_row kept = { 0 };
	struct dataset_row plain;
	int meets = owned ? row_meets_filter(w, a, of, owned) : no_memory(w->err);

	if (meets <= 0)
		return meets < 0 ? meets : skip(w, SKIP_FILTERED);
	row->id = row_id(a, w, of->name, &kept.lot);
	if (!row->id || body_set(owned, "row", row->id) < 0)
		return no_memory(w->err);
	if (find_component(w, of, &kept.component) < 0)
		return no_memory(w->err);
	drop_unwanted(w, row);
	plain = *row;
	int rc = redacts ? redact_row(w, withdrawn ? w->aside : w->redactor, a, kept.component, row) : 0;
	if (rc < 0)
		return rc;
	if (redacts && row->text.s && is_only_tokens(row->text))
		return skip(w, SKIP_ONLY_PERSONAL);
	if (w->o->format->refuses)
		why = w->o->format->refuses(&settings, row);
	if (why >= 0)
		return skip(w, (enum reason)why);
	if (w->o->split != SPLIT_NONE)
		rc = components_add_text(w->components, kept.component, &plain, w->err);
	return rc < 0 ? rc : keep_row(w, row, kept, withdrawn ? NULL : owned);
}
