/*
 * Label Studio's export "JSON": an array of tasks,
 * {"data":{"text"},"annotations":[{"result":[{"type":"choices","value":{"choices":["x"]}}],"was_cancelled"}]}.
 *
 * The label is the choice of the annotation that was changed last, of those
 * that were not cancelled: an example has one label. Predictions are a
 * model's, and no label.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "desk/conversation.h"
#include "ingest/foreign.h"

#define MANY 10000

struct choice {
	struct text label;
	const json_t *at; /* may be NULL */
};

/* When it was changed last; NULL: it does not say. */
static const json_t *changed_at(const json_t *annotation, int64_t *ms)
{
	static const char *const keys[] = { "updated_at", "created_at" };

	*ms = INT64_MIN;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const json_t *at = json_object_get(annotation, keys[i]);
		if (json_is_string(at) && time_parse(json_string_value(at), json_string_length(at), ms) == 0)
			return at;
	}
	return NULL;
}

/* The place of the annotation that counts, -1 if there is none. */
static long latest(const json_t *annotations)
{
	const json_t *item;
	int64_t at, last = INT64_MIN;
	long found = -1;
	size_t i;

	json_array_foreach(annotations, i, item) {
		if (json_is_true(json_object_get(item, "was_cancelled")))
			continue;
		changed_at(item, &at);
		if (found < 0 || at >= last) {
			found = (long)i;
			last = at;
		}
	}
	return found;
}

static int read_result(json_t *result, const char *path, struct text *label, struct error *why)
{
	json_t *value = NULL, *choices = NULL;
	struct reader r;
	char inner[160];

	reader_init(&r, result, path, why);
	reader_object(&r, "value", REQUIRED, &value);
	if (r.rc < 0)
		return r.rc;
	reader_path(&r, "value", -1, inner, sizeof(inner));
	reader_init(&r, value, inner, why);
	reader_array(&r, "choices", REQUIRED, MANY, &choices);
	if (choices && json_array_size(choices) != 1)
		reader_fail(&r, ERR_BAD_VALUE, "choices", "has %zu choices: an example has one label",
			    json_array_size(choices));
	else if (choices && !json_is_string(json_array_get(choices, 0)))
		reader_fail(&r, ERR_WRONG_TYPE, "choices",
			    "of a shape that is not Label Studio 1's: no string");
	if (r.rc == 0)
		*label = string_text(json_array_get(choices, 0));
	return r.rc;
}

static int read_annotation(json_t *annotation, const char *path, struct choice *out, struct error *why)
{
	json_t *results = NULL, *item;
	struct reader r;
	char inner[160];
	int64_t ms;
	size_t i;
	int rc, n = 0;

	reader_init(&r, annotation, path, why);
	reader_array(&r, "result", REQUIRED, MANY, &results);
	json_array_foreach(results, i, item) {
		const char *type = json_string_value(json_object_get(item, "type"));
		if (!type || strcmp(type, "choices") != 0)
			continue;
		if (++n > 1)
			reader_fail(&r, ERR_BAD_VALUE, "result",
				    "has choices of several controls: which is the label is not known");
		reader_path(&r, "result", (long)i, inner, sizeof(inner));
		if (r.rc == 0 && (rc = read_result(item, inner, &out->label, why)) < 0)
			return rc;
	}
	if (n == 0)
		reader_fail(&r, ERR_MISSING_FIELD, "result", "has no choice");
	out->at = changed_at(annotation, &ms);
	return r.rc;
}

static int value(struct arena *a, json_t *in, json_t **out, struct error *why)
{
	json_t *data = NULL, *annotations = NULL;
	struct text text = { 0 };
	struct choice choice = { 0 };
	struct reader r, inner;
	char path[160];
	int rc;

	reader_init(&r, in, NULL, why);
	if (json_object_get(in, "completions"))
		reader_fail(&r, ERR_BAD_VALUE, "completions",
			    "is of Label Studio before 1.0: export with a newer one");
	reader_object(&r, "data", REQUIRED, &data);
	reader_array(&r, "annotations", REQUIRED, MANY, &annotations);
	if (r.rc < 0)
		return r.rc;
	reader_init(&inner, data, "data", why);
	reader_string(&inner, "text", REQUIRED, TURN_MAX_TEXT, &text);
	if (inner.rc < 0)
		return inner.rc;
	long i = latest(annotations);
	if (i < 0) {
		reader_fail(&r, ERR_MISSING_FIELD, "annotations", "has none that was not cancelled");
		return r.rc;
	}
	reader_path(&r, "annotations", i, path, sizeof(path));
	if ((rc = read_annotation(json_array_get(annotations, (size_t)i), path, &choice, why)) < 0)
		return rc;
	return example_line(a, text, choice.label, choice.at, out, why);
}

const struct import_format in_label_studio = {
	.name = "label-studio",
	.what = IMPORT_EXAMPLES,
	.value = value,
};
