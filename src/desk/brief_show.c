#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "desk/brief.h"
#include "desk/handoff.h"

static const char *const sections[] = { "situation", "background", "assessment", "recommendation" };

static int need_visible(struct desk *d, const struct call *c, const json_t *need)
{
	return source_visible(d, c, body_string(need, "kind"), body_string(need, "id"),
			      json_object_get(need, "acl"));
}

enum shown { WITHHELD, WHOLE, INSTEAD, LEFT_OUT };

/* What the caller reads of a sentence, or an error. */
static int sentence_visible(struct desk *d, const struct call *c, const json_t *s)
{
	const json_t *needs = json_object_get(s, "needs"), *cited = json_object_get(s, "cited");
	int may = cited ? need_visible(d, c, cited) : 1;

	if (may == 0)
		return json_object_get(s, "instead") ? INSTEAD : LEFT_OUT;
	for (size_t i = 0; i < json_array_size(needs) && may == 1; i++)
		may = need_visible(d, c, json_array_get(needs, i));
	return may < 0 ? may : may ? WHOLE : WITHHELD;
}

static json_t *instead_json(const json_t *s)
{
	return json_pack("{s:O, s:[O]}", "text", json_object_get(s, "instead"), "from",
			 json_array_get(json_object_get(s, "from"), 0));
}

static json_t *sentence_json(const json_t *s, int labels)
{
	json_t *j = json_object();

	if (!j || body_set_copy(j, "text", json_object_get(s, "text")) < 0 ||
	    body_set_copy(j, "from", json_object_get(s, "from")) < 0 ||
	    (labels && (body_set_copy(j, "label", json_object_get(s, "label")) < 0 ||
			body_set_copy(j, "quote", json_object_get(s, "quote")) < 0))) {
		json_decref(j);
		return NULL;
	}
	return j;
}

int brief_view(struct desk *d, const struct call *c, const struct record *evidence, int labels, json_t **out)
{
	const json_t *brief = json_object_get(evidence->body, "brief");
	JSON_AUTO *view = json_object();
	json_int_t withheld = 0;

	for (size_t k = 0; view && k < 4; k++) {
		const json_t *list = json_object_get(brief, sections[k]);
		json_t *shown = json_array();
		if (body_set_take(view, sections[k], shown) < 0)
			return no_memory(c->err);
		for (size_t i = 0; i < json_array_size(list); i++) {
			const json_t *s = json_array_get(list, i);
			int may = sentence_visible(d, c, s);
			if (may < 0)
				return may;
			withheld += may == WITHHELD;
			if ((may == WHOLE && json_array_append_new(shown, sentence_json(s, labels)) < 0) ||
			    (may == INSTEAD && json_array_append_new(shown, instead_json(s)) < 0))
				return no_memory(c->err);
		}
	}
	if (!view || body_set_int(view, "withheld", withheld) < 0)
		return no_memory(c->err);
	*out = json_incref(view);
	return 0;
}

/* Where a sentence is from, for people: "turn 4", "help-12", "promises 1". */
static void write_from(struct strbuf *b, const json_t *from)
{
	for (size_t i = 0; i < json_array_size(from); i++) {
		const json_t *f = json_array_get(from, i);
		const char *package = body_string(f, "package");
		if (i)
			strbuf_puts(b, ", ");
		if (json_object_get(f, "turn"))
			strbuf_printf(b, "turn %lld", (long long)body_int(f, "turn"));
		else if (*package)
			strbuf_printf(b, "package: %s", package);
		else if (json_object_get(f, "document"))
			strbuf_puts(b, body_string(f, "document"));
		else if (json_object_get(f, "case"))
			strbuf_puts(b, body_string(f, "case"));
		else
			strbuf_puts(b, body_string(f, "conversation"));
	}
}

/* A text on one line, its lines parted by " / "; in Markdown its own marks are escaped. */
static void write_line(struct strbuf *b, struct text t, int markdown)
{
	for (size_t i = 0; i < t.n; i++) {
		char c = t.s[i];
		if (c == '\n' && b->n && b->p[b->n - 1] != ' ')
			strbuf_puts(b, " / ");
		if (c == '\n' || c == '\r' || c == '\t')
			c = ' ';
		if (c == ' ' && b->n && b->p[b->n - 1] == ' ')
			continue;
		if (markdown && strchr("*_`[]<>#|\\", c))
			strbuf_putc(b, '\\');
		strbuf_putc(b, c);
	}
}

static void write_sentence(struct strbuf *b, const json_t *s, int markdown)
{
	const char *label = body_string(s, "label");
	const char *mark = body_bool(s, "quote") ? "\"" : "";

	strbuf_puts(b, markdown ? "- " : "  ");
	if (*label) {
		strbuf_puts(b, markdown ? "**" : "");
		write_line(b, text_of(label), markdown);
		strbuf_puts(b, markdown ? ":** " : ": ");
	}
	strbuf_puts(b, mark);
	write_line(b, body_text(s, "text"), markdown);
	strbuf_puts(b, mark);
	strbuf_puts(b, markdown ? " _(" : "  [");
	write_from(b, json_object_get(s, "from"));
	strbuf_puts(b, markdown ? ")_\n" : "]\n");
}

json_t *brief_render(const json_t *view, enum brief_format f)
{
	static const char *const names[] = { "Situation", "Background", "Assessment", "Recommendation" };
	STRBUF_AUTO b = STRBUF_INIT;
	int markdown = f == BRIEF_MARKDOWN;
	int64_t withheld = body_int(view, "withheld");

	for (size_t k = 0; k < 4; k++) {
		const json_t *list = json_object_get(view, sections[k]);
		strbuf_printf(&b, "%s%s%s\n%s", k ? "\n" : "", markdown ? "## " : "", names[k],
			      markdown ? "\n" : "");
		for (size_t i = 0; i < json_array_size(list); i++)
			write_sentence(&b, json_array_get(list, i), markdown);
		if (!json_array_size(list))
			strbuf_puts(&b, markdown ? "- nothing\n" : "  nothing\n");
	}
	if (withheld)
		strbuf_printf(&b, "\n%lld %s withheld: you may not see what %s from.\n", (long long)withheld,
			      withheld == 1 ? "sentence is" : "sentences are",
			      withheld == 1 ? "it is" : "they are");
	return b.failed ? NULL : json_stringn(b.p, b.n);
}

int brief_show(struct desk *d, const struct call *c, const char *handoff, enum brief_format f, json_t **out)
{
	struct record h, e;
	JSON_AUTO *view = NULL;
	int rc = handoff_get(d, c, handoff, &h, NULL);

	if (rc < 0)
		return rc;
	if ((rc = engine_get(d->engine, RECORD_EVIDENCE, body_string(h.body, "evidence"), c->arena, &e,
			     c->err)) < 0 ||
	    (rc = brief_view(d, c, &e, f != BRIEF_JSON, &view)) < 0)
		return rc;
	json_t *j = f == BRIEF_JSON ? json_incref(view) : brief_render(view, f);
	if (!j)
		return no_memory(c->err);
	*out = j;
	return 0;
}
