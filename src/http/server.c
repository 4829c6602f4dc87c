#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/gzip.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "http/exchange.h"

#define DEFAULT_WORKERS 64
#define DEFAULT_QUEUE 1024
#define WORKER_STACK (1u << 20)
#define REQUEST_ARENA (64u << 10)
#define IDLE_SECONDS 60
#define MAX_CONNECTIONS 4096
#define MAX_CONNECTIONS_PER_ADDRESS 1024
#define HEADER_MEMORY (64u << 10)
#define MAX_HEADERS 64
#define DRAIN_SECONDS 10
#define BUFFERED_BYTES (512u << 20) /* of all bodies together */
#define LOOK_UP_FROM (64u << 10)    /* bytes of body from which the key is looked up before they are taken */
#define WORTH_COMPRESSING 1400      /* bytes: about a packet */

/*
 * A connection's request: made in MHD's first callback, freed when it is
 * completed. Between suspend and resume it is a worker's, else MHD's thread's.
 */
struct pending {
	struct pending *next; /* in the queue */
	struct server *server;
	struct MHD_Connection *connection;
	struct arena *arena;
	struct strbuf body;
	size_t limit;
	size_t discarded; /* bytes past the limit */
	int queued, open, answered, no_room;
	const char *target;
	struct request request;
	struct header headers[MAX_HEADERS];
	struct response response;
	int64_t started;
};

struct server {
	struct api *api;
	struct server_options options;
	struct MHD_Daemon *daemon;
	char url[96];
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	struct pending *first, *last;
	size_t waiting, open; /* requests in the queue; requests between queue and completion */
	atomic_int closing;
	atomic_size_t buffered; /* bytes of bodies */
	pthread_t *threads;
	unsigned n_threads;
};

/* The raw target comes here, before anything is decoded; kept as the connection's first state. */
static void *take_target(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct server *s = cls;
	struct pending *p = calloc(1, sizeof(*p));

	(void)connection;
	if (!p)
		return NULL;
	p->arena = arena_new(REQUEST_ARENA);
	p->target = p->arena ? arena_strdup(p->arena, uri) : NULL;
	if (!p->target) {
		arena_free(p->arena);
		free(p);
		return NULL;
	}
	p->server = s;
	p->started = clock_mono_us();
	return p;
}

static void complete(void *cls, struct MHD_Connection *connection, void **state,
		     enum MHD_RequestTerminationCode why)
{
	struct server *s = cls;
	struct pending *p = *state;

	(void)connection;
	(void)why;
	if (!p)
		return;
	*state = NULL;
	atomic_fetch_sub(&s->buffered, p->body.n);
	int was_open = p->open;
	if (p->response.file && p->response.file->fd >= 0)
		close(p->response.file->fd);
	strbuf_release(&p->body);
	arena_free(p->arena);
	free(p);
	if (!was_open)
		return;
	pthread_mutex_lock(&s->lock);
	s->open--;
	pthread_cond_broadcast(&s->idle);
	pthread_mutex_unlock(&s->lock);
}

static enum MHD_Result add_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct pending *p = cls;

	(void)kind;
	if (p->request.n_headers < MAX_HEADERS && value)
		p->headers[p->request.n_headers++] = (struct header){ name, value };
	return MHD_YES;
}

static void log_request(const struct pending *p)
{
	if (p->server->options.quiet)
		return;
	log_line(LOG_LEVEL_INFO, "request",
		 "method=%s route=%s status=%d code=%s ms=%.2f key=%s request_id=%s", p->request.method,
		 p->response.route ? p->response.route : "", p->response.status,
		 p->response.code ? p->response.code : "", (double)(clock_mono_us() - p->started) / 1000,
		 p->response.key ? p->response.key : "", p->response.request_id);
}

/* A file is read as it is sent, and closed by MHD. */
static struct MHD_Response *file_response(struct response_file *f)
{
	struct MHD_Response *m = MHD_create_response_from_fd_at_offset64(f->n, f->fd, f->at);

	if (m)
		f->fd = -1;
	return m;
}

/* The response's bytes are the arena's, which outlives it: MHD drops it before `complete` is called. */
static enum MHD_Result answer(struct pending *p)
{
	const struct response *r = &p->response;
	struct MHD_Response *m = r->file ? file_response(r->file)
					 : MHD_create_response_from_buffer(r->n, (void *)(uintptr_t)r->body,
									   MHD_RESPMEM_PERSISTENT);

	if (!m)
		return MHD_NO;
	if (r->type && r->status != 304)
		MHD_add_response_header(m, "Content-Type", r->type);
	MHD_add_response_header(m, "X-Request-Id", r->request_id);
	MHD_add_response_header(m, "Cache-Control", "no-store");
	MHD_add_response_header(m, "Vary", "Accept-Encoding");
	for (size_t i = 0; i < r->n_headers; i++)
		MHD_add_response_header(m, r->headers[i].name, r->headers[i].value);
	if (p->server->closing)
		MHD_add_response_header(m, "Connection", "close");
	enum MHD_Result sent = MHD_queue_response(p->connection, (unsigned)r->status, m);
	MHD_destroy_response(m);
	log_request(p);
	return sent;
}

static enum MHD_Result refuse(struct pending *p, int code, const char *why)
{
	struct error e;

	error_set(&e, code, NULL, "%s", why);
	api_refuse(&p->request, p->arena, &e, &p->response);
	p->answered = 1;
	return answer(p);
}

/*
 * What will be sent, as the headers tell; SIZE_MAX if they do not (chunked).
 */
static size_t announced(const struct pending *p)
{
	const char *length = request_header(&p->request, "Content-Length");

	if (length)
		return (size_t)strtoull(length, NULL, 10);
	return request_header(&p->request, "Transfer-Encoding") ? SIZE_MAX : 0;
}

/* First callback: nothing of the body was read yet, so a reply can still be given at once. */
static enum MHD_Result begin(struct pending *p, struct MHD_Connection *connection, const char *method)
{
	size_t path = strcspn(p->target, "?");

	p->connection = connection;
	p->request = (struct request){ .method = method, .target = p->target, .headers = p->headers };
	MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, p);
	p->limit = router_max_body(method, p->target, path);
	size_t body = announced(p);
	if (body == 0)
		return MHD_YES;
	if (body != SIZE_MAX && body > p->limit)
		return refuse(p, ERR_TOO_LARGE, "the body is longer than this route takes");
	/* Nobody's body is kept before the key is known: what is anonymous costs no memory. */
	if (api_admit(p->server->api, &p->request, body > LOOK_UP_FROM, p->arena, &p->response) < 0) {
		p->answered = 1;
		return answer(p);
	}
	if (body != SIZE_MAX && atomic_load(&p->server->buffered) + body > BUFFERED_BYTES)
		return refuse(p, ERR_OVERLOADED, "too many large requests at once; try again");
	return MHD_YES;
}

/* No reply can be queued in mid-upload: what is too much is dropped, and told at the end. */
static enum MHD_Result upload(struct pending *p, const char *data, size_t *n)
{
	p->no_room |= atomic_load(&p->server->buffered) + *n > BUFFERED_BYTES;
	if (p->discarded || p->no_room || p->body.n + *n > p->limit) {
		p->discarded += *n;
	} else {
		strbuf_add(&p->body, data, *n);
		atomic_fetch_add(&p->server->buffered, *n);
	}
	if (p->discarded > 2 * p->limit)
		return MHD_NO; /* far past the limit: the connection is cut */
	*n = 0;
	return MHD_YES;
}

/* Suspended before a worker can see it, so that resume never comes first. */
static enum MHD_Result enqueue(struct pending *p)
{
	struct server *s = p->server;

	p->request.body = p->body.p ? p->body.p : "";
	p->request.n_body = p->body.n;
	p->queued = 1;
	pthread_mutex_lock(&s->lock);
	if (s->closing || s->waiting >= s->options.queue) {
		int closing = s->closing;
		pthread_mutex_unlock(&s->lock);
		return closing ? refuse(p, ERR_CLOSING, "the server is shutting down")
			       : refuse(p, ERR_OVERLOADED, "too many requests are waiting; try again");
	}
	MHD_suspend_connection(p->connection);
	if (s->last)
		s->last->next = p;
	else
		s->first = p;
	s->last = p;
	s->waiting++;
	s->open++;
	p->open = 1;
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
	return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data, size_t *n,
				  void **state)
{
	struct pending *p = *state;

	(void)cls;
	(void)url;
	(void)version;
	if (!p)
		return MHD_NO;
	if (!p->connection)
		return begin(p, connection, method);
	if (*n > 0)
		return upload(p, data, n);
	if (p->answered)
		return MHD_YES;
	if (p->no_room)
		return refuse(p, ERR_OVERLOADED, "too many large requests at once; try again");
	if (p->discarded)
		return refuse(p, ERR_TOO_LARGE, "the body is longer than this route takes");
	if (p->body.failed)
		return refuse(p, ERR_NO_MEMORY, "out of memory");
	if (!p->queued)
		return enqueue(p);
	p->answered = 1;
	return answer(p);
}

static struct pending *next_pending(struct server *s)
{
	pthread_mutex_lock(&s->lock);
	while (!s->first && !s->closing)
		pthread_cond_wait(&s->work, &s->lock);
	struct pending *p = s->first;
	if (p) {
		s->first = p->next;
		if (!s->first)
			s->last = NULL;
		s->waiting--;
	}
	pthread_mutex_unlock(&s->lock);
	return p;
}

static int takes_gzip(const char *accepted)
{
	const char *gzip = strstr(accepted, "gzip");

	return gzip && strncmp(gzip, "gzip;q=0", 8) != 0;
}

/* On the worker, so that the connection threads do no work of their own. */
static void compress(struct pending *p)
{
	struct response *r = &p->response;
	const char *accepted = request_header(&p->request, "Accept-Encoding");
	const char *packed;
	size_t n;

	if (r->n < WORTH_COMPRESSING || !accepted || !takes_gzip(accepted) ||
	    r->n_headers == sizeof(r->headers) / sizeof(r->headers[0]))
		return;
	if (gzip_pack(p->arena, r->body, r->n, &packed, &n) < 0)
		return; /* it goes out as it is */
	r->body = packed;
	r->n = n;
	r->headers[r->n_headers++] = (struct header){ "Content-Encoding", "gzip" };
}

static void *work(void *arg)
{
	struct server *s = arg;

	for (struct pending *p; (p = next_pending(s));) {
		api_handle(s->api, &p->request, p->arena, &p->response);
		compress(p);
		MHD_resume_connection(p->connection);
	}
	return NULL;
}

/* "127.0.0.1:8080", "[::1]:0", "localhost:0" */
static int parse_listen(const char *listen, char host[64], unsigned *port)
{
	const char *colon = strrchr(listen, ':');
	const char *from = listen, *to = colon;
	char *end;

	if (!colon || colon == listen)
		return -1;
	if (*from == '[') {
		from++;
		to--;
		if (to <= from || *to != ']')
			return -1;
	}
	if (to - from >= 64)
		return -1;
	snprintf(host, 64, "%.*s", (int)(to - from), from);
	if (strcmp(host, "localhost") == 0)
		snprintf(host, 64, "127.0.0.1");
	unsigned long v = strtoul(colon + 1, &end, 10);
	if (!colon[1] || *end || v > 65535)
		return -1;
	*port = (unsigned)v;
	return 0;
}

static int socket_address(const char *listen, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	char host[64];
	unsigned port;

	memset(out, 0, sizeof(*out));
	if (parse_listen(listen, host, &port) < 0)
		return -1;
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		return 0;
	}
	return -1;
}

int server_is_loopback(const char *listen)
{
	struct sockaddr_storage a;

	if (socket_address(listen, &a) < 0)
		return 0;
	if (a.ss_family == AF_INET)
		return ntohl(((struct sockaddr_in *)&a)->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&a)->sin6_addr);
}

static unsigned cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : (unsigned)n;
}

/* An unescape callback that leaves everything as it is: we route on the raw path. */
static size_t keep_raw(void *cls, struct MHD_Connection *connection, char *s)
{
	(void)cls;
	(void)connection;
	return strlen(s);
}

static int start_daemon(struct server *s, struct error *e)
{
	struct sockaddr_storage address;

	if (socket_address(s->options.listen, &address) < 0)
		return error_set(e, ERR_CONFIG, "listen", "%s is not an address such as 127.0.0.1:8080",
				 s->options.listen);
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO;
	if (address.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	s->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
		MHD_OPTION_THREAD_POOL_SIZE, cores() > 1 ? 2u : 0u, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS_PER_ADDRESS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_MEMORY, MHD_OPTION_URI_LOG_CALLBACK,
		take_target, s, MHD_OPTION_NOTIFY_COMPLETED, complete, s, MHD_OPTION_UNESCAPE_CALLBACK,
		keep_raw, NULL, MHD_OPTION_END);
	if (!s->daemon)
		return error_set(e, ERR_CONFIG, "listen", "cannot listen on %s: %s", s->options.listen,
				 strerror(errno));
	const union MHD_DaemonInfo *port = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
	const char *colon = strrchr(s->options.listen, ':');
	snprintf(s->url, sizeof(s->url), "http://%.*s:%u", (int)(colon - s->options.listen),
		 s->options.listen, port ? port->port : 0u);
	return 0;
}

static int start_workers(struct server *s, struct error *e)
{
	pthread_attr_t attr;
	int rc = 0;

	s->threads = calloc(s->options.workers, sizeof(*s->threads));
	if (!s->threads)
		return no_memory(e);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WORKER_STACK);
	for (; rc == 0 && s->n_threads < s->options.workers; s->n_threads += rc == 0)
		rc = pthread_create(&s->threads[s->n_threads], &attr, work, s);
	pthread_attr_destroy(&attr);
	return rc ? error_set(e, ERR_IO, NULL, "cannot start a worker thread: %s", strerror(rc)) : 0;
}

static void join_workers(struct server *s)
{
	pthread_mutex_lock(&s->lock);
	s->closing = 1;
	pthread_cond_broadcast(&s->work);
	pthread_mutex_unlock(&s->lock);
	for (unsigned i = 0; i < s->n_threads; i++)
		pthread_join(s->threads[i], NULL);
}

static void server_free(struct server *s)
{
	pthread_cond_destroy(&s->work);
	pthread_cond_destroy(&s->idle);
	pthread_mutex_destroy(&s->lock);
	free(s->threads);
	free(s);
}

int server_start(struct api *api, const struct server_options *o, struct server **out, struct error *e)
{
	struct server *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	if (!s)
		return no_memory(e);
	s->api = api;
	s->options = *o;
	s->options.workers = o->workers ? o->workers : DEFAULT_WORKERS;
	s->options.queue = o->queue ? o->queue : DEFAULT_QUEUE;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->work, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->idle, &attr);
	pthread_condattr_destroy(&attr);
	int rc = start_workers(s, e);
	if (rc == 0)
		rc = start_daemon(s, e);
	if (rc < 0) {
		join_workers(s);
		server_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

const char *server_url(const struct server *s)
{
	return s->url;
}

/*
 * MHD_stop_daemon aborts with a suspended connection. So: no new connections,
 * mark closing (new requests get 503), let the workers empty the queue (which
 * resumes everything), give the answers time to leave, then stop.
 */
void server_stop(struct server *s)
{
	struct timespec until;

	MHD_socket listening = MHD_quiesce_daemon(s->daemon);
	join_workers(s);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += DRAIN_SECONDS;
	pthread_mutex_lock(&s->lock);
	while (s->open && pthread_cond_timedwait(&s->idle, &s->lock, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&s->lock);
	MHD_stop_daemon(s->daemon);
	if (listening != MHD_INVALID_SOCKET)
		close(listening);
	server_free(s);
}
