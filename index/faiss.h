/*
 * faiss.h: an HNSW graph of given rows, built by FAISS; its one wrapper.
 *
 * Only the links are kept (walk.h): FAISS writes its index to a stream, which
 * is read as it goes by, and the copy of the vectors in it is thrown away.
 */
#ifndef READBACK_INDEX_FAISS_H
#define READBACK_INDEX_FAISS_H

#include <stddef.h>

#include "base/error.h"
#include "base/strbuf.h"

struct faiss_build_options {
	int (*go_on)(void *arg); /* asked every few hundred rows; 0: stop. NULL: go on */
	void *arg;
	int threads; /* 0: half of the cores, at least one */
};

/*
 * Appends the links of n >= 1 rows to `out`; row r is at vectors + r * stride,
 * `dim` floats of unit length. ERR_INTERRUPTED when go_on said so, ERR_NO_MEMORY,
 * ERR_INTERNAL for what FAISS says, also when it writes a stream that we do not know.
 */
int faiss_build(const float *vectors, size_t n, size_t dim, size_t stride,
		const struct faiss_build_options *o, struct strbuf *out, struct error *e);

#endif
