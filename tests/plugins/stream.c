/* A plugin that keeps the contract and streams: it adds and fetches attachments at the server its setting names, in
 * the way that the request's title (or attachment id) says. -DFLAGS changes what it declares. */
#include "psa_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef FLAGS
#define FLAGS PSA_OP_INPUT
#endif

static const char manifest[] =
    "{\"id\":\"stream\",\"name\":\"Stream\",\"version\":\"1.0.0\",\"form\":{\"form_schema\":\"1.0\","
    "\"plugin\":\"stream\",\"settings_version\":1,\"reads_from\":1,\"default_locale\":\"en\","
    "\"groups\":[{\"key\":\"main\",\"title\":{\"en\":\"Main\"}}],\"fields\":[{\"key\":\"url\",\"type\":\"text\","
    "\"group\":\"main\",\"label\":{\"en\":\"Address\"}}]}}";

struct instance {
    const psa_services *host;
    char url[256];
};

struct work {
    struct instance *self;
    psa_call call;
    /* What the operation answers if its request went well. */
    const char *answer;
    int again;
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

static void end(struct instance *self, psa_call call, psa_code code, const char *body) {
    self->host->complete(self->host->ctx, call, code, text(body));
}

static void answered(void *data, psa_code code, const psa_http_response *response);

static psa_then then_answered(struct instance *self, psa_call call, const char *answer) {
    psa_then then;
    struct work *work = calloc(1, sizeof *work);
    work->self = self;
    work->call = call;
    work->answer = answer;
    then.data = work;
    then.run = answered;
    return then;
}

/* A chunk of the body; NULL is the call's input. */
static psa_chunk chunk(const char *bytes, uint32_t encoding) {
    psa_chunk made;
    memset(&made, 0, sizeof made);
    made.bytes = text(bytes ? bytes : "");
    made.source = bytes ? PSA_FROM_BYTES : PSA_FROM_INPUT;
    made.encoding = encoding;
    return made;
}

static void send(struct instance *self, psa_call call, const char *method, uint32_t kind, const char *path, uint32_t flags,
                 const psa_chunk *body, size_t count, psa_then then) {
    psa_http_request request;
    char url[300];
    psa_code code;
    snprintf(url, sizeof url, "%s%s", self->url, path);
    memset(&request, 0, sizeof request);
    request.size = sizeof request;
    request.kind = kind;
    request.flags = flags;
    request.method = text(method);
    request.url = text(url);
    request.body = body;
    request.body_count = count;
    code = self->host->http(self->host->ctx, call, &request, then);
    if (code != PSA_OK) {
        free(then.data);
        end(self, call, code, "");
    }
}

static void answered(void *data, psa_code code, const psa_http_response *response) {
    struct work *work = data;
    struct instance *self = work->self;
    char said[256];
    if (code != PSA_OK) {
        end(self, work->call, code, "");
    } else if (response->status >= 300) {
        snprintf(said, sizeof said, "status %u with %u bytes", response->status, (unsigned)response->body.len);
        end(self, work->call, PSA_REJECTED, said);
    } else if (work->again) {
        psa_chunk input = chunk(NULL, PSA_RAW);
        send(self, work->call, "POST", PSA_HTTP_WRITE, "file", 0, &input, 1, then_answered(self, work->call, work->answer));
    } else if (work->answer) {
        /* What went to the output is not here. */
        end(self, work->call, response->body.len == 0 ? PSA_OK : PSA_INTERNAL, work->answer);
    } else {
        self->host->complete(self->host->ctx, work->call, PSA_OK, response->body);
    }
    free(work);
}

static void test_connection(void *this, psa_call call, psa_bytes request) {
    (void)request;
    end(this, call, PSA_OK, "{\"steps\":[],\"passed\":true}");
}

static void list_attachments(void *this, psa_call call, psa_bytes request) {
    (void)request;
    send(this, call, "GET", PSA_HTTP_BY_METHOD, "list", 0, NULL, 0, then_answered(this, call, NULL));
}

static void get_attachment(void *this, psa_call call, psa_bytes request) {
    struct instance *self = this;
    if (says(request, "\"own\"")) {
        /* Bytes of the plugin's own making. */
        psa_code code = self->host->write_output(self->host->ctx, call, text("made "));
        if (code == PSA_OK) {
            code = self->host->write_output(self->host->ctx, call, text("here"));
        }
        end(self, call, code, "{\"file_name\":\"own.txt\"}");
        return;
    }
    send(self, call, "GET", PSA_HTTP_BY_METHOD, "file", PSA_HTTP_TO_OUTPUT, NULL, 0,
         then_answered(self, call, "{\"file_name\":\"log.txt\"}"));
}

static const char added[] = "{\"id\":\"sent\",\"ticket\":\"1\",\"title\":\"Log\"}";

static void add_attachment(void *this, psa_call call, psa_bytes request) {
    struct instance *self = this;
    psa_then then = then_answered(self, call, added);
    psa_chunk body[3];
    body[0] = chunk("<", PSA_RAW);
    body[1] = chunk(NULL, says(request, "\"base64\"") ? PSA_BASE64 : PSA_RAW);
    body[2] = chunk(">", PSA_RAW);
    if (says(request, "\"own\"")) {
        /* It reads the input itself and sends what call_info says of it, and how much came. */
        static uint8_t buffer[1000];
        size_t count = 0, total = 0;
        psa_code code;
        psa_call_info info;
        char said[64];
        info.size = sizeof info;
        self->host->call_info(self->host->ctx, call, &info);
        do {
            code = self->host->read_input(self->host->ctx, call, buffer, sizeof buffer, &count);
            total += count;
        } while (code == PSA_OK && count > 0);
        if (code != PSA_OK) {
            free(then.data);
            end(self, call, code, "");
            return;
        }
        snprintf(said, sizeof said, "%u of %u", (unsigned)total, (unsigned)info.input_len);
        body[0] = chunk(said, PSA_RAW);
        send(self, call, "POST", PSA_HTTP_WRITE, "file", 0, body, 1, then);
    } else if (says(request, "\"as a read\"")) {
        send(self, call, "POST", PSA_HTTP_READ, "file", 0, body, 3, then);
    } else if (says(request, "\"form\"")) {
        body[1].encoding = PSA_FORM;
        send(self, call, "POST", PSA_HTTP_WRITE, "file", 0, body, 3, then);
    } else if (says(request, "\"unsent\"")) {
        /* Success without a byte of the input. */
        send(self, call, "POST", PSA_HTTP_WRITE, "file", 0, body, 1, then);
    } else {
        ((struct work *)then.data)->again = says(request, "\"again\"");
        send(self, call, "POST", PSA_HTTP_WRITE, "file", 0, body, 3, then);
    }
}

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
    return self;
}

static void close_instance(void *this) {
    free(this);
}

static const psa_operation operations[] = {
    {"test_connection", test_connection, 0, 0},
    {"list_attachments", list_attachments, 0, 0},
    {"get_attachment", get_attachment, PSA_OP_OUTPUT, 0},
    {"add_attachment", add_attachment, PSA_OP_MANY_WRITES | FLAGS, 0},
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
