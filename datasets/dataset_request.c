/* What is asked for over HTTP: read once, kept in the dataset's record in plain terms, and loaded by the thread. */
#include "datasets/dataset_jobs_internal.h"

#include <string.h>

#include "base/arena.h"

#define MOST_SETTINGS 32
#define LONGEST_SETTING 256

/* What was read, before it is kept. */
struct asked {
	struct text format, kind, pii, by;
	struct dataset_options o;
	int64_t mark, seed;
	json_t *split, *options, *agreement;
};

static const char *words(struct arena *a, const char *(*name)(size_t i))
{
	const char *all = name(0);

	for (size_t i = 1; all && name(i); i++)
		all = arena_printf(a, "%s|%s", all, name(i));
	return all;
}

static const char *format_name(size_t i)
{
	return dataset_format_at(i) ? dataset_format_at(i)->name : NULL;
}

static const char *kind_name(size_t i)
{
	return i < DATASET_KINDS ? dataset_kind_name((enum dataset_kind)i) : NULL;
}

/* {"by","train"?,"valid"?,"test"?}: shares of the rows, all three or none. */
static int read_split(const struct call *c, struct asked *q)
{
	struct reader r;
	double s[PARTS] = { -1, -1, -1 };

	reader_init(&r, q->split, "split", c->err);
	reader_word(&r, "by", REQUIRED, "time|hash", &q->by);
	reader_number(&r, "train", OPTIONAL, 0, 1, &s[PART_TRAIN]);
	reader_number(&r, "valid", OPTIONAL, 0, 1, &s[PART_VALID]);
	reader_number(&r, "test", OPTIONAL, 0, 1, &s[PART_TEST]);
	int given = (s[0] >= 0) + (s[1] >= 0) + (s[2] >= 0);
	if (given && given != PARTS)
		reader_fail(&r, ERR_BAD_VALUE, NULL, "give train, valid and test, or none of them");
	else if (given && s[0] + s[1] + s[2] == 0)
		reader_fail(&r, ERR_BAD_VALUE, NULL, "train, valid and test must add up to 1");
	int rc = reader_done(&r);
	if (rc == 0)
		rc = dataset_split_find(text_copy(c->arena, q->by), &q->o.split);
	if (given && rc == 0)
		memcpy(q->o.sizes, s, sizeof(s));
	return rc;
}

/* {"min_votes","agreement"?} */
static int read_agreement(const struct call *c, struct asked *q)
{
	struct reader r;
	int64_t least = 0;

	reader_init(&r, q->agreement, "agreement", c->err);
	reader_int(&r, "min_votes", REQUIRED, 1, DATASET_MOST_VOTES, &least);
	reader_number(&r, "agreement", OPTIONAL, 0, 1, &q->o.agreement);
	q->o.min_votes = (unsigned)least;
	return reader_done(&r);
}

/* {"name": "word" or number} as "name=value", in the order in which they came. */
static int read_settings(const struct call *c, struct asked *q)
{
	size_t n = json_object_size(q->options);
	const char **list = arena_alloc(c->arena, (n + 1) * sizeof(*list)), *name;
	json_t *value;

	if (!list)
		return no_memory(c->err);
	if (n > MOST_SETTINGS)
		return error_set(c->err, ERR_TOO_LARGE, "options", "at most %d options", MOST_SETTINGS);
	json_object_foreach(q->options, name, value) {
		if (!json_is_string(value) && !json_is_integer(value))
			return error_set(c->err, ERR_WRONG_TYPE, "options",
					 "the value of an option is a word or a whole number");
		if (strlen(name) + json_string_length(value) > LONGEST_SETTING)
			return error_set(c->err, ERR_TOO_LARGE, "options", "an option has at most %d bytes",
					 LONGEST_SETTING);
		const char *s = json_is_string(value)
					? arena_printf(c->arena, "%s=%s", name, json_string_value(value))
					: arena_printf(c->arena, "%s=%lld", name,
						       (long long)json_integer_value(value));
		if (!s)
			return no_memory(c->err);
		list[q->o.n_settings++] = s;
	}
	q->o.settings = list;
	return 0;
}

static int read_body(const struct call *c, json_t *body, struct asked *q)
{
	const char *formats = words(c->arena, format_name), *kinds = words(c->arena, kind_name);
	json_t *filter = NULL;
	struct reader r;

	if (!formats || !kinds)
		return no_memory(c->err);
	reader_init(&r, body, NULL, c->err);
	reader_word(&r, "format", REQUIRED, formats, &q->format);
	reader_word(&r, "kind", OPTIONAL, kinds, &q->kind);
	reader_time(&r, "since", OPTIONAL, &q->o.since);
	reader_time(&r, "until", OPTIONAL, &q->o.until);
	reader_int(&r, "at", OPTIONAL, 1, INT64_MAX, &q->mark);
	reader_any(&r, "filter", OPTIONAL, &filter);
	reader_object(&r, "split", OPTIONAL, &q->split);
	reader_int(&r, "seed", OPTIONAL, 0, INT64_MAX, &q->seed);
	reader_word(&r, "pii", OPTIONAL, "redact|keep", &q->pii);
	reader_object(&r, "options", OPTIONAL, &q->options);
	reader_object(&r, "agreement", OPTIONAL, &q->agreement);
	q->o.filter = filter;
	return reader_done(&r);
}

static int find_names(const struct call *c, struct asked *q)
{
	const char *format = text_copy(c->arena, q->format), *kind = text_copy(c->arena, q->kind);
	const char *pii = text_copy(c->arena, q->pii);

	if (!format || !kind || !pii)
		return no_memory(c->err);
	/* They are words of the lists that the reader had. */
	q->o.format = dataset_format_find(format);
	q->o.kind = dataset_format_kind(q->o.format);
	if (*kind)
		dataset_kind_find(kind, &q->o.kind);
	if (*pii)
		dataset_pii_find(pii, &q->o.pii);
	return 0;
}

static int set_mark(struct engine *g, const struct call *c, struct asked *q)
{
	struct engine_status st = { 0 };
	int rc = engine_status(g, c->arena, &st, c->err);

	if (rc == 0 && (uint64_t)q->mark > st.seq)
		return error_set(c->err, ERR_BAD_VALUE, "at", "the data has not come to mark %lld yet",
				 (long long)q->mark);
	q->o.mark = q->mark ? (uint64_t)q->mark : st.seq;
	return rc;
}

/* NULL without memory. */
static json_t *settings_list(const struct dataset_options *o)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < o->n_settings; i++)
		if (json_array_append_new(list, json_string(o->settings[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

int dataset_request_keep(const struct dataset_options *o, json_t *to)
{
	const double *s = o->sizes;
	int bad = body_set(to, "format", o->format->name) < 0 ||
		  body_set(to, "kind", dataset_kind_name(o->kind)) < 0 ||
		  body_set_int(to, "mark", (int64_t)o->mark) < 0 ||
		  body_set(to, "pii", dataset_pii_name(o->pii)) < 0 ||
		  body_set(to, "split", dataset_split_name(o->split)) < 0 ||
		  body_set_int(to, "seed", (int64_t)o->seed) < 0 ||
		  body_set_take(to, "settings", settings_list(o)) < 0;

	if (!bad && o->filter)
		bad = body_set_copy(to, "filter", o->filter) < 0;
	if (!bad && (o->min_votes || o->agreement > 0))
		bad = body_set_take(to, "agreement", dataset_agreement_json(o)) < 0;
	if (!bad && o->since)
		bad = body_set_int(to, "since", o->since) < 0;
	if (!bad && o->until)
		bad = body_set_int(to, "until", o->until) < 0;
	if (!bad && s[0] + s[1] + s[2] > 0)
		bad = body_set_take(to, "sizes", json_pack("[f, f, f]", s[0], s[1], s[2])) < 0;
	return bad ? -1 : 0;
}

int dataset_request_read(struct engine *g, const struct call *c, json_t *body, json_t **out)
{
	struct asked q = { 0 };
	json_t *kept = body_new(c->arena);
	int rc = kept ? read_body(c, body, &q) : no_memory(c->err);

	if (rc == 0)
		rc = find_names(c, &q);
	if (rc == 0 && q.split)
		rc = read_split(c, &q);
	if (rc == 0 && q.agreement)
		rc = read_agreement(c, &q);
	if (rc == 0)
		rc = read_settings(c, &q);
	if (rc == 0)
		rc = dataset_check(&q.o, c->err);
	if (rc == 0)
		rc = set_mark(g, c, &q);
	q.o.seed = (uint64_t)q.seed;
	if (rc == 0 && dataset_request_keep(&q.o, kept) < 0)
		rc = no_memory(c->err);
	if (rc == 0)
		*out = kept;
	return rc;
}

int dataset_request_load(struct arena *a, const json_t *request, struct dataset_options *out, struct error *e)
{
	const json_t *settings = json_object_get(request, "settings");
	const json_t *sizes = json_object_get(request, "sizes"),
		     *agreement = json_object_get(request, "agreement");
	size_t n = json_array_size(settings);
	const char **list = arena_alloc(a, (n + 1) * sizeof(*list));
	struct dataset_options o = { .format = dataset_format_find(body_string(request, "format")),
				     .mark = (uint64_t)body_int(request, "mark"),
				     .since = body_int(request, "since"),
				     .until = body_int(request, "until"),
				     .seed = (uint64_t)body_int(request, "seed"),
				     .filter = json_object_get(request, "filter"),
				     .min_votes = (unsigned)body_int(agreement, "min_votes"),
				     .agreement = body_number(agreement, "agreement"),
				     .settings = list,
				     .n_settings = n };

	if (!list)
		return no_memory(e);
	for (size_t i = 0; i < n; i++)
		list[i] = json_string_value(json_array_get(settings, i));
	for (size_t i = 0; i < PARTS && sizes; i++)
		o.sizes[i] = json_number_value(json_array_get(sizes, i));
	if (!o.format || dataset_kind_find(body_string(request, "kind"), &o.kind) < 0 ||
	    dataset_pii_find(body_string(request, "pii"), &o.pii) < 0 ||
	    dataset_split_find(body_string(request, "split"), &o.split) < 0)
		return error_set(e, ERR_CORRUPT, NULL,
				 "the dataset was asked for in terms that this version does not know");
	*out = o;
	return 0;
}
