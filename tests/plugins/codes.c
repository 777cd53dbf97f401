/* A plugin whose tickets end with any code: "code-7" with PSA_RATE_LIMITED and all that an error can say, "sleep" never by
 * itself, all others well. */
#include "psa_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char manifest[] =
    "{\"id\":\"codes\",\"name\":\"Codes\",\"version\":\"1.0.0\",\"form\":{\"form_schema\":\"1.0\","
    "\"plugin\":\"codes\",\"settings_version\":1,\"reads_from\":1,\"default_locale\":\"en\","
    "\"groups\":[{\"key\":\"main\",\"title\":{\"en\":\"Main\"}}],\"fields\":[{\"key\":\"url\",\"type\":\"text\","
    "\"group\":\"main\",\"label\":{\"en\":\"Address\"}}]}}";

static const char said[] =
    "{\"message\":\"The summary is too long.\",\"speaks_of\":\"operation\",\"retry_after_ms\":1500,"
    "\"fields\":[{\"at\":\"/summary\",\"code\":\"max_length\",\"message\":\"At most 100 characters, \\\"please\\\".\"}],"
    "\"provider\":{\"status\":429,\"request_id\":\"abc\"},\"details\":{\"fields\":[[{\"at\":\"}\"}]]}}";

struct instance {
    const psa_services *host;
};

static psa_bytes text(const char *from) {
    psa_bytes bytes;
    bytes.ptr = (const uint8_t *)from;
    bytes.len = strlen(from);
    return bytes;
}

static int says(psa_bytes request, const char *word) {
    size_t at, length = strlen(word);
    for (at = 0; at + length <= request.len; at++) {
        if (memcmp(request.ptr + at, word, length) == 0) {
            return 1;
        }
    }
    return 0;
}

struct wait {
    const psa_services *host;
    psa_call call;
};

static void woken(void *data, psa_code code, const psa_http_response *response) {
    struct wait *wait = data;
    (void)response;
    wait->host->complete(wait->host->ctx, wait->call, code, text("woken"));
    free(wait);
}

static void sleep_long(const psa_services *host, psa_call call) {
    struct wait *wait = malloc(sizeof *wait);
    psa_then then;
    psa_code code;
    wait->host = host;
    wait->call = call;
    then.data = wait;
    then.run = woken;
    code = host->sleep_ms(host->ctx, call, 3600 * 1000, then);
    if (code != PSA_OK) {
        free(wait);
        host->complete(host->ctx, call, code, text("not even begun"));
    }
}

static void get_ticket(void *this, psa_call call, psa_bytes request) {
    const psa_services *host = ((struct instance *)this)->host;
    char name[32];
    psa_code code;
    for (code = PSA_INVALID_ARGUMENT; code <= PSA_TOO_LARGE; code++) {
        snprintf(name, sizeof name, "\"code-%d\"", (int)code);
        if (says(request, name)) {
            host->complete(host->ctx, call, code, text(said));
            return;
        }
    }
    if (says(request, "\"sleep\"")) {
        sleep_long(host, call);
        return;
    }
    host->complete(host->ctx, call, PSA_OK,
                   text("{\"id\":\"1\",\"number\":\"1\",\"summary\":\"fine\",\"status\":{\"id\":\"1\"},"
                        "\"updated\":\"2026-01-01T00:00:00Z\"}"));
}

static void test_connection(void *this, psa_call call, psa_bytes request) {
    const psa_services *host = ((struct instance *)this)->host;
    (void)request;
    host->complete(host->ctx, call, PSA_OK, text("{\"steps\":[],\"passed\":true}"));
}

static void *open_instance(const psa_services *host, psa_call call, psa_bytes settings) {
    struct instance *self = calloc(1, sizeof *self);
    (void)call;
    (void)settings;
    self->host = host;
    return self;
}

static void close_instance(void *this) {
    free(this);
}

static const psa_operation operations[] = {
    {"test_connection", test_connection, 0, 0},
    {"get_ticket", get_ticket, 0, 0},
};

static const psa_plugin plugin = {
    sizeof(psa_plugin),
    PSA_ABI_MAJOR,
    PSA_ABI_MINOR,
    {(const uint8_t *)manifest, sizeof manifest - 1},
    operations,
    sizeof operations / sizeof operations[0],
    sizeof(psa_operation),
    open_instance,
    close_instance,
    NULL,
};

PSA_EXPORT const psa_plugin *psa_plugin_entry(uint32_t host_abi) {
    (void)host_abi;
    return &plugin;
}
