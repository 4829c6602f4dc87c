/* cmd_export.h: what the files of `readback export` share. */
#ifndef READBACK_CMD_EXPORT_H
#define READBACK_CMD_EXPORT_H

/* `export diff`; argv[0] is "diff". Returns the exit code. */
int export_diff_run(int argc, char **argv);
/* The same of `export withdrawn`. */
int export_withdrawn_run(int argc, char **argv);

#endif
