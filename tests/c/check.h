/* What the programs in C have in common: checks, and texts as the host takes them. */
#include "psa_host.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Ends at once, also in a child of fork. */
#define CHECK(what)                                                       \
    do {                                                                  \
        if (!(what)) {                                                    \
            fprintf(stderr, "line %d: %s\n", __LINE__, #what);            \
            _exit(1);                                                     \
        }                                                                 \
    } while (0)

static psa_bytes text(const char *from) {
    psa_bytes bytes;
    bytes.ptr = (const uint8_t *)from;
    bytes.len = strlen(from);
    return bytes;
}
