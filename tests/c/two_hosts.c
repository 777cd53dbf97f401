/* Two hosts in one process: each has its own thread for callbacks, its own keys and its own end.
 * Usage: two_hosts CONFIG CONFIG, with different data folders. */
#include "check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS 200
/* Each of them submits another from its callback. */
#define COMPLETIONS (2 * CALLS)

struct product {
    psa_host *host;
    const char *key;
    pthread_t thread;
    int keys_asked, completions, submitted_inside;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static psa_code vault_keys(void *ctx, uint8_t *buffer, size_t capacity, size_t *len) {
    struct product *of = ctx;
    *len = strlen(of->key);
    CHECK(*len <= capacity);
    memcpy(buffer, of->key, *len);
    pthread_mutex_lock(&lock);
    of->keys_asked++;
    pthread_mutex_unlock(&lock);
    return PSA_OK;
}

static void done(void *ctx, uint64_t id, psa_code code, psa_reply *reply);

static void submit(struct product *of) {
    psa_done then;
    uint64_t id = 0;
    psa_reply *error = NULL;
    then.ctx = of;
    then.run = done;
    CHECK(psa_host_submit(of->host, "methods.list", text("{}"), NULL, then, &id, &error) == PSA_OK);
    CHECK(id != 0 && error == NULL);
}

static void done(void *ctx, uint64_t id, psa_code code, psa_reply *reply) {
    struct product *of = ctx;
    int again;
    CHECK(code == PSA_OK && psa_reply_id(reply) == id);
    CHECK(strstr(psa_reply_json(reply, NULL), "notes.post") != NULL);
    psa_reply_free(reply);
    pthread_mutex_lock(&lock);
    if (of->completions == 0) {
        of->thread = pthread_self();
    }
    CHECK(pthread_equal(of->thread, pthread_self()));
    of->completions++;
    again = of->submitted_inside < CALLS;
    of->submitted_inside += again;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    if (again) {
        submit(of);
    }
}

static void open_host(struct product *of, const char *config) {
    psa_hooks hooks;
    psa_reply *error = NULL;
    memset(&hooks, 0, sizeof hooks);
    hooks.size = sizeof hooks;
    hooks.ctx = of;
    hooks.vault_keys = vault_keys;
    if (psa_host_open(text(config), &hooks, &of->host, &error) != PSA_OK) {
        fprintf(stderr, "%s\n", psa_reply_message(error));
        exit(1);
    }
}

static void wait_for_all(struct product *of) {
    pthread_mutex_lock(&lock);
    while (of->completions < COMPLETIONS) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}

int main(int argc, char **argv) {
    static struct product one, two;
    psa_reply *reply = NULL;
    int i;
    CHECK(argc == 3);
    one.key = "cHNhLWJyaWRnZS10ZXN0LWtleS0zMi1ieXRlcyEhISE=";
    two.key = "IUFub3RoZXIga2V5IG9mIDMyIGJ5dGVzIGZvciB0d28=";
    open_host(&one, argv[1]);
    open_host(&two, argv[2]);
    for (i = 0; i < CALLS; i++) {
        submit(&one);
        submit(&two);
    }
    wait_for_all(&one);
    wait_for_all(&two);
    CHECK(one.keys_asked > 0 && two.keys_asked > 0);
    CHECK(!pthread_equal(one.thread, two.thread));

    /* The end of one is not the end of the other. */
    CHECK(psa_host_close(one.host, 1000) == PSA_OK);
    CHECK(psa_host_call(one.host, "methods.list", text("{}"), NULL, &reply) == PSA_CLOSED);
    psa_reply_free(reply);
    psa_host_free(one.host);
    CHECK(psa_host_call(two.host, "methods.list", text("{}"), NULL, &reply) == PSA_OK);
    psa_reply_free(reply);
    CHECK(psa_host_close(two.host, 1000) == PSA_OK);
    psa_host_free(two.host);
    CHECK(one.completions == COMPLETIONS && two.completions == COMPLETIONS);
    printf("right\n");
    return 0;
}
