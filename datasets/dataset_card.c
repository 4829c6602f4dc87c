/* dataset_card.c: an exported folder in plain words, and one picture. All of it is said by the manifest. */
#include <stdlib.h>
#include <string.h>

#include "datasets/dataset_internal.h"
#include "datasets/svg.h"

#define LABELS_SHOWN 30
#define NAME_SHOWN 40 /* bytes of a label, in the picture */

static const char *const part_names[PARTS] = { "train", "valid", "test" };

static const char *const about_kinds[DATASET_KINDS] = {
	[DATASET_ANSWERS] =
		"A row is a resolved conversation: what the customer said, and what agents answered. "
		"What the bot said is left out, but of vcon, which is a record and no lesson.",
	[DATASET_INTENTS] =
		"A row is a text and its label. The label is that of the votes up to the mark: a reviewer's "
		"vote holds against others, else the last one counts (agents' resolutions, imports, bots). "
		"How often voters agreed is not counted; `origin` in rows.provenance.jsonl says whose vote it was.",
	[DATASET_PREFERENCES] =
		"A row is a handoff: the bot's draft, which nobody sent, is the worse answer, and what "
		"the agent sent in its place the better one. No pair was made up.",
	[DATASET_RETRIEVAL] =
		"A row is a customer's question. Documents that an agent says solved it are relevant; those "
		"that were shown and not used are not. Nobody judged the other documents.",
};

/* --- labels ------------------------------------------------------------------------------------------------ */

static int by_rows(const void *x, const void *y)
{
	const json_t *const *a = x, *const *b = y;
	int64_t m = body_int(*a, "rows"), n = body_int(*b, "rows");

	return m != n ? (m < n) - (m > n) : strcmp(body_string(*a, "label"), body_string(*b, "label"));
}

/* The first, by rows and then by name; returns how many. `list` has room for LABELS_SHOWN. */
static size_t most_labels(const json_t *manifest, const json_t **list)
{
	const json_t *labels = json_object_get(manifest, "labels");
	size_t n = json_array_size(labels), shown = n < LABELS_SHOWN ? n : LABELS_SHOWN;
	const json_t **all = malloc((n + 1) * sizeof(json_t *));

	if (!all)
		return 0;
	for (size_t i = 0; i < n; i++)
		all[i] = json_array_get(labels, i);
	qsort(all, n, sizeof(json_t *), by_rows);
	memcpy(list, all, shown * sizeof(json_t *));
	free(all);
	return shown;
}

/* --- the text ---------------------------------------------------------------------------------------------- */

/* A text on one line that Markdown takes for nothing else. */
static void put_plain(struct strbuf *out, struct text t)
{
	STRBUF_AUTO line = STRBUF_INIT;

	put_one_line(&line, t);
	for (size_t i = 0; i < line.n; i++) {
		if (strchr("\\`*_[]<>|&~$#!", line.p[i]))
			strbuf_putc(out, '\\');
		strbuf_putc(out, line.p[i]);
	}
	out->failed |= line.failed;
}

/* "name: n", a line each, of an object of counts; those of none are left out. */
static size_t put_counts(struct strbuf *out, const json_t *counts)
{
	const char *key;
	json_t *value;
	size_t n = 0;

	json_object_foreach((json_t *)counts, key, value) {
		if (json_integer_value(value) == 0)
			continue;
		strbuf_printf(out, "- %s: %lld\n", key, (long long)json_integer_value(value));
		n++;
	}
	return n;
}

/* As a shell takes it. */
static void put_filter(const json_t *filter, struct strbuf *out)
{
	char *text = json_text(filter, NULL);

	strbuf_puts(out, " --filter '");
	for (const char *s = text; s && *s; s++)
		if (*s == '\'')
			strbuf_puts(out, "'\\''");
		else
			strbuf_putc(out, *s);
	strbuf_puts(out, "'");
	out->failed |= !text;
	free(text);
}

static void put_command(const json_t *m, struct strbuf *out)
{
	const json_t *split = json_object_get(m, "split");
	const char *key;
	json_t *value;

	strbuf_printf(out, "    readback export --format %s --kind %s --at %lld --pii %s",
		      body_string(m, "format"), body_string(m, "kind"), (long long)body_int(m, "mark"),
		      body_string(m, "pii"));
	if (split)
		strbuf_printf(out, " --split %s", body_string(split, "by"));
	if (json_object_get(split, "seed"))
		strbuf_printf(out, " --seed %lld", (long long)body_int(split, "seed"));
	if (json_object_get(m, "since"))
		strbuf_printf(out, " --since %s", body_string(m, "since"));
	if (json_object_get(m, "until"))
		strbuf_printf(out, " --until %s", body_string(m, "until"));
	if (json_object_get(m, "filter"))
		put_filter(json_object_get(m, "filter"), out);
	if (json_object_get(m, "agreement"))
		strbuf_printf(out, " --agreement %lld,%.17g",
			      (long long)body_int(json_object_get(m, "agreement"), "min_votes"),
			      body_number(json_object_get(m, "agreement"), "agreement"));
	json_object_foreach(json_object_get(m, "options"), key, value) {
		if (json_is_integer(value))
			strbuf_printf(out, " --option %s=%lld", key, (long long)json_integer_value(value));
		else
			strbuf_printf(out, " --option %s=%s", key, json_string_value(value));
	}
	strbuf_puts(out, " --out DIR --data DATA\n");
}

static void put_files(const json_t *m, struct strbuf *out)
{
	const json_t *files = json_object_get(m, "files");

	strbuf_puts(out, "## Files\n\n| file | rows | bytes |\n|---|---:|---:|\n");
	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *f = json_array_get(files, i);
		strbuf_printf(out, "| %s | ", body_string(f, "name"));
		if (json_object_get(f, "rows"))
			strbuf_printf(out, "%lld", (long long)body_int(f, "rows"));
		strbuf_printf(out, " | %lld |\n", (long long)body_int(f, "bytes"));
	}
	strbuf_puts(out,
		    "\nTrainers read data/ as it is. rows.provenance.jsonl says where each row is from: it "
		    "has ids of the service, keep it with you when you hand out rows.\n\n");
}

static void put_split(const json_t *m, struct strbuf *out)
{
	const json_t *split = json_object_get(m, "split"), *rows = json_object_get(split, "rows");

	strbuf_puts(out, "## Split\n\n");
	if (!split) {
		strbuf_puts(out, "There is none: all rows are in one part.\n\n");
		return;
	}
	strbuf_printf(out, "By %s: ", body_string(split, "by"));
	for (int p = 0; p < PARTS; p++)
		strbuf_printf(out, "%s%s %lld", p ? ", " : "", part_names[p],
			      (long long)body_int(rows, part_names[p]));
	strbuf_printf(
		out,
		" rows. All rows of a customer, and of all who asked nearly the same, are in one part: a "
		"component, of which there are %lld. Near-duplicates joined %lld others with these.\n\n",
		(long long)body_int(split, "components"),
		(long long)body_int(split, "joined_by_near_duplicates"));
}

static void put_labels(const json_t *m, struct strbuf *out)
{
	size_t all = json_array_size(json_object_get(m, "labels")), n;
	const json_t *list[LABELS_SHOWN];

	if (all == 0)
		return;
	n = most_labels(m, list);
	strbuf_printf(out, "## Labels\n\n%zu labels", all);
	if (n < all)
		strbuf_printf(out, "; the %zu with most rows, all are in manifest.json", n);
	strbuf_puts(out, ":\n\n| label | rows |\n|---|---:|\n");
	for (size_t i = 0; i < n; i++) {
		strbuf_puts(out, "| ");
		put_plain(out, body_text(list[i], "label"));
		strbuf_printf(out, " | %lld |\n", (long long)body_int(list[i], "rows"));
	}
	strbuf_putc(out, '\n');
}

static void put_redaction(const json_t *m, struct strbuf *out)
{
	const json_t *r = json_object_get(m, "redaction");

	strbuf_puts(out, "## Personal data\n\n");
	if (strcmp(body_string(r, "mode"), dataset_pii_name(PII_KEEP)) == 0) {
		strbuf_puts(
			out,
			"Nothing was redacted: all personal data is in the texts. Handle the folder so.\n\n");
		return;
	}
	strbuf_puts(out,
		    "What was recognised is a token such as [EMAIL_0123456789], the same for the same value "
		    "all over this dataset. Places redacted, by kind:\n\n");
	if (put_counts(out, json_object_get(r, "counts")) == 0)
		strbuf_puts(out, "- none\n");
	strbuf_printf(
		out,
		"\nLimits: %s. %lld places with five digits or more stayed; manifest.json shows some. A "
		"person must look before rows leave the house.\n\n",
		body_string(r, "limits"), (long long)body_int(json_object_get(r, "kept"), "places"));
}

/* Of examples alone. */
static void put_votes(const json_t *m, struct strbuf *out)
{
	const json_t *votes = json_object_get(m, "votes"), *kappa = json_object_get(votes, "kappa");

	if (body_int(votes, "n") == 0)
		return;
	strbuf_printf(
		out,
		"%lld examples have the labels of more than one person: of %lld all say the same. The last "
		"two agree in %.1f %% of them",
		(long long)body_int(votes, "n"), (long long)body_int(votes, "unanimous"),
		100 * body_number(votes, "observed"));
	if (json_is_number(kappa))
		strbuf_printf(out, " (Cohen's kappa %.2f)", json_number_value(kappa));
	strbuf_puts(out, ".\n\n");
}

static void put_rest(const json_t *m, struct strbuf *out)
{
	strbuf_puts(out, "## What is missing\n\nRecords that made no row, by reason:\n\n");
	if (put_counts(out, json_object_get(m, "skipped")) == 0)
		strbuf_puts(out, "- none\n");
	strbuf_puts(
		out,
		"\nRows of customers who denied training when this was made, whatever the mark, are left out "
		"(consent_denied); who denies later has to be taken out of copies: `readback export withdrawn DIR`.\n"
		"\nWhat the desk never resolved or labelled is not in it, so it is no sample of all that "
		"customers ask.\n\n"
		"## Licence\n\nNone was chosen: whoever publishes this must, here and as `license` in "
		"croissant.json, and add who published it, when, and where it is. That changes their sums "
		"in tagmanifest-sha256.txt.\n\n"
		"## To verify, and to make it again\n\n"
		"The folder is a bag (BagIt, RFC 8493): `bagit.py --validate DIR`, or "
		"`sha256sum -c manifest-sha256.txt tagmanifest-sha256.txt`. "
		"The same data folder gives the same bytes, as long as customers say the same about training, with\n\n");
	put_command(m, out);
	strbuf_puts(
		out,
		"\n(and `--tenant`, if it was given). `readback export diff A B` compares two such folders.\n");
}

void card_text(const json_t *m, struct strbuf *out)
{
	enum dataset_kind kind = DATASET_ANSWERS;

	dataset_kind_find(body_string(m, "kind"), &kind);
	strbuf_printf(out, "# %lld rows of %s, for %s\n\n", (long long)body_int(m, "rows"),
		      body_string(m, "kind"), body_string(m, "format"));
	strbuf_printf(out, "Exported by readback %s from what was recorded up to mark %lld",
		      body_string(json_object_get(m, "generator"), "version"),
		      (long long)body_int(m, "mark"));
	if (json_object_get(m, "since"))
		strbuf_printf(out, ", from %s on", body_string(m, "since"));
	if (json_object_get(m, "until"))
		strbuf_printf(out, ", before %s", body_string(m, "until"));
	strbuf_printf(out, ". %s\n\n", about_kinds[kind]);
	if (json_object_get(m, "documents"))
		strbuf_printf(out, "%lld documents are in it.\n\n", (long long)body_int(m, "documents"));
	strbuf_puts(out, "![Rows by part and by label](card.svg)\n\n");
	put_files(m, out);
	put_split(m, out);
	put_labels(m, out);
	put_votes(m, out);
	put_redaction(m, out);
	put_rest(m, out);
}

/* --- the picture ------------------------------------------------------------------------------------------- */

#define WIDTH 720
#define LEFT 260
#define ROOM 380 /* of the longest bar */
#define STEP 20
#define TOP 36

struct bars {
	struct strbuf *out;
	int y;
	int64_t most; /* of the group */
};

static void put_bar(struct bars *b, struct text name, int64_t rows)
{
	STRBUF_AUTO count = STRBUF_INIT;
	double length = b->most ? (double)rows * ROOM / (double)b->most : 0;
	size_t n = name.n <= NAME_SHOWN ? name.n : NAME_SHOWN;

	/* Never a piece of a character. */
	while (n < name.n && n > 0 && ((unsigned char)name.s[n] & 0xc0) == 0x80)
		n--;
	strbuf_printf(&count, "%lld", (long long)rows);
	svg_label(b->out, LEFT - 8, b->y + 13, "text-anchor=\"end\"", (struct text){ name.s, n });
	strbuf_printf(b->out, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#1f5fa8\"/>\n",
		      LEFT, b->y + 2, length, STEP - 6);
	svg_label(b->out, LEFT + length + 6, b->y + 13, "fill=\"#555\"",
		  (struct text){ count.p ? count.p : "", count.n });
	b->out->failed |= count.failed;
	b->y += STEP;
}

static void put_heading(struct bars *b, const char *text)
{
	svg_label(b->out, 16, b->y + 16, "font-weight=\"bold\"", (struct text){ text, strlen(text) });
	b->y += TOP - 8;
}

void card_svg(const json_t *m, struct strbuf *out)
{
	const json_t *list[LABELS_SHOWN], *rows = json_object_get(json_object_get(m, "split"), "rows");
	size_t n = most_labels(m, list), parts = rows ? PARTS : 1;
	struct bars b = { out, 8, body_int(m, "rows") };

	svg_begin(out, WIDTH, (int)((parts + n) * STEP + (n ? 2 : 1) * TOP + 8));
	put_heading(&b, "Rows by part");
	for (size_t p = 0; rows && p < parts; p++)
		put_bar(&b, (struct text){ part_names[p], strlen(part_names[p]) },
			body_int(rows, part_names[p]));
	if (!rows)
		put_bar(&b, (struct text){ "all", 3 }, body_int(m, "rows"));
	if (n) {
		put_heading(&b, "Rows by label");
		b.most = body_int(list[0], "rows");
		for (size_t i = 0; i < n; i++)
			put_bar(&b, body_text(list[i], "label"), body_int(list[i], "rows"));
	}
	svg_end(out);
}
