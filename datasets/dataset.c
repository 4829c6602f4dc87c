#include "datasets/dataset_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/consents.h"
#include "engine/each.h"
#include "engine/search.h"

#define TURNS_PAGE 1000
#define SIZE_SLACK 1e-9 /* of the sum of shares such as .7, .2 and .1 */

/* In the order of the contract. */
static const struct dataset_format *const formats[] = {
	&dataset_openai,
	&dataset_trl_sft,
	&dataset_trl_dpo,
	&dataset_trl_kto,
	&dataset_sentence_transformers,
	&dataset_rasa,
	&dataset_dialogflow_cx,
	&dataset_clu,
	&dataset_lex,
	&dataset_fasttext,
	&dataset_beir,
	&dataset_trec,
	&dataset_ragas,
	&dataset_vcon,
};

struct kind {
	const char *name, *things; /* things: of which there are none */
	int (*collect)(struct writing *w);
};

static const struct kind kinds[DATASET_KINDS] = {
	[DATASET_ANSWERS] = { "answers", "answered conversations that were resolved", collect_answers },
	[DATASET_INTENTS] = { "intents", "examples with a label", collect_intents },
	[DATASET_PREFERENCES] = { "preferences", "handoffs with a draft that an agent replaced",
				  collect_preferences },
	[DATASET_RETRIEVAL] = { "retrieval", "resolutions that name the documents they used",
				collect_retrieval },
};
static const char *const pii_names[PII_MODES] = { "redact", "keep" };
static const char *const split_names[SPLITS] = { "none", "time", "hash" };
static const double usual_sizes[PARTS] = { 0.8, 0.1, 0.1 };

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

const struct dataset_format *dataset_format_at(size_t i)
{
	return i < FORMATS ? formats[i] : NULL;
}

const struct dataset_format *dataset_format_find(const char *name)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	return NULL;
}

const char *dataset_kind_name(enum dataset_kind k)
{
	return kinds[k].name;
}

int dataset_kind_find(const char *name, enum dataset_kind *out)
{
	for (int k = 0; k < DATASET_KINDS; k++)
		if (strcmp(kinds[k].name, name) == 0) {
			*out = (enum dataset_kind)k;
			return 0;
		}
	return -1;
}

enum dataset_kind dataset_format_kind(const struct dataset_format *f)
{
	int k = 0;

	while (!(f->kinds & 1u << k))
		k++;
	return (enum dataset_kind)k;
}

/* Where `name` is in a list, or -1. */
static int find_name(const char *const *names, int n, const char *name)
{
	while (n-- > 0 && strcmp(names[n], name) != 0)
		;
	return n;
}

const char *dataset_pii_name(enum dataset_pii p)
{
	return pii_names[p];
}

int dataset_pii_find(const char *name, enum dataset_pii *out)
{
	int p = find_name(pii_names, PII_MODES, name);

	if (p >= 0)
		*out = (enum dataset_pii)p;
	return p < 0 ? -1 : 0;
}

const char *dataset_split_name(enum dataset_split s)
{
	return split_names[s];
}

int dataset_split_find(const char *name, enum dataset_split *out)
{
	int s = find_name(split_names, SPLITS, name);

	if (s >= 0)
		*out = (enum dataset_split)s;
	return s < 0 ? -1 : 0;
}

/* --- reading what was recorded ------------------------------------------------------------------------- */

int check_stop(const struct writing *w)
{
	if (!w->o->stop || !__atomic_load_n(w->o->stop, __ATOMIC_RELAXED))
		return 0;
	return error_set(w->err, ERR_INTERRUPTED, NULL, "interrupted; nothing was written");
}

/* For engine_each(): what is to be called, and by whom. */
struct visit {
	struct writing *w;
	int (*each)(struct writing *w, struct arena *a, const struct record *r);
};

static int visit_record(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	const struct visit *v = arg;
	int rc = check_stop(v->w);

	(void)e; /* the writing's own */
	return rc < 0 ? rc : v->each(v->w, a, r);
}

int each_record(struct writing *w, enum record_kind k,
		int (*each)(struct writing *w, struct arena *a, const struct record *r))
{
	const struct scan s = { .kind = k, .at = w->mark };
	struct visit v = { w, each };

	return engine_each(w->engine, &s, visit_record, &v, w->err);
}

int load_turns(struct writing *w, struct arena *a, const char *conversation, uint64_t at, struct said **out,
	       size_t *n)
{
	struct scan s = { .kind = RECORD_TURN,
			  .field = { "conversation" },
			  .value = { conversation },
			  .at = at,
			  .limit = TURNS_PAGE };
	struct said *list = NULL;
	size_t count = 0, got;

	do {
		struct record *page;
		int rc = engine_scan(w->engine, &s, a, &page, &got, w->err);
		if (rc < 0)
			return rc;
		struct said *more = arena_alloc(a, (count + got + 1) * sizeof(*more));
		if (!more)
			return no_memory(w->err);
		if (count)
			memcpy(more, list, count * sizeof(*more));
		list = more;
		for (size_t i = 0; i < got; i++)
			list[count++] = (struct said){ .role = body_string(page[i].body, "role"),
						       .text = body_text(page[i].body, "text"),
						       .at = body_time(page[i].body, "at"),
						       .created = page[i].created };
		if (got) {
			s.after = page[got - 1].created;
			s.after_id = page[got - 1].id;
		}
	} while (got == s.limit);
	*out = list;
	*n = count;
	return 0;
}

int in_time(const struct writing *w, int64_t at)
{
	return (!w->o->since || at >= w->o->since) && (!w->o->until || at < w->o->until);
}

int skip(struct writing *w, enum reason why)
{
	w->skipped[why]++;
	return 0;
}

/* --- the whole --------------------------------------------------------------------------------------- */

static int are_usual(const double sizes[PARTS])
{
	int p = 0;

	while (p < PARTS && sizes[p] == usual_sizes[p])
		p++;
	return p == PARTS;
}

static int add_json(struct strbuf *out, const json_t *j)
{
	char *text = json_text(j, NULL);

	if (text)
		strbuf_printf(out, "%s\n", text);
	free(text);
	return text ? 0 : -1;
}

/* With a secret of its own: tokens of two requests, or of two data folders, cannot be joined. NULL without memory. */
static struct redactor *make_redactor(const struct writing *w)
{
	const struct dataset_options *o = w->o;
	STRBUF_AUTO asked = STRBUF_INIT;
	unsigned char secret[SHA256_SIZE];

	strbuf_printf(&asked, "dataset\n%s\n%s\n%llu\n%lld\n%lld\n%s\n%llu\n", o->format->name,
		      dataset_kind_name(o->kind), (unsigned long long)w->mark, (long long)o->since,
		      (long long)o->until, dataset_split_name(o->split), (unsigned long long)o->seed);
	for (size_t i = 0; i < o->n_settings; i++)
		strbuf_printf(&asked, "%s\n", o->settings[i]);
	if (!are_usual(w->sizes))
		strbuf_printf(&asked, "%.9f,%.9f,%.9f\n", w->sizes[PART_TRAIN], w->sizes[PART_VALID],
			      w->sizes[PART_TEST]);
	if (o->filter && add_json(&asked, o->filter) < 0)
		return NULL;
	if (o->min_votes || o->agreement > 0)
		strbuf_printf(&asked, "%u,%.9f\n", o->min_votes, o->agreement);
	if (asked.failed)
		return NULL;
	crypto_hmac(o->secret, asked.p, asked.n, secret);
	return redactor_new(secret);
}

static int note_conversation(struct writing *w, struct arena *a, const struct record *r)
{
	(void)a;
	return components_add(w->components, r->id, r->body) < 0 ? no_memory(w->err) : 0;
}

static int read_filter(struct arena *a, const json_t *filter, const struct index_filter **out,
		       struct error *e)
{
	return search_read_filter(a, (json_t *)(uintptr_t)filter, "filter", out, e);
}

/* All rows, into the spool. */
static int collect(struct writing *w)
{
	struct splitting how = { .folder = w->tmp, .by = w->o->split, .seed = w->o->seed };
	char path[DATASET_PATH + 160];
	size_t n = strlen(w->tmp);

	memcpy(how.sizes, w->sizes, sizeof(how.sizes));
	w->arena = arena_new(64 << 10);
	w->last = map_new();
	w->outcomes = map_new();
	w->label_numbers = map_new();
	w->components = components_new(&how);
	w->consents = map_new();
	w->redactor = make_redactor(w);
	w->aside = make_redactor(w);
	if (!w->arena || !w->last || !w->outcomes || !w->label_numbers || !w->components || !w->consents ||
	    !w->redactor || !w->aside)
		return no_memory(w->err);
	memcpy(path, w->tmp, n);
	memcpy(path + n, "/rows.spool", sizeof("/rows.spool"));
	int rc = outfile_open(path, OUTFILE_SPOOL, &w->spool, w->err);
	if (rc == 0 && w->o->filter)
		rc = read_filter(w->arena, w->o->filter, &w->filter, w->err);
	if (rc == 0)
		rc = consents_load(w->engine, w->consents, w->err);
	if (rc == 0 && (w->o->split != SPLIT_NONE || w->o->pii == PII_REDACT))
		rc = each_record(w, RECORD_CONVERSATION, note_conversation);
	if (rc == 0 && w->o->kind == DATASET_RETRIEVAL)
		rc = documents_open(w, &w->documents);
	return rc < 0 ? rc : kinds[w->o->kind].collect(w);
}

static int nothing_to_export(const struct writing *w)
{
	STRBUF_AUTO why = STRBUF_INIT;

	reasons_list(w, &why);
	return error_set(w->err, ERR_EMPTY_TEXT, NULL, "there is nothing to export: no %s were found%s%s%s",
			 kinds[w->o->kind].things, why.n ? " (made no row: " : "", why.n ? why.p : "",
			 why.n ? ")" : "");
}

/* Which rows stay, what their labels are called, and which part they go to. */
static int arrange(struct writing *w)
{
	int rc;

	rows_select(w);
	if (w->rows == 0)
		return nothing_to_export(w);
	if (labels_name(w) < 0)
		return no_memory(w->err);
	for (size_t i = 0; i < w->rows; i++)
		if (w->kept[i].component != COMPONENT_NONE)
			component_add_row(w->components, w->kept[i].component);
	if (w->o->split != SPLIT_NONE && (rc = components_split(w->components, w->err)) < 0)
		return rc;
	if (rows_drop_withdrawn(w) < 0)
		return no_memory(w->err);
	if (w->rows == 0)
		return nothing_to_export(w);
	return w->documents ? documents_load(w, w->documents, w->o->format->document != NULL) : 0;
}

static int find_mark(struct writing *w)
{
	struct arena *a = arena_new(4096);
	struct engine_status st = { 0 };
	int rc = a ? engine_status(w->engine, a, &st, w->err) : no_memory(w->err);

	if (rc == 0 && w->o->mark > st.seq)
		rc = error_set(w->err, ERR_BAD_VALUE, "at", "the data has not come to mark %llu yet",
			       (unsigned long long)w->o->mark);
	if (rc == 0)
		w->mark = w->o->mark ? w->o->mark : st.seq;
	arena_free(a);
	return rc;
}

/* Names the kinds that the format has. */
static int check_kind(const struct dataset_options *o, struct error *e)
{
	STRBUF_AUTO has = STRBUF_INIT;

	if (o->format->kinds & 1u << o->kind)
		return 0;
	for (int k = 0; k < DATASET_KINDS; k++)
		if (o->format->kinds & 1u << k)
			strbuf_printf(&has, "%s%s", has.n ? ", " : "", kinds[k].name);
	return error_set(e, ERR_BAD_VALUE, "kind", "%s has no rows of kind %s: it has %s", o->format->name,
			 kinds[o->kind].name, has.n ? has.p : "none");
}

static int has_sizes(const struct dataset_options *o)
{
	return o->sizes[PART_TRAIN] != 0 || o->sizes[PART_VALID] != 0 || o->sizes[PART_TEST] != 0;
}

static int check_sizes(const struct dataset_options *o, struct error *e)
{
	double sum = 0;

	if (!has_sizes(o))
		return 0;
	if (o->split == SPLIT_NONE)
		return error_set(e, ERR_BAD_VALUE, "split",
				 "sizes are of a split: say by what, time or hash");
	for (int p = 0; p < PARTS; p++) {
		if (!(o->sizes[p] >= 0 && o->sizes[p] <= 1))
			return error_set(e, ERR_BAD_VALUE, "split", "a share of the split is from 0 to 1");
		sum += o->sizes[p];
	}
	return fabs(sum - 1) <= SIZE_SLACK
		       ? 0
		       : error_set(e, ERR_BAD_VALUE, "split", "train, valid and test must add up to 1");
}

json_t *dataset_agreement_json(const struct dataset_options *o)
{
	return json_pack("{s:I, s:f}", "min_votes", (json_int_t)o->min_votes, "agreement", o->agreement);
}

static int check_agreement(const struct dataset_options *o, struct error *e)
{
	if (!(o->agreement >= 0 && o->agreement <= 1))
		return error_set(e, ERR_BAD_VALUE, "agreement", "a share of votes is from 0 to 1");
	if ((o->min_votes || o->agreement > 0) && o->kind != DATASET_INTENTS)
		return error_set(e, ERR_BAD_VALUE, "agreement",
				 "votes are of labels: it is for kind intents");
	return 0;
}

static int check_filter(const struct dataset_options *o, struct error *e)
{
	struct arena *a = arena_new(4096);
	const struct index_filter *checked;
	int rc = a ? read_filter(a, o->filter, &checked, e) : no_memory(e);

	arena_free(a);
	return rc;
}

int dataset_check(const struct dataset_options *o, struct error *e)
{
	struct dataset_settings checked;
	int rc = check_kind(o, e);

	if (rc == 0)
		rc = check_sizes(o, e);
	if (rc == 0)
		rc = check_agreement(o, e);
	if (rc == 0 && o->filter)
		rc = check_filter(o, e);
	return rc < 0 ? rc : dataset_settings_read(o, &checked, e);
}

static void release(struct writing *w)
{
	outfile_drop(w->spool);
	documents_free(w->documents);
	strbuf_release(&w->packed);
	free(w->kept);
	free(w->labels);
	components_free(w->components);
	map_free(w->consents);
	redactor_free(w->redactor);
	redactor_free(w->aside);
	map_free(w->last);
	map_free(w->outcomes);
	free(w->voted);
	map_free(w->label_numbers);
	arena_free(w->arena);
}

int dataset_write(struct engine *g, const struct dataset_options *o, struct dataset_summary *out,
		  struct error *e)
{
	struct writing w = { .engine = g, .o = o, .err = e };
	int rc = dataset_check(o, e);

	if (rc < 0 || (rc = dataset_settings_read(o, &w.settings, e)) < 0 ||
	    (rc = dataset_check_folder(o->folder, w.folder, e)) < 0 || (rc = find_mark(&w)) < 0)
		return rc;
	memcpy(w.sizes, has_sizes(o) ? o->sizes : usual_sizes, sizeof(w.sizes));
	if ((rc = dataset_begin(&w)) == 0 && (rc = collect(&w)) == 0 && (rc = arrange(&w)) == 0)
		rc = dataset_publish(&w, out);
	if (rc < 0)
		dataset_discard(&w);
	release(&w);
	return rc;
}
