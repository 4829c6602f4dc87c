/*
 * clock.h: wall time for showing, monotonic time for measuring.
 *
 * Nothing is ordered by wall time. Times are milliseconds since 1970 UTC in
 * memory and in the database, RFC 3339 UTC on the wire.
 */
#ifndef READBACK_BASE_CLOCK_H
#define READBACK_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define TIME_TEXT 32

int64_t clock_wall_ms(void);
int64_t clock_mono_us(void);

/* "2026-06-01T08:00:00.000Z"; without the fraction when it is zero. */
void time_format(int64_t ms, char out[TIME_TEXT]);

/* RFC 3339 with any offset, or a date alone. 0, or -1 if it is not one. */
int time_parse(const char *s, size_t n, int64_t *ms);

#endif
