/* svg.h: what all our pictures (SVG 1.1) need. A failure of memory is sticky in `out`. */
#ifndef READBACK_DATASETS_SVG_H
#define READBACK_DATASETS_SVG_H

#include "base/json.h"
#include "base/strbuf.h"

/* The head, with a white ground. Ended by svg_end(). */
void svg_begin(struct strbuf *out, int width, int height);
void svg_end(struct strbuf *out);

/* A label; `style` is attributes. Controls in the text become spaces. */
void svg_label(struct strbuf *out, double x, double y, const char *style, struct text text);

#endif
