/*
 * duplicates.h: which groups of texts have near-duplicates in another one, so
 * that they are kept together (the components of a split).
 *
 * Two texts are near-duplicates when the Jaccard similarity of their sets of
 * 5-grams is .8 or more. Grams are of characters, without case, accents and
 * punctuation: support texts are short, and one changed word leaves a text of
 * ten words hardly any 5-gram of words (Leskovec, Rajaraman, Ullman: Mining of
 * Massive Datasets, 3.2.2, takes 5 characters for e-mails). A text of fewer
 * than five characters is one gram; one without letters and digits is nothing.
 * Of a long text the first 16 KiB count, without case and the rest.
 *
 * Candidates come by MinHash (Broder 1997) with 126 of its hash functions
 * (minhash.h), in 21 bands of 6 (Indyk and Motwani 1998): a pair at similarity s has an equal band
 * with probability 1 - (1 - s^6)^21, .998 at .8. (16 bands of 8 find .947
 * there.) Of a candidate pair one bit of each of 128 least hashes must agree in
 * 100 (b-bit minwise hashing: Li and König 2010); at .8 one pair in 46,000 does not. What is left is
 * compared exactly (by hashes of grams, of 32 bits). In a band where more
 * than 64 different texts meet, each is compared with the 63 before it.
 *
 * All hashes are of integers and seeded by constants: the same texts give the
 * same groups on any machine. In memory a text takes 32 bytes, 48 while they are
 * joined, and a group 4; texts and bands are in files without a name
 * (outfile.h), 84 bytes of bands a text. One thread at a time.
 */
#ifndef READBACK_DATASETS_DUPLICATES_H
#define READBACK_DATASETS_DUPLICATES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct duplicates;

/* What waits is in files without a name that are made at `path`. Errors of all: those of outfile.h. */
int duplicates_open(const char *path, struct duplicates **out, struct error *e);
void duplicates_free(struct duplicates *d); /* NULL is fine */

/* A text (valid UTF-8, copied) of a group; groups are numbered from 0 without large gaps, below 2^31. At most 2^32 - 1 texts. */
int duplicates_add(struct duplicates *d, const char *s, size_t n, uint32_t group, struct error *e);

/* Joins the groups of near-duplicates; once, behind the last text. */
int duplicates_join(struct duplicates *d, struct error *e);

/* The least of the groups that `group` was joined with; itself if there are none. */
uint32_t duplicates_group(struct duplicates *d, uint32_t group);

struct duplicates_counts {
	uint64_t texts;    /* that have a gram */
	uint64_t same;     /* of them equal to an earlier one, but for case, accents and punctuation */
	uint64_t compared; /* pairs, exactly */
	uint64_t joined;   /* how many groups there are fewer */
};
struct duplicates_counts duplicates_counts(const struct duplicates *d);

#endif
