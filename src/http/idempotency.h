/*
 * idempotency.h: a key's twins wait for each other.
 *
 * What was answered is stored by the engine (RECORD_REQUEST, in the event of
 * the act itself); here is only which requests are under way in this process.
 */
#ifndef READBACK_HTTP_IDEMPOTENCY_H
#define READBACK_HTTP_IDEMPOTENCY_H

#include "http/exchange.h"

struct idempotency;

struct idempotency *idempotency_new(void);
void idempotency_free(struct idempotency *t);

/*
 * Waits while a request of the same name is under way, at most `wait_ms`, and
 * not at all when many wait already (each holds a worker):
 * ERR_IDEMPOTENCY_IN_PROGRESS.
 */
int idempotency_enter(struct idempotency *t, const char *name, int wait_ms, struct error *e);
void idempotency_leave(struct idempotency *t, const char *name);

/*
 * Names the request: fills x->call.request and request_hash from the header's
 * value. 0 without the header (request stays NULL); ERR_BAD_HEADER.
 */
int idempotency_name(struct exchange *x);

/*
 * What was answered before: 1 and *status, *result (the arena's), 0 if nothing,
 * ERR_IDEMPOTENCY_MISMATCH if it was for another body.
 */
int idempotency_recall(struct exchange *x, int *status, json_t **result);

/*
 * Keeps a refusal (4xx), so that the same request gets the same answer: for
 * the same agent and groups, because a refusal may be a matter of rights.
 */
void idempotency_keep_refusal(struct exchange *x);

#endif
