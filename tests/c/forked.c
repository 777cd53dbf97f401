/* A child of fork: each function of the parent's host says at once that it is not for here, a host of the child's own
 * works, and the parent is not disturbed. Usage: forked CONFIG CONFIG, with different data folders. */
#include "check.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static psa_host *open_host(const char *config) {
    psa_host *host = NULL;
    psa_reply *error = NULL;
    if (psa_host_open(text(config), NULL, &host, &error) != PSA_OK) {
        fprintf(stderr, "%s\n", psa_reply_message(error));
        _exit(1);
    }
    return host;
}

static psa_reply *reply;

static void works(psa_host *host) {
    CHECK(psa_host_call(host, "methods.list", text("{}"), NULL, &reply) == PSA_OK);
    CHECK(psa_reply_code(reply) == PSA_OK);
    psa_reply_free(reply);
}

/* The code and the reply say why; the reply is freed. */
static void forked(psa_code code) {
    CHECK(code == PSA_CLOSED && psa_reply_code(reply) == PSA_CLOSED);
    CHECK(strstr(psa_reply_json(reply, NULL), "\"forked\"") != NULL);
    CHECK(strstr(psa_reply_message(reply), "open one in this process") != NULL);
    psa_reply_free(reply);
    reply = NULL;
}

static const struct psa_plugin *no_plugin(uint32_t host_abi) {
    (void)host_abi;
    return NULL;
}

static void in_the_child(psa_host *host) {
    psa_http_request request;
    psa_done done;
    uint64_t id = 0;
    size_t count = 1;
    memset(&request, 0, sizeof request);
    memset(&done, 0, sizeof done);
    request.size = sizeof request;
    request.method = text("GET");
    request.url = text("/");
    /* Nothing here may wait, however long it is told to. */
    forked(psa_host_call(host, "methods.list", text("{}"), NULL, &reply));
    forked(psa_host_submit(host, "methods.list", text("{}"), NULL, done, &id, &reply));
    forked(psa_host_begin(host, "methods.list", text("{}"), NULL, done, &id, &reply));
    forked(psa_host_next_event(host, "c", 600000, &reply));
    forked(psa_host_next_log(host, 600000, &reply));
    forked(psa_host_page(host, text("{}"), &request, &reply));
    forked(psa_host_callback(host, &request, &reply));
    forked(psa_host_submit_page(host, text("{}"), &request, done, &id, &reply));
    forked(psa_host_submit_callback(host, &request, done, &id, &reply));
    forked(psa_host_add_plugin(host, no_plugin, &reply));
    CHECK(psa_host_ack_event(host, "c", 1) == PSA_CLOSED);
    CHECK(psa_host_cancel(host, 1) == PSA_CLOSED);
    CHECK(psa_host_take(host, &reply, 1, &count) == PSA_CLOSED && count == 0);
    CHECK(psa_host_wait(host, 600000) == PSA_CLOSED);
    CHECK(psa_host_wake_fd(host) == -1);
    CHECK(psa_host_close(host, 600000) == PSA_CLOSED);
    psa_host_free(host);
}

int main(int argc, char **argv) {
    psa_host *host, *own;
    psa_done done;
    uint64_t id = 0;
    size_t count = 0;
    struct pollfd woken;
    int status = 0;
    pid_t child;
    CHECK(argc == 3);
    memset(&done, 0, sizeof done);
    host = open_host(argv[1]);
    works(host);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        in_the_child(host);
        own = open_host(argv[2]);
        works(own);
        CHECK(psa_host_close(own, 0) == PSA_OK);
        psa_host_free(own);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    works(host);
    CHECK(psa_host_submit(host, "methods.list", text("{}"), NULL, done, &id, NULL) == PSA_OK);
    woken.fd = (int)psa_host_wake_fd(host);
    woken.events = POLLIN;
    CHECK(poll(&woken, 1, -1) == 1);
    CHECK(psa_host_take(host, &reply, 1, &count) == PSA_OK && count == 1 && psa_reply_id(reply) == id);
    psa_reply_free(reply);
    CHECK(psa_host_close(host, 0) == PSA_OK);
    psa_host_free(host);
    printf("right\n");
    return 0;
}
