#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"

/* One field of the format: name=…; the formatted text follows in `values` up to the separator. */
static void add_field(json_t *line, const char *name, size_t name_len, const char *value, int text)
{
	char key[48];
	json_error_t je;

	snprintf(key, sizeof(key), "%.*s", (int)name_len, name);
	json_t *v = text ? NULL : json_loads(value, JSON_DECODE_ANY, &je);
	if (!v || !json_is_number(v)) {
		json_decref(v);
		v = json_string(value);
	}
	json_object_set_new(line, key, v ? v : json_null());
}

#define SEPARATOR '\x1f'

void log_line(enum log_level level, const char *event, const char *fmt, ...)
{
	static const char *const levels[] = { "debug", "info", "warn", "error" };
	char format[512], values[2048], time[TIME_TEXT];
	va_list ap;

	time_format(clock_wall_ms(), time);
	JSON_AUTO *line = json_pack("{s:s, s:s, s:s}", "time", time, "level", levels[level], "event", event);
	if (!line)
		return;
	/* values may hold spaces: split at a separator that no value may hold instead */
	snprintf(format, sizeof(format), "%s", fmt);
	for (char *p = format; *p; p++)
		if (*p == ' ')
			*p = SEPARATOR;
	va_start(ap, fmt);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	vsnprintf(values, sizeof(values), format, ap);
#pragma GCC diagnostic pop
	va_end(ap);
	char *value = values;
	for (const char *f = fmt; *f;) {
		size_t field = strcspn(f, " "), name = strcspn(f, "=");
		char *end = strchr(value, SEPARATOR);
		if (end)
			*end = '\0';
		const char *eq = strchr(value, '=');
		if (eq && name < field)
			add_field(line, f, name, eq + 1, f[field - 1] == 's');
		if (!end)
			break;
		value = end + 1;
		f += field + (f[field] == ' ');
	}
	char *text = json_dumps(line, JSON_COMPACT | JSON_DIGITS);
	if (text)
		dprintf(STDERR_FILENO, "%s\n", text);
	free(text);
}
