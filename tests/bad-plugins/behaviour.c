/* A plugin that misbehaves as the ticket id of a request says: get_ticket reads, add_note writes, list_members is
 * always well-behaved. What services answered is told in the result, so that a test can look at it. */
#include "psa_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef CONCURRENCY
#define CONCURRENCY "0"
#endif

static const char manifest[] =
    "{\"id\":\"behaviour\",\"name\":\"Behaviour\",\"version\":\"1.0.0\",\"concurrency\":" CONCURRENCY ",\"form\":{\"form_schema\":\"1.0\","
    "\"plugin\":\"behaviour\",\"settings_version\":1,\"reads_from\":1,\"default_locale\":\"en\","
    "\"groups\":[{\"key\":\"main\",\"title\":{\"en\":\"Main\"}}],\"fields\":[{\"key\":\"url\",\"type\":\"text\","
    "\"group\":\"main\",\"label\":{\"en\":\"Address\"}}]}}";

struct instance {
    const psa_services *host;
    char url[256];
};

/* Of the last instance that was closed: its table, its ctx and a call it had. */
static const psa_services *old_host;
static void *old_ctx;
static psa_call old_call;

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

/* A ticket whose summary is the text. */
static void done(struct instance *self, psa_call call, const char *summary) {
    char body[512];
    snprintf(body, sizeof body,
             "{\"id\":\"1\",\"number\":\"1\",\"summary\":\"%s\",\"status\":{\"id\":\"1\"},\"updated\":\"2026-01-01T00:00:00Z\"}",
             summary);
    self->host->complete(self->host->ctx, call, PSA_OK, text(body));
}

static void nothing(void *data, psa_code code, const psa_http_response *response) {
    (void)data;
    (void)code;
    (void)response;
}

/* How many callbacks of ended calls have run, and with which code the last one. */
static int counted;
static psa_code counted_code;

static void count(void *data, psa_code code, const psa_http_response *response) {
    (void)data;
    (void)response;
    counted_code = code;
    counted++;
}

static psa_then then_count(void) {
    psa_then then;
    then.data = NULL;
    then.run = count;
    return then;
}

static psa_then then_nothing(void) {
    psa_then then;
    then.data = NULL;
    then.run = nothing;
    return then;
}

static psa_code send(struct instance *self, psa_call call, const char *method, uint32_t kind, psa_then then) {
    psa_http_request request;
    memset(&request, 0, sizeof request);
    request.size = sizeof request;
    request.kind = kind;
    request.method = text(method);
    request.url = text(self->url);
    return self->host->http(self->host->ctx, call, &request, then);
}

/* ---- waiting ---------------------------------------------------------------------------------------- */

struct wait {
    struct instance *self;
    psa_call call;
    int round;
};

static void woken(void *data, psa_code code, const psa_http_response *response) {
    struct wait *wait = data;
    char summary[64];
    snprintf(summary, sizeof summary, "code %d status %d", (int)code, response ? (int)response->status : 0);
    if (code != PSA_OK) {
        wait->self->host->complete(wait->self->host->ctx, wait->call, code, text("woken"));
    } else {
        done(wait->self, wait->call, summary);
    }
    free(wait);
}

static psa_then then_woken(struct instance *self, psa_call call) {
    psa_then then;
    struct wait *wait = malloc(sizeof *wait);
    wait->self = self;
    wait->call = call;
    wait->round = 0;
    then.data = wait;
    then.run = woken;
    return then;
}

/* Posts to itself for ever, so that the call is never idle and never done. */
static void again(void *data, psa_code code, const psa_http_response *response) {
    struct wait *wait = data;
    psa_then then;
    (void)code;
    (void)response;
    then.data = data;
    then.run = again;
    if (wait->self->host->post(wait->self->host->ctx, wait->call, then) != PSA_OK) {
        free(wait);
    }
}

/* Says what it was told to say, whatever happened to its write. */
static void lie(void *data, psa_code code, const psa_http_response *response) {
    struct wait *wait = data;
    const psa_services *host = wait->self->host;
    (void)code;
    (void)response;
    if (wait->round) {
        host->complete(host->ctx, wait->call, PSA_OK,
                       text("{\"id\":\"7\",\"ticket\":\"1\",\"visibility\":\"internal\",\"text\":\"x\"}"));
    } else {
        host->complete(host->ctx, wait->call, PSA_REJECTED, text("nothing has happened"));
    }
    free(wait);
}

/* ---- operations ------------------------------------------------------------------------------------- */

static void after_close(struct instance *self, psa_call call) {
    char summary[128];
    psa_http_request request;
    psa_bytes value;
    memset(&request, 0, sizeof request);
    request.size = sizeof request;
    request.method = text("GET");
    request.url = text(self->url);
    old_host->complete(old_ctx, old_call, PSA_OK, text("{}"));
    old_host->log_message(old_ctx, old_call, PSA_LOG_INFO, text("from beyond"));
    snprintf(summary, sizeof summary, "http %d get %d sleep %d",
             (int)old_host->http(old_ctx, old_call, &request, then_nothing()),
             (int)old_host->get(old_ctx, old_call, PSA_DURABLE, text("x"), &value),
             (int)old_host->sleep_ms(old_ctx, old_call, 1, then_nothing()));
    done(self, call, summary);
}

static void made_up(struct instance *self, psa_call call) {
    char summary[128];
    psa_bytes value;
    psa_call number;
    for (number = call + 1; number < call + 1000; number++) {
        self->host->complete(self->host->ctx, number, PSA_OK, text("{\"id\":\"forged\"}"));
    }
    self->host->complete(self->host->ctx, 0, PSA_OK, text("{\"id\":\"forged\"}"));
    snprintf(summary, sizeof summary, "get %d sleep %d",
             (int)self->host->get(self->host->ctx, UINT64_MAX, PSA_DURABLE, text("x"), &value),
             (int)self->host->sleep_ms(self->host->ctx, UINT64_MAX, 1, then_nothing()));
    done(self, call, summary);
}

static void oversized(struct instance *self, psa_call call) {
    size_t length = (size_t)80 << 20;
    char *body = malloc(length);
    psa_bytes bytes;
    memset(body, ' ', length);
    body[0] = '{';
    body[length - 1] = '}';
    bytes.ptr = (const uint8_t *)body;
    bytes.len = length;
    self->host->complete(self->host->ctx, call, PSA_OK, bytes);
    free(body);
}

static void odd_arguments(struct instance *self, psa_call call) {
    const psa_services *host = self->host;
    char summary[160], key[400];
    psa_then no_function;
    psa_http_request request;
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = 0;
    memset(&request, 0, sizeof request);
    request.size = 4;
    no_function.data = NULL;
    no_function.run = NULL;
    snprintf(summary, sizeof summary, "http %d short %d post %d get %d space %d key %d secret %d info %d",
             (int)host->http(host->ctx, call, NULL, then_nothing()),
             (int)host->http(host->ctx, call, &request, then_nothing()),
             (int)host->post(host->ctx, call, no_function),
             (int)host->get(host->ctx, call, PSA_DURABLE, text("x"), NULL),
             (int)host->put(host->ctx, call, 99, text("x"), text("y"), 0),
             (int)host->put(host->ctx, call, PSA_DURABLE, text(key), text("y"), 0),
             (int)host->put(host->ctx, call, PSA_SECRETS, text("token"), text("y"), 0),
             (int)host->call_info(host->ctx, call, NULL));
    done(self, call, summary);
}

static void get_ticket(void *this, psa_call call, psa_bytes request) {
    struct instance *self = this;
    const psa_services *host = self->host;
    if (says(request, "\"twice\"")) {
        done(self, call, "first");
        done(self, call, "second");
        host->complete(host->ctx, call, PSA_INTERNAL, text("third"));
    } else if (says(request, "\"late\"")) {
        psa_call before = old_call;
        old_call = call;
        done(self, call, "in time");
        host->complete(host->ctx, before, PSA_OK, text("{\"id\":\"late\"}"));
    } else if (says(request, "\"never\"")) {
        /* Nothing at all. */
    } else if (says(request, "\"busy\"")) {
        again(then_woken(self, call).data, PSA_OK, NULL);
    } else if (says(request, "\"spin\"")) {
        for (;;) {
            __asm__ volatile("");
        }
    } else if (says(request, "\"made-up\"")) {
        made_up(self, call);
    } else if (says(request, "\"after-close\"")) {
        after_close(self, call);
    } else if (says(request, "\"oversized\"")) {
        oversized(self, call);
    } else if (says(request, "\"not-utf8\"")) {
        host->complete(host->ctx, call, PSA_OK, text("{\"id\":\"\xff\xfe\"}"));
    } else if (says(request, "\"error-not-utf8\"")) {
        host->complete(host->ctx, call, PSA_REJECTED, text("no \xff\xfe way"));
    } else if (says(request, "\"not-json\"")) {
        host->complete(host->ctx, call, PSA_OK, text("<html>"));
    } else if (says(request, "\"unknown-code\"")) {
        host->complete(host->ctx, call, 4711, text("what is that"));
    } else if (says(request, "\"write-in-read\"")) {
        psa_code code = send(self, call, "POST", PSA_HTTP_BY_METHOD, then_nothing());
        host->complete(host->ctx, call, code, text(""));
    } else if (says(request, "\"patch-as-read\"")) {
        psa_code code = send(self, call, "PATCH", PSA_HTTP_READ, then_nothing());
        host->complete(host->ctx, call, code, text(""));
    } else if (says(request, "\"sleep\"")) {
        psa_then then = then_woken(self, call);
        psa_code code = host->sleep_ms(host->ctx, call, 3600 * 1000, then);
        if (code != PSA_OK) {
            free(then.data);
            host->complete(host->ctx, call, code, text("not even begun"));
        }
    } else if (says(request, "\"fetch\"")) {
        psa_then then = then_woken(self, call);
        psa_code code = send(self, call, "GET", PSA_HTTP_BY_METHOD, then);
        if (code != PSA_OK) {
            free(then.data);
            host->complete(host->ctx, call, code, text(""));
        }
    } else if (says(request, "\"end-in-flight\"")) {
        /* Done while its own request is still on the way; the callback still runs once. */
        send(self, call, "GET", PSA_HTTP_BY_METHOD, then_count());
        done(self, call, "early");
    } else if (says(request, "\"counted\"")) {
        char summary[64];
        snprintf(summary, sizeof summary, "%d with %d", counted, (int)counted_code);
        done(self, call, summary);
    } else if (says(request, "\"odd-arguments\"")) {
        odd_arguments(self, call);
    } else {
        done(self, call, "fine");
    }
}

/* search_tickets waits in http_wait, which only a blocking operation may. */
static void search_tickets(void *this, psa_call call, psa_bytes request) {
    struct instance *self = this;
    const psa_services *host = self->host;
    const psa_http_response *response = NULL;
    psa_http_request get;
    char body[128];
    psa_code code;
    (void)request;
    memset(&get, 0, sizeof get);
    get.size = sizeof get;
    get.method = text("GET");
    get.url = text(self->url);
    code = host->http_wait(host->ctx, call, &get, &response);
    if (code != PSA_OK) {
        host->complete(host->ctx, call, code, text(""));
        return;
    }
    snprintf(body, sizeof body, "{\"items\":[],\"next\":\"%d\"}", (int)response->status);
    host->complete(host->ctx, call, PSA_OK, text(body));
}

static void list_members(void *this, psa_call call, psa_bytes request) {
    struct instance *self = this;
    (void)request;
    self->host->complete(self->host->ctx, call, PSA_OK, text("{\"items\":[]}"));
}

static void add_note(void *this, psa_call call, psa_bytes request) {
    struct instance *self = this;
    const psa_services *host = self->host;
    if (says(request, "\"two-writes\"")) {
        psa_code first = send(self, call, "POST", PSA_HTTP_WRITE, then_nothing());
        psa_code second = send(self, call, "POST", PSA_HTTP_WRITE, then_nothing());
        char body[64];
        snprintf(body, sizeof body, "first %d second %d", (int)first, (int)second);
        host->complete(host->ctx, call, PSA_REJECTED, text(body));
    } else if (says(request, "\"claims-success\"")) {
        /* Before the answer can have come. */
        send(self, call, "POST", PSA_HTTP_WRITE, then_nothing());
        host->complete(host->ctx, call, PSA_OK, text("{\"id\":\"7\",\"ticket\":\"1\",\"visibility\":\"internal\",\"text\":\"x\"}"));
    } else if (says(request, "\"lies\"") || says(request, "\"lies-well\"")) {
        psa_then then = then_woken(self, call);
        ((struct wait *)then.data)->round = says(request, "\"lies-well\"");
        then.run = lie;
        send(self, call, "POST", PSA_HTTP_WRITE, then);
    } else if (says(request, "\"doubts\"")) {
        host->complete(host->ctx, call, PSA_OUTCOME_UNKNOWN, text("who knows"));
    } else {
        host->complete(host->ctx, call, PSA_REJECTED, text("no"));
    }
}

/* ---- the table -------------------------------------------------------------------------------------- */

static void *open_instance(const psa_services *host, psa_call call, psa_bytes settings) {
    struct instance *self = calloc(1, sizeof *self);
    const char *key = "\"url\":\"";
    size_t at, length = 0;
    (void)call;
    self->host = host;
    for (at = 0; at + strlen(key) < settings.len; at++) {
        if (memcmp(settings.ptr + at, key, strlen(key)) == 0) {
            const uint8_t *from = settings.ptr + at + strlen(key);
            while (from + length < settings.ptr + settings.len && from[length] != '"' && length + 1 < sizeof self->url) {
                self->url[length] = (char)from[length];
                length++;
            }
        }
    }
    if (strcmp(self->url, "open-fails") == 0) {
        host->complete(host->ctx, call, PSA_INVALID_ARGUMENT, text("this address is not for me"));
        free(self);
        return NULL;
    }
    if (strcmp(self->url, "open-ok") == 0) {
        /* Not needed: the pointer says it. */
        host->complete(host->ctx, call, PSA_OK, text("{}"));
    }
    if (strcmp(self->url, "open-nothing") == 0) {
        free(self);
        return NULL;
    }
    if (strcmp(self->url, "open-http") == 0) {
        psa_code code;
        strcpy(self->url, "https://example.invalid/");
        code = send(self, call, "GET", PSA_HTTP_BY_METHOD, then_nothing());
        sprintf(self->url, "code %d", (int)code);
        host->complete(host->ctx, call, PSA_REJECTED, text(self->url));
        free(self);
        return NULL;
    }
    return self;
}

static void close_instance(void *this) {
    struct instance *self = this;
    old_host = self->host;
    old_ctx = self->host->ctx;
    free(self);
}

/* What the outbox needs beside the write. */
static void test_connection(void *this, psa_call call, psa_bytes request) {
    struct instance *self = this;
    (void)request;
    self->host->complete(self->host->ctx, call, PSA_OK, text("{\"steps\":[],\"passed\":true}"));
}

static void list_notes(void *this, psa_call call, psa_bytes request) {
    struct instance *self = this;
    (void)request;
    self->host->complete(self->host->ctx, call, PSA_OK, text("{\"items\":[]}"));
}

static const psa_operation operations[] = {
    {"test_connection", test_connection, 0, 0},
    {"list_notes", list_notes, 0, 0},
    {"get_ticket", get_ticket, 0, 0},
    {"search_tickets", search_tickets, PSA_OP_BLOCKING, 0},
    {"list_members", list_members, 0, 0},
    {"add_note", add_note, PSA_OP_WRITE, 0},
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
