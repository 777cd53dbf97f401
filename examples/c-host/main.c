/* A product in C: opens the host, connects, reads a ticket, posts a note, changes a status.
 *
 * Usage: c-host CONFIG CONNECTION STATUS
 *   CONFIG      the host's configuration, JSON
 *   CONNECTION  parameters of connections.create, JSON
 *   STATUS      id of the status to which ticket 1001 is moved
 *
 * The answers are JSON; a product reads them with the JSON library it has. Here one member is looked up by hand. */
#include "psa_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static psa_bytes text(const char *from) {
    psa_bytes bytes;
    bytes.ptr = (const uint8_t *)from;
    bytes.len = strlen(from);
    return bytes;
}

static void log_message(void *ctx, uint32_t level, psa_bytes target, psa_bytes line) {
    (void)ctx;
    if (level <= PSA_LOG_WARN) {
        fprintf(stderr, "[%.*s] %.*s\n", (int)target.len, (const char *)target.ptr, (int)line.len,
                (const char *)line.ptr);
    }
}

/* Prints what went wrong: the stable name for programs, the sentence for people. */
static void print_error(const char *what, psa_code code, const psa_reply *reply) {
    printf("%s failed: %s: %s\n", what, psa_code_name(code), psa_reply_message(reply));
}

/* Calls a method; the reply is the caller's to free. NULL: it failed, and was told. */
static psa_reply *call(psa_host *host, const char *method, const char *params) {
    psa_reply *reply = NULL;
    psa_code code = psa_host_call(host, method, text(params), NULL, &reply);
    if (code != PSA_OK) {
        print_error(method, code, reply);
        psa_reply_free(reply);
        return NULL;
    }
    return reply;
}

/* Copies the text of a member such as "id"; enough for flat answers. */
static int member(const psa_reply *reply, const char *name, char *to, size_t size) {
    char key[64];
    const char *from, *end;
    snprintf(key, sizeof key, "\"%s\":\"", name);
    from = strstr(psa_reply_json(reply, NULL), key);
    if (from == NULL) {
        return 0;
    }
    from += strlen(key);
    end = strchr(from, '"');
    if (end == NULL || (size_t)(end - from) >= size) {
        return 0;
    }
    memcpy(to, from, (size_t)(end - from));
    to[end - from] = 0;
    return 1;
}

/* Calls a method and prints one member of its result. */
static int show(psa_host *host, const char *method, const char *params, const char *name) {
    char value[256];
    psa_reply *reply = call(host, method, params);
    if (reply == NULL) {
        return 0;
    }
    printf("%s: %s = %s\n", method, name, member(reply, name, value, sizeof value) ? value : "?");
    psa_reply_free(reply);
    return 1;
}

/* Takes the first event that waits for us. */
static int show_event(psa_host *host) {
    char kind[64];
    psa_reply *event = NULL;
    int right = psa_host_next_event(host, "example", 10000, &event) == PSA_OK;
    printf("event: %s\n", right && member(event, "event", kind, sizeof kind) ? kind : "?");
    right = right && psa_host_ack_event(host, "example", psa_reply_id(event)) == PSA_OK;
    psa_reply_free(event);
    return right;
}

static int work(psa_host *host, const char *create, const char *status) {
    char connection[64], label[256], link[64], params[512];
    int right;
    psa_reply *reply = call(host, "connections.create", create);
    if (reply == NULL) {
        return 0;
    }
    right = member(reply, "connection", connection, sizeof connection);
    psa_reply_free(reply);
    if (!right) {
        return 0;
    }
    snprintf(params, sizeof params, "{\"tenant\":\"t\",\"connection\":\"%s\"}", connection);
    reply = call(host, "connections.test", params);
    /* A test that found something wrong is no error of the call. */
    right = reply != NULL && strstr(psa_reply_json(reply, NULL), "\"passed\":true") != NULL;
    printf("connections.test: label = %s\n", right && member(reply, "label", label, sizeof label) ? label : "?");
    psa_reply_free(reply);
    if (!right) {
        return 0;
    }
    snprintf(params, sizeof params, "{\"tenant\":\"t\",\"connection\":\"%s\",\"ticket\":\"1001\"}", connection);
    right &= show(host, "tickets.get", params, "summary");
    /* Notes and statuses go through a link: one ticket of ours, tied to one of theirs. */
    snprintf(params, sizeof params,
             "{\"tenant\":\"t\",\"connection\":\"%s\",\"product_ticket\":\"HD-7\",\"ticket\":\"1001\"}", connection);
    reply = call(host, "links.create", params);
    if (reply == NULL) {
        return 0;
    }
    right &= member(reply, "link", link, sizeof link);
    psa_reply_free(reply);
    snprintf(params, sizeof params,
             "{\"tenant\":\"t\",\"link\":\"%s\",\"visibility\":\"internal\",\"text\":\"Posted from C.\","
             "\"client_key\":\"note 1\",\"wait_ms\":60000}",
             link);
    right &= show(host, "notes.post", params, "state");
    snprintf(params, sizeof params,
             "{\"tenant\":\"t\",\"link\":\"%s\",\"status\":\"%s\",\"wait_ms\":60000}", link, status);
    right &= show(host, "tickets.set_status", params, "outcome");
    right &= show_event(host);
    /* An error, to see how one reads. */
    snprintf(params, sizeof params, "{\"tenant\":\"t\",\"connection\":\"%s\",\"ticket\":\"999999\"}", connection);
    show(host, "tickets.get", params, "summary");
    return right;
}

int main(int argc, char **argv) {
    psa_hooks hooks;
    psa_host *host = NULL;
    psa_reply *error = NULL;
    psa_code code;
    int right;
    if (argc != 4) {
        fprintf(stderr, "usage: %s CONFIG CONNECTION STATUS\n", argv[0]);
        return EXIT_FAILURE;
    }
    memset(&hooks, 0, sizeof hooks);
    hooks.size = sizeof hooks;
    hooks.log_message = log_message;
    code = psa_host_open(text(argv[1]), &hooks, &host, &error);
    if (code != PSA_OK) {
        print_error("psa_host_open", code, error);
        psa_reply_free(error);
        return EXIT_FAILURE;
    }
    right = work(host, argv[2], argv[3]);
    code = psa_host_close(host, 1000);
    psa_host_free(host);
    return right && code == PSA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
