#include <math.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "cmd_replay.h"
#include "datasets/curve.h"
#include "datasets/measure.h"

static json_t *number(double v)
{
	return isnan(v) ? json_null() : json_real(v);
}

static json_t *means_json(double *const values[METRICS], size_t n)
{
	json_t *j = json_object();

	for (int m = 0; m < METRICS; m++)
		json_object_set_new(j, replay_metrics[m], number(mean_of(values[m], n)));
	return j;
}

/* What the seed has chosen. */
static void add_choices(const struct replay *r, size_t seed, json_t *j)
{
	const unsigned char *late = r->late + seed * r->stream.n_labels;

	if (r->o->wrong > 0)
		json_object_set_new(j, "wrong_labels", json_integer((json_int_t)r->wrong[seed]));
	if (!r->o->drift)
		return;
	json_t *names = json_array();
	for (size_t k = 0; k < r->stream.n_labels; k++)
		if (late[k])
			json_array_append_new(names, json_string(r->names[k]));
	json_object_set_new(j, "late_labels", names);
}

/* Means over the seeds. */
static json_t *outside_json(const struct replay *r)
{
	double seeds = (double)r->o->seeds, n = 0, answered = 0, precision = 0;

	for (long s = 0; s < r->o->seeds; s++) {
		n += (double)r->outside[s].n / seeds;
		answered += r->outside[s].answered / seeds;
		precision += r->outside[s].precision / seeds;
	}
	return json_pack("{s:f, s:f, s:o, s:o}", "n", n, "share",
			 (double)r->stream.mixed / (double)(r->n - r->first), "answered", number(answered),
			 "precision", number(precision));
}

static json_t *windows_json(const struct replay *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < (size_t)r->o->seeds * r->n_windows; i++) {
		const struct answers *w = &r->windows[i];
		json_int_t seed = (json_int_t)(i / r->n_windows);
		size_t from = r->first + i % r->n_windows * REPLAY_WINDOW;
		size_t to = from + REPLAY_WINDOW < r->n ? from + REPLAY_WINDOW : r->n;
		double precision = w->n ? (double)w->right / (double)w->n : NAN;
		json_array_append_new(list, json_pack("{s:I, s:I, s:I, s:I, s:o}", "seed", seed + 1, "from",
						      (json_int_t)from, "to", (json_int_t)to, "answered",
						      (json_int_t)w->n, "precision", number(precision)));
	}
	return list;
}

static json_t *stream_json(const struct replay *r)
{
	return json_pack("{s:f, s:b, s:b}", "wrong", r->o->wrong, "drift", r->o->drift, "shuffled",
			 r->stream.shuffle);
}

static json_t *seeds_json(const struct replay *r)
{
	json_t *list = json_array();

	for (long s = 0; s < r->o->seeds; s++) {
		json_t *j = json_pack("{s:I}", "seed", (json_int_t)s + 1);
		for (int m = 0; m < METRICS; m++)
			json_object_set_new(j, replay_metrics[m], number(r->finals[m][s]));
		add_choices(r, (size_t)s, j);
		json_array_append_new(list, j);
	}
	return list;
}

static json_t *difference_json(struct difference d)
{
	return json_pack("{s:o, s:o}", "difference", number(d.mean), "standard_error", number(d.error));
}

static json_t *against_json(const struct replay *r, size_t i)
{
	json_t *j = json_object();

	for (int p = 0; p < PAIRED; p++) {
		json_object_set_new(j, replay_metrics[replay_paired[p]],
				    difference_json(replay_against_frozen(r, p, i)));
	}
	return j;
}

static json_t *met_json(const struct replay *r, enum met which)
{
	static const char *const names[PAIRED_EVIDENCE] = { "recall@1", "recall@5", "ndcg@10" };
	const struct evidence *x = &r->evidence[which];
	size_t seeds = (size_t)r->o->seeds;
	json_t *j = json_pack("{s:f}", "n", mean_of(x->n, seeds)), *against = json_object();

	for (int p = 0; p < PAIRED_EVIDENCE; p++) {
		json_object_set_new(j, names[p], number(mean_of(x->values[p], seeds)));
		json_object_set_new(against, names[p],
				    difference_json(replay_evidence_against_frozen(r, which, p)));
	}
	json_object_set_new(j, "against_frozen", against);
	return j;
}

static json_t *evidence_json(const struct replay *r)
{
	return json_pack("{s:o, s:o, s:f}", "seen", met_json(r, MET_SEEN), "unseen", met_json(r, MET_UNSEEN),
			 "mixed", mean_of(r->evidence[MET_MIXED].n, (size_t)r->o->seeds));
}

static json_t *points_json(const struct replay *r)
{
	json_t *points = json_array();

	for (size_t i = 0; i < r->n_points; i++) {
		size_t from, to;
		replay_window(r, i, &from, &to);
		json_t *j = json_pack("{s:I}", "cases", (json_int_t)to);
		for (int m = 0; m < METRICS; m++)
			json_object_set_new(j, replay_metrics[m], number(r->points[m][i]));
		json_object_set_new(j, "against_frozen", against_json(r, i));
		json_array_append_new(points, j);
	}
	return points;
}

static json_t *final_json(const struct replay *r)
{
	json_t *final = means_json(r->finals, (size_t)r->o->seeds), *interval = json_object();

	for (int m = 0; m < METRICS; m++)
		json_object_set_new(interval, replay_metrics[m],
				    isnan(r->interval[m][0])
					    ? json_null()
					    : json_pack("[f, f]", r->interval[m][0], r->interval[m][1]));
	json_object_set_new(final, "interval", interval);
	json_object_set_new(final, "against_frozen", against_json(r, r->n_points));
	json_object_set_new(final, "evidence", evidence_json(r));
	json_object_set_new(final, "from", json_integer((json_int_t)r->final_from));
	json_object_set_new(final, "cases", json_integer((json_int_t)r->n));
	return final;
}

static json_t *baselines_json(const struct replay *r)
{
	size_t seeds = (size_t)r->o->seeds;

	return json_pack("{s:{s:o}, s:o, s:{s:o, s:o}}", "majority", "intent_accuracy",
			 number(mean_of(r->majority, seeds)), "frozen", means_json(r->frozen, seeds),
			 "bm25_top1", "intent_accuracy", number(mean_of(r->words_right, seeds)),
			 "evidence_recall@1", number(mean_of(r->words_evidence1, seeds)));
}

static json_t *result_json(const struct replay *r)
{
	size_t seeds = (size_t)r->o->seeds;
	json_t *j = json_pack("{s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:f, s:I, s:I, s:o, s:o, s:o, s:s?}",
			      "points", points_json(r), "final", final_json(r), "baselines",
			      baselines_json(r), "conversations", (json_int_t)r->n, "history",
			      (json_int_t)r->first, "skipped", (json_int_t)r->bad, "delay",
			      (json_int_t)r->o->delay, "target_precision", r->o->target, "learned_from",
			      (json_int_t)r->learn_to, "frozen_after", (json_int_t)r->frozen_at, "stream",
			      stream_json(r), "seeds", seeds_json(r), "precision_windows", windows_json(r),
			      "vectors", r->vectors[0] ? r->vectors : NULL);

	if (r->o->examples)
		json_object_set_new(j, "left_out", json_integer((json_int_t)r->left_out));
	if (r->o->out_of_scope)
		json_object_set_new(j, "out_of_scope", outside_json(r));
	if (seeds > 1) {
		json_t *deviation = json_object();
		for (int m = 0; m < METRICS; m++)
			json_object_set_new(deviation, replay_metrics[m],
					    number(deviation_of(r->finals[m], seeds)));
		json_object_set_new(j, "final_deviation", deviation);
	}
	return j;
}

/* --- for people -------------------------------------------------------------------------------------- */

/* Of examples, say, no evidence is known: a curve without a value is left out. */
static int has_value(const double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isfinite(v[i]))
			return 1;
	return 0;
}

static int draw(const struct replay *r, int svg, struct strbuf *out)
{
	char dashed[64];
	struct curve curves[METRICS];
	size_t n = 0;
	double *x = calloc(r->n_points + 1, sizeof(*x));

	if (!x)
		return -1;
	for (size_t i = 0; i < r->n_points; i++) {
		size_t from, to;
		replay_window(r, i, &from, &to);
		x[i] = (double)to;
	}
	for (int m = 0; m < METRICS; m++)
		if (has_value(r->points[m], r->n_points))
			curves[n++] = (struct curve){ replay_metrics[m], r->points[m],
						      mean_of(r->frozen[m], (size_t)r->o->seeds) };
	if (r->o->frozen_after != REPLAY_NOT_GIVEN)
		snprintf(dashed, sizeof(dashed), "dashed: learned from the first %zu only", r->frozen_at);
	else
		snprintf(dashed, sizeof(dashed), "dashed: nothing learned after %s",
			 r->first ? "the history" : "10 %");
	struct curve_plot plot = { .title = "What was predicted before it was known",
				   .x_name = "resolved conversations",
				   .x = x,
				   .n = r->n_points,
				   .curves = curves,
				   .n_curves = n,
				   .dashed = dashed };
	if (svg)
		curve_svg(&plot, out);
	else
		curve_text(&plot, out);
	free(x);
	return out->failed ? -1 : 0;
}

static void print_met(const struct replay *r, enum met which, const char *name)
{
	const struct evidence *x = &r->evidence[which];
	struct difference d = replay_evidence_against_frozen(r, which, PAIRED_NDCG10);
	size_t seeds = (size_t)r->o->seeds;
	double ndcg10 = mean_of(x->values[PAIRED_NDCG10], seeds);

	if (!isnan(d.error))
		printf("%s documents (%.0f): evidence_ndcg@10 %.3f, %+.3f ± %.3f against frozen\n", name,
		       mean_of(x->n, seeds), ndcg10, d.mean, d.error);
}

int replay_show(const struct replay *r, struct error *e)
{
	STRBUF_AUTO picture = STRBUF_INIT, text = STRBUF_INIT;
	size_t seeds = (size_t)r->o->seeds;

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
	       seeds > 1 ? ", mean over the seeds" : "", text.p ? text.p : "");
	const double *within = r->interval[ACCURACY];
	double answered = mean_of(r->finals[ANSWERED], seeds);
	printf("%s: intent_accuracy %.3f, 95 %% %.3f to %.3f (always the most frequent: %.3f), ",
	       r->first ? "after the history" : "last quarter", mean_of(r->finals[ACCURACY], seeds),
	       within[0], within[1], mean_of(r->majority, seeds));
	if (answered > 0)
		printf("answered %.3f at precision %.3f\n", answered, mean_of(r->finals[PRECISION], seeds));
	else
		printf("nothing was sure enough to be answered\n");
	print_met(r, MET_SEEN, "seen");
	print_met(r, MET_UNSEEN, "unseen");
	return 0;
}
