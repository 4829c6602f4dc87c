/*
 * `readback eval intent`: examples to learn from, examples to be asked. The
 * first go in as imported examples, the others are asked as a first message
 * is; nothing is learned from them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/dice.h"
#include "base/grow.h"
#include "base/map.h"
#include "cmd_eval.h"
#include "cmd_scratch.h"
#include "datasets/measure.h"
#include "desk/query.h"
#include "embed/embed.h"
#include "learn/intent.h"
#include "learn/learner.h"

#define OUT_OF_SCOPE "oos"
#define REJECTED .05

struct options {
	const char *train, *test;
	struct embedder_options embedder;
	long shots, seed;
	int json;
};

struct row {
	char *text;
	int label; /* -1: out of scope */
};

struct rows {
	struct row *list;
	size_t n, cap;
};

struct eval {
	const struct options *o;
	struct scratch scratch;
	struct map *labels; /* label -> number + 1 */
	struct rows train, test, *reading;
	size_t left_out; /* rows to learn from that are labelled as out of scope */
	struct guess *guesses;
	double seconds, training_seconds;
};

static int number_of(struct eval *ev, const char *label, int make)
{
	uint64_t *n = make ? map_put(ev->labels, label, strlen(label), NULL)
			   : map_get(ev->labels, label, strlen(label));

	if (!n)
		return -1;
	if (!*n)
		*n = map_count(ev->labels);
	return (int)*n - 1;
}

static int add_row(void *arg, json_t *line, struct error *e)
{
	struct eval *ev = arg;
	struct rows *rows = ev->reading;
	const char *text = json_string_value(json_object_get(line, "text"));
	const char *label = json_string_value(json_object_get(line, "label"));

	if (!text || !label || !*text || !*label)
		return error_set(e, ERR_MISSING_FIELD, text && *text ? "label" : "text", "is required");
	int oos = strcmp(label, OUT_OF_SCOPE) == 0;
	if (oos && rows == &ev->train) {
		ev->left_out++;
		return 0;
	}
	int n = oos ? -1 : number_of(ev, label, 1);
	if ((!oos && n < 0) || GROW(rows->list, rows->n, rows->cap) < 0)
		return no_memory(e);
	rows->list[rows->n] = (struct row){ strdup(text), n };
	return rows->list[rows->n++].text ? 0 : no_memory(e);
}

/* Leaves `shots` rows a label, drawn by the seed; the rest go away. */
static int draw_shots(struct eval *ev, struct error *e)
{
	struct rows *t = &ev->train;
	struct dice dice = { (uint64_t)ev->o->seed };
	size_t *order = calloc(t->n + 1, sizeof(*order)), kept = 0;
	long *taken = calloc(map_count(ev->labels) + 1, sizeof(*taken));
	struct row *list = calloc(t->n + 1, sizeof(*list));
	int rc = 0;

	if (!order || !taken || !list) {
		rc = no_memory(e);
	} else {
		for (size_t i = 0; i < t->n; i++)
			order[i] = i;
		dice_shuffle(&dice, order, t->n);
		for (size_t i = 0; i < t->n; i++) {
			struct row *r = &t->list[order[i]];
			if (taken[r->label]++ < ev->o->shots)
				list[kept++] = *r;
			else
				free(r->text);
		}
		free(t->list);
		*t = (struct rows){ list, kept, t->n + 1 };
		list = NULL;
	}
	free(list);
	free(order);
	free(taken);
	return rc;
}

static const char *label_of(const struct eval *ev, int n)
{
	size_t i = 0, len;
	const char *key;
	uint64_t *value;

	while (map_each(ev->labels, &i, &key, &len, &value))
		if ((int)*value - 1 == n)
			return key;
	return "";
}

/* Too few to train from is no error: then the nearest examples have to do. */
static int train(struct eval *ev, struct error *e)
{
	int64_t started = clock_mono_us();
	int rc = learner_train(ev->scratch.place.desk.learner, 1, e);

	ev->training_seconds = (double)(clock_mono_us() - started) / 1e6;
	return rc < 0 ? rc : 0;
}

static int learn(struct eval *ev, struct error *e)
{
	struct importer_options o = { .what = IMPORT_EXAMPLES, .rights = &cli_rights, .stop = &cmd_stop };
	struct progress bar;
	struct importer *m;
	int64_t started = clock_mono_us();
	int rc = importer_open(&ev->scratch.place.desk, &o, &m, e);

	if (rc < 0)
		return rc;
	const char **names = calloc(map_count(ev->labels) + 1, sizeof(*names));
	for (size_t k = 0; names && k < map_count(ev->labels); k++)
		names[k] = label_of(ev, (int)k);
	progress_start(&bar, "learning");
	for (size_t i = 0; rc == 0 && names && i < ev->train.n; i++) {
		const struct row *r = &ev->train.list[i];
		JSON_AUTO *line = json_pack("{s:s, s:s}", "text", r->text, "label", names[r->label]);
		size_t n;
		char *s = line ? json_text(line, &n) : NULL;
		rc = s ? importer_add(m, ev->o->train, i + 1, s, n, e) : no_memory(e);
		free(s);
		progress_show(&bar, (int64_t)i + 1, (int64_t)ev->train.n);
	}
	if (rc == 0)
		rc = names ? importer_flush(m, e) : no_memory(e);
	progress_end(&bar, (int64_t)ev->train.n);
	free(names);
	importer_close(m);
	ev->seconds = (double)(clock_mono_us() - started) / 1e6;
	if (rc == 0)
		rc = scratch_settle(&ev->scratch, e);
	return rc < 0 ? rc : train(ev, e);
}

static int ask(struct eval *ev, const struct row *r, struct guess *out, struct error *e)
{
	struct desk *d = &ev->scratch.place.desk;
	struct arena *a = arena_new(64 << 10);
	struct desk_query q;
	struct intent in;
	int rc = a ? query_of_text(d, a, text_of(r->text), &q, e) : no_memory(e);

	if (rc == 0)
		rc = query_require_vector(&q, e);
	if (rc == 0) {
		struct learned learned;
		learner_take(d->learner, &learned);
		struct intent_query iq = { .vector = q.vector,
					   .terms = q.terms,
					   .n_terms = q.n_terms,
					   .text = q.said,
					   .model = learned.intent };
		rc = intent_predict(d->engine, &iq, NULL, a, &in, e);
		learner_give(d->learner, &learned);
	}
	if (rc == 0) {
		*out = (struct guess){ .truth = r->label,
				       .predicted = -1,
				       .out_of_scope = in.n ? in.out_of_scope : 1 };
		if (in.n) {
			out->predicted = number_of(ev, in.candidates[0].label, 0);
			out->confidence = in.candidates[0].confidence;
		}
	}
	arena_free(a);
	return rc;
}

static int ask_all(struct eval *ev, struct error *e)
{
	struct progress bar;
	int rc = 0;

	ev->guesses = calloc(ev->test.n + 1, sizeof(*ev->guesses));
	if (!ev->guesses)
		return no_memory(e);
	progress_start(&bar, "asking");
	for (size_t i = 0; rc == 0 && i < ev->test.n; i++) {
		rc = cmd_stop ? error_set(e, ERR_INTERRUPTED, NULL, "interrupted")
			      : ask(ev, &ev->test.list[i], &ev->guesses[i], e);
		progress_show(&bar, (int64_t)i + 1, (int64_t)ev->test.n);
	}
	progress_end(&bar, (int64_t)ev->test.n);
	return rc;
}

static void print_result(const struct eval *ev)
{
	const struct guess *g = ev->guesses;
	size_t n = ev->test.n, oos = 0;

	for (size_t i = 0; i < n; i++)
		oos += g[i].truth < 0;
	JSON_AUTO *facts = learner_facts(ev->scratch.place.desk.learner);
	JSON_AUTO *j = json_pack("{s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:f, s:s, s:f, s:O}", "accuracy",
				 guess_accuracy(g, n), "macro_f1",
				 guess_macro_f1(g, n, map_count(ev->labels)), "ece", guess_ece(g, n),
				 "examples", (json_int_t)ev->train.n, "tests", (json_int_t)n, "oos_tests",
				 (json_int_t)oos, "left_out", (json_int_t)ev->left_out, "examples_per_s",
				 ev->seconds > 0 ? (double)ev->train.n / ev->seconds : 0, "embedder",
				 embedder_info(ev->scratch.place.embedder)->id, "training_s",
				 ev->training_seconds, "model", json_object_get(facts, "intent"));
	if (oos && oos < n) {
		json_object_set_new(j, "oos_auroc", json_real(guess_auroc(g, n)));
		json_object_set_new(j, "oos_recall@5", json_real(guess_oos_recall(g, n, REJECTED)));
	}
	if (ev->o->json) {
		json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
		putchar('\n');
		return;
	}
	static const char *const shown[] = { "accuracy", "macro_f1", "ece", "oos_auroc", "oos_recall@5" };
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (json_object_get(j, shown[i]))
			printf("%-14s %.4f\n", shown[i], json_number_value(json_object_get(j, shown[i])));
	printf("%zu examples, %zu tests (%zu out of scope)\n", ev->train.n, n, oos);
}

static int evaluate(struct eval *ev, struct error *e)
{
	const struct workplace_options place = { .embedder = ev->o->embedder };
	int rc;

	if (!(ev->labels = map_new()))
		return no_memory(e);
	ev->reading = &ev->train;
	if ((rc = each_line(ev->o->train, add_row, ev, e)) < 0)
		return rc;
	ev->reading = &ev->test;
	if ((rc = each_line(ev->o->test, add_row, ev, e)) < 0)
		return rc;
	if (ev->train.n == 0 || ev->test.n == 0)
		return error_set(e, ERR_BAD_VALUE, NULL, "%s: no example",
				 ev->train.n ? ev->o->test : ev->o->train);
	if (ev->o->shots > 0 && (rc = draw_shots(ev, e)) < 0)
		return rc;
	if ((rc = scratch_open(NULL, &place, &ev->scratch, e)) < 0)
		return rc;
	cmd_catch_stop();
	if ((rc = learn(ev, e)) == 0 && (rc = ask_all(ev, e)) == 0)
		print_result(ev);
	scratch_close(&ev->scratch);
	return rc;
}

static void release_rows(struct rows *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->list[i].text);
	free(r->list);
}

int eval_intent(int argc, char **argv)
{
	struct options o = { 0 };
	struct eval ev = { .o = &o };
	struct error e = { 0 };
	int operands;
	const struct option_spec options[] = {
		{ "--train", "FILE", OPTION_TEXT, &o.train,
		  "examples to learn: {\"text\",\"label\"} a line" },
		{ "--test", "FILE", OPTION_TEXT, &o.test, "examples to ask; label \"oos\" is out of scope" },
		{ "--shots", "N", OPTION_INT, &o.shots, "learn only N a label, drawn by the seed" },
		{ "--seed", "S", OPTION_INT, &o.seed, "of the draw (default 0)" },
		EMBEDDER_OPTIONS(o.embedder),
		{ "--json", NULL, OPTION_FLAG, &o.json, "print JSON" },
		{ 0 },
	};
	const struct usage u = {
		"eval intent", "", "Learns intents from examples and measures them on others.", options,
		"accuracy, macro_f1 and ece (15 bins) are of rows in scope; oos_auroc ranks rows out of scope above those\n"
		"in scope; oos_recall@5 is the share of them found when 5 % of those in scope are rejected.\n"
		"Rows of --train labelled \"oos\" are left out."
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	int rc = operands || !o.train || !o.test || o.shots < 0
			 ? error_set(&e, ERR_USAGE, NULL, "give --train and --test, and --shots of 1 or more")
			 : evaluate(&ev, &e);
	release_rows(&ev.train);
	release_rows(&ev.test);
	map_free(ev.labels);
	free(ev.guesses);
	return rc < 0 ? cmd_fail(&e) : EXIT_OK;
}
