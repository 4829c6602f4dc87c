#include "text/html_depth.h"

#include <string.h>

/* Elements that hold nothing, or that end by themselves where the next one begins. */
static int never_nests(const char *name, size_t n)
{
	static const char *const names[] = { "area",   "base",     "br",      "col",   "embed", "hr",
					     "img",    "input",    "link",    "meta",  "param", "source",
					     "track",  "wbr",      "p",       "li",    "dt",    "dd",
					     "tr",     "td",       "th",      "thead", "tbody", "tfoot",
					     "option", "optgroup", "colgroup" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == n && strncasecmp(names[i], name, n) == 0)
			return 1;
	return 0;
}

static int is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Behind the '>' of the tag whose name ends at i; quoted values may hold one. */
static size_t tag_end(const char *s, size_t n, size_t i)
{
	while (i < n && s[i] != '>') {
		if (s[i++] != '=')
			continue;
		while (i < n && strchr(" \t\r\n\f", s[i]))
			i++;
		if (i < n && (s[i] == '"' || s[i] == '\'')) {
			const char *quote = memchr(s + i + 1, s[i], n - i - 1);
			i = quote ? (size_t)(quote - s) + 1 : n;
		}
	}
	return i < n ? i + 1 : n;
}

/* Behind the comment, or the contents of a script or style, that begins at i with the tag `name`. */
static size_t raw_end(const char *s, size_t n, size_t i, const char *name, size_t len)
{
	if ((len != 6 || strncasecmp(name, "script", 6) != 0) &&
	    (len != 5 || strncasecmp(name, "style", 5) != 0))
		return i;
	for (; i + len + 2 <= n; i++)
		if (s[i] == '<' && s[i + 1] == '/' && strncasecmp(s + i + 2, name, len) == 0)
			return i;
	return n;
}

size_t html_depth(const char *s, size_t n)
{
	size_t depth = 0, most = 0, i = 0;

	while (i + 1 < n) {
		const char *open = memchr(s + i, '<', n - i - 1);
		if (!open)
			break;
		i = (size_t)(open - s) + 1;
		if (n - i >= 3 && memcmp(s + i, "!--", 3) == 0) {
			const char *end = memmem(s + i + 1, n - i - 1, "-->", 3);
			i = end ? (size_t)(end - s) + 3 : n;
			continue;
		}
		int closes = s[i] == '/';
		size_t name = i += (size_t)closes;
		if (i == n || !is_letter(s[i]))
			continue;
		while (i < n && !strchr(" \t\r\n\f/>", s[i]))
			i++;
		size_t len = i - name;
		i = tag_end(s, n, i);
		if (never_nests(s + name, len))
			continue;
		depth = closes ? depth - (depth > 0) : depth + 1;
		most = depth > most ? depth : most;
		if (!closes)
			i = raw_end(s, n, i, s + name, len);
	}
	return most;
}
