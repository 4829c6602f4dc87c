#include "embed/http_wire.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Around the vectors, and for each number: 17 digits, sign, exponent, comma, and to be indented. */
#define ANSWER_BYTES ((size_t)1 << 20)
#define NUMBER_BYTES 64

char *wire_request(const char *model, const struct text *texts, size_t n)
{
	json_t *input = json_array();
	int bad = !input;

	for (size_t i = 0; i < n && !bad; i++)
		bad = json_array_append_new(input, json_stringn(texts[i].s, texts[i].n)) < 0;
	if (bad) {
		json_decref(input);
		return NULL;
	}
	JSON_AUTO *body = json_pack("{s:s, s:o, s:s}", "model", model, "input", input, "encoding_format",
				    "float");
	return body ? json_text(body, NULL) : NULL;
}

size_t wire_max_answer(size_t n, size_t dim)
{
	return ANSWER_BYTES + n * dim * NUMBER_BYTES;
}

/* The vector in `array`, brought to unit length. */
static int read_vector(const json_t *array, size_t dim, float *out, struct error *e)
{
	double norm = 0;

	if (!json_is_array(array))
		return error_set(e, ERR_MODEL, NULL, "the embedding server's answer has no \"embedding\"");
	if (json_array_size(array) != dim)
		return error_set(e, ERR_MODEL, NULL,
				 "the embedding server answered with %zu dimensions where %zu are expected",
				 json_array_size(array), dim);
	for (size_t i = 0; i < dim; i++) {
		const json_t *number = json_array_get(array, i);
		float x = (float)json_number_value(number);
		if (!json_is_number(number) || !isfinite(x))
			return error_set(e, ERR_MODEL, NULL,
					 "the embedding server's vectors must be finite numbers");
		out[i] = x;
		norm += (double)x * x;
	}
	if (!(norm > 0))
		return error_set(e, ERR_MODEL, NULL,
				 "the embedding server answered with a vector of length 0");
	for (size_t i = 0; i < dim; i++)
		out[i] = (float)(out[i] / sqrt(norm));
	return 0;
}

/* The list of vectors, of which there must be n. *parsed is the caller's to release. */
static int read_data(const char *s, size_t length, size_t n, json_t **parsed, const json_t **data,
		     struct error *e)
{
	struct error why;
	int rc = json_parse(s, length, &why, parsed);

	if (rc == ERR_NO_MEMORY)
		return error_set(e, rc, NULL, "out of memory");
	if (rc < 0)
		return error_set(e, ERR_MODEL, NULL,
				 "the embedding server's answer is not JSON as expected: %s", why.message);
	*data = json_object_get(*parsed, "data");
	if (!json_is_array(*data))
		return error_set(e, ERR_MODEL, NULL, "the embedding server's answer has no list \"data\"");
	if (json_array_size(*data) != n)
		return error_set(e, ERR_MODEL, NULL,
				 "the embedding server answered with %zu vectors for %zu texts",
				 json_array_size(*data), n);
	return 0;
}

int wire_vectors(const char *s, size_t length, size_t n, size_t dim, float *out, struct error *e)
{
	JSON_AUTO *parsed = NULL;
	const json_t *data;
	unsigned char seen[WIRE_TEXTS] = { 0 };

	assert(n <= WIRE_TEXTS);
	int rc = read_data(s, length, n, &parsed, &data, e);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const json_t *item = json_array_get(data, i), *index = json_object_get(item, "index");
		json_int_t at = json_is_integer(index) ? json_integer_value(index) : -1;
		if (at < 0 || at >= (json_int_t)n || seen[at])
			return error_set(
				e, ERR_MODEL, NULL,
				"the embedding server's answer must have each \"index\" from 0 to %zu once",
				n - 1);
		seen[at] = 1;
		rc = read_vector(json_object_get(item, "embedding"), dim, out + (size_t)at * dim, e);
	}
	return rc;
}

int wire_dimensions(const char *s, size_t length, size_t *dim, struct error *e)
{
	JSON_AUTO *parsed = NULL;
	const json_t *data;
	int rc = read_data(s, length, 1, &parsed, &data, e);

	if (rc < 0)
		return rc;
	size_t n = json_array_size(json_object_get(json_array_get(data, 0), "embedding"));
	if (n == 0 || n > WIRE_MAX_DIM)
		return error_set(e, ERR_MODEL, NULL,
				 "the embedding server answered with %zu dimensions; 1 to %d are taken", n,
				 WIRE_MAX_DIM);
	*dim = n;
	return 0;
}
