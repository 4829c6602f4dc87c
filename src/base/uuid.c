#include "base/uuid.h"

#include <stdint.h>

#include "base/clock.h"
#include "base/crypto.h"

void uuid_v7(char out[UUID_TEXT])
{
	unsigned char b[16];
	char hex[33];
	uint64_t ms = (uint64_t)clock_wall_ms();

	crypto_random(b, sizeof(b));
	for (int i = 0; i < 6; i++)
		b[i] = (unsigned char)(ms >> (40 - 8 * i));
	b[6] = (unsigned char)(0x70 | (b[6] & 0x0f));
	b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
	hex_encode(b, sizeof(b), hex);
	for (int i = 0, o = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			out[o++] = '-';
		out[o++] = hex[i];
		out[o] = '\0';
	}
}
