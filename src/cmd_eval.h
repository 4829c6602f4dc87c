/* cmd_eval.h: the parts of `readback eval`. */
#ifndef READBACK_CMD_EVAL_H
#define READBACK_CMD_EVAL_H

#include "cmd.h"

/* Each parses its own options; argv[0] is the name of the part. */
int eval_retrieval(int argc, char **argv);
int eval_intent(int argc, char **argv);
int eval_compare(int argc, char **argv);
int eval_list_kept(int argc, char **argv);

#endif
