/* The host's C ABI beyond open, call and close: submitting, taking, waiting, cancelling, forking, and what is wrong.
 * Usage: host_abi CONFIG URL, with the plugins behaviour.c and stream.c, and a server that keeps files at the URL. */
#include "check.h"

#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char connection[64];
static char streaming[64];

/* Parameters of tickets.get for a ticket that says what the plugin does. */
static const char *ticket(const char *behaviour) {
    static char params[256];
    snprintf(params, sizeof params, "{\"tenant\":\"t\",\"connection\":\"%s\",\"ticket\":\"%s\",\"fresh\":true}", connection, behaviour);
    return params;
}

/* ---- a completion ----------------------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int runs;
static uint64_t done_id;
static psa_code done_code, inside_code, inside_close, inside_wait;
static psa_host *the_host;

static void done(void *ctx, uint64_t id, psa_code code, psa_reply *reply) {
    psa_reply *inner = NULL;
    CHECK(ctx == &runs);
    CHECK(psa_reply_id(reply) == id && psa_reply_code(reply) == code);
    psa_reply_free(reply);
    /* What would wait for itself is refused. */
    inside_code = psa_host_call(the_host, "methods.list", text("{}"), NULL, &inner);
    CHECK(strstr(psa_reply_json(inner, NULL), "would_block") != NULL);
    psa_reply_free(inner);
    inside_close = psa_host_close(the_host, 0);
    inside_wait = psa_host_wait(the_host, 0);
    psa_host_free(the_host);
    pthread_mutex_lock(&lock);
    runs++;
    done_id = id;
    done_code = code;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for_runs(int wanted) {
    pthread_mutex_lock(&lock);
    while (runs < wanted) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}

static void completions(psa_host *host) {
    psa_done to_us;
    uint64_t id = 0;
    to_us.ctx = &runs;
    to_us.run = done;
    CHECK(psa_host_submit(host, "tickets.get", text(ticket("x")), NULL, to_us, &id, NULL) == PSA_OK);
    wait_for_runs(1);
    CHECK(done_id == id && done_code == PSA_OK && id != 0);
    CHECK(inside_code == PSA_INVALID_ARGUMENT && inside_close == PSA_INVALID_ARGUMENT);
    CHECK(inside_wait == PSA_INVALID_ARGUMENT);
    CHECK(psa_host_submit(host, "tickets.get", text(ticket("sleep")), NULL, to_us, &id, NULL) == PSA_OK);
    CHECK(psa_host_cancel(host, id) == PSA_OK);
    wait_for_runs(2);
    CHECK(done_id == id && done_code == PSA_CANCELLED);
    CHECK(psa_host_cancel(host, id) == PSA_NOT_FOUND);
    /* Refused at once: never a completion. */
    CHECK(psa_host_submit(host, "tickets.get", text("["), NULL, to_us, NULL, NULL) == PSA_INVALID_ARGUMENT);
    CHECK(runs == 2);
}

/* ---- the queue -------------------------------------------------------------------------------------- */

static int readable(psa_host *host) {
    struct pollfd wake;
    wake.fd = (int)psa_host_wake_fd(host);
    wake.events = POLLIN;
    return poll(&wake, 1, 0) == 1;
}

static void queue(psa_host *host) {
    psa_done to_queue;
    psa_reply *replies[8];
    uint64_t ids[4], sum = 0;
    size_t count = 9, at, taken = 0;
    memset(&to_queue, 0, sizeof to_queue);
    CHECK(!readable(host));
    CHECK(psa_host_wait(host, 0) == PSA_TIMEOUT);
    CHECK(psa_host_take(host, replies, 8, &count) == PSA_OK && count == 0);
    for (at = 0; at < 4; at++) {
        CHECK(psa_host_submit(host, "tickets.get", text(ticket("x")), NULL, to_queue, &ids[at], NULL) == PSA_OK);
        sum += ids[at];
    }
    while (taken < 4) {
        CHECK(psa_host_wait(host, 60000) == PSA_OK);
        CHECK(readable(host));
        CHECK(psa_host_take(host, replies, 3, &count) == PSA_OK && count >= 1 && count <= 3);
        for (at = 0; at < count; at++) {
            CHECK(psa_reply_code(replies[at]) == PSA_OK);
            sum -= psa_reply_id(replies[at]);
            psa_reply_free(replies[at]);
        }
        taken += count;
    }
    CHECK(sum == 0);
    CHECK(!readable(host));
}

/* ---- answered at once -------------------------------------------------------------------------------- */

static void begun(psa_host *host) {
    psa_done to_queue;
    psa_reply *reply = NULL, *taken = NULL;
    char params[256];
    uint64_t id = 0, other = 7;
    size_t count = 0;
    memset(&to_queue, 0, sizeof to_queue);
    snprintf(params, sizeof params, "{\"tenant\":\"t\",\"connection\":\"%s\",\"ticket\":\"x\"}", connection);
    CHECK(psa_host_begin(host, "tickets.get", text(params), NULL, to_queue, &id, NULL) == PSA_INVALID_ARGUMENT);
    /* Nothing is known of it yet: it goes the way of a submitted call. */
    CHECK(psa_host_begin(host, "tickets.get", text(params), NULL, to_queue, &id, &reply) == PSA_OK);
    CHECK(reply == NULL && id != 0);
    CHECK(psa_host_wait(host, 60000) == PSA_OK);
    CHECK(psa_host_take(host, &taken, 1, &count) == PSA_OK && count == 1 && psa_reply_id(taken) == id);
    /* Now it is remembered: the answer is here, and none follows. */
    CHECK(psa_host_begin(host, "tickets.get", text(params), NULL, to_queue, &other, &reply) == PSA_OK);
    CHECK(reply != NULL && other == 0 && psa_reply_code(reply) == PSA_OK);
    CHECK(strcmp(psa_reply_json(reply, NULL), psa_reply_json(taken, NULL)) == 0);
    psa_reply_free(reply);
    psa_reply_free(taken);
    /* What is refused is over as well. */
    CHECK(psa_host_begin(host, "tickets.get", text("{\"tickets\":1}"), NULL, to_queue, NULL, &reply) == PSA_INVALID_ARGUMENT);
    CHECK(strstr(psa_reply_json(reply, NULL), "unknown_field") != NULL);
    psa_reply_free(reply);
    CHECK(psa_host_begin(NULL, "tickets.get", text("{}"), NULL, to_queue, &id, &reply) == PSA_INVALID_ARGUMENT && id == 0);
    psa_reply_free(reply);
    CHECK(!readable(host));
    /* A submitted one that is remembered takes the same way as all others. */
    CHECK(psa_host_submit(host, "tickets.get", text(params), NULL, to_queue, &id, NULL) == PSA_OK);
    CHECK(readable(host) && id != 0);
    CHECK(psa_host_take(host, &taken, 1, &count) == PSA_OK && count == 1 && psa_reply_id(taken) == id);
    psa_reply_free(taken);
    CHECK(!readable(host));
}

/* ---- options ---------------------------------------------------------------------------------------- */

static int asked;

static int32_t keep_going(void *ctx) {
    CHECK(ctx == &asked);
    return ++asked < 3;
}

static void options(psa_host *host) {
    struct {
        psa_call_options known;
        char later[16];
    } grown;
    psa_call_options options;
    psa_reader reader;
    memset(&options, 0, sizeof options);
    CHECK(psa_host_call(host, "tickets.get", text(ticket("x")), &options, NULL) == PSA_INVALID_ARGUMENT);
    options.size = sizeof options;
    CHECK(psa_host_call(host, "tickets.get", text(ticket("x")), &options, NULL) == PSA_OK);
    /* A product of a later header passes more than this library knows. */
    grown.known = options;
    grown.known.size = sizeof grown;
    memset(grown.later, 0xff, sizeof grown.later);
    CHECK(psa_host_call(host, "tickets.get", text(ticket("x")), &grown.known, NULL) == PSA_OK);
    options.keep_going = keep_going;
    options.ctx = &asked;
    options.trace_id = text("trace-1");
    CHECK(psa_host_call(host, "tickets.get", text(ticket("sleep")), &options, NULL) == PSA_CANCELLED);
    CHECK(asked == 3);
    options.keep_going = NULL;
    options.timeout_ms = 50;
    CHECK(psa_host_call(host, "tickets.get", text(ticket("sleep")), &options, NULL) == PSA_TIMEOUT);
    options.trace_id = text("\xff");
    CHECK(psa_host_call(host, "tickets.get", text(ticket("x")), &options, NULL) == PSA_INVALID_ARGUMENT);
    options.trace_id = text("");
    memset(&reader, 0, sizeof reader);
    options.input = &reader;
    CHECK(psa_host_call(host, "tickets.get", text(ticket("x")), &options, NULL) == PSA_INVALID_ARGUMENT);
}

#include "host_streams.h"
#include "host_door.h"

/* ---- what is wrong ---------------------------------------------------------------------------------- */

static void wrong(psa_host *host) {
    psa_reply *reply = NULL;
    psa_host *none = host;
    psa_hooks hooks;
    psa_bytes nothing;
    size_t count = 0;
    nothing.ptr = NULL;
    nothing.len = 0;
    CHECK(psa_host_call(NULL, "methods.list", text("{}"), NULL, &reply) == PSA_INVALID_ARGUMENT);
    CHECK(strcmp(psa_reply_message(reply), "the host is NULL") == 0);
    psa_reply_free(reply);
    CHECK(psa_host_call(host, NULL, text("{}"), NULL, NULL) == PSA_INVALID_ARGUMENT);
    CHECK(psa_host_call(host, "\xff", text("{}"), NULL, NULL) == PSA_INVALID_ARGUMENT);
    CHECK(psa_host_call(host, "methods.list", nothing, NULL, NULL) == PSA_OK);
    CHECK(psa_host_take(host, NULL, 1, &count) == PSA_INVALID_ARGUMENT);
    CHECK(psa_host_take(host, NULL, 0, NULL) == PSA_INVALID_ARGUMENT);
    CHECK(psa_host_open(text("{}"), NULL, NULL, NULL) == PSA_INVALID_ARGUMENT);
    memset(&hooks, 0, sizeof hooks);
    CHECK(psa_host_open(text("{}"), &hooks, &none, &reply) == PSA_INVALID_ARGUMENT && none == NULL);
    CHECK(strstr(psa_reply_message(reply), "sizeof(psa_hooks)") != NULL);
    psa_reply_free(reply);
    CHECK(psa_host_add_plugin(host, NULL, NULL) == PSA_CONFLICT);
    CHECK(psa_host_wake_fd(NULL) == -1);
    CHECK(psa_host_close(NULL, 0) == PSA_OK);
    psa_host_free(NULL);
    CHECK(psa_host_abi() >> 16 == PSA_ABI_MAJOR);
    CHECK(strlen(psa_host_version()) >= 5);
}

static void child(psa_host *host) {
    pid_t process = fork();
    int status = 0;
    CHECK(process >= 0);
    if (process == 0) {
        CHECK(psa_host_call(host, "methods.list", text("{}"), NULL, NULL) == PSA_CLOSED);
        CHECK(psa_host_close(host, 0) == PSA_CLOSED);
        psa_host_free(host);
        _exit(0);
    }
    CHECK(waitpid(process, &status, 0) == process && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- hooks and events ------------------------------------------------------------------------------- */

static int keys_asked;

/* A keyring of one key, as a product's own key service would give it. */
static psa_code vault_keys(void *ctx, uint8_t *buffer, size_t capacity, size_t *len) {
    static const char key[] = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=\n";
    CHECK(ctx == &keys_asked && capacity >= sizeof key - 1);
    keys_asked++;
    memcpy(buffer, key, sizeof key - 1);
    *len = sizeof key - 1;
    return PSA_OK;
}

static void events(psa_host *host) {
    psa_reply *event = NULL;
    uint64_t id;
    CHECK(psa_host_next_event(host, "c", 10000, &event) == PSA_OK);
    CHECK(strstr(psa_reply_json(event, NULL), "\"event\":\"connection.created\"") != NULL);
    id = psa_reply_id(event);
    CHECK(id > 0 && psa_reply_code(event) == PSA_OK);
    psa_reply_free(event);
    /* It comes again until it is acknowledged. */
    CHECK(psa_host_next_event(host, "c", 10000, &event) == PSA_OK && psa_reply_id(event) == id);
    psa_reply_free(event);
    CHECK(psa_host_ack_event(host, "c", id) == PSA_OK);
    CHECK(psa_host_next_event(host, "c", 1, &event) == PSA_TIMEOUT);
    psa_reply_free(event);
    CHECK(psa_host_next_event(host, NULL, 1, NULL) == PSA_INVALID_ARGUMENT);
    CHECK(psa_host_next_event(host, "", 1, NULL) == PSA_INVALID_ARGUMENT);
    CHECK(psa_host_next_event(NULL, "c", 1, NULL) == PSA_INVALID_ARGUMENT);
    CHECK(psa_host_ack_event(host, "\xff", 1) == PSA_INVALID_ARGUMENT);
    /* The same by methods. */
    CHECK(psa_host_call(host, "events.next", text("{\"consumer\":\"d\"}"), NULL, &event) == PSA_OK);
    CHECK(strstr(psa_reply_json(event, NULL), "\"event\":\"connection.created\"") != NULL);
    psa_reply_free(event);
    CHECK(psa_host_call(host, "events.ack", text("{\"consumer\":\"d\",\"id\":1}"), NULL, NULL) == PSA_OK);
    CHECK(psa_host_call(host, "events.next", text("{\"consumer\":\"d\",\"timeout_ms\":1}"), NULL, &event) == PSA_OK);
    CHECK(strcmp(psa_reply_json(event, NULL), "{}") == 0);
    psa_reply_free(event);
    CHECK(psa_host_call(host, "events.next", text("{\"consumer\":\"\"}"), NULL, NULL) == PSA_INVALID_ARGUMENT);
}

static void connect_to(const char *plugin, const char *url, char *id) {
    psa_reply *reply = NULL;
    const char *from;
    char params[512];
    snprintf(params, sizeof params, "{\"tenant\":\"t\",\"plugin\":\"%s\",\"settings\":{\"url\":\"%s\"}}", plugin, url);
    CHECK(psa_host_call(the_host, "connections.create", text(params), NULL, &reply) == PSA_OK);
    from = strstr(psa_reply_json(reply, NULL), "\"connection\":\"") + 14;
    memcpy(id, from, (size_t)(strchr(from, '"') - from));
    psa_reply_free(reply);
}

int main(int argc, char **argv) {
    psa_hooks hooks;
    psa_http_request request;
    psa_reply *reply = NULL;
    psa_done to_queue;
    psa_code code;
    CHECK(argc == 3);
    memset(&to_queue, 0, sizeof to_queue);
    memset(&hooks, 0, sizeof hooks);
    /* A product that was compiled against the first header has a shorter struct. */
    hooks.size = (uint32_t)offsetof(psa_hooks, vault_keys);
    hooks.vault_keys = vault_keys;
    hooks.ctx = &keys_asked;
    CHECK(psa_host_open(text(argv[1]), &hooks, &the_host, NULL) == PSA_OK && keys_asked == 0);
    CHECK(psa_host_close(the_host, 0) == PSA_OK);
    psa_host_free(the_host);
    hooks.size = sizeof hooks;
    CHECK(psa_host_open(text(argv[1]), &hooks, &the_host, NULL) == PSA_OK && keys_asked > 0);
    connect_to("behaviour", "https://psa.invalid/", connection);
    events(the_host);
    connect_to("stream", argv[2], streaming);
    completions(the_host);
    queue(the_host);
    begun(the_host);
    options(the_host);
    CHECK(psa_host_call(the_host, "connections.test", text(attachment("")), NULL, NULL) == PSA_OK);
    streams(the_host);
    door(the_host);
    page(the_host);
    wrong(the_host);
    child(the_host);
    CHECK(psa_host_close(the_host, 1000) == PSA_OK);
    CHECK(psa_host_close(the_host, 0) == PSA_OK);
    CHECK(psa_host_call(the_host, "methods.list", text("{}"), NULL, NULL) == PSA_CLOSED);
    request = posted("POST", "/");
    CHECK(psa_host_callback(the_host, &request, &reply) == PSA_CLOSED && psa_reply_http(reply) == NULL);
    psa_reply_free(reply);
    CHECK(psa_host_page(the_host, text(""), &request, NULL) == PSA_CLOSED);
    CHECK(psa_host_submit_page(the_host, text(""), &request, to_queue, NULL, NULL) == PSA_CLOSED);
    CHECK(psa_host_submit_callback(the_host, &request, to_queue, NULL, NULL) == PSA_CLOSED);
    /* Lines are still there, then it is closed. */
    while ((code = psa_host_next_log(the_host, 60000, &reply)) == PSA_OK) {
        CHECK(strncmp(psa_reply_json(reply, NULL), "{\"lines\":[{\"level\":", 19) == 0);
        psa_reply_free(reply);
    }
    CHECK(code == PSA_CLOSED);
    psa_reply_free(reply);
    CHECK(psa_host_wait(the_host, 60000) == PSA_CLOSED);
    CHECK(psa_host_cancel(the_host, 1) != PSA_OK);
    psa_host_free(the_host);
    puts("right");
    return 0;
}
