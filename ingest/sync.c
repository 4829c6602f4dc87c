#include "ingest/sync.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/map.h"
#include "base/strbuf.h"
#include "desk/bodies.h"

#define PAGE 200
#define HASH_DIGITS 8

struct sync {
	char *source;
	int named;
	struct map *met; /* ids of files */
};

/* "docs-3fa9c1b2"; the caller frees. NULL without memory. */
static char *default_source(const char *path)
{
	STRBUF_AUTO b = STRBUF_INIT;
	const char *name = strrchr(path, '/');
	char hash[SHA256_TEXT];

	crypto_sha256_text(path, strlen(path), hash);
	strbuf_printf(&b, "%s-%.*s", name && name[1] ? name + 1 : "folder", HASH_DIGITS,
		      hash + sizeof("sha256:") - 1);
	return b.failed ? NULL : strbuf_steal(&b, NULL);
}

int sync_open(const char *folder, const char *name, struct sync **out, struct error *e)
{
	struct sync *s = calloc(1, sizeof(*s));
	char *path = realpath(folder, NULL);

	if (s && path) {
		s->named = name != NULL;
		s->source = name ? strdup(name) : default_source(path);
		s->met = map_new();
	}
	int rc = !path ? error_errno(e, folder) : !s || !s->source || !s->met ? no_memory(e) : 0;
	free(path);
	if (rc < 0)
		sync_close(s);
	else
		*out = s;
	return rc;
}

void sync_close(struct sync *s)
{
	if (!s)
		return;
	free(s->source);
	map_free(s->met);
	free(s);
}

const char *sync_source(const struct sync *s)
{
	return s->source;
}

int sync_file(struct sync *s, struct arena *a, const char *path, const char **id, struct error *e)
{
	*id = s->named ? arena_printf(a, "%s:%s", s->source, path) : arena_strdup(a, path);
	if (!*id || !map_put(s->met, *id, strlen(*id), NULL))
		return no_memory(e);
	return 0;
}

/* Ids of the documents without a file, to `out`: all of them before the first is deleted, as a page begins behind one. */
static int find_missing(struct sync *s, struct desk *d, const struct call *c, json_t *out)
{
	struct text after = { NULL, 0 };
	json_t *page = NULL, *item;
	size_t i;

	for (;;) {
		int rc = document_list(d, c, text_of(s->source), after, PAGE, &page);
		if (rc < 0 || !json_keep(c->arena, page))
			return rc < 0 ? rc : no_memory(c->err);
		json_array_foreach(json_object_get(page, "data"), i, item) {
			json_t *id = json_object_get(item, "id");
			if (!map_get(s->met, json_string_value(id), json_string_length(id)) &&
			    json_array_append(out, id) < 0)
				return no_memory(c->err);
		}
		if (!json_is_true(json_object_get(page, "has_more")))
			return 0;
		after = text_of(json_string_value(json_object_get(page, "last_id")));
	}
}

static int delete_one(struct desk *d, const struct rights *rights, const char *id, struct error *e)
{
	struct arena *a = arena_new(16 << 10);
	struct call c = { .arena = a, .rights = rights, .err = e, .if_match = CALL_NO_MATCH };
	json_t *result = NULL;
	int rc = a ? document_delete_act(d, &c, id, &result) : no_memory(e);

	json_decref(result);
	arena_free(a);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

int sync_delete(struct sync *s, struct desk *d, const struct rights *rights, const volatile int *stop,
		uint64_t *deleted, struct error *e)
{
	struct arena *a = arena_new(64 << 10);
	struct call c = { .arena = a, .rights = rights, .err = e, .if_match = CALL_NO_MATCH };
	JSON_AUTO *missing = json_array();
	json_t *id;
	size_t i;
	int rc = a && missing ? 0 : no_memory(e);

	if (rc == 0 && map_count(s->met))
		rc = find_missing(s, d, &c, missing);
	json_array_foreach(missing, i, id) {
		if (rc == 0 && stop && __atomic_load_n(stop, __ATOMIC_RELAXED))
			rc = error_set(e, ERR_INTERRUPTED, NULL,
				       "interrupted; the same command goes on from here");
		if (rc < 0)
			break;
		rc = delete_one(d, rights, json_string_value(id), e);
		*deleted += rc == 0;
	}
	arena_free(a);
	return rc;
}
