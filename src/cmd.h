/*
 * cmd.h: what the subcommands share. One subcommand a file (cmd_x.c), one
 * table of them in main.c.
 *
 * A subcommand parses its own flags with the helpers here, prints to stdout
 * (JSON with --json), messages and progress to stderr, and returns the exit
 * code of the program (documented in docs/operations.md).
 */
#ifndef READBACK_CMD_H
#define READBACK_CMD_H

#include <stddef.h>
#include <stdio.h>

#include "base/json.h"
#include "embed/embed.h"
#include "http/api.h"

enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,    /* the work failed: the message says why */
	EXIT_USAGE = 2,     /* unknown flag or a missing argument */
	EXIT_SKIPPED = 3,   /* import: done, but some lines were skipped */
	EXIT_STOPPED = 130, /* Ctrl-C */
};

struct command {
	const char *name, *summary;
	int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name */
};

extern const struct command cmd_serve, cmd_import, cmd_search, cmd_handoff, cmd_export, cmd_eval, cmd_replay,
	cmd_key, cmd_status, cmd_reindex, cmd_rules, cmd_models, cmd_insights, cmd_verify, cmd_consent;

/* Options as a table, so that --help is true. */
enum option_type { OPTION_FLAG, OPTION_TEXT, OPTION_INT, OPTION_NUMBER, OPTION_LIST };

/* Of an option that may be given several times. */
#define OPTION_LIST_MAX 16
struct option_list {
	const char *items[OPTION_LIST_MAX];
	size_t n;
};

struct option_spec {
	const char *name;  /* "--data" */
	const char *value; /* "DIR": shown in help; NULL for a flag */
	enum option_type type;
	void *out; /* int *, const char **, long *, double *, struct option_list *; holds the default before */
	const char *help;
};

struct usage {
	const char *name, *args, *about;   /* "search", "\"text\"", one or two sentences */
	const struct option_spec *options; /* ended by a zeroed one */
	const char *more;                  /* examples, exit codes; may be NULL */
};

/* Rows for a `struct embedder_options o`, of every command that opens a data folder in this process. */
#define EMBEDDER_OPTIONS(o)                                                                     \
	{ "--embedder", "KIND", OPTION_TEXT, &(o).kind,                                         \
	  "minilm, http or none (minilm where the model is found)" },                           \
		{ "--embedder-url", "URL", OPTION_TEXT, &(o).url,                               \
		  "of http: POST URL/embeddings is asked; READBACK_EMBEDDER_KEY has the key" }, \
		{ "--embedder-model", "NAME", OPTION_TEXT, &(o).remote_model,                   \
		  "of http: the model's name there" },                                          \
		{ "--embedder-dimensions", "N", OPTION_INT, &(o).dimensions,                    \
		  "of http: floats a vector (0: the server is asked at the start)" },           \
	{                                                                                       \
		"--embedder-timeout-ms", "N", OPTION_INT, &(o).timeout_ms,                      \
			"of http: for one text; six times that for more (10000)"                \
	}

/*
 * Reads options (from argv, then READBACK_DATA, READBACK_LISTEN … for those not
 * given); operands stay in argv[1 … *operands]. -1: go on. Else the exit
 * code to return: --help was printed, or an error said.
 */
int usage_parse(const struct usage *u, int argc, char **argv, int *operands);

/* Says `readback: message` on stderr and returns EXIT_FAILED (EXIT_USAGE for ERR_USAGE). */
int cmd_fail(const struct error *e);

/* Prints a text on one line: white space runs become one space, at most `max` bytes, "…" where it was cut. */
void print_line(const char *indent, const char *text, size_t max);

/* Set by SIGINT and SIGTERM once cmd_catch_stop() was called. */
extern volatile int cmd_stop;
void cmd_catch_stop(void);

/* A bar on a terminal (rate, time left), a plain line now and then in a log. */
struct progress {
	const char *label;
	FILE *to;
	int terminal;
	int64_t started_us, drawn_us;
};
void progress_start(struct progress *p, const char *label);
/* `total` 0: not known. */
void progress_show(struct progress *p, int64_t done, int64_t total);
void progress_end(struct progress *p, int64_t done);

/* Everything that works on a data folder, in this process. */
struct workplace_options {
	const char *data;   /* --data */
	const char *tenant; /* NULL: "default" */
	struct embedder_options embedder;
	struct embedder *ready; /* used in the place of one that is opened; stays the caller's. NULL: none */
	int read_only;          /* beside a server */
	int with_jobs;
	double target_precision; /* of answers; 0: the default */
	double audit_share;      /* of would-be answers and of what is unsure, to the review queue */
	int no_background;
	int no_index; /* with read_only: records alone, nothing is searched */
};

struct workplace {
	struct arena *arena;
	struct control *control;
	struct embedder *embedder;
	int embedder_borrowed;
	struct engine *engine;
	struct jobs *jobs;
	struct dataset_jobs *datasets;
	struct desk desk;
	struct api api;
};

/* Says so once on stderr when there is no model. On failure everything is closed again. */
int workplace_open(const struct workplace_options *o, struct workplace *w, struct error *e);
void workplace_close(struct workplace *w);

/*
 * The folder of a tenant, for commands that work on its files while no server
 * runs. *folder is the arena's.
 */
int tenant_folder(const char *data, const char *tenant, struct arena *a, const char **folder,
		  struct error *e);

/* Rights of whoever has the data folder: everything, as principal "cli". */
extern const struct rights cli_rights;

/*
 * One request, by --url against a server (key from --key or READBACK_KEY), or
 * in process on --data: the same routes, the same answers.
 */
struct client_options {
	const char *url, *key, *data;
	struct embedder_options embedder; /* in process */
	int writes;                       /* opens the folder for writing when in process */
};

/* Rows for a `struct client_options o`, of every command that asks a data folder or a server. */
#define CLIENT_OPTIONS(o)                                                                            \
	{ "--data", "DIR", OPTION_TEXT, &(o).data, "the data folder" },                              \
		{ "--url", "URL", OPTION_TEXT, &(o).url, "a running server instead of the folder" }, \
		{ "--key", "KEY", OPTION_TEXT, &(o).key, "API key for --url" },                      \
		EMBEDDER_OPTIONS((o).embedder)

struct client;

int client_open(const struct client_options *o, struct client **out, struct error *e);
/* `body` may be NULL. *status and *out (text of the answer, NUL-terminated; the caller frees) are set on 0. */
int client_call(struct client *c, const char *method, const char *target, const json_t *body, int *status,
		char **out, struct error *e);
/* As client_call for answers in JSON; an error answer (4xx, 5xx) becomes ERR_REMOTE with its message. */
int client_json(struct client *c, const char *method, const char *target, const json_t *body, json_t **out,
		struct error *e);
/* All that a list has, page by page, behind what `all` has. `path`: "/v1/rules". */
int client_list(struct client *c, const char *path, json_t *all, struct error *e);
void client_close(struct client *c);

/* Percent-encodes one segment of a path. Caller frees. */
char *path_segment(const char *s);

#endif
