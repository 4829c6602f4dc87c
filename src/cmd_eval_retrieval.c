/*
 * `readback eval retrieval`: a corpus, queries and judgements in the BEIR
 * manner. The corpus goes in as documents, each query is a search for ten
 * documents as /v1/search makes it; its time is the whole of it (embedding the
 * query, searching, snippets). Average precision needs a longer ranking: that
 * is a second search, not timed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/grow.h"
#include "cmd_eval.h"
#include "cmd_scratch.h"
#include "datasets/measure.h"
#include "datasets/qrels.h"
#include "desk/query.h"
#include "embed/embed.h"

#define K 10
#define MAP_DEPTH SEARCH_MAX_K

struct query {
	char *id, *text;
};

struct options {
	const char *corpus, *queries, *qrels, *mode, *keep, *half;
	struct embedder_options embedder;
	double fusion_weight, k1, b;
	long limit, seed;
	int json;
};

enum { NDCG10, RECALL1, RECALL5, RECALL10, MRR10, MAP, SCORES };

static const char *const score_names[SCORES] = { "ndcg@10",   "recall@1", "recall@5",
						 "recall@10", "mrr@10",   "map" };

struct eval {
	const struct options *o;
	struct scratch scratch;
	struct qrels *qrels;
	struct query *queries;
	size_t n, cap;
	double *scores[SCORES], *ms; /* a value per query */
	double ingest_per_s;         /* 0: the folder had the corpus already */
	uint64_t documents;
};

/* --- queries ----------------------------------------------------------------------------------------- */

static int in_half(const struct options *o, const char *id)
{
	uint64_t bit = hash_fnv1a(id, strlen(id)) & 1;

	return strcmp(o->half, "all") == 0 || bit == (strcmp(o->half, "odd") == 0);
}

static int add_query(void *arg, json_t *line, struct error *e)
{
	struct eval *ev = arg;
	const char *id = json_string_value(json_object_get(line, "_id"));
	const char *text = json_string_value(json_object_get(line, "text"));
	const struct judged *judged;

	if (!id || !text)
		return error_set(e, ERR_MISSING_FIELD, id ? "text" : "_id", "is required");
	if (qrels_of(ev->qrels, id, &judged) == 0 || !in_half(ev->o, id) ||
	    (ev->o->limit > 0 && ev->n >= (size_t)ev->o->limit))
		return 0;
	if (GROW(ev->queries, ev->n, ev->cap) < 0)
		return no_memory(e);
	struct query *q = &ev->queries[ev->n];
	*q = (struct query){ strdup(id), strdup(text) };
	ev->n++;
	return q->id && q->text ? 0 : no_memory(e);
}

#define USER "|user|:"

/* The customer's turns of "|user|: …\n|user|: …"; a line without a speaker goes on with the turn before it. */
static int read_turns(const struct call *c, const char *text, struct conversation *v)
{
	const char *s = text + strlen(USER);

	*v = (struct conversation){ .id = "query", .body = body_new(c->arena) };
	if (!v->body)
		return no_memory(c->err);
	while (s) {
		const char *next = strstr(s, "\n" USER);
		struct turn t = { .role = "customer",
				  .author = "",
				  .text = { s, next ? (size_t)(next - s) : strlen(s) } };
		while (t.text.n && *t.text.s == ' ') {
			t.text.s++;
			t.text.n--;
		}
		int rc = t.text.n ? conversation_add_turn(c, v, &t) : 0;
		if (rc < 0)
			return rc;
		s = next ? next + strlen("\n" USER) : NULL;
	}
	return 0;
}

static int make_query(struct desk *d, const struct call *c, const char *text, struct desk_query *out)
{
	struct conversation v;
	int rc;

	if (strncmp(text, USER, strlen(USER)) != 0)
		rc = query_of_text(d, c->arena, text_of(text), out, c->err);
	else if ((rc = read_turns(c, text, &v)) == 0 &&
		 (rc = conversation_embed(d, c->arena, &v, c->err)) == 0 &&
		 (rc = query_of_conversation(d, c->arena, &v, out, c->err)) == 0)
		rc = query_lean(d, c->arena, &v, out, c->err);
	return rc < 0 ? rc : query_require_vector(out, c->err);
}

static int search(struct eval *ev, const struct call *c, const struct desk_query *q, size_t k,
		  const char ***ids, size_t *n)
{
	const struct options *o = ev->o;
	struct search_request r = { .k = k, .kinds = { COLLECTION_DOCUMENT }, .n_kinds = 1 };
	struct search_result found;

	query_to_request(q, &r);
	r.k1 = o->k1;
	r.b = o->b;
	r.no_words = strcmp(o->mode, "vector") == 0;
	r.no_vector = strcmp(o->mode, "words") == 0;
	if (o->fusion_weight >= 0)
		r.weights = (struct search_weights){ o->fusion_weight, 1 - o->fusion_weight };
	int rc = search_run(ev->scratch.place.engine, ev->scratch.place.embedder, &cli_rights, &r, c->arena,
			    &found, c->err);
	if (rc < 0)
		return rc;
	*ids = arena_alloc(c->arena, (found.n + 1) * sizeof(**ids));
	if (!*ids)
		return no_memory(c->err);
	for (size_t i = 0; i < found.n; i++)
		(*ids)[i] = found.hits[i].record.id;
	*n = found.n;
	return 0;
}

static int run_query(struct eval *ev, size_t i, struct error *e)
{
	struct arena *a = arena_new(64 << 10);
	struct call c = scratch_call(a, e);
	struct ranking_scores scores;
	const struct judged *judged;
	struct desk_query q;
	const char **ids;
	size_t n;

	if (!a)
		return no_memory(e);
	size_t n_judged = qrels_of(ev->qrels, ev->queries[i].id, &judged);
	int64_t started = clock_mono_us();
	int rc = make_query(&ev->scratch.place.desk, &c, ev->queries[i].text, &q);
	if (rc == 0)
		rc = search(ev, &c, &q, K, &ids, &n);
	ev->ms[i] = (double)(clock_mono_us() - started) / 1e3;
	if (rc == 0) {
		ranking_score(ids, n, judged, n_judged, &scores);
		ev->scores[NDCG10][i] = scores.ndcg10;
		ev->scores[RECALL1][i] = scores.recall1;
		ev->scores[RECALL5][i] = scores.recall5;
		ev->scores[RECALL10][i] = scores.recall10;
		ev->scores[MRR10][i] = scores.mrr10;
		rc = search(ev, &c, &q, MAP_DEPTH, &ids, &n);
	}
	if (rc == 0)
		ev->scores[MAP][i] = ranking_average_precision(ids, n, judged, n_judged);
	arena_free(a);
	return rc;
}

/* --- the whole --------------------------------------------------------------------------------------- */

static int import_corpus(struct eval *ev, struct error *e)
{
	static const char *const fields[] = { "_id", "title", "text", NULL };
	struct import_progress p;
	int64_t started = clock_mono_us();
	int rc = scratch_import(&ev->scratch, IMPORT_DOCUMENTS, ev->o->corpus, fields, &p, e);

	if (rc < 0)
		return rc;
	double seconds = (double)(clock_mono_us() - started) / 1e6;
	ev->documents = p.lines - p.failed;
	ev->ingest_per_s = p.imported == ev->documents && seconds > 0 ? (double)p.imported / seconds : 0;
	return scratch_settle(&ev->scratch, e);
}

static int run_queries(struct eval *ev, struct error *e)
{
	struct progress bar;
	int rc = 0;

	for (int s = 0; s < SCORES; s++)
		if (!(ev->scores[s] = calloc(ev->n + 1, sizeof(double))))
			return no_memory(e);
	if (!(ev->ms = calloc(ev->n + 1, sizeof(double))))
		return no_memory(e);
	progress_start(&bar, "queries");
	for (size_t i = 0; rc == 0 && i < ev->n; i++) {
		rc = cmd_stop ? error_set(e, ERR_INTERRUPTED, NULL, "interrupted") : run_query(ev, i, e);
		progress_show(&bar, (int64_t)i + 1, (int64_t)ev->n);
	}
	progress_end(&bar, (int64_t)ev->n);
	return rc;
}

static json_t *result_json(struct eval *ev)
{
	json_t *j = json_pack("{s:I}", "queries", (json_int_t)ev->n), *ci = json_object();

	for (int s = 0; s < SCORES; s++) {
		double lo = 0, hi = 0;
		json_object_set_new(j, score_names[s], json_real(mean_of(ev->scores[s], ev->n)));
		if (bootstrap_mean(ev->scores[s], ev->n, (uint64_t)ev->o->seed, &lo, &hi) == 0)
			json_object_set_new(ci, score_names[s], json_pack("[f, f]", lo, hi));
	}
	json_object_set_new(j, "query_ms",
			    json_pack("{s:f, s:f}", "p50", percentile_of(ev->ms, ev->n, .5), "p99",
				      percentile_of(ev->ms, ev->n, .99)));
	json_object_set_new(j, "ingest_per_s",
			    ev->ingest_per_s > 0 ? json_real(ev->ingest_per_s) : json_null());
	json_object_set_new(j, "interval_95", ci);
	json_object_set_new(j, "documents", json_integer((json_int_t)ev->documents));
	json_object_set_new(j, "mode", json_string(ev->o->mode));
	json_object_set_new(j, "embedder", json_string(embedder_info(ev->scratch.place.embedder)->id));
	return j;
}

static void print_result(struct eval *ev)
{
	JSON_AUTO *j = result_json(ev);

	if (ev->o->json) {
		json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
		putchar('\n');
		return;
	}
	for (int s = 0; s < SCORES; s++) {
		const json_t *ci = json_object_get(json_object_get(j, "interval_95"), score_names[s]);
		printf("%-10s %.4f  [%.4f, %.4f]\n", score_names[s],
		       json_number_value(json_object_get(j, score_names[s])),
		       json_number_value(json_array_get(ci, 0)), json_number_value(json_array_get(ci, 1)));
	}
	const json_t *ms = json_object_get(j, "query_ms");
	printf("%zu queries over %llu documents, %.2f ms (p50), %.2f ms (p99) a query", ev->n,
	       (unsigned long long)ev->documents, json_number_value(json_object_get(ms, "p50")),
	       json_number_value(json_object_get(ms, "p99")));
	if (ev->ingest_per_s > 0)
		printf(", %.0f documents/s in", ev->ingest_per_s);
	putchar('\n');
}

static int evaluate(struct eval *ev, struct error *e)
{
	const struct workplace_options place = { .embedder = ev->o->embedder };
	int rc = qrels_read(ev->o->qrels, &ev->qrels, e);

	if (rc == 0)
		rc = each_line(ev->o->queries, add_query, ev, e);
	if (rc == 0 && ev->n == 0)
		rc = error_set(e, ERR_BAD_VALUE, NULL, "%s: no query has a judgement in %s", ev->o->queries,
			       ev->o->qrels);
	if (rc < 0)
		return rc;
	if ((rc = scratch_open(ev->o->keep, &place, &ev->scratch, e)) < 0)
		return rc;
	cmd_catch_stop();
	rc = import_corpus(ev, e);
	if (rc == 0)
		rc = run_queries(ev, e);
	if (rc == 0)
		print_result(ev);
	scratch_close(&ev->scratch);
	return rc;
}

static void release(struct eval *ev)
{
	for (size_t i = 0; i < ev->n; i++) {
		free(ev->queries[i].id);
		free(ev->queries[i].text);
	}
	free(ev->queries);
	for (int s = 0; s < SCORES; s++)
		free(ev->scores[s]);
	free(ev->ms);
	qrels_free(ev->qrels);
}

static int is_one_of(const char *s, const char *a, const char *b, const char *c)
{
	return strcmp(s, a) == 0 || strcmp(s, b) == 0 || strcmp(s, c) == 0;
}

static int check(struct options *o, struct error *e)
{
	if (!o->corpus || !o->queries || !o->qrels)
		return error_set(e, ERR_USAGE, NULL, "give --corpus, --queries and --qrels");
	if (!is_one_of(o->mode, "words", "vector", "hybrid"))
		return error_set(e, ERR_USAGE, NULL, "--mode is words, vector or hybrid");
	if (!is_one_of(o->half, "even", "odd", "all"))
		return error_set(e, ERR_USAGE, NULL, "--half is even, odd or all");
	if (o->fusion_weight > 1)
		return error_set(e, ERR_USAGE, NULL, "--fusion-weight is from 0 to 1");
	if (!(o->k1 > 0 && o->k1 <= 100) || !(o->b >= 0 && o->b <= 1))
		return error_set(e, ERR_USAGE, NULL, "--k1 is above 0 and at most 100, --b from 0 to 1");
	if (strcmp(o->mode, "words") == 0 && !o->embedder.kind && !o->keep)
		o->embedder.kind = "none";
	return 0;
}

int eval_retrieval(int argc, char **argv)
{
	struct options o = {
		.mode = "hybrid", .half = "all", .fusion_weight = -1, .k1 = INDEX_K1, .b = INDEX_B
	};
	struct eval ev = { .o = &o };
	struct error e = { 0 };
	int operands;
	const struct option_spec options[] = {
		{ "--corpus", "FILE", OPTION_TEXT, &o.corpus,
		  "documents: {\"_id\",\"title\",\"text\"} a line" },
		{ "--queries", "FILE", OPTION_TEXT, &o.queries, "queries: {\"_id\",\"text\"} a line" },
		{ "--qrels", "FILE", OPTION_TEXT, &o.qrels, "judgements: query, document, score by tabs" },
		{ "--mode", "MODE", OPTION_TEXT, &o.mode, "words, vector or hybrid (default)" },
		{ "--fusion-weight", "W", OPTION_NUMBER, &o.fusion_weight,
		  "of the vector, 0 to 1 (default: the service's)" },
		{ "--k1", "K1", OPTION_NUMBER, &o.k1, "of BM25 (default 1.2)" },
		{ "--b", "B", OPTION_NUMBER, &o.b, "of BM25 (default 0.75)" },
		{ "--half", "HALF", OPTION_TEXT, &o.half,
		  "even, odd (by hash of the query's id) or all (default)" },
		{ "--limit-queries", "N", OPTION_INT, &o.limit, "only the first N" },
		{ "--seed", "S", OPTION_INT, &o.seed, "of the bootstrap intervals (default 0)" },
		EMBEDDER_OPTIONS(o.embedder),
		{ "--keep", "DIR", OPTION_TEXT, &o.keep,
		  "keep the data folder there, and use it if it is there" },
		{ "--json", NULL, OPTION_FLAG, &o.json, "print JSON" },
		{ 0 },
	};
	const struct usage u = {
		"eval retrieval", "",
		"Imports a corpus and measures searches on it: nDCG@10, recall, MRR@10, MAP (over the first 100), time.",
		options,
		"Queries without a judgement are left out. A query \"|user|: …\" with more such lines is asked as the\n"
		"customer's turns of a conversation. Intervals are of 1,000 bootstrap samples over the queries."
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	int rc = operands ? error_set(&e, ERR_USAGE, NULL,
				      "%.100s: give files by --corpus, --queries, --qrels", argv[1])
			  : check(&o, &e);
	if (rc == 0)
		rc = evaluate(&ev, &e);
	release(&ev);
	return rc < 0 ? cmd_fail(&e) : EXIT_OK;
}
