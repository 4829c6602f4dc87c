/*
 * Plain text from HTML, by gumbo; the one file that includes it.
 *
 * gumbo parses as browsers do (WHATWG HTML, 13.2), without limits: it looks
 * through all open elements at each tag, repeats open formatting elements in
 * each new block, and frees its tree by recursion. So tags that nest too
 * deeply are refused before it sees them (html_depth.h), and all memory that it
 * asks for is counted, listed and freed here (struct pool): past a limit of
 * bytes or of processor time it is left by longjmp, which it allows since it
 * holds nothing else. The tree is walked without recursion.
 */
#include "text/passage.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gumbo.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "text/html_depth.h"

#define MOST_DEPTH 512           /* of open elements; real pages have about 30 */
#define MOST_MEMORY (256u << 20) /* of a tree */
#define MOST_CPU_NS 5000000000   /* of parsing */
#define LOOK_AT_CLOCK 1024       /* allocations */
#define LAYOUT_LOOK 1000         /* nodes of a table that are looked at for what tables of data do not hold */
#define MENU_LINKS 3             /* as many links, and hardly any text beside them, are a menu */

/* --- memory of a parse ---------------------------------------------------------------------------------------- */

struct block {
	struct block *next, *before;
	size_t n;
	max_align_t data[];
};

struct pool {
	struct block all; /* head of the ring of blocks */
	size_t bytes, calls;
	int64_t started;
	jmp_buf out_of_bounds;
};

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void *pool_take(void *userdata, size_t n)
{
	struct pool *p = userdata;
	struct block *b = NULL;

	if (p->bytes + n <= MOST_MEMORY &&
	    (++p->calls % LOOK_AT_CLOCK || cpu_ns() - p->started < MOST_CPU_NS))
		b = malloc(sizeof(*b) + n);
	if (!b)
		longjmp(p->out_of_bounds, 1);
	*b = (struct block){ .next = p->all.next, .before = &p->all, .n = n };
	b->next->before = b;
	p->all.next = b;
	p->bytes += n;
	return b->data;
}

static void pool_give(void *userdata, void *data)
{
	struct pool *p = userdata;

	if (!data)
		return;
	struct block *b = (struct block *)((char *)data - offsetof(struct block, data));
	b->next->before = b->before;
	b->before->next = b->next;
	p->bytes -= b->n;
	free(b);
}

static void pool_release(struct pool *p)
{
	for (struct block *b = p->all.next, *next; b != &p->all; b = next) {
		next = b->next;
		free(b);
	}
}

/* --- the text of a tree ------------------------------------------------------------------------------------------ */

/* What stands between the last text and the next. */
enum gap { GAP_NONE, GAP_SPACE, GAP_CELL, GAP_LINE, GAP_BLANK };

struct renderer {
	struct strbuf out, title;
	enum gap gap;
	int item;               /* the next text opens a list item */
	int cells;              /* cells of a table of data around */
	int verbatim;           /* <pre> around */
	int heading;            /* in the first <h1> */
	int content;            /* <main> or <article> around */
	const GumboNode *table; /* of data, around */
};

static int is_element(const GumboNode *n)
{
	return n->type == GUMBO_NODE_ELEMENT;
}

static int is_tag(const GumboNode *n, GumboTag tag)
{
	return is_element(n) && n->v.element.tag == tag;
}

static const char *attribute(const GumboNode *n, const char *name)
{
	const GumboAttribute *a = gumbo_get_attribute(&n->v.element.attributes, name);

	return a ? a->value : "";
}

static int has_role(const GumboNode *n, const char *role)
{
	return strcasecmp(attribute(n, "role"), role) == 0;
}

/* The node after n in the order of the text, `root` being all there is; into n's children if `down`. */
static const GumboNode *next_node(const GumboNode *root, const GumboNode *n, int down)
{
	if (down && is_element(n) && n->v.element.children.length)
		return n->v.element.children.data[0];
	while (n != root) {
		const GumboVector *all = &n->parent->v.element.children;
		if (n->index_within_parent + 1 < all->length)
			return all->data[n->index_within_parent + 1];
		n = n->parent;
	}
	return NULL;
}

static void ask_gap(struct renderer *r, enum gap gap)
{
	if (r->cells && gap > GAP_CELL)
		gap = GAP_SPACE;
	if (gap > r->gap && !r->item) /* an item begins at its line, whatever it begins with */
		r->gap = gap;
}

static void put_gap(struct renderer *r)
{
	static const char *const gaps[] = { "", " ", " | ", "\n", "\n\n" };

	if (r->out.n)
		strbuf_puts(&r->out, gaps[r->gap]);
	if (r->item)
		strbuf_puts(&r->out, "- ");
	if (r->heading && r->title.n && r->gap)
		strbuf_putc(&r->title, ' ');
	r->gap = GAP_NONE;
	r->item = 0;
}

/* A run of what is no white space. */
static void put_word(struct renderer *r, const char *s, size_t n)
{
	put_gap(r);
	strbuf_add(&r->out, s, n);
	if (r->heading)
		strbuf_add(&r->title, s, n);
}

/* Bytes of white space that s begins with; a no-break space is one too. */
static size_t space_length(const char *s)
{
	if (*s && strchr(" \t\r\n\f", *s))
		return 1;
	return (unsigned char)s[0] == 0xC2 && (unsigned char)s[1] == 0xA0 ? 2 : 0;
}

static void put_text(struct renderer *r, const char *s)
{
	if (r->verbatim) {
		if (*s)
			put_word(r, s, strlen(s));
		return;
	}
	while (*s) {
		size_t n = 0, space = space_length(s);
		if (space) {
			ask_gap(r, GAP_SPACE);
			s += space;
			continue;
		}
		while (s[n] && !space_length(s + n))
			n++;
		put_word(r, s, n);
		s += n;
	}
}

/* Lists that hold links and hardly anything else. */
static int is_menu(const GumboNode *list)
{
	size_t links = 0, linked = 0, all = 0;
	const GumboNode *link = NULL;

	for (const GumboNode *n = list; n; n = next_node(list, n, 1)) {
		if (is_tag(n, GUMBO_TAG_A)) {
			link = n;
			links++;
		} else if (n->type == GUMBO_NODE_TEXT) {
			size_t len = strlen(n->v.text.text);
			all += len;
			linked += n->parent == link || (link && n->parent->parent == link) ? len : 0;
		}
	}
	return links >= MENU_LINKS && linked * 10 >= all * 9;
}

/* Does a table serve to place parts of a page? Then it holds headings or tables. */
static int is_layout(const GumboNode *table)
{
	const GumboNode *n = table;

	if (has_role(table, "presentation") || has_role(table, "none"))
		return 1;
	for (int i = 0; i < LAYOUT_LOOK && (n = next_node(table, n, 1)); i++)
		if (is_element(n) && (n->v.element.tag == GUMBO_TAG_TABLE ||
				      (n->v.element.tag >= GUMBO_TAG_H1 && n->v.element.tag <= GUMBO_TAG_H6)))
			return 1;
	return 0;
}

static int is_hidden(const GumboNode *n)
{
	return gumbo_get_attribute(&n->v.element.attributes, "hidden") ||
	       strcasecmp(attribute(n, "aria-hidden"), "true") == 0 ||
	       strcasestr(attribute(n, "style"), "display:none") ||
	       strcasestr(attribute(n, "style"), "display: none");
}

/* What belongs to the page and not to its subject. */
static int is_boilerplate(const struct renderer *r, const GumboNode *n)
{
	switch (n->v.element.tag) {
	case GUMBO_TAG_NAV:
	case GUMBO_TAG_FOOTER:
		return 1;
	case GUMBO_TAG_HEADER:
	case GUMBO_TAG_ASIDE:
		return !r->content;
	case GUMBO_TAG_UL:
	case GUMBO_TAG_OL:
		return !r->content && is_menu(n);
	default:
		return has_role(n, "navigation") || has_role(n, "search") || has_role(n, "contentinfo") ||
		       has_role(n, "dialog") || has_role(n, "alertdialog") ||
		       (!r->content && (has_role(n, "banner") || has_role(n, "complementary")));
	}
}

static int is_no_text(const GumboNode *n)
{
	switch (n->v.element.tag) {
	case GUMBO_TAG_SCRIPT:
	case GUMBO_TAG_STYLE:
	case GUMBO_TAG_NOSCRIPT:
	case GUMBO_TAG_TEMPLATE:
	case GUMBO_TAG_IFRAME:
	case GUMBO_TAG_OBJECT:
	case GUMBO_TAG_SVG:
	case GUMBO_TAG_MATH:
	case GUMBO_TAG_CANVAS:
	case GUMBO_TAG_AUDIO:
	case GUMBO_TAG_VIDEO:
	case GUMBO_TAG_HEAD:
	case GUMBO_TAG_BUTTON:
	case GUMBO_TAG_SELECT:
	case GUMBO_TAG_TEXTAREA:
	case GUMBO_TAG_DATALIST:
		return 1;
	default:
		return 0;
	}
}

/* The gap that an element wants around it. */
static enum gap gap_of(GumboTag tag)
{
	switch (tag) {
	case GUMBO_TAG_LI:
	case GUMBO_TAG_TR:
	case GUMBO_TAG_DT:
	case GUMBO_TAG_DD:
	case GUMBO_TAG_BR:
	case GUMBO_TAG_OPTION:
		return GAP_LINE;
	case GUMBO_TAG_ADDRESS:
	case GUMBO_TAG_ARTICLE:
	case GUMBO_TAG_ASIDE:
	case GUMBO_TAG_BLOCKQUOTE:
	case GUMBO_TAG_CAPTION:
	case GUMBO_TAG_CENTER:
	case GUMBO_TAG_DETAILS:
	case GUMBO_TAG_DIV:
	case GUMBO_TAG_DL:
	case GUMBO_TAG_FIELDSET:
	case GUMBO_TAG_FIGCAPTION:
	case GUMBO_TAG_FIGURE:
	case GUMBO_TAG_FORM:
	case GUMBO_TAG_H1:
	case GUMBO_TAG_H2:
	case GUMBO_TAG_H3:
	case GUMBO_TAG_H4:
	case GUMBO_TAG_H5:
	case GUMBO_TAG_H6:
	case GUMBO_TAG_HEADER:
	case GUMBO_TAG_HR:
	case GUMBO_TAG_LEGEND:
	case GUMBO_TAG_MAIN:
	case GUMBO_TAG_OL:
	case GUMBO_TAG_P:
	case GUMBO_TAG_PRE:
	case GUMBO_TAG_SECTION:
	case GUMBO_TAG_SUMMARY:
	case GUMBO_TAG_TABLE:
	case GUMBO_TAG_UL:
		return GAP_BLANK;
	default:
		return GAP_NONE;
	}
}

static int is_cell(GumboTag tag)
{
	return tag == GUMBO_TAG_TD || tag == GUMBO_TAG_TH;
}

static int is_content(const GumboNode *n)
{
	return is_element(n) && (n->v.element.tag == GUMBO_TAG_MAIN ||
				 n->v.element.tag == GUMBO_TAG_ARTICLE || has_role(n, "main"));
}

static void enter_cell(struct renderer *r)
{
	if (!r->table) {
		ask_gap(r, GAP_BLANK);
		return;
	}
	if (r->gap < GAP_LINE) /* not the first of its row */
		r->gap = GAP_CELL;
	r->cells++;
}

static void enter_table(struct renderer *r, const GumboNode *n)
{
	if (!r->table && !is_layout(n))
		r->table = n;
}

static int in_item(const GumboNode *n)
{
	return n->parent && is_tag(n->parent, GUMBO_TAG_LI);
}

static int is_list(GumboTag tag)
{
	return tag == GUMBO_TAG_UL || tag == GUMBO_TAG_OL;
}

/* 0: not to be descended into. */
static int enter(struct renderer *r, const GumboNode *n)
{
	GumboTag tag = n->v.element.tag;

	if (is_no_text(n) || is_hidden(n) || is_boilerplate(r, n))
		return 0;
	if (tag == GUMBO_TAG_TABLE)
		enter_table(r, n);
	if (is_cell(tag))
		enter_cell(r);
	else
		ask_gap(r, is_list(tag) && in_item(n) ? GAP_LINE : gap_of(tag));
	if (tag == GUMBO_TAG_LI && !r->cells)
		r->item = 1;
	if (tag == GUMBO_TAG_IMG)
		put_text(r, attribute(n, "alt"));
	r->verbatim += tag == GUMBO_TAG_PRE;
	r->content += is_content(n);
	if (tag == GUMBO_TAG_H1 && !r->title.n)
		r->heading = 1;
	return 1;
}

static void leave(struct renderer *r, const GumboNode *n)
{
	GumboTag tag = n->v.element.tag;

	if (is_cell(tag) && r->cells)
		r->cells--;
	if (n == r->table)
		r->table = NULL;
	/* Items stay together, also where each holds paragraphs. */
	if ((tag == GUMBO_TAG_LI || (is_list(tag) && in_item(n))) && !r->cells && r->gap != GAP_NONE)
		r->gap = GAP_LINE;
	else
		ask_gap(r, is_cell(tag) ? GAP_NONE : gap_of(tag));
	if (tag == GUMBO_TAG_LI)
		r->item = 0;
	r->verbatim -= tag == GUMBO_TAG_PRE;
	r->content -= is_content(n);
	if (tag == GUMBO_TAG_H1)
		r->heading = 0;
}

/* Leaves n, and those around it that end with it, `root` included. */
static void leave_all(struct renderer *r, const GumboNode *root, const GumboNode *n, const GumboNode *next)
{
	const GumboNode *until = next ? next->parent : root->parent;

	for (; n != until; n = n->parent)
		if (is_element(n))
			leave(r, n);
}

static void render(struct renderer *r, const GumboNode *root)
{
	const GumboNode *n = root, *next;

	for (; n; n = next) {
		int down = is_element(n) ? enter(r, n) : 0;
		if (n->type == GUMBO_NODE_TEXT || n->type == GUMBO_NODE_CDATA ||
		    n->type == GUMBO_NODE_WHITESPACE)
			put_text(r, n->v.text.text);
		next = next_node(root, n, down);
		if (!next || next->parent != n)
			leave_all(r, root, down || !is_element(n) ? n : n->parent, next);
	}
}

/* Where the subject is: <main>, or the only <article>, or all of it. */
static const GumboNode *find_content(const GumboNode *root)
{
	const GumboNode *article = NULL, *body = root;
	size_t articles = 0;

	for (const GumboNode *n = root; n; n = next_node(root, n, 1)) {
		if (is_tag(n, GUMBO_TAG_MAIN) || (is_element(n) && has_role(n, "main")))
			return n;
		if (is_tag(n, GUMBO_TAG_ARTICLE) && ++articles)
			article = n;
		if (is_tag(n, GUMBO_TAG_BODY) && body == root)
			body = n;
	}
	return articles == 1 ? article : body;
}

static void render_title(struct renderer *r, const GumboNode *root)
{
	struct renderer t = { .heading = 1 };
	const GumboNode *n = root;

	while (n && !is_tag(n, GUMBO_TAG_TITLE))
		n = next_node(root, n, 1);
	for (size_t i = 0; n && i < n->v.element.children.length; i++) {
		const GumboNode *c = n->v.element.children.data[i];
		if (c->type == GUMBO_NODE_TEXT)
			put_text(&t, c->v.text.text);
	}
	strbuf_release(&t.out);
	strbuf_release(&r->title);
	r->title = t.title;
}

static void render_page(struct renderer *r, const GumboNode *root)
{
	const GumboNode *content = find_content(root);

	render(r, content);
	if (!r->out.n) { /* all of it is a menu: then that is its subject */
		r->gap = GAP_NONE;
		r->content = 1;
		render(r, content);
	}
	while (r->out.n && strchr(" \t\r\n", r->out.p[r->out.n - 1]))
		r->out.n--;
	if (!r->title.n)
		render_title(r, root);
}

/* NULL: out of bounds, or of memory. */
static const GumboNode *parse(struct pool *p, const char *s, size_t n)
{
	GumboOptions o = kGumboDefaultOptions;

	o.allocator = pool_take;
	o.deallocator = pool_give;
	o.userdata = p;
	o.max_errors = 0;
	if (setjmp(p->out_of_bounds))
		return NULL;
	return gumbo_parse_with_options(&o, s, n)->root;
}

static struct text copy_of(struct arena *a, const struct strbuf *b)
{
	return (struct text){ arena_strndup(a, b->n ? b->p : "", b->n), b->n };
}

int html_text(struct arena *a, const char *s, size_t n, struct text *out, struct text *title, struct error *e)
{
	struct pool pool = { .all = { .next = &pool.all, .before = &pool.all }, .started = cpu_ns() };
	struct renderer r = { 0 };
	int rc = 0;

	if (html_depth(s, n) > MOST_DEPTH)
		return error_set(e, ERR_TOO_LARGE, "html", "elements are nested deeper than %d", MOST_DEPTH);
	const GumboNode *root = parse(&pool, s, n);
	if (root)
		render_page(&r, root);
	else
		rc = error_set(e, ERR_TOO_LARGE, "html",
			       "the markup is too large or too tangled to be read: send its text");
	if (rc == 0) {
		*out = copy_of(a, &r.out);
		*title = r.title.n ? copy_of(a, &r.title) : (struct text){ NULL, 0 };
		if (r.out.failed || r.title.failed || !out->s || (r.title.n && !title->s))
			rc = no_memory(e);
	}
	pool_release(&pool);
	strbuf_release(&r.out);
	strbuf_release(&r.title);
	return rc;
}
