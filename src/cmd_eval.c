#include "cmd_eval.h"

#include <string.h>

static void print_help(FILE *to)
{
	fputs("usage: readback eval retrieval --corpus C.jsonl --queries Q.jsonl --qrels R.tsv [options]\n"
	      "       readback eval intent --train T.jsonl --test T.jsonl [options]\n"
	      "       readback eval compare A B --qrels R.tsv | --test T.jsonl [options]\n"
	      "       readback eval list [options]\n\n"
	      "Measures on files of your own. `retrieval` and `intent` import into a data folder as\n"
	      "`readback import` does, and ask as the service is asked; `compare` measures what two other\n"
	      "systems said, side by side; `list` prints the comparisons that were kept.\n"
	      "`readback eval retrieval --help` tells more.\n",
	      to);
}

static const struct part {
	const char *name;
	int (*run)(int argc, char **argv);
} parts[] = {
	{ "retrieval", eval_retrieval },
	{ "intent", eval_intent },
	{ "compare", eval_compare },
	{ "list", eval_list_kept },
};

static int run(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcmp(argv[1], parts[i].name) == 0)
			return parts[i].run(argc - 1, argv + 1);
	int asked = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
	print_help(asked ? stdout : stderr);
	return asked ? EXIT_OK : EXIT_USAGE;
}

const struct command cmd_eval = { "eval",
				  "measure retrieval or intents on files of your own; compare two systems",
				  run };
