#include "desk/package.h"

#include <string.h>

#include "base/arena.h"
#include "desk/predict.h"

#define TRIGGERS \
	"low_confidence|customer_request|negative_sentiment|policy|repeated_failure|out_of_scope|other"

json_t *package_value(const json_t *package, const char *field)
{
	json_t *v = json_object_get(json_object_get(package, field), "value");

	return json_is_null(v) ? NULL : v;
}

int package_inferred(const json_t *package, const char *field)
{
	return strcmp(body_string(json_object_get(package, field), "origin"), "inferred") == 0;
}

double package_confidence(const json_t *package, const char *field)
{
	json_t *v = json_object_get(json_object_get(package, field), "confidence");

	return json_is_number(v) ? json_number_value(v) : 1;
}

int package_set(json_t *package, const char *field, json_t *value, const char *origin, double confidence)
{
	json_t *f = json_pack("{s:o, s:s}", "value", value, "origin", origin);

	if (!f)
		return -1;
	if (confidence >= 0 && body_set_number(f, "confidence", confidence) < 0) {
		json_decref(f);
		return -1;
	}
	return body_set_take(package, field, f);
}

/* A reader of an object inside of `r`: sticky failures go up by take_error(). */
static void sub_reader(struct reader *r, struct reader *sub, json_t *obj, const char *name, long i)
{
	char path[96];

	reader_path(r, name, i, path, sizeof(path));
	reader_init(sub, obj, path, r->err);
}

static void take_error(struct reader *r, struct reader *sub)
{
	int rc = reader_done(sub);

	if (r->rc == 0)
		r->rc = rc;
}

static void set_from_bot(const struct call *c, struct reader *r, json_t *package, const char *field,
			 const json_t *value, double confidence)
{
	if (r->rc == 0 && value && package_set(package, field, json_deep_copy(value), "bot", confidence) < 0)
		r->rc = no_memory(c->err);
}

static void read_identity(const struct call *c, struct reader *r, json_t *package)
{
	struct reader sub;
	struct text id = { 0 }, name = { 0 }, method = { 0 };
	json_t *obj = NULL;
	int verified = 0;

	reader_object(r, "identity", OPTIONAL, &obj);
	if (!obj)
		return;
	sub_reader(r, &sub, obj, "identity", -1);
	reader_string(&sub, "customer_id", REQUIRED, 512, &id);
	reader_text(&sub, "name", OPTIONAL, 256, &name);
	reader_bool(&sub, "verified", OPTIONAL, &verified);
	reader_text(&sub, "method", OPTIONAL, 64, &method);
	take_error(r, &sub);
	if (r->rc < 0)
		return;
	json_t *v = body_copy(c->arena, obj);
	/* who does not say "verified" has not verified */
	if (!v || body_set_bool(v, "verified", verified) < 0)
		r->rc = no_memory(c->err);
	set_from_bot(c, r, package, "identity", v, -1);
}

/* Is there a number? Writes it to *out. */
static int given(const json_t *obj, const char *name, double *out)
{
	json_t *v = json_object_get(obj, name);

	*out = json_is_number(v) ? json_number_value(v) : -1;
	return *out >= 0;
}

static void read_intent(const struct call *c, struct reader *r, json_t *package)
{
	struct reader sub;
	struct text label = { 0 };
	json_t *obj = NULL;
	double confidence = 0;

	reader_object(r, "intent", OPTIONAL, &obj);
	if (!obj)
		return;
	sub_reader(r, &sub, obj, "intent", -1);
	reader_string(&sub, "label", REQUIRED, 256, &label);
	reader_number(&sub, "confidence", OPTIONAL, 0, 1, &confidence);
	take_error(r, &sub);
	given(obj, "confidence", &confidence);
	set_from_bot(c, r, package, "intent", obj, confidence);
}

static void read_sentiment(const struct call *c, struct reader *r, json_t *package)
{
	struct reader sub;
	struct text label = { 0 };
	json_t *obj = NULL;
	double score = 0;

	reader_object(r, "sentiment", OPTIONAL, &obj);
	if (!obj)
		return;
	sub_reader(r, &sub, obj, "sentiment", -1);
	reader_word(&sub, "label", REQUIRED, "negative|neutral|positive", &label);
	reader_number(&sub, "score", OPTIONAL, -1, 1, &score);
	take_error(r, &sub);
	set_from_bot(c, r, package, "sentiment", obj, -1);
}

static void read_steps(const struct call *c, struct reader *r, json_t *package)
{
	json_t *list = NULL, *step, *copy;
	size_t i;

	reader_array(r, "steps_tried", OPTIONAL, PACKAGE_MAX_LIST, &list);
	if (!list)
		return;
	copy = body_copy(c->arena, list);
	if (!copy) {
		r->rc = no_memory(c->err);
		return;
	}
	json_array_foreach(copy, i, step) {
		struct reader sub;
		struct text action = { 0 }, outcome = { 0 }, detail = { 0 };
		sub_reader(r, &sub, step, "steps_tried", (long)i);
		reader_string(&sub, "action", REQUIRED, PACKAGE_MAX_TEXT, &action);
		reader_word(&sub, "outcome", OPTIONAL, "done|failed|unknown", &outcome);
		reader_text(&sub, "detail", OPTIONAL, PACKAGE_MAX_TEXT, &detail);
		take_error(r, &sub);
		if (r->rc == 0 && !outcome.s && body_set(step, "outcome", "unknown") < 0)
			r->rc = no_memory(c->err);
	}
	set_from_bot(c, r, package, "steps_tried", copy, -1);
}

static void read_entities(const struct call *c, struct reader *r, json_t *package)
{
	json_t *obj = NULL, *v;
	const char *key;

	reader_object(r, "entities", OPTIONAL, &obj);
	if (!obj)
		return;
	if (json_object_size(obj) > 64)
		reader_fail(r, ERR_TOO_LARGE, "entities", "has more than 64 fields");
	json_object_foreach(obj, key, v) {
		if (!json_is_string(v) && !json_is_number(v) && !json_is_boolean(v))
			reader_fail(r, ERR_WRONG_TYPE, "entities", "holds strings, numbers, true and false");
		else if (json_string_length(v) > 1024 || strlen(key) > 256)
			reader_fail(r, ERR_TOO_LARGE, "entities", "a value is longer than 1024 bytes");
	}
	set_from_bot(c, r, package, "entities", obj, -1);
}

static void read_cited(struct reader *r, json_t *list)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		struct reader sub;
		struct text id = { 0 }, version = { 0 }, quote = { 0 };
		sub_reader(r, &sub, item, "cited", (long)i);
		reader_string(&sub, "document_id", REQUIRED, 512, &id);
		reader_string(&sub, "version", OPTIONAL, 128, &version);
		reader_string(&sub, "quote", OPTIONAL, PACKAGE_MAX_TEXT, &quote);
		take_error(r, &sub);
	}
}

static void read_bot(const struct call *c, struct reader *r, json_t *package)
{
	struct reader sub;
	struct text name = { 0 }, model = { 0 }, draft = { 0 };
	json_t *obj = NULL, *cited = NULL;

	reader_object(r, "bot", OPTIONAL, &obj);
	if (!obj)
		return;
	sub_reader(r, &sub, obj, "bot", -1);
	reader_text(&sub, "name", OPTIONAL, 256, &name);
	reader_text(&sub, "model", OPTIONAL, 256, &model);
	reader_text(&sub, "draft_answer", OPTIONAL, 16384, &draft);
	reader_array(&sub, "cited", OPTIONAL, PACKAGE_MAX_LIST, &cited);
	if (cited)
		read_cited(&sub, cited);
	take_error(r, &sub);
	set_from_bot(c, r, package, "bot", obj, -1);
}

static void read_priority(const struct call *c, struct reader *r, json_t *package)
{
	json_t *v = NULL;

	reader_any(r, "priority", OPTIONAL, &v);
	if (v && !json_is_number(v) && !(json_is_string(v) && json_string_length(v) <= 64))
		reader_fail(r, ERR_WRONG_TYPE, "priority", "must be a number or a short string");
	set_from_bot(c, r, package, "priority", v, -1);
}

static void read_list(const struct call *c, struct reader *r, json_t *package, const char *field)
{
	json_t *list = NULL;

	reader_strings(r, field, OPTIONAL, PACKAGE_MAX_LIST, PACKAGE_MAX_TEXT, &list);
	set_from_bot(c, r, package, field, list, -1);
}

static void set_text(const struct call *c, struct reader *r, json_t *package, const char *field,
		     struct text t)
{
	if (r->rc == 0 && t.s && t.n && package_set(package, field, json_stringn(t.s, t.n), "bot", -1) < 0)
		r->rc = no_memory(c->err);
}

json_t *package_read(const struct call *c, struct reader *r)
{
	json_t *package = body_new(c->arena);
	struct text trigger = { 0 }, reason = { 0 }, queue = { 0 };

	if (!package) {
		r->rc = no_memory(c->err);
		return NULL;
	}
	reader_word(r, "trigger", REQUIRED, TRIGGERS, &trigger);
	set_text(c, r, package, "trigger", trigger);
	reader_text(r, "reason", OPTIONAL, PACKAGE_MAX_TEXT, &reason);
	set_text(c, r, package, "reason", reason);
	read_identity(c, r, package);
	read_intent(c, r, package);
	read_sentiment(c, r, package);
	read_steps(c, r, package);
	read_list(c, r, package, "unresolved_actions");
	read_list(c, r, package, "promises");
	read_entities(c, r, package);
	read_bot(c, r, package);
	reader_string(r, "queue", OPTIONAL, 64, &queue);
	set_text(c, r, package, "queue", queue);
	read_priority(c, r, package);
	return r->rc < 0 ? NULL : package;
}

/* The customer, verified only if the conversation says so. */
static int fill_identity(const struct conversation *v, json_t *package)
{
	struct text id = body_text(v->body, "customer");

	if (!id.s)
		return package_set(package, "identity", json_null(), "inferred", 0);
	json_t *who = json_object();
	if (!who || body_set_text(who, "customer_id", id) < 0 ||
	    body_set_text(who, "name", body_text(v->body, "customer_name")) < 0 ||
	    body_set_bool(who, "verified", body_bool(v->body, "customer_verified")) < 0) {
		json_decref(who);
		return -1;
	}
	return package_set(package, "identity", who, "inferred", 1);
}

/*
 * All who may see the conversation will see the package, now and later; so
 * examples vote that every one of them may see: with several groups in the ACL,
 * somebody may have any one of them alone.
 */
static int fill_intent(struct desk *d, const struct call *c, const struct conversation *v, json_t *package)
{
	const json_t *acl = json_object_get(v->body, "acl");
	const char *group = json_string_value(json_array_get(acl, 0));
	struct rights all = {
		.key = "", .agent = "", .groups = &group, .n_groups = json_array_size(acl) == 1
	};
	struct intent in;
	int rc = predict_intent(d, c, v, &all, &in);

	if (rc < 0)
		return rc;
	if (in.n == 0)
		return package_set(package, "intent", json_null(), "inferred", 0) < 0 ? no_memory(c->err) : 0;
	double confidence = in.candidates[0].confidence;
	json_t *value = json_pack("{s:s, s:f}", "label", in.candidates[0].label, "confidence", confidence);
	return package_set(package, "intent", value, "inferred", confidence) < 0 ? no_memory(c->err) : 0;
}

static int fill_sentiment(struct arena *a, const struct conversation *v, json_t *package)
{
	struct sentiment s = predict_sentiment(a, v);

	return package_set(package, "sentiment", json_pack("{s:s, s:f}", "label", s.label, "score", s.score),
			   "inferred", .5);
}

static int fill_text(json_t *package, const char *field, struct text t, double confidence)
{
	return t.s ? package_set(package, field, json_stringn(t.s, t.n), "inferred", confidence) : 0;
}

static int lacks(const json_t *package, const char *field)
{
	return json_object_get(package, field) == NULL;
}

int package_fill(struct desk *d, const struct call *c, const struct conversation *v, json_t *package)
{
	struct arena *a = c->arena;
	int rc = lacks(package, "intent") ? fill_intent(d, c, v, package) : 0;

	if (rc < 0)
		return rc;
	if ((lacks(package, "reason") && fill_text(package, "reason", infer_reason(a, v), .4) < 0) ||
	    (lacks(package, "identity") && fill_identity(v, package) < 0) ||
	    (lacks(package, "sentiment") && fill_sentiment(a, v, package) < 0) ||
	    (lacks(package, "steps_tried") &&
	     package_set(package, "steps_tried", infer_steps(a, v), "inferred", .5) < 0) ||
	    (lacks(package, "unresolved_actions") &&
	     package_set(package, "unresolved_actions", infer_unresolved(a, v), "inferred", .4) < 0) ||
	    (lacks(package, "promises") &&
	     package_set(package, "promises", infer_promises(a, v), "inferred", .6) < 0) ||
	    (lacks(package, "entities") &&
	     package_set(package, "entities", infer_entities(a, v), "inferred", .8) < 0) ||
	    (lacks(package, "queue") && fill_text(package, "queue", body_text(v->body, "queue"), 1) < 0))
		return no_memory(c->err);
	return 0;
}
