/* suite.c: the list of all tests, and what they share. */
#include "suite.h"

#include <math.h>
#include <stdio.h>

#include "base/strbuf.h"
#include "base/uuid.h"

/* --- running -------------------------------------------------------------------------------------------- */

static int set_up(void **state)
{
	const struct suite_engine *u = *state;
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	u->start(u->ctx, SUITE_DIM);
	f->under = u;
	f->a = arena_new(1 << 16);
	f->random = 20240607;
	f->g = u->open(u->ctx);
	*state = f;
	return f->g && f->a ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->step)
		print_error("it ended at step %zu of seed %llu (READBACK_SEED)\n", f->step,
			    (unsigned long long)f->seed);
	if (f->clean)
		f->clean(f->clean_arg);
	engine_close(f->g);
	arena_free(f->a);
	f->under->stop(f->under->ctx);
	free(f);
	return 0;
}

int suite_run(const struct suite_engine *u)
{
	const struct suite_test *const lists[] = {
		suite_commits, suite_records, suite_scans,   suite_search,
		suite_filters, suite_reopen,  suite_threads, suite_random
	};
	struct CMUnitTest tests[256];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (const struct suite_test *t = lists[i]; t->name; t++)
			tests[n++] = (struct CMUnitTest){ t->name, t->run, set_up, tear_down, (void *)u };
	return _cmocka_run_group_tests(u->name, tests, n, NULL, NULL);
}

void fixture_reopen(struct fixture *f)
{
	engine_close(f->g);
	f->g = f->under->open(f->under->ctx);
	assert_non_null(f->g);
}

/* --- chance and vectors ------------------------------------------------------------------------------------ */

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u; /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

size_t random_below(uint64_t *state, size_t n)
{
	return (size_t)(random_next(state) % n);
}

void vector_fill(uint64_t *random, float *v, size_t dim)
{
	double sum = 0;

	for (size_t i = 0; i < dim; i++) {
		v[i] = (float)((double)random_below(random, 2000001) / 1000000 - 1);
		sum += (double)v[i] * (double)v[i];
	}
	for (size_t i = 0; i < dim; i++)
		v[i] = (float)((double)v[i] / sqrt(sum));
}

const float *vector_random(struct fixture *f)
{
	float *v = arena_alloc(f->a, SUITE_DIM * sizeof(*v));

	vector_fill(&f->random, v, SUITE_DIM);
	return v;
}

const float *vector_near(struct fixture *f, float s)
{
	float *v = arena_alloc(f->a, SUITE_DIM * sizeof(*v));

	v[0] = s;
	v[1 + random_below(&f->random, SUITE_DIM - 1)] = (float)sqrt(1 - (double)s * (double)s);
	return v;
}

const float *vector_first(struct fixture *f)
{
	return vector_near(f, 1);
}

/* --- texts --------------------------------------------------------------------------------------------------- */

json_t *json_of(struct fixture *f, const char *text)
{
	json_error_t why;
	json_t *j = json_keep(f->a, json_loads(text, JSON_DECODE_ANY, &why));

	if (!j)
		fail_msg("%s: %s", text, why.text);
	return j;
}

struct text text_from(const char *s)
{
	return (struct text){ s, s ? strlen(s) : 0 };
}

char *text_long(struct fixture *f, size_t n)
{
	char *s = arena_alloc(f->a, n + 1);
	uint64_t random = 7;

	for (size_t i = 0; i < n; i++)
		s[i] = i % 8 == 7 ? ' ' : (char)('a' + random_below(&random, 26));
	return s;
}

const char *stream_name(struct arena *a, enum record_kind k, const char *id)
{
	return arena_printf(a, "%s/%s", record_schema(k)->name, id);
}

void assert_body(const json_t *body, const char *text)
{
	JSON_AUTO *want = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(want);
	if (json_equal(body, want))
		return;
	char *have = json_dumps(body, JSON_ENCODE_ANY | JSON_SORT_KEYS);
	print_error("%s is not %s\n", have ? have : "NULL", text);
	free(have);
	fail();
}

/* --- commits --------------------------------------------------------------------------------------------------- */

int commit_try(struct engine *g, struct event *ev, struct commit *out, struct error *e)
{
	char id[UUID_TEXT];
	const char *own = ev->id;
	int rc;

	uuid_v7(id);
	if (!own)
		ev->id = id;
	do
		rc = engine_commit(g, ev, out, e);
	while (rc == ERR_REMOTE);
	ev->id = own;
	return rc;
}

static void fill_in(struct event *ev)
{
	ev->kind = ev->kind ? ev->kind : "test.changed";
	ev->principal = ev->principal ? ev->principal : "key-1";
	ev->agent = ev->agent ? ev->agent : "agent-1";
}

struct commit commit_ok(struct fixture *f, struct event *ev)
{
	struct commit c = { 0 };

	fill_in(ev);
	int rc = commit_try(f->g, ev, &c, &f->e);
	if (rc < 0)
		fail_msg("%s: commit: %s: %s", ev->stream, error_kind(rc)->name, f->e.message);
	return c;
}

int commit_code(struct fixture *f, struct event *ev)
{
	struct commit c;

	fill_in(ev);
	return commit_try(f->g, ev, &c, &f->e);
}

struct commit put_record(struct fixture *f, enum record_kind k, const char *id, int64_t expect,
			 const char *body)
{
	struct change ch = { .kind = k, .id = id, .body = json_of(f, body) };
	struct event ev = { .stream = stream_name(f->a, k, id), .expect = expect, .changes = &ch, .n = 1 };

	return commit_ok(f, &ev);
}

struct commit delete_record(struct fixture *f, enum record_kind k, const char *id)
{
	struct change ch = { .kind = k, .id = id };
	struct event ev = {
		.stream = stream_name(f->a, k, id), .expect = ENGINE_ANY, .changes = &ch, .n = 1
	};

	return commit_ok(f, &ev);
}

/* --- documents --------------------------------------------------------------------------------------------------- */

static json_t *groups_of(struct arena *a, const char *groups)
{
	json_t *list = json_keep(a, json_array());

	while (groups && *groups) {
		size_t n = strcspn(groups, " ");
		json_array_append_new(list, json_stringn(groups, n));
		groups += n + strspn(groups + n, " ");
	}
	return groups ? list : NULL;
}

static void add_tag(struct index_tag *tags, size_t *n, const char *key, const json_t *value)
{
	struct index_tag t = { .key = key };

	if (json_is_array(value)) {
		for (size_t i = 0; i < json_array_size(value); i++)
			add_tag(tags, n, key, json_array_get(value, i));
		return;
	}
	if (json_is_string(value))
		t.value = (struct index_value){ VALUE_STRING,
						{ json_string_value(value), json_string_length(value) },
						0 };
	else if (json_is_boolean(value))
		t.value = (struct index_value){ .type = VALUE_BOOL, .number = json_is_true(value) };
	else
		t.value = (struct index_value){ .type = VALUE_NUMBER, .number = json_number_value(value) };
	tags[(*n)++] = t;
}

static void tags_of(struct arena *a, const char *text, struct entry *en)
{
	json_t *tags = json_keep(a, json_loads(text ? text : "{}", 0, NULL)), *value;
	struct index_tag *list = arena_alloc(a, 64 * sizeof(*list));
	const char *key;

	assert_non_null(tags);
	json_object_foreach(tags, key, value) {
		add_tag(list, &en->n_tags, key, value);
	}
	en->tags = list;
}

const struct change *doc_change(struct arena *a, const struct doc *d)
{
	struct entry_row *row = arena_alloc(a, sizeof(*row));
	struct entry *en = arena_alloc(a, sizeof(*en));
	struct change *ch = arena_alloc(a, sizeof(*ch));

	*row = (struct entry_row){ .field = ROW_WHOLE,
				   .vector = d->vector,
				   .end = d->text ? strlen(d->text) : 0 };
	*en = (struct entry){ .title = text_from(d->title),
			      .text = text_from(d->text),
			      .rows = d->rows ? d->rows : row,
			      .n_rows = d->rows ? d->n_rows : 1,
			      .acl = groups_of(a, d->groups),
			      .keep_rows = d->keep_rows };
	tags_of(a, d->tags, en);
	*ch = (struct change){ .kind = RECORD_DOCUMENT,
			       .id = d->id,
			       .body = json_keep(a, json_pack("{s:s}", "title", d->title ? d->title : "")),
			       .text = text_from(d->text),
			       .entry = en };
	return ch;
}

struct commit put_doc(struct fixture *f, struct doc d)
{
	struct event ev = { .stream = stream_name(f->a, RECORD_DOCUMENT, d.id),
			    .expect = ENGINE_ANY,
			    .changes = doc_change(f->a, &d),
			    .n = 1 };

	return commit_ok(f, &ev);
}

/* --- reads --------------------------------------------------------------------------------------------------------- */

struct record get_ok(struct fixture *f, enum record_kind k, const char *id)
{
	struct record r = { 0 };
	int rc = engine_get(f->g, k, id, f->a, &r, &f->e);

	if (rc < 0)
		fail_msg("%s %.60s: %s: %s", record_schema(k)->name, id, error_kind(rc)->name, f->e.message);
	assert_string_equal(r.id, id);
	assert_int_equal(r.kind, k);
	return r;
}

int is_there(struct fixture *f, enum record_kind k, const char *id)
{
	struct record r;
	int rc = engine_get(f->g, k, id, f->a, &r, &f->e);

	assert_true(rc == 0 || rc == ERR_NOT_FOUND);
	return rc == 0;
}

int64_t revision_of(struct fixture *f, const char *stream)
{
	int64_t r = -7;

	assert_int_equal(engine_revision(f->g, stream, &r, &f->e), 0);
	return r;
}

struct index_query query_all(struct fixture *f)
{
	return (struct index_query){
		.collection = COLLECTION_DOCUMENT, .vector = vector_first(f), .all_groups = 1, .k = 100
	};
}

void query_words(struct fixture *f, struct index_query *q, const char *words)
{
	long n = analyse_query(f->a, words, strlen(words), 64, &q->terms);

	assert_true(n >= 0);
	q->n_terms = (size_t)n;
	q->vector = NULL;
}

struct index_result search_ok(struct fixture *f, const struct index_query *q)
{
	struct index_result r = { 0 };
	int rc = engine_search(f->g, q, f->a, &r, &f->e);

	if (rc < 0)
		fail_msg("search: %s: %s", error_kind(rc)->name, f->e.message);
	return r;
}

static enum record_kind kind_of(enum collection c)
{
	for (int k = 0; k < RECORD_KINDS; k++)
		if (record_schema((enum record_kind)k)->collection == (int)c)
			return (enum record_kind)k;
	fail();
	return RECORD_KINDS;
}

const char *id_of_entry(struct fixture *f, enum record_kind k, uint64_t entry)
{
	struct record *r;

	assert_int_equal(engine_load(f->g, k, NULL, &entry, 1, f->a, &r, &f->e), 0);
	return r[0].id;
}

static int by_string(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *joined(struct arena *a, const char *const *ids, size_t n)
{
	STRBUF_AUTO b = STRBUF_INIT;

	for (size_t i = 0; i < n; i++) {
		strbuf_puts(&b, i ? " " : "");
		strbuf_puts(&b, ids[i]);
	}
	return arena_strdup(a, b.p ? b.p : "");
}

const char *found_ids(struct fixture *f, const struct index_query *q)
{
	struct index_result r = search_ok(f, q);
	const char **ids = arena_alloc(f->a, (r.n + 1) * sizeof(*ids));

	for (size_t i = 0; i < r.n; i++) {
		const char *id = id_of_entry(f, kind_of(q->collection), r.hits[i].entry);
		ids[i] = id ? id : "(dead)";
	}
	qsort(ids, r.n, sizeof(*ids), by_string);
	return joined(f->a, ids, r.n);
}

const struct index_hit *hit_of(struct fixture *f, const struct index_result *r, const char *id)
{
	for (size_t i = 0; i < r->n; i++) {
		const char *have = id_of_entry(f, RECORD_DOCUMENT, r->hits[i].entry);
		if (have && strcmp(have, id) == 0)
			return &r->hits[i];
	}
	fail_msg("%s is not among the hits", id);
	return NULL;
}

const char *scan_ids(struct fixture *f, const struct scan *s)
{
	struct record *r = NULL;
	size_t n = 0;
	int rc = engine_scan(f->g, s, f->a, &r, &n, &f->e);

	if (rc < 0)
		fail_msg("scan: %s: %s", error_kind(rc)->name, f->e.message);
	const char **ids = arena_alloc(f->a, (n + 1) * sizeof(*ids));
	for (size_t i = 0; i < n; i++)
		ids[i] = r[i].id;
	return joined(f->a, ids, n);
}
