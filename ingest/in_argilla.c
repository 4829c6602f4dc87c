/*
 * Argilla's records, an array or a line each. Argilla 2:
 * {"fields":{"text"},"responses":{"label":[{"value":"x"}]},"status":"completed"};
 * Argilla 1: {"fields":{"text"},"responses":[{"values":{"label":{"value":"x"}},"status":"submitted"}]}.
 *
 * The label is the last response that was submitted: of Argilla 2, which
 * does not say it of each response, one of a completed record. Suggestions
 * are a model's, and no label.
 */
#include <string.h>

#include "base/arena.h"
#include "desk/conversation.h"
#include "ingest/foreign.h"

#define MANY 10000

/* True if the object says that it is `word`, or, saying nothing, may be taken for it. */
static int has_status(const json_t *object, const char *word, int otherwise)
{
	const json_t *status = json_object_get(object, "status");

	if (!status || json_is_null(status))
		return otherwise;
	return json_is_string(status) && strcmp(json_string_value(status), word) == 0;
}

/* The one question that was answered, its name and what was said. */
static int only_question(struct reader *r, json_t *answers, const char **name, json_t **answer)
{
	if (json_object_size(answers) > 1)
		reader_fail(r, ERR_BAD_VALUE, "responses",
			    "answers several questions: which is the label is not known");
	if (r->rc < 0 || json_object_size(answers) == 0)
		return r->rc;
	void *only = json_object_iter(answers);
	*name = json_object_iter_key(only);
	*answer = json_object_iter_value(only);
	return 0;
}

/* {"value":"x"}, or a list of one as a question with several labels has it. */
static void read_value(struct reader *r, const json_t *answer, struct text *label)
{
	const json_t *v = json_object_get(answer, "value");

	if (json_array_size(v) > 1)
		reader_fail(r, ERR_BAD_VALUE, "responses", "has %zu labels: an example has one",
			    json_array_size(v));
	if (json_array_size(v) == 1)
		v = json_array_get(v, 0);
	if (json_is_string(v))
		*label = string_text(v);
	else
		reader_fail(r, ERR_WRONG_TYPE, "responses",
			    "has a value that is no label, or of a newer shape");
}

static void read_newer(struct reader *r, json_t *record, json_t *responses, struct text *label)
{
	int completed = has_status(record, "completed", 0), known = json_object_get(record, "status") != NULL;
	json_t *list = NULL, *item;
	const char *name;
	size_t i;

	if (only_question(r, responses, &name, &list) < 0)
		return;
	if (list && !json_is_array(list))
		reader_fail(r, ERR_WRONG_TYPE, "responses", "has no list of answers: of a newer shape");
	json_array_foreach(list, i, item) {
		known |= json_object_get(item, "status") != NULL;
		if (has_status(item, "submitted", completed))
			read_value(r, item, label);
	}
	if (!known && json_array_size(list) > 0)
		reader_fail(r, ERR_MISSING_FIELD, "status",
			    "is required: else a draft cannot be told from an answer");
}

static void read_older(struct reader *r, json_t *responses, struct text *label)
{
	const char *name;
	json_t *item;
	size_t i;

	json_array_foreach(responses, i, item) {
		json_t *answer = NULL;
		if (!has_status(item, "submitted", 0))
			continue;
		if (only_question(r, json_object_get(item, "values"), &name, &answer) < 0)
			return;
		read_value(r, answer, label);
	}
}

static int value(struct arena *a, json_t *in, json_t **out, struct error *why)
{
	json_t *fields = NULL, *responses = NULL;
	struct text text = { 0 }, label = { 0 };
	struct reader r, inner;

	reader_init(&r, in, NULL, why);
	reader_object(&r, "fields", REQUIRED, &fields);
	reader_any(&r, "responses", REQUIRED, &responses);
	if (r.rc < 0)
		return r.rc;
	reader_init(&inner, fields, "fields", why);
	reader_string(&inner, "text", REQUIRED, TURN_MAX_TEXT, &text);
	if (inner.rc < 0)
		return inner.rc;
	if (json_is_object(responses))
		read_newer(&r, in, responses, &label);
	else if (json_is_array(responses))
		read_older(&r, responses, &label);
	else
		reader_fail(&r, ERR_WRONG_TYPE, "responses",
			    "must be an object (Argilla 2) or an array (Argilla 1)");
	if (r.rc == 0 && !label.s)
		reader_fail(&r, ERR_MISSING_FIELD, "responses", "has none that was submitted");
	return r.rc < 0 ? r.rc : example_line(a, text, label, NULL, out, why);
}

const struct import_format in_argilla = {
	.name = "argilla",
	.what = IMPORT_EXAMPLES,
	.value = value,
};
