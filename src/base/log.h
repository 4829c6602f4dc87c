/*
 * log.h: one JSON object a line on stderr.
 *
 * Only main, the HTTP edge and the ingest runner log. Never texts, never ids
 * of clients. Any thread; a line is written whole.
 */
#ifndef READBACK_BASE_LOG_H
#define READBACK_BASE_LOG_H

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/*
 * `fmt` is made of name=format pairs by space, as log_line(LOG_LEVEL_INFO, "request",
 * "method=%s status=%d ms=%.1f", …); each becomes a field: %s a string, others a number.
 */
void log_line(enum log_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
