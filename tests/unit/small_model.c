#include "unit/small_model.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/strbuf.h"

#define HIDDEN 384
#define LAYERS 6
#define VOCABULARY 30522

/* The header as it grows, and where the next tensor's data will be. */
struct draft {
	const struct small_model *m;
	struct strbuf json;
	size_t offset;
};

static int is_changed(const struct draft *d, const char *name)
{
	return d->m->tensor && strcmp(d->m->tensor, name) == 0;
}

static void add_tensor(struct draft *d, const char *name, size_t rows, size_t columns)
{
	const struct small_model *m = d->m;
	size_t end = d->offset + (rows ? rows : 1) * columns * sizeof(float);
	int changed = is_changed(d, name);

	strbuf_printf(&d->json, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":", d->json.n > 1 ? "," : "",
		      changed && m->name ? m->name : name, changed && m->dtype ? m->dtype : "F32");
	if (changed && m->shape)
		strbuf_puts(&d->json, m->shape);
	else if (rows)
		strbuf_printf(&d->json, "[%zu,%zu]", rows, columns);
	else
		strbuf_printf(&d->json, "[%zu]", columns);
	if (changed && m->offsets)
		strbuf_printf(&d->json, ",\"data_offsets\":%s}", m->offsets);
	else
		strbuf_printf(&d->json, ",\"data_offsets\":[%zu,%zu]}", d->offset, end);
	d->offset = end;
}

/* A linear layer or a normalisation (rows 0). */
static void add_pair(struct draft *d, const char *prefix, const char *what, size_t rows, size_t columns)
{
	char name[128];

	snprintf(name, sizeof(name), "%s%s.weight", prefix, what);
	add_tensor(d, name, rows, columns);
	snprintf(name, sizeof(name), "%s%s.bias", prefix, what);
	add_tensor(d, name, 0, rows ? rows : columns);
}

static void add_tensors(struct draft *d)
{
	strbuf_puts(&d->json, "{");
	add_tensor(d, "embeddings.word_embeddings.weight", VOCABULARY, HIDDEN);
	add_tensor(d, "embeddings.position_embeddings.weight", 512, HIDDEN);
	add_tensor(d, "embeddings.token_type_embeddings.weight", 2, HIDDEN);
	add_pair(d, "embeddings.", "LayerNorm", 0, HIDDEN);
	for (int i = 0; i < LAYERS; i++) {
		char prefix[64];
		snprintf(prefix, sizeof(prefix), "encoder.layer.%d.", i);
		add_pair(d, prefix, "attention.self.query", HIDDEN, HIDDEN);
		add_pair(d, prefix, "attention.self.key", HIDDEN, HIDDEN);
		add_pair(d, prefix, "attention.self.value", HIDDEN, HIDDEN);
		add_pair(d, prefix, "attention.output.dense", HIDDEN, HIDDEN);
		add_pair(d, prefix, "attention.output.LayerNorm", 0, HIDDEN);
		add_pair(d, prefix, "intermediate.dense", 4 * HIDDEN, HIDDEN);
		add_pair(d, prefix, "output.dense", HIDDEN, 4 * HIDDEN);
		add_pair(d, prefix, "output.LayerNorm", 0, HIDDEN);
	}
	add_tensor(d, "pooler.dense.weight", HIDDEN, HIDDEN);
	strbuf_puts(&d->json, "}");
	while (d->json.n % 8)
		strbuf_putc(&d->json, ' ');
	assert_false(d->json.failed);
}

/* Numbers of about the size of real weights, by xorshift. */
static void fill(float *x, size_t n)
{
	uint32_t r = 2463534242u;

	for (size_t i = 0; i < n; i++) {
		r ^= r << 13;
		r ^= r >> 17;
		r ^= r << 5;
		x[i] = ((float)(r & 0xffff) / 65536.f - 0.5f) * 0.3f;
	}
}

static void write_weights(const struct small_model *m, const char *folder)
{
	struct draft d = { .m = m };
	char path[SMALL_MODEL_PATH + 32];
	uint64_t header;
	size_t size, json;
	int fd;
	char *p;

	add_tensors(&d);
	if (m->header) {
		strbuf_clear(&d.json);
		strbuf_puts(&d.json, m->header);
	}
	json = d.json.n;
	header = m->header_size ? m->header_size : json;
	size = sizeof(header) + json + d.offset;
	snprintf(path, sizeof(path), "%s/model.safetensors", folder);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	memcpy(p, &header, sizeof(header));
	memcpy(p + sizeof(header), d.json.p, json);
	if (!m->empty_weights)
		fill((float *)(void *)(p + sizeof(header) + json), d.offset / sizeof(float));
	munmap(p, size);
	assert_int_equal(ftruncate(fd, (off_t)(m->keep ? m->keep : size - m->cut)), 0);
	close(fd);
	strbuf_release(&d.json);
}

/* Special tokens, letters and digits alone and within a word, punctuation, then made-up words. */
static void write_token(FILE *f, size_t i)
{
	static const char *const special[] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]" };
	static const char alone[] = "abcdefghijklmnopqrstuvwxyz0123456789!?.,:;-#[]";

	if (i < 5)
		fputs(special[i], f);
	else if (i < 5 + 46)
		fputc(alone[i - 5], f);
	else if (i < 5 + 46 + 36)
		fprintf(f, "##%c", alone[i - 51]);
	else
		fprintf(f, "w%zu", i);
}

static void write_vocabulary(const struct small_model *m, const char *folder)
{
	char path[SMALL_MODEL_PATH + 32];
	FILE *f;

	snprintf(path, sizeof(path), "%s/vocab.txt", folder);
	assert_non_null(f = fopen(path, "w"));
	for (size_t i = 0; i < (m->tokens ? m->tokens : VOCABULARY); i++) {
		if (i == 3 && m->no_token && strcmp(m->no_token, "[SEP]") == 0)
			fputs("[sep]", f);
		else
			write_token(f, i);
		fputc('\n', f);
	}
	assert_int_equal(fclose(f), 0);
}

void small_model_make(const struct small_model *m, char folder[SMALL_MODEL_PATH])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, SMALL_MODEL_PATH, "%s/readback-model-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(folder));
	write_weights(m, folder);
	write_vocabulary(m, folder);
}

void small_model_remove(const char *folder)
{
	char path[SMALL_MODEL_PATH + 32];

	snprintf(path, sizeof(path), "%s/model.safetensors", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/vocab.txt", folder);
	unlink(path);
	rmdir(folder);
}
