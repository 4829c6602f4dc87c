#include "ingest/foreign.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "ingest/values.h"

#define MANIFEST "manifest.json"
#define MANIFEST_VERSION 1

static const struct import_format *const formats[] = { &in_fasttext, &in_label_studio, &in_argilla,
						       &in_openai, &in_vcon };

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

struct foreign {
	const struct import_format *format;
	struct importer *importer;
	json_t *labels; /* as the format calls it: what it is; NULL: labels are as they stand */
};

int import_format_find(enum import_what what, const char *name, const struct import_format **out,
		       struct error *e)
{
	STRBUF_AUTO known = STRBUF_INIT;

	for (size_t i = 0; i < FORMATS; i++) {
		if (formats[i]->what != what)
			continue;
		if (strcmp(formats[i]->name, name) == 0) {
			*out = formats[i];
			return 0;
		}
		strbuf_printf(&known, "%s%s", known.n ? ", " : "", formats[i]->name);
	}
	if (known.failed)
		return no_memory(e);
	if (known.n == 0)
		return error_set(
			e, ERR_USAGE, NULL,
			"--from is for examples and conversations; BEIR corpora are documents as they are");
	return error_set(e, ERR_USAGE, NULL, "--from takes %s here, not \"%.80s\"", known.p, name);
}

/* --- labels, from the manifest of a dataset ------------------------------------------------------------- */

/* `path` with another name in the place of its last part. Caller frees. */
static char *beside(const char *path, const char *name)
{
	STRBUF_AUTO b = STRBUF_INIT;
	const char *slash = strrchr(path, '/');

	strbuf_add(&b, path, slash ? (size_t)(slash + 1 - path) : 0);
	strbuf_puts(&b, name);
	return strbuf_steal(&b, NULL);
}

static int read_labels(struct foreign *f, const json_t *manifest, struct error *e)
{
	const json_t *version = json_object_get(manifest, "readback_dataset"), *item;
	const char *format = json_string_value(json_object_get(manifest, "format"));
	size_t i;

	if (!json_is_integer(version) || !format || strcmp(format, f->format->name) != 0)
		return 0; /* of something else */
	if (json_integer_value(version) > MANIFEST_VERSION)
		return error_set(e, ERR_NEWER_FORMAT, NULL,
				 "%s beside the file is of version %lld; this program knows version %d",
				 MANIFEST, (long long)json_integer_value(version), MANIFEST_VERSION);
	if (!(f->labels = json_object()))
		return no_memory(e);
	json_array_foreach(json_object_get(manifest, "labels"), i, item) {
		const char *as = json_string_value(json_object_get(item, "as"));
		json_t *label = json_object_get(item, "label");
		if (as && json_is_string(label) && json_object_set(f->labels, as, label) < 0)
			return no_memory(e);
	}
	return 0;
}

static int find_labels(struct foreign *f, const char *path, struct error *e)
{
	char *manifest = beside(path, MANIFEST), *s = NULL;
	JSON_AUTO *j = NULL;
	struct error ignored;
	size_t n;
	int rc = manifest ? 0 : no_memory(e);

	/* A dataset's rows are in a folder of their own, data/. */
	if (rc == 0 && !file_exists(manifest)) {
		free(manifest);
		manifest = beside(path, "../" MANIFEST);
		rc = manifest ? 0 : no_memory(e);
	}
	if (rc == 0 && file_exists(manifest) && (rc = file_read(manifest, &s, &n, e)) == 0 &&
	    json_parse(s, n, &ignored, &j) == 0)
		rc = read_labels(f, j, e);
	free(s);
	free(manifest);
	return rc;
}

int foreign_open(const struct import_format *format, struct importer *m, const char *path,
		 struct foreign **out, struct error *e)
{
	struct foreign *f = calloc(1, sizeof(*f));

	if (!f)
		return no_memory(e);
	f->format = format;
	f->importer = m;
	int rc = format->line && strcmp(path, "-") != 0 ? find_labels(f, path, e) : 0;
	if (rc < 0) {
		foreign_close(f);
		return rc;
	}
	*out = f;
	return 0;
}

void foreign_close(struct foreign *f)
{
	if (!f)
		return;
	json_decref(f->labels);
	free(f);
}

int foreign_has_lines(const struct foreign *f)
{
	return f->format->line != NULL;
}

/* --- lines and values ----------------------------------------------------------------------------------- */

static int make_line(const struct foreign *f, struct arena *a, struct text in, json_t **out,
		     struct error *why)
{
	json_t *value;
	int rc;

	if (f->format->line)
		return f->format->line(a, f->labels, in, out, why);
	if ((rc = json_parse_arena(a, in.s, in.n, why, &value)) < 0)
		return rc;
	return f->format->value(a, value, out, why);
}

int foreign_line(struct foreign *f, const char *file, uint64_t line, const char *s, size_t n, struct error *e)
{
	struct arena *a = arena_new(64 << 10);
	struct error why = { 0 };
	json_t *out = NULL;
	char *text = NULL;
	size_t len = 0;
	int rc = a ? make_line(f, a, (struct text){ s, n }, &out, &why) : no_memory(&why);

	if (rc == 0 && out && !(text = json_text(out, &len)))
		rc = no_memory(&why);
	if (rc < 0 && import_is_line_error(rc))
		rc = importer_refuse(f->importer, file, line, &why, e);
	else if (rc < 0 && e)
		*e = why;
	else if (rc == 0 && text)
		rc = importer_add(f->importer, file, line, text, len, e);
	free(text);
	arena_free(a);
	return rc;
}

static int add_value(struct foreign *f, const char *file, const struct value *v, struct error *e)
{
	struct error why;

	if (v->cut)
		error_set(&why, ERR_BAD_JSON, NULL, "the file ends within its array");
	else if (v->n > IMPORT_MAX_LINE)
		error_set(&why, ERR_TOO_LARGE, NULL, "is longer than %u bytes", IMPORT_MAX_LINE);
	else
		return foreign_line(f, file, v->number, v->s, v->n, e);
	return importer_refuse(f->importer, file, v->number, &why, e);
}

int foreign_values(struct foreign *f, const char *file, struct lines *l, struct error *e)
{
	struct values *values;
	struct value v;
	int rc = values_open(l, &values, e);

	if (rc < 0)
		return rc;
	while ((rc = values_next(values, IMPORT_MAX_LINE, &v, e)) > 0)
		if ((rc = add_value(f, file, &v, e)) < 0)
			break;
	values_close(values);
	return rc;
}

struct text string_text(const json_t *s)
{
	return (struct text){ json_string_value(s), json_string_length(s) };
}

int example_line(struct arena *a, struct text text, struct text label, const json_t *at, json_t **out,
		 struct error *why)
{
	json_t *j = json_keep(a,
			      json_pack("{s:s%, s:s%}", "text", text.s, text.n, "label", label.s, label.n));

	if (!j || (at && json_object_set_new(j, "at", json_copy((json_t *)at)) < 0))
		return no_memory(why);
	*out = j;
	return 0;
}
