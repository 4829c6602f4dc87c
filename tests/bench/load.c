/*
 * load: sends prepared HTTP requests over kept-alive connections and times the answers.
 *
 *   build/tests/bench/load HOST PORT REQUESTS CONNECTIONS SECONDS [RATE]
 *   build/tests/bench/load HOST PORT REQUESTS save OUT
 *
 * REQUESTS: (length u32, bytes of a whole HTTP/1.1 request)*. One process a connection, each begins
 * at another place and goes round. An answer is read by its Content-Length or its chunks and not
 * looked into, but for its status. RATE: so many a second in all, by a clock that does not wait for
 * slow answers: their time counts from when they were due. Prints JSON. `save` sends each request
 * once and writes (length u32, body)* to OUT.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER (8u << 20)
#define MOST 4000000 /* answers of a connection that are timed */

struct request {
	const char *p;
	uint32_t n;
};

/* What a process tells its parent. */
struct tally {
	size_t n, errors;
	double seconds;
	uint32_t us[MOST];
};

static struct request *requests;
static size_t n_requests;
static const char *host;
static int port;
static char *answer;

static void die(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void read_requests(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t cap = 0;
	uint32_t n;

	if (!f)
		die(path);
	while (fread(&n, sizeof(n), 1, f) == 1) {
		char *p = malloc(n);
		if (!p || fread(p, 1, n, f) != n)
			die("the file of requests is cut short");
		if (n_requests == cap) {
			cap = cap ? 2 * cap : 1024;
			requests = realloc(requests, cap * sizeof(*requests));
			if (!requests)
				die("no memory");
		}
		requests[n_requests++] = (struct request){ p, n };
	}
	fclose(f);
	if (!n_requests)
		die("no requests");
}

static int dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int s = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

	if (s < 0 || inet_pton(AF_INET, host, &to.sin_addr) != 1 ||
	    connect(s, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("cannot connect");
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	return s;
}

static void send_all(int s, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t did = send(s, p, n, MSG_NOSIGNAL);
		if (did <= 0)
			die("the connection was lost while sending");
		p += did;
		n -= (size_t)did;
	}
}

static void more(int s, size_t *have)
{
	ssize_t did = recv(s, answer + *have, ANSWER - 1 - *have, 0);

	if (did <= 0)
		die("the connection was lost, or an answer is too long");
	*have += (size_t)did;
	answer[*have] = '\0';
}

static const char *header(const char *name)
{
	size_t n = strlen(name);

	for (const char *line = strstr(answer, "\r\n"); line; line = strstr(line + 2, "\r\n"))
		if (strncasecmp(line + 2, name, n) == 0)
			return line + 2 + n;
	return NULL;
}

/* Takes the chunks out of the body that begins at `at`; reads what is missing. Returns the body's end. */
static size_t read_chunks(int s, size_t at, size_t *have)
{
	size_t out = at;

	for (;;) {
		char *end;
		while (!(end = strstr(answer + at, "\r\n")))
			more(s, have);
		size_t n = strtoul(answer + at, NULL, 16), begin = (size_t)(end - answer) + 2;
		while (*have < begin + n + 2)
			more(s, have);
		if (n == 0)
			return out;
		memmove(answer + out, answer + begin, n);
		out += n;
		at = begin + n + 2;
	}
}

/* One request, one answer. Returns its status; the body is at *body. */
static int call(int s, const struct request *r, const char **body, size_t *n)
{
	size_t have = 0;
	char *end;

	send_all(s, r->p, r->n);
	answer[0] = '\0';
	while (!(end = strstr(answer, "\r\n\r\n")))
		more(s, &have);
	size_t at = (size_t)(end - answer) + 4, last;
	*end = '\0';
	const char *length = header("content-length:");
	int status = atoi(answer + 9), chunked = !length && header("transfer-encoding:");
	*end = '\r';
	if (chunked) {
		last = read_chunks(s, at, &have);
	} else {
		last = at + (length ? strtoul(length, NULL, 10) : 0);
		while (have < last)
			more(s, &have);
	}
	*body = answer + at;
	*n = last - at;
	return status;
}

static void run(struct tally *t, size_t me, size_t of, double seconds, double rate)
{
	size_t at = me * n_requests / of, n;
	int s = dial();
	const char *body;

	call(s, &requests[at], &body, &n); /* the connection is warm */
	double began = now(), due = began;
	while (t->n < MOST && now() - began < seconds) {
		if (rate > 0) {
			due += (double)of / rate;
			double wait = due - now();
			if (wait > 0)
				usleep((useconds_t)(wait * 1e6));
		} else {
			due = now();
		}
		at = (at + 1) % n_requests;
		t->errors += call(s, &requests[at], &body, &n) != 200;
		t->us[t->n++] = (uint32_t)((now() - due) * 1e6);
	}
	t->seconds = now() - began;
	close(s);
}

static void save(const char *path)
{
	FILE *f = fopen(path, "wb");
	int s = dial();

	for (size_t i = 0; f && i < n_requests; i++) {
		const char *body;
		size_t n;
		int status = call(s, &requests[i], &body, &n);
		uint32_t length = (uint32_t)n;
		if (status != 200) {
			fprintf(stderr, "load: status %d: %.*s\n", status, (int)(n < 300 ? n : 300), body);
			exit(1);
		}
		fwrite(&length, sizeof(length), 1, f);
		fwrite(body, 1, n, f);
	}
	if (!f || fclose(f) != 0)
		die(path);
	close(s);
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void report(struct tally *const *t, size_t n)
{
	size_t all = 0, errors = 0, at = 0;
	double rate = 0;

	for (size_t i = 0; i < n; i++) {
		all += t[i]->n;
		errors += t[i]->errors;
		rate += (double)t[i]->n / t[i]->seconds;
	}
	uint32_t *us = malloc((all + 1) * sizeof(*us));
	if (!us || !all)
		die("nothing was answered");
	for (size_t i = 0; i < n; at += t[i]->n, i++)
		memcpy(us + at, t[i]->us, t[i]->n * sizeof(*us));
	qsort(us, all, sizeof(*us), by_value);
	const size_t p50 = all / 2, p95 = all * 95 / 100, p99 = all * 99 / 100;
	printf("{\"connections\": %zu, \"n\": %zu, \"errors\": %zu, \"rate\": %.1f, \"p50\": %.3f, \"p95\": %.3f, "
	       "\"p99\": %.3f}\n",
	       n, all, errors, rate, us[p50] / 1e3, us[p95] / 1e3, us[p99] / 1e3);
	free(us);
}

int main(int argc, char **argv)
{
	struct tally *t[64];

	if (argc < 6)
		die("load HOST PORT REQUESTS CONNECTIONS SECONDS [RATE], or save OUT for the last two");
	host = argv[1];
	port = atoi(argv[2]);
	read_requests(argv[3]);
	answer = malloc(ANSWER);
	if (!answer)
		die("no memory");
	if (strcmp(argv[4], "save") == 0) {
		save(argv[5]);
		return 0;
	}
	size_t n = strtoul(argv[4], NULL, 10);
	double seconds = strtod(argv[5], NULL), rate = argc > 6 ? strtod(argv[6], NULL) : 0;
	if (n < 1 || n > 64)
		die("1 to 64 connections");
	for (size_t i = 0; i < n; i++) {
		t[i] = mmap(NULL, sizeof(*t[i]), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (t[i] == MAP_FAILED)
			die("no memory");
	}
	for (size_t i = 0; i < n; i++) {
		pid_t child = fork();
		if (child < 0)
			die("cannot fork");
		if (child == 0) {
			run(t[i], i, n, seconds, rate);
			exit(0);
		}
	}
	int status, bad = 0;
	while (wait(&status) > 0)
		bad |= status;
	if (bad)
		die("a connection failed");
	report(t, n);
	return 0;
}
