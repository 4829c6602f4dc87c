/* What is told of datasets, and their files. */
#include "datasets/dataset.h"
#include "datasets/dataset_jobs_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/strbuf.h"

#define PAGE 100
#define PIECE (64u << 10)

/* --- the files of a folder -------------------------------------------------------------------------------- */

/* As the manifest writes it; from where the file stands to its end. */
static int hash_open(int fd, const char *path, char text[SHA256_TEXT], struct error *e)
{
	unsigned char piece[PIECE];
	struct sha256 s;
	size_t got = 1;
	int rc = 0;

	sha256_init(&s);
	while (rc == 0 && got > 0) {
		rc = file_pull(fd, piece, sizeof(piece), &got, path, e);
		if (rc == 0)
			sha256_add(&s, piece, got);
	}
	sha256_end_text(&s, text);
	return rc;
}

static int hash_file(const char *path, char text[SHA256_TEXT], int64_t *bytes, struct error *e)
{
	int fd, rc = file_open(path, &fd, bytes, e);

	if (rc < 0)
		return rc;
	rc = hash_open(fd, path, text, e);
	close(fd);
	return rc;
}

struct listing {
	struct arena *arena;
	const char *folder;
	const json_t *manifest;
	json_t *files;
	struct error *err;
};

/* What the manifest tells of a file; NULL where it does not. */
static const json_t *listed(const json_t *manifest, const char *name)
{
	const json_t *file;
	size_t i;

	json_array_foreach(json_object_get(manifest, "files"), i, file)
		if (strcmp(body_string(file, "name"), name) == 0)
			return file;
	return NULL;
}

static int list_file(struct listing *l, const char *path, const char *name)
{
	const json_t *known = listed(l->manifest, name);
	char hash[SHA256_TEXT];
	json_t *j;
	int64_t bytes;

	/* It was hashed as it was written. */
	if (known) {
		j = json_deep_copy(known);
	} else {
		int rc = hash_file(path, hash, &bytes, l->err);
		if (rc < 0)
			return rc;
		j = json_pack("{s:s, s:s, s:I}", "name", name, "sha256", hash, "bytes", (json_int_t)bytes);
	}
	return json_array_append_new(l->files, j) < 0 ? no_memory(l->err) : 0;
}

/* All in the folder `below` of it, "" for itself; a folder's files come where its name is. */
static int list_folder(struct listing *l, const char *below)
{
	char **names;
	size_t n;
	int rc = folder_list(arena_printf(l->arena, "%s/%s", l->folder, below), &names, &n, l->err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const char *name = arena_printf(l->arena, "%s%s", below, names[i]);
		const char *path = arena_printf(l->arena, "%s/%s", l->folder, name);
		if (!name || !path)
			rc = no_memory(l->err);
		else if (file_is_folder(path))
			rc = list_folder(l, arena_printf(l->arena, "%s/", name));
		else
			rc = list_file(l, path, name);
	}
	free(names);
	return rc;
}

int dataset_files_list(struct arena *a, const char *folder, const json_t *manifest, json_t **out,
		       struct error *e)
{
	struct listing l = { a, folder, manifest, json_keep(a, json_array()), e };
	int rc = l.files ? list_folder(&l, "") : no_memory(e);

	if (rc == 0)
		*out = l.files;
	return rc;
}

/* --- what is told ------------------------------------------------------------------------------------------ */

static int may_see(const struct call *c, const struct record *r)
{
	return c->rights->all_groups && (rights_scope(c->rights, SCOPE_ADMIN) ||
					 strcmp(body_string(r->body, "key"), c->rights->key) == 0);
}

static int load(struct dataset_jobs *j, const struct call *c, const char *id, struct record *out)
{
	int rc = engine_get(j->desk->engine, RECORD_DATASET, id, c->arena, out, c->err);

	if (rc == ERR_NOT_FOUND || (rc == 0 && !may_see(c, out)))
		return error_set(c->err, ERR_NOT_FOUND, NULL, "there is no such dataset");
	return rc;
}

/* Where the file is served: its name is one segment of the path, "/" is %2F. */
static const char *url_of(struct arena *a, const char *id, const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	STRBUF_AUTO url = STRBUF_INIT;

	strbuf_printf(&url, "/v1/datasets/%s/files/", id);
	for (; *name; name++)
		if (strchr(plain, *name))
			strbuf_putc(&url, *name);
		else
			strbuf_printf(&url, "%%%02X", (unsigned char)*name);
	return url.failed ? NULL : arena_strndup(a, url.p, url.n);
}

static int add_files(const struct call *c, const struct record *r, json_t *to)
{
	json_t *files = json_deep_copy(json_object_get(r->body, "files")), *file;
	size_t i;
	int bad = 0;

	json_array_foreach(files, i, file)
		bad |= body_set(file, "url", url_of(c->arena, r->id, body_string(file, "name"))) < 0;
	return files && json_object_set_new(to, "files", files) == 0 && !bad ? 0 : -1;
}

/* With the list of what is to be deleted, where that is known. */
static int add_superseded(const struct call *c, const struct record *r, json_t *to)
{
	json_t *told = json_deep_copy(json_object_get(r->body, "superseded"));

	if (!told || (json_object_get(told, "rows") &&
		      body_set(told, "url", url_of(c->arena, r->id, DATASET_DELETIONS)) < 0)) {
		json_decref(told);
		return -1;
	}
	return body_set_take(to, "superseded", told);
}

/* {"name": value} of "name=value", as it was asked for. */
static int add_options(const struct call *c, const json_t *settings, json_t *to)
{
	json_t *options = json_object(), *s;
	size_t i;
	int bad = !options;

	json_array_foreach(settings, i, s) {
		const char *text = json_string_value(s);
		const char *name = arena_strndup(c->arena, text, strcspn(text, "="));
		bad |= !name || json_object_set_new(options, name, json_string(strchr(text, '=') + 1)) < 0;
	}
	return json_object_set_new(to, "options", options) < 0 || bad ? -1 : 0;
}

static int add_split(const json_t *request, json_t *to)
{
	const json_t *sizes = json_object_get(request, "sizes");
	const char *by = body_string(request, "split");

	if (strcmp(by, dataset_split_name(SPLIT_NONE)) == 0)
		return 0;
	json_t *j = json_pack("{s:s}", "by", by);
	if (j && sizes)
		json_object_update_new(j, json_pack("{s:O, s:O, s:O}", "train", json_array_get(sizes, 0),
						    "valid", json_array_get(sizes, 1), "test",
						    json_array_get(sizes, 2)));
	return body_set_take(to, "split", j);
}

static int add_time(const json_t *request, const char *name, json_t *to)
{
	int64_t ms = body_int(request, name);

	return ms ? body_set_time(to, name, ms) : 0;
}

static json_t *dataset_json(const struct call *c, const struct record *r)
{
	static const char *const asked[] = { "format", "kind", "mark", "filter", "agreement", "pii", "seed" };
	static const char *const told[] = { "state",    "requested_at", "finished_at", "rows",
					    "redacted", "skipped",      "sha256",      "error" };
	const json_t *request = json_object_get(r->body, "request");
	json_t *j = json_pack("{s:s}", "id", r->id);
	int bad = !j;

	for (size_t i = 0; !bad && i < sizeof(told) / sizeof(told[0]); i++)
		bad = body_set_copy(j, told[i], json_object_get(r->body, told[i])) < 0;
	for (size_t i = 0; !bad && i < sizeof(asked) / sizeof(asked[0]); i++)
		bad = body_set_copy(j, asked[i], json_object_get(request, asked[i])) < 0;
	if (!bad)
		bad = add_time(request, "since", j) < 0 || add_time(request, "until", j) < 0 ||
		      add_split(request, j) < 0 ||
		      add_options(c, json_object_get(request, "settings"), j) < 0;
	if (!bad && json_object_get(r->body, "files"))
		bad = add_files(c, r, j) < 0;
	if (!bad && json_object_get(r->body, "superseded"))
		bad = add_superseded(c, r, j) < 0;
	if (!bad)
		return j;
	json_decref(j);
	return NULL;
}

int dataset_get(struct dataset_jobs *j, const struct call *c, const char *id, json_t **out)
{
	struct record r;
	int rc = load(j, c, id, &r);

	if (rc < 0)
		return rc;
	json_t *told = dataset_json(c, &r);
	if (!told)
		return no_memory(c->err);
	*out = told;
	return 0;
}

int dataset_job_show(struct dataset_jobs *j, const struct call *c, const json_t *result, json_t **out)
{
	struct record r;
	int rc = load(j, c, body_string(result, "job"), &r);

	if (rc == ERR_NOT_FOUND)
		return error_set(c->err, ERR_NOT_FOUND, NULL, "there is no such job");
	if (rc < 0)
		return rc;
	const char *state = body_string(r.body, "state");
	int64_t rows = body_int(r.body, "rows");
	int64_t so_far = strcmp(state, "running") == 0 ? (int64_t)__atomic_load_n(&j->rows, __ATOMIC_RELAXED)
						       : rows;
	json_t *told = json_pack("{s:{s:s, s:s, s:s, s:s, s:I, s:I, s:[]}}", "job", "id", r.id, "what",
				 "dataset", "dataset", r.id, "state", state, "done", (json_int_t)so_far,
				 "total", (json_int_t)rows, "errors");
	if (!told ||
	    body_set_copy(json_object_get(told, "job"), "error", json_object_get(r.body, "error")) < 0) {
		json_decref(told);
		return no_memory(c->err);
	}
	*out = told;
	return 0;
}

/* --- the list ------------------------------------------------------------------------------------------------ */

/* Takes from a page what the caller may see; 1: there are `limit`, and one more. */
static int take_page(const struct call *c, const struct record *page, size_t n, size_t limit, json_t *data)
{
	for (size_t i = 0; i < n; i++) {
		if (!may_see(c, &page[i]))
			continue;
		if (json_array_size(data) == limit)
			return 1;
		if (json_array_append_new(data, dataset_json(c, &page[i])) < 0)
			return no_memory(c->err);
	}
	return 0;
}

int dataset_list(struct dataset_jobs *j, const struct call *c, struct text state, struct text after,
		 size_t limit, json_t **out)
{
	struct scan s = { .kind = RECORD_DATASET, .limit = PAGE, .newest_first = 1 };
	json_t *data = json_keep(c->arena, json_array());
	struct record last, *page;
	size_t n = PAGE;
	int rc = data ? 0 : no_memory(c->err);

	if (rc == 0 && state.s) {
		s.field[0] = "state";
		s.value[0] = text_copy(c->arena, state);
	}
	if (rc == 0 && after.s) {
		rc = load(j, c, text_copy(c->arena, after), &last);
		if (rc == ERR_NOT_FOUND)
			return error_set(c->err, rc, "after",
					 "there is no such dataset: start the list again");
		s.after = rc == 0 ? last.created : 0;
		s.after_id = rc == 0 ? last.id : NULL;
	}
	while (rc == 0 && n == PAGE) {
		rc = engine_scan(j->desk->engine, &s, c->arena, &page, &n, c->err);
		if (rc < 0 || n == 0)
			break;
		rc = take_page(c, page, n, limit, data);
		s.after = page[n - 1].created;
		s.after_id = page[n - 1].id;
	}
	if (rc < 0)
		return rc;
	size_t count = json_array_size(data);
	json_t *id = count ? json_incref(json_object_get(json_array_get(data, count - 1), "id"))
			   : json_null();
	*out = json_pack("{s:s, s:O, s:b, s:o}", "object", "list", "data", data, "has_more", rc == 1,
			 "last_id", id);
	return *out ? 0 : no_memory(c->err);
}

/* --- files ------------------------------------------------------------------------------------------------- */

/* Only what is listed is a path: the name itself is never trusted. "train.jsonl" is that in data/. NULL: not listed. */
static const json_t *find_file(const struct record *r, const char *name)
{
	const json_t *file, *found = NULL;
	size_t i;

	json_array_foreach(json_object_get(r->body, "files"), i, file) {
		const char *own = body_string(file, "name");
		if (strcmp(own, name) == 0 ||
		    (!found && strncmp(own, DATASET_PAYLOAD, strlen(DATASET_PAYLOAD)) == 0 &&
		     strcmp(own + strlen(DATASET_PAYLOAD), name) == 0))
			found = file;
	}
	return found;
}

static int open_path(const struct call *c, const char *path, struct dataset_file *f)
{
	int64_t bytes = 0;
	int rc = path ? file_open(path, &f->fd, &bytes, c->err) : no_memory(c->err);

	f->bytes = (uint64_t)bytes;
	return rc == ERR_NOT_FOUND
		       ? error_set(c->err, rc, NULL,
				   "the dataset's files are gone: ask for it again at the same mark")
		       : rc;
}

/* It grows with each withdrawal, so its hash is that of the file that was opened. */
static int open_deletions(struct dataset_jobs *j, const struct call *c, const struct record *r,
			  struct dataset_file *out)
{
	const char *path = arena_printf(c->arena, "%s/%s/" DATASET_DELETIONS, j->folder, r->id);
	char *hash = arena_alloc(c->arena, SHA256_TEXT);
	struct dataset_file f = { .sha256 = hash };
	int rc = hash ? open_path(c, path, &f) : no_memory(c->err);

	if (rc < 0)
		return rc;
	if ((rc = hash_open(f.fd, path, hash, c->err)) < 0) {
		close(f.fd);
		return rc;
	}
	*out = f;
	return 0;
}

/* 0: its files may be handed out. */
static int check_state(const struct call *c, const struct record *r)
{
	const char *state = body_string(r->body, "state");

	if (strcmp(state, "done") != 0) {
		error_set(c->err, ERR_WRONG_STATE, NULL,
			  "the dataset is %s: its files are there when it is done", state);
		strncpy(c->err->state, state, sizeof(c->err->state) - 1);
		return ERR_WRONG_STATE;
	}
	if (!json_object_get(r->body, "superseded"))
		return 0;
	return error_set(c->err, ERR_SUPERSEDED, NULL,
			 "customers withdrew rows of this dataset: delete those that files/" DATASET_DELETIONS
			 " lists wherever it was copied to, and ask for it again");
}

/* Rows of who has just denied training may be in any file until it is known in which. */
static int check_withdrawals(struct dataset_jobs *j, const struct call *c)
{
	struct record *found;
	size_t n;
	int rc = subjects_pending(j, 1, c->arena, &found, &n, c->err);

	if (rc < 0 || n == 0)
		return rc;
	return error_set(
		c->err, ERR_NOT_READY, NULL,
		"a customer has denied training, and it is looked up in which datasets that has rows: "
		"ask again in a moment");
}

int dataset_file_open(struct dataset_jobs *j, const struct call *c, const char *id, const char *name,
		      struct dataset_file *out)
{
	struct dataset_file f;
	struct record r;
	int rc = load(j, c, id, &r);

	if (rc < 0)
		return rc;
	rc = check_state(c, &r);
	if (rc == ERR_SUPERSEDED && strcmp(name, DATASET_DELETIONS) == 0)
		return open_deletions(j, c, &r, out);
	if (rc < 0 || (rc = check_withdrawals(j, c)) < 0)
		return rc;
	const json_t *found = find_file(&r, name);
	if (!found)
		return error_set(c->err, ERR_NOT_FOUND, NULL,
				 "the dataset has no such file: see its \"files\"");
	rc = open_path(c, arena_printf(c->arena, "%s/%s/%s", j->folder, r.id, body_string(found, "name")),
		       &f);
	if (rc < 0)
		return rc;
	f.sha256 = body_string(found, "sha256");
	if (f.bytes != (uint64_t)body_int(found, "bytes")) {
		close(f.fd);
		return error_set(c->err, ERR_CORRUPT, NULL, "the file is not what was written");
	}
	*out = f;
	return 0;
}
