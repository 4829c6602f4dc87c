#include "cmd_eval.h"

#include <string.h>

static void print_help(FILE *to)
{
	fputs("usage: readback eval retrieval --corpus C.jsonl --queries Q.jsonl --qrels R.tsv [options]\n"
	      "       readback eval intent --train T.jsonl --test T.jsonl [options]\n\n"
	      "Measures on files of your own: each imports into a data folder as `readback import` does,\n"
	      "and asks as the service is asked. `readback eval retrieval --help` tells more.\n",
	      to);
}

static int run(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "retrieval") == 0)
		return eval_retrieval(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "intent") == 0)
		return eval_intent(argc - 1, argv + 1);
	int asked = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
	print_help(asked ? stdout : stderr);
	return asked ? EXIT_OK : EXIT_USAGE;
}

const struct command cmd_eval = { "eval", "measure retrieval or intents on files of your own", run };
