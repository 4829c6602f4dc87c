/*
 * A hit as JSON: shared/API's "hit", "case hit" and "conversation hit". No ACL is shown.
 * It is written as text at once: as a tree of values, ten hits with the places
 * of their highlights were two fifths of a search's time.
 */
#include "engine/search.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_write.h"

static void put_string(struct strbuf *b, const char *key, const char *s)
{
	jsonw_key(b, key);
	jsonw_string(b, s, strlen(s));
}

static void put_int(struct strbuf *b, const char *key, int64_t x)
{
	jsonw_key(b, key);
	jsonw_int(b, x);
}

/* Scores are floats: six decimals say all that they hold, and make sums come out. */
static void put_score(struct strbuf *b, const char *key, double x)
{
	jsonw_key(b, key);
	jsonw_decimal(b, x);
}

static double rounded(double x)
{
	return round(x * 1e6) / 1e6;
}

static void put_value(struct strbuf *b, const char *key, const json_t *v)
{
	jsonw_key(b, key);
	if (json_is_string(v))
		jsonw_string(b, json_string_value(v), json_string_length(v));
	else
		jsonw_value(b, v);
}

/* A field of the body as it is, if it is there. */
static void copy(struct strbuf *b, const char *key, const json_t *body, const char *from)
{
	const json_t *v = json_object_get(body, from);

	if (v && !json_is_null(v))
		put_value(b, key, v);
}

/* As copy(), but null where there is none: fields that a client may count on. */
static void copy_or_null(struct strbuf *b, const char *key, const json_t *body, const char *from)
{
	put_value(b, key, json_object_get(body, from));
}

static void copy_attributes(struct strbuf *b, const json_t *body)
{
	const json_t *v = json_object_get(body, "attributes");

	jsonw_key(b, "attributes");
	if (v && !json_is_null(v)) {
		jsonw_value(b, v);
	} else {
		jsonw_open(b, '{');
		jsonw_close(b, '}');
	}
}

/* As copy(), for a time: milliseconds become RFC 3339. */
static void copy_time(struct strbuf *b, const char *key, const json_t *body, const char *from)
{
	const json_t *v = json_object_get(body, from);
	char text[TIME_TEXT];

	if (!json_is_integer(v)) {
		copy(b, key, body, from);
		return;
	}
	time_format(json_integer_value(v), text);
	put_string(b, key, text);
}

static void put_text(struct strbuf *b, struct text t)
{
	if (!t.s)
		return;
	jsonw_key(b, "text");
	jsonw_string(b, t.s, t.n);
}

static void put_span(struct strbuf *b, struct span s)
{
	jsonw_open(b, '{');
	put_int(b, "start", (int64_t)s.start);
	put_int(b, "end", (int64_t)s.end);
	jsonw_close(b, '}');
}

static void put_marks(struct strbuf *b, const struct search_hit *h)
{
	if (h->highlights) {
		jsonw_key(b, "highlights");
		jsonw_open(b, '[');
		for (size_t i = 0; i < h->n_highlights; i++)
			put_span(b, h->highlights[i]);
		jsonw_close(b, ']');
	}
	if (h->sentence.end) {
		jsonw_key(b, "sentence");
		put_span(b, h->sentence);
	}
}

static void put_parts(struct strbuf *b, const struct index_hit *raw)
{
	const struct {
		const char *name;
		float score;
	} parts[] = { { "title", raw->title }, { "whole", raw->whole }, { "chunk", raw->chunk } };

	jsonw_key(b, "parts");
	jsonw_open(b, '{');
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!isnan(parts[i].score))
			put_score(b, parts[i].name, parts[i].score);
	jsonw_close(b, '}');
}

static void put_source(struct strbuf *b, const char *name, uint32_t rank, double score, double contribution)
{
	jsonw_key(b, name);
	jsonw_open(b, '{');
	put_int(b, "rank", rank);
	put_score(b, "score", score);
	put_score(b, "contribution", contribution);
}

static void put_sources(struct strbuf *b, const struct search_hit *h, int explain)
{
	jsonw_key(b, "sources");
	jsonw_open(b, '{');
	if (h->raw.words_rank) {
		put_source(b, "words", h->raw.words_rank, h->raw.words, h->words);
		jsonw_close(b, '}');
	}
	if (h->raw.vector_rank) {
		put_source(b, "vector", h->raw.vector_rank, h->raw.vector, h->vector);
		if (explain)
			put_parts(b, &h->raw);
		jsonw_close(b, '}');
	}
	jsonw_close(b, '}');
}

static void put_boosts(struct strbuf *b, const struct search_hit *h)
{
	jsonw_key(b, "boosts");
	jsonw_open(b, '[');
	for (size_t i = 0; i < h->n_boosts; i++) {
		jsonw_open(b, '{');
		put_string(b, "name", h->boosts[i].name);
		put_score(b, "contribution", h->boosts[i].contribution);
		put_string(b, "because", h->boosts[i].because);
		jsonw_close(b, '}');
	}
	jsonw_close(b, ']');
}

/* `score` is the sum of what is shown, not of what was rounded away. */
static void put_scores(struct strbuf *b, const struct search_hit *h, int explain)
{
	double score = rounded(h->vector) + rounded(h->words);

	for (size_t i = 0; i < h->n_boosts; i++)
		score += rounded(h->boosts[i].contribution);
	put_score(b, "score", score);
	put_sources(b, h, explain);
	if (h->n_boosts)
		put_boosts(b, h);
}

static void put_document(struct strbuf *b, const struct search_hit *h)
{
	static const char *const fields[] = { "title", "url", "source", "version" };
	const json_t *body = h->record.body;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		copy_or_null(b, fields[i], body, fields[i]);
	copy_time(b, "updated_at", body, "updated_at");
	copy_attributes(b, body);
	jsonw_key(b, "chunk");
	jsonw_open(b, '{');
	put_int(b, "n", h->part_n);
	put_int(b, "start", (int64_t)h->part.start);
	put_int(b, "end", (int64_t)h->part.end);
	jsonw_close(b, '}');
}

static void put_case(struct strbuf *b, const struct search_hit *h)
{
	static const char *const fields[] = { "intent", "problem", "resolution", "steps", "outcome" };
	const json_t *body = h->record.body;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		copy(b, fields[i], body, fields[i]);
	copy_time(b, "resolved_at", body, "resolved_at");
	copy(b, "conversation_id", body, "conversation");
}

static void put_conversation(struct strbuf *b, const struct search_hit *h)
{
	const json_t *body = h->record.body;

	copy_or_null(b, "customer_id", body, "customer");
	copy_time(b, "started_at", body, "started_at");
	copy(b, "state", body, "state");
	copy_attributes(b, body);
	if (!h->text.s)
		return;
	jsonw_key(b, "turn");
	jsonw_open(b, '{');
	put_int(b, "n", h->part_n);
	put_text(b, h->text);
	jsonw_close(b, '}');
}

void search_hit_write(const struct search_hit *h, int explain, struct strbuf *b)
{
	static const char *const names[COLLECTIONS] = { "document", "case", "conversation", "example" };

	jsonw_open(b, '{');
	put_string(b, "kind", names[h->kind]);
	put_string(b, "id", h->record.id);
	if (h->kind == COLLECTION_DOCUMENT)
		put_document(b, h);
	else if (h->kind == COLLECTION_CASE)
		put_case(b, h);
	else
		put_conversation(b, h);
	put_text(b, h->text);
	put_marks(b, h);
	put_scores(b, h, explain);
	jsonw_close(b, '}');
}

json_t *search_hit_json(const struct search_hit *h, int explain)
{
	STRBUF_AUTO b = STRBUF_INIT;

	search_hit_write(h, explain, &b);
	return b.failed ? NULL : json_loadb(b.p, b.n, 0, NULL);
}
