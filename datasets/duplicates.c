#include "datasets/duplicates.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/outfile.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "datasets/minhash.h"
#include "text/fold.h"

#define GRAM 5 /* characters */
#define MOST_BYTES 16384
#define BANDS 21
#define ROWS 6
#define WINDOW 64
#define SKETCH_LEAST 100 /* equal bits of 128; at .8 they are 115.2 ± 3.4, at .4 89.6 ± 5.2 */
#define BLOCK 1024       /* texts whose bands wait together */

/* A bit of each least hash: two sets have the same one with a probability of (1 + similarity) / 2. */
struct sketch {
	uint64_t bits[MINHASH_HASHES / 64];
};

struct kept_text {
	uint64_t at; /* in the spool; it ends where the next begins */
	struct sketch sketch;
	uint32_t hash; /* of the normalised text */
	uint32_t group : 31;
	uint32_t same : 1; /* as an earlier one, with which it was joined: takes no further part */
};

/* The different grams of a text, ascending. */
struct gram_set {
	uint32_t *grams;
	size_t n, cap;
	uint32_t text;
	int loaded;
};

struct duplicates {
	struct outfile *spool; /* the normalised texts */
	struct outfile *bands; /* blocks, band behind band: one is read without the others */
	uint32_t block[BANDS][BLOCK];
	struct kept_text *texts;
	size_t n, cap;
	uint32_t *parent; /* of groups: a forest, the least is the root */
	size_t groups, groups_cap;
	struct strbuf folded, plain;
	uint32_t *grams, *room; /* of one text */
	size_t grams_cap, room_cap;
	struct minhash minhash;
	struct gram_set window[WINDOW];
	struct duplicates_counts counts;
};

/* Steele, Lea, Flood 2014: SplitMix64. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

int duplicates_open(const char *path, struct duplicates **out, struct error *e)
{
	struct duplicates *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return no_memory(e);
	/* The first has lost its name when the second is made. */
	if ((rc = outfile_open(path, OUTFILE_SPOOL, &d->spool, e)) < 0 ||
	    (rc = outfile_open(path, OUTFILE_SPOOL, &d->bands, e)) < 0) {
		duplicates_free(d);
		return rc;
	}
	for (size_t i = 0; i < MINHASH_HASHES; i++) {
		d->minhash.mul[i] = (uint32_t)mix(2 * i) | 1;
		d->minhash.add[i] = (uint32_t)mix(2 * i + 1);
	}
	*out = d;
	return 0;
}

void duplicates_free(struct duplicates *d)
{
	if (!d)
		return;
	outfile_drop(d->spool);
	outfile_drop(d->bands);
	strbuf_release(&d->folded);
	strbuf_release(&d->plain);
	free(d->texts);
	free(d->parent);
	free(d->grams);
	free(d->room);
	for (size_t i = 0; i < WINDOW; i++)
		free(d->window[i].grams);
	free(d);
}

struct duplicates_counts duplicates_counts(const struct duplicates *d)
{
	return d->counts;
}

/* --- groups ------------------------------------------------------------------------------------------------- */

static int add_group(struct duplicates *d, uint32_t group)
{
	while (d->groups <= group) {
		if (GROW(d->parent, d->groups, d->groups_cap) < 0)
			return -1;
		d->parent[d->groups] = (uint32_t)d->groups;
		d->groups++;
	}
	return 0;
}

uint32_t duplicates_group(struct duplicates *d, uint32_t group)
{
	if (group >= d->groups)
		return group;
	while (d->parent[group] != group) {
		d->parent[group] = d->parent[d->parent[group]];
		group = d->parent[group];
	}
	return group;
}

static int together(struct duplicates *d, uint32_t a, uint32_t b)
{
	return duplicates_group(d, d->texts[a].group) == duplicates_group(d, d->texts[b].group);
}

static void join(struct duplicates *d, uint32_t a, uint32_t b)
{
	uint32_t x = duplicates_group(d, d->texts[a].group), y = duplicates_group(d, d->texts[b].group);

	if (x == y)
		return;
	d->parent[x > y ? x : y] = x > y ? y : x;
	d->counts.joined++;
}

/* --- texts -------------------------------------------------------------------------------------------------- */

/* d->plain: without case and accents, and one space for all that is no letter or digit. */
static void normalise(struct duplicates *d, const char *s, size_t n)
{
	int gap = 0;
	uint32_t c;

	strbuf_clear(&d->folded);
	strbuf_clear(&d->plain);
	if (n > 2 * MOST_BYTES)
		n = utf8_floor(s, n, 2 * MOST_BYTES);
	fold_text(s, n, &d->folded);
	for (size_t i = 0; i < d->folded.n && d->plain.n + 4 < MOST_BYTES;) {
		const char *at = d->folded.p + i;
		size_t len = utf8_next(at, d->folded.n - i, &c);
		i += len;
		if (!fold_is_letter(c) && !fold_is_digit(c) && !fold_is_mark(c)) {
			gap = d->plain.n > 0;
			continue;
		}
		if (gap)
			strbuf_putc(&d->plain, ' ');
		gap = 0;
		strbuf_add(&d->plain, at, len);
	}
}

/* The hashes of all grams in order into *grams, which has room for n of them. Returns how many. */
static size_t read_grams(const char *s, size_t n, uint32_t *grams)
{
	uint32_t c[GRAM] = { 0 };
	size_t chars = 0, count = 0;

	for (size_t i = 0; i < n; chars++) {
		memmove(c, c + 1, (GRAM - 1) * sizeof(*c));
		i += utf8_next(s + i, n - i, &c[GRAM - 1]);
		if (chars + 1 < GRAM && i < n)
			continue;
		/* A character has 21 bits. */
		uint64_t first = c[0] | (uint64_t)c[1] << 21 | (uint64_t)c[2] << 42;
		grams[count++] = (uint32_t)(mix(mix(first) ^ (c[3] | (uint64_t)c[4] << 21)) >> 32);
	}
	return count;
}

/* Of the text that comes next. */
static void add_bands(struct duplicates *d, const uint32_t least[MINHASH_HASHES])
{
	size_t at = d->n % BLOCK;

	for (size_t b = 0; b < BANDS; b++) {
		uint64_t hash = b;
		for (size_t r = 0; r < ROWS; r++)
			hash = mix(hash ^ least[b * ROWS + r]);
		d->block[b][at] = (uint32_t)(hash >> 32);
	}
	if (at == BLOCK - 1)
		outfile_add(d->bands, d->block, sizeof(d->block));
}

static struct sketch sketch_of(const uint32_t least[MINHASH_HASHES])
{
	struct sketch s = { { 0 } };

	for (size_t i = 0; i < MINHASH_HASHES; i++)
		s.bits[i / 64] |= (uint64_t)(least[i] * 0x9e3779b1u >> 31) << i % 64;
	return s;
}

static int make_room(struct duplicates *d, uint32_t group)
{
	if (d->folded.failed || d->plain.failed || add_group(d, group) < 0)
		return -1;
	if (GROW(d->grams, d->plain.n, d->grams_cap) < 0 || GROW(d->room, d->plain.n, d->room_cap) < 0)
		return -1;
	return GROW(d->texts, d->n, d->cap);
}

int duplicates_add(struct duplicates *d, const char *s, size_t n, uint32_t group, struct error *e)
{
	uint32_t least[MINHASH_HASHES];

	normalise(d, s, n);
	if (make_room(d, group) < 0)
		return no_memory(e);
	if (d->plain.n == 0)
		return 0;
	minhash(&d->minhash, d->grams, read_grams(d->plain.p, d->plain.n, d->grams), least);
	add_bands(d, least);
	uint64_t hash = d->plain.n;
	for (size_t i = 0; i < d->plain.n; i++)
		hash = mix(hash ^ (unsigned char)d->plain.p[i]);
	d->texts[d->n++] = (struct kept_text){ .at = outfile_bytes(d->spool),
					       .sketch = sketch_of(least),
					       .hash = (uint32_t)(hash >> 32),
					       .group = group };
	d->counts.texts++;
	outfile_add(d->spool, d->plain.p, d->plain.n);
	return 0;
}

/* --- pairs -------------------------------------------------------------------------------------------------- */

/* Ascending, by bytes from the last to the first. */
static void sort_grams(uint32_t *grams, uint32_t *room, size_t n)
{
	for (int shift = 0; shift < 32; shift += 8) {
		size_t start[257] = { 0 };
		for (size_t i = 0; i < n; i++)
			start[(grams[i] >> shift & 255) + 1]++;
		for (int b = 0; b < 256; b++)
			start[b + 1] += start[b];
		for (size_t i = 0; i < n; i++)
			room[start[grams[i] >> shift & 255]++] = grams[i];
		memcpy(grams, room, n * sizeof(*grams));
	}
}

static int load_set(struct duplicates *d, uint32_t text, struct gram_set *set, struct error *e)
{
	uint64_t at = d->texts[text].at,
		 end = text + 1 < d->n ? d->texts[text + 1].at : outfile_bytes(d->spool);
	char s[MOST_BYTES];
	size_t n = (size_t)(end - at), count;

	int rc = outfile_read(d->spool, at, s, n, e);

	if (rc < 0)
		return rc;
	if (GROW(set->grams, n, set->cap) < 0)
		return no_memory(e);
	count = read_grams(s, n, set->grams);
	sort_grams(set->grams, d->room, count);
	set->n = 0;
	for (size_t i = 0; i < count; i++)
		if (i == 0 || set->grams[i] != set->grams[i - 1])
			set->grams[set->n++] = set->grams[i];
	set->text = text;
	set->loaded = 1;
	return 0;
}

/* Might they be near? Of pairs that are .8 similar one in 46,000 is missed. */
static int may_be_near(const struct sketch *a, const struct sketch *b)
{
	int equal = MINHASH_HASHES;

	for (size_t i = 0; i < MINHASH_HASHES / 64; i++)
		equal -= __builtin_popcountll(a->bits[i] ^ b->bits[i]);
	return equal >= SKETCH_LEAST;
}

/* Four fifths of what both have together are in both: given up where too many are in one of them alone. */
static int is_near(const struct gram_set *a, const struct gram_set *b)
{
	size_t least = (4 * (a->n + b->n) + 8) / 9, both = 0, i = 0, j = 0;

	if (a->n < least || b->n < least)
		return 0;
	/* i - both of a's are alone so far, and as many may be as still leave `least` of them. */
	while (i < a->n && j < b->n && i - both <= a->n - least && j - both <= b->n - least) {
		uint32_t x = a->grams[i], y = b->grams[j];
		both += x == y;
		i += x <= y;
		j += y <= x;
	}
	return both >= least;
}

/* The set of the i-th text of a bucket: in the window those of the last texts stay. */
static int set_in_window(struct duplicates *d, const uint64_t *bucket, size_t i, const struct gram_set **out,
			 struct error *e)
{
	struct gram_set *set = &d->window[i % WINDOW];
	uint32_t text = (uint32_t)bucket[i];

	*out = set;
	return set->loaded && set->text == text ? 0 : load_set(d, text, set, e);
}

static int join_near(struct duplicates *d, uint64_t *bucket, size_t n, struct error *e)
{
	const struct gram_set *a, *b;
	int rc;

	for (size_t j = 1; j < n; j++)
		for (size_t i = j < WINDOW ? 0 : j - WINDOW + 1; i < j; i++) {
			if (!may_be_near(&d->texts[(uint32_t)bucket[i]].sketch,
					 &d->texts[(uint32_t)bucket[j]].sketch) ||
			    together(d, (uint32_t)bucket[i], (uint32_t)bucket[j]))
				continue;
			if ((rc = set_in_window(d, bucket, i, &a, e)) < 0 ||
			    (rc = set_in_window(d, bucket, j, &b, e)) < 0)
				return rc;
			d->counts.compared++;
			if (is_near(a, b))
				join(d, (uint32_t)bucket[i], (uint32_t)bucket[j]);
		}
	return 0;
}

/* Other texts than equal ones are so by chance only, and only where they are near anyway. */
static int is_same(const struct kept_text *a, const struct kept_text *b)
{
	return a->hash == b->hash && memcmp(&a->sketch, &b->sketch, sizeof(a->sketch)) == 0;
}

/* Those that are equal to an earlier one are joined with it and take no further part. */
static int join_same(struct duplicates *d, uint64_t *bucket, size_t n, struct error *e)
{
	(void)e;
	for (size_t j = 1; j < n; j++) {
		struct kept_text *text = &d->texts[(uint32_t)bucket[j]];
		for (size_t i = 0; i < j && !text->same; i++) {
			const struct kept_text *earlier = &d->texts[(uint32_t)bucket[i]];
			text->same = !earlier->same && is_same(earlier, text);
			if (text->same)
				join(d, (uint32_t)bucket[i], (uint32_t)bucket[j]);
		}
		d->counts.same += text->same != 0;
	}
	return 0;
}

/* --- buckets ------------------------------------------------------------------------------------------------ */

/* Ascending by the upper half, otherwise in the order they are in. `room` is as large. */
static void sort_upper(uint64_t *keys, uint64_t *room, size_t n)
{
	for (int shift = 32; shift < 64; shift += 8) {
		size_t start[257] = { 0 };
		for (size_t i = 0; i < n; i++)
			start[(keys[i] >> shift & 255) + 1]++;
		for (int b = 0; b < 256; b++)
			start[b + 1] += start[b];
		for (size_t i = 0; i < n; i++)
			room[start[keys[i] >> shift & 255]++] = keys[i];
		memcpy(keys, room, n * sizeof(*keys));
	}
}

/* Each run of keys with one upper half and more than one text. */
static int each_bucket(struct duplicates *d, uint64_t *keys, size_t n,
		       int (*each)(struct duplicates *d, uint64_t *bucket, size_t n, struct error *e),
		       struct error *e)
{
	size_t end;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i = end) {
		for (end = i + 1; end < n && keys[end] >> 32 == keys[i] >> 32;)
			end++;
		if (end - i > 1)
			rc = each(d, keys + i, end - i, e);
	}
	return rc;
}

/* The keys of one band, of all texts that are not the same as an earlier one. */
static int read_band(struct duplicates *d, size_t band, uint64_t *keys, size_t *n, struct error *e)
{
	uint32_t *some = d->block[0]; /* all blocks are in the file */
	int rc = 0;

	*n = 0;
	for (size_t i = 0; rc == 0 && i < d->n; i++) {
		if (i % BLOCK == 0)
			rc = outfile_read(d->bands, (i / BLOCK * BANDS + band) * sizeof(d->block[0]), some,
					  sizeof(d->block[0]), e);
		if (rc == 0 && !d->texts[i].same)
			keys[(*n)++] = (uint64_t)some[i % BLOCK] << 32 | i;
	}
	return rc;
}

/* `keys` and `room` have room for all texts. */
static int join_all(struct duplicates *d, uint64_t *keys, uint64_t *room, struct error *e)
{
	size_t n;
	int rc;

	if (d->n % BLOCK)
		outfile_add(d->bands, d->block, sizeof(d->block));
	for (size_t i = 0; i < d->n; i++)
		keys[i] = (uint64_t)d->texts[i].hash << 32 | i;
	sort_upper(keys, room, d->n);
	rc = each_bucket(d, keys, d->n, join_same, e);
	for (size_t b = 0; rc == 0 && b < BANDS; b++) {
		if ((rc = read_band(d, b, keys, &n, e)) < 0)
			break;
		sort_upper(keys, room, n);
		rc = each_bucket(d, keys, n, join_near, e);
	}
	return rc;
}

int duplicates_join(struct duplicates *d, struct error *e)
{
	uint64_t *keys = malloc((d->n + 1) * sizeof(*keys)), *room = malloc((d->n + 1) * sizeof(*room));
	int rc = keys && room ? 0 : no_memory(e);

	if (rc == 0)
		rc = join_all(d, keys, room, e);
	free(keys);
	free(room);
	return rc;
}
