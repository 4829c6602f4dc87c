/* fusion_look.h: where the documents that resolved a conversation would have stood, at each weight of words. */
#ifndef READBACK_DESK_FUSION_LOOK_H
#define READBACK_DESK_FUSION_LOOK_H

#include "desk/case.h"
#include "learn/fusion.h"
#include "learn/intent.h"
#include "learn/learner.h"

/* What is learned of documents besides. */
unsigned fusion_company(const struct learned *l);

/* What is learned of the weight, unless it rests: it was learned in other company. NULL then, and where nothing is. */
const struct fusion *fusion_in_force(const struct learned *l);

/*
 * Searches for the opening `q` as it would have been, and sets "documents" of
 * `told` (struct fusion_ranks). Everybody's documents are asked: ranks alone
 * are kept. Nothing is set where no document was used, or where vector or words find nothing.
 */
int fusion_look(struct desk *d, struct arena *a, const struct learned *learned, const struct intent *in,
		const struct intent_query *q, const struct case_document *documents, size_t n, json_t *told,
		struct error *e);

#endif
