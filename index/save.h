/* save.h: taking graphs up again when an index is opened; see save.c. */
#ifndef READBACK_INDEX_SAVE_H
#define READBACK_INDEX_SAVE_H

#include "base/error.h"

struct index;

/* Reads the graphs of the folder; broken ones are removed and counted. */
int index_load(struct index *x, struct error *e);

#endif
