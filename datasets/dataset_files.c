#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/version.h"
#include "datasets/dataset_internal.h"

static const char *const reason_names[REASONS] = {
	[SKIP_SUPERSEDED] = "superseded",
	[SKIP_OUTCOME] = "not_resolved",
	[SKIP_TIME] = "out_of_time",
	[SKIP_FILTERED] = "filtered",
	[SKIP_CONSENT_DENIED] = "consent_denied",
	[SKIP_NOTHING_SAID] = "nothing_to_learn",
	[SKIP_ONLY_PERSONAL] = "only_personal_data",
	[SKIP_NO_DRAFT] = "no_draft",
	[SKIP_NO_ANSWER] = "no_answer",
	[SKIP_SAME_ANSWER] = "same_answer",
	[SKIP_OTHER_QUESTION] = "customer_said_more",
	[SKIP_NO_EVIDENCE] = "no_evidence_used",
	[SKIP_FEW_VOTES] = "too_few_votes",
	[SKIP_DISAGREEMENT] = "disagreement",
	[SKIP_CAPPED] = "capped",
	[SKIP_FEW_EXAMPLES] = "too_few_examples",
	[SKIP_FEW_NEGATIVES] = "too_few_negatives",
	[SKIP_TOO_LONG] = "too_long",
};

void reasons_list(const struct writing *w, struct strbuf *out)
{
	for (int i = 0; i < REASONS; i++)
		if (w->skipped[i])
			strbuf_printf(out, "%s%s %llu", out->n ? ", " : "", reason_names[i],
				      (unsigned long long)w->skipped[i]);
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

static json_t *split_json(const struct writing *w, const uint64_t rows[PARTS])
{
	json_t *j = json_pack("{s:s, s:{s:f, s:f, s:f}, s:{s:I, s:I, s:I}, s:I, s:I}", "by",
			      dataset_split_name(w->o->split), "sizes", "train", w->sizes[PART_TRAIN],
			      "valid", w->sizes[PART_VALID], "test", w->sizes[PART_TEST], "rows", "train",
			      (json_int_t)rows[PART_TRAIN], "valid", (json_int_t)rows[PART_VALID], "test",
			      (json_int_t)rows[PART_TEST], "components",
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

/* A label, how many rows have it, and what the format calls it if that is another name. */
static json_t *label_json(const struct label *l)
{
	json_t *j = json_pack("{s:s%, s:I}", "label", l->name.s, l->name.n, "rows", (json_int_t)l->rows);
	int other = l->as.n != l->name.n || memcmp(l->as.s, l->name.s, l->as.n) != 0;

	if (j && other && body_set_text(j, "as", l->as) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static json_t *labels_json(const struct writing *w)
{
	json_t **by_rank = calloc(w->n_labels + 1, sizeof(json_t *)), *list = json_array();
	int bad = !by_rank || !list;

	for (size_t i = 0; !bad && i < w->n_labels; i++)
		if (w->labels[i].rows)
			by_rank[w->labels[i].rank] = label_json(&w->labels[i]);
	for (size_t i = 0; !bad && i < w->n_labels && by_rank[i]; i++)
		bad = json_array_append_new(list, by_rank[i]) < 0;
	free(by_rank);
	if (bad) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static int asks_for_votes(const struct dataset_options *o)
{
	return o->min_votes || o->agreement > 0;
}

/* `files` is borrowed. NULL without memory. */
static json_t *manifest_json(const struct writing *w, json_t *files, const struct dataset_summary *done)
{
	json_t *j = json_pack("{s:i, s:{s:s, s:s}, s:s, s:s, s:I, s:s, s:o, s:I, s:o, s:O}",
			      "readback_dataset", 1, "generator", "name", READBACK_NAME, "version",
			      READBACK_VERSION, "format", w->o->format->name, "kind",
			      dataset_kind_name(w->o->kind), "mark", (json_int_t)w->mark, "pii",
			      dataset_pii_name(w->o->pii), "redaction", redaction_json(w), "rows",
			      (json_int_t)w->rows, "skipped", skipped_json(w), "files", files);
	json_t *options = settings_json(w);
	int given = json_object_size(options) > 0, bad = !j || !options;

	bad = bad || (given && body_set_copy(j, "options", options) < 0);
	json_decref(options);
	if (bad || (w->o->since && body_set_time(j, "since", w->o->since) < 0) ||
	    (w->o->until && body_set_time(j, "until", w->o->until) < 0) ||
	    body_set_copy(j, "filter", w->o->filter) < 0 ||
	    (w->o->split != SPLIT_NONE && body_set_take(j, "split", split_json(w, done->parts)) < 0) ||
	    (asks_for_votes(w->o) && body_set_take(j, "agreement", dataset_agreement_json(w->o)) < 0) ||
	    (w->o->kind == DATASET_INTENTS && (body_set_take(j, "labels", labels_json(w)) < 0 ||
					       body_set_take(j, "votes", votes_json(w)) < 0)) ||
	    (w->documents && body_set_int(j, "documents", (int64_t)documents_count(w->documents)) < 0)) {
		json_decref(j);
		return NULL;
	}
	return j;
}

/* --- files --------------------------------------------------------------------------------------------------- */

static int write_files(struct writing *w, struct dataset_summary *out)
{
	struct dataset_summary done = { .mark = w->mark, .rows = w->rows };
	JSON_AUTO *files = json_array();
	int rc = files ? write_parts(w, files, &done) : no_memory(w->err);

	if (rc < 0)
		return rc;
	JSON_AUTO *manifest = manifest_json(w, files, &done);
	if (!manifest)
		return no_memory(w->err);
	for (int i = 0; i < REASONS; i++)
		done.skipped += w->skipped[i];
	for (int k = 0; k < REDACT_KINDS; k++)
		done.redacted += redactor_count(w->redactor, (enum redact_kind)k);
	if ((rc = write_package(w, manifest, done.sha256)) == 0)
		*out = done;
	return rc;
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

int dataset_begin(struct writing *w)
{
	snprintf(w->tmp, sizeof(w->tmp), "%s.tmp-%ld", w->folder, (long)getpid());
	return folder_make(w->tmp, w->err);
}

int dataset_publish(struct writing *w, struct dataset_summary *out)
{
	struct dataset_summary done;
	int rc = write_files(w, &done);

	/* Somebody may have put something there meanwhile. */
	if (rc == 0)
		rc = dataset_check_folder(w->o->folder, w->folder, w->err);
	if (rc == 0)
		rc = file_publish(w->tmp, w->folder, w->err);
	if (rc == 0)
		*out = done;
	return rc;
}

void dataset_discard(struct writing *w)
{
	folder_remove(w->tmp, NULL);
}
