/*
 * merge.c: many segments become one, in the background.
 *
 * Policy. Segments are looked at from the smallest on. The run of the smallest
 * is merged when it holds `merge_docs` documents and the next one is more than
 * twice as large as the run, so that sizes stay a factor of two apart: a
 * document is merged O(log n) times, and a search meets O(log n) segments.
 * A graph costs a hundred times as much as the rest of a merge. So while
 * writes come, only segments of `large_rows` get one, and those are let be
 * until there are `fan` of them: a document is in a graph's making once, not
 * once for each doubling. When no writes come, segments from `links_rows` on
 * get graphs, and all that is not the largest is merged into it once it is a
 * twentieth of it. A segment of which a quarter is dead is written anew.
 *
 * Memory is bounded by `merge_rows`: a merge holds its rows' vectors three
 * times while it works (the old ones, the new ones, and the graph builder's).
 *
 * A merge reads what was live in a view when it began. Everything that changes
 * afterwards shows as a document that dies in one of the old segments (a
 * deletion, a replacement, a retag, which moves the document): before the new
 * segment takes their place, what died meanwhile dies in it too. So nothing
 * comes back.
 */
#include <stdlib.h>
#include <string.h>

#include "index/bits.h"
#include "index/index_internal.h"

/* --- one segment out of many ---------------------------------------------------------------------------- */

static size_t collect(const struct live *p, struct segment_source *out)
{
	const struct segment *s = p->segment;
	size_t n = 0;

	for (uint32_t d = 0; d < s->docs; d++)
		if (live_has(p, d))
			out[n++] = (struct segment_source){ s->ids[d], NULL, s, d };
	return n;
}

static int go_on(void *arg)
{
	const struct index *x = arg;

	return !atomic_load(&x->stop);
}

int merge_parts(struct index *x, enum collection c, const struct merge *m, struct segment **out,
		struct error *e)
{
	size_t docs = 0, n = 0;

	for (size_t i = 0; i < m->n; i++)
		docs += live_docs(&m->parts[i]);
	*out = NULL;
	if (docs == 0)
		return 0;
	struct segment_source *sources = malloc(docs * sizeof(*sources));
	if (!sources)
		return no_memory(e);
	for (size_t i = 0; i < m->n; i++)
		n += collect(&m->parts[i], sources + n);
	if (m->n > 1)
		segment_sources_sort(sources, n);
	const struct segment_build b = { .collection = c,
					 .number = atomic_fetch_add(&x->next_number, 1),
					 .dim = x->options.dim,
					 .sources = sources,
					 .n = n,
					 .links_from = m->links_from,
					 .threads = x->tuning.threads,
					 .go_on = m->links_from ? go_on : NULL,
					 .arg = x };
	int rc = segment_build(&b, out, e);
	free(sources);
	return rc;
}

/* --- what to merge ------------------------------------------------------------------------------------ */

/* The parts of one list that a merge takes; held. */
struct plan {
	struct live *parts;
	size_t n;
};

static void plan_release(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		segment_release(p->parts[i].segment);
		dead_release(p->parts[i].dead);
	}
	free(p->parts);
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = live_docs(a), y = live_docs(b);

	return (x > y) - (x < y);
}

static size_t links_from(const struct index *x, int idle)
{
	return idle ? x->tuning.links_rows : x->tuning.large_rows;
}

static int wants_links(const struct index *x, const struct segment *s, int idle)
{
	return x->options.dim && s->n_rows >= links_from(x, idle) && !s->links.rows;
}

static int worn(const struct live *p)
{
	return p->dead && p->dead->n >= 16 && p->dead->n > p->segment->docs / 4;
}

static size_t rows_of(const struct live *parts, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += parts[i].segment->n_rows;
	return sum;
}

/* May the first `run` parts (sorted) become one? `sum` is their documents. */
static int worth_it(const struct index *x, const struct live *parts, size_t run, size_t n, size_t sum,
		    int idle)
{
	size_t factor = idle ? 20 : 2, largest = run ? live_docs(&parts[run - 1]) : 0;

	if (run < 2 || (!idle && sum < x->tuning.merge_docs))
		return 0;
	if (run < n && live_docs(&parts[run]) <= factor * sum)
		return 0; /* better together with that one */
	return (sum - largest) * factor >= largest;
}

static int is_large(const struct index *x, const struct segment *s)
{
	return s->docs >= x->tuning.large_rows || s->n_rows >= x->tuning.large_rows;
}

/* How many of the smallest parts (sorted) are worth a merge; 0: none. */
static size_t run_of_smallest(const struct index *x, const struct live *parts, size_t n, int idle)
{
	size_t sum = 0, run = 0, small = 0;

	while (small < n && !is_large(x, parts[small].segment))
		small++;
	if (!idle && n - small < x->tuning.fan)
		n = small;
	while (run < n && rows_of(parts, run + 1) <= x->tuning.merge_rows) {
		sum += live_docs(&parts[run++]);
		if (worth_it(x, parts, run, n, sum, idle))
			return run;
	}
	return worth_it(x, parts, run, run, sum, idle) ? run : 0;
}

/* One part alone: worn, or without the graph that it should have. */
static int pick_one(const struct index *x, const struct live *parts, size_t n, int idle, struct live *out)
{
	for (size_t i = 0; i < n; i++) {
		if (parts[i].segment->n_rows > x->tuning.merge_rows)
			continue;
		if (!worn(&parts[i]) && !wants_links(x, parts[i].segment, idle))
			continue;
		*out = parts[i];
		return 1;
	}
	return 0;
}

/* Under the write lock: chooses, and says so on the segments, so that the writer lets them be. */
static int plan_make(struct index *x, const struct list *l, int idle, struct plan *out, struct error *e)
{
	struct live *parts = malloc((l->n + 1) * sizeof(*parts));

	*out = (struct plan){ 0 };
	if (!parts)
		return no_memory(e);
	memcpy(parts, l->parts, l->n * sizeof(*parts));
	qsort(parts, l->n, sizeof(*parts), by_size);
	size_t n = run_of_smallest(x, parts, l->n, idle);
	if (n == 0)
		n = (size_t)pick_one(x, parts, l->n, idle, &parts[0]);
	for (size_t i = 0; i < n; i++) {
		segment_hold(parts[i].segment)->merging = 1;
		dead_hold(parts[i].dead);
	}
	*out = (struct plan){ parts, n };
	return 0;
}

/* --- one merge ---------------------------------------------------------------------------------------- */

/* What died in a part since the merge began dies in the new segment. */
static int bury_since(struct edit *t, size_t merged, const struct live *then, const struct live *now,
		      struct error *e)
{
	const struct segment *s = then->segment;
	int rc = 0;

	if (now->dead == then->dead)
		return 0;
	for (uint32_t d = 0; rc == 0 && d < s->docs; d++) {
		if (!live_has(then, d) || live_has(now, d))
			continue;
		uint32_t doc = segment_find(t->parts[merged].segment, s->ids[d]);
		if (doc != SEGMENT_NONE && live_has(&t->parts[merged], doc))
			rc = edit_bury(t, merged, doc, e);
	}
	return rc;
}

static size_t part_of(const struct edit *t, const struct segment *s)
{
	size_t i = 0;

	while (i < t->n && t->parts[i].segment != s)
		i++;
	return i;
}

/* Puts `s` (NULL: nothing was left) in the place of the plan's parts. Takes it. Under the write lock. */
static int edit_replace(struct edit *t, const struct plan *p, struct segment *s, struct error *e)
{
	int rc = s ? edit_append(t, s, e) : 0;
	size_t merged = t->n - 1;

	for (size_t i = 0; rc == 0 && s && i < p->n; i++) {
		size_t at = part_of(t, p->parts[i].segment);
		rc = bury_since(t, merged, &p->parts[i], &t->parts[at], e);
	}
	for (size_t i = 0; rc == 0 && i < p->n; i++)
		edit_remove(t, part_of(t, p->parts[i].segment));
	return rc;
}

static int publish_list(struct index *x, enum collection c, const struct edit *t, struct error *e)
{
	struct list *lists[COLLECTIONS];

	for (int i = 0; i < COLLECTIONS; i++)
		lists[i] = i == (int)c ? list_new(t->parts, t->n) : list_hold(x->view->lists[i]);
	if (!lists[c]) {
		for (int i = 0; i < COLLECTIONS; i++)
			list_release(lists[i]);
		return no_memory(e);
	}
	struct view *v = view_new(x->view->seq, lists);
	if (!v)
		return no_memory(e);
	index_publish(x, v);
	return 0;
}

static int merge_publish(struct index *x, enum collection c, const struct plan *p, struct segment *s,
			 struct error *e)
{
	struct edit t;
	int rc;

	pthread_mutex_lock(&x->write);
	rc = edit_begin(&t, x->view->lists[c], e);
	if (rc < 0) {
		segment_release(s);
	} else {
		rc = edit_replace(&t, p, s, e);
		if (rc == 0)
			rc = publish_list(x, c, &t, e);
		edit_release(&t);
	}
	pthread_mutex_unlock(&x->write);
	return rc;
}

static void plan_end(struct index *x, struct plan *p)
{
	pthread_mutex_lock(&x->write);
	for (size_t i = 0; i < p->n; i++)
		p->parts[i].segment->merging = 0;
	pthread_mutex_unlock(&x->write);
	plan_release(p);
}

/* 1: something was merged. */
static int merge_some(struct index *x, enum collection c, int idle, struct error *e)
{
	struct segment *s = NULL;
	struct plan p;

	pthread_mutex_lock(&x->write);
	int rc = plan_make(x, x->view->lists[c], idle, &p, e);
	pthread_mutex_unlock(&x->write);
	if (rc < 0 || p.n == 0) {
		plan_release(&p);
		return rc;
	}
	index_step(x, "merge: chosen");
	const struct merge m = { .parts = p.parts, .n = p.n, .links_from = links_from(x, idle) };
	rc = merge_parts(x, c, &m, &s, e);
	index_step(x, "merge: built");
	if (rc == 0)
		rc = merge_publish(x, c, &p, s, e);
	plan_end(x, &p);
	index_step(x, "merge: published");
	return rc < 0 ? rc : 1;
}

int index_maintain(struct index *x, int idle, struct error *e)
{
	int rc = 0;

	pthread_mutex_lock(&x->upkeep);
	for (int c = 0; rc == 0 && c < COLLECTIONS && !atomic_load(&x->stop); c++)
		rc = merge_some(x, (enum collection)c, idle, e);
	pthread_mutex_unlock(&x->upkeep);
	if (rc < 0 && rc != ERR_INTERRUPTED)
		atomic_fetch_add(&x->failed_merges, 1);
	return rc;
}
