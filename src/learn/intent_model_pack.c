/* intent_model_pack.c: an intent model as bytes, and back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "learn/intent_model_internal.h"
#include "learn/packed.h"

/* Parts: hashes u32 and idf f32 [features], the weights by n-grams, the weights by vector. */
enum { PART_HASHES, PART_IDF, PART_NGRAMS, PART_VECTOR };

static json_t *head_of(const struct intent_model *m)
{
	json_t *labels = json_array();

	for (size_t i = 0; labels && i < m->n_labels; i++)
		if (json_array_append_new(labels, json_string(m->labels[i])) < 0) {
			json_decref(labels);
			return NULL;
		}
	json_t *sure = m->sureness.fitted ? json_pack("[f, f, f]", m->sureness.odds.bias,
						      m->sureness.odds.weight[SURENESS_SHARE],
						      m->sureness.odds.weight[SURENESS_SCOPE])
					  : NULL;
	return json_pack(
		"{s:o, s:I, s:I, s:I, s:{s:i, s:f, s:f, s:f, s:f}, s:{s:f, s:f, s:f, s:f, s:f, s:f}, s:o*, "
		"s:{s:I, s:f, s:f, s:f}}",
		"labels", labels, "dim", (json_int_t)m->dim, "lessons", (json_int_t)m->n_lessons, "features",
		(json_int_t)m->words.n, "blend", "kind", (int)m->blend.kind, "knn", m->blend.knn, "vector",
		m->blend.vector, "ngrams", m->blend.ngrams, "temperature", m->blend.temperature, "scope",
		"energy_mean", m->scope.energy_mean, "energy_deviation", m->scope.energy_deviation,
		"top_mean", m->scope.top_mean, "top_deviation", m->scope.top_deviation, "reject",
		m->scope.reject, "width", m->scope.width, "sure", sure, "held_out", "lessons",
		(json_int_t)m->held_out, "accuracy", m->held_out_accuracy, "loss", m->held_out_loss,
		"knn_accuracy", m->knn_accuracy);
}

static int add_weights(struct arena *a, const struct linear *l, size_t labels, size_t dim,
		       struct file_part *out)
{
	size_t n = linear_bytes(labels, dim);
	void *p = arena_alloc(a, n);

	if (!p)
		return -1;
	linear_write(l, p);
	*out = (struct file_part){ p, n };
	return 0;
}

int intent_model_pack(const struct intent_model *m, struct arena *a, struct packed *out)
{
	struct packed p = { .head = json_keep(a, head_of(m)), .n = m->dim ? 4 : 3 };

	p.parts[PART_HASHES] = (struct file_part){ m->words.hashes, m->words.n * sizeof(uint32_t) };
	p.parts[PART_IDF] = (struct file_part){ m->words.idf, m->words.n * sizeof(float) };
	if (!p.head || add_weights(a, m->by_ngrams, m->n_labels, m->words.n, &p.parts[PART_NGRAMS]) < 0 ||
	    (m->dim && add_weights(a, m->by_vector, m->n_labels, m->dim, &p.parts[PART_VECTOR]) < 0))
		return -1;
	*out = p;
	return 0;
}

/* -1 without memory; 1: they are not what a model has. */
static int read_labels(struct intent_model *m, const json_t *list)
{
	size_t n = json_array_size(list);
	const char **names = malloc((n + 1) * sizeof(*names));
	int strange = n < 2;

	for (size_t i = 0; names && i < n; i++) {
		names[i] = json_string_value(json_array_get(list, i));
		strange |= !names[i];
	}
	if (names && !strange) {
		m->labels = intent_labels(names, n);
		m->n_labels = n;
	}
	free(names);
	return strange ? 1 : m->labels ? 0 : -1;
}

static int read_sureness(struct intent_model *m, json_t *sure, struct error *e)
{
	struct odds *o = &m->sureness.odds;

	if (!sure)
		return 0;
	m->sureness.fitted = 1;
	return json_unpack(sure, "[F, F, F]", &o->bias, &o->weight[SURENESS_SHARE],
			   &o->weight[SURENESS_SCOPE]) < 0
		       ? error_set(e, ERR_CORRUPT, NULL, "how sure an intent model is lacks something")
		       : 0;
}

static int read_head(struct intent_model *m, json_t *head, struct error *e)
{
	json_int_t dim, lessons, features, held_out;
	json_t *labels, *sure = NULL;
	int kind;

	if (json_unpack(
		    head,
		    "{s:o, s:I, s:I, s:I, s:{s:i, s:F, s:F, s:F, s:F}, s:{s:F, s:F, s:F, s:F, s:F, s:F}, s?o, "
		    "s:{s:I, s:F, s:F, s:F}}",
		    "labels", &labels, "dim", &dim, "lessons", &lessons, "features", &features, "blend",
		    "kind", &kind, "knn", &m->blend.knn, "vector", &m->blend.vector, "ngrams",
		    &m->blend.ngrams, "temperature", &m->blend.temperature, "scope", "energy_mean",
		    &m->scope.energy_mean, "energy_deviation", &m->scope.energy_deviation, "top_mean",
		    &m->scope.top_mean, "top_deviation", &m->scope.top_deviation, "reject", &m->scope.reject,
		    "width", &m->scope.width, "sure", &sure, "held_out", "lessons", &held_out, "accuracy",
		    &m->held_out_accuracy, "loss", &m->held_out_loss, "knn_accuracy", &m->knn_accuracy) < 0)
		return error_set(e, ERR_CORRUPT, NULL, "the head of an intent model lacks something");
	int rc = read_labels(m, labels);
	if (rc != 0)
		return rc < 0 ? no_memory(e)
			      : error_set(e, ERR_CORRUPT, NULL,
					  "the labels of an intent model are no labels");
	m->blend.kind = kind == BLEND_MEAN ? BLEND_MEAN : BLEND_PRODUCT;
	m->dim = (size_t)dim;
	m->n_lessons = (size_t)lessons;
	m->words.n = (size_t)features;
	m->held_out = (size_t)held_out;
	return read_sureness(m, sure, e);
}

static int read_weights(const struct packed *p, size_t part, size_t labels, size_t dim, struct linear **out,
			struct error *e)
{
	const void *bytes;
	int rc = packed_part(p, part, linear_bytes(labels, dim), &bytes, e);

	return rc < 0 ? rc : linear_read(bytes, labels, dim, out, e);
}

static int copy_part(const struct packed *p, size_t part, size_t bytes, void *out, struct error *e)
{
	const void *from;
	int rc = packed_part(p, part, bytes, &from, e);
	void *to = rc == 0 ? malloc(bytes + 1) : NULL;

	if (rc == 0 && !to)
		rc = no_memory(e);
	if (rc == 0)
		*(void **)out = memcpy(to, from, bytes);
	return rc;
}

static int read_parts(struct intent_model *m, const struct packed *p, struct error *e)
{
	size_t n = m->words.n;
	int rc = copy_part(p, PART_HASHES, n * sizeof(uint32_t), &m->words.hashes, e);

	if (rc == 0)
		rc = copy_part(p, PART_IDF, n * sizeof(float), &m->words.idf, e);
	if (rc == 0)
		rc = read_weights(p, PART_NGRAMS, m->n_labels, n, &m->by_ngrams, e);
	if (rc == 0 && m->dim)
		rc = read_weights(p, PART_VECTOR, m->n_labels, m->dim, &m->by_vector, e);
	return rc;
}

int intent_model_unpack(const struct packed *p, struct intent_model **out, struct error *e)
{
	struct intent_model *m = calloc(1, sizeof(*m));
	int rc = m ? read_head(m, p->head, e) : no_memory(e);

	if (rc == 0)
		rc = read_parts(m, p, e);
	if (rc < 0) {
		intent_model_free(m);
		return rc;
	}
	*out = m;
	return 0;
}
