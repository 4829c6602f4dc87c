/*
 * Plain text from Markdown, by libcmark; the one file that includes it.
 *
 * The tree is walked by cmark's iterator, without recursion, so nesting is
 * limited by memory alone. Two shapes of text make cmark slow (it is quadratic
 * in them): blank lines under deep nesting, and very long paragraphs of openers
 * that never close. prepare() takes both away before it parses.
 */
#include "text/passage.h"

#include <stdlib.h>
#include <string.h>

#include <cmark.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "base/utf8.h"

/* A paragraph is ended at the next line break, a line at the next space, past this many bytes. */
#define LONGEST_PARAGRAPH 8192

/* A hard line break until its paragraph is whole, when all other breaks become spaces. */
#define HARD_BREAK '\v'

/* What stands between the last block and the next. */
enum gap { GAP_NONE, GAP_LINE, GAP_BLANK };

struct renderer {
	struct strbuf out;
	enum gap gap;
	size_t block;                /* where the text of the present leaf block starts in `out` */
	size_t title_from, title_to; /* of the opening heading in `out`; equal: none */
};

static int is_blank(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r')
			return 0;
	return 1;
}

/* One line, in pieces if it is very long. *run is the length of the paragraph so far. */
static void prepare_line(struct strbuf *b, const char *s, size_t n, size_t *run)
{
	while (n > LONGEST_PARAGRAPH) {
		size_t cut = utf8_floor(s, n, LONGEST_PARAGRAPH);
		const char *space = memrchr(s, ' ', cut);
		if (space && space > s)
			cut = (size_t)(space - s);
		strbuf_add(b, s, cut);
		strbuf_puts(b, "\n\n");
		s += cut;
		n -= cut;
		*run = 0;
	}
	strbuf_add(b, s, n);
	strbuf_putc(b, '\n');
	*run += n + 1;
	if (*run > LONGEST_PARAGRAPH) {
		strbuf_putc(b, '\n');
		*run = 0;
	}
}

static void prepare(struct strbuf *b, const char *s, size_t n)
{
	size_t run = 0;
	int blank = 0;

	for (size_t i = 0; i < n;) {
		const char *end = memchr(s + i, '\n', n - i);
		size_t len = end ? (size_t)(end - s) - i : n - i;
		if (!is_blank(s + i, len)) {
			prepare_line(b, s + i, len, &run);
			blank = 0;
		} else if (!blank) {
			strbuf_putc(b, '\n');
			run = 0;
			blank = 1;
		}
		i += len + 1;
	}
}

static void begin_block(struct renderer *r)
{
	if (r->out.n && r->gap != GAP_NONE)
		strbuf_puts(&r->out, r->gap == GAP_LINE ? "\n" : "\n\n");
	r->gap = GAP_NONE;
	r->block = r->out.n;
}

static int in_tight_item(cmark_node *n)
{
	cmark_node *item = cmark_node_parent(n);

	return item && cmark_node_get_type(item) == CMARK_NODE_ITEM &&
	       cmark_node_get_list_tight(cmark_node_parent(item));
}

/* Is this line the rule below a table's head: "|---|:--:|"? */
static int is_table_rule(const char *s, size_t n)
{
	size_t dashes = 0, bars = 0;

	for (size_t i = 0; i < n; i++) {
		dashes += s[i] == '-';
		bars += s[i] == '|';
		if (s[i] != '-' && s[i] != '|' && s[i] != ':' && s[i] != ' ' && s[i] != '\t')
			return 0;
	}
	return dashes > 0 && bars > 0;
}

/* A row without its outer bars, to `out`. */
static void add_row(struct strbuf *out, const char *s, size_t n)
{
	while (n && (*s == ' ' || *s == '|')) {
		s++;
		n--;
	}
	while (n && (s[n - 1] == ' ' || s[n - 1] == '|'))
		n--;
	strbuf_add(out, s, n);
}

/* Joins the lines of a paragraph; hard breaks stay. */
static void join_lines(char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] == '\n')
			s[i] = ' ';
		else if (s[i] == HARD_BREAK)
			s[i] = '\n';
}

/*
 * CommonMark has no tables, so one comes as a paragraph whose second line is a
 * rule: its rows stay lines. All other paragraphs become one line.
 */
static void end_paragraph(struct renderer *r)
{
	char *s = r->out.p + r->block;
	size_t n = r->out.n - r->block;
	const char *first = n ? memchr(s, '\n', n) : NULL;
	const char *second = first ? memchr(first + 1, '\n', n - (size_t)(first + 1 - s)) : NULL;
	const char *end = second ? second : s + n;

	if (n == 0)
		return;
	if (!first || !is_table_rule(first + 1, (size_t)(end - first - 1))) {
		join_lines(s, n);
		return;
	}
	STRBUF_AUTO rows = STRBUF_INIT;
	add_row(&rows, s, (size_t)(first - s));
	while (second) {
		const char *row = second + 1;
		second = memchr(row, '\n', n - (size_t)(row - s));
		strbuf_putc(&rows, '\n');
		add_row(&rows, row, (size_t)((second ? second : s + n) - row));
	}
	r->out.n = r->block;
	r->out.failed |= rows.failed;
	strbuf_add(&r->out, rows.p, rows.n);
}

/* Skips what is between "<script" or "<style" and its end; returns the offset behind it, or i. */
static size_t skip_element(const char *s, size_t n, size_t i)
{
	static const char *const names[] = { "script", "style" };

	for (size_t k = 0; k < 2; k++) {
		size_t len = strlen(names[k]);
		if (n - i > len && strncasecmp(s + i + 1, names[k], len) == 0) {
			for (size_t j = i + len; j + len + 2 <= n; j++)
				if (s[j] == '<' && s[j + 1] == '/' &&
				    strncasecmp(s + j + 2, names[k], len) == 0)
					return j;
			return n;
		}
	}
	return i;
}

/* The text of an HTML block: no tags, no comments, no scripts. */
static void add_html(struct renderer *r, const char *s)
{
	size_t n = strlen(s), i = 0;

	while (i < n) {
		const char *end;
		if (s[i] != '<') {
			if (s[i] != '\n' || r->out.n > r->block)
				strbuf_putc(&r->out, s[i]);
			i++;
			continue;
		}
		i = skip_element(s, n, i);
		if (i == n)
			break;
		end = strncmp(s + i, "<!--", 4) == 0 ? strstr(s + i + 4, "-->") : NULL;
		end = end ? end + 2 : memchr(s + i, '>', n - i);
		i = end ? (size_t)(end - s) + 1 : n;
	}
}

/* A block of code or HTML; one without text, as a comment, is left out. */
static void add_literal(struct renderer *r, const char *s, int html)
{
	enum gap gap = r->gap;
	size_t before = r->out.n;

	begin_block(r);
	if (html)
		add_html(r, s);
	else
		strbuf_puts(&r->out, s);
	while (r->out.n > r->block && strchr(" \n\r\t", r->out.p[r->out.n - 1]))
		r->out.n--;
	if (r->out.n == r->block) {
		r->out.n = before;
		r->gap = gap;
	} else {
		r->gap = GAP_BLANK;
	}
}

static void add_inline(struct renderer *r, cmark_node *n)
{
	const char *s;

	switch (cmark_node_get_type(n)) {
	case CMARK_NODE_TEXT:
	case CMARK_NODE_CODE:
		s = cmark_node_get_literal(n);
		strbuf_puts(&r->out, s ? s : "");
		break;
	case CMARK_NODE_SOFTBREAK:
		strbuf_putc(&r->out, '\n');
		break;
	case CMARK_NODE_LINEBREAK:
		strbuf_putc(&r->out, HARD_BREAK);
		break;
	case CMARK_NODE_HTML_INLINE:
		s = cmark_node_get_literal(n);
		if (s && strncasecmp(s, "<br", 3) == 0)
			strbuf_puts(&r->out, " ");
		break;
	default: /* emphasis, links, images: what is inside them comes by itself */
		break;
	}
}

static void enter(struct renderer *r, cmark_node *n)
{
	const char *s;

	switch (cmark_node_get_type(n)) {
	case CMARK_NODE_ITEM:
		begin_block(r);
		strbuf_puts(&r->out, "- ");
		break;
	case CMARK_NODE_PARAGRAPH:
	case CMARK_NODE_HEADING:
		begin_block(r);
		break;
	case CMARK_NODE_CODE_BLOCK:
	case CMARK_NODE_HTML_BLOCK:
		s = cmark_node_get_literal(n);
		add_literal(r, s ? s : "", cmark_node_get_type(n) == CMARK_NODE_HTML_BLOCK);
		break;
	default:
		add_inline(r, n);
		break;
	}
}

static void leave(struct renderer *r, cmark_node *n)
{
	switch (cmark_node_get_type(n)) {
	case CMARK_NODE_HEADING:
		end_paragraph(r);
		if (!cmark_node_previous(n) && cmark_node_get_heading_level(n) == 1 &&
		    cmark_node_get_type(cmark_node_parent(n)) == CMARK_NODE_DOCUMENT) {
			r->title_from = r->block;
			r->title_to = r->out.n;
		}
		r->gap = GAP_BLANK;
		break;
	case CMARK_NODE_PARAGRAPH:
		end_paragraph(r);
		r->gap = in_tight_item(n) ? GAP_LINE : GAP_BLANK;
		break;
	case CMARK_NODE_ITEM:
		r->gap = cmark_node_get_list_tight(cmark_node_parent(n)) ? GAP_LINE : GAP_BLANK;
		break;
	case CMARK_NODE_LIST:
		r->gap = in_tight_item(n) ? GAP_LINE : GAP_BLANK;
		break;
	default:
		break;
	}
}

static void render(struct renderer *r, cmark_node *doc)
{
	cmark_iter *it = cmark_iter_new(doc);
	cmark_event_type ev;

	while ((ev = cmark_iter_next(it)) != CMARK_EVENT_DONE) {
		if (ev == CMARK_EVENT_ENTER)
			enter(r, cmark_iter_get_node(it));
		else
			leave(r, cmark_iter_get_node(it));
	}
	cmark_iter_free(it);
}

int markdown_text(struct arena *a, const char *s, size_t n, struct text *out, struct text *title,
		  struct error *e)
{
	STRBUF_AUTO source = STRBUF_INIT;
	struct renderer r = { .out = STRBUF_INIT };
	cmark_node *doc;
	char *copy = NULL;

	prepare(&source, s, n);
	doc = source.failed ? NULL : cmark_parse_document(source.n ? source.p : "", source.n, CMARK_OPT_SAFE);
	if (doc) {
		render(&r, doc);
		cmark_node_free(doc);
		if (!r.out.failed)
			copy = arena_strndup(a, r.out.n ? r.out.p : "", r.out.n);
	}
	if (copy) {
		*out = (struct text){ copy, r.out.n };
		*title = (struct text){ NULL, 0 };
		if (r.title_to > r.title_from)
			*title = (struct text){ copy + r.title_from, r.title_to - r.title_from };
	}
	strbuf_release(&r.out);
	return copy ? 0 : no_memory(e);
}
