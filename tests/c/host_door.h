/* The part of host_abi.c about psa_host_callback: what a product hands in, whole, empty and wrong. */
static psa_http_request posted(const char *method, const char *url) {
    psa_http_request request;
    memset(&request, 0, sizeof request);
    request.size = sizeof request;
    request.method = text(method);
    request.url = text(url);
    return request;
}

/* The status of an answer, which has a header of its own. */
static uint32_t answered(psa_host *host, const psa_http_request *request) {
    psa_reply *reply = NULL;
    const psa_http_response *http;
    uint32_t status;
    CHECK(psa_host_callback(host, request, &reply) == PSA_OK);
    http = psa_reply_http(reply);
    CHECK(http != NULL && http->size == sizeof *http && http->header_count >= 1 && http->body.len > 0);
    CHECK(memcmp(http->headers[0].name.ptr, "cache-control", 13) == 0);
    status = http->status;
    psa_reply_free(reply);
    return status;
}

static void door(psa_host *host) {
    static const char unknown[] = "/hooks/0123456789abcdef0123456789abcdef01234567?recordId=1&action=updated";
    psa_http_request request = posted("POST", unknown);
    psa_header header;
    psa_chunk chunk;
    psa_reply *reply = NULL;
    memset(&header, 0, sizeof header);
    memset(&chunk, 0, sizeof chunk);
    header.name = text("X-Content-Signature");
    header.value = text("\xff");
    chunk.bytes = text("{}");
    request.headers = &header;
    request.header_count = 1;
    request.body = &chunk;
    request.body_count = 1;
    CHECK(answered(host, &request) == 410);
    CHECK(psa_host_callback(host, &request, NULL) == PSA_OK);
    /* What is NULL or empty is nothing, and no error of memory. */
    request = posted("GET", unknown);
    CHECK(answered(host, &request) == 405);
    memset(&request, 0, sizeof request);
    request.size = sizeof request;
    CHECK(answered(host, &request) == 405);
    request = posted("POST", "\xff\xfe");
    request.header_count = 3;
    request.body_count = 3;
    CHECK(answered(host, &request) == 410);
    CHECK(psa_host_callback(host, NULL, &reply) == PSA_INVALID_ARGUMENT);
    CHECK(psa_reply_http(reply) == NULL && psa_reply_http(NULL) == NULL);
    psa_reply_free(reply);
    CHECK(psa_host_callback(NULL, &request, &reply) == PSA_INVALID_ARGUMENT);
    psa_reply_free(reply);
    request = posted("POST", unknown);
    request.size = 0;
    CHECK(psa_host_callback(host, &request, NULL) == PSA_INVALID_ARGUMENT);
    request.size = sizeof request - 1;
    CHECK(psa_host_callback(host, &request, &reply) == PSA_INVALID_ARGUMENT);
    CHECK(strstr(psa_reply_message(reply), "sizeof(psa_http_request)") != NULL);
    psa_reply_free(reply);
    /* A newer product has a longer struct. */
    request.size = sizeof request + 64;
    CHECK(answered(host, &request) == 410);
    request.size = sizeof request;
    request.body = &chunk;
    request.body_count = 1;
    chunk.source = PSA_FROM_INPUT;
    CHECK(psa_host_callback(host, &request, NULL) == PSA_INVALID_ARGUMENT);
}
