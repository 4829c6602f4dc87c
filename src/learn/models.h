/*
 * models.h: the models that a tenant has trained: each a record (RECORD_MODEL)
 * and, unless it was of no use at all, a file `folder`/ID.model (packed.h).
 *
 * Body of a record:
 *
 *	{"type":"intent|adapter|answering|usefulness|risk|fusion","state":"active|standby|refused|shadow","mark":seq that it was
 *	 trained up to,"counted":records that training is due by,"hash"?:"sha256:…","bytes":n,"facts":{…},
 *	 "why"?:"why it was refused, or its shadow ended","chosen"?:true: somebody has put it in force,
 *	 "shadow"?:{"share","since": seq,"was": state}: it is the candidate beside the active one}
 *
 * All change in one stream, MODELS_STREAM, so that of each type at most one is
 * active, and one in shadow. A file is on disk before its record says so; what a crash left is
 * removed by models_open(). While the active one is chosen, or has a shadow, newer ones stand by.
 * Of each type the MODELS_KEPT newest with a file stay, as many without, and the
 * active one.
 *
 * Any thread, one at a time.
 */
#ifndef READBACK_LEARN_MODELS_H
#define READBACK_LEARN_MODELS_H

#include "engine/call.h"
#include "learn/packed.h"

#define MODELS_STREAM "models"
#define MODELS_KEPT 10

struct models;

/* `read_only`: nothing is made or removed. */
int models_open(struct engine *g, const char *folder, int read_only, struct models **out, struct error *e);
void models_close(struct models *m); /* NULL is fine */

struct model_made {
	const char *id, *type;
	uint64_t mark, counted;
	const struct packed *packed; /* NULL: there is nothing to keep, and it is refused */
	json_t *facts;               /* borrowed */
	const char *why;             /* it is refused; NULL: it is not */
	int none_in_force;           /* the active one is lost: this takes its place even if it was chosen */
	int leaves_none;             /* refused, and what is active does not stay so, unless it was chosen */
};

/* What is in force from now on. */
enum model_standing { MODEL_ACTIVE, MODEL_STANDS_BY, MODEL_OLD_STAYS, MODEL_NONE_LEFT };

/* Writes the file, then commits "model.trained". */
int models_add(struct models *m, const struct model_made *made, enum model_standing *out, struct error *e);

struct model_found {
	const char *id;
	uint64_t mark, counted;
	struct packed packed;
	json_t *facts; /* borrowed from the arena */
};

/* The active one of a type. 1; 0: there is none; ERR_CORRUPT: its file is gone, or not what it was. */
int models_active(struct models *m, const char *type, struct arena *a, struct model_found *out,
		  struct error *e);

/* `counted` of the newest one of a type, whatever its state; 0 if there is none. */
int models_counted(struct models *m, const char *type, struct arena *a, uint64_t *out, struct error *e);

/* The file of `id`. ERR_NOT_FOUND; ERR_WRONG_STATE for one without a file; ERR_CORRUPT. */
int models_find(struct models *m, const struct call *c, const char *id, struct model_found *out,
		const char **type);

/* Commits "model.activated" as the call's. Of one that models_find() has found and that can be used. */
int models_activate(struct models *m, const struct call *c, const char *id, json_t **result);

/* The one in shadow, and its share. 1; 0: there is none; ERR_CORRUPT. */
int models_shadow(struct models *m, const char *type, struct arena *a, struct model_found *out, double *share,
		  uint64_t *since, struct error *e);

/* Commits "model.shadowed" as the call's. Of one that models_find() has found. ERR_WRONG_STATE: it is active, or none is. */
int models_shadow_begin(struct models *m, const struct call *c, const char *id, double share,
			json_t **result);

/* Commits "model.unshadowed", as the call's or, where that is NULL, the service's own. ERR_WRONG_STATE: it is in no shadow. */
int models_shadow_end(struct models *m, const struct call *c, const char *id, const char *why,
		      json_t **result, struct error *e);

#endif
