/* The script through C: run CONFIG SCRIPT prints each answer's code and length. */
#include "psa_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 8
#define LINE_BYTES (1 << 16)

static struct saved {
    char name[32];
    char value[128];
} saved[NAMES];

static psa_bytes bytes(const char *from) {
    psa_bytes to;
    to.ptr = (const uint8_t *)from;
    to.len = strlen(from);
    return to;
}

static struct saved *named(const char *name, size_t len) {
    size_t at;
    for (at = 0; at < NAMES && saved[at].name[0] != 0; at++)
        if (strlen(saved[at].name) == len && memcmp(saved[at].name, name, len) == 0)
            return &saved[at];
    if (at == NAMES)
        exit(3);
    memcpy(saved[at].name, name, len);
    return &saved[at];
}

/* Puts what was saved where @name@ stands. */
static void fill(const char *from, char *to) {
    const char *end;
    while (*from != 0) {
        if (*from == '@' && (end = strchr(from + 1, '@')) != NULL) {
            to += sprintf(to, "%s", named(from + 1, (size_t)(end - from - 1))->value);
            from = end + 1;
        } else {
            *to++ = *from++;
        }
    }
    *to = 0;
}

static void save(const char *name, const char *json) {
    char key[40];
    const char *from;
    sprintf(key, "\"%s\":\"", name);
    from = strstr(json, key);
    if (from == NULL)
        return;
    from += strlen(key);
    sprintf(named(name, strlen(name))->value, "%.*s", (int)strcspn(from, "\""), from);
}

int main(int argc, char **argv) {
    static char line[LINE_BYTES], filled[LINE_BYTES];
    psa_host *host = NULL;
    FILE *script = argc == 3 ? fopen(argv[2], "r") : NULL;
    if (script == NULL || psa_host_open(bytes(argv[1]), NULL, &host, NULL) != PSA_OK)
        return 2;
    while (fgets(line, sizeof line, script) != NULL) {
        char *params = strchr(line, '\t') + 1;
        char *name = strchr(params, '\t') + 1;
        psa_reply *reply = NULL;
        psa_code code;
        params[-1] = name[-1] = name[strcspn(name, "\n")] = 0;
        fill(params, filled);
        code = psa_host_call(host, line, bytes(filled), NULL, &reply);
        printf("%s\t%s\n", line, psa_code_name(code));
        if (name[0] != 0)
            save(name, psa_reply_json(reply, NULL));
        psa_reply_free(reply);
    }
    fclose(script);
    psa_host_free(host);
    return 0;
}
