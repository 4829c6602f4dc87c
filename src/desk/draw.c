#include "desk/draw.h"

#include <string.h>

#include "base/crypto.h"

double draw(const struct desk *d, const char *what, const char *conversation)
{
	unsigned char key[SHA256_SIZE], hash[SHA256_SIZE];
	uint64_t x;

	/* A key for each thing: no id can be made to look like another thing's. */
	crypto_hmac(d->secret, what, strlen(what), key);
	crypto_hmac(key, conversation, strlen(conversation), hash);
	memcpy(&x, hash, sizeof(x));
	return (double)(x >> 11) / (double)(1ull << 53);
}

void draw_learned(struct desk *d, const char *conversation, struct learned *out)
{
	learner_take(d->learner, out);
	if (out->shadow && *conversation)
		learned_choose(out, draw(d, "shadow", conversation));
}
