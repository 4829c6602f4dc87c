/*
 * `readback replay`: a resolved history, conversation by conversation: predict
 * on how it opened, then learn how it ended. What learning bought is the
 * difference to the same history with learning stopped after the first tenth.
 */
#include "cmd_replay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dice.h"
#include "base/file.h"
#include "base/grow.h"
#include "base/map.h"
#include "base/strbuf.h"
#include "cmd_scratch.h"
#include "datasets/curve.h"
#include "datasets/measure.h"
#include "desk/bodies.h"

#define MOST_STEP 100
#define LEAST_STEP 10

struct options {
	const char *conversations, *documents, *svg;
	struct embedder_options embedder;
	long delay, seeds;
	double target;
	int json;
};

enum { ACCURACY, ANSWERED, PRECISION, CASE_HIT, EVIDENCE1, EVIDENCE5, METRICS };

static const char *const metric_names[METRICS] = {
	"intent_accuracy", "answered", "precision", "case_hit@1", "evidence_recall@1", "evidence_recall@5"
};

struct replay {
	const struct options *o;
	struct chat *chats;
	size_t n, cap, bad;
	size_t step, n_points, frozen_at, final_from;
	double *points[METRICS]; /* mean over the seeds, n_points each */
	double *finals[METRICS]; /* a value per seed */
	double *frozen[METRICS];
	double *majority;
	size_t *order;
	struct outcome *learned, *still;
};

/* --- figures ----------------------------------------------------------------------------------------- */

/* Means over outcomes [from, to); NaN where there is nothing to take a mean of. */
static void measure(const struct outcome *o, size_t from, size_t to, double out[METRICS])
{
	double sum[METRICS] = { 0 }, count[METRICS] = { 0 };

	for (size_t i = from; i < to; i++) {
		if (!o[i].measured)
			continue;
		double value[METRICS] = { o[i].right,    o[i].answered,  o[i].right,
					  o[i].case_hit, o[i].evidence1, o[i].evidence5 };
		for (int m = 0; m < METRICS; m++) {
			if (isnan(value[m]) || (m == PRECISION && !o[i].answered))
				continue;
			sum[m] += value[m];
			count[m]++;
		}
	}
	for (int m = 0; m < METRICS; m++)
		out[m] = count[m] > 0 ? sum[m] / count[m] : NAN;
}

/* Accuracy of always saying the label that was most frequent so far. NaN without memory. */
static double majority_accuracy(const struct replay *r)
{
	struct map *counts = map_new();
	const char *best = NULL;
	uint64_t most = 0;
	size_t right = 0, n = 0;

	for (size_t i = 0; counts && i < r->n; i++) {
		const char *label = r->chats[r->order[i]].label;
		if (!label)
			continue;
		if (i >= r->final_from) {
			n++;
			right += best && strcmp(best, label) == 0;
		}
		uint64_t *count = map_put(counts, label, strlen(label), NULL);
		if (count && ++*count > most) {
			most = *count;
			best = label;
		}
	}
	map_free(counts);
	return n ? (double)right / (double)n : NAN;
}

/* --- passes ------------------------------------------------------------------------------------------ */

static int add_chat(void *arg, json_t *line, struct error *e)
{
	struct replay *r = arg;
	const json_t *resolution = json_object_get(line, "resolution");

	if (GROW(r->chats, r->n, r->cap) < 0)
		return no_memory(e);
	r->chats[r->n++] = (struct chat){ json_incref(line),
					  json_string_value(json_object_get(resolution, "intent")) };
	return 0;
}

static int make_room(struct replay *r, struct error *e)
{
	size_t seeds = (size_t)r->o->seeds;
	int bad = 0;

	r->step = r->n / 5 > MOST_STEP ? MOST_STEP : r->n / 5 < LEAST_STEP ? LEAST_STEP : r->n / 5;
	r->n_points = r->n < r->step ? 1 : (r->n + r->step / 2) / r->step;
	r->frozen_at = r->n / 10;
	r->final_from = r->n - r->n / 4;
	for (int m = 0; m < METRICS; m++) {
		r->points[m] = calloc(r->n_points + 1, sizeof(double));
		r->finals[m] = calloc(seeds, sizeof(double));
		r->frozen[m] = calloc(seeds, sizeof(double));
		bad |= !r->points[m] || !r->finals[m] || !r->frozen[m];
	}
	r->majority = calloc(seeds, sizeof(double));
	r->order = calloc(r->n + 1, sizeof(*r->order));
	r->learned = calloc(r->n + 1, sizeof(*r->learned));
	r->still = calloc(r->n + 1, sizeof(*r->still));
	return bad || !r->majority || !r->order || !r->learned || !r->still ? no_memory(e) : 0;
}

/* The order of seed s: of the file when there is one seed alone. */
static void set_order(struct replay *r, long seed)
{
	struct dice dice = { (uint64_t)seed };

	for (size_t i = 0; i < r->n; i++)
		r->order[i] = i;
	if (r->o->seeds > 1)
		dice_shuffle(&dice, r->order, r->n);
}

/* Point i looks back over `step` conversations; the last ends with the history. */
static void window_of(const struct replay *r, size_t i, size_t *from, size_t *to)
{
	*to = i + 1 == r->n_points ? r->n : (i + 1) * r->step;
	*from = *to > r->step ? *to - r->step : 0;
}

static int run_seed(struct replay *r, long seed, struct error *e)
{
	struct pass p = { .documents = r->o->documents,
			  .embedder = &r->o->embedder,
			  .target = r->o->target,
			  .chats = r->chats,
			  .order = r->order,
			  .n = r->n,
			  .delay = (size_t)r->o->delay,
			  .learned = r->n,
			  .what = "replay" };
	struct pass still = p;
	double values[METRICS];
	size_t bad;

	set_order(r, seed);
	int rc = replay_pass(&p, r->learned, &r->bad, e);
	still.learned = r->frozen_at;
	still.skip = r->final_from;
	still.what = "replay without learning";
	if (rc == 0)
		rc = replay_pass(&still, r->still, &bad, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < r->n_points; i++) {
		size_t from, to;
		window_of(r, i, &from, &to);
		measure(r->learned, from, to, values);
		for (int m = 0; m < METRICS; m++)
			r->points[m][i] += values[m] / (double)r->o->seeds;
	}
	measure(r->learned, r->final_from, r->n, values);
	for (int m = 0; m < METRICS; m++)
		r->finals[m][seed - 1] = values[m];
	measure(r->still, r->final_from, r->n, values);
	for (int m = 0; m < METRICS; m++)
		r->frozen[m][seed - 1] = values[m];
	r->majority[seed - 1] = majority_accuracy(r);
	return 0;
}

/* --- answers ----------------------------------------------------------------------------------------- */

static json_t *number(double v)
{
	return isnan(v) ? json_null() : json_real(v);
}

static json_t *means_json(double *const values[METRICS], size_t n)
{
	json_t *j = json_object();

	for (int m = 0; m < METRICS; m++)
		json_object_set_new(j, metric_names[m], number(mean_of(values[m], n)));
	return j;
}

static json_t *seeds_json(const struct replay *r)
{
	json_t *list = json_array();

	for (long s = 0; s < r->o->seeds; s++) {
		json_t *j = json_pack("{s:I}", "seed", (json_int_t)s + 1);
		for (int m = 0; m < METRICS; m++)
			json_object_set_new(j, metric_names[m], number(r->finals[m][s]));
		json_array_append_new(list, j);
	}
	return list;
}

static json_t *result_json(const struct replay *r)
{
	size_t seeds = (size_t)r->o->seeds;
	json_t *points = json_array(), *final = means_json(r->finals, seeds), *deviation = json_object();

	for (size_t i = 0; i < r->n_points; i++) {
		size_t from, to;
		window_of(r, i, &from, &to);
		json_t *j = json_pack("{s:I}", "cases", (json_int_t)to);
		for (int m = 0; m < METRICS; m++)
			json_object_set_new(j, metric_names[m], number(r->points[m][i]));
		json_array_append_new(points, j);
	}
	json_object_set_new(final, "from", json_integer((json_int_t)r->final_from));
	json_object_set_new(final, "cases", json_integer((json_int_t)r->n));
	json_t *j = json_pack("{s:o, s:o, s:{s:{s:o}, s:o}, s:I, s:I, s:I, s:f, s:I}", "points", points,
			      "final", final, "baselines", "majority", "intent_accuracy",
			      number(mean_of(r->majority, seeds)), "frozen", means_json(r->frozen, seeds),
			      "conversations", (json_int_t)r->n, "skipped", (json_int_t)r->bad, "delay",
			      (json_int_t)r->o->delay, "target_precision", r->o->target, "frozen_after",
			      (json_int_t)r->frozen_at);
	if (seeds > 1) {
		for (int m = 0; m < METRICS; m++)
			json_object_set_new(deviation, metric_names[m],
					    number(deviation_of(r->finals[m], seeds)));
		json_object_set(j, "final_deviation", deviation);
		json_object_set_new(j, "seeds", seeds_json(r));
	}
	json_decref(deviation);
	return j;
}

static int draw(const struct replay *r, int svg, struct strbuf *out)
{
	struct curve curves[METRICS];
	double *x = calloc(r->n_points + 1, sizeof(*x));

	if (!x)
		return -1;
	for (size_t i = 0; i < r->n_points; i++) {
		size_t from, to;
		window_of(r, i, &from, &to);
		x[i] = (double)to;
	}
	for (int m = 0; m < METRICS; m++)
		curves[m] = (struct curve){ metric_names[m], r->points[m],
					    mean_of(r->frozen[m], (size_t)r->o->seeds) };
	struct curve_plot plot = { "What was predicted before it was known",
				   "resolved conversations",
				   x,
				   r->n_points,
				   curves,
				   METRICS };
	if (svg)
		curve_svg(&plot, out);
	else
		curve_text(&plot, out);
	free(x);
	return out->failed ? -1 : 0;
}

static int print_result(const struct replay *r, struct error *e)
{
	STRBUF_AUTO picture = STRBUF_INIT, text = STRBUF_INIT;

	if (r->o->svg) {
		if (draw(r, 1, &picture) < 0)
			return no_memory(e);
		int rc = file_write(r->o->svg, picture.p, picture.n, e);
		if (rc < 0)
			return rc;
	}
	if (r->o->json) {
		JSON_AUTO *j = result_json(r);
		json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
		putchar('\n');
		return 0;
	}
	if (draw(r, 0, &text) < 0)
		return no_memory(e);
	printf("%zu conversations, %zu a point%s\n%s", r->n, r->step,
	       r->o->seeds > 1 ? ", mean over the seeds" : "", text.p);
	printf("last quarter: intent_accuracy %.3f (always the most frequent: %.3f), answered %.3f at precision %.3f\n",
	       mean_of(r->finals[ACCURACY], (size_t)r->o->seeds), mean_of(r->majority, (size_t)r->o->seeds),
	       mean_of(r->finals[ANSWERED], (size_t)r->o->seeds),
	       mean_of(r->finals[PRECISION], (size_t)r->o->seeds));
	return 0;
}

static int replay(struct replay *r, struct error *e)
{
	int rc = each_line(r->o->conversations, add_chat, r, e);

	if (rc == 0 && r->n < LEAST_STEP)
		rc = error_set(e, ERR_BAD_VALUE, NULL, "%s: a replay takes %d conversations or more",
			       r->o->conversations, LEAST_STEP);
	if (rc == 0)
		rc = make_room(r, e);
	cmd_catch_stop();
	for (long s = 1; rc == 0 && s <= r->o->seeds; s++) {
		if (r->o->seeds > 1)
			fprintf(stderr, "seed %ld\n", s);
		rc = run_seed(r, s, e);
	}
	return rc < 0 ? rc : print_result(r, e);
}

static void release(struct replay *r)
{
	for (size_t i = 0; i < r->n; i++)
		json_decref(r->chats[i].line);
	free(r->chats);
	for (int m = 0; m < METRICS; m++) {
		free(r->points[m]);
		free(r->finals[m]);
		free(r->frozen[m]);
	}
	free(r->majority);
	free(r->order);
	free(r->learned);
	free(r->still);
}

static int run(int argc, char **argv)
{
	struct options o = { .seeds = 1, .target = .95 };
	struct replay r = { .o = &o };
	struct error e = { 0 };
	int operands;
	const struct option_spec options[] = {
		{ "--conversations", "FILE", OPTION_TEXT, &o.conversations,
		  "history as `readback import conversations` takes it" },
		{ "--documents", "FILE", OPTION_TEXT, &o.documents,
		  "the knowledge base, there from the beginning" },
		{ "--delay", "N", OPTION_INT, &o.delay,
		  "learn from a conversation N conversations later (default 0)" },
		{ "--seeds", "N", OPTION_INT, &o.seeds,
		  "N > 1: N shuffled orders, by seeds 1 to N, and their mean" },
		{ "--target-precision", "P", OPTION_NUMBER, &o.target,
		  "of answers, once fifty outcomes are known (default 0.95)" },
		{ "--svg", "FILE", OPTION_TEXT, &o.svg, "draw the learning curve there" },
		EMBEDDER_OPTIONS(o.embedder),
		{ "--json", NULL, OPTION_FLAG, &o.json, "print JSON" },
		{ 0 },
	};
	const struct usage u = {
		"replay", "",
		"Replays resolved conversations in the order of the file, in a temporary data folder: each is predicted\n"
		"from its opening, and only then learned from. The opening: where a bot spoke, all up to the first agent\n"
		"turn behind a customer's; where agents did, three customer turns, of those before a system turn.",
		options,
		"intent_accuracy    the first candidate is the final intent (resolution.intent)\n"
		"answered           share that the decision rule would answer; precision: of these, the intent was right\n"
		"case_hit@1         the first similar case had the same intent\n"
		"evidence_recall@k  share of evidence_used among the first k documents\n"
		"Points are over the last 100 conversations or so; `final` is over the last quarter. Baselines on that quarter:\n"
		"majority says the label that was most frequent so far; frozen learned from the first tenth only."
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	int rc;
	if (operands || !o.conversations || o.delay < 0 || o.seeds < 1 || !(o.target > 0 && o.target <= 1))
		rc = error_set(
			&e, ERR_USAGE, NULL,
			"give --conversations; --delay is 0 or more, --seeds 1 or more, --target-precision up to 1");
	else
		rc = replay(&r, &e);
	release(&r);
	return rc < 0 ? cmd_fail(&e) : EXIT_OK;
}

const struct command cmd_replay = { "replay", "replay resolved history: what learning buys, as a curve",
				    run };
