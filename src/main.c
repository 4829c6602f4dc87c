#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/version.h"
#include "cmd.h"

static const struct command *const commands[] = {
	&cmd_serve, &cmd_import, &cmd_search,   &cmd_handoff, &cmd_export,
	&cmd_eval,  &cmd_replay, &cmd_key,      &cmd_status,  &cmd_reindex,
	&cmd_rules, &cmd_models, &cmd_insights, &cmd_verify,  &cmd_consent,
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

volatile int cmd_stop;

static void stop(int signal)
{
	(void)signal;
	cmd_stop = 1;
}

void cmd_catch_stop(void)
{
	struct sigaction sa = { .sa_handler = stop };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

static void print_help(FILE *to)
{
	fputs("readback: the memory behind AI-to-human handoffs\n\n"
	      "usage: readback COMMAND [options]      readback COMMAND --help      readback --version\n\n",
	      to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nEvery option --x-y may also be given as the variable READBACK_X_Y.\n"
	      "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but lines were skipped, 130 stopped by Ctrl-C.\n",
	      to);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (crypto_start() < 0) {
		fputs("readback: the cryptographic library does not start\n", stderr);
		return EXIT_FAILED;
	}
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
		puts(READBACK_NAME " " READBACK_VERSION);
		return EXIT_OK;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i]->name) == 0)
			return commands[i]->run(argc - 1, argv + 1);
	fprintf(stderr, "readback: there is no command \"%s\"; readback --help lists them\n", argv[1]);
	return EXIT_USAGE;
}
