/*
 * http_client.h: one request to another server, over http or https; the one
 * wrapper of libcurl.
 *
 * A client keeps its connections open between calls. It is for one thread at
 * a time; as many clients as wanted may be used at once. No redirect is
 * followed: a header with a key in it goes to the server it is meant for and
 * to no other.
 */
#ifndef READBACK_BASE_HTTP_CLIENT_H
#define READBACK_BASE_HTTP_CLIENT_H

#include <stddef.h>

#include "base/error.h"

struct http_client;

struct http_call {
	const char *method, *url;
	const char *const *headers; /* "Name: value", NULL-terminated; NULL: none */
	const char *body;           /* NUL-terminated; NULL: none */
	long timeout_ms;            /* of the whole call */
	long connect_ms;            /* of connecting, within timeout_ms; 0: no limit of its own */
	size_t max_answer;          /* bytes of the answer's body */
};

struct http_answer {
	int status;
	char *body; /* NUL-terminated; the caller frees */
	size_t n;
	long retry_after; /* seconds; 0: the server does not say */
};

int http_client_new(struct http_client **out, struct error *e);
void http_client_free(struct http_client *c); /* NULL is fine */

/*
 * An answer of any status is 0. ERR_REMOTE when there is none (no connection,
 * not in time, cut short), ERR_TOO_LARGE past max_answer; messages say why,
 * without the URL.
 */
int http_client_call(struct http_client *c, const struct http_call *call, struct http_answer *out,
		     struct error *e);

#endif
