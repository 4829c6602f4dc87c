#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "datasets/dataset_internal.h"

#define PROVENANCE "rows.provenance.jsonl"
#define MANIFEST "manifest.json"

static const char *const part_files[PARTS] = { "train.jsonl", "valid.jsonl", "test.jsonl" };
static const char *const reason_names[REASONS] = { "superseded", "not_resolved", "out_of_time",
						   "nothing_to_learn" };

/* Parts that have a file. */
static int parts_of(const struct writing *w)
{
	return w->o->split == SPLIT_NONE ? 1 : PARTS;
}

static int part_of(const struct writing *w, const struct kept_row *row)
{
	return w->o->split == SPLIT_NONE ? PART_TRAIN : (int)component_part(row->component);
}

/* --- the manifest ------------------------------------------------------------------------------------------ */

/* What stayed and may be something to look at. NULL without memory. */
static json_t *kept_json(const struct writing *w)
{
	const char *const *samples;
	size_t n = redactor_samples(w->redactor, &samples);
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++)
		json_array_append_new(list, json_string(samples[i]));
	return json_pack("{s:I, s:o}", "places", (json_int_t)redactor_kept(w->redactor), "samples", list);
}

static json_t *redaction_json(const struct writing *w)
{
	json_t *counts;
	int bad = 0;

	if (w->o->pii == PII_KEEP)
		return json_pack("{s:s}", "mode", dataset_pii_name(PII_KEEP));
	counts = json_object();
	for (int k = 0; k < REDACT_KINDS; k++)
		bad |= body_set_int(counts, redact_kind_name((enum redact_kind)k),
				    (int64_t)redactor_count(w->redactor, (enum redact_kind)k)) < 0;
	if (bad) {
		json_decref(counts);
		return NULL;
	}
	return json_pack("{s:s, s:o, s:o, s:s}", "mode", dataset_pii_name(PII_REDACT), "counts", counts,
			 "kept", kept_json(w), "limits", REDACT_LIMITS);
}

static json_t *split_json(const struct writing *w)
{
	json_t *j = json_pack("{s:s, s:{s:f, s:f, s:f}, s:I, s:I}", "by", dataset_split_name(w->o->split),
			      "sizes", "train", 0.8, "valid", 0.1, "test", 0.1, "components",
			      (json_int_t)components_with_rows(w->components), "joined_by_near_duplicates",
			      (json_int_t)components_joined(w->components));

	if (j && w->o->split == SPLIT_HASH && body_set_int(j, "seed", (int64_t)w->o->seed) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static json_t *skipped_json(const struct writing *w)
{
	json_t *j = json_object();
	int bad = 0;

	for (int i = 0; i < REASONS; i++)
		bad |= w->skipped[i] && body_set_int(j, reason_names[i], (int64_t)w->skipped[i]) < 0;
	if (bad) {
		json_decref(j);
		return NULL;
	}
	return j;
}

/* `files` is borrowed. NULL without memory. */
static char *manifest_text(const struct writing *w, json_t *files)
{
	JSON_AUTO *j = json_pack("{s:i, s:s, s:s, s:I, s:s, s:o, s:I, s:o, s:O}", "readback_dataset", 1,
				 "format", w->o->format->name, "kind", dataset_kind_name(w->o->kind), "mark",
				 (json_int_t)w->mark, "pii", dataset_pii_name(w->o->pii), "redaction",
				 redaction_json(w), "rows", (json_int_t)w->rows, "skipped", skipped_json(w),
				 "files", files);

	if (!j || (w->o->since && body_set_time(j, "since", w->o->since) < 0) ||
	    (w->o->until && body_set_time(j, "until", w->o->until) < 0) ||
	    (w->o->split != SPLIT_NONE && body_set_take(j, "split", split_json(w)) < 0))
		return NULL;
	return json_dumps(j, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_DIGITS);
}

/* --- files --------------------------------------------------------------------------------------------------- */

static int write_in(const struct writing *w, const char *folder, const char *name, const char *s, size_t n)
{
	char path[DATASET_PATH + 256];

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return error_set(w->err, ERR_FOLDER, NULL, "the path of the folder is too long");
	return file_write(path, s, n, w->err);
}

/* Writes the file and tells the manifest's list of it. */
static int write_listed(const struct writing *w, const char *folder, const char *name, const struct strbuf *b,
			uint64_t rows, json_t *files)
{
	char hash[SHA256_TEXT];

	if (b->failed)
		return no_memory(w->err);
	crypto_sha256_text(b->n ? b->p : "", b->n, hash);
	if (json_array_append_new(files, json_pack("{s:s, s:s, s:I, s:I}", "name", name, "sha256", hash,
						   "bytes", (json_int_t)b->n, "rows", (json_int_t)rows)) < 0)
		return no_memory(w->err);
	return write_in(w, folder, name, b->n ? b->p : "", b->n);
}

/* Where the row is from, with the place it got. */
static int add_provenance(const struct writing *w, const struct kept_row *row, const char *file,
			  uint64_t line, struct strbuf *out)
{
	json_t *parsed = NULL;
	size_t n;
	int rc = json_parse(w->from.p + row->from, row->from_n, w->err, &parsed);

	if (rc < 0)
		return rc;
	JSON_AUTO *j = parsed;
	if (body_set(j, "file", file) < 0 || body_set_int(j, "line", (int64_t)line) < 0)
		return no_memory(w->err);
	char *s = json_text(j, &n);
	if (!s)
		return no_memory(w->err);
	strbuf_add(out, s, n);
	strbuf_putc(out, '\n');
	free(s);
	return 0;
}

/* The rows of a part, in the order they were recorded in. */
static int write_part(const struct writing *w, const char *folder, enum dataset_part part,
		      struct strbuf *provenance, uint64_t *rows, json_t *files)
{
	STRBUF_AUTO data = STRBUF_INIT;
	uint64_t line = 0;

	for (size_t i = 0; i < w->rows; i++) {
		const struct kept_row *row = &w->kept[i];
		if (part_of(w, row) != (int)part)
			continue;
		strbuf_add(&data, w->data.p + row->start, row->n);
		int rc = add_provenance(w, row, part_files[part], ++line, provenance);
		if (rc < 0)
			return rc;
	}
	*rows = line;
	return write_listed(w, folder, part_files[part], &data, line, files);
}

static int write_files(const struct writing *w, const char *folder, struct dataset_summary *out)
{
	STRBUF_AUTO provenance = STRBUF_INIT;
	JSON_AUTO *files = json_array();
	struct dataset_summary done = { .mark = w->mark, .rows = w->rows };
	int rc = files ? 0 : no_memory(w->err);

	for (int p = 0; rc == 0 && p < parts_of(w); p++)
		rc = write_part(w, folder, (enum dataset_part)p, &provenance, &done.parts[p], files);
	if (rc == 0)
		rc = write_listed(w, folder, PROVENANCE, &provenance, w->rows, files);
	if (rc < 0)
		return rc;
	char *text = manifest_text(w, files);
	if (!text)
		return no_memory(w->err);
	rc = write_in(w, folder, MANIFEST, text, strlen(text));
	crypto_sha256_text(text, strlen(text), done.sha256);
	free(text);
	for (int i = 0; i < REASONS; i++)
		done.skipped += w->skipped[i];
	for (int k = 0; k < REDACT_KINDS; k++)
		done.redacted += redactor_count(w->redactor, (enum redact_kind)k);
	if (rc == 0)
		*out = done;
	return rc;
}

/* All that write_files() may have made. */
static void remove_files(const char *folder)
{
	static const char *const others[] = { PROVENANCE, MANIFEST };
	char path[DATASET_PATH + 256];

	for (size_t i = 0; i < PARTS + sizeof(others) / sizeof(others[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, i < PARTS ? part_files[i] : others[i - PARTS]);
		file_remove(path, NULL);
	}
	rmdir(folder);
}

int dataset_check_folder(const char *folder, char out[DATASET_PATH], struct error *e)
{
	size_t n = strlen(folder), entries = 0;
	char **names;

	while (n > 1 && folder[n - 1] == '/')
		n--;
	if (n == 0 || n >= DATASET_PATH)
		return error_set(e, ERR_FOLDER, NULL, "the path of the folder is empty or too long");
	memcpy(out, folder, n);
	out[n] = '\0';
	if (!file_exists(out))
		return 0;
	if (!file_is_folder(out))
		return error_set(e, ERR_EXISTS, NULL, "%.200s is there already, and no folder", out);
	int rc = folder_list(out, &names, &entries, e);
	if (rc < 0)
		return rc;
	free(names);
	return entries ? error_set(e, ERR_EXISTS, NULL, "the folder %.200s is not empty: name a new one", out)
		       : 0;
}

int dataset_publish(struct writing *w, struct dataset_summary *out)
{
	char folder[DATASET_PATH], tmp[DATASET_PATH + 128];
	int rc = dataset_check_folder(w->o->folder, folder, w->err);

	if (rc < 0)
		return rc;
	snprintf(tmp, sizeof(tmp), "%s.tmp-%ld", folder, (long)getpid());
	rc = folder_make(tmp, w->err);
	if (rc == 0)
		rc = write_files(w, tmp, out);
	if (rc == 0)
		rc = file_publish(tmp, folder, w->err);
	if (rc < 0)
		remove_files(tmp);
	return rc;
}
