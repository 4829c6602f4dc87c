/*
 * `readback replay`: a resolved history, conversation by conversation: predict
 * on how it opened, then learn how it ended. What learning bought is the
 * difference to the same history with learning stopped after the first tenth,
 * after the history, or where the caller says.
 */
#include "cmd_replay.h"

#include <stdlib.h>
#include <string.h>

#include "desk/conversation.h"

static int run_seed(struct replay *r, long seed, struct error *e)
{
	struct pass p = { .documents = r->o->documents,
			  .embedder = r->embedder,
			  .target = r->o->target,
			  .chats = r->chats,
			  .order = r->order,
			  .n = r->n,
			  .delay = (size_t)r->o->delay,
			  .learned = r->learn_to,
			  .skip = r->first,
			  .words = r->final_from,
			  .turns = r->o->turns ? (size_t)r->o->turns : SIZE_MAX,
			  .train = r->o->train_once ? r->first : 0,
			  .what = "replay" };
	struct pass still = p;
	size_t bad;

	int rc = replay_set_order(r, seed, e);
	if (rc == 0)
		rc = replay_pass(&p, r->learned, &r->bad, e);
	still.learned = r->frozen_at;
	/* Until then both have learned the same; the history is not predicted. */
	size_t differ = r->frozen_at + p.delay + 1 > r->first ? r->frozen_at + p.delay + 1 : r->first;
	still.skip = differ < r->n ? differ : r->n;
	still.words = r->n;
	still.what = "replay without learning";
	if (rc == 0)
		rc = replay_pass(&still, r->still, &bad, e);
	if (rc < 0)
		return rc;
	memcpy(r->still, r->learned, still.skip * sizeof(*r->still));
	replay_take(r, seed);
	return 0;
}

/* Many passes go through the same texts. */
static int open_embedder(struct replay *r, struct error *e)
{
	int rc = embedder_open(&r->o->embedder, &r->model, e);

	if (rc == 0)
		rc = cached_open(r->model, &r->embedder, e);
	if (rc == 0 && embedder_info(r->model)->dim == 0 && !r->o->embedder.kind)
		fputs("readback: no model found, so words alone are used (make model fetches it)\n", stderr);
	if (rc == 0 && r->o->vectors)
		rc = cached_read(r->embedder, r->o->vectors, e);
	return rc;
}

static int keep_vectors(struct replay *r, struct error *e)
{
	if (embedder_info(r->embedder)->dim == 0)
		return 0;
	int rc = cached_hash(r->embedder, r->vectors, e);
	return rc == 0 && r->o->vectors ? cached_write(r->embedder, r->o->vectors, e) : rc;
}

static int replay(struct replay *r, struct error *e)
{
	int rc = replay_read(r, e);

	if (rc == 0)
		rc = replay_make_room(r, e);
	if (rc == 0)
		rc = open_embedder(r, e);
	cmd_catch_stop();
	for (long s = 1; rc == 0 && s <= r->o->seeds; s++) {
		if (r->o->seeds > 1)
			fprintf(stderr, "seed %ld\n", s);
		rc = run_seed(r, s, e);
	}
	if (rc == 0)
		rc = replay_set_intervals(r, e);
	if (rc == 0)
		rc = keep_vectors(r, e);
	return rc < 0 ? rc : replay_show(r, e);
}

static void release_evidence(struct evidence *x)
{
	free(x->n);
	for (int p = 0; p < PAIRED_EVIDENCE; p++) {
		free(x->values[p]);
		free(x->against[p]);
	}
}

static void release(struct replay *r)
{
	embedder_close(r->embedder);
	embedder_close(r->model);
	for (size_t i = 0; i < r->n_rows; i++)
		json_decref(r->chats[i].line);
	free(r->chats);
	for (int m = 0; m < METRICS; m++) {
		free(r->points[m]);
		free(r->finals[m]);
		free(r->frozen[m]);
	}
	for (int p = 0; p < PAIRED; p++)
		free(r->against[p]);
	for (int w = 0; w < METS; w++)
		release_evidence(&r->evidence[w]);
	map_free(r->numbers);
	free(r->names);
	free(r->labels);
	free(r->told);
	free(r->outside);
	free(r->windows);
	free(r->wrong);
	free(r->late);
	free(r->majority);
	free(r->words_right);
	free(r->words_evidence1);
	free(r->order);
	free(r->learned);
	free(r->still);
}

static int check(const struct replay_options *o, struct error *e)
{
	if (!o->conversations == !o->examples)
		return error_set(e, ERR_USAGE, NULL, "give --conversations or --examples");
	if (o->delay < 0 || o->history < 0 || o->seeds < 1)
		return error_set(e, ERR_USAGE, NULL,
				 "--delay and --history are 0 or more, --seeds 1 or more");
	if (o->turns < 0)
		return error_set(e, ERR_USAGE, NULL, "--turns is 0 or more");
	if ((o->learn != REPLAY_NOT_GIVEN && o->learn < 0) ||
	    (o->frozen_after != REPLAY_NOT_GIVEN && o->frozen_after < 0))
		return error_set(e, ERR_USAGE, NULL, "--learn and --frozen-after are 0 or more");
	if (!(o->target > 0 && o->target <= 1) || !(o->wrong >= 0 && o->wrong <= 1))
		return error_set(e, ERR_USAGE, NULL,
				 "--target-precision is above 0 and up to 1, --wrong from 0 to 1");
	if (!(o->out_of_scope_share >= 0 && o->out_of_scope_share < 1))
		return error_set(e, ERR_USAGE, NULL, "--out-of-scope-share is from 0 to below 1");
	return 0;
}

static const char more[] =
	"intent_accuracy    the first candidate is the final intent (resolution.intent)\n"
	"answered           share that the decision rule would answer; precision: of these, the intent was right\n"
	"deflected          share that would be answered, and right\n"
	"case_hit@1         the first similar case had the same intent\n"
	"evidence_recall@k  share of evidence_used among the first k documents; evidence_ndcg@10: nDCG of ten\n"
	"Points are over the last 100 conversations or so; `final` is over the last quarter. Baselines on that quarter:\n"
	"majority says the label that was most frequent so far; frozen learned from the first tenth only;\n"
	"bm25_top1 looks by words alone, at that moment: the first document, and the intent of the first case.\n"
	"With --history both are over all that follows, and frozen learned from the history only;\n"
	"with --frozen-after 0 it learned nothing at all.\n"
	"`interval` is of `final`, 95 %: by bootstrap of one seed's conversations, or by the deviation of several seeds.\n"
	"against_frozen is the difference to frozen, conversation by conversation.\n"
	"final.evidence tells it apart for conversations that used documents which earlier ones used (seen), and others.\n"
	"Examples labelled \"oos\" are left out; in --out-of-scope, those labelled otherwise.\n"
	"With --wrong the right label is what counts: only what is learned is wrong.";

static int run(int argc, char **argv)
{
	struct replay_options o = { .seeds = 1,
				    .turns = OPENING_TURNS,
				    .target = .95,
				    .out_of_scope_share = .1,
				    .learn = REPLAY_NOT_GIVEN,
				    .frozen_after = REPLAY_NOT_GIVEN };
	struct replay r = { .o = &o };
	struct error e = { 0 };
	int operands;
	const struct option_spec options[] = {
		{ "--conversations", "FILE", OPTION_TEXT, &o.conversations,
		  "history as `readback import conversations` takes it" },
		{ "--examples", "FILE", OPTION_TEXT, &o.examples,
		  "in their place {\"text\",\"label\"} a line: each as a resolved conversation of one turn" },
		{ "--documents", "FILE", OPTION_TEXT, &o.documents,
		  "the knowledge base, there from the beginning" },
		{ "--history", "N", OPTION_INT, &o.history,
		  "only learn from the first N; then `final` is over all the rest (default 0)" },
		{ "--learn", "N", OPTION_INT, &o.learn, "learn from the first N only (default: all)" },
		{ "--train-once", NULL, OPTION_FLAG, &o.train_once,
		  "train behind the history, and not again and again on the way through it: quicker" },
		{ "--frozen-after", "N", OPTION_INT, &o.frozen_after,
		  "the frozen baseline learns from the first N only (default: the history, else the first tenth)" },
		{ "--turns", "N", OPTION_INT, &o.turns,
		  "predict on the customer's first N turns before an agent acted, 0: all of these (default 3)" },
		{ "--delay", "N", OPTION_INT, &o.delay,
		  "learn from a conversation N conversations later (default 0)" },
		{ "--seeds", "N", OPTION_INT, &o.seeds,
		  "N > 1: N shuffled orders, by seeds 1 to N, and their mean" },
		{ "--wrong", "P", OPTION_NUMBER, &o.wrong,
		  "share of labels that are learned wrong (default 0)" },
		{ "--drift", NULL, OPTION_FLAG, &o.drift,
		  "a third of the labels, by the seed, comes in the second half only" },
		{ "--out-of-scope", "FILE", OPTION_TEXT, &o.out_of_scope,
		  "texts to mix in: {\"text\"} a line; asked and never learned from" },
		{ "--out-of-scope-share", "P", OPTION_NUMBER, &o.out_of_scope_share,
		  "of the stream behind the history, as far as they last (default 0.1)" },
		{ "--target-precision", "P", OPTION_NUMBER, &o.target,
		  "of answers, once fifty outcomes are known (default 0.95)" },
		{ "--vectors", "FILE", OPTION_TEXT, &o.vectors,
		  "vectors of all texts: those that are there are not computed again, new ones are added" },
		{ "--svg", "FILE", OPTION_TEXT, &o.svg, "draw the learning curve there" },
		EMBEDDER_OPTIONS(o.embedder),
		{ "--json", NULL, OPTION_FLAG, &o.json, "print JSON" },
		{ 0 },
	};
	const struct usage u = {
		"replay",
		"",
		"Replays resolved conversations in the order of the file, in a temporary data folder: each is predicted\n"
		"from its opening, and only then learned from. The opening: where a bot spoke, all up to the first agent\n"
		"turn behind a customer's; where agents did, three customer turns, of those before a system turn.",
		options,
		more,
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	int rc = operands ? error_set(&e, ERR_USAGE, NULL, "replay takes options alone") : check(&o, &e);
	if (rc == 0)
		rc = replay(&r, &e);
	release(&r);
	return rc < 0 ? cmd_fail(&e) : EXIT_OK;
}

const struct command cmd_replay = { "replay", "replay resolved history: what learning buys, as a curve",
				    run };
