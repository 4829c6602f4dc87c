/* version.h: which program this is. The document of the API (docs/openapi.json) has the same number. */
#ifndef READBACK_BASE_VERSION_H
#define READBACK_BASE_VERSION_H

#define READBACK_NAME "readback"
#define READBACK_VERSION "1.0.0"

#endif
