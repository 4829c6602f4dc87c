/*
 * memory_match.c: the expressions of FTS5 that readback promises. As there,
 * NOT binds tighter than AND, AND tighter than OR, and words that follow each
 * other are an AND that binds tighter than all; words are compared by stem.
 *
 *	or     = and { "OR" and }            and  = not { "AND" not }
 *	not    = part { "NOT" part }         part = "(" or ")" | phrase { phrase }
 *	phrase = [ column ":" ] ( word | string ) [ "*" ]
 */
#include "memory_internal.h"

#include <ctype.h>
#include <string.h>

enum match_op { MATCH_PHRASE, MATCH_AND, MATCH_OR, MATCH_NOT };

struct match {
	enum match_op op;
	const struct match *left, *right;
	const struct token *words; /* of a phrase */
	size_t n;
	int prefix; /* the last word is only the beginning of one */
	int column; /* 0 title, 1 text, -1 any */
};

struct parser {
	struct arena *a;
	const char *p;
	const char *wrong; /* sticky: what does not parse */
};

static const struct match *parse_or(struct parser *p);

static void skip_space(struct parser *p)
{
	while (isspace((unsigned char)*p->p))
		p->p++;
}

static int is_bareword(unsigned char c)
{
	return isalnum(c) || c == '_' || c >= 0x80;
}

static size_t bareword(const char *s)
{
	size_t n = 0;

	while (is_bareword((unsigned char)s[n]))
		n++;
	return n;
}

static int keyword_is(const char *s, const char *keyword)
{
	size_t n = strlen(keyword);

	return strncmp(s, keyword, n) == 0 && bareword(s) == n;
}

static int is_keyword(const char *s)
{
	return keyword_is(s, "AND") || keyword_is(s, "OR") || keyword_is(s, "NOT");
}

static int take_keyword(struct parser *p, const char *keyword)
{
	skip_space(p);
	if (!keyword_is(p->p, keyword))
		return 0;
	p->p += strlen(keyword);
	return 1;
}

static const struct match *node(struct parser *p, enum match_op op, const struct match *left,
				const struct match *right)
{
	struct match *m = memory_must(arena_alloc(p->a, sizeof(*m)));

	*m = (struct match){ .op = op, .left = left, .right = right };
	return m;
}

/* The text of "…" with "" for a quote, without them. */
static struct text quoted(struct parser *p)
{
	char *out = memory_must(arena_alloc(p->a, strlen(p->p) + 1));
	size_t n = 0;

	for (p->p++; *p->p; p->p++) {
		if (*p->p == '"' && p->p[1] != '"')
			break;
		if (*p->p == '"')
			p->p++;
		out[n++] = *p->p;
	}
	if (*p->p == '"')
		p->p++;
	else
		p->wrong = "unterminated string";
	return (struct text){ out, n };
}

static int take_column(struct parser *p)
{
	static const char *const columns[] = { "title", "text" };
	size_t n = bareword(p->p), space = n;

	while (isspace((unsigned char)p->p[space]))
		space++;
	if (!n || p->p[space] != ':')
		return -1;
	for (int i = 0; i < 2; i++) {
		if (strlen(columns[i]) == n && strncmp(p->p, columns[i], n) == 0) {
			p->p += space + 1;
			skip_space(p);
			return i;
		}
	}
	p->wrong = "no such column";
	return -1;
}

static const struct match *parse_phrase(struct parser *p)
{
	struct match m = { .op = MATCH_PHRASE, .column = take_column(p) };
	struct text t = { p->p, bareword(p->p) };

	if (*p->p == '"') {
		t = quoted(p);
	} else if (t.n && !is_keyword(p->p)) {
		p->p += t.n;
	} else {
		p->wrong = "syntax error";
		return NULL;
	}
	long n = analyse_text(p->a, t.s, t.n, &m.words);
	if (n < 0)
		memory_must(NULL);
	m.n = (size_t)n;
	skip_space(p);
	if (*p->p == '*') {
		m.prefix = 1;
		p->p++;
	}
	return memcpy(memory_must(arena_alloc(p->a, sizeof(m))), &m, sizeof(m));
}

static const struct match *parse_part(struct parser *p)
{
	skip_space(p);
	if (*p->p == '(') {
		p->p++;
		const struct match *inner = parse_or(p);
		skip_space(p);
		if (*p->p != ')')
			p->wrong = "syntax error";
		else
			p->p++;
		return inner;
	}
	const struct match *m = parse_phrase(p);
	for (skip_space(p); !p->wrong && (*p->p == '"' || bareword(p->p)) && !is_keyword(p->p); skip_space(p))
		m = node(p, MATCH_AND, m, parse_phrase(p));
	return m;
}

static const struct match *parse_not(struct parser *p)
{
	const struct match *m = parse_part(p);

	while (!p->wrong && take_keyword(p, "NOT"))
		m = node(p, MATCH_NOT, m, parse_part(p));
	return m;
}

static const struct match *parse_and(struct parser *p)
{
	const struct match *m = parse_not(p);

	while (!p->wrong && take_keyword(p, "AND"))
		m = node(p, MATCH_AND, m, parse_not(p));
	return m;
}

static const struct match *parse_or(struct parser *p)
{
	const struct match *m = parse_and(p);

	while (!p->wrong && take_keyword(p, "OR"))
		m = node(p, MATCH_OR, m, parse_and(p));
	return m;
}

int match_parse(struct arena *a, const char *expr, const struct match **out, struct error *e)
{
	struct parser p = { .a = a, .p = expr };
	const struct match *m = parse_or(&p);

	skip_space(&p);
	if (!p.wrong && *p.p)
		p.wrong = "syntax error";
	if (p.wrong)
		return error_set(e, ERR_BAD_MATCH, "match", "match: %s", p.wrong);
	*out = m;
	return 0;
}

/* --- does an entry meet it? ------------------------------------------------------------------------- */

static int word_meets(const struct match *m, size_t i, const struct token *t)
{
	const char *stem = m->words[i].stem;

	if (m->prefix && i + 1 == m->n)
		return strncmp(t->stem, stem, strlen(stem)) == 0;
	return strcmp(t->stem, stem) == 0;
}

static int phrase_meets(const struct match *m, const struct token *words, size_t n)
{
	for (size_t at = 0; m->n && at + m->n <= n; at++) {
		size_t i = 0;
		while (i < m->n && word_meets(m, i, &words[at + i]))
			i++;
		if (i == m->n)
			return 1;
	}
	return 0;
}

int match_meets(const struct match *m, const struct memory_entry *en)
{
	switch (m->op) {
	case MATCH_AND:
		return match_meets(m->left, en) && match_meets(m->right, en);
	case MATCH_OR:
		return match_meets(m->left, en) || match_meets(m->right, en);
	case MATCH_NOT:
		return match_meets(m->left, en) && !match_meets(m->right, en);
	case MATCH_PHRASE:
		break;
	}
	for (int i = 0; i < 2; i++)
		if (m->column != 1 - i && phrase_meets(m, en->words[i], en->n_words[i]))
			return 1;
	return 0;
}
