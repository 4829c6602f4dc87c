/* search_internal.h: what the files of search (search*.c) share; see search.h. */
#ifndef READBACK_ENGINE_SEARCH_INTERNAL_H
#define READBACK_ENGINE_SEARCH_INTERNAL_H

#include "engine/search.h"

/* A passage of a document that has no chunks of its own is at most this long, in bytes. */
#define SEARCH_PASSAGE 1000

/*
 * Fills in part, text and highlights of a hit whose kind, record and raw are
 * set. `terms` are what is marked and, where no vector chose a part, what
 * chooses it; `highlight` 0: nothing is marked.
 */
int search_show_part(struct engine *g, struct arena *a, const struct term *terms, size_t n_terms,
		     int highlight, struct search_hit *h, struct error *e);

/* Puts a boost before those that the hit has; its score is the caller's to add. -1 without memory. */
int search_boost(struct arena *a, struct search_hit *h, struct search_boost b);

/* May a caller with nothing but scope `bot` have this case? If so *out is its body without what was written in it. */
int search_redact_case(struct arena *a, json_t *body, json_t **out);

#endif
