/*
 * all-MiniLM-L6-v2 (Wang et al. 2020, "MiniLM"; Reimers and Gurevych 2019,
 * "Sentence-BERT"): BERT with six layers of width 384 (Devlin et al. 2019),
 * the mean over all tokens, unit length.
 *
 * Tokens of several texts stand one behind the other in one product, without
 * padding, up to a window; attention and pooling go by text. A bf16 model has
 * bf16 factors in its products, and float32 everywhere else.
 */
#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/gate.h"
#include "embed/kind.h"
#include "embed/minilm_math.h"
#include "embed/onednn.h"
#include "embed/safetensors.h"
#include "embed/weights_hash.h"
#include "embed/wordpiece.h"

#define HIDDEN MINILM_HIDDEN
#define WINDOW MINILM_WINDOW
#define INNER (4 * HIDDEN) /* width of a feed-forward layer */
#define LAYERS 6
#define VOCABULARY 30522
#define POSITIONS 512
#define SPECIAL 2 /* [CLS] before and [SEP] behind */

#define ALIGN 64
#define PATH 4200
#define SPARE_ROOMS 8

/* Products by their place in a layer. */
enum place { QUERY_KEY_VALUE, ATTENTION_OUT, INNER_IN, INNER_OUT, PLACES };

static const struct product_shape shapes[PLACES] = {
	[QUERY_KEY_VALUE] = { .in = HIDDEN, .out = 3 * HIDDEN },
	[ATTENTION_OUT] = { .in = HIDDEN, .out = HIDDEN },
	[INNER_IN] = { .in = HIDDEN, .out = INNER, .gelu = 1, .narrow = 1 },
	[INNER_OUT] = { .in = INNER, .out = HIDDEN },
};

/* Layer normalisation: floats of the file. */
struct norm {
	const float *gain, *bias;
};

struct layer {
	struct packed *packed[PLACES];
	struct norm after_attention, after_inner;
};

/* What one call needs to compute; taken from the pool. */
struct room {
	struct room *next;
	struct lane *lane;
	float *x;      /* [WINDOW][HIDDEN]: the hidden states */
	float *wide;   /* [WINDOW][3 * HIDDEN]: queries, keys and values */
	float *y;      /* [WINDOW][HIDDEN]: what is added to x */
	void *in;      /* [WINDOW][HIDDEN]: x or y rounded to bf16 */
	void *inner;   /* [WINDOW][INNER], as a product takes it */
	float *attend; /* of minilm_math */
	uint32_t ids[WINDOW];
};

struct minilm {
	struct embedder base;
	struct safetensors *file;
	struct wordpiece *words;
	const struct minilm_math *math;
	struct onednn *onednn;
	struct product *products[PLACES];
	struct layer layers[LAYERS];
	const float *word, *position, *type; /* embeddings, of the file */
	struct norm first;
	size_t rows; /* of a room's arrays */
	char weights[SHA256_TEXT];
	pthread_mutex_t lock; /* of the pool */
	struct gate *gate;    /* as many passes at a time as there are cores */
	struct room *rooms;
	size_t n_rooms;
};

/* Sequences that share one pass: tokens in ids, the s-th ends before ends[s] and goes to out + s * HIDDEN. */
struct group {
	size_t n, ends[WINDOW / SPECIAL];
};

/* --- opening ---------------------------------------------------------------------------------------------- */

static int get_norm(const struct minilm *m, const char *prefix, struct norm *out, struct error *e)
{
	char name[96];
	int rc;

	snprintf(name, sizeof(name), "%s.weight", prefix);
	if ((rc = safetensors_floats(m->file, name, 0, HIDDEN, &out->gain, e)) < 0)
		return rc;
	snprintf(name, sizeof(name), "%s.bias", prefix);
	return safetensors_floats(m->file, name, 0, HIDDEN, &out->bias, e);
}

/* Weights and bias of one linear layer of the file. */
static int get_linear(const struct minilm *m, size_t layer, const char *what, size_t in, size_t out,
		      const float **w, const float **b, struct error *e)
{
	char name[96];
	int rc;

	snprintf(name, sizeof(name), "encoder.layer.%zu.%s.weight", layer, what);
	if ((rc = safetensors_floats(m->file, name, out, in, w, e)) < 0)
		return rc;
	snprintf(name, sizeof(name), "encoder.layer.%zu.%s.bias", layer, what);
	return safetensors_floats(m->file, name, 0, out, b, e);
}

/*
 * Queries, keys and values come from one product. The queries are divided
 * here, once, by the root of a head's width, as attention wants them.
 */
static int pack_query_key_value(struct minilm *m, size_t layer, struct error *e)
{
	static const char *const names[] = { "attention.self.query", "attention.self.key",
					     "attention.self.value" };
	const size_t width = MINILM_HEAD;
	const float scale = 1 / sqrtf((float)width), *w, *b;
	float *all = malloc((HIDDEN + 1) * 3 * HIDDEN * sizeof(*all)), *bias;
	int rc = 0;

	if (!all)
		return no_memory(e);
	bias = all + 3 * HIDDEN * HIDDEN;
	for (size_t i = 0; i < 3 && rc == 0; i++) {
		if ((rc = get_linear(m, layer, names[i], HIDDEN, HIDDEN, &w, &b, e)) < 0)
			break;
		memcpy(all + i * HIDDEN * HIDDEN, w, HIDDEN * HIDDEN * sizeof(*w));
		memcpy(bias + i * HIDDEN, b, HIDDEN * sizeof(*b));
	}
	if (rc == 0) {
		for (size_t i = 0; i < HIDDEN * HIDDEN; i++)
			all[i] *= scale;
		for (size_t i = 0; i < HIDDEN; i++)
			bias[i] *= scale;
		rc = packed_new(m->products[QUERY_KEY_VALUE], all, bias,
				&m->layers[layer].packed[QUERY_KEY_VALUE], e);
	}
	free(all);
	return rc;
}

static int pack_linear(struct minilm *m, size_t layer, enum place place, const char *what, struct error *e)
{
	const struct product_shape *shape = &shapes[place];
	const float *w, *b;
	int rc = get_linear(m, layer, what, shape->in, shape->out, &w, &b, e);

	return rc < 0 ? rc : packed_new(m->products[place], w, b, &m->layers[layer].packed[place], e);
}

static int open_layer(struct minilm *m, size_t i, struct error *e)
{
	struct layer *l = &m->layers[i];
	char name[96];
	int rc;

	if ((rc = pack_query_key_value(m, i, e)) < 0 ||
	    (rc = pack_linear(m, i, ATTENTION_OUT, "attention.output.dense", e)) < 0 ||
	    (rc = pack_linear(m, i, INNER_IN, "intermediate.dense", e)) < 0 ||
	    (rc = pack_linear(m, i, INNER_OUT, "output.dense", e)) < 0)
		return rc;
	snprintf(name, sizeof(name), "encoder.layer.%zu.attention.output.LayerNorm", i);
	if ((rc = get_norm(m, name, &l->after_attention, e)) < 0)
		return rc;
	snprintf(name, sizeof(name), "encoder.layer.%zu.output.LayerNorm", i);
	return get_norm(m, name, &l->after_inner, e);
}

static int open_embeddings(struct minilm *m, struct error *e)
{
	int rc;

	if ((rc = safetensors_floats(m->file, "embeddings.word_embeddings.weight", VOCABULARY, HIDDEN,
				     &m->word, e)) < 0 ||
	    (rc = safetensors_floats(m->file, "embeddings.position_embeddings.weight", POSITIONS, HIDDEN,
				     &m->position, e)) < 0 ||
	    (rc = safetensors_floats(m->file, "embeddings.token_type_embeddings.weight", 2, HIDDEN, &m->type,
				     e)) < 0)
		return rc;
	return get_norm(m, "embeddings.LayerNorm", &m->first, e);
}

static int open_layers(struct minilm *m, struct error *e)
{
	int rc = open_embeddings(m, e);

	for (size_t i = 0; i < PLACES && rc == 0; i++)
		rc = product_new(m->onednn, &shapes[i], &m->products[i], e);
	for (size_t i = 0; i < LAYERS && rc == 0; i++)
		rc = open_layer(m, i, e);
	return rc;
}

static int open_files(struct minilm *m, const char *folder, struct error *e)
{
	char path[PATH];
	int rc;

	snprintf(path, sizeof(path), "%s/model.safetensors", folder);
	if ((rc = safetensors_open(path, &m->file, e)) < 0)
		return rc;
	snprintf(path, sizeof(path), "%s/vocab.txt", folder);
	return wordpiece_open(path, VOCABULARY, &m->words, e);
}

static void minilm_close(struct embedder *base);

static int minilm_open(const struct embedder_options *o, const char *folder, struct embedder **out,
		       struct error *e)
{
	struct minilm *m = calloc(1, sizeof(*m));
	struct weights_hash *hash = NULL;
	const void *bytes;
	size_t n;
	int rc;

	if (!m)
		return no_memory(e);
	pthread_mutex_init(&m->lock, NULL);
	m->math = minilm_math();
	m->gate = gate_new(0);
	if (!m->gate) {
		rc = no_memory(e);
		goto fail;
	}
	if ((rc = open_files(m, folder, e)) < 0)
		goto fail;
	bytes = safetensors_bytes(m->file, &n);
	hash = weights_hash_start(bytes, n);
	rc = onednn_open(o->precision, WINDOW, &m->onednn, e);
	if (rc == 0)
		rc = open_layers(m, e);
	weights_hash_end(hash, bytes, n, m->weights);
	if (rc < 0)
		goto fail;
	/* The packed weights are copies, and of the words' embeddings few are read at a time. */
	safetensors_rest(m->file);
	m->rows = onednn_rows(m->onednn, WINDOW);
	m->base = (struct embedder){
		.kind = &embedder_minilm,
		.info = { .id = "minilm-l6-v2",
			  .dim = HIDDEN,
			  .weights = m->weights,
			  .precision = onednn_is_bf16(m->onednn) ? "bf16" : "float32",
			  .max_tokens = WINDOW - SPECIAL }, /* as embedder_count() counts */
	};
	*out = &m->base;
	return 0;
fail:
	minilm_close(&m->base);
	return rc;
}

/* --- rooms ------------------------------------------------------------------------------------------------ */

static void free_room(struct room *r)
{
	if (!r)
		return;
	lane_free(r->lane);
	free(r->x);
	free(r->wide);
	free(r->y);
	free(r->in);
	free(r->inner);
	free(r->attend);
	free(r);
}

/* Zeroed, since products read past the last token; aligned for the widest vectors. */
static void *floats_new(size_t n)
{
	size_t size = (n * sizeof(float) + ALIGN - 1) / ALIGN * ALIGN;
	void *p = aligned_alloc(ALIGN, size);

	return p ? memset(p, 0, size) : NULL;
}

/* NULL without memory. */
static struct room *new_room(const struct minilm *m)
{
	struct room *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->x = floats_new(m->rows * HIDDEN);
	r->wide = floats_new(m->rows * 3 * HIDDEN);
	r->y = floats_new(m->rows * HIDDEN);
	r->in = floats_new(m->rows * HIDDEN);
	r->inner = floats_new(m->rows * INNER);
	r->attend = floats_new(MINILM_ATTEND_FLOATS);
	if (r->x && r->wide && r->y && r->in && r->inner && r->attend &&
	    lane_new(m->onednn, &r->lane, NULL) == 0)
		return r;
	free_room(r);
	return NULL;
}

static struct room *take_room(struct minilm *m)
{
	struct room *r;

	pthread_mutex_lock(&m->lock);
	if ((r = m->rooms)) {
		m->rooms = r->next;
		m->n_rooms--;
	}
	pthread_mutex_unlock(&m->lock);
	return r ? r : new_room(m);
}

static void give_room(struct minilm *m, struct room *r)
{
	int keep;

	pthread_mutex_lock(&m->lock);
	if ((keep = m->n_rooms < SPARE_ROOMS)) {
		r->next = m->rooms;
		m->rooms = r;
		m->n_rooms++;
	}
	pthread_mutex_unlock(&m->lock);
	if (!keep)
		free_room(r);
}

static void minilm_close(struct embedder *base)
{
	struct minilm *m = (struct minilm *)base;

	for (struct room *r = m->rooms, *next; r; r = next) {
		next = r->next;
		free_room(r);
	}
	for (size_t i = 0; i < LAYERS; i++)
		for (size_t p = 0; p < PLACES; p++)
			packed_free(m->layers[i].packed[p]);
	for (size_t i = 0; i < PLACES; i++)
		product_free(m->products[i]);
	onednn_close(m->onednn);
	wordpiece_close(m->words);
	safetensors_close(m->file);
	gate_free(m->gate);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

/* --- the forward pass --------------------------------------------------------------------------------------- */

static void embed_tokens(const struct minilm *m, const struct group *g, struct room *r)
{
	for (size_t s = 0, t = 0; s < g->n; s++)
		for (size_t position = 0; t < g->ends[s]; t++, position++)
			m->math->add3(m->word + (size_t)r->ids[t] * HIDDEN, m->position + position * HIDDEN,
				      m->type, r->x + t * HIDDEN);
}

/* x as the factor of a product: as it is, or rounded into the room. */
static const void *factor(const struct minilm *m, struct room *r, const float *x, size_t tokens)
{
	if (!onednn_is_bf16(m->onednn))
		return x;
	m->math->narrow(x, tokens * HIDDEN, r->in);
	return r->in;
}

static int multiply(struct minilm *m, struct room *r, const struct layer *l, enum place place, const void *x,
		    size_t tokens, void *y, struct error *e)
{
	return product_run(m->products[place], l->packed[place], r->lane, x, tokens, y, e);
}

static int pass_layer(struct minilm *m, const struct layer *l, const struct group *g, struct room *r,
		      struct error *e)
{
	const struct minilm_math *math = m->math;
	size_t tokens = g->ends[g->n - 1];
	int rc;

	if ((rc = multiply(m, r, l, QUERY_KEY_VALUE, factor(m, r, r->x, tokens), tokens, r->wide, e)) < 0)
		return rc;
	for (size_t s = 0, from = 0; s < g->n; from = g->ends[s++])
		math->attend(r->wide + from * 3 * HIDDEN, g->ends[s] - from, r->attend, r->y + from * HIDDEN);
	/* The product may not read where it writes: its result goes where queries, keys and values were. */
	if ((rc = multiply(m, r, l, ATTENTION_OUT, factor(m, r, r->y, tokens), tokens, r->wide, e)) < 0)
		return rc;
	math->normalise(r->x, r->wide, tokens, l->after_attention.gain, l->after_attention.bias);
	if ((rc = multiply(m, r, l, INNER_IN, factor(m, r, r->x, tokens), tokens, r->inner, e)) < 0 ||
	    (rc = multiply(m, r, l, INNER_OUT, r->inner, tokens, r->y, e)) < 0)
		return rc;
	math->normalise(r->x, r->y, tokens, l->after_inner.gain, l->after_inner.bias);
	return 0;
}

static int pass_layers(struct minilm *m, const struct group *g, struct room *r, float *out, struct error *e)
{
	int rc;

	embed_tokens(m, g, r);
	m->math->normalise(r->x, NULL, g->ends[g->n - 1], m->first.gain, m->first.bias);
	for (size_t i = 0; i < LAYERS; i++)
		if ((rc = pass_layer(m, &m->layers[i], g, r, e)) < 0)
			return rc;
	for (size_t s = 0, from = 0; s < g->n; from = g->ends[s++])
		m->math->pool(r->x + from * HIDDEN, g->ends[s] - from, out + s * HIDDEN);
	return 0;
}

/*
 * Vectors of the group's sequences into out[g->n][HIDDEN]. The gate is passed
 * group by group, so that a query never waits for the whole of a long batch.
 */
static int pass(struct minilm *m, const struct group *g, struct room *r, float *out, struct error *e)
{
	gate_enter(m->gate);
	int rc = pass_layers(m, g, r, out, e);
	gate_leave(m->gate);
	return rc;
}

static int embed_in(struct minilm *m, struct room *r, const struct text *texts, size_t n, float *out,
		    struct error *e)
{
	uint32_t ids[WINDOW];
	struct group g = { 0 };
	size_t tokens = 0;
	int rc;

	for (size_t i = 0; i < n; i++) {
		size_t count = wordpiece_encode(m->words, texts[i].s, texts[i].n, ids + 1, WINDOW - SPECIAL) +
			       SPECIAL;
		ids[0] = wordpiece_cls(m->words);
		ids[count - 1] = wordpiece_sep(m->words);
		if (tokens + count > WINDOW) {
			if ((rc = pass(m, &g, r, out + (i - g.n) * HIDDEN, e)) < 0)
				return rc;
			g.n = tokens = 0;
		}
		memcpy(r->ids + tokens, ids, count * sizeof(*ids));
		tokens += count;
		g.ends[g.n++] = tokens;
	}
	return g.n ? pass(m, &g, r, out + (n - g.n) * HIDDEN, e) : 0;
}

static int minilm_embed(struct embedder *base, const struct text *texts, size_t n, float *out,
			struct error *e)
{
	struct minilm *m = (struct minilm *)base;
	struct room *r = take_room(m);
	int rc, saved;

	if (!r)
		return no_memory(e);
	saved = lane_enter();
	rc = embed_in(m, r, texts, n, out, e);
	lane_leave(saved);
	give_room(m, r);
	return rc;
}

static size_t minilm_count(const struct embedder *base, const char *s, size_t n)
{
	return wordpiece_count(((const struct minilm *)base)->words, s, n);
}

const struct embedder_kind embedder_minilm = {
	.name = "minilm",
	.from_folder = 1,
	.open = minilm_open,
	.close = minilm_close,
	.embed = minilm_embed,
	.count = minilm_count,
};
