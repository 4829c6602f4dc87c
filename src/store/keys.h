/*
 * keys.h: API keys and the names of tenants, in control.db of the data folder.
 *
 * Only hashes of keys are stored. A key looks like "rb_" + 43 characters.
 * Any thread.
 */
#ifndef READBACK_STORE_KEYS_H
#define READBACK_STORE_KEYS_H

#include <stdint.h>

#include "base/error.h"

struct arena;
struct control;

#define KEY_TEXT 64

struct key_spec {
	const char *id;   /* NULL: one is made */
	const char *name; /* for people; may be NULL */
	unsigned scopes;  /* enum scope of engine/rights.h, ored */
	int act_as, all_groups;
	const char *const *groups;
	size_t n_groups;
	int64_t created_at, revoked_at; /* revoked_at 0: in force */
};

/* `data` is the folder given by --data. read_only: ERR_NOT_FOUND when there is no control.db. */
int control_open(const char *data, int read_only, struct control **out, struct error *e);
void control_close(struct control *c);

/* The folder of a tenant ("default"), made with a random name at first. *path is the arena's. */
int control_tenant(struct control *c, const char *name, struct arena *a, const char **path, struct error *e);

/* Stores a new key and writes its text, which cannot be had again. */
int key_create(struct control *c, const struct key_spec *spec, char text[KEY_TEXT], char id[KEY_TEXT],
	       struct error *e);
/* Makes the given text (of --dev-key) a key for this run only: in memory, all scopes, all groups. */
int key_add_dev(struct control *c, const char *text, struct error *e);
/* ERR_UNAUTHENTICATED for a key that is unknown, malformed or revoked: the answer does not tell which. */
int key_find(struct control *c, const char *text, size_t n, struct arena *a, struct key_spec *out,
	     struct error *e);
int key_list(struct control *c, struct arena *a, struct key_spec **out, size_t *n, struct error *e);
int key_revoke(struct control *c, const char *id, struct error *e); /* ERR_NOT_FOUND */

/* 32 secret bytes made with the data folder: signs search ids, salts commitments. */
void control_secret(const struct control *c, unsigned char out[32]);

#endif
