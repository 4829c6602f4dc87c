#include "learn/packed.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static const char MAGIC[16] = "readback model\n";

#define LENGTHS (PACKED_PARTS + 2) /* how many parts, and the bytes of the head and of each */
#define ALIGN 64

static size_t padding(size_t n)
{
	return (ALIGN - n % ALIGN) % ALIGN;
}

/* MAGIC, the lengths, the head, the parts; each of the last two padded. */
int packed_write(const char *path, const struct packed *p, char hash[SHA256_TEXT], size_t *size,
		 struct error *e)
{
	static const char zeros[ALIGN];
	uint64_t lengths[LENGTHS] = { 0 };
	struct file_part parts[2 * LENGTHS];
	struct sha256 s;
	size_t n = 0, head_n, all = 0;
	/* All digits: what is read is what was written. */
	char *head = json_dumps(p->head, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));

	if (!head)
		return no_memory(e);
	head_n = strlen(head);
	parts[n++] = (struct file_part){ MAGIC, sizeof(MAGIC) };
	parts[n++] = (struct file_part){ lengths, sizeof(lengths) };
	lengths[0] = p->n;
	for (size_t i = 0; i <= p->n; i++) {
		struct file_part x = i ? p->parts[i - 1] : (struct file_part){ head, head_n };
		lengths[1 + i] = x.n;
		parts[n++] = x;
		all += x.n;
		parts[n++] = (struct file_part){ zeros, padding(sizeof(MAGIC) + sizeof(lengths) + all) };
		all += parts[n - 1].n;
	}
	sha256_init(&s);
	for (size_t i = 0; i < n; i++)
		sha256_add(&s, parts[i].p, parts[i].n);
	sha256_end_text(&s, hash);
	*size = sizeof(MAGIC) + sizeof(lengths) + all;
	int rc = file_write_parts(path, parts, n, e);
	free(head);
	return rc;
}

static int corrupt(const char *path, struct error *e)
{
	return error_set(e, ERR_CORRUPT, NULL, "%s is not the model that it was", path);
}

/* The bytes are those that were written, as their hash says; so only what another version may have written is checked. */
static int take_apart(const char *path, const char *bytes, size_t n, struct arena *a, struct packed *out,
		      struct error *e)
{
	uint64_t lengths[LENGTHS];
	size_t at = sizeof(MAGIC) + sizeof(lengths);
	struct packed p = { 0 };
	json_t *head = NULL;

	if (n < at || memcmp(bytes, MAGIC, sizeof(MAGIC)) != 0)
		return corrupt(path, e);
	memcpy(lengths, bytes + sizeof(MAGIC), sizeof(lengths));
	if (lengths[0] > PACKED_PARTS)
		return corrupt(path, e);
	for (size_t i = 0; i <= lengths[0]; i++) {
		size_t bytes_n = lengths[1 + i];
		if (at > n || bytes_n > n - at) {
			json_decref(head);
			return corrupt(path, e);
		}
		if (i == 0 && json_parse(bytes + at, bytes_n, e, &head) < 0)
			return corrupt(path, e);
		if (i > 0)
			p.parts[p.n++] = (struct file_part){ bytes + at, bytes_n };
		at += bytes_n + padding(at + bytes_n);
	}
	p.head = json_keep(a, head);
	if (!p.head)
		return no_memory(e);
	*out = p;
	return 0;
}

int packed_read(const char *path, const char *hash, struct arena *a, struct packed *out, struct error *e)
{
	char found[SHA256_TEXT];
	char *bytes;
	size_t n;
	int rc = file_read_aligned(path, ALIGN, &bytes, &n, e);

	if (rc < 0)
		return rc;
	if (arena_defer(a, free, bytes) < 0) {
		free(bytes);
		return no_memory(e);
	}
	crypto_sha256_text(bytes, n, found);
	if (strcmp(found, hash) != 0)
		return corrupt(path, e);
	return take_apart(path, bytes, n, a, out, e);
}

int packed_part(const struct packed *p, size_t i, size_t bytes, const void **out, struct error *e)
{
	if (i >= p->n || p->parts[i].n != bytes)
		return error_set(e, ERR_CORRUPT, NULL, "a part of the model is missing or short");
	*out = p->parts[i].p;
	return 0;
}
