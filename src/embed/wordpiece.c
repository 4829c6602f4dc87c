#include "embed/wordpiece.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/utf8.h"
#include "embed/kind.h"
#include "text/fold.h"

#define WORD_CHARS 100
#define WORD_BYTES (WORD_CHARS * 4)
#define PIECE_BYTES 64 /* a vocabulary with longer tokens is refused */

struct slot {
	uint32_t hash;
	uint32_t id; /* plus 1; 0: free */
};

struct piece {
	const char *s; /* in text; without the "##" of a continuation */
	uint8_t n, inner;
};

/* Pieces are found by the FNV-1a hash of their bytes, which grows with a prefix; inner ones start from another seed. */
struct wordpiece {
	char *text; /* the file */
	struct piece *pieces;
	struct slot *slots;
	uint32_t mask;
	size_t longest; /* bytes of the longest piece */
	uint32_t unk, cls, sep;
};

/* One pass over a text: the word at hand, and where its ids go. */
struct walk {
	const struct wordpiece *w;
	uint32_t *ids; /* NULL: only count */
	size_t n, max;
	size_t bytes, chars; /* of the word; over WORD_CHARS its bytes are no longer kept */
	char word[WORD_BYTES];
};

static uint32_t hash_start(int inner)
{
	return inner ? 0x9747b28cu : 0x811c9dc5u;
}

static uint32_t hash_add(uint32_t h, char c)
{
	return (h ^ (unsigned char)c) * 0x01000193u;
}

static uint32_t hash_piece(const struct piece *p)
{
	uint32_t h = hash_start(p->inner);

	for (size_t i = 0; i < p->n; i++)
		h = hash_add(h, p->s[i]);
	return h;
}

/* The slot of the piece, or the free one where it belongs. */
static struct slot *find_slot(const struct wordpiece *w, const char *s, size_t n, int inner, uint32_t hash)
{
	/* FNV's low bits are its worst: mix the high ones in. */
	for (uint32_t i = (hash ^ hash >> 15) & w->mask;; i = (i + 1) & w->mask) {
		struct slot *slot = &w->slots[i];
		const struct piece *p;

		if (!slot->id)
			return slot;
		if (slot->hash != hash)
			continue;
		p = &w->pieces[slot->id - 1];
		if (p->n == n && p->inner == inner && memcmp(p->s, s, n) == 0)
			return slot;
	}
}

/* The next line of a file of n bytes, without its line end; 0 at the end. */
static int next_line(const char **at, const char *end, const char **line, size_t *n)
{
	const char *nl;

	if (*at == end)
		return 0;
	nl = memchr(*at, '\n', (size_t)(end - *at));
	*line = *at;
	*n = (size_t)((nl ? nl : end) - *at);
	if (*n && (*line)[*n - 1] == '\r')
		--*n;
	*at = nl ? nl + 1 : end;
	return 1;
}

static int add_piece(struct wordpiece *w, const char *path, uint32_t id, const char *s, size_t n,
		     struct error *e)
{
	int inner = n > 2 && s[0] == '#' && s[1] == '#';
	struct piece *p = &w->pieces[id];
	struct slot *slot;
	uint32_t hash;

	if (n == 0 || n > PIECE_BYTES || utf8_valid(s, n) != n)
		return error_set(e, ERR_MODEL, NULL, "%.200s: line %u is no token", path, id + 1);
	*p = (struct piece){ s + 2 * inner, (uint8_t)(n - 2 * (size_t)inner), (uint8_t)inner };
	hash = hash_piece(p);
	slot = find_slot(w, p->s, p->n, inner, hash);
	if (slot->id)
		return error_set(e, ERR_MODEL, NULL, "%.200s: line %u repeats a token", path, id + 1);
	*slot = (struct slot){ hash, id + 1 };
	if (p->n > w->longest)
		w->longest = p->n;
	return 0;
}

static int read_pieces(struct wordpiece *w, const char *path, size_t bytes, size_t size, struct error *e)
{
	const char *at = w->text, *end = w->text + bytes, *line;
	size_t n, lines = 0;
	int rc;

	for (; next_line(&at, end, &line, &n); lines++)
		if (lines < size && (rc = add_piece(w, path, (uint32_t)lines, line, n, e)) < 0)
			return rc;
	if (lines != size)
		return error_set(e, ERR_MODEL, NULL, "%.200s: %zu tokens where the weights have %zu", path,
				 lines, size);
	return 0;
}

static int find_special(const struct wordpiece *w, const char *path, const char *name, uint32_t *id,
			struct error *e)
{
	struct piece p = { name, (uint8_t)strlen(name), 0 };
	const struct slot *slot = find_slot(w, p.s, p.n, 0, hash_piece(&p));

	if (!slot->id)
		return error_set(e, ERR_MODEL, NULL, "%.200s: the token %s is missing", path, name);
	*id = slot->id - 1;
	return 0;
}

int wordpiece_open(const char *path, size_t size, struct wordpiece **out, struct error *e)
{
	struct wordpiece *w = calloc(1, sizeof(*w));
	size_t bytes, slots = 64;
	int rc;

	while (slots < 4 * size)
		slots *= 2;
	if (!w || !(w->pieces = calloc(size, sizeof(*w->pieces))) ||
	    !(w->slots = calloc(slots, sizeof(*w->slots)))) {
		rc = no_memory(e);
		goto out;
	}
	w->mask = (uint32_t)slots - 1;
	if ((rc = file_read(path, &w->text, &bytes, e)) < 0) {
		rc = model_error(e, rc);
		goto out;
	}
	if ((rc = read_pieces(w, path, bytes, size, e)) < 0 ||
	    (rc = find_special(w, path, "[UNK]", &w->unk, e)) < 0 ||
	    (rc = find_special(w, path, "[CLS]", &w->cls, e)) < 0 ||
	    (rc = find_special(w, path, "[SEP]", &w->sep, e)) < 0)
		goto out;
	*out = w;
	w = NULL;
out:
	wordpiece_close(w);
	return rc;
}

void wordpiece_close(struct wordpiece *w)
{
	if (!w)
		return;
	free(w->text);
	free(w->pieces);
	free(w->slots);
	free(w);
}

uint32_t wordpiece_cls(const struct wordpiece *w)
{
	return w->cls;
}

uint32_t wordpiece_sep(const struct wordpiece *w)
{
	return w->sep;
}

/* The longest piece that begins s; its length, or 0. One pass hashes all prefixes. */
static size_t longest_piece(const struct wordpiece *w, const char *s, size_t n, int inner, uint32_t *id)
{
	uint32_t hashes[PIECE_BYTES], h = hash_start(inner);
	size_t len = n < w->longest ? n : w->longest;

	for (size_t i = 0; i < len; i++)
		hashes[i] = h = hash_add(h, s[i]);
	for (; len; len--) {
		const struct slot *slot = find_slot(w, s, len, inner, hashes[len - 1]);
		if (slot->id) {
			*id = slot->id - 1;
			return len;
		}
	}
	return 0;
}

/* Ids of one word, at most WORD_CHARS of them, since a piece has a character at least. */
static size_t cut_word(const struct wordpiece *w, const char *s, size_t n, uint32_t ids[WORD_CHARS])
{
	size_t count = 0;

	for (size_t at = 0; at < n;) {
		size_t len = longest_piece(w, s + at, n - at, at > 0, &ids[count]);
		if (!len) {
			ids[0] = w->unk;
			return 1;
		}
		at += len;
		count++;
	}
	return count;
}

static void end_word(struct walk *k)
{
	uint32_t ids[WORD_CHARS];
	size_t n = 1;

	if (!k->chars)
		return;
	if (k->chars > WORD_CHARS)
		ids[0] = k->w->unk;
	else
		n = cut_word(k->w, k->word, k->bytes, ids);
	k->bytes = k->chars = 0;
	if (n > k->max - k->n)
		n = k->max - k->n;
	if (k->ids)
		memcpy(k->ids + k->n, ids, n * sizeof(*ids));
	k->n += n;
}

static void add_char(struct walk *k, uint32_t c)
{
	if (++k->chars <= WORD_CHARS)
		k->bytes += utf8_put(c, k->word + k->bytes);
}

static void add_alone(struct walk *k, uint32_t c)
{
	end_word(k);
	add_char(k, c);
	end_word(k);
}

static void walk_ascii(struct walk *k, unsigned char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
		if (++k->chars <= WORD_CHARS)
			k->word[k->bytes++] = (char)c;
	} else if (c >= 'A' && c <= 'Z') {
		if (++k->chars <= WORD_CHARS)
			k->word[k->bytes++] = (char)(c + 32);
	} else if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
		end_word(k);
	} else if (c > ' ' && c < 0x7f) {
		add_alone(k, c); /* "$", "+" and the like are punctuation to BERT */
	}
}

static void walk_other(struct walk *k, uint32_t c)
{
	uint32_t parts[FOLD_MAX];
	size_t n;

	if (c == 0xfffd || fold_is_control(c))
		return;
	if (fold_is_space(c)) {
		end_word(k);
		return;
	}
	n = fold_plain(c, parts);
	for (size_t i = 0; i < n; i++) {
		/* The class counts after folding: the Greek question mark becomes ";". */
		if (parts[i] < 0x80)
			walk_ascii(k, (unsigned char)parts[i]);
		else if (fold_is_ideograph(c) || fold_is_punctuation(parts[i]))
			add_alone(k, parts[i]);
		else
			add_char(k, parts[i]);
	}
}

static size_t walk_text(struct walk *k, const char *s, size_t n)
{
	uint32_t c;

	for (size_t i = 0; i < n && k->n < k->max;) {
		if ((unsigned char)s[i] < 0x80) {
			walk_ascii(k, (unsigned char)s[i++]);
		} else {
			i += utf8_next(s + i, n - i, &c);
			walk_other(k, c);
		}
	}
	end_word(k);
	return k->n;
}

size_t wordpiece_encode(const struct wordpiece *w, const char *s, size_t n, uint32_t *ids, size_t max)
{
	struct walk k = { .w = w, .ids = ids, .max = max };

	return walk_text(&k, s, n);
}

size_t wordpiece_count(const struct wordpiece *w, const char *s, size_t n)
{
	struct walk k = { .w = w, .max = SIZE_MAX };

	return walk_text(&k, s, n);
}
