#include "datasets/curve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "datasets/svg.h"

#define WIDTH 880
#define HEIGHT 420
#define LEFT 56
#define RIGHT 240 /* room for the names */
#define TOP 40
#define BOTTOM 48
#define LABEL_STEP 18

static const char *const colours[] = { "#1f5fa8", "#c2410c", "#2e7d32", "#7b3fa0",
				       "#8a6d00", "#00707a", "#6b6b6b", "#b0006d" };

#define COLOURS (sizeof(colours) / sizeof(colours[0]))

struct frame {
	double x_lo, x_hi;
};

static double x_at(const struct frame *f, double x)
{
	double span = f->x_hi > f->x_lo ? f->x_hi - f->x_lo : 1;

	return LEFT + (x - f->x_lo) / span * (WIDTH - LEFT - RIGHT);
}

static double y_at(double y)
{
	return TOP + (1 - y) * (HEIGHT - TOP - BOTTOM);
}

static void add_label(struct strbuf *out, double x, double y, const char *style, const char *text)
{
	svg_label(out, x, y, style, (struct text){ text, strlen(text) });
}

static void add_axes(const struct curve_plot *p, const struct frame *f, struct strbuf *out)
{
	char text[32];

	for (int i = 0; i <= 5; i++) {
		double y = y_at(i / 5.0);
		strbuf_printf(out, "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ddd\"/>\n",
			      LEFT, y, WIDTH - RIGHT, y);
		snprintf(text, sizeof(text), "%.1f", i / 5.0);
		add_label(out, LEFT - 8, y + 4, "text-anchor=\"end\"", text);
	}
	for (int i = 0; i <= 4; i++) {
		double x = f->x_lo + (f->x_hi - f->x_lo) * i / 4;
		snprintf(text, sizeof(text), "%.0f", x);
		add_label(out, x_at(f, x), HEIGHT - BOTTOM + 18, "text-anchor=\"middle\"", text);
	}
	add_label(out, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 10, "text-anchor=\"middle\"", p->x_name);
	add_label(out, LEFT, 22, "font-weight=\"bold\"", p->title);
}

/* Pieces between gaps. */
static void add_curve(const struct curve_plot *p, const struct frame *f, const struct curve *c,
		      const char *colour, struct strbuf *out)
{
	int drawing = 0;

	strbuf_printf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"", colour);
	for (size_t i = 0; i < p->n; i++) {
		if (!isfinite(c->y[i])) {
			drawing = 0;
			continue;
		}
		strbuf_printf(out, "%s%.1f %.1f ", drawing ? "L" : "M", x_at(f, p->x[i]), y_at(c->y[i]));
		drawing = 1;
	}
	strbuf_puts(out, "\"/>\n");
	if (isfinite(c->reference))
		strbuf_printf(
			out,
			"<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"%s\" stroke-dasharray=\"4 4\" "
			"opacity=\"0.6\"/>\n",
			LEFT, y_at(c->reference), WIDTH - RIGHT, y_at(c->reference), colour);
}

void curve_svg(const struct curve_plot *p, struct strbuf *out)
{
	struct frame f = { p->n ? p->x[0] : 0, p->n ? p->x[p->n - 1] : 1 };
	char style[64];

	svg_begin(out, WIDTH, HEIGHT);
	add_axes(p, &f, out);
	for (size_t i = 0; i < p->n_curves; i++) {
		const char *colour = colours[i % COLOURS];
		add_curve(p, &f, &p->curves[i], colour, out);
		snprintf(style, sizeof(style), "fill=\"%s\"", colour);
		add_label(out, WIDTH - RIGHT + 12, TOP + 8 + LABEL_STEP * (double)i, style,
			  p->curves[i].name);
	}
	if (p->dashed)
		add_label(out, WIDTH - RIGHT + 12, TOP + 8 + LABEL_STEP * (double)p->n_curves,
			  "fill=\"#777\"", p->dashed);
	svg_end(out);
}

/* One line a curve: a bar of eighths per point, the first value and the last. */
void curve_text(const struct curve_plot *p, struct strbuf *out)
{
	static const char *const bars[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };

	for (size_t k = 0; k < p->n_curves; k++) {
		const struct curve *c = &p->curves[k];
		double first = NAN, last = NAN;
		strbuf_printf(out, "%-18s ", c->name);
		for (size_t i = 0; i < p->n; i++) {
			if (!isfinite(c->y[i])) {
				strbuf_putc(out, ' ');
				continue;
			}
			int step = (int)(c->y[i] * 8);
			strbuf_puts(out, bars[step < 0 ? 0 : step > 7 ? 7 : step]);
			first = isfinite(first) ? first : c->y[i];
			last = c->y[i];
		}
		if (isfinite(last))
			strbuf_printf(out, "  %.3f to %.3f", first, last);
		if (isfinite(c->reference))
			strbuf_printf(out, "  (%.3f without learning)", c->reference);
		strbuf_putc(out, '\n');
	}
}
