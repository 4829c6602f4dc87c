#include "store/keys.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"
#include "store/db.h"
#include "store/sql.h"

#define FORMAT 1
#define APPLICATION 0x72646263 /* "rdbc" */
#define KEY_BYTES 32
#define KEY_LENGTH 46 /* "rb_" and 43 characters of base64url */

struct control {
	pthread_mutex_t lock; /* over the connection */
	struct db *db;
	char *data;
	int read_only;
	unsigned char secret[32];
	int has_dev;
	unsigned char dev[SHA256_SIZE];
};

/* --- opening ------------------------------------------------------------------------------------ */

static const char ddl[] =
	"CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE tenants(name TEXT PRIMARY KEY, folder TEXT NOT NULL UNIQUE) STRICT, WITHOUT ROWID;"
	"CREATE TABLE keys(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, hash BLOB NOT NULL UNIQUE,"
	" name TEXT, scopes INTEGER NOT NULL, act_as INTEGER NOT NULL, all_groups INTEGER NOT NULL,"
	" groups TEXT NOT NULL, created_at INTEGER NOT NULL, revoked_at INTEGER NOT NULL) STRICT;";

static int check_format(struct control *c, int64_t *version, struct error *e)
{
	int64_t application = 0, objects = 0;
	int rc = db_number(c->db, "PRAGMA user_version", version, e);

	if (rc == 0)
		rc = db_number(c->db, "PRAGMA application_id", &application, e);
	if (rc == 0)
		rc = db_number(c->db, "SELECT count(*) FROM sqlite_schema", &objects, e);
	if (rc < 0)
		return rc;
	if (application != APPLICATION && (*version || objects))
		return error_set(e, ERR_CORRUPT, NULL, "control.db was not made by readback");
	if (*version > FORMAT)
		return error_set(
			e, ERR_NEWER_FORMAT, NULL,
			"control.db has format %lld, this program knows up to %d: use a newer readback",
			(long long)*version, FORMAT);
	return 0;
}

static int make_tables(struct control *c, struct error *e)
{
	unsigned char secret[32];
	char pragmas[96];
	int rc = db_fail(c->db, sqlite3_exec(db_handle(c->db), ddl, NULL, NULL, NULL), e);

	if (rc < 0)
		return rc;
	crypto_random(secret, sizeof(secret));
	struct query q = query_start(c->db, "INSERT INTO meta(name, value) VALUES('secret', ?)");
	query_blob(&q, secret, sizeof(secret));
	rc = query_run(&q, e);
	if (rc < 0)
		return rc;
	snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id = %d; PRAGMA user_version = %d;",
		 APPLICATION, FORMAT);
	return db_fail(c->db, sqlite3_exec(db_handle(c->db), pragmas, NULL, NULL, NULL), e);
}

/* Looked at again under the write lock: another process may have been first. */
static int make_once(struct control *c, struct error *e)
{
	int64_t version = 0;
	int rc = check_format(c, &version, e);

	if (rc < 0 || version == FORMAT)
		return rc;
	if (c->read_only)
		return error_set(e, ERR_NOT_FOUND, NULL, "%s holds no keys yet", c->data);
	rc = db_begin_write(c->db, e);
	if (rc == 0)
		rc = check_format(c, &version, e);
	if (rc == 0 && version != FORMAT)
		rc = make_tables(c, e);
	if (rc == 0)
		rc = db_commit(c->db, e);
	if (rc < 0)
		db_rollback(c->db);
	return rc;
}

static int read_secret(struct control *c, struct error *e)
{
	struct query q = query_start(c->db, "SELECT value FROM meta WHERE name = 'secret'");
	size_t n = 0;
	int rc = query_step(&q, e);

	if (rc < 0)
		return rc;
	const void *p = rc ? column_blob(&q, 0, &n) : NULL;
	if (n == sizeof(c->secret))
		memcpy(c->secret, p, n);
	query_end(&q);
	return n == sizeof(c->secret) ? 0 : error_set(e, ERR_CORRUPT, NULL, "control.db has lost its secret");
}

static int open_database(struct control *c, struct error *e)
{
	char path[4096];
	const struct db_options o = { .path = path, .read_only = c->read_only, .rollback = 1 };
	int rc = c->read_only ? 0 : folder_make(c->data, e);

	if (rc < 0)
		return rc;
	if ((size_t)snprintf(path, sizeof(path), "%s/control.db", c->data) >= sizeof(path))
		return error_set(e, ERR_FOLDER, NULL, "the path is too long");
	rc = db_open(&o, &c->db, e);
	if (rc == 0)
		rc = make_once(c, e);
	return rc < 0 ? rc : read_secret(c, e);
}

int control_open(const char *data, int read_only, struct control **out, struct error *e)
{
	struct control *c = calloc(1, sizeof(*c));

	if (!c)
		return no_memory(e);
	pthread_mutex_init(&c->lock, NULL);
	c->read_only = read_only;
	c->data = strdup(data);
	int rc = c->data ? open_database(c, e) : no_memory(e);
	if (rc < 0) {
		control_close(c);
		return rc;
	}
	*out = c;
	return 0;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	db_close(c->db);
	pthread_mutex_destroy(&c->lock);
	free(c->data);
	free(c);
}

void control_secret(const struct control *c, unsigned char out[32])
{
	memcpy(out, c->secret, sizeof(c->secret));
}

/* --- tenants ------------------------------------------------------------------------------------ */

static int find_tenant(struct control *c, const char *name, struct arena *a, const char **path,
		       struct error *e)
{
	struct query q = query_start(c->db, "SELECT folder FROM tenants WHERE name = ?");

	query_text(&q, name);
	int rc = query_step(&q, e);
	if (rc <= 0)
		return rc;
	*path = arena_printf(a, "%s/tenants/%s", c->data, column_text(&q, 0, NULL));
	query_end(&q);
	return *path ? 1 : no_memory(e);
}

static int add_tenant(struct control *c, const char *name, struct error *e)
{
	unsigned char random[16];
	char folder[2 * sizeof(random) + 1];

	crypto_random(random, sizeof(random));
	hex_encode(random, sizeof(random), folder);
	struct query q = query_start(c->db, "INSERT OR IGNORE INTO tenants(name, folder) VALUES(?, ?)");
	query_text(&q, name);
	query_text(&q, folder);
	return query_run(&q, e);
}

int control_tenant(struct control *c, const char *name, struct arena *a, const char **path, struct error *e)
{
	int rc;

	if (!*name)
		return error_set(e, ERR_BAD_ID, "tenant", "tenant: it must not be empty");
	pthread_mutex_lock(&c->lock);
	rc = find_tenant(c, name, a, path, e);
	if (rc == 0 && !c->read_only) {
		rc = add_tenant(c, name, e);
		if (rc == 0)
			rc = find_tenant(c, name, a, path, e);
	}
	pthread_mutex_unlock(&c->lock);
	if (rc == 0)
		return error_set(e, ERR_NOT_FOUND, "tenant", "there is no such tenant");
	return rc < 0 ? rc : 0;
}

/* --- keys ---------------------------------------------------------------------------------------- */

static char *groups_text(const struct key_spec *s, struct error *e)
{
	JSON_AUTO *j = json_array();
	char *text = NULL;

	for (size_t i = 0; i < s->n_groups; i++)
		if (json_array_append_new(j, json_string(s->groups[i])) < 0) {
			error_set(e, ERR_BAD_UTF8, "groups", "groups: invalid UTF-8");
			return NULL;
		}
	text = json_text(j, NULL);
	if (!text)
		no_memory(e);
	return text;
}

static int put_key(struct control *c, const struct key_spec *s, const char *id,
		   const unsigned char hash[SHA256_SIZE], struct error *e)
{
	struct error groups_error = { 0 };
	char *groups = groups_text(s, &groups_error);

	if (!groups)
		return error_set(e, groups_error.code, groups_error.param, "%s", groups_error.message);
	struct query q = query_start(c->db,
				     "INSERT OR IGNORE INTO keys(id, hash, name, scopes, act_as, all_groups,"
				     " groups, created_at, revoked_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
	query_text(&q, id);
	query_blob(&q, hash, SHA256_SIZE);
	query_text(&q, s->name);
	query_int(&q, s->scopes);
	query_int(&q, s->act_as != 0);
	query_int(&q, s->all_groups != 0);
	query_text(&q, groups);
	query_int(&q, s->created_at ? s->created_at : clock_wall_ms());
	query_int(&q, s->revoked_at);
	int rc = query_run(&q, e);
	free(groups);
	if (rc == 0 && sqlite3_changes(db_handle(c->db)) == 0)
		return error_set(e, ERR_EXISTS, "id", "id: there is a key of this id already");
	return rc;
}

int key_create(struct control *c, const struct key_spec *spec, char text[KEY_TEXT], char id[KEY_TEXT],
	       struct error *e)
{
	unsigned char random[KEY_BYTES], hash[SHA256_SIZE];
	char key[KEY_TEXT] = "rb_", made[KEY_TEXT] = "key_";

	if (c->read_only)
		return error_set(e, ERR_READ_ONLY, NULL, "keys are open for reading only");
	if (spec->id && (!*spec->id || strlen(spec->id) >= KEY_TEXT))
		return error_set(e, ERR_BAD_ID, "id", "id: it must have 1 to %d bytes", KEY_TEXT - 1);
	crypto_random(random, sizeof(random));
	base64url_encode(random, sizeof(random), key + 3);
	crypto_sha256(key, strlen(key), hash);
	crypto_random(random, sizeof(random));
	hex_encode(random, 8, made + 4);
	if (spec->id)
		memcpy(made, spec->id, strlen(spec->id) + 1);
	pthread_mutex_lock(&c->lock);
	int rc = put_key(c, spec, made, hash, e);
	pthread_mutex_unlock(&c->lock);
	if (rc < 0)
		return rc;
	memcpy(text, key, sizeof(key));
	memcpy(id, made, sizeof(made));
	return 0;
}

int key_add_dev(struct control *c, const char *text, struct error *e)
{
	if (!*text)
		return error_set(e, ERR_BAD_VALUE, "dev-key", "dev-key: it must not be empty");
	pthread_mutex_lock(&c->lock);
	crypto_sha256(text, strlen(text), c->dev);
	c->has_dev = 1;
	pthread_mutex_unlock(&c->lock);
	return 0;
}

static int read_groups(struct arena *a, const char *text, struct key_spec *out, struct error *e)
{
	json_t *j = json_keep(a, json_loads(text, 0, NULL));
	const char **groups = arena_alloc(a, (json_array_size(j) + 1) * sizeof(*groups));

	if (!groups)
		return no_memory(e);
	if (!json_is_array(j))
		return error_set(e, ERR_CORRUPT, NULL, "a key's groups cannot be read");
	for (size_t i = 0; i < json_array_size(j); i++)
		if (!(groups[i] = json_string_value(json_array_get(j, i))))
			return error_set(e, ERR_CORRUPT, NULL, "a key's groups cannot be read");
	out->groups = groups;
	out->n_groups = json_array_size(j);
	return 0;
}

#define KEY_COLUMNS "SELECT id, name, scopes, act_as, all_groups, groups, created_at, revoked_at FROM keys "

static int read_key(const struct query *q, struct arena *a, struct key_spec *out, struct error *e)
{
	const char *name = column_text(q, 1, NULL);

	*out = (struct key_spec){ .id = arena_strdup(a, column_text(q, 0, NULL)),
				  .name = name ? arena_strdup(a, name) : NULL,
				  .scopes = (unsigned)column_int(q, 2),
				  .act_as = (int)column_int(q, 3),
				  .all_groups = (int)column_int(q, 4),
				  .created_at = column_int(q, 6),
				  .revoked_at = column_int(q, 7) };
	if (!out->id || (name && !out->name))
		return no_memory(e);
	return read_groups(a, column_text(q, 5, NULL), out, e);
}

static int unauthenticated(struct error *e)
{
	return error_set(e, ERR_UNAUTHENTICATED, NULL, "the API key is missing, wrong or revoked");
}

/* Looking up a hash tells by its time nothing of use about the key. */
static int find_key(struct control *c, const unsigned char hash[SHA256_SIZE], struct arena *a,
		    struct key_spec *out, struct error *e)
{
	struct key_spec found;
	struct query q = query_start(c->db, KEY_COLUMNS "WHERE hash = ? AND revoked_at = 0");

	query_blob(&q, hash, SHA256_SIZE);
	int rc = query_step(&q, e);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return unauthenticated(e);
	rc = read_key(&q, a, &found, e);
	query_end(&q);
	if (rc == 0)
		*out = found;
	return rc;
}

int key_find(struct control *c, const char *text, size_t n, struct arena *a, struct key_spec *out,
	     struct error *e)
{
	unsigned char hash[SHA256_SIZE];
	int rc;

	crypto_sha256(text, n, hash);
	pthread_mutex_lock(&c->lock);
	if (c->has_dev && crypto_equal(hash, c->dev, sizeof(hash))) {
		*out = (struct key_spec){
			.id = "dev", .name = "--dev-key", .scopes = ~0u, .act_as = 1, .all_groups = 1
		};
		rc = 0;
	} else if (n != KEY_LENGTH || memcmp(text, "rb_", 3) != 0) {
		rc = unauthenticated(e);
	} else {
		rc = find_key(c, hash, a, out, e);
	}
	pthread_mutex_unlock(&c->lock);
	return rc;
}

static int list_keys(struct control *c, struct arena *a, struct key_spec **out, size_t *n, struct error *e)
{
	int64_t count = 0;
	int rc = db_number(c->db, "SELECT count(*) FROM keys", &count, e);
	struct key_spec *v = rc < 0 ? NULL : arena_alloc(a, ((size_t)count + 1) * sizeof(*v));
	size_t got = 0;

	if (!v)
		return rc < 0 ? rc : no_memory(e);
	struct query q = query_start(c->db, KEY_COLUMNS "ORDER BY n LIMIT ?");
	query_int(&q, count); /* another process may add one meanwhile */
	while ((rc = query_step(&q, e)) > 0) {
		rc = read_key(&q, a, &v[got++], e);
		if (rc < 0) {
			query_end(&q);
			return rc;
		}
	}
	if (rc < 0)
		return rc;
	*out = v;
	*n = got;
	return 0;
}

int key_list(struct control *c, struct arena *a, struct key_spec **out, size_t *n, struct error *e)
{
	pthread_mutex_lock(&c->lock);
	int rc = list_keys(c, a, out, n, e);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

static int key_exists(struct control *c, const char *id, struct error *e)
{
	struct query q = query_start(c->db, "SELECT 1 FROM keys WHERE id = ?");

	query_text(&q, id);
	int rc = query_step(&q, e);
	if (rc > 0)
		query_end(&q);
	return rc == 0 ? error_set(e, ERR_NOT_FOUND, "id", "there is no key of this id") : rc;
}

int key_revoke(struct control *c, const char *id, struct error *e)
{
	if (c->read_only)
		return error_set(e, ERR_READ_ONLY, NULL, "keys are open for reading only");
	pthread_mutex_lock(&c->lock);
	int rc = key_exists(c, id, e);
	if (rc > 0) {
		/* The first revocation stands. */
		struct query q = query_start(
			c->db, "UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at = 0");
		query_int(&q, clock_wall_ms());
		query_text(&q, id);
		rc = query_run(&q, e);
	}
	pthread_mutex_unlock(&c->lock);
	return rc;
}
