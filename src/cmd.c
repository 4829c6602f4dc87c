#include "cmd.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

static void print_usage(const struct usage *u)
{
	printf("usage: readback %s%s%s [options]\n\n%s\n\noptions:\n", u->name, u->args[0] ? " " : "",
	       u->args, u->about);
	for (const struct option_spec *o = u->options; o->name; o++) {
		char left[64];
		snprintf(left, sizeof(left), "%s %s", o->name, o->value ? o->value : "");
		printf("  %-24s %s\n", left, o->help);
	}
	printf("  %-24s %s\n", "--help", "this text");
	if (u->more)
		printf("\n%s\n", u->more);
}

static const struct option_spec *find_option(const struct usage *u, const char *arg, size_t n)
{
	for (const struct option_spec *o = u->options; o->name; o++)
		if (strlen(o->name) == n && memcmp(o->name, arg, n) == 0)
			return o;
	return NULL;
}

static int add_to_list(const struct option_spec *o, const char *value)
{
	struct option_list *list = o->out;

	if (list->n == OPTION_LIST_MAX) {
		fprintf(stderr, "readback: %s is given more than %d times\n", o->name, OPTION_LIST_MAX);
		return -1;
	}
	list->items[list->n++] = value;
	return 0;
}

static int set_option(const struct option_spec *o, const char *value)
{
	char *end = NULL;

	errno = 0;
	switch (o->type) {
	case OPTION_FLAG:
		*(int *)o->out = strcmp(value, "0") != 0;
		return 0;
	case OPTION_TEXT:
		*(const char **)o->out = value;
		return 0;
	case OPTION_LIST:
		return add_to_list(o, value);
	case OPTION_INT:
		*(long *)o->out = strtol(value, &end, 10);
		break;
	case OPTION_NUMBER:
		*(double *)o->out = strtod(value, &end);
		break;
	}
	if (!*value || *end || errno) {
		fprintf(stderr, "readback: %s takes a number, not \"%s\"\n", o->name, value);
		return -1;
	}
	return 0;
}

/* --fusion-weight is READBACK_FUSION_WEIGHT. */
static int set_from_environment(const struct usage *u)
{
	for (const struct option_spec *o = u->options; o->name; o++) {
		char name[64] = "READBACK_";
		size_t n = strlen(name);
		for (const char *p = o->name + 2; *p && n + 1 < sizeof(name); p++)
			name[n++] = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
		name[n] = '\0';
		const char *value = getenv(name);
		if (value && *value && set_option(o, value) < 0)
			return -1;
	}
	return 0;
}

static int misused(const struct usage *u, const char *what, const char *arg)
{
	fprintf(stderr, "readback %s: %s%s; readback %s --help tells more\n", u->name, what, arg, u->name);
	return EXIT_USAGE;
}

int usage_parse(const struct usage *u, int argc, char **argv, int *operands)
{
	int kept = 0, only_operands = 0;

	if (set_from_environment(u) < 0)
		return EXIT_USAGE;
	for (int i = 1; i < argc; i++) {
		char *arg = argv[i];
		if (only_operands || arg[0] != '-' || strcmp(arg, "-") == 0) {
			argv[++kept] = arg;
			continue;
		}
		if (strcmp(arg, "--") == 0) {
			only_operands = 1;
			continue;
		}
		if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
			print_usage(u);
			return EXIT_OK;
		}
		const char *eq = strchr(arg, '=');
		const struct option_spec *o = find_option(u, arg, eq ? (size_t)(eq - arg) : strlen(arg));
		if (!o)
			return misused(u, "there is no option ", arg);
		const char *value = eq                       ? eq + 1
				    : o->type == OPTION_FLAG ? "1"
				    : i + 1 < argc           ? argv[++i]
							     : NULL;
		if (!value)
			return misused(u, "a value is missing after ", arg);
		if (set_option(o, value) < 0)
			return EXIT_USAGE;
	}
	*operands = kept;
	return -1;
}

int cmd_fail(const struct error *e)
{
	if (e->param[0] && !strstr(e->message, e->param))
		fprintf(stderr, "readback: %s: %s\n", e->param, e->message);
	else
		fprintf(stderr, "readback: %s\n", e->message);
	return e->code == ERR_USAGE ? EXIT_USAGE : e->code == ERR_INTERRUPTED ? EXIT_STOPPED : EXIT_FAILED;
}

void print_line(const char *indent, const char *text, size_t max)
{
	size_t n = strlen(text), end = utf8_floor(text, n, max), gap = 0;

	fputs(indent, stdout);
	for (size_t i = 0; i < end; i++) {
		int space = text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r';
		if (!space && gap)
			putchar(' ');
		if (!space)
			putchar(text[i]);
		gap = space;
	}
	puts(end < n ? "…" : "");
}

#define DRAW_EVERY_US 200000
#define LINE_EVERY_US 10000000
#define BAR 24

void progress_start(struct progress *p, const char *label)
{
	*p = (struct progress){ .label = label, .to = stderr, .terminal = isatty(STDERR_FILENO) };
	p->started_us = p->drawn_us = clock_mono_us();
}

void progress_show(struct progress *p, int64_t done, int64_t total)
{
	int64_t now = clock_mono_us();

	if (now - p->drawn_us < (p->terminal ? DRAW_EVERY_US : LINE_EVERY_US))
		return;
	p->drawn_us = now;
	double seconds = (double)(now - p->started_us) / 1e6;
	double rate = seconds > 0 ? (double)done / seconds : 0;
	double left = total > done && rate > 0 ? (double)(total - done) / rate : 0;
	if (!p->terminal) {
		if (total > 0)
			fprintf(p->to, "%s: %lld of %lld, %.0f/s, %.0f s left\n", p->label, (long long)done,
				(long long)total, rate, left);
		else
			fprintf(p->to, "%s: %lld, %.0f/s\n", p->label, (long long)done, rate);
		return;
	}
	char bar[BAR + 1];
	int full = total > 0 ? (int)(BAR * (done < total ? done : total) / total) : 0;
	for (int i = 0; i < BAR; i++)
		bar[i] = i < full ? '#' : '.';
	bar[BAR] = '\0';
	fprintf(p->to, "\r%s [%s] %lld, %.0f/s, %.0f s left \033[K", p->label, bar, (long long)done, rate,
		left);
	fflush(p->to);
}

void progress_end(struct progress *p, int64_t done)
{
	double seconds = (double)(clock_mono_us() - p->started_us) / 1e6;

	fprintf(p->to, "%s%s: %lld in %.1f s%s\n", p->terminal ? "\r" : "", p->label, (long long)done,
		seconds, p->terminal ? "\033[K" : "");
}
