#include "embed/safetensors.h"

#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/file.h"
#include "base/json.h"
#include "embed/kind.h"

#define PREFIX 8
#define HEADER_MAX (16u << 20) /* MiniLM's is 11 KB */

struct safetensors {
	char *path;
	const unsigned char *file;
	size_t size;
	const unsigned char *data;
	size_t data_size;
	json_t *header;
};

static int bad(const struct safetensors *t, struct error *e, const char *what, const char *name)
{
	return error_set(e, ERR_MODEL, NULL, "%.200s: %s%s%.60s", t->path, what, *name ? ": " : "", name);
}

/* An integer of an array that is fit to be a size; -1 if there is none. */
static int64_t size_at(const json_t *array, size_t i)
{
	const json_t *v = json_array_get(array, i);

	return json_is_integer(v) && json_integer_value(v) >= 0 ? (int64_t)json_integer_value(v) : -1;
}

static int check_offsets(const struct safetensors *t, const char *name, const json_t *tensor, struct error *e)
{
	const json_t *offsets = json_object_get(tensor, "data_offsets");
	int64_t begin = size_at(offsets, 0), end = size_at(offsets, 1);

	if (json_array_size(offsets) != 2 || begin < 0 || end < begin)
		return bad(t, e, "a tensor without valid offsets", name);
	if ((uint64_t)end > t->data_size)
		return bad(t, e, "the file ends before a tensor does; fetch it anew", name);
	return 0;
}

static int read_header(struct safetensors *t, struct error *e)
{
	uint64_t length;
	struct error why = { 0 };
	const char *name;
	json_t *tensor;
	int rc;

	if (t->size < PREFIX)
		return bad(t, e, "too short for a safetensors file", "");
	memcpy(&length, t->file, PREFIX);
	length = le64toh(length);
	if (length > HEADER_MAX || length > t->size - PREFIX)
		return bad(t, e, "no safetensors file: its header is longer than the file, or than 16 MiB",
			   "");
	if ((rc = json_parse((const char *)t->file + PREFIX, length, &why, &t->header)) < 0)
		return rc == ERR_NO_MEMORY ? error_set(e, rc, NULL, "%s", why.message)
					   : bad(t, e, "its header is no JSON", why.message);
	if (!json_is_object(t->header))
		return bad(t, e, "its header is no JSON object", "");
	t->data = t->file + PREFIX + length;
	t->data_size = t->size - PREFIX - length;
	json_object_foreach(t->header, name, tensor)
		if (strcmp(name, "__metadata__") != 0 && (rc = check_offsets(t, name, tensor, e)) < 0)
			return rc;
	return 0;
}

int safetensors_open(const char *path, struct safetensors **out, struct error *e)
{
	struct safetensors *t = calloc(1, sizeof(*t));
	const void *file;
	int rc;

	if (!t || !(t->path = strdup(path))) {
		rc = no_memory(e);
		goto out;
	}
	if ((rc = file_map(path, &file, &t->size, e)) < 0) {
		rc = model_error(e, rc);
		goto out;
	}
	t->file = file;
	/* All of it is needed at once: let the disk run ahead of us. Only a hint, so a failure is none of ours. */
	(void)madvise((void *)(uintptr_t)file, t->size, MADV_WILLNEED);
	if ((rc = read_header(t, e)) < 0)
		goto out;
	*out = t;
	t = NULL;
out:
	safetensors_close(t);
	return rc;
}

void safetensors_close(struct safetensors *t)
{
	if (!t)
		return;
	if (t->file)
		file_unmap(t->file, t->size);
	json_decref(t->header);
	free(t->path);
	free(t);
}

static int has_shape(const json_t *shape, size_t rows, size_t columns)
{
	if (rows == 0)
		return json_array_size(shape) == 1 && size_at(shape, 0) == (int64_t)columns;
	return json_array_size(shape) == 2 && size_at(shape, 0) == (int64_t)rows &&
	       size_at(shape, 1) == (int64_t)columns;
}

int safetensors_floats(const struct safetensors *t, const char *name, size_t rows, size_t columns,
		       const float **out, struct error *e)
{
	const json_t *tensor = json_object_get(t->header, name), *offsets;
	const char *dtype = json_string_value(json_object_get(tensor, "dtype"));
	size_t begin, end;

	if (!tensor)
		return bad(t, e, "a tensor is missing", name);
	if (!dtype || strcmp(dtype, "F32") != 0)
		return bad(t, e, "a tensor is not of float32 (F32)", name);
	if (!has_shape(json_object_get(tensor, "shape"), rows, columns))
		return bad(t, e, "a tensor has another shape than all-MiniLM-L6-v2's", name);
	offsets = json_object_get(tensor, "data_offsets");
	begin = (size_t)size_at(offsets, 0);
	end = (size_t)size_at(offsets, 1);
	if (end - begin != (rows ? rows : 1) * columns * sizeof(float))
		return bad(t, e, "a tensor's offsets do not fit its shape", name);
	if ((uintptr_t)(t->data + begin) % _Alignof(float) != 0)
		return bad(t, e, "a tensor is not aligned", name);
	*out = (const float *)(const void *)(t->data + begin);
	return 0;
}

const void *safetensors_bytes(const struct safetensors *t, size_t *n)
{
	*n = t->size;
	return t->file;
}

void safetensors_rest(const struct safetensors *t)
{
	(void)madvise((void *)(uintptr_t)t->file, t->size, MADV_DONTNEED);
}
