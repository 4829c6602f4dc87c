/*
 * curve.h: a learning curve as a picture (SVG 1.1) and as a few lines of text
 * for a terminal. Values are shares, 0 to 1.
 */
#ifndef READBACK_DATASETS_CURVE_H
#define READBACK_DATASETS_CURVE_H

#include <stddef.h>

#include "base/strbuf.h"

struct curve {
	const char *name;
	const double *y;  /* a value per x; NaN: none there */
	double reference; /* a dashed line across, of the baseline; NaN: none */
};

struct curve_plot {
	const char *title, *x_name;
	const double *x; /* rising */
	size_t n;
	const struct curve *curves;
	size_t n_curves;
	const char *dashed; /* what the dashed lines are; NULL: not said */
};

/* A failure of memory is sticky in `out`. */
void curve_svg(const struct curve_plot *p, struct strbuf *out);
void curve_text(const struct curve_plot *p, struct strbuf *out);

#endif
