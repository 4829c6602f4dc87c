/* A hit as JSON: shared/API's "hit", "case hit" and "conversation hit". No ACL is shown. */
#include "engine/search.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"

/* Scores are floats: six decimals say all that they hold, and make sums come out. */
static double rounded(double x)
{
	return round(x * 1e6) / 1e6;
}

/* Takes `v`; NULL and JSON null are left out. -1 without memory. */
static int put(json_t *o, const char *key, json_t *v)
{
	if (!v)
		return -1;
	if (json_is_null(v)) {
		json_decref(v);
		return 0;
	}
	return json_object_set_new(o, key, v);
}

/* Copies a field of the body as it is, if it is there. */
static int copy(json_t *o, const char *key, const json_t *body, const char *from)
{
	json_t *v = json_object_get(body, from);

	return !v || json_is_null(v) ? 0 : json_object_set_new(o, key, json_deep_copy(v));
}

/* As copy(), but `otherwise` (taken) where there is none: fields that a client may count on. */
static int copy_or(json_t *o, const char *key, const json_t *body, json_t *otherwise)
{
	json_t *v = json_object_get(body, key);

	if (!v || json_is_null(v))
		return otherwise ? json_object_set_new(o, key, otherwise) : -1;
	json_decref(otherwise);
	return json_object_set_new(o, key, json_deep_copy(v));
}

/* As copy(), for a time: milliseconds become RFC 3339. */
static int copy_time(json_t *o, const char *key, const json_t *body, const char *from)
{
	const json_t *v = json_object_get(body, from);
	char text[TIME_TEXT];

	if (!json_is_integer(v))
		return copy(o, key, body, from);
	time_format(json_integer_value(v), text);
	return put(o, key, json_string(text));
}

static json_t *text_json(struct text t)
{
	return t.s ? json_stringn(t.s, t.n) : json_null();
}

static json_t *span_json(struct span s)
{
	return json_pack("{s:I,s:I}", "start", (json_int_t)s.start, "end", (json_int_t)s.end);
}

static json_t *highlights_json(const struct search_hit *h)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->n_highlights; i++)
		if (json_array_append_new(list, span_json(h->highlights[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *source_json(uint32_t rank, double score, double contribution)
{
	return json_pack("{s:I,s:f,s:f}", "rank", (json_int_t)rank, "score", rounded(score), "contribution",
			 rounded(contribution));
}

static json_t *parts_json(const struct index_hit *raw)
{
	const struct {
		const char *name;
		float score;
	} parts[] = { { "title", raw->title }, { "whole", raw->whole }, { "chunk", raw->chunk } };
	json_t *o = json_object();

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!isnan(parts[i].score) && put(o, parts[i].name, json_real(rounded(parts[i].score))) < 0) {
			json_decref(o);
			return NULL;
		}
	return o;
}

static int put_sources(json_t *o, const struct search_hit *h, int explain)
{
	json_t *sources = json_object();
	int rc = put(o, "sources", sources);

	if (rc == 0 && h->raw.words_rank)
		rc = put(sources, "words", source_json(h->raw.words_rank, h->raw.words, h->words));
	if (rc == 0 && h->raw.vector_rank)
		rc = put(sources, "vector", source_json(h->raw.vector_rank, h->raw.vector, h->vector));
	if (rc == 0 && h->raw.vector_rank && explain)
		rc = put(json_object_get(sources, "vector"), "parts", parts_json(&h->raw));
	return rc;
}

/* `score` is the sum of what is shown, not of what was rounded away. */
static int put_score(json_t *o, const struct search_hit *h, int explain)
{
	double score = rounded(h->vector) + rounded(h->words);
	json_t *boosts = h->n_boosts ? json_array() : json_null();
	int rc = 0;

	for (size_t i = 0; i < h->n_boosts; i++) {
		const struct search_boost *b = &h->boosts[i];
		score += rounded(b->contribution);
		if (json_array_append_new(boosts,
					  json_pack("{s:s,s:f,s:s}", "name", b->name, "contribution",
						    rounded(b->contribution), "because", b->because)) < 0)
			rc = -1;
	}
	if (put(o, "score", json_real(rounded(score))) < 0 || put_sources(o, h, explain) < 0)
		rc = -1;
	return put(o, "boosts", boosts) < 0 ? -1 : rc;
}

static int put_document(json_t *o, const struct search_hit *h)
{
	static const char *const fields[] = { "title", "url", "source", "version" };
	const json_t *body = h->record.body;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(fields) / sizeof(fields[0]); i++)
		rc = copy_or(o, fields[i], body, json_null());
	if (rc == 0)
		rc = copy_time(o, "updated_at", body, "updated_at");
	if (rc == 0)
		rc = copy_or(o, "attributes", body, json_object());
	if (rc == 0)
		rc = put(o, "chunk",
			 json_pack("{s:I,s:I,s:I}", "n", (json_int_t)h->part_n, "start",
				   (json_int_t)h->part.start, "end", (json_int_t)h->part.end));
	return rc;
}

static int put_case(json_t *o, const struct search_hit *h)
{
	static const char *const fields[] = { "intent", "problem", "resolution", "steps", "outcome" };
	const json_t *body = h->record.body;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(fields) / sizeof(fields[0]); i++)
		rc = copy(o, fields[i], body, fields[i]);
	if (rc == 0)
		rc = copy_time(o, "resolved_at", body, "resolved_at");
	return rc == 0 ? copy(o, "conversation_id", body, "conversation") : rc;
}

static int put_conversation(json_t *o, const struct search_hit *h)
{
	const json_t *body = h->record.body;
	int rc = json_object_set_new(o, "customer_id", json_null());

	if (rc == 0)
		rc = copy(o, "customer_id", body, "customer");
	if (rc == 0)
		rc = copy_time(o, "started_at", body, "started_at");
	if (rc == 0)
		rc = copy(o, "state", body, "state");
	if (rc == 0)
		rc = copy_or(o, "attributes", body, json_object());
	if (rc == 0 && h->text.s)
		rc = put(o, "turn",
			 json_pack("{s:I,s:o}", "n", (json_int_t)h->part_n, "text", text_json(h->text)));
	return rc;
}

json_t *search_hit_json(const struct search_hit *h, int explain)
{
	static const char *const names[COLLECTIONS] = { "document", "case", "conversation", "example" };
	json_t *o = json_pack("{s:s,s:s}", "kind", names[h->kind], "id", h->record.id);
	int rc = o ? 0 : -1;

	if (rc == 0 && h->kind == COLLECTION_DOCUMENT)
		rc = put_document(o, h);
	else if (rc == 0 && h->kind == COLLECTION_CASE)
		rc = put_case(o, h);
	else if (rc == 0)
		rc = put_conversation(o, h);
	if (rc == 0)
		rc = put(o, "text", text_json(h->text));
	if (rc == 0 && h->highlights)
		rc = put(o, "highlights", highlights_json(h));
	if (rc == 0)
		rc = put_score(o, h, explain);
	if (rc < 0) {
		json_decref(o);
		return NULL;
	}
	return o;
}
