#include <stdlib.h>
#include <string.h>

#include "datasets/dataset_internal.h"

enum common { CAP, MIN_EXAMPLES, BALANCE };
enum balance { BALANCE_NONE, BALANCE_SMALLEST };

/* They choose among all rows, before the split. */
static const struct dataset_option of_intents[DATASET_COMMON + 1] = {
	[CAP] = { "cap", "rows a label at most (default: 0, no limit); drawn by a hash of the row's id", NULL,
		  1000000000, 0 },
	[MIN_EXAMPLES] = { "min-examples", "labels with fewer rows are left out (default: 0)", NULL,
			   1000000000, 0 },
	[BALANCE] = { "balance", "smallest: no label has more rows than the rarest (default: none)",
		      "none|smallest", 0, BALANCE_NONE },
};
static const struct dataset_option nothing[1];

const struct dataset_option *dataset_options_of(enum dataset_kind k)
{
	return k == DATASET_INTENTS ? of_intents : nothing;
}

static const struct dataset_option *own_options(const struct dataset_options *o)
{
	return o->format->options ? o->format->options : nothing;
}

/* Which of the words, from 0; -1 if it is none. */
static long word_number(const char *words, const char *value)
{
	size_t len = strlen(value);

	for (long i = 0; *words; i++) {
		size_t n = strcspn(words, "|");
		if (n == len && memcmp(words, value, n) == 0)
			return i;
		words += n + (words[n] == '|');
	}
	return -1;
}

static int read_word(const struct dataset_option *option, const char *value, long *out, struct error *e)
{
	long x = word_number(option->words, value);

	if (x < 0)
		return error_set(e, ERR_BAD_VALUE, "options", "option %s is one of %s", option->name,
				 option->words);
	*out = x;
	return 0;
}

static int read_number(const struct dataset_option *option, const char *value, long *out, struct error *e)
{
	char *end = NULL;
	long x = strtol(value, &end, 10);

	if (!*value || *end || x < 0 || x > option->max)
		return error_set(e, ERR_BAD_VALUE, "options", "option %s is a number from 0 to %ld",
				 option->name, option->max);
	*out = x;
	return 0;
}

/* Sets the value if the table has an option of that name: 1; 0 if it has none. */
static int read_one(const struct dataset_option *table, const char *setting, long *values, struct error *e)
{
	size_t n = strcspn(setting, "=");

	for (size_t i = 0; table[i].name; i++) {
		if (strlen(table[i].name) != n || memcmp(table[i].name, setting, n) != 0)
			continue;
		const char *value = setting[n] ? setting + n + 1 : "";
		int rc = table[i].words ? read_word(&table[i], value, &values[i], e)
					: read_number(&table[i], value, &values[i], e);
		return rc < 0 ? rc : 1;
	}
	return 0;
}

static int unknown(const struct dataset_options *o, const char *setting, struct error *e)
{
	const struct dataset_option *tables[] = { own_options(o), dataset_options_of(o->kind) };
	STRBUF_AUTO known = STRBUF_INIT;

	for (size_t t = 0; t < 2; t++)
		for (const struct dataset_option *p = tables[t]; p->name; p++)
			strbuf_printf(&known, "%s%s", known.n ? ", " : "", p->name);
	return error_set(e, ERR_BAD_VALUE, "options", "%s of %s has no option %.60s: there is %s",
			 o->format->name, dataset_kind_name(o->kind), setting, known.n ? known.p : "none");
}

static void set_defaults(const struct dataset_option *table, long *values)
{
	for (size_t i = 0; table[i].name; i++)
		values[i] = table[i].otherwise;
}

int dataset_settings_read(const struct dataset_options *o, struct dataset_settings *out, struct error *e)
{
	struct dataset_settings s = { 0 };

	set_defaults(own_options(o), s.own);
	set_defaults(dataset_options_of(o->kind), s.common);
	for (size_t i = 0; i < o->n_settings; i++) {
		int rc = read_one(own_options(o), o->settings[i], s.own, e);
		if (rc == 0)
			rc = read_one(dataset_options_of(o->kind), o->settings[i], s.common, e);
		if (rc == 0)
			rc = unknown(o, o->settings[i], e);
		if (rc < 0)
			return rc;
	}
	*out = s;
	return 0;
}

static int set_changed(json_t *j, const struct dataset_option *table, const long *values)
{
	int bad = 0;

	for (size_t i = 0; table[i].name; i++) {
		if (values[i] == table[i].otherwise)
			continue;
		const char *word = table[i].words;
		for (long n = 0; word && n < values[i]; n++)
			word += strcspn(word, "|") + 1;
		bad |= json_object_set_new(j, table[i].name,
					   word ? json_stringn(word, strcspn(word, "|"))
						: json_integer(values[i])) < 0;
	}
	return bad;
}

json_t *settings_json(const struct writing *w)
{
	json_t *j = json_object();

	if (!j || set_changed(j, own_options(w->o), w->settings.own) ||
	    set_changed(j, dataset_options_of(w->o->kind), w->settings.common)) {
		json_decref(j);
		return NULL;
	}
	return j;
}

/* --- which rows stay ------------------------------------------------------------------------------------ */

/* Rows of one label together, the lowest lots first; what ties is as it was recorded. */
static int by_lot(const void *x, const void *y)
{
	const struct kept_row *a = x, *b = y;

	if (a->label != b->label)
		return a->label < b->label ? -1 : 1;
	if (a->lot != b->lot)
		return a->lot < b->lot ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

static int by_record(const void *x, const void *y)
{
	const struct kept_row *a = x, *b = y;

	return a->at < b->at ? -1 : a->at > b->at;
}

/* The limit for every label, 0: none. Labels below `min` do not count as the rarest. */
static uint64_t limit_of(const struct writing *w, uint64_t min)
{
	uint64_t cap = (uint64_t)w->settings.common[CAP], rarest = UINT64_MAX;

	if (w->settings.common[BALANCE] != BALANCE_SMALLEST)
		return cap;
	for (size_t i = 0; i < w->n_labels; i++)
		if (w->labels[i].rows >= min && w->labels[i].rows > 0 && w->labels[i].rows < rarest)
			rarest = w->labels[i].rows;
	return cap && cap < rarest ? cap : rarest;
}

void rows_select(struct writing *w)
{
	uint64_t min = (uint64_t)w->settings.common[MIN_EXAMPLES], seen = 0;
	size_t n = 0;

	if (w->o->kind != DATASET_INTENTS || w->rows == 0)
		return;
	for (size_t i = 0; i < w->rows; i++)
		w->labels[w->kept[i].label].rows++;
	uint64_t limit = limit_of(w, min);
	if (!min && !limit)
		return;
	qsort(w->kept, w->rows, sizeof(*w->kept), by_lot);
	for (size_t i = 0; i < w->rows; i++) {
		const struct kept_row *row = &w->kept[i];
		seen = i && w->kept[i - 1].label == row->label ? seen + 1 : 1;
		if (w->labels[row->label].rows < min)
			skip(w, SKIP_FEW_EXAMPLES);
		else if (limit && seen > limit)
			skip(w, SKIP_CAPPED);
		else
			w->kept[n++] = *row;
	}
	w->rows = n;
	if (n)
		qsort(w->kept, n, sizeof(*w->kept), by_record);
	for (size_t i = 0; i < w->n_labels; i++)
		w->labels[i].rows = 0;
	for (size_t i = 0; i < n; i++)
		w->labels[w->kept[i].label].rows++;
}

/* --- what labels are called ------------------------------------------------------------------------------- */

static int by_name(const void *x, const void *y)
{
	const struct text a = (*(struct label *const *)x)->name, b = (*(struct label *const *)y)->name;
	int order = memcmp(a.s, b.s, a.n < b.n ? a.n : b.n);

	return order ? order : a.n < b.n ? -1 : a.n > b.n;
}

/* As the format writes it; what is taken already gets a number. */
static int name_label(struct writing *w, struct map *taken, struct label *l)
{
	STRBUF_AUTO as = STRBUF_INIT;
	int fresh = 0;

	w->o->format->label(l->name, &as);
	size_t n = as.n;
	for (unsigned i = 2; !fresh && !as.failed; i++) {
		if (!map_put(taken, as.p ? as.p : "", as.n, &fresh))
			return -1;
		if (!fresh) {
			as.n = n;
			strbuf_printf(&as, "_%u", i);
		}
	}
	char *copy = as.failed ? NULL : arena_strndup(w->arena, as.p ? as.p : "", as.n);
	if (!copy)
		return -1;
	l->as = (struct text){ copy, as.n };
	return 0;
}

int labels_name(struct writing *w)
{
	struct label **sorted = calloc(w->n_labels + 1, sizeof(struct label *));
	struct map *taken = map_new();
	size_t n = 0;
	int rc = sorted && taken ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < w->n_labels; i++)
		if (w->labels[i].rows)
			sorted[n++] = &w->labels[i];
	if (rc == 0 && n)
		qsort(sorted, n, sizeof(struct label *), by_name);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		sorted[i]->rank = (uint32_t)i;
		sorted[i]->as = sorted[i]->name;
		if (w->o->format->label)
			rc = name_label(w, taken, sorted[i]);
	}
	map_free(taken);
	free(sorted);
	return rc;
}

/* --- consent ----------------------------------------------------------------------------------------------- */

static int by_rank(const void *x, const void *y)
{
	const struct label *a = *(struct label *const *)x, *b = *(struct label *const *)y;

	return a->rank < b->rank ? -1 : a->rank > b->rank;
}

/* Without those that have no rows any more. Names stay, or a label would be called otherwise for what others withdrew. */
static int labels_rank(struct writing *w)
{
	struct label **sorted = calloc(w->n_labels + 1, sizeof(struct label *));
	size_t n = 0;

	if (!sorted)
		return -1;
	for (size_t i = 0; i < w->n_labels; i++)
		if (w->labels[i].rows)
			sorted[n++] = &w->labels[i];
	qsort(sorted, n, sizeof(struct label *), by_rank);
	for (size_t i = 0; i < n; i++)
		sorted[i]->rank = (uint32_t)i;
	free(sorted);
	return 0;
}

int rows_drop_withdrawn(struct writing *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->rows; i++) {
		const struct kept_row *row = &w->kept[i];
		if (row->n)
			w->kept[n++] = *row;
		else
			skip(w, SKIP_CONSENT_DENIED);
		if (!row->n && w->o->kind == DATASET_INTENTS)
			w->labels[row->label].rows--;
	}
	if (n == w->rows)
		return 0;
	w->rows = n;
	return labels_rank(w);
}
