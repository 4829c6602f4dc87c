/* Which part of a record a hit shows, and what is marked in it. */
#include "engine/search_internal.h"

#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/utf8.h"

/* A document without chunks is shown whole up to this length, in bytes: about what the embedder reads. */
#define SHOWN_WHOLE 2000

/* Bytes of a text that are looked through for a passage: a book is not analysed word by word for one hit. */
#define LOOKED_THROUGH (256u << 10)

/* Turns that are looked through for the words of a query that no vector found. */
#define MAX_TURNS 200

static struct text body_text(const json_t *body, const char *key)
{
	const json_t *v = json_object_get(body, key);

	return (struct text){ json_string_value(v), json_string_length(v) };
}

int search_redact_case(struct arena *a, json_t *body, json_t **out)
{
	static const char *const written[] = { "problem", "resolution", "steps" };
	json_t *copy;

	if (!json_is_true(json_object_get(body, "shareable")))
		return 0;
	copy = json_keep(
		a, json_deep_copy(body)); /* the body is shared with other threads, and so are its parts */
	if (!copy)
		return -1;
	for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++)
		json_object_del(copy, written[i]);
	*out = copy;
	return 1;
}

/* --- documents ---------------------------------------------------------------------------------- */

static size_t overlap(const struct entry_row *row, struct span p)
{
	size_t from = row->start > p.start ? row->start : p.start, to = row->end < p.end ? row->end : p.end;

	return to > from ? to - from : 0;
}

static struct span find_passage(struct arena *a, struct text t, const struct term *terms, size_t n_terms)
{
	size_t n = t.n > LOOKED_THROUGH ? utf8_floor(t.s, t.n, LOOKED_THROUGH) : t.n;

	return best_passage(a, t.s, n, terms, n_terms, SEARCH_PASSAGE);
}

/* The chunk that the vector chose, else the one that holds most of `p`; NULL if there are no chunks. */
static const struct entry_row *choose_chunk(const struct entry_row *rows, size_t n,
					    const struct index_hit *raw, const struct span *p)
{
	const struct entry_row *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < n; i++) {
		if (rows[i].field != ROW_CHUNK)
			continue;
		if (!p && rows[i].n == raw->row_n)
			return &rows[i];
		if (p && (!best || overlap(&rows[i], *p) > most)) {
			best = &rows[i];
			most = overlap(best, *p);
		}
	}
	return best;
}

/* For a record that did not come from engine_load: a pinned one. */
static int read_places(struct engine *g, struct arena *a, struct record *r, struct error *e)
{
	struct entry_row *rows;
	int rc = engine_rows(g, RECORD_DOCUMENT, r->id, a, &rows, &r->n_rows, e);

	if (rc == 0)
		r->rows = rows;
	return rc;
}

static int show_document(struct engine *g, struct arena *a, const struct term *terms, size_t n_terms,
			 struct search_hit *h, struct error *e)
{
	struct text whole = h->record.text;
	int by_vector = h->raw.row != 0 && h->raw.row_field == ROW_CHUNK;
	const struct entry_row *chunk;
	struct span part = { 0, whole.n };

	if (by_vector || whole.n > SHOWN_WHOLE) {
		int rc = h->record.rows ? 0 : read_places(g, a, &h->record, e);
		if (rc < 0)
			return rc;
		if (!by_vector)
			part = find_passage(a, whole, terms, n_terms);
		chunk = choose_chunk(h->record.rows, h->record.n_rows, &h->raw, by_vector ? NULL : &part);
		if (chunk && chunk->start <= chunk->end && chunk->end <= whole.n) {
			part = (struct span){ chunk->start, chunk->end };
			h->part_n = chunk->n;
		} else if (by_vector) {
			/* a client's vectors without places, or a record put since the search */
			part = find_passage(a, whole, terms, n_terms);
		}
	}
	h->part = part;
	h->text = (struct text){ whole.s ? whole.s + part.start : "", part.end - part.start };
	return 0;
}

/* --- conversations ------------------------------------------------------------------------------ */

/* Terms by stem: a query may have a thousand, and a conversation hundreds of turns. */
struct stems {
	struct map *places; /* owned; stem to place + 1 in `seen` */
	size_t *seen;       /* the number of the last turn that had it */
};

static void stems_release(struct stems *s)
{
	map_free(s->places);
}

#define STEMS_AUTO __attribute__((cleanup(stems_release))) struct stems

static int stems_init(struct stems *s, struct arena *a, const struct term *terms, size_t n)
{
	s->places = map_new();
	s->seen = arena_alloc(a, n * sizeof(*s->seen));
	for (size_t i = 0; s->places && i < n; i++) {
		uint64_t *place = map_put(s->places, terms[i].stem, strlen(terms[i].stem), NULL);
		if (!place)
			return -1;
		*place = i + 1;
	}
	return s->places && s->seen ? 0 : -1;
}

/* Distinct terms in the text; `turn` is a number, from 1, that no other text has. */
static size_t count_distinct(const struct stems *s, struct arena *a, struct text t, size_t turn)
{
	const struct token *tokens;
	long n = t.s ? analyse_text(a, t.s, t.n, &tokens) : 0;
	size_t distinct = 0;

	for (long k = 0; k < n; k++) {
		const uint64_t *place = map_get(s->places, tokens[k].stem, strlen(tokens[k].stem));
		if (place && s->seen[*place - 1] != turn) {
			s->seen[*place - 1] = turn;
			distinct++;
		}
	}
	return distinct;
}

static struct text turn_text(const struct record *turn)
{
	return turn->text.s ? turn->text : body_text(turn->body, "text");
}

static void show_turn(struct search_hit *h, const struct record *turn)
{
	h->part_n = (uint32_t)json_integer_value(json_object_get(turn->body, "n"));
	h->text = turn_text(turn);
	h->part = (struct span){ 0, h->text.n };
}

/* Found by words alone: the customer's turn with most of them. */
static int choose_turn(struct engine *g, struct arena *a, const struct term *terms, size_t n_terms,
		       struct search_hit *h, struct error *e)
{
	struct scan s = { .kind = RECORD_TURN,
			  .field = { "conversation" },
			  .value = { h->record.id },
			  .limit = MAX_TURNS };
	STEMS_AUTO stems = { 0 };
	struct record *turns;
	size_t n, best = 0;
	int rc = engine_scan(g, &s, a, &turns, &n, e), found = 0;

	if (rc == 0 && stems_init(&stems, a, terms, n_terms) < 0)
		return no_memory(e);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const char *role = json_string_value(json_object_get(turns[i].body, "role"));
		size_t distinct;
		if (!role || strcmp(role, "customer") != 0)
			continue;
		distinct = count_distinct(&stems, a, turn_text(&turns[i]), i + 1);
		if (!found || distinct > best) {
			show_turn(h, &turns[i]);
			best = distinct;
			found = 1;
		}
	}
	return rc;
}

static int show_conversation(struct engine *g, struct arena *a, const struct term *terms, size_t n_terms,
			     struct search_hit *h, struct error *e)
{
	const char *id;
	struct record turn;
	int rc;

	if (h->raw.row == 0 || h->raw.row_field != ROW_TURN)
		return choose_turn(g, a, terms, n_terms, h, e);
	id = turn_id(a, h->record.id, h->raw.row_n);
	if (!id)
		return no_memory(e);
	rc = engine_get(g, RECORD_TURN, id, a, &turn, e);
	if (rc == ERR_NOT_FOUND) /* erased since the search */
		return choose_turn(g, a, terms, n_terms, h, e);
	if (rc == 0)
		show_turn(h, &turn);
	return rc;
}

int search_show_part(struct engine *g, struct arena *a, const struct term *terms, size_t n_terms,
		     int highlight, struct search_hit *h, struct error *e)
{
	long n;
	int rc = 0;

	if (h->kind == COLLECTION_DOCUMENT)
		rc = show_document(g, a, terms, n_terms, h, e);
	else if (h->kind == COLLECTION_CONVERSATION)
		rc = show_conversation(g, a, terms, n_terms, h, e);
	else
		h->text = body_text(h->record.body, "problem");
	if (rc < 0 || !highlight || !h->text.s)
		return rc;
	n = find_highlights(a, h->text.s, h->text.n, terms, n_terms, &h->highlights, &h->sentence);
	if (n < 0)
		return no_memory(e);
	h->n_highlights = (size_t)n;
	return 0;
}
