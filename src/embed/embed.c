#include "embed/embed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "embed/kind.h"

#define MODEL_PATH 4096

static const struct embedder_kind *const kinds[] = { &embedder_minilm, &embedder_http, &embedder_none };

static const struct embedder_kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

static int is_set(const char *s)
{
	return s && *s;
}

/* Where the model is looked for; "" when nothing says where home is. */
static int model_folder(const char *given, char out[MODEL_PATH], struct error *e)
{
	const char *env = getenv("READBACK_MODEL"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int n;

	if (is_set(given))
		n = snprintf(out, MODEL_PATH, "%s", given);
	else if (is_set(env))
		n = snprintf(out, MODEL_PATH, "%s", env);
	else if (is_set(cache))
		n = snprintf(out, MODEL_PATH, "%s/readback/model", cache);
	else if (is_set(home))
		n = snprintf(out, MODEL_PATH, "%s/.cache/readback/model", home);
	else
		n = snprintf(out, MODEL_PATH, "%s", "");
	if (n >= MODEL_PATH)
		return error_set(e, ERR_MODEL, NULL, "the path of the model's folder is too long");
	return 0;
}

int embedder_open(const struct embedder_options *o, struct embedder **out, struct error *e)
{
	const struct embedder_kind *kind = find_kind(o->kind ? o->kind : embedder_minilm.name);
	char folder[MODEL_PATH];
	int rc;

	if (!kind)
		return error_set(e, ERR_CONFIG, "embedder",
				 "\"%.40s\" is no embedder: use minilm, http or none", o->kind);
	if (!o->kind && is_set(o->url))
		return error_set(e, ERR_CONFIG, "embedder_url",
				 "embedder_url: only the embedder http has a URL: give --embedder http too");
	if (!kind->from_folder)
		return kind->open(o, "", out, e);
	if ((rc = model_folder(o->model, folder, e)) < 0)
		return rc;
	if (!file_is_folder(folder)) {
		if (!o->kind)
			return embedder_none.open(o, "", out, e);
		return error_set(
			e, ERR_MODEL, NULL,
			"%.200s: the model's folder is missing: fetch it by `make model`, or set READBACK_MODEL",
			*folder ? folder : "READBACK_MODEL");
	}
	return kind->open(o, folder, out, e);
}

void embedder_close(struct embedder *m)
{
	if (m)
		m->kind->close(m);
}

const struct embedder_info *embedder_info(const struct embedder *m)
{
	return &m->info;
}

int embedder_embed(struct embedder *m, const struct text *texts, size_t n, float *out, struct error *e)
{
	return m->kind->embed(m, texts, n, out, e);
}

size_t embedder_count(const struct embedder *m, const char *s, size_t n)
{
	return m->kind->count(m, s, n);
}

int model_error(struct error *e, int rc)
{
	if (rc == ERR_NO_MEMORY)
		return rc;
	if (e)
		e->code = ERR_MODEL;
	return ERR_MODEL;
}
