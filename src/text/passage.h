/*
 * passage.h: cutting texts: sentences, chunks, snippets and highlights.
 *
 * All offsets are bytes of the given UTF-8 text, [start, end), on character
 * boundaries. Any thread; all memory is the arena's; -1 or ERR_NO_MEMORY
 * without memory.
 */
#ifndef READBACK_TEXT_PASSAGE_H
#define READBACK_TEXT_PASSAGE_H

#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "text/analyser.h"

struct arena;

struct span {
	size_t start, end;
};

/* Sentences without the white space around them; a line break between blocks, and a list item, end one too. */
long split_sentences(struct arena *a, const char *s, size_t n, const struct span **out);

/* Counts tokens of a piece as the embedder does. */
struct token_counter {
	size_t (*count)(const void *ctx, const char *s, size_t n);
	const void *ctx;
};

/*
 * Chunks of whole sentences up to `max_tokens` (a longer sentence is cut at
 * words), in order, covering all that is not white space; cut before headings
 * and at blank lines where there are any. A text that fits in
 * `whole_tokens` is one chunk. "" gives no chunk.
 */
long split_chunks(struct arena *a, const char *s, size_t n, struct token_counter counter, size_t max_tokens,
		  size_t whole_tokens, const struct span **out);

/*
 * Places of words of s whose stem is a stem of the terms; *sentence is the one
 * that holds the most of them (distinct, then all), empty where there are none.
 */
long find_highlights(struct arena *a, const char *s, size_t n, const struct term *terms, size_t n_terms,
		     const struct span **out, struct span *sentence);

/* The run of sentences of at most max_bytes of s that holds the most (distinct, then all) terms. */
struct span best_passage(struct arena *a, const char *s, size_t n, const struct term *terms, size_t n_terms,
			 size_t max_bytes);

/* Plain text of a Markdown text: markup gone, blocks by blank lines, list items by "- ". The first heading of level 1
 * that opens the text, if any, is also given as *title. */
int markdown_text(struct arena *a, const char *s, size_t n, struct text *out, struct text *title,
		  struct error *e);

/*
 * The same of an HTML page: of its <main>, its only <article> or its <body>, without navigation, footers, menus, scripts
 * and what is hidden; cells of a row by " | ". *title is its first <h1>, else its <title>. ERR_TOO_LARGE for elements
 * nested deeper than 512, and for markup that takes more than 256 MiB or 5 seconds to parse.
 */
int html_text(struct arena *a, const char *s, size_t n, struct text *out, struct text *title,
	      struct error *e);

#endif
