/*
 * server.h: HTTP by libmicrohttpd: connections are taken by its epoll threads
 * and never block them; requests run on worker threads.
 */
#ifndef READBACK_HTTP_SERVER_H
#define READBACK_HTTP_SERVER_H

#include "http/api.h"

struct server;

struct server_options {
	const char *listen; /* "127.0.0.1:8080", "[::1]:0" (port 0: any free one) */
	unsigned workers;   /* 0: 64 */
	unsigned queue;     /* requests waiting for a worker; more are 503; 0: 1024 */
	int quiet;          /* no line a request in the log */
};

/* ERR_CONFIG for an address that cannot be read or bound. The api outlives the server. */
int server_start(struct api *api, const struct server_options *o, struct server **out, struct error *e);
/* "http://127.0.0.1:8080", with the port that was really bound. */
const char *server_url(const struct server *s);
/* Takes no new connections, answers what is under way (10 s at most), then ends. */
void server_stop(struct server *s);

/* Does the address name this machine only (127.0.0.0/8, ::1, localhost)? */
int server_is_loopback(const char *listen);

#endif
