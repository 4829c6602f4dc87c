/*
 * api.h: requests to answers, without sockets: authentication, routing,
 * idempotency, errors. The server (server.h) calls it for what comes by HTTP,
 * the command line calls it in process, so both mean the same.
 *
 * api_handle() may be called from any number of threads.
 */
#ifndef READBACK_HTTP_API_H
#define READBACK_HTTP_API_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "desk/desk.h"
#include "ingest/ingest.h"

struct arena;
struct control;
struct dataset_jobs;
struct idempotency;
struct metrics;

struct api {
	struct desk *desk;
	struct control *control;
	struct jobs *jobs;             /* NULL: no jobs here (503) */
	struct dataset_jobs *datasets; /* NULL: no datasets here (503) */
	const char *tenant;
	struct idempotency *idempotency;
	struct metrics *metrics;
};

/* Fills in idempotency and metrics; the rest is the caller's and outlives it. */
int api_init(struct api *api);
void api_release(struct api *api);

struct header {
	const char *name, *value;
};

struct request {
	const char *method;
	const char *target; /* raw: path, and "?query" if there is one */
	const struct header *headers;
	size_t n_headers;
	const char *body;
	size_t n_body;
	const struct rights *rights; /* in process: who calls; NULL: by the Authorization header */
};

/* Bytes of an open file, sent from the disk. Who takes the response closes fd. */
struct response_file {
	int fd;
	uint64_t at, n;
};

struct response {
	int status;
	const char *type; /* Content-Type */
	const char *body; /* the arena's */
	size_t n;
	struct response_file *file; /* in the place of the body; NULL: none */
	struct header headers[8];
	size_t n_headers;
	const char *request_id;
	const char *route; /* pattern, for logs and metrics */
	const char *key;   /* id of the key that called, for logs; "" */
	const char *code;  /* of the error; "" */
};

/* Always gives a response; the arena holds it. */
void api_handle(struct api *api, const struct request *in, struct arena *a, struct response *out);

/*
 * Before a body is read: is there such a route, and does this caller's key open
 * it? 0 to go on, else `out` is the refusal. Without `look_up` a key is only
 * wanted, not yet looked up (api_handle does that).
 */
int api_admit(struct api *api, const struct request *in, int look_up, struct arena *a, struct response *out);

/* The answer for an error that was met before a request could be read (too large, overloaded). */
void api_refuse(const struct request *in, struct arena *a, const struct error *e, struct response *out);

/* Case-insensitive; NULL if it is not there. */
const char *request_header(const struct request *in, const char *name);

#endif
