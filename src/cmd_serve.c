#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "cmd.h"
#include "desk/audit.h"
#include "learn/answering.h"
#include "http/server.h"
#include "store/keys.h"

/*
 * Posted by SIGINT and SIGTERM; a handler has nothing else to reach it by. A
 * handler and not sigwait(): libraries start threads before main(), which no
 * mask of ours reaches, and a signal that such a thread gets would end the
 * process at once.
 */
static sem_t stop_asked;

static void ask_stop(int signal)
{
	(void)signal;
	sem_post(&stop_asked);
}

static void catch_stop(void)
{
	struct sigaction sa = { .sa_handler = ask_stop, .sa_flags = SA_RESTART };

	sem_init(&stop_asked, 0, 0);
	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

static void wait_for_stop(void)
{
	while (sem_wait(&stop_asked) < 0)
		; /* interrupted */
}

/* What was wrong with the index's files, for who reads the log. */
static void log_damage(const struct workplace *w)
{
	struct arena *a = arena_new(4096);
	struct engine_status s;

	if (a && engine_status(w->engine, a, &s, NULL) == 0 && s.index.broken_files)
		log_line(LOG_LEVEL_WARN, "broken_index_files", "files=%u", s.index.broken_files);
	arena_free(a);
}

static int serve(const struct workplace_options *o, const struct server_options *so, const char *dev_key)
{
	struct workplace w;
	struct server *server;
	struct error e = { 0 };

	if (workplace_open(o, &w, &e) < 0)
		return cmd_fail(&e);
	int rc = dev_key ? key_add_dev(w.control, dev_key, &e) : 0;
	if (rc == 0)
		rc = server_start(&w.api, so, &server, &e);
	if (rc < 0) {
		workplace_close(&w);
		return cmd_fail(&e);
	}
	log_damage(&w);
	fprintf(stderr, "readback: ready on %s\n", server_url(server));
	wait_for_stop();
	log_line(LOG_LEVEL_INFO, "stopping", "reason=%s", "signal");
	server_stop(server);
	workplace_close(&w);
	log_line(LOG_LEVEL_INFO, "stopped", "code=%d", 0);
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	struct workplace_options o = { .with_jobs = 1,
				       .audit_share = AUDIT_SHARE,
				       .target_precision = ANSWERING_TARGET };
	struct server_options so = { .listen = "127.0.0.1:8080" };
	const char *dev_key = NULL;
	long workers = 0, queue = 0;
	int operands = 0;
	const struct option_spec options[] = {
		{ "--data", "DIR", OPTION_TEXT, &o.data, "the data folder (made if it is not there)" },
		{ "--listen", "ADDRESS", OPTION_TEXT, &so.listen,
		  "address and port; port 0 takes a free one (127.0.0.1:8080)" },
		{ "--dev-key", "KEY", OPTION_TEXT, &dev_key,
		  "a key for this run: all scopes, all groups, loopback only" },
		{ "--tenant", "T", OPTION_TEXT, &o.tenant, "the tenant (default)" },
		EMBEDDER_OPTIONS(o.embedder),
		{ "--workers", "N", OPTION_INT, &workers, "threads that answer requests (64)" },
		{ "--queue", "N", OPTION_INT, &queue, "requests that may wait; more are 503 (1024)" },
		{ "--target-precision", "P", OPTION_NUMBER, &o.target_precision,
		  "of answers, once enough outcomes are known (0.95)" },
		{ "--audit-share", "P", OPTION_NUMBER, &o.audit_share,
		  "of what would be answered, and of what the bot is unsure of, goes to the review queue (0.02)" },
		{ "--quiet", NULL, OPTION_FLAG, &so.quiet, "no log line for each request" },
		{ 0 },
	};
	const struct usage u = { "serve", "", "Serves the HTTP API of a data folder until SIGTERM or Ctrl-C.",
				 options, NULL };
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	if (operands || workers < 0 || workers > 1024 || queue < 0 || queue > 1000000 ||
	    !(o.target_precision > 0 && o.target_precision <= 1) ||
	    !(o.audit_share >= 0 && o.audit_share <= 1)) {
		fputs("readback serve: an argument is out of range; readback serve --help tells more\n",
		      stderr);
		return EXIT_USAGE;
	}
	if (dev_key && !server_is_loopback(so.listen)) {
		fputs("readback serve: --dev-key is for loopback addresses only; make keys with readback key create\n",
		      stderr);
		return EXIT_USAGE;
	}
	so.workers = (unsigned)workers;
	so.queue = (unsigned)queue;
	catch_stop();
	return serve(&o, &so, dev_key);
}

const struct command cmd_serve = { "serve", "serve the HTTP API of a data folder", run };
