/* uuid.h: UUIDv7 (RFC 9562): ids of ours, roughly ordered by time. Any thread. */
#ifndef READBACK_BASE_UUID_H
#define READBACK_BASE_UUID_H

#define UUID_TEXT 37

void uuid_v7(char out[UUID_TEXT]);

#endif
