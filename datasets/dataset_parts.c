#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "datasets/dataset_internal.h"

#define ARENA_ROWS 64 /* rows that share an arena */
#define NAME_SIZE 64

static const char *const usual_parts[PARTS] = { "train", "valid", "test" };

struct part_file {
	struct outfile *file; /* NULL: not open */
	char name[NAME_SIZE];
	uint64_t lines, rows;
};

struct parts {
	struct writing *w;
	const struct dataset_format *format;
	struct dataset_writer writer;
	struct part_file files[DATASET_FILES], provenance;
	json_t *listed;      /* borrowed */
	struct arena *arena; /* of the rows of now */
};

static enum dataset_part part_of(const struct writing *w, const struct kept_row *row)
{
	if (w->o->split == SPLIT_NONE)
		return w->o->format->flags & FORMAT_JUDGES ? PART_TEST : PART_TRAIN;
	return component_part(w->components, row->component);
}

static int part_is_written(const struct writing *w, enum dataset_part p)
{
	return w->o->split != SPLIT_NONE || p == part_of(w, NULL);
}

/* --- files ------------------------------------------------------------------------------------------------ */

/* One a part, or one of the dataset? */
static int is_of_part(const char *pattern)
{
	return strstr(pattern, "%s") != NULL;
}

/* In the payload: the pattern with the part's name in the place of %s. */
static void name_file(const struct parts *p, const char *pattern, char out[NAME_SIZE])
{
	const char *const *names = p->format->parts ? p->format->parts : usual_parts;
	const char *mark = strstr(pattern, "%s");

	if (mark)
		snprintf(out, NAME_SIZE, DATASET_PAYLOAD "%.*s%s%s", (int)(mark - pattern), pattern,
			 names[p->writer.part], mark + 2);
	else
		snprintf(out, NAME_SIZE, DATASET_PAYLOAD "%s", pattern);
}

static int open_file(struct parts *p, struct part_file *f)
{
	char path[DATASET_PATH + 256];
	const char *slash = strrchr(f->name, '/');
	int rc = 0;

	f->lines = f->rows = 0;
	if (slash) {
		snprintf(path, sizeof(path), "%s/%.*s", p->w->tmp, (int)(slash - f->name), f->name);
		rc = folder_make(path, p->w->err);
	}
	snprintf(path, sizeof(path), "%s/%s", p->w->tmp, f->name);
	return rc < 0 ? rc : outfile_open(path, OUTFILE_NAMED, &f->file, p->w->err);
}

/* The folder that it is in, if not w->tmp itself, of which file_publish() takes care. */
static int sync_folder(const struct parts *p, const struct part_file *f)
{
	char path[DATASET_PATH + 256];
	const char *slash = strrchr(f->name, '/');

	if (!slash)
		return 0;
	snprintf(path, sizeof(path), "%s/%.*s", p->w->tmp, (int)(slash - f->name), f->name);
	return folder_sync(path, p->w->err);
}

/* Closes it and tells the manifest's list of it; `rows` below 0: it has none. */
static int close_file(struct parts *p, struct part_file *f, long long rows)
{
	char hash[SHA256_TEXT];
	uint64_t bytes = outfile_bytes(f->file);
	int rc = outfile_end(f->file, hash, p->w->err);

	f->file = NULL;
	if (rc < 0 || (rc = sync_folder(p, f)) < 0)
		return rc;
	json_t *j = json_pack("{s:s, s:s, s:I}", "name", f->name, "sha256", hash, "bytes", (json_int_t)bytes);
	if (j && rows >= 0 && body_set_int(j, "rows", rows) < 0) {
		json_decref(j);
		j = NULL;
	}
	return json_array_append_new(p->listed, j) < 0 ? no_memory(p->w->err) : 0;
}

/* Those of parts, or those of the dataset. */
static int open_files(struct parts *p, int of_part)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < DATASET_FILES && p->format->files[i]; i++) {
		if (is_of_part(p->format->files[i]) != of_part)
			continue;
		name_file(p, p->format->files[i], p->files[i].name);
		rc = open_file(p, &p->files[i]);
	}
	return rc;
}

static int close_files(struct parts *p, int of_part)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < DATASET_FILES && p->format->files[i]; i++)
		if (is_of_part(p->format->files[i]) == of_part)
			rc = close_file(p, &p->files[i], i == 0 ? (long long)p->files[i].rows : -1);
	return rc;
}

/* --- what the format has said ------------------------------------------------------------------------------ */

static uint64_t count_lines(const char *s, size_t n)
{
	uint64_t lines = 0;

	for (const char *end = s + n; n && (s = memchr(s, '\n', (size_t)(end - s))); s++)
		lines++;
	return lines;
}

static int check_failed(struct parts *p)
{
	for (int i = 0; i < DATASET_FILES; i++)
		if (p->writer.out[i].failed)
			return no_memory(p->w->err);
	if (p->writer.zip.too_large)
		return error_set(p->w->err, ERR_TOO_LARGE, NULL,
				 "a zip holds 4 GiB and 65,535 files: export less, or with --option cap=N");
	return 0;
}

/* Puts it into the files. */
static int flush(struct parts *p)
{
	int rc = check_failed(p);

	for (int i = 0; rc == 0 && i < DATASET_FILES && p->format->files[i]; i++) {
		struct strbuf *b = &p->writer.out[i];
		if (b->n == 0)
			continue;
		outfile_add(p->files[i].file, b->p, b->n);
		p->files[i].lines += count_lines(b->p, b->n);
		strbuf_clear(b);
	}
	return rc;
}

static int call(struct parts *p, void (*what)(struct dataset_writer *w))
{
	if (what)
		what(&p->writer);
	return flush(p);
}

/* --- rows --------------------------------------------------------------------------------------------------- */

/* Of "[EMAIL_3f9a1c07be]", in which only the digits differ between two requests: are they at s[i]? */
static int is_token_digits(const char *s, size_t n, size_t i)
{
	if (i < 2 || s[i - 1] != '_' || s[i - 2] < 'A' || s[i - 2] > 'Z' || n - i < REDACT_DIGITS)
		return 0;
	for (size_t k = i; k < i + REDACT_DIGITS; k++)
		if (!((s[k] >= '0' && s[k] <= '9') || (s[k] >= 'a' && s[k] <= 'f')))
			return 0;
	return 1;
}

/* The hash without the digits of tokens; "" where there are none. */
static void hash_masked(const char *s, size_t n, char out[SHA256_TEXT])
{
	struct sha256 sum;
	size_t from = 0;

	sha256_init(&sum);
	for (size_t i = 0; i < n; i++)
		if (is_token_digits(s, n, i)) {
			sha256_add(&sum, s + from, i - from);
			from = i + REDACT_DIGITS;
			i = from - 1;
		}
	sha256_add(&sum, s + from, n - from);
	sha256_end_text(&sum, out);
	if (from == 0)
		out[0] = '\0';
}

/* Where the row is from, with the place it got. */
static int add_provenance(struct parts *p, struct text from, uint64_t line, const char *bytes, size_t n)
{
	char hash[SHA256_TEXT], masked[SHA256_TEXT] = "";
	json_t *parsed = NULL;
	size_t len = 0;
	int rc = json_parse(from.s, from.n, p->w->err, &parsed);

	if (rc < 0)
		return rc;
	JSON_AUTO *j = parsed;
	n -= n && bytes[n - 1] == '\n';
	crypto_sha256_text(n ? bytes : "", n, hash);
	if (n && p->w->o->pii == PII_REDACT)
		hash_masked(bytes, n, masked);
	char *s = NULL;
	if (body_set(j, "file", p->files[0].name) == 0 && body_set_int(j, "line", (int64_t)line) == 0 &&
	    body_set(j, "part", usual_parts[p->writer.part]) == 0 && body_set(j, "sha256", hash) == 0 &&
	    body_set(j, "masked", masked) == 0)
		s = json_text(j, &len);
	if (!s)
		return no_memory(p->w->err);
	outfile_add(p->provenance.file, s, len);
	outfile_add(p->provenance.file, "\n", 1);
	free(s);
	return 0;
}

static int write_row(struct parts *p, const struct kept_row *kept)
{
	struct strbuf *b = &p->writer.out[0];
	size_t before = b->n; /* more than 0 where the format holds */
	struct dataset_row row;
	struct text from = { NULL, 0 };
	int rc = load_row(p->w, kept, p->arena, &row, &from);

	if (rc < 0)
		return rc;
	if (row.kind == DATASET_INTENTS)
		row.label = p->w->labels[kept->label].as;
	/* Of what is held the line is one of what label_end will see. */
	uint64_t line = before ? count_lines(b->p, before) + 1 : p->files[0].lines + 1;
	p->format->row(&p->writer, &row);
	if ((rc = check_failed(p)) < 0 ||
	    (rc = add_provenance(p, from, line, b->p ? b->p + before : "", b->n - before)) < 0)
		return rc;
	p->writer.rows++;
	p->writer.part_rows++;
	p->writer.label_rows++;
	p->files[0].rows++;
	return p->format->flags & FORMAT_HOLD ? 0 : flush(p);
}

static int write_label(struct parts *p, const struct kept_row *before, const struct kept_row *now)
{
	const struct label *labels = p->w->labels;
	int rc = 0;

	if (!(p->format->flags & FORMAT_BY_LABEL) || (before && now && before->label == now->label))
		return 0;
	if (before && p->format->label_end)
		p->format->label_end(&p->writer, labels[before->label].as);
	if (before)
		rc = flush(p);
	p->writer.label_rows = 0;
	if (rc == 0 && now && p->format->label_begin)
		p->format->label_begin(&p->writer, labels[now->label].as);
	return rc == 0 && now && !(p->format->flags & FORMAT_HOLD) ? flush(p) : rc;
}

/* A new arena for each few rows. */
static int renew_arena(struct parts *p, size_t i)
{
	if (i % ARENA_ROWS)
		return 0;
	arena_free(p->arena);
	p->arena = arena_new(64 << 10);
	return p->arena ? 0 : no_memory(p->w->err);
}

static int write_part(struct parts *p, const struct kept_row *rows, size_t n)
{
	const struct kept_row *before = NULL;
	int rc = open_files(p, 1);

	p->writer.part_rows = p->writer.label_rows = 0;
	if (rc == 0)
		rc = call(p, p->format->begin);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if ((rc = check_stop(p->w)) < 0 || (rc = renew_arena(p, i)) < 0 ||
		    (rc = write_label(p, before, &rows[i])) < 0)
			break;
		rc = write_row(p, &rows[i]);
		before = &rows[i];
	}
	if (rc == 0)
		rc = write_label(p, before, NULL);
	if (rc == 0)
		rc = call(p, p->format->end);
	return rc < 0 ? rc : close_files(p, 1);
}

/* --- the order of rows -------------------------------------------------------------------------------------- */

static int by_place(const void *x, const void *y)
{
	const struct kept_row *a = x, *b = y;

	if (a->lot != b->lot)
		return a->lot < b->lot ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* By part, by label if the format wants that, then as recorded. counts[part] are the rows of each. */
static void sort_rows(struct writing *w, uint64_t counts[PARTS])
{
	for (size_t i = 0; i < w->rows; i++) {
		struct kept_row *row = &w->kept[i];
		enum dataset_part part = part_of(w, row);
		uint32_t rank = w->o->format->flags & FORMAT_BY_LABEL ? w->labels[row->label].rank : 0;
		row->lot = (uint64_t)part << 32 | rank;
		counts[part]++;
	}
	qsort(w->kept, w->rows, sizeof(*w->kept), by_place);
}

/* --- all of them ---------------------------------------------------------------------------------------------- */

/* The names of the labels that stay, by rank. */
static int list_labels(struct parts *p)
{
	const struct writing *w = p->w;
	struct text *names = arena_alloc(w->arena, (w->n_labels + 1) * sizeof(*names));
	size_t n = 0;

	if (!names)
		return no_memory(w->err);
	for (size_t i = 0; i < w->n_labels; i++)
		if (w->labels[i].rows) {
			names[w->labels[i].rank] = w->labels[i].as;
			n++;
		}
	p->writer.labels = names;
	p->writer.n_labels = n;
	return 0;
}

static int write_document(void *arg, const struct passage *d)
{
	struct parts *p = arg;

	p->format->document(&p->writer, d);
	return flush(p);
}

static int write_all(struct parts *p, const uint64_t counts[PARTS])
{
	struct writing *w = p->w;
	const struct kept_row *next = w->kept;
	int rc = list_labels(p);

	snprintf(p->provenance.name, NAME_SIZE, "%s", DATASET_PROVENANCE);
	if (rc == 0 && (rc = open_file(p, &p->provenance)) == 0 && (rc = open_files(p, 0)) == 0)
		rc = call(p, p->format->open);
	if (rc == 0 && p->format->document && w->documents)
		rc = documents_each(w, w->documents, write_document, p);
	for (int part = 0; rc == 0 && part < PARTS; part++) {
		if (!part_is_written(w, (enum dataset_part)part))
			continue;
		p->writer.part = (enum dataset_part)part;
		rc = write_part(p, next, (size_t)counts[part]);
		next += counts[part];
	}
	if (rc == 0)
		rc = call(p, p->format->close);
	if (rc == 0)
		rc = close_files(p, 0);
	return rc < 0 ? rc : close_file(p, &p->provenance, (long long)w->rows);
}

int write_parts(struct writing *w, json_t *files, struct dataset_summary *done)
{
	struct parts p = { .w = w, .format = w->o->format, .listed = files };

	p.writer.kind = w->o->kind;
	p.writer.settings = w->settings.own;
	sort_rows(w, done->parts);
	int rc = write_all(&p, done->parts);
	for (int i = 0; i < DATASET_FILES; i++) {
		outfile_drop(p.files[i].file);
		strbuf_release(&p.writer.out[i]);
	}
	outfile_drop(p.provenance.file);
	zip_release(&p.writer.zip);
	arena_free(p.arena);
	return rc;
}
