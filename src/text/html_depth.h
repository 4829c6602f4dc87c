/*
 * html_depth.h: how deeply the elements of an HTML text nest, near enough, in
 * one pass: tags are found as a parser's tokenizer does (WHATWG HTML, 13.2.5),
 * but which element an end tag closes is not asked. Any thread.
 */
#ifndef READBACK_TEXT_HTML_DEPTH_H
#define READBACK_TEXT_HTML_DEPTH_H

#include <stddef.h>

size_t html_depth(const char *s, size_t n);

#endif
