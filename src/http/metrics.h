/* metrics.h: counters for /metrics, in Prometheus' text format 0.0.4. Any thread. */
#ifndef READBACK_HTTP_METRICS_H
#define READBACK_HTTP_METRICS_H

#include <stdint.h>

#include "base/strbuf.h"

struct engine_status;
struct metrics;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);
/* `route` is a pattern with static lifetime. */
void metrics_count(struct metrics *m, const char *route, const char *method, int status, int64_t took_us);
void metrics_write(struct metrics *m, const struct engine_status *s, struct strbuf *out);

#endif
