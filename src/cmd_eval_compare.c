/*
 * `readback eval compare`: what two systems said of one frozen dataset, side by
 * side. Nothing is asked here, so no data folder is needed but to keep the
 * figures (POST /v1/evals, here or at a server).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/utf8.h"
#include "cmd_eval.h"
#include "datasets/comparison.h"
#include "datasets/measure.h"

#define SHIFTS 10
#define MAX_SEED 9007199254740991

struct options {
	const char *qrels, *test, *metric, *name;
	const char *files[2];
	struct client_options client;
	long seed;
	int save, json;
};

struct result {
	const struct options *o;
	const char *dataset, *metric;
	char hashes[3][SHA256_TEXT]; /* of A, B and the dataset */
	struct comparison *comparison;
	struct paired_scores paired;
	struct shift shifts[SHIFTS];
	size_t n_shifts;
};

static const char *const sides[] = { "a", "b" };

/* Records are read elsewhere, where the folders of this machine tell nothing. */
static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* --- measuring -------------------------------------------------------------------------------------------- */

static int hash_file(const char *path, char out[SHA256_TEXT], struct error *e)
{
	char *s;
	size_t n;
	int rc = file_read(path, &s, &n, e);

	if (rc < 0)
		return rc;
	crypto_sha256_text(s, n, out);
	free(s);
	return 0;
}

static int measure(struct result *r, struct error *e)
{
	const struct options *o = r->o;
	const char *const files[] = { o->files[0], o->files[1], r->dataset };
	int rc = 0;

	for (int i = 0; rc == 0 && i < 3; i++)
		rc = hash_file(files[i], r->hashes[i], e);
	if (rc == 0)
		rc = o->qrels ? comparison_of_runs(o->qrels, o->files, r->metric, &r->comparison, e)
			      : comparison_of_labels(o->test, o->files, &r->comparison, e);
	if (rc < 0)
		return rc;
	if (paired_measure(comparison_scores(r->comparison, 0), comparison_scores(r->comparison, 1),
			   comparison_size(r->comparison), (uint64_t)o->seed, &r->paired) < 0)
		return no_memory(e);
	return comparison_shifts(r->comparison, r->shifts, SHIFTS, &r->n_shifts, e);
}

/* --- what is kept ----------------------------------------------------------------------------------------- */

static json_t *side_json(const struct result *r, int side)
{
	const struct paired_scores *p = &r->paired;
	const struct told *told = comparison_told(r->comparison, side);
	const double *interval = side ? p->b_interval : p->a_interval;

	return json_pack("{s:s, s:s, s:f, s:[f, f], s:I, s:I}", "name", base_name(r->o->files[side]),
			 "sha256", r->hashes[side], "value", side ? p->b : p->a, "interval", interval[0],
			 interval[1], "missing", (json_int_t)told->missing.n, "unknown",
			 (json_int_t)told->unknown.n);
}

/* The body of POST /v1/evals. NULL without memory. */
static json_t *kept_json(const struct result *r)
{
	const struct paired_scores *p = &r->paired;
	json_t *j = json_pack("{s:s, s:{s:s, s:s}, s:o, s:o, s:[f, f], s:f, s:I, s:I, s:I, s:i, s:I}",
			      "metric", r->metric, "dataset", "name", base_name(r->dataset), "sha256",
			      r->hashes[2], "a", side_json(r, 0), "b", side_json(r, 1), "interval",
			      p->interval[0], p->interval[1], "p", p->p, "wins", (json_int_t)p->wins, "ties",
			      (json_int_t)p->ties, "losses", (json_int_t)p->losses, "samples", PAIRED_SAMPLES,
			      "seed", (json_int_t)r->o->seed);

	if (j && r->o->name && json_object_set_new(j, "name", json_string(r->o->name)) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static int keep(const struct result *r, const json_t *kept, json_t **answer, struct error *e)
{
	struct client_options o = r->o->client;
	struct client *client;

	o.writes = 1;
	int rc = client_open(&o, &client, e);
	if (rc < 0)
		return rc;
	rc = client_json(client, "POST", "/v1/evals", kept, answer, e);
	client_close(client);
	return rc;
}

/* --- showing ---------------------------------------------------------------------------------------------- */

static json_t *names_json(const struct told_names *t)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < t->n && i < TOLD_NAMES; i++)
		json_array_append_new(list, json_string(t->names[i]));
	return list;
}

/* What was kept, with what is told here alone: names of queries and rows. */
static json_t *result_json(const struct result *r, const json_t *kept)
{
	json_t *j = json_deep_copy(kept), *changed = json_array();

	if (!j || !changed) {
		json_decref(j);
		json_decref(changed);
		return NULL;
	}
	for (int side = 0; side < 2; side++) {
		const struct told *told = comparison_told(r->comparison, side);
		json_t *x = json_object_get(j, sides[side]);
		json_object_set_new(x, "missing_names", names_json(&told->missing));
		json_object_set_new(x, "unknown_names", names_json(&told->unknown));
	}
	for (size_t i = 0; i < r->n_shifts; i++) {
		const struct shift *s = &r->shifts[i];
		json_array_append_new(changed,
				      json_pack("{s:s, s:I, s:f, s:f}", r->o->qrels ? "query" : "label",
						s->name, "n", (json_int_t)s->n, "a", s->a, "b", s->b));
	}
	json_object_set_new(j, "type", json_string(r->o->qrels ? "retrieval" : "intent"));
	json_object_set_new(j, "n", json_integer((json_int_t)r->paired.n));
	json_object_set_new(j, "difference", json_real(r->paired.difference));
	json_object_set_new(j, "changed", changed);
	return j;
}

static void print_names(const char *file, const struct told_names *t, const char *what)
{
	if (t->n == 0)
		return;
	printf("%s: %zu %s%s\n", file, t->n, what, t->n > TOLD_NAMES ? "; the first:" : ":");
	for (size_t i = 0; i < t->n && i < TOLD_NAMES; i++)
		print_line("  ", t->names[i], 100);
}

static void print_text(const struct result *r)
{
	const struct paired_scores *p = &r->paired;
	const char *items = r->o->qrels ? "queries" : "rows";

	printf("%s of %zu %s of %s\n", r->metric, p->n, items, r->dataset);
	printf("A      %.4f  [%.4f, %.4f]  %s\n", p->a, p->a_interval[0], p->a_interval[1], r->o->files[0]);
	printf("B      %.4f  [%.4f, %.4f]  %s\n", p->b, p->b_interval[0], p->b_interval[1], r->o->files[1]);
	printf("B - A %+.4f  [%+.4f, %+.4f]  p %.4f\n", p->difference, p->interval[0], p->interval[1], p->p);
	printf("B is better in %zu, equal in %zu, worse in %zu\n", p->wins, p->ties, p->losses);
	for (int side = 0; side < 2; side++) {
		const struct told *told = comparison_told(r->comparison, side);
		print_names(r->o->files[side], &told->missing, "missing, which count as 0");
		print_names(r->o->files[side], &told->unknown, "not in the dataset, which do not count");
	}
	if (r->n_shifts)
		puts("changed most:");
	for (size_t i = 0; i < r->n_shifts; i++) {
		const struct shift *s = &r->shifts[i];
		printf("  %.4f -> %.4f  %+.4f  ", s->a, s->b, s->b - s->a);
		if (r->o->test)
			printf("%zu rows  ", s->n);
		print_line("", s->name, 100);
	}
}

/* Figures are printed also where they could not be kept. */
static int show(const struct result *r, struct error *e)
{
	JSON_AUTO *kept = kept_json(r);
	JSON_AUTO *j = kept ? result_json(r, kept) : NULL;
	JSON_AUTO *answer = NULL;

	if (!j)
		return no_memory(e);
	int rc = r->o->save ? keep(r, kept, &answer, e) : 0;
	const char *id = json_string_value(json_object_get(answer, "id"));
	if (id)
		json_object_set_new(j, "id", json_string(id));
	if (r->o->json)
		json_print(j, stdout);
	else
		print_text(r);
	if (id && !r->o->json)
		printf("kept as %s\n", id);
	return rc;
}

/* --- the command ------------------------------------------------------------------------------------------ */

/* They go into JSON. */
static int check_names(const struct options *o, struct error *e)
{
	const char *const names[] = { o->files[0], o->files[1], o->qrels ? o->qrels : o->test, o->name };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i] && utf8_valid(names[i], strlen(names[i])) != strlen(names[i]))
			return error_set(e, ERR_USAGE, NULL,
					 "a name that is not UTF-8 cannot be told: rename it");
	return 0;
}

static int check(const struct options *o, int operands, struct error *e)
{
	const char *metric = o->metric ? metric_find(o->metric) : METRIC_SEARCH;

	if (operands != 2 || !o->qrels == !o->test)
		return error_set(e, ERR_USAGE, NULL, "give two files, and --qrels or --test");
	if (o->test && o->metric)
		return error_set(e, ERR_USAGE, NULL,
				 "--metric is for --qrels; of intents it is " METRIC_INTENT);
	if (!metric || strcmp(metric, METRIC_INTENT) == 0)
		return error_set(e, ERR_USAGE, NULL,
				 "--metric is ndcg@10, recall@1, recall@5, recall@10, mrr@10 or map");
	if (o->seed < 0 || o->seed > MAX_SEED)
		return error_set(e, ERR_USAGE, NULL, "--seed is from 0 to %lld", (long long)MAX_SEED);
	if (o->save && !o->client.data && !o->client.url)
		return error_set(e, ERR_USAGE, NULL, "--save needs --data or --url");
	if (o->name && !o->save)
		return error_set(e, ERR_USAGE, NULL, "--name is for --save");
	return check_names(o, e);
}

int eval_compare(int argc, char **argv)
{
	struct options o = { 0 };
	struct result r = { .o = &o };
	struct error e = { 0 };
	int operands;
	const struct option_spec options[] = {
		{ "--qrels", "FILE", OPTION_TEXT, &o.qrels,
		  "of searches: judgements, as of `eval retrieval` or TREC's" },
		{ "--test", "FILE", OPTION_TEXT, &o.test,
		  "of intents: {\"text\",\"label\",\"id\"?} or fastText's \"__label__X text\" a line" },
		{ "--metric", "METRIC", OPTION_TEXT, &o.metric,
		  "with --qrels: ndcg@10 (default), recall@1, recall@5, recall@10, mrr@10, map" },
		{ "--seed", "S", OPTION_INT, &o.seed, "of the samples (default 0)" },
		{ "--save", NULL, OPTION_FLAG, &o.save, "keep the figures in --data or at --url" },
		{ "--name", "NAME", OPTION_TEXT, &o.name, "what they are kept as" },
		CLIENT_OPTIONS(o.client),
		{ "--json", NULL, OPTION_FLAG, &o.json, "print JSON" },
		{ 0 },
	};
	const struct usage u = {
		"eval compare", "A B",
		"Compares what two systems said of the same queries or texts: is B better than A?", options,
		"With --qrels, A and B are runs: TREC's six columns (query, Q0, document, rank, score, tag; by score,\n"
		"of equal ones the last id first, as trec_eval has it), or {\"query\",\"ranked\":[ids, best first]} a line.\n"
		"With --test they are predictions: {\"id\" or \"text\",\"label\"} a line, or a label a line in the order of\n"
		"the test; a label is right if it is the test's, \"oos\" like any other.\n"
		"What a system has not answered counts as 0, what the dataset does not have does not count; both are\n"
		"told. Intervals are 95 %, of 10,000 bootstrap samples of the queries or rows, the same for A, B and\n"
		"B - A; p is two-sided, the share of 10,000 random flips of the differences' signs that are as large."
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	for (int i = 0; i < 2 && i < operands; i++)
		o.files[i] = argv[1 + i];
	int rc = check(&o, operands, &e);
	if (rc == 0) {
		r.dataset = o.qrels ? o.qrels : o.test;
		r.metric = o.test ? METRIC_INTENT : o.metric ? metric_find(o.metric) : METRIC_SEARCH;
		rc = measure(&r, &e);
	}
	if (rc == 0)
		rc = show(&r, &e);
	comparison_free(r.comparison);
	return rc < 0 ? cmd_fail(&e) : EXIT_OK;
}
