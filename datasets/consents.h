/*
 * consents.h: what customers say about training (desk/consent.c), as datasets
 * need it: by conversation. It is what they say now, whatever a dataset's mark,
 * for who withdraws means what was said before as well.
 */
#ifndef READBACK_DATASETS_CONSENTS_H
#define READBACK_DATASETS_CONSENTS_H

#include "base/map.h"
#include "engine/engine.h"

/* Nothing was said; who that customer is, is not known. */
enum consent { CONSENT_UNSAID, CONSENT_GRANTED, CONSENT_DENIED };

/* All conversations whose customers said something, into the map: conversation -> enum consent. Others are not in it. */
int consents_load(struct engine *g, struct map *to, struct error *e);

/* Those of one customer. */
int consents_note(struct engine *g, const char *customer, enum consent said, struct map *to, struct error *e);

enum consent consent_of(const struct map *consents, const char *conversation);

#endif
