#include "datasets/dataset_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/map.h"
#include "datasets/dataset_internal.h"
#include "datasets/provenance.h"

#define SEEN ((uint64_t)1 << 63) /* of a row's place: B has it too */

struct side {
	json_t *manifest;
	struct provenance rows;
};

struct diff {
	struct side a, b;
	struct map *rows;            /* id -> place in a.rows */
	int same_format, same_bytes; /* same_bytes: rows that are equal have equal bytes, but for tokens */
	int (*row)(void *arg, enum diff_what what, const json_t *row, struct error *e);
	void *arg;
	struct dataset_diff *out;
	struct error *err;
};

const char *diff_name(enum diff_what what)
{
	static const char *const names[DIFF_KINDS] = { "added", "gone", "changed" };

	return names[what];
}

/* --- reading ---------------------------------------------------------------------------------------------- */

static int open_side(struct side *s, const char *folder, struct error *e)
{
	char path[DATASET_PATH + 64];
	char *text = NULL;
	size_t n = 0;

	snprintf(path, sizeof(path), "%.3000s/manifest.json", folder);
	int rc = file_read(path, &text, &n, e);
	if (rc == 0)
		rc = json_parse(text, n, e, &s->manifest);
	free(text);
	if (rc == ERR_NOT_FOUND)
		return rc;
	if (rc < 0 || body_int(s->manifest, "readback_dataset") != 1)
		return error_set(e, ERR_CORRUPT, NULL,
				 "%.300s is no manifest of a dataset that this version knows", path);
	return provenance_open(folder, &s->rows, e);
}

static void close_side(struct side *s)
{
	provenance_close(&s->rows);
	json_decref(s->manifest);
}

static int index_rows(struct diff *d)
{
	size_t at = 0;

	while (at < d->a.rows.n) {
		uint64_t place = at, *value;
		int fresh = 0;
		JSON_AUTO *j = provenance_next(&d->a.rows, &at, d->err);
		if (!j)
			return ERR_CORRUPT;
		const char *id = body_string(j, "row");
		if (!(value = map_put(d->rows, id, strlen(id), &fresh)))
			return no_memory(d->err);
		if (!fresh)
			return error_set(d->err, ERR_CORRUPT, NULL, DATASET_PROVENANCE " has a row twice");
		*value = place;
	}
	return 0;
}

/* --- reasons ---------------------------------------------------------------------------------------------- */

static json_t *missing_or(const json_t *j)
{
	return j ? json_incref((json_t *)j) : json_null();
}

/* Adds {"why","from","to"} if the field differs. */
static int add_if_differs(json_t *reasons, const char *why, const json_t *a, const json_t *b)
{
	if ((!a && !b) || (a && b && json_equal(a, b)))
		return 0;
	return json_array_append_new(reasons, json_pack("{s:s, s:o, s:o}", "why", why, "from", missing_or(a),
							"to", missing_or(b)));
}

static int add_reason(json_t *reasons, const char *why)
{
	return json_array_append_new(reasons, json_pack("{s:s}", "why", why));
}

static int differs(const struct diff *d, const char *field)
{
	const json_t *a = json_object_get(d->a.manifest, field), *b = json_object_get(d->b.manifest, field);

	return (a || b) && !(a && b && json_equal(a, b));
}

/* Is the row's time within what the manifest's request asked for? */
static int is_asked_for(const json_t *manifest, const json_t *row)
{
	int64_t at = body_time(row, "at");

	return (!json_object_get(manifest, "since") || at >= body_time(manifest, "since")) &&
	       (!json_object_get(manifest, "until") || at < body_time(manifest, "until"));
}

/* Is a leaf of the filter upon "consent"? */
static int asks_for_consent(const json_t *filter)
{
	const char *key = json_string_value(json_object_get(filter, "key"));
	json_t *inner, *all = (json_t *)(uintptr_t)filter;
	const char *name;
	size_t i;

	if (key && strcmp(key, "consent") == 0)
		return 1;
	json_object_foreach(all, name, inner) {
		if (json_is_object(inner) && asks_for_consent(inner))
			return 1;
		for (i = 0; i < json_array_size(inner); i++)
			if (asks_for_consent(json_array_get(inner, i)))
				return 1;
	}
	return 0;
}

/* Consent is as it was when the dataset was made, so it may differ where the requests do not. */
static int left_out_denied(const json_t *manifest)
{
	const json_t *skipped = json_object_get(manifest, "skipped");

	return body_int(skipped, "consent_denied") > 0 ||
	       (body_int(skipped, "filtered") > 0 && asks_for_consent(json_object_get(manifest, "filter")));
}

/* Why the other one has not the row: the first that is certain, or else all that may be. */
static int why_missing(const struct diff *d, const json_t *row, const json_t *other, json_t *reasons)
{
	if (json_object_get(row, "seq") && body_int(row, "seq") > body_int(other, "mark"))
		return add_reason(reasons, "recorded_later");
	if (!is_asked_for(other, row))
		return add_reason(reasons, "out_of_time");
	if ((differs(d, "format") && add_reason(reasons, "format") < 0) ||
	    (differs(d, "options") && add_reason(reasons, "options") < 0) ||
	    (differs(d, "pii") && add_reason(reasons, "pii") < 0) ||
	    (differs(d, "filter") && add_reason(reasons, "filter") < 0) ||
	    (differs(d, "agreement") && add_reason(reasons, "agreement") < 0) ||
	    (differs(d, "generator") && add_reason(reasons, "generator") < 0) ||
	    ((differs(d, "since") || differs(d, "until")) && add_reason(reasons, "time") < 0) ||
	    (differs(d, "mark") && add_reason(reasons, "changed_between_marks") < 0) ||
	    (left_out_denied(other) && add_reason(reasons, "consent_denied") < 0))
		return -1;
	return json_array_size(reasons) ? 0 : add_reason(reasons, "unknown");
}

/* The hash that only a change of the text changes. */
static const char *content_hash(const json_t *row)
{
	const char *masked = body_string(row, "masked");

	return *masked ? masked : body_string(row, "sha256");
}

static int why_changed(const struct diff *d, const json_t *a, const json_t *b, json_t *reasons)
{
	static const char *const fields[] = { "label", "intent", "origin", "resolution", "evidence", "part" };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (add_if_differs(reasons, fields[i], json_object_get(a, fields[i]),
				   json_object_get(b, fields[i])) < 0)
			return -1;
	if (!d->same_bytes)
		return 0;
	if (strcmp(content_hash(a), content_hash(b)) != 0)
		return add_reason(reasons, "text");
	return strcmp(body_string(a, "sha256"), body_string(b, "sha256")) != 0 ? add_reason(reasons, "tokens")
									       : 0;
}

/* --- rows --------------------------------------------------------------------------------------------------- */

/* `row` of B, or of A if it is gone; `reasons` is taken. */
static int tell(struct diff *d, enum diff_what what, const json_t *row, json_t *reasons)
{
	static const char *const ids[] = { "conversation", "example", "handoff" };
	JSON_AUTO *j = json_pack("{s:s, s:o}", "row", body_string(row, "row"), "reasons", reasons);

	for (size_t i = 0; j && i < sizeof(ids) / sizeof(ids[0]); i++)
		if (body_set(j, ids[i], body_string(row, ids[i])) < 0)
			return no_memory(d->err);
	if (!j)
		return no_memory(d->err);
	d->out->counts[what]++;
	return d->row ? d->row(d->arg, what, j, d->err) : 0;
}

static int compare_row(struct diff *d, const json_t *b)
{
	const char *id = body_string(b, "row");
	uint64_t *place = map_get(d->rows, id, strlen(id));
	JSON_AUTO *reasons = json_array();

	if (!reasons)
		return no_memory(d->err);
	if (!place)
		return why_missing(d, b, d->a.manifest, reasons) < 0
			       ? no_memory(d->err)
			       : tell(d, DIFF_ADDED, b, json_incref(reasons));
	size_t at = (size_t)*place;
	*place |= SEEN;
	JSON_AUTO *a = provenance_next(&d->a.rows, &at, d->err);
	if (!a)
		return ERR_CORRUPT;
	if (why_changed(d, a, b, reasons) < 0)
		return no_memory(d->err);
	if (json_array_size(reasons))
		return tell(d, DIFF_CHANGED, b, json_incref(reasons));
	d->out->equal++;
	return 0;
}

static int compare_rows(struct diff *d)
{
	uint64_t *place;
	const char *id;
	size_t at = 0, i = 0, n;
	int rc = 0;

	while (rc == 0 && at < d->b.rows.n) {
		JSON_AUTO *j = provenance_next(&d->b.rows, &at, d->err);
		rc = j ? compare_row(d, j) : ERR_CORRUPT;
	}
	while (rc == 0 && map_each(d->rows, &i, &id, &n, &place)) {
		if (*place & SEEN)
			continue;
		size_t from = (size_t)*place;
		JSON_AUTO *j = provenance_next(&d->a.rows, &from, d->err);
		JSON_AUTO *reasons = json_array();
		if (!j)
			rc = ERR_CORRUPT;
		else if (!reasons || why_missing(d, j, d->b.manifest, reasons) < 0)
			rc = no_memory(d->err);
		else
			rc = tell(d, DIFF_GONE, j, json_incref(reasons));
	}
	return rc;
}

/* --- requests and files ---------------------------------------------------------------------------------------- */

static int compare_requests(struct diff *d)
{
	static const char *const fields[] = { "format", "mark",      "since",  "until",    "options",
					      "pii",    "generator", "filter", "agreement" };
	const json_t *a = d->a.manifest, *b = d->b.manifest, *x, *y;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (differs(d, fields[i]) &&
		    body_set_take(d->out->request, fields[i],
				  json_pack("{s:o, s:o}", "from", missing_or(json_object_get(a, fields[i])),
					    "to", missing_or(json_object_get(b, fields[i])))) < 0)
			return no_memory(d->err);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "seed" : "by";
		x = json_object_get(json_object_get(a, "split"), name);
		y = json_object_get(json_object_get(b, "split"), name);
		if ((x || y) && !(x && y && json_equal(x, y)) &&
		    body_set_take(d->out->request, i ? "seed" : "split",
				  json_pack("{s:o, s:o}", "from", missing_or(x), "to", missing_or(y))) < 0)
			return no_memory(d->err);
	}
	return 0;
}

static const char *hash_of(const json_t *manifest, const char *name)
{
	const json_t *files = json_object_get(manifest, "files");

	for (size_t i = 0; i < json_array_size(files); i++)
		if (strcmp(body_string(json_array_get(files, i), "name"), name) == 0)
			return body_string(json_array_get(files, i), "sha256");
	return "";
}

/* Names of `here` that are not so in `there`; `missing`: only those that are not there at all. */
static int list_files(struct diff *d, const json_t *here, const json_t *there, int missing)
{
	const json_t *files = json_object_get(here, "files");

	for (size_t i = 0; i < json_array_size(files); i++) {
		const char *name = body_string(json_array_get(files, i), "name"),
			   *other = hash_of(there, name);
		if (!is_payload(name) || (missing ? *other != '\0' : strcmp(other, hash_of(here, name)) == 0))
			continue;
		if (json_array_append_new(d->out->files, json_string(name)) < 0)
			return no_memory(d->err);
	}
	return 0;
}

static int compare(struct diff *d)
{
	int rc = 0;

	if (differs(d, "kind"))
		return error_set(d->err, ERR_BAD_VALUE, NULL,
				 "one has rows of %s, the other of %s: there is nothing to compare",
				 body_string(d->a.manifest, "kind"), body_string(d->b.manifest, "kind"));
	d->same_format = !differs(d, "format");
	d->same_bytes = d->same_format && !differs(d, "options") && !differs(d, "pii");
	d->rows = map_new();
	d->out->request = json_object();
	d->out->files = d->same_format ? json_array() : NULL;
	if (!d->rows || !d->out->request || (d->same_format && !d->out->files))
		return no_memory(d->err);
	if ((rc = compare_requests(d)) < 0 || (rc = index_rows(d)) < 0 || (rc = compare_rows(d)) < 0)
		return rc;
	if (d->same_format && (rc = list_files(d, d->b.manifest, d->a.manifest, 0)) == 0)
		rc = list_files(d, d->a.manifest, d->b.manifest, 1);
	return rc;
}

int dataset_diff(const char *a, const char *b,
		 int (*row)(void *arg, enum diff_what what, const json_t *row, struct error *e), void *arg,
		 struct dataset_diff *out, struct error *e)
{
	struct diff d = { .row = row, .arg = arg, .out = out, .err = e };
	int rc;

	*out = (struct dataset_diff){ 0 };
	if ((rc = open_side(&d.a, a, e)) == 0 && (rc = open_side(&d.b, b, e)) == 0)
		rc = compare(&d);
	close_side(&d.a);
	close_side(&d.b);
	map_free(d.rows);
	if (rc < 0) {
		json_decref(out->request);
		json_decref(out->files);
		*out = (struct dataset_diff){ 0 };
	}
	return rc;
}
