/*
 * test_desk_on_memory.c: the desk relies on no more than engine.h says. Its
 * acts run on the memory engine with all weaknesses; what they leave behind
 * must be what they leave on one without any.
 */
#include "suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/crypto.h"
#include "desk/desk.h"
#include "embed/embed.h"
#include "ingest/ingest.h"
#include "memory_engine.h"

#define CREW 6

struct place {
	struct cluster *cluster;
	struct desk desk;
};

static void place_open(struct place *p, const struct memory_options *o)
{
	const struct embedder_options none = { .kind = "none" };
	struct error e = { 0 };

	*p = (struct place){ .cluster = cluster_new(o) };
	p->desk.engine = memory_engine_open(p->cluster);
	memset(p->desk.secret, 7, sizeof(p->desk.secret));
	assert_int_equal(embedder_open(&none, &p->desk.embedder, &e), 0);
}

static void place_close(struct place *p)
{
	engine_close(p->desk.engine);
	embedder_close(p->desk.embedder);
	cluster_free(p->cluster);
}

/* --- a client and the edge ---------------------------------------------------------------------------------- */

enum what { CONVERSATION, TURN, HANDOFF, READBACK, SIGNALS, RESOLUTION, RETURN, RULE };

struct request {
	enum what what;
	const char *id;   /* of the conversation or handoff */
	const char *body; /* with ' for " */
	const char *key;  /* Idempotency-Key */
	const char *agent;
};

static json_t *parse(struct arena *a, const char *text)
{
	char *s = arena_strdup(a, text);

	for (char *p = s; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	return json_keep(a, json_loads(s, 0, NULL));
}

static int act(struct desk *d, const struct call *c, const struct request *q, json_t **result)
{
	json_t *body = parse(c->arena, q->body);

	switch (q->what) {
	case CONVERSATION:
		return conversation_act(d, c, body, result);
	case TURN:
		return turn_act(d, c, q->id, body, result);
	case HANDOFF:
		return handoff_act(d, c, body, result);
	case READBACK:
		return readback_act(d, c, q->id, body, result);
	case SIGNALS:
		return signals_act(d, c, body, result);
	case RESOLUTION:
		return resolution_act(d, c, q->id, body, result);
	case RETURN:
		return return_act(d, c, q->id, body, result);
	case RULE:
		return rule_act(d, c, q->id, body, result);
	}
	return ERR_INTERNAL;
}

/* What was answered to this key before, as http/idempotency.c looks for it. */
static int recall(struct desk *d, const struct call *c, json_t **result)
{
	struct record kept;

	if (engine_get(d->engine, RECORD_REQUEST, c->request, c->arena, &kept, c->err) < 0)
		return 0;
	*result = json_incref(json_object_get(kept.body, "result"));
	return 1;
}

/*
 * A client that asks again, with the same key, until it knows the outcome:
 * an answer that was lost, or "busy, try again". Any thread.
 */
static int ask(struct desk *d, struct arena *a, const struct request *q, json_t **result, struct error *e)
{
	const struct rights rights = { .key = "key-1",
				       .agent = q->agent ? q->agent : "agent-1",
				       .scopes = SCOPE_ADMIN,
				       .all_groups = 1 };
	const struct call c = { .arena = a,
				.rights = &rights,
				.err = e,
				.request = q->key,
				.request_hash = q->key,
				.if_match = CALL_NO_MATCH };
	json_t *r = NULL;
	int rc;

	do
		rc = recall(d, &c, &r) ? 0 : act(d, &c, q, &r);
	while (rc == ERR_REMOTE || rc == ERR_CONFLICT);
	if (rc == 0)
		*result = json_keep(a, r);
	return rc;
}

/* Asked twice: the second answer is the first. */
static json_t *ask_ok(struct place *p, struct arena *a, struct request q)
{
	struct error e = { 0 };
	json_t *one = NULL, *two = NULL;
	int rc = ask(&p->desk, a, &q, &one, &e);

	if (rc < 0)
		fail_msg("%s: %s: %s (%s)", q.key, error_kind(rc)->name, e.message, e.param);
	assert_int_equal(ask(&p->desk, a, &q, &two, &e), 0);
	assert_true(json_equal(one, two));
	return one;
}

static const char *named(const json_t *result, const char *name)
{
	const char *s = json_string_value(json_object_get(result, name));

	assert_non_null(s);
	return s;
}

static struct engine_status status_of(struct place *p, struct arena *a)
{
	struct engine_status s = { 0 };
	struct error e;

	assert_int_equal(engine_status(p->desk.engine, a, &s, &e), 0);
	return s;
}

static json_t *body_of(struct place *p, struct arena *a, enum record_kind k, const char *id)
{
	struct record r = { 0 };
	struct error e;

	assert_int_equal(engine_get(p->desk.engine, k, id, a, &r, &e), 0);
	return r.body;
}

/* --- a story -------------------------------------------------------------------------------------------------- */

#define TALK                                                                            \
	"'customer':{'id':'cu-7','name':'Ana','verified':true},"                        \
	"'turns':[{'role':'customer','text':'Where is my refund for order VK-20418?'}," \
	"{'role':'bot','text':'Please check your bank account.'},"                      \
	"{'role':'customer','text':'I did. Can you send me the reference?'}]"

#define RESOLVED                                                                                                            \
	"{'outcome':'resolved','intent':'refund_status','text':'Sent the reference.','problem':'The reference of a refund " \
	"was missing.','steps':['looked up the refund','sent its reference']}"

static void put_document(struct place *p, const char *id, const char *text)
{
	struct fixture f = { .g = p->desk.engine, .a = arena_new(4096), .random = 1 };

	put_doc(&f, (struct doc){ .id = id, .title = "Refunds", .text = text });
	arena_free(f.a);
}

static void tell(struct place *p, struct arena *a, int n)
{
	const char *c = arena_printf(a, "c-%d", n);
	json_t *r;

	ask_ok(p, a,
	       (struct request){ CONVERSATION, NULL, arena_printf(a, "{'id':'%s'," TALK "}", c),
				 arena_printf(a, "create %d", n), NULL });
	ask_ok(p, a,
	       (struct request){ TURN, c, "{'role':'bot','text':'I hand you over.'}",
				 arena_printf(a, "turn %d", n), NULL });
	r = ask_ok(
		p, a,
		(struct request){ HANDOFF, NULL,
				  arena_printf(a, "{'conversation_id':'%s','trigger':'customer_request'}", c),
				  arena_printf(a, "hand off %d", n), NULL });
	const char *h = named(r, "handoff");
	ask_ok(p, a,
	       (struct request){ READBACK, h, "{'override':{'reason':'in a hurry'}}",
				 arena_printf(a, "read %d", n), NULL });
	ask_ok(p, a,
	       (struct request){
		       SIGNALS, NULL,
		       arena_printf(a,
				    "{'signals':[{'handoff_id':'%s','kind':'document','id':'help-1',"
				    "'signal':'opened'}]}",
				    h),
		       arena_printf(a, "signal %d", n), NULL });
	if (n % 3 == 2) {
		ask_ok(p, a,
		       (struct request){ RETURN, h, "{'instructions':'send the reference'}",
					 arena_printf(a, "return %d", n), NULL });
		return;
	}
	ask_ok(p, a, (struct request){ RESOLUTION, h, RESOLVED, arena_printf(a, "resolve %d", n), NULL });
	if (n % 3 == 1)
		ask_ok(p, a,
		       (struct request){
			       RESOLUTION, h,
			       "{'outcome':'resolved','intent':'refund_reference','text':'Sent it.'}",
			       arena_printf(a, "correct %d", n), "agent-qa" });
}

static void test_desk__acts_that_are_asked_for_again_are_done_once(void **state)
{
	const struct memory_options plain = { 0 };
	struct place good, bad;
	struct arena *a = arena_new(1 << 16);

	(void)state;
	place_open(&good, &plain);
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct memory_options weak = memory_weaknesses(0, seed);
		weak.lost = 300;
		place_open(&bad, &weak);
		for (int i = 0; i < 2; i++) {
			struct place *p = i ? &bad : &good;
			if (p == &good && seed > 1)
				continue;
			put_document(p, "help-1",
				     "A refund takes ten days. Its reference is in the account.");
			for (int n = 0; n < 6; n++)
				tell(p, a, n);
		}
		struct engine_status have = status_of(&bad, a), want = status_of(&good, a);
		for (int k = 0; k < RECORD_KINDS; k++)
			if (have.records[k] != want.records[k])
				fail_msg("seed %d: %d %ss in place of %d", (int)seed, (int)have.records[k],
					 record_schema((enum record_kind)k)->name, (int)want.records[k]);
		for (int c = 0; c < COLLECTIONS; c++)
			assert_int_equal(have.index.entries[c], want.index.entries[c]);
		assert_true(want.records[RECORD_CASE] == 4 && want.records[RECORD_HANDOFF] == 6);
		struct memory_shown s = cluster_shown(bad.cluster);
		assert_true(s.lost_applied > 0 && s.lost_unapplied > 0 && s.gradual > 0);
		place_close(&bad);
	}
	place_close(&good);
	arena_free(a);
}

/* --- many at once ------------------------------------------------------------------------------------------------ */

struct crew {
	struct place place;
	struct request request;
	int times;
	atomic_int ok, refused, done;
	int refusal;          /* the error that some may get */
	pthread_mutex_t lock; /* of wrong */
	char wrong[300];
};

struct worker {
	struct crew *crew;
	int n;
	pthread_t thread;
};

static void __attribute__((format(printf, 2, 3))) wrong(struct crew *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	pthread_mutex_lock(&c->lock);
	if (!c->wrong[0])
		vsnprintf(c->wrong, sizeof(c->wrong), fmt, args);
	pthread_mutex_unlock(&c->lock);
	va_end(args);
}

static void *ask_many(void *arg)
{
	struct worker *w = arg;
	struct crew *c = w->crew;

	for (int i = 0; i < c->times; i++) {
		struct arena *a = arena_new(1 << 14);
		struct request q = c->request;
		struct error e = { 0 };
		json_t *r;
		q.key = arena_printf(a, "worker %d, %d", w->n, i);
		q.agent = arena_printf(a, "agent-%d", w->n);
		int rc = ask(&c->place.desk, a, &q, &r, &e);
		if (rc == 0)
			atomic_fetch_add(&c->ok, 1);
		else if (rc == c->refusal)
			atomic_fetch_add(&c->refused, 1);
		else
			wrong(c, "%s: %s: %s", q.key, error_kind(rc)->name, e.message);
		arena_free(a);
	}
	atomic_fetch_add(&c->done, 1);
	return NULL;
}

/* Loads what others are changing: it must always fit together. */
static void *watch(void *arg)
{
	struct worker *w = arg;
	struct crew *c = w->crew;

	while (atomic_load(&c->done) < CREW) {
		struct arena *a = arena_new(1 << 14);
		struct error e = { 0 };
		const struct rights rights = {
			.key = "reader", .agent = "reader", .scopes = SCOPE_ADMIN, .all_groups = 1
		};
		const struct call call = {
			.arena = a, .rights = &rights, .err = &e, .if_match = CALL_NO_MATCH
		};
		json_t *out = NULL;
		json_t *named = json_keep(a, json_pack("{s:s}", "conversation", "c-0"));
		int rc = conversation_show(&c->place.desk, &call, named, &out);
		const json_t *turns = json_object_get(json_object_get(out, "conversation"), "turns");
		if (!json_is_array(turns))
			turns = json_object_get(out, "turns");
		if (rc < 0 || json_array_size(turns) < 3)
			wrong(c, "shown: %s, %zu turns", e.message, json_array_size(turns));
		for (size_t i = 0; i < json_array_size(turns); i++)
			if (json_integer_value(json_object_get(json_array_get(turns, i), "n")) !=
			    (json_int_t)i + 1)
				wrong(c, "a turn is missing before place %zu", i);
		json_decref(out);
		arena_free(a);
	}
	return NULL;
}

static void run_crew(struct crew *c)
{
	struct worker w[CREW + 2];

	pthread_mutex_init(&c->lock, NULL);
	for (int i = 0; i < CREW + 2; i++) {
		w[i] = (struct worker){ .crew = c, .n = i };
		assert_int_equal(pthread_create(&w[i].thread, NULL, i < CREW ? ask_many : watch, &w[i]), 0);
	}
	for (int i = 0; i < CREW + 2; i++)
		pthread_join(w[i].thread, NULL);
	pthread_mutex_destroy(&c->lock);
	if (c->wrong[0])
		fail_msg("%s", c->wrong);
}

static void crew_open(struct crew *c, struct arena *a, uint64_t seed)
{
	const struct memory_options weak = memory_weaknesses(0, seed);

	*c = (struct crew){ .times = 1 };
	place_open(&c->place, &weak);
	ask_ok(&c->place, a, (struct request){ CONVERSATION, NULL, "{'id':'c-0'," TALK "}", "create", NULL });
}

static void test_desk__turns_of_many_writers_are_all_there_once_and_numbered(void **state)
{
	struct arena *a = arena_new(1 << 16);
	struct crew c;

	(void)state;
	crew_open(&c, a, 11);
	c.times = 4;
	c.request = (struct request){ TURN, "c-0", "{'role':'bot','text':'One more.'}", NULL, NULL };
	run_crew(&c);
	assert_int_equal(c.ok, CREW * c.times);
	assert_int_equal(status_of(&c.place, a).records[RECORD_TURN], 3 + CREW * c.times);
	json_t *body = body_of(&c.place, a, RECORD_CONVERSATION, "c-0");
	assert_int_equal(json_integer_value(json_object_get(body, "turns")), 3 + CREW * c.times);
	for (uint32_t n = 1; n <= 3 + CREW * (uint32_t)c.times; n++)
		body_of(&c.place, a, RECORD_TURN, turn_id(a, "c-0", n));
	place_close(&c.place);
	arena_free(a);
}

static void test_desk__one_of_many_opens_the_handoff(void **state)
{
	struct arena *a = arena_new(1 << 16);
	struct crew c;

	(void)state;
	for (uint64_t seed = 21; seed < 26; seed++) {
		crew_open(&c, a, seed);
		c.refusal = ERR_HANDOFF_OPEN;
		c.request = (struct request){ HANDOFF, NULL, "{'conversation_id':'c-0','trigger':'policy'}",
					      NULL, NULL };
		run_crew(&c);
		assert_int_equal(c.ok, 1);
		assert_int_equal(c.refused, CREW - 1);
		struct engine_status s = status_of(&c.place, a);
		assert_int_equal(s.records[RECORD_HANDOFF], 1);
		assert_int_equal(s.records[RECORD_EVIDENCE], 1);
		json_t *body = body_of(&c.place, a, RECORD_CONVERSATION, "c-0");
		assert_int_equal(json_array_size(json_object_get(body, "handoffs")), 1);
		place_close(&c.place);
	}
	arena_free(a);
}

static void test_desk__resolutions_of_many_supersede_each_other_and_none_is_lost(void **state)
{
	struct arena *a = arena_new(1 << 16);
	struct crew c;

	(void)state;
	crew_open(&c, a, 31);
	json_t *r = ask_ok(&c.place, a,
			   (struct request){ HANDOFF, NULL, "{'conversation_id':'c-0','trigger':'policy'}",
					     "open", NULL });
	const char *h = arena_strdup(a, named(r, "handoff"));
	c.request = (struct request){ RESOLUTION, h, RESOLVED, NULL, NULL };
	run_crew(&c);
	assert_int_equal(c.ok, CREW);
	const json_t *body = body_of(&c.place, a, RECORD_HANDOFF, h),
		     *list = json_object_get(body, "resolutions");
	assert_int_equal(json_array_size(list), CREW);
	assert_string_equal(named(body, "state"), "resolved");
	for (size_t i = 0; i < CREW; i++) {
		const json_t *one = body_of(&c.place, a, RECORD_RESOLUTION,
					    json_string_value(json_array_get(list, i)));
		const char *before = json_string_value(json_object_get(one, "supersedes"));
		if (i == 0)
			assert_null(before);
		else
			assert_string_equal(before, json_string_value(json_array_get(list, i - 1)));
	}
	struct engine_status s = status_of(&c.place, a);
	assert_int_equal(s.records[RECORD_RESOLUTION], CREW);
	assert_int_equal(s.records[RECORD_CASE], 1);
	assert_int_equal(s.records[RECORD_VOTE], CREW * s.records[RECORD_EXAMPLE]);
	place_close(&c.place);
	arena_free(a);
}

/* --- rules ---------------------------------------------------------------------------------------------------------- */

static size_t finds(struct engine *g, struct arena *a, const char *query)
{
	struct search_request q = { .query = text_from(query), .no_vector = 1 };
	struct search_result r = { 0 };
	struct error e = { 0 };

	assert_int_equal(search_run(g, NULL, NULL, &q, a, &r, &e), 0);
	return r.n;
}

/* Each process keeps a ready set: the other's changes must show in it as soon as they are acknowledged. */
static void test_rules__of_one_process_hold_in_the_other_at_once(void **state)
{
	struct arena *a = arena_new(1 << 16);
	struct place p;

	(void)state;
	for (uint64_t seed = 41; seed < 44; seed++) {
		const struct memory_options weak = memory_weaknesses(0, seed);
		place_open(&p, &weak);
		struct engine *other = memory_engine_open(p.cluster);
		put_document(&p, "help-1", "A refund takes ten days.");
		for (int i = 0; i < 20; i++) {
			const char *word = arena_printf(a, "word%d", i);
			assert_int_equal(finds(other, a, word), 0);
			ask_ok(&p, a,
			       (struct request){
				       RULE, i % 2 ? "one" : arena_printf(a, "r%d", i),
				       arena_printf(a, "{'type':'synonym','from':'%s','to':['refunds']}",
						    word),
				       arena_printf(a, "put %d", i), NULL });
			assert_int_equal(finds(other, a, word), 1);
			assert_int_equal(finds(p.desk.engine, a, word), 1);
			assert_int_equal(finds(other, a, "word1"),
					 i == 1 || i == 2); /* then the rule is another */
		}
		assert_int_equal(status_of(&p, a).records[RECORD_RULE], 11);
		engine_close(other);
		place_close(&p);
	}
	arena_free(a);
}

static void test_rules__of_many_writers_are_made_once(void **state)
{
	struct arena *a = arena_new(1 << 16);
	struct crew c;

	(void)state;
	crew_open(&c, a, 51);
	c.times = 3;
	c.request = (struct request){ RULE, "r", "{'type':'synonyms','words':['sofa','couch']}", NULL, NULL };
	run_crew(&c);
	assert_int_equal(c.ok, CREW * c.times);
	assert_int_equal(status_of(&c.place, a).records[RECORD_RULE], 1);
	struct record r = { 0 };
	struct error e;
	assert_int_equal(engine_get(c.place.desk.engine, RECORD_RULE, "r", a, &r, &e), 0);
	assert_int_equal(r.revision, 1);
	place_close(&c.place);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_desk__acts_that_are_asked_for_again_are_done_once),
		cmocka_unit_test(test_desk__turns_of_many_writers_are_all_there_once_and_numbered),
		cmocka_unit_test(test_desk__one_of_many_opens_the_handoff),
		cmocka_unit_test(test_desk__resolutions_of_many_supersede_each_other_and_none_is_lost),
		cmocka_unit_test(test_rules__of_one_process_hold_in_the_other_at_once),
		cmocka_unit_test(test_rules__of_many_writers_are_made_once),
	};

	if (crypto_start() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
