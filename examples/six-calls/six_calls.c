/* The six calls of a product, in C.
 *
 * Usage: six_calls CONFIG CONNECTION PORT
 *   CONFIG      the host's configuration, JSON; its callbacks.address leads to PORT
 *   CONNECTION  parameters of connections.create for the tenant "t", JSON
 *   PORT        where callbacks come in */
#include "psa_host.h"
#include "server.h"

#include <pthread.h>

/* begin: helpers */
static psa_bytes bytes(const char *text) {
    psa_bytes view = {(const uint8_t *)text, strlen(text)};
    return view;
}

/* Says what went wrong and ends the program: a product does better. */
static void check(const char *what, psa_code code, const psa_reply *reply) {
    if (code != PSA_OK) {
        fprintf(stderr, "%s: %s: %s\n", what, psa_code_name(code), psa_reply_message(reply));
        exit(EXIT_FAILURE);
    }
}

/* Calls a method; the reply is the caller's to free. */
static psa_reply *call(psa_host *host, const char *method, const char *params) {
    psa_reply *reply = NULL;
    psa_code code = psa_host_call(host, method, bytes(params), NULL, &reply);
    check(method, code, reply);
    return reply;
}
/* end: helpers */

/* Copies one text of a flat answer and frees it. A product has a JSON library for this. */
static void take(psa_reply *reply, const char *name, char *to, size_t size) {
    char key[64];
    const char *from, *end;
    snprintf(key, sizeof key, "\"%s\":\"", name);
    from = strstr(psa_reply_json(reply, NULL), key);
    from = from == NULL ? "" : from + strlen(key);
    end = strchr(from, '"');
    snprintf(to, size, "%.*s", end == NULL ? 0 : (int)(end - from), from);
    psa_reply_free(reply);
}

/* begin: callback */
/* Answers one request below callbacks.address. */
static void on_callback(psa_host *host, int connection, const struct request *from) {
    psa_http_request request;
    psa_header headers[HEADERS_MAX];
    psa_chunk body;
    psa_reply *reply = NULL;
    const psa_http_response *answer;
    size_t i;
    memset(&request, 0, sizeof request);
    memset(headers, 0, sizeof headers);
    memset(&body, 0, sizeof body);
    for (i = 0; i < from->header_count; i++) {
        headers[i].name = bytes(from->headers[i].name);
        headers[i].value = bytes(from->headers[i].value);
    }
    body.bytes.ptr = (const uint8_t *)from->body; /* as it came, byte for byte: it is signed */
    body.bytes.len = from->body_len;
    request.size = sizeof request;
    request.method = bytes(from->method);
    request.url = bytes(from->url); /* path and query, as they came */
    request.headers = headers;
    request.header_count = from->header_count;
    request.body = &body;
    request.body_count = 1;
    if (psa_host_callback(host, &request, &reply) != PSA_OK) {
        send_answer(connection, 429, "", NULL, 0); /* the PSA comes again */
    } else {
        char lines[1024] = "";
        size_t used = 0;
        answer = psa_reply_http(reply);
        for (i = 0; i < answer->header_count && used < sizeof lines; i++) {
            const psa_header *header = &answer->headers[i];
            used += (size_t)snprintf(lines + used, sizeof lines - used, "%.*s: %.*s\r\n", (int)header->name.len,
                                     (const char *)header->name.ptr, (int)header->value.len,
                                     (const char *)header->value.ptr);
        }
        printf("callback %u\n", answer->status);
        fflush(stdout);
        send_answer(connection, answer->status, lines, answer->body.ptr, answer->body.len);
    }
    psa_reply_free(reply);
}
/* end: callback */

struct door {
    psa_host *host;
    int listener;
};

/* The product's server: one request after the other, until the listener is shut down. */
static void *serve(void *ctx) {
    struct door *door = (struct door *)ctx;
    int connection;
    while ((connection = accept(door->listener, NULL, NULL)) >= 0) {
        struct request request;
        if (read_request(connection, &request)) {
            on_callback(door->host, connection, &request);
        } else {
            send_answer(connection, 400, "", NULL, 0);
        }
        free(request.buffer);
    }
    return NULL;
}

/* begin: event */
/* Takes events until one of a kind has come. */
static void take_events(psa_host *host, const char *until) {
    char kind[64] = "";
    while (strcmp(kind, until) != 0) {
        psa_reply *event = NULL;
        psa_code code = psa_host_next_event(host, "desk", 10000, &event);
        if (code != PSA_TIMEOUT) {
            uint64_t id = psa_reply_id(event);
            check("psa_host_next_event", code, event);
            take(event, "event", kind, sizeof kind);
            printf("event %s\n", kind); /* here the product does what the event says; then: */
            check("psa_host_ack_event", psa_host_ack_event(host, "desk", id), NULL);
        } else {
            psa_reply_free(event);
        }
    }
}
/* end: event */

int main(int argc, char **argv) {
    char connection[64], link[64], state[64], params[512];
    struct door door;
    pthread_t server;
    if (argc != 4) {
        fprintf(stderr, "usage: %s CONFIG CONNECTION PORT\n", argv[0]);
        return EXIT_FAILURE;
    }
    const char *config = argv[1], *create = argv[2];
    /* begin: open */
    psa_host *host = NULL;
    psa_reply *error = NULL;
    psa_code code = psa_host_open(bytes(config), NULL, &host, &error);
    check("psa_host_open", code, error);
    /* end: open */
    door.host = host;
    door.listener = listen_on((unsigned short)atoi(argv[3]));
    if (door.listener < 0 || pthread_create(&server, NULL, serve, &door) != 0) {
        perror("the callback address");
        return EXIT_FAILURE;
    }
    /* begin: connect */
    take(call(host, "connections.create", create), "connection", connection, sizeof connection);
    snprintf(params, sizeof params, "{\"tenant\":\"t\",\"connection\":\"%s\"}", connection);
    psa_reply *report = call(host, "connections.test", params);
    if (strstr(psa_reply_json(report, NULL), "\"passed\":true") == NULL) {
        fprintf(stderr, "the test failed: %s\n", psa_reply_json(report, NULL));
        return EXIT_FAILURE;
    }
    psa_reply_free(report);
    /* end: connect */
    /* begin: link */
    snprintf(params, sizeof params,
             "{\"tenant\":\"t\",\"connection\":\"%s\",\"product_ticket\":\"HD-7\",\"ticket\":\"1001\"}", connection);
    take(call(host, "links.create", params), "link", link, sizeof link);
    /* end: link */
    /* begin: post */
    snprintf(params, sizeof params,
             "{\"tenant\":\"t\",\"link\":\"%s\",\"visibility\":\"internal\",\"text\":\"Posted from C.\","
             "\"client_key\":\"comment 1\",\"wait_ms\":60000}",
             link);
    take(call(host, "notes.post", params), "state", state, sizeof state);
    /* end: post */
    printf("note %s\n", state);
    fflush(stdout);
    take_events(host, "note.added");
    shutdown(door.listener, SHUT_RDWR);
    pthread_join(server, NULL);
    close(door.listener);
    /* begin: close */
    psa_host_close(host, 1000); /* running calls have a second to end */
    psa_host_free(host);
    /* end: close */
    return EXIT_SUCCESS;
}
