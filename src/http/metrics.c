#include "http/metrics.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"

/* Upper bounds of the latency histogram, in microseconds. */
static const int64_t bounds[] = {
	500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000
};

#define BOUNDS (sizeof(bounds) / sizeof(bounds[0]))
#define SERIES 256

struct series {
	const char *route;
	char method[8];
	int status;
	uint64_t count, sum_us, buckets[BOUNDS];
};

struct metrics {
	pthread_mutex_t lock;
	size_t n;
	struct series series[SERIES];
};

struct metrics *metrics_new(void)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m)
		pthread_mutex_init(&m->lock, NULL);
	return m;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	pthread_mutex_destroy(&m->lock);
	free(m);
}

/* Methods come from outside: only known ones make series, so that their number is bounded. */
static const char *known_method(const char *method)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "DELETE" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(method, known[i]) == 0)
			return known[i];
	return "other";
}

void metrics_count(struct metrics *m, const char *route, const char *method, int status, int64_t took_us)
{
	size_t i = 0;

	method = known_method(method);
	pthread_mutex_lock(&m->lock);
	while (i < m->n && (m->series[i].status != status || strcmp(m->series[i].route, route) != 0 ||
			    strcmp(m->series[i].method, method) != 0))
		i++;
	if (i == m->n && m->n < SERIES) {
		struct series *s = &m->series[m->n++];
		*s = (struct series){ .route = route, .status = status };
		strncpy(s->method, method, sizeof(s->method) - 1);
	}
	if (i < m->n) {
		struct series *s = &m->series[i];
		s->count++;
		s->sum_us += (uint64_t)took_us;
		for (size_t b = 0; b < BOUNDS; b++)
			s->buckets[b] += took_us <= bounds[b];
	}
	pthread_mutex_unlock(&m->lock);
}

static void write_series(const struct series *s, struct strbuf *out)
{
	STRBUF_AUTO labels = STRBUF_INIT;

	strbuf_printf(&labels, "route=\"%s\",method=\"%s\",status=\"%d\"", s->route, s->method, s->status);
	for (size_t b = 0; b < BOUNDS; b++)
		strbuf_printf(out, "readback_request_seconds_bucket{%s,le=\"%g\"} %llu\n", labels.p,
			      (double)bounds[b] / 1e6, (unsigned long long)s->buckets[b]);
	strbuf_printf(out, "readback_request_seconds_bucket{%s,le=\"+Inf\"} %llu\n", labels.p,
		      (unsigned long long)s->count);
	strbuf_printf(out, "readback_request_seconds_sum{%s} %g\n", labels.p, (double)s->sum_us / 1e6);
	strbuf_printf(out, "readback_request_seconds_count{%s} %llu\n", labels.p,
		      (unsigned long long)s->count);
}

static void gauge(struct strbuf *out, const char *name, const char *help, double value)
{
	strbuf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %.17g\n", name, help, name, name, value);
}

void metrics_write(struct metrics *m, const struct engine_status *s, struct strbuf *out)
{
	strbuf_puts(out, "# HELP readback_request_seconds Time to answer a request.\n"
			 "# TYPE readback_request_seconds histogram\n");
	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < m->n; i++)
		write_series(&m->series[i], out);
	pthread_mutex_unlock(&m->lock);
	gauge(out, "readback_ready", "1 when writes and searches are served.", s->ready);
	gauge(out, "readback_read_only", "1 after a write of unknown outcome.", s->read_only);
	gauge(out, "readback_event_seq", "Sequence number of the last event.", (double)s->seq);
	gauge(out, "readback_index_seq", "Last event that the index holds.", (double)s->index_seq);
	gauge(out, "readback_index_segments", "Segments of the index.", (double)s->index.segments);
	gauge(out, "readback_index_rows", "Rows of the index.", (double)s->index.rows);
	gauge(out, "readback_index_dead_rows", "Rows that are deleted or replaced.",
	      (double)s->index.dead_rows);
	gauge(out, "readback_index_graph_rows", "Rows that are in the vector graph.",
	      (double)s->index.graph_rows);
	gauge(out, "readback_index_bytes", "Memory of the index.", (double)s->index.bytes);
	gauge(out, "readback_index_broken_files", "Index files that were broken and rebuilt.",
	      s->index.broken_files);
	gauge(out, "readback_index_failed_merges", "Merges of segments that failed; the old ones stay.",
	      s->index.failed_merges);
	gauge(out, "readback_index_failed_saves", "Writes of index files that failed; what was saved stays.",
	      s->failed_saves);
	gauge(out, "readback_database_bytes", "Size of the database.", (double)s->database_bytes);
	strbuf_puts(out, "# HELP readback_records Records by kind.\n# TYPE readback_records gauge\n");
	for (int k = 0; k < RECORD_KINDS; k++)
		strbuf_printf(out, "readback_records{kind=\"%s\"} %llu\n", record_schema(k)->name,
			      (unsigned long long)s->records[k]);
}
