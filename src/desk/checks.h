/*
 * checks.h: checks of fields that documents and conversations share.
 *
 * Each reports at the reader (sticky) and returns its state.
 */
#ifndef READBACK_DESK_CHECKS_H
#define READBACK_DESK_CHECKS_H

#include "engine/call.h"

/* A flat object: strings, numbers, true or false, lists of strings. NULL is fine. */
int check_attributes(struct reader *r, const char *name, json_t *attributes);

/*
 * An array of group names (already known to be strings), not empty. A caller
 * gives what it has: nobody hides a thing from itself or shares it with
 * strangers: ERR_FORBIDDEN for a group that the key lacks. NULL is fine.
 */
int check_acl(const struct call *c, struct reader *r, const json_t *acl);

#endif
