#include "datasets/svg.h"

void svg_begin(struct strbuf *out, int width, int height)
{
	strbuf_printf(
		out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
		"font-family=\"sans-serif\" font-size=\"12\" fill=\"#333\">\n"
		"<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
		width, height, width, height, width, height);
}

void svg_end(struct strbuf *out)
{
	strbuf_puts(out, "</svg>\n");
}

void svg_label(struct strbuf *out, double x, double y, const char *style, struct text text)
{
	strbuf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, style);
	for (size_t i = 0; i < text.n; i++) {
		char c = text.s[i];
		if (c == '&')
			strbuf_puts(out, "&amp;");
		else if (c == '<')
			strbuf_puts(out, "&lt;");
		else
			strbuf_putc(out, (unsigned char)c < ' ' ? ' ' : c);
	}
	strbuf_puts(out, "</text>\n");
}
