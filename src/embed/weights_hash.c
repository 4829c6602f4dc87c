#include "embed/weights_hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct weights_hash {
	pthread_t thread;
	const void *p;
	size_t n;
	char text[SHA256_TEXT];
};

static void *run(void *arg)
{
	struct weights_hash *h = arg;

	crypto_sha256_text(h->p, h->n, h->text);
	return NULL;
}

struct weights_hash *weights_hash_start(const void *p, size_t n)
{
	struct weights_hash *h = malloc(sizeof(*h));

	if (!h)
		return NULL;
	h->p = p;
	h->n = n;
	if (pthread_create(&h->thread, NULL, run, h) != 0) {
		free(h);
		return NULL;
	}
	return h;
}

void weights_hash_end(struct weights_hash *h, const void *p, size_t n, char out[SHA256_TEXT])
{
	if (!h) {
		crypto_sha256_text(p, n, out);
		return;
	}
	pthread_join(h->thread, NULL);
	memcpy(out, h->text, sizeof(h->text));
	free(h);
}
