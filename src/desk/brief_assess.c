#include <string.h>

#include "base/arena.h"
#include "desk/brief.h"
#include "desk/compare.h"
#include "desk/package.h"
#include "desk/query.h"

#define BEST_PASSAGE 280
#define CITED 8         /* citations spoken of; evidence lists all */
#define DOCUMENTS 2     /* documents quoted in the recommendation */
#define NEARLY .85      /* of the best document's score: from here on another one is quoted too */
#define CASE_LIKE .40   /* vector score from which a case of the same intent is called similar */
#define CASE_ALIKE .60  /* and from which any case is */
#define CONTRADICTS .50 /* word overlap from which two sentences are about the same */

static void say_intent(struct brief *b)
{
	const json_t *intent = package_value(b->in->package, "intent");
	const char *label = body_string(intent, "label"), *text;
	double confidence = package_confidence(b->in->package, "intent");
	struct arena *a = b->call->arena;

	if (!intent)
		text = "The intent is not known.";
	else if (package_inferred(b->in->package, "intent"))
		text = arena_printf(a, "Intent %s, by likeness to resolved conversations (confidence %.2f).",
				    label, confidence);
	else if (json_object_get(intent, "confidence"))
		text = arena_printf(a, "Intent %s, says the bot (confidence %.2f).", label, confidence);
	else
		text = arena_printf(a, "Intent %s, says the bot.", label);
	brief_line(b, text, brief_from_package("intent", -1), NULL);
}

static void say_mood(struct brief *b)
{
	const json_t *mood = package_value(b->in->package, "sentiment");
	const char *label = body_string(mood, "label"), *text;

	if (!mood)
		return;
	if (json_object_get(mood, "score"))
		text = arena_printf(b->call->arena, "The customer sounds %s (%+.1f).", label,
				    body_number(mood, "score"));
	else
		text = arena_printf(b->call->arena, "The customer sounds %s.", label);
	brief_line(b, text, brief_from_package("sentiment", -1), NULL);
}

static void say_bot(struct brief *b)
{
	const struct turn *t = conversation_last(b->in->conversation, "bot");
	const json_t *bot = package_value(b->in->package, "bot");
	struct text draft = brief_cut(body_text(bot, "draft_answer"));

	if (t) {
		struct sentence s = { .label = "The bot answered last",
				      .text = brief_cut(t->text),
				      .quote = 1,
				      .from = { brief_from_turn(t) } };
		brief_say(b, &s);
	}
	if (draft.n && (!t || !quote_in(draft, t->text))) {
		struct sentence s = { .label = "The bot's draft",
				      .text = draft,
				      .quote = 1,
				      .from = { brief_from_package("bot.draft_answer", -1) } };
		brief_say(b, &s);
	}
}

/* The sentence of a document that is most like `said`; its likeness in *best. n 0: none. */
static struct span most_like(struct brief *b, struct text said, struct text document, struct likeness *best)
{
	struct arena *a = b->call->arena;
	const struct span *spans;
	struct span found = { 0, 0 };
	struct compared *x, *y;
	long n = split_sentences(a, document.s, document.n < CITED_TEXT ? document.n : CITED_TEXT, &spans);
	struct text *texts = n < 0 ? NULL : arena_alloc(a, ((size_t)n + 1) * sizeof(*texts));

	*best = (struct likeness){ 0 };
	for (long i = 0; texts && i < n; i++)
		texts[i] = (struct text){ document.s + spans[i].start, spans[i].end - spans[i].start };
	if (!texts || compare_prepare(NULL, a, &said, 1, &x, b->call->err) < 0 ||
	    compare_prepare(NULL, a, texts, (size_t)n, &y, b->call->err) < 0) {
		b->rc = no_memory(b->call->err);
		return found;
	}
	for (long i = 0; i < n; i++) {
		struct likeness l;
		compare_two(a, &x[0], &y[i], &l);
		if (l.words > best->words) {
			*best = l;
			found = spans[i];
		}
	}
	return found;
}

static json_t *need_of(const struct citation *x)
{
	json_t *j = json_pack("{s:s, s:s%}", "kind", "document", "id", x->document.s, x->document.n);

	if (j && body_set_copy(j, "acl", x->acl) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

/* A piece of a document, word for word; `of` is the citation that it is about, NULL: none. */
static void quote_document(struct brief *b, const char *label, const struct record *r, struct span p,
			   const struct citation *of)
{
	struct text t = brief_cut((struct text){ r->text.s + p.start, p.end - p.start });
	struct sentence s = { .label = label,
			      .text = t,
			      .quote = 1,
			      .from = { brief_from_document(r->id, p.start, p.start + t.n) },
			      .needs = { brief_need("document", r) },
			      .cited = of ? need_of(of) : NULL };

	brief_say(b, &s);
}

static const char *relied_on(struct brief *b, const char *name, const char *what)
{
	const char *text = arena_printf(b->call->arena, "The bot relied on \"%s\", %s", name, what);

	if (!text)
		b->rc = no_memory(b->call->err);
	return text ? text : "";
}

#define NOT_KNOWN "which is not known here."

static void say_status(struct brief *b, const struct citation *x, long i, const char *what)
{
	const char *title = x->record.id ? body_string(x->record.body, "title") : "";
	const char *id = text_copy(b->call->arena, x->document), *name = *title ? title : id ? id : "";
	struct sentence s = { .text = text_of(relied_on(b, name, what)),
			      .from = { brief_from_package("bot.cited", i),
					x->record.id ? json_pack("{s:s}", "document", x->record.id)
						     : NULL } };

	if (x->known) {
		s.cited = need_of(x);
		s.instead = relied_on(b, id ? id : "", NOT_KNOWN);
	}
	brief_say(b, &s);
}

/* A document other than the one cited that says the same with other numbers or dates. */
static void say_contradiction(struct brief *b, const struct citation *x)
{
	const struct evidence_found *f = b->in->found;
	struct likeness best, l;
	struct span found = { 0, 0 }, p;
	const struct search_hit *by = NULL;

	best.words = CONTRADICTS;
	for (size_t i = 0; i < f->n && x->quote.s && b->rc == 0; i++) {
		if (f->hits[i].kind != COLLECTION_DOCUMENT || text_is(x->document, f->hits[i].record.id))
			continue;
		p = most_like(b, x->quote, f->hits[i].record.text, &l);
		if (l.words >= best.words && l.because && !l.agree &&
		    strcmp(l.because, "says something else") != 0) {
			best = l;
			found = p;
			by = &f->hits[i];
		}
	}
	if (by)
		quote_document(b,
			       arena_printf(b->call->arena, "But \"%s\" says",
					    body_string(by->record.body, "title")),
			       &by->record, found, x);
}

static void say_citation(struct brief *b, const struct citation *x, long i)
{
	struct citation hidden = *x;
	struct likeness l;

	if (!x->queue_may) {
		/* to this queue the document does not exist */
		hidden.record = (struct record){ 0 };
		hidden.known = 0;
		say_status(b, &hidden, i, NOT_KNOWN);
		return;
	}
	if (strcmp(x->status, "current") == 0) {
		say_status(b, x, i, "which is current.");
		say_contradiction(b, x);
	} else if (strcmp(x->status, "changed_since") == 0) {
		say_status(b, x, i, "in a version that has changed since.");
		struct span p = { 0, 0 };
		if (x->quote.s)
			p = most_like(b, x->quote, x->record.text, &l);
		if (p.end)
			quote_document(b, "It now says", &x->record, p, x);
	} else if (strcmp(x->status, "deleted") == 0) {
		say_status(b, x, i, "which has been deleted since.");
	} else if (x->record.id && x->unchecked) {
		say_status(b, x, i, "which is too long to look for what it quotes.");
	} else if (x->record.id) {
		say_status(b, x, i, "but what it quotes is in no version of it.");
	} else {
		say_status(b, x, i, NOT_KNOWN);
	}
}

void brief_assess(struct brief *b)
{
	say_intent(b);
	say_mood(b);
	say_bot(b);
	for (size_t i = 0; i < b->in->found->n_cited && i < CITED && b->rc == 0; i++)
		say_citation(b, &b->in->found->cited[i], (long)i);
}

/* The run of sentences of the hit's passage that holds most of the query's words, by its place in the document. */
static struct span best_of_hit(struct brief *b, const struct search_hit *h)
{
	const struct desk_query *q = b->in->found->query;
	struct text all = h->record.text;
	struct span part = h->part;

	if (part.end > all.n || part.end <= part.start)
		part = (struct span){ 0, all.n };
	struct span p = best_passage(b->call->arena, all.s + part.start, part.end - part.start, q->terms,
				     q->n_terms, BEST_PASSAGE);
	return (struct span){ part.start + p.start, part.start + p.end };
}

static void say_documents(struct brief *b)
{
	const struct evidence_found *f = b->in->found;
	size_t said = 0;
	double best = 0;

	for (size_t i = 0; i < f->n && said < DOCUMENTS && b->rc == 0; i++) {
		const struct search_hit *h = &f->hits[i];
		if (h->kind != COLLECTION_DOCUMENT || !h->record.text.n || h->score < NEARLY * best)
			continue;
		best = said ? best : h->score;
		const char *title = body_string(h->record.body, "title");
		quote_document(b, arena_printf(b->call->arena, "\"%s\"", *title ? title : h->record.id),
			       &h->record, best_of_hit(b, h), NULL);
		said++;
	}
}

static void quote_case(struct brief *b, const char *label, const struct record *r, struct text t)
{
	struct sentence s = { .label = label,
			      .text = brief_cut(t),
			      .from = { json_pack("{s:s}", "case", r->id) },
			      .needs = { brief_need("case", r) } };

	if (s.text.n)
		brief_say(b, &s);
}

/* Similar enough to be named: of the same intent, or very much alike. Words alone do not tell how much. */
static int is_similar(const struct brief *b, const struct search_hit *h)
{
	const char *intent = body_string(package_value(b->in->package, "intent"), "label");
	int same = strcmp(intent, body_string(h->record.body, "intent")) == 0;

	if (h->kind != COLLECTION_CASE || strcmp(body_string(h->record.body, "outcome"), "resolved") != 0)
		return 0;
	return b->in->found->query->vector ? h->raw.vector >= (same ? CASE_LIKE : CASE_ALIKE)
					   : same || !*intent;
}

/* How the most similar case that was solved was solved. */
static void say_case(struct brief *b)
{
	const struct evidence_found *f = b->in->found;
	size_t i = 0;

	while (i < f->n && !is_similar(b, &f->hits[i]))
		i++;
	if (i == f->n)
		return;
	const struct record *r = &f->hits[i].record;
	const json_t *steps = json_object_get(r->body, "steps");
	quote_case(b, "A similar case", r, body_text(r->body, "problem"));
	quote_case(b, "It was solved so", r, body_text(r->body, "resolution"));
	for (size_t s = 0; s < json_array_size(steps) && b->rc == 0; s++) {
		const json_t *step = json_array_get(steps, s);
		quote_case(b, arena_printf(b->call->arena, "Step %zu of it", s + 1), r,
			   (struct text){ json_string_value(step), json_string_length(step) });
	}
}

void brief_recommend(struct brief *b)
{
	const json_t *list = package_value(b->in->package, "unresolved_actions");

	for (size_t i = 0; i < json_array_size(list) && b->rc == 0; i++) {
		const json_t *v = json_array_get(list, i);
		struct sentence s = { .label = "To do",
				      .text = { json_string_value(v), json_string_length(v) },
				      .from = { brief_from_package("unresolved_actions", (long)i) } };
		brief_say(b, &s);
	}
	say_documents(b);
	say_case(b);
}
