/* The part of host_abi.c about psa_host_page and psa_host_callback: what a product hands in, whole, empty and wrong. */
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

/* A page as the product asks for it: its status, and whether its body holds a text. */
static uint32_t paged(psa_host *host, const char *who, const psa_http_request *request, const char *holds) {
    psa_reply *reply = NULL;
    const psa_http_response *http;
    uint32_t status;
    size_t at, len = strlen(holds);
    int found = len == 0;
    CHECK(psa_host_page(host, text(who), request, &reply) == PSA_OK);
    http = psa_reply_http(reply);
    CHECK(http != NULL && http->header_count >= 1);
    for (at = 0; !found && at + len <= http->body.len; at++)
        found = memcmp((const char *)http->body.ptr + at, holds, len) == 0;
    CHECK(found);
    status = http->status;
    psa_reply_free(reply);
    return status;
}

/* The same through the queue, the request gone meanwhile; who NULL: a callback. */
static uint32_t later(psa_host *host, const char *who, const psa_http_request *request) {
    psa_http_request own = *request;
    psa_reply *reply = NULL;
    psa_done to_queue;
    uint64_t id = 0;
    uint32_t status;
    size_t count = 0;
    memset(&to_queue, 0, sizeof to_queue);
    if (who == NULL)
        CHECK(psa_host_submit_callback(host, &own, to_queue, &id, NULL) == PSA_OK);
    else
        CHECK(psa_host_submit_page(host, text(who), &own, to_queue, &id, NULL) == PSA_OK);
    memset(&own, 0xff, sizeof own);
    CHECK(psa_host_wait(host, 60000) == PSA_OK);
    CHECK(psa_host_take(host, &reply, 1, &count) == PSA_OK && count == 1 && psa_reply_id(reply) == id && id != 0);
    CHECK(psa_reply_code(reply) == PSA_OK && psa_reply_http(reply) != NULL);
    status = psa_reply_http(reply)->status;
    psa_reply_free(reply);
    return status;
}

static void page(psa_host *host) {
    static const char who[] = "{\"tenant\":\"t\",\"actor\":{\"id\":\"7\"},\"permissions\":[\"view\"],"
                              "\"mount\":\"/desk/psa\",\"public_origin\":\"https://desk.example.com\"}";
    psa_http_request request = posted("GET", "/");
    psa_reply *reply = NULL;
    psa_done to_queue;
    size_t count = 0;
    memset(&to_queue, 0, sizeof to_queue);
    CHECK(paged(host, who, &request, "href=\"/desk/psa/-/psa.") == 200);
    /* Nobody was named; what the request says of itself counts for nothing. */
    CHECK(paged(host, "", &request, "403") == 403);
    request = posted("GET", "/c/nobodys");
    CHECK(paged(host, who, &request, "") == 404);
    request = posted("POST", "/c/nobodys/pause");
    CHECK(paged(host, who, &request, "") == 403);
    request = posted("\xff", "\xff\xfe");
    CHECK(paged(host, who, &request, "") == 404);
    CHECK(psa_host_page(host, text("{\"tenant\":\"t\"}"), &request, &reply) == PSA_INVALID_ARGUMENT);
    CHECK(psa_reply_http(reply) == NULL && strstr(psa_reply_message(reply), "who") != NULL);
    psa_reply_free(reply);
    CHECK(psa_host_page(host, text(who), NULL, NULL) == PSA_INVALID_ARGUMENT);
    CHECK(psa_host_page(NULL, text(who), &request, NULL) == PSA_INVALID_ARGUMENT);
    request = posted("GET", "/");
    CHECK(later(host, who, &request) == 200);
    CHECK(later(host, "", &request) == 403);
    CHECK(later(host, NULL, &request) == 405);
    CHECK(psa_host_submit_page(host, text(who), NULL, to_queue, NULL, &reply) == PSA_INVALID_ARGUMENT);
    CHECK(strcmp(psa_reply_message(reply), "request is NULL") == 0);
    psa_reply_free(reply);
    CHECK(psa_host_submit_callback(NULL, &request, to_queue, NULL, NULL) == PSA_INVALID_ARGUMENT);
    /* Who asks is read on the host's own thread: what is wrong with it comes as the answer. */
    CHECK(psa_host_submit_page(host, text("{}"), &request, to_queue, NULL, NULL) == PSA_OK);
    CHECK(psa_host_wait(host, 60000) == PSA_OK && psa_host_take(host, &reply, 1, &count) == PSA_OK && count == 1);
    CHECK(psa_reply_code(reply) == PSA_INVALID_ARGUMENT && psa_reply_http(reply) == NULL);
    psa_reply_free(reply);
    request.size = 0;
    CHECK(psa_host_page(host, text(who), &request, NULL) == PSA_INVALID_ARGUMENT);
}
