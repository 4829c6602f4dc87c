#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "cmd.h"

#define NAME_WIDTH 28
#define WEEKS_PRINTED 6

static const char *text(const json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	return s ? s : "-";
}

static long long count(const json_t *j, const char *name)
{
	return (long long)json_integer_value(json_object_get(j, name));
}

/* "83% (210)": the share and of how many; "-" where nothing is known. */
static void print_share(const json_t *j, const char *name)
{
	const json_t *s = json_object_get(j, name), *share = json_object_get(s, "share");
	char cell[40] = "-";

	if (json_is_number(share))
		snprintf(cell, sizeof(cell), "%.0f%% (%lld)", 100 * json_number_value(share), count(s, "n"));
	printf("  %11s", cell);
}

static void print_number(const json_t *j, const char *figure, const char *name)
{
	const json_t *x = json_object_get(json_object_get(j, figure), name);

	if (json_is_number(x))
		printf("  %8.1f", json_number_value(x));
	else
		printf("  %8s", "-");
}

static void print_outcome(const char *name, const json_t *g)
{
	printf("%-*.*s  %8lld", NAME_WIDTH, NAME_WIDTH, name, count(g, "handoffs"));
	print_number(g, "handle_s", "median");
	print_share(g, "first_contact_resolution");
	print_share(g, "repeat_contact");
	print_share(g, "containment");
	print_share(g, "suggestion_use");
	print_share(g, "readback_discrepancies");
	print_number(g, "csat", "mean");
	putchar('\n');
}

static void print_outcomes(const json_t *answer)
{
	const char *by = text(answer, "by");
	json_t *g;
	size_t i;

	printf("%-*s  %8s  %8s  %11s  %11s  %11s  %11s  %11s  %8s\n", NAME_WIDTH, by, "handoffs", "median s",
	       "first time", "came again", "contained", "suggestion", "read-back", "csat");
	json_array_foreach(json_object_get(answer, "groups"), i, g)
		print_outcome(text(g, by), g);
	print_outcome("all", json_object_get(answer, "total"));
}

static void print_series(const char *name, const json_t *s)
{
	const json_t *weeks = json_object_get(s, "resolved"), *interval = json_object_get(s, "interval");
	size_t n = json_array_size(weeks);

	printf("%-*.*s", NAME_WIDTH, NAME_WIDTH, name);
	for (size_t i = n > WEEKS_PRINTED ? n - WEEKS_PRINTED : 0; i < n; i++)
		printf("  %8lld", (long long)json_integer_value(json_array_get(weeks, i)));
	if (json_is_integer(json_object_get(s, "forecast")))
		printf("  %8lld", count(s, "forecast"));
	if (interval && !json_is_null(interval))
		printf("  %.1f to %.1f", json_number_value(json_array_get(interval, 0)),
		       json_number_value(json_array_get(interval, 1)));
	putchar('\n');
}

static void print_volume(const json_t *answer)
{
	const json_t *weeks = json_object_get(answer, "weeks");
	size_t n = json_array_size(weeks), i;
	json_t *s;

	printf("%-*s", NAME_WIDTH, "resolved");
	for (i = n > WEEKS_PRINTED ? n - WEEKS_PRINTED : 0; i < n; i++)
		printf("  %8s", json_string_value(json_array_get(weeks, i)));
	if (n)
		printf("  %8s  80%%", text(answer, "forecast_week"));
	putchar('\n');
	json_array_foreach(json_object_get(answer, "intents"), i, s)
		print_series(text(s, "intent"), s);
	print_series("all", json_object_get(answer, "total"));
}

static void print_articles(const json_t *answer)
{
	json_t *a;
	size_t i;

	printf("%-*s  %7s  %7s  %7s  %11s  %10s  %s\n", NAME_WIDTH, "document", "shown", "used", "against",
	       "of resolved", "superseded", "title");
	json_array_foreach(json_object_get(answer, "data"), i, a) {
		printf("%-*.*s  %7lld  %7lld  %7lld", NAME_WIDTH, NAME_WIDTH, text(a, "document_id"),
		       count(a, "shown"), count(a, "used"), count(a, "against"));
		print_share(a, "against_share");
		printf("  %10lld  %s\n", count(a, "superseded"),
		       json_is_true(json_object_get(a, "deleted")) ? "(deleted)" : text(a, "title"));
	}
}

static void print_gap(const json_t *gap)
{
	json_t *x;
	size_t i;

	printf("%lld ", count(gap, "size"));
	json_array_foreach(json_object_get(gap, "terms"), i, x)
		printf("%s%s", i ? ", " : " ", json_string_value(x));
	putchar('\n');
	json_array_foreach(json_object_get(gap, "intents"), i, x)
		printf("%s%s (%lld)", i ? ", " : "    intents  ", text(x, "intent"), count(x, "n"));
	json_array_foreach(json_object_get(gap, "examples"), i, x)
		printf("%s%s", i ? ", " : "\n    cases    ", text(x, "case_id"));
	json_array_foreach(json_object_get(gap, "nearest"), i, x)
		printf("%s%s %.2f", i ? ", " : "\n    nearest  ", text(x, "document_id"),
		       json_number_value(json_object_get(x, "score")));
	putchar('\n');
}

static void print_gaps(const json_t *answer)
{
	json_t *gap;
	size_t i;

	printf("%lld of %lld cases were solved without what was shown\n", count(answer, "gaps"),
	       count(answer, "cases"));
	json_array_foreach(json_object_get(answer, "data"), i, gap)
		print_gap(gap);
}

/* Kappa, the share that agrees, and of how many; "-" where nothing is known. */
static void print_agreement(const json_t *j)
{
	const json_t *kappa = json_object_get(j, "kappa"), *observed = json_object_get(j, "observed");

	if (json_is_number(kappa))
		printf("  %6.2f", json_number_value(kappa));
	else
		printf("  %6s", "-");
	if (json_is_number(observed))
		printf("  %7.0f%%", 100 * json_number_value(observed));
	else
		printf("  %8s", "-");
	printf("  %7lld", count(j, "n"));
}

static void print_agreements(const json_t *answer)
{
	json_t *x;
	size_t i;

	printf("%-*s  %6s  %8s  %7s\n", NAME_WIDTH, "annotator", "kappa", "agrees", "of");
	json_array_foreach(json_object_get(answer, "annotators"), i, x) {
		printf("%-*.*s", NAME_WIDTH, NAME_WIDTH, text(x, "annotator"));
		print_agreement(x);
		putchar('\n');
	}
	printf("%-*s", NAME_WIDTH, "agents among each other");
	print_agreement(json_object_get(answer, "agents"));
	printf("\n\n%-*s  %8s  %s\n", NAME_WIDTH, "intent", "labelled",
	       "the bot: kappa, agrees, of; agents: the same");
	json_array_foreach(json_object_get(answer, "intents"), i, x) {
		printf("%-*.*s  %8lld", NAME_WIDTH, NAME_WIDTH, text(x, "intent"), count(x, "labelled"));
		print_agreement(json_object_get(x, "bot"));
		print_agreement(json_object_get(x, "agents"));
		putchar('\n');
	}
}

static const struct {
	const char *name;
	void (*print)(const json_t *answer);
} insights[] = {
	{ "outcomes", print_outcomes }, { "volume", print_volume },        { "articles", print_articles },
	{ "gaps", print_gaps },         { "agreement", print_agreements },
};

#define INSIGHTS (sizeof(insights) / sizeof(insights[0]))

struct parameters {
	const char *since, *until, *by, *weeks, *limit; /* NULL: not given */
};

static void add_parameter(struct strbuf *to, const char *name, const char *value)
{
	char *s = value ? path_segment(value) : NULL;

	if (s)
		strbuf_printf(to, "%s%s=%s", strchr(to->p, '?') ? "&" : "?", name, s);
	to->failed |= value && !s;
	free(s);
}

static int ask(struct client *c, const char *insight, const struct parameters *p, json_t **answer,
	       struct error *e)
{
	STRBUF_AUTO target = STRBUF_INIT;

	strbuf_printf(&target, "/v1/insights/%s", insight);
	if (target.failed)
		return no_memory(e);
	add_parameter(&target, "since", p->since);
	add_parameter(&target, "until", p->until);
	add_parameter(&target, "by", p->by);
	add_parameter(&target, "weeks", p->weeks);
	add_parameter(&target, "limit", p->limit);
	return target.failed ? no_memory(e) : client_json(c, "GET", target.p, NULL, answer, e);
}

/* Asks and prints. */
static int show(const struct client_options *o, size_t which, const struct parameters *p, int json)
{
	struct error e = { 0 };
	struct client *client;
	JSON_AUTO *answer = NULL;

	if (client_open(o, &client, &e) < 0)
		return cmd_fail(&e);
	int rc = ask(client, insights[which].name, p, &answer, &e);
	client_close(client);
	if (rc < 0)
		return cmd_fail(&e);
	if (json)
		json_print(answer, stdout);
	else
		insights[which].print(answer);
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	struct client_options o = { 0 };
	struct parameters p = { 0 };
	int json = 0, operands = 0;
	size_t which = 0;
	struct error e = { 0 };
	const struct option_spec options[] = {
		{ "--since", "TIME", OPTION_TEXT, &p.since, "a date, or a time as 2026-06-01T08:00:00Z" },
		{ "--until", "TIME", OPTION_TEXT, &p.until, "up to this time; of volume: the present" },
		{ "--by", "intent|week", OPTION_TEXT, &p.by, "of outcomes: the groups (intent)" },
		{ "--weeks", "N", OPTION_TEXT, &p.weeks, "of volume: how many are listed (12)" },
		{ "--limit", "N", OPTION_TEXT, &p.limit, "of articles and gaps: how many are listed (20)" },
		CLIENT_OPTIONS(o),
		{ "--json", NULL, OPTION_FLAG, &json, "print JSON" },
		{ 0 },
	};
	const struct usage u = {
		"insights", "outcomes|volume|articles|gaps|agreement",
		"Prints what the history tells: how handoffs came out; how many cases come, and may come next week;\n"
		"articles that were contradicted or are cited in an old version; what no article helped with;\n"
		"how far those who label conversations agree.",
		options, "docs/metrics.md defines every figure."
	};
	int code = usage_parse(&u, argc, argv, &operands);

	if (code >= 0)
		return code;
	while (operands == 1 && which < INSIGHTS && strcmp(argv[1], insights[which].name) != 0)
		which++;
	if (operands == 1 && which < INSIGHTS)
		return show(&o, which, &p, json);
	error_set(&e, ERR_USAGE, NULL, "give one of outcomes, volume, articles, gaps, agreement");
	return cmd_fail(&e);
}

const struct command cmd_insights = { "insights",
				      "what the history tells: outcomes, volume, articles, gaps, agreement",
				      run };
