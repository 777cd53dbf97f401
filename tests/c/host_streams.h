/* The part of host_abi.c about psa_reader and psa_writer. */
struct bytes {
    size_t left;
    int fails;
    int calls;
};

static int64_t give(void *ctx, uint8_t *buffer, size_t capacity) {
    struct bytes *bytes = ctx;
    size_t count = bytes->left < capacity ? bytes->left : capacity;
    bytes->calls++;
    /* What would wait for this very call is refused. */
    CHECK(psa_host_close(the_host, 0) == PSA_INVALID_ARGUMENT);
    if (bytes->fails && count == 0) {
        return -1;
    }
    memset(buffer, 'y', count);
    bytes->left -= count;
    return (int64_t)count;
}

static psa_code take(void *ctx, psa_bytes from) {
    struct bytes *bytes = ctx;
    bytes->calls++;
    if (bytes->fails) {
        return PSA_STORAGE;
    }
    bytes->left += from.len;
    return PSA_OK;
}

static const char *attachment(const char *more) {
    static char params[256];
    snprintf(params, sizeof params, "{\"tenant\":\"t\",\"connection\":\"%s\"%s}", streaming, more);
    return params;
}

static void streams(psa_host *host) {
    static const char add[] = ",\"ticket\":\"1\",\"title\":\"Log\",\"file_name\":\"log.txt\",\"public\":false";
    static const char get[] = ",\"attachment\":\"1\"";
    psa_call_options options;
    psa_reader reader;
    psa_writer writer;
    struct bytes up = {1000000, 0, 0}, down = {0, 0, 0};
    psa_reply *reply = NULL;
    psa_done to_queue;
    FILE *file = tmpfile();
    uint64_t id = 0;
    size_t count = 0;
    CHECK(file != NULL);
    memset(&options, 0, sizeof options);
    memset(&to_queue, 0, sizeof to_queue);
    options.size = sizeof options;
    reader.ctx = &up;
    reader.read = give;
    reader.len = 1000000;
    writer.ctx = &down;
    writer.write = take;
    /* A method without one names itself. */
    options.input = &reader;
    CHECK(psa_host_call(host, "attachments.list", text(attachment(get)), &options, &reply) == PSA_INVALID_ARGUMENT);
    CHECK(strstr(psa_reply_message(reply), "attachments.list takes no input") != NULL && up.calls == 0);
    psa_reply_free(reply);
    CHECK(psa_host_call(host, "attachments.add", text(attachment(add)), &options, NULL) == PSA_OK && up.left == 0);
    /* The same as a submitted call, of unknown length. */
    up.left = 1000000;
    reader.len = UINT64_MAX;
    CHECK(psa_host_submit(host, "attachments.add", text(attachment(add)), &options, to_queue, &id, NULL) == PSA_OK);
    CHECK(psa_host_wait(host, 60000) == PSA_OK);
    CHECK(psa_host_take(host, &reply, 1, &count) == PSA_OK && count == 1 && psa_reply_id(reply) == id);
    CHECK(psa_reply_code(reply) == PSA_OK && up.left == 0);
    psa_reply_free(reply);
    up.fails = 1;
    CHECK(psa_host_call(host, "attachments.add", text(attachment(add)), &options, NULL) == PSA_CANCELLED);
    up.left = 1000000;
    CHECK(psa_host_call(host, "attachments.add", text(attachment(add)), &options, NULL) == PSA_OUTCOME_UNKNOWN);
    options.input = NULL;
    options.output = &writer;
    CHECK(psa_host_call(host, "attachments.get", text(attachment(get)), &options, NULL) == PSA_OK);
    CHECK(down.left == 1000);
    down.fails = 1;
    down.calls = 0;
    CHECK(psa_host_call(host, "attachments.get", text(attachment(get)), &options, NULL) == PSA_CANCELLED);
    CHECK(down.calls == 1);
    /* By descriptors, for who cannot be called from threads of the host: through a file. */
    writer.write = psa_fd_write;
    writer.ctx = (void *)(intptr_t)fileno(file);
    CHECK(psa_host_call(host, "attachments.get", text(attachment(get)), &options, NULL) == PSA_OK);
    CHECK(lseek(fileno(file), 0, SEEK_END) == 1000 && lseek(fileno(file), 0, SEEK_SET) == 0);
    options.output = NULL;
    options.input = &reader;
    reader.read = psa_fd_read;
    reader.ctx = writer.ctx;
    reader.len = 1000;
    CHECK(psa_host_call(host, "attachments.add", text(attachment(add)), &options, NULL) == PSA_OK);
    CHECK(lseek(fileno(file), 0, SEEK_CUR) == 1000);
    fclose(file);
    options.input = NULL;
    options.output = &writer;
    writer.write = NULL;
    CHECK(psa_host_call(host, "attachments.get", text(attachment(get)), &options, NULL) == PSA_INVALID_ARGUMENT);
}
