#include "desk/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "desk/boosts.h"
#include "desk/draw.h"
#include "desk/package.h"
#include "desk/predict.h"
#include "desk/query.h"
#include "embed/embed.h"

#define SALT 32
#define MORE 16 /* candidates beyond those kept, for the boost to work on */
/*
 * Chosen on datasets/demo (113 documents that resolutions used): without any of
 * the three recall@3 is .68 and MRR .59, with them .76 and .64.
 */
#define EXTRA_WORD_WEIGHT .5f
#define CITED_BOOST .1
#define REASON_WEIGHT .6f

const char *evidence_kind(enum collection k)
{
	return k == COLLECTION_DOCUMENT ? "document" : k == COLLECTION_CASE ? "case" : "conversation";
}

/* The rights that a queue's agents have: see the header. */
static int queue_rights(const struct call *c, const struct evidence_input *in, struct rights *out)
{
	const json_t *acl = json_object_get(in->conversation->body, "acl");
	size_t n = 0;
	const char **groups = arena_alloc(c->arena, (json_array_size(acl) + 1) * sizeof(*groups));

	if (!groups)
		return no_memory(c->err);
	for (size_t i = 0; i < json_array_size(acl); i++)
		groups[n++] = json_string_value(json_array_get(acl, i));
	if (*in->queue)
		groups[n++] = in->queue;
	*out = (struct rights){ .key = "", .agent = "", .groups = groups, .n_groups = n };
	return 0;
}

/*
 * The conversation's words, and with less weight those of the reason and the
 * intent. What the bot said of the reason has that weight at least.
 */
static int add_words(const struct call *c, const json_t *package, struct desk_query *q)
{
	const char *reason = json_string_value(package_value(package, "reason"));
	const char *label = body_string(package_value(package, "intent"), "label");
	const char *text = arena_printf(c->arena, "%s %s", reason ? reason : "", label);
	int said = !package_inferred(package, "reason");
	const struct term *more;
	struct term *terms;
	size_t n = q->n_terms;

	if (!text)
		return no_memory(c->err);
	long n_more = analyse_query(c->arena, text, strlen(text), 24, &more);
	terms = n_more < 0 ? NULL : arena_alloc(c->arena, (n + (size_t)n_more + 1) * sizeof(*terms));
	if (!terms)
		return no_memory(c->err);
	if (n)
		memcpy(terms, q->terms, n * sizeof(*terms));
	for (long i = 0; i < n_more && n < SEARCH_MAX_TERMS; i++) {
		size_t j = 0;
		while (j < n && strcmp(terms[j].stem, more[i].stem) != 0)
			j++;
		if (j == n) {
			terms[n] = more[i];
			terms[n++].weight = EXTRA_WORD_WEIGHT;
		} else if (said && terms[j].weight < EXTRA_WORD_WEIGHT) {
			terms[j].weight = EXTRA_WORD_WEIGHT;
		}
	}
	q->terms = n ? terms : NULL;
	q->n_terms = n;
	return 0;
}

/* normalised(conversation + REASON_WEIGHT * reason): what a summary says is said in the customer's words too seldom. */
static int add_reason(struct desk *d, const struct call *c, const float *reason, const float **vector)
{
	size_t dim = embedder_info(d->embedder)->dim;
	float *sum = arena_alloc(c->arena, dim * sizeof(*sum));

	if (!sum)
		return no_memory(c->err);
	for (size_t i = 0; i < dim; i++)
		sum[i] = (*vector)[i] + REASON_WEIGHT * reason[i];
	*vector = query_normalise(sum, dim, *vector);
	return 0;
}

static int blend_reason(struct desk *d, const struct call *c, struct text reason, struct desk_query *q)
{
	const float *r;
	int rc = query_embed(d, c->arena, reason, q, &r, c->err);

	if (rc < 0 || !r || !q->vector)
		return rc;
	rc = add_reason(d, c, r, &q->vector);
	return rc < 0 || !q->whole ? rc : add_reason(d, c, r, &q->whole);
}

/* What is looked for: `q` among cases and conversations, f->query among documents, and what it is about. */
struct sought {
	struct desk_query q;
	struct intent intent;
	struct learned learned;
};

/* Where nothing was resolved yet, what the bot takes it for. */
static void intent_of_bot(const json_t *package, struct intent *in)
{
	const json_t *said = package_value(package, "intent");
	const char *label = body_string(said, "label");

	if (in->n || !*label || package_inferred(package, "intent"))
		return;
	double sure = json_number_value(json_object_get(said, "confidence"));
	in->candidates[in->n++] = (struct intent_candidate){ label, sure > 0 && sure <= 1 ? sure : .5 };
}

static int make_queries(struct desk *d, const struct call *c, const struct evidence_input *in,
			const struct evidence_found *f, struct sought *s)
{
	const json_t *value = package_value(in->package, "reason");
	struct text reason = { json_string_value(value), json_string_length(value) };
	int rc = query_of_conversation(d, c->arena, in->conversation, &s->q, c->err);

	if (rc < 0 || (rc = intent_of_query(d, c, &s->q, &f->rights, &s->learned, &s->intent)) < 0)
		return rc;
	intent_of_bot(in->package, &s->intent);
	if (reason.n && !s->q.text.s) /* no customer has spoken: what the bot says is all there is */
		rc = query_of_text(d, c->arena, reason, &s->q, c->err);
	else if (reason.n && !package_inferred(in->package, "reason"))
		rc = blend_reason(d, c, reason, &s->q);
	if (rc < 0)
		return rc;
	*f->query = s->q;
	rc = query_for_documents(d, c->arena, in->conversation, s->learned.adapter, f->query, c->err);
	if (rc < 0 || (rc = add_words(c, in->package, f->query)) < 0)
		return rc;
	query_for_cases(&s->q);
	return add_words(c, in->package, &s->q);
}

static int is_cited(const struct evidence_found *f, const struct search_hit *h)
{
	for (size_t i = 0; i < f->n_cited; i++)
		if (h->kind == COLLECTION_DOCUMENT && text_is(f->cited[i].document, h->record.id))
			return 1;
	return 0;
}

static int by_score(const void *a, const void *b)
{
	const struct search_hit *x = a, *y = b;

	return x->score != y->score ? (x->score < y->score ? 1 : -1) : strcmp(x->record.id, y->record.id);
}

static int boost_cited(const struct call *c, const struct evidence_found *f, struct search_hit *h)
{
	struct search_boost *boosts;

	if (!is_cited(f, h))
		return 0;
	boosts = arena_alloc(c->arena, (h->n_boosts + 1) * sizeof(*boosts));
	if (!boosts)
		return no_memory(c->err);
	if (h->n_boosts)
		memcpy(boosts, h->boosts, h->n_boosts * sizeof(*boosts));
	boosts[h->n_boosts++] = (struct search_boost){ "cited", "the bot cited it", CITED_BOOST };
	h->boosts = boosts;
	h->score += CITED_BOOST;
	return 0;
}

/* Is the hit this conversation itself, or its own case? */
static int is_itself(const struct evidence_input *in, const struct search_hit *h)
{
	const char *of = h->kind == COLLECTION_CASE ? body_string(h->record.body, "conversation")
						    : h->record.id;

	return h->kind != COLLECTION_DOCUMENT && strcmp(of, in->conversation->id) == 0;
}

/* The best `keep` of one kind, behind those in `list`. */
static int find_kind(struct desk *d, const struct call *c, const struct evidence_input *in,
		     struct evidence_found *f, struct search_request *q, size_t keep, struct search_hit *list)
{
	struct search_result r;
	struct search_hit *hits;
	size_t n = 0;

	q->n_kinds = 1;
	q->k = keep + MORE;
	int rc = search_run(d->engine, d->embedder, &f->rights, q, c->arena, &r, c->err);
	if (rc < 0)
		return rc;
	hits = arena_alloc(c->arena, (r.n + 1) * sizeof(*hits));
	if (!hits)
		return no_memory(c->err);
	for (size_t i = 0; i < r.n; i++) {
		if (is_itself(in, &r.hits[i]))
			continue;
		hits[n] = r.hits[i];
		if ((rc = boost_cited(c, f, &hits[n++])) < 0)
			return rc;
	}
	qsort(hits, n, sizeof(*hits), by_score);
	for (size_t i = 0; i < n && i < keep; i++)
		list[f->n++] = hits[i];
	return 0;
}

/* Documents by f->query, cases and the customer's conversations by s->q. */
static int find_all(struct desk *d, const struct call *c, const struct evidence_input *in,
		    const struct sought *s, struct evidence_found *f)
{
	const char *intent = body_string(package_value(in->package, "intent"), "label");
	struct text customer = body_text(in->conversation->body, "customer");
	struct index_value value = { .type = VALUE_STRING, .s = customer };
	struct index_filter same = { .op = FILTER_EQ, .key = "customer", .values = &value, .n_values = 1 };
	struct search_request r = { .kinds = { COLLECTION_DOCUMENT },
				    .n_kinds = 1,
				    .intent = *intent ? intent : NULL };
	struct search_hit *list = arena_alloc(
		c->arena, (EVIDENCE_DOCUMENTS + EVIDENCE_CASES + EVIDENCE_CONVERSATIONS) * sizeof(*list));
	int rc;

	if (!list)
		return no_memory(c->err);
	f->hits = list;
	if (!s->q.n_terms && !s->q.vector)
		return 0;
	if (boosts_set(c->arena, &s->learned, &s->intent, &r) < 0)
		return no_memory(c->err);
	query_to_request(f->query, &r);
	if ((rc = find_kind(d, c, in, f, &r, EVIDENCE_DOCUMENTS, list)) < 0)
		return rc;
	query_to_request(&s->q, &r);
	r.kinds[0] = COLLECTION_CASE;
	r.weights = (struct search_weights){ 0, 0 };
	if ((rc = find_kind(d, c, in, f, &r, EVIDENCE_CASES, list)) < 0 || !customer.s)
		return rc;
	r.kinds[0] = COLLECTION_CONVERSATION;
	r.filter = &same;
	return find_kind(d, c, in, f, &r, EVIDENCE_CONVERSATIONS, list);
}

int evidence_find(struct desk *d, const struct call *c, const struct evidence_input *in,
		  struct evidence_found *out)
{
	struct evidence_found f = { .query = arena_alloc(c->arena, sizeof(*f.query)) };
	struct sought s = { 0 };
	int rc = f.query ? queue_rights(c, in, &f.rights) : no_memory(c->err);

	draw_learned(d, in->conversation->id, &s.learned);
	if (rc == 0)
		rc = make_queries(d, c, in, &f, &s);
	if (rc == 0)
		rc = citations_resolve(d, c, &f.rights, in->package, &f.cited, &f.n_cited);
	if (rc == 0)
		rc = find_all(d, c, in, &s, &f);
	learner_give(d->learner, &s.learned);
	if (rc == 0)
		*out = f;
	return rc;
}

/* What the bot's citation of this document came to; "current" for what was found today. */
static const char *status_of(const struct evidence_found *f, const struct search_hit *h)
{
	const char *status = "current";

	for (size_t i = 0; i < f->n_cited && h->kind == COLLECTION_DOCUMENT; i++)
		if (text_is(f->cited[i].document, h->record.id) &&
		    strcmp(f->cited[i].status, "changed_since") == 0)
			status = "changed_since";
	return status;
}

/* The item's text, the same bytes whenever it is printed; freed by the caller. NULL without memory. */
static char *item_text(const struct evidence_found *f, const struct search_hit *h, size_t i, size_t *n)
{
	JSON_AUTO *j = search_hit_json(h, 0);

	if (!j || body_set_int(j, "n", (int64_t)i + 1) < 0 ||
	    body_set_bool(j, "cited_by_bot", is_cited(f, h)) < 0 ||
	    body_set(j, "status", status_of(f, h)) < 0)
		return NULL;
	return json_text(j, n);
}

static json_t *item_freeze(const struct search_hit *h, size_t i, const char *text, size_t n,
			   struct sha256 *all)
{
	unsigned char salt[SALT], hash[SHA256_SIZE];
	char salt_hex[2 * SALT + 1], commitment[SHA256_TEXT] = "sha256:";
	struct sha256 s;

	crypto_random(salt, sizeof(salt));
	hex_encode(salt, sizeof(salt), salt_hex);
	sha256_init(&s);
	sha256_add(&s, salt, sizeof(salt));
	sha256_add(&s, text, n);
	sha256_end(&s, hash);
	hex_encode(hash, sizeof(hash), commitment + 7);
	sha256_add(all, commitment, strlen(commitment));
	json_t *j = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s%}", "n", (json_int_t)i + 1, "kind",
			      evidence_kind(h->kind), "id", h->record.id, "salt", salt_hex, "commitment",
			      commitment, "text", text, n);
	if (j && body_set_copy(j, "acl", json_object_get(h->record.body, "acl")) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

int evidence_freeze(const struct call *c, const struct evidence_input *in, const struct evidence_found *f,
		    json_t **body)
{
	json_t *b = body_new(c->arena), *items = json_array(), *groups = json_array();
	unsigned char hash[SHA256_SIZE];
	char text[SHA256_TEXT] = "sha256:";
	struct sha256 all;
	int bad = !b || body_set_take(b, "items", items) < 0 || body_set_take(b, "groups", groups) < 0;

	sha256_init(&all);
	for (size_t i = 0; i < f->n && !bad; i++) {
		size_t n;
		char *s = item_text(f, &f->hits[i], i, &n);
		bad = !s || json_array_append_new(items, item_freeze(&f->hits[i], i, s, n, &all)) < 0;
		free(s);
	}
	for (size_t i = 0; i < f->rights.n_groups && !bad; i++)
		bad = json_array_append_new(groups, json_string(f->rights.groups[i])) < 0;
	sha256_end(&all, hash);
	hex_encode(hash, sizeof(hash), text + 7);
	if (bad || body_set(b, "conversation", in->conversation->id) < 0 ||
	    body_set(b, "queue", in->queue) < 0 || body_set(b, "hash", text) < 0 ||
	    body_set_take(b, "bot_citations", citations_json(f->cited, f->n_cited)) < 0)
		return no_memory(c->err);
	*body = b;
	return 0;
}

/* New reference to what the caller sees of an item. */
static int view_item(struct desk *d, const struct call *c, const json_t *item, json_t **out)
{
	struct text text = body_text(item, "text");
	JSON_AUTO *j = NULL;
	int may = text.s ? source_visible(d, c, body_string(item, "kind"), body_string(item, "id"),
					  json_object_get(item, "acl"))
			 : 0;

	if (may < 0)
		return may;
	if (may) {
		int rc = json_parse(text.s, text.n, c->err, &j);
		if (rc < 0)
			return error_set(c->err, ERR_CORRUPT, NULL,
					 "a stored item of evidence cannot be read");
	} else {
		j = json_pack("{s:I, s:s}", "n", (json_int_t)body_int(item, "n"), "state",
			      text.s ? "withheld" : "erased");
	}
	if (!j || body_set(j, "commitment", body_string(item, "commitment")) < 0)
		return no_memory(c->err);
	*out = json_incref(j);
	return 0;
}

int evidence_view(struct desk *d, const struct call *c, const struct record *evidence, json_t **out)
{
	const json_t *items = json_object_get(evidence->body, "items");
	JSON_AUTO *data = json_array();
	json_t *citations = NULL, *one = NULL;
	int rc;

	for (size_t i = 0; data && i < json_array_size(items); i++) {
		if ((rc = view_item(d, c, json_array_get(items, i), &one)) < 0)
			return rc;
		if (json_array_append_new(data, one) < 0)
			return no_memory(c->err);
	}
	if (!data)
		return no_memory(c->err);
	if ((rc = citations_view(d, c, json_object_get(evidence->body, "bot_citations"), &citations)) < 0)
		return rc;
	json_t *j = json_pack("{s:s, s:s, s:O, s:o}", "id", evidence->id, "hash",
			      body_string(evidence->body, "hash"), "data", data, "bot_citations", citations);
	if (!j)
		return no_memory(c->err);
	*out = j;
	return 0;
}
