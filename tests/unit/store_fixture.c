#include "store_fixture.h"

#include <ftw.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int store_set_up_closed(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct store_fixture *f;

	if (crypto_start() < 0 || !(f = calloc(1, sizeof(*f))))
		return -1;
	*state = f; /* cmocka gives it to the tear-down also after a failure */
	snprintf(f->base, sizeof(f->base), "%s/readback-store-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(f->base))
		return -1;
	snprintf(f->folder, sizeof(f->folder), "%s/tenant", f->base);
	snprintf(f->database, sizeof(f->database), "%s/readback.db", f->folder);
	f->embedder = (struct embedder_info){ "test", STORE_DIM, "sha256:1", "float32", 256 };
	f->options = (struct embedded_options){ .folder = f->folder,
						.embedder = &f->embedder,
						.no_background = 1 };
	f->a = arena_new(65536);
	return f->a ? 0 : -1;
}

int store_set_up(void **state)
{
	int rc = store_set_up_closed(state);

	if (rc == 0)
		store_open(*state);
	return rc;
}

int store_tear_down(void **state)
{
	struct store_fixture *f = *state;

	store_close(f);
	arena_free(f->a);
	remove_tree(f->base);
	free(f);
	return 0;
}

void store_open(struct store_fixture *f)
{
	if (embedded_open(&f->options, &f->g, &f->e) < 0)
		fail_msg("open: %s", f->e.message);
}

void store_close(struct store_fixture *f)
{
	engine_close(f->g);
	f->g = NULL;
}

void store_reopen(struct store_fixture *f)
{
	store_close(f);
	store_open(f);
}

int store_open_fails(struct store_fixture *f)
{
	struct engine *g = NULL;
	int rc = embedded_open(&f->options, &g, &f->e);

	assert_null(g);
	assert_true(rc < 0);
	assert_int_equal(f->e.code, rc);
	assert_true(f->e.message[0]);
	return rc;
}

size_t store_verify(struct store_fixture *f)
{
	size_t differences = 999;

	if (embedded_verify(&f->options, &differences, &f->e) < 0)
		fail_msg("verify: %s", f->e.message);
	return differences;
}

static const float *vector_of(struct arena *a, unsigned seed)
{
	float *v = arena_alloc(a, STORE_DIM * sizeof(*v));
	double sum = 0;

	for (int i = 0; i < STORE_DIM; i++) {
		seed = seed * 1103515245u + 12345u;
		v[i] = (float)((seed >> 16) % 1000) - 500.5f;
		sum += v[i] * v[i];
	}
	for (int i = 0; i < STORE_DIM; i++)
		v[i] /= (float)sqrt(sum);
	return v;
}

static void set_entry(struct arena *a, const struct store_doc *d, struct change *c)
{
	struct entry *en = arena_alloc(a, sizeof(*en));
	struct entry_row *rows = arena_alloc(a, 2 * sizeof(*rows));
	struct index_tag *tag = arena_alloc(a, sizeof(*tag));

	rows[0] = (struct entry_row){ .field = ROW_TITLE, .vector = vector_of(a, d->seed) };
	rows[1] = (struct entry_row){ .field = ROW_WHOLE,
				      .end = c->text.n,
				      .vector = vector_of(a, d->seed + 1) };
	*tag = (struct index_tag){
		"lang", { .type = VALUE_STRING, .s = { d->lang, d->lang ? strlen(d->lang) : 0 } }
	};
	*en = (struct entry){ .title = { d->title, d->title ? strlen(d->title) : 0 },
			      .text = c->text,
			      .rows = rows,
			      .n_rows = d->keep_rows ? 0 : 2,
			      .acl = d->group ? json_keep(a, json_pack("[s]", d->group)) : NULL,
			      .tags = tag,
			      .n_tags = d->lang ? 1 : 0,
			      .keep_rows = d->keep_rows };
	c->entry = en;
}

struct change *store_change(struct arena *a, const struct store_doc *d)
{
	struct change *c = arena_alloc(a, sizeof(*c));
	const char *text = d->text ? d->text : "some words";

	*c = (struct change){ .kind = RECORD_DOCUMENT,
			      .id = d->id,
			      .subject = d->subject,
			      .body = json_keep(a, json_pack("{ssss?}", "source", "test", "title", d->title)),
			      .text = { text, strlen(text) } };
	if (!d->no_entry)
		set_entry(a, d, c);
	return c;
}

int store_try(struct store_fixture *f, const struct store_doc *d, int64_t expect, struct commit *out)
{
	const struct event ev = { .stream = arena_printf(f->a, "document/%s", d->id),
				  .expect = expect,
				  .kind = "document.put",
				  .principal = "key-1",
				  .agent = "agent-1",
				  .changes = store_change(f->a, d),
				  .n = 1 };

	return engine_commit(f->g, &ev, out, &f->e);
}

struct commit store_put(struct store_fixture *f, struct store_doc d)
{
	struct commit c = { 0 };

	if (store_try(f, &d, ENGINE_ANY, &c) < 0)
		fail_msg("put %s: %s", d.id, f->e.message);
	return c;
}

struct commit store_delete(struct store_fixture *f, const char *id)
{
	const struct change ch = { .kind = RECORD_DOCUMENT, .id = id };
	const struct event ev = { .stream = arena_printf(f->a, "document/%s", id),
				  .expect = ENGINE_ANY,
				  .kind = "document.deleted",
				  .changes = &ch,
				  .n = 1 };
	struct commit c = { 0 };

	assert_int_equal(engine_commit(f->g, &ev, &c, &f->e), 0);
	return c;
}

/* A little of everything, so that what is verified has been through all that can happen to it. */
void store_history(struct store_fixture *f)
{
	store_put(f, (struct store_doc){ .id = "a",
					 .title = "First \"title\"\n",
					 .text = "refund of an order",
					 .lang = "en" });
	store_put(f, (struct store_doc){
			     .id = "b", .title = "Second", .text = "refund of an order", .group = "tier1" });
	store_put(f, (struct store_doc){ .id = "a", .title = "First", .text = "refund later", .seed = 5 });
	store_put(f, (struct store_doc){ .id = "b", .title = "Second", .group = "tier2", .keep_rows = 1 });
	store_put(f, (struct store_doc){ .id = "c", .text = "personal", .subject = "customer-1" });
	store_delete(f, "c");
	store_put(f, (struct store_doc){ .id = "d", .no_entry = 1 });
	store_delete(f, "d");
	store_put(f, (struct store_doc){ .id = "d", .title = "Tschüß", .text = "Rückgabe ☃" });
	store_delete(f, "nothing");
}

size_t store_find(struct store_fixture *f, const char *word, const char **ids, size_t max)
{
	const struct term *terms;
	long n_terms = analyse_query(f->a, word, strlen(word), 1, &terms);
	const struct index_query q = { .collection = COLLECTION_DOCUMENT,
				       .terms = terms,
				       .n_terms = n_terms < 0 ? 0 : (size_t)n_terms,
				       .all_groups = 1,
				       .k = 100 };
	struct index_result r;
	struct record *rec;
	size_t n = 0;

	if (engine_search(f->g, &q, f->a, &r, &f->e) < 0)
		fail_msg("search: %s", f->e.message);
	for (size_t i = 0; i < r.n; i++) {
		assert_int_equal(
			engine_load(f->g, RECORD_DOCUMENT, NULL, &r.hits[i].entry, 1, f->a, &rec, &f->e), 0);
		if (rec->id && n < max && ids)
			ids[n] = rec->id;
		n += rec->id != NULL;
	}
	return n;
}

int store_has(struct store_fixture *f, const char *id)
{
	struct record r;
	int rc = engine_get(f->g, RECORD_DOCUMENT, id, f->a, &r, &f->e);

	assert_true(rc == 0 || rc == ERR_NOT_FOUND);
	return rc == 0;
}

void store_sql(struct store_fixture *f, const char *sql)
{
	sqlite3 *h;

	assert_null(f->g);
	assert_int_equal(sqlite3_open(f->database, &h), SQLITE_OK);
	if (sqlite3_exec(h, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(h));
	sqlite3_close(h);
}
