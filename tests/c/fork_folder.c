/* Processes that fork with a data folder open, and open it again in the child.
 *
 * Usage: fork_folder generations CONFIG: parent, child and grandchild have it open at once and close in the order of their
 * age; all write at once, and each again when its elder has closed. Or: fork_folder busy CONFIG OTHER: children are forked while threads
 * of their parent write, read and open hosts. Prints how much each tenant should have. */
#include "check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that hangs is ended by its alarm, and its parent's check of how it ended fails. */
enum { HUNG_SECONDS = 120, CHILDREN = 40, EACH = 20 };

static const char *config, *other;

static psa_host *open_host(const char *with) {
    psa_host *host = NULL;
    psa_reply *error = NULL;
    if (psa_host_open(text(with), NULL, &host, &error) != PSA_OK) {
        fprintf(stderr, "%s\n", psa_reply_message(error));
        _exit(1);
    }
    return host;
}

static void close_host(psa_host *host) {
    CHECK(psa_host_close(host, 0) == PSA_OK);
    psa_host_free(host);
}

static void call(psa_host *host, const char *method, const char *params) {
    psa_reply *reply = NULL;
    if (psa_host_call(host, method, text(params), NULL, &reply) != PSA_OK) {
        fprintf(stderr, "%s: %s\n", method, psa_reply_message(reply));
        _exit(1);
    }
    psa_reply_free(reply);
}

/* One row more for a tenant. */
static void write_for(psa_host *host, const char *tenant) {
    char params[128];
    snprintf(params, sizeof params, "{\"tenant\":\"%s\",\"plugin\":\"codes\",\"settings\":{}}", tenant);
    call(host, "connections.create", params);
}

static void write_rows(psa_host *host, const char *tenant, int count) {
    while (count-- > 0) {
        write_for(host, tenant);
    }
}

static void ended_well(pid_t child) {
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

struct link {
    int opened[2], closed[2];
};

static void tell(const int *through) {
    CHECK(write(through[1], "x", 1) == 1);
}

static void told(const int *through) {
    char byte;
    CHECK(read(through[0], &byte, 1) == 1);
}

/* A process of a line; the first one has no elder. */
static void generation(int age, const struct link *elder) {
    static const char *const tenants[] = {"parent", "child", "grandchild"};
    struct link younger;
    pid_t child = 0;
    psa_host *host = open_host(config);
    if (age < 2) {
        CHECK(pipe(younger.opened) == 0 && pipe(younger.closed) == 0);
        child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(HUNG_SECONDS);
            generation(age + 1, &younger);
            _exit(0);
        }
        told(younger.opened);
    }
    if (elder != NULL) {
        tell(elder->opened);
    }
    write_rows(host, tenants[age], EACH);
    if (elder != NULL) {
        told(elder->closed);
    }
    write_rows(host, tenants[age], EACH);
    close_host(host);
    if (age < 2) {
        tell(younger.closed);
        ended_well(child);
    }
}

static psa_host *shared;
static int stop;
static long written;

static int goes_on(void) {
    return !__atomic_load_n(&stop, __ATOMIC_SEQ_CST);
}

static void *write_on(void *unused) {
    (void)unused;
    while (goes_on()) {
        write_for(shared, "parent");
        __atomic_add_fetch(&written, 1, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

static void *read_on(void *unused) {
    (void)unused;
    while (goes_on()) {
        call(shared, "connections.list", "{\"tenant\":\"child\"}");
    }
    return NULL;
}

static void *open_on(void *unused) {
    (void)unused;
    while (goes_on()) {
        close_host(open_host(other));
    }
    return NULL;
}

static void busy(void) {
    void *(*const works[])(void *) = {write_on, read_on, read_on, open_on, open_on};
    enum { THREADS = sizeof works / sizeof works[0] };
    pthread_t threads[THREADS];
    int at;
    shared = open_host(config);
    for (at = 0; at < THREADS; at++) {
        CHECK(pthread_create(&threads[at], NULL, works[at], NULL) == 0);
    }
    for (at = 0; at < CHILDREN; at++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            psa_host *own;
            alarm(HUNG_SECONDS);
            own = open_host(config);
            write_for(own, "child");
            close_host(own);
            close_host(open_host(other));
            _exit(0);
        }
        ended_well(child);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (at = 0; at < THREADS; at++) {
        CHECK(pthread_join(threads[at], NULL) == 0);
    }
    close_host(shared);
}

int main(int argc, char **argv) {
    CHECK(argc >= 3);
    config = argv[2];
    if (strcmp(argv[1], "generations") == 0) {
        generation(0, NULL);
        printf("{\"parent\":%d,\"child\":%d,\"grandchild\":%d}\n", 2 * EACH, 2 * EACH, 2 * EACH);
    } else {
        CHECK(argc == 4);
        other = argv[3];
        busy();
        printf("{\"parent\":%ld,\"child\":%d}\n", written, CHILDREN);
    }
    return 0;
}
