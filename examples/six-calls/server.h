/* As much of an HTTP server as the examples need: the product has its own. For C and C++, POSIX. */
#ifndef SIX_CALLS_SERVER_H
#define SIX_CALLS_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADERS_MAX 32
#define REQUEST_BYTES_MAX (1 << 20)

/* A request, with everything in one buffer. */
struct request {
    const char *method, *url, *body;
    size_t body_len;
    struct { const char *name, *value; } headers[HEADERS_MAX];
    size_t header_count;
    char *buffer;
};

/* Listens on 127.0.0.1; a negative number if it cannot. */
static inline int listen_on(unsigned short port) {
    struct sockaddr_in address;
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 16) != 0) {
        return -1;
    }
    return listener;
}

/* Cuts the next line out of the head: ends it with a NUL and moves on. */
static inline char *cut_line(char **from) {
    char *line = *from, *end = strstr(line, "\r\n");
    *end = 0;
    *from = end + 2;
    return line;
}

/* Reads a request from a connection; 0 if there is none that is whole and short enough. */
static inline int read_request(int connection, struct request *request) {
    size_t have = 0, length = 0;
    ssize_t got;
    char *at, *line, *body = NULL;
    memset(request, 0, sizeof *request);
    request->buffer = (char *)calloc(1, REQUEST_BYTES_MAX + 1);
    while (request->buffer != NULL && body == NULL && have < REQUEST_BYTES_MAX
           && (got = read(connection, request->buffer + have, REQUEST_BYTES_MAX - have)) > 0) {
        have += (size_t)got;
        body = strstr(request->buffer, "\r\n\r\n");
    }
    if (body == NULL) {
        return 0;
    }
    body += 4;
    at = request->buffer;
    line = cut_line(&at);
    request->method = strtok(line, " ");
    request->url = strtok(NULL, " ");
    while (at < body - 2 && request->header_count < HEADERS_MAX) {
        char *name = cut_line(&at), *value = strchr(name, ':');
        if (value == NULL || request->url == NULL) {
            return 0;
        }
        *value++ = 0;
        value += strspn(value, " ");
        length = strcasecmp(name, "content-length") == 0 ? strtoul(value, NULL, 10) : length;
        request->headers[request->header_count].name = name;
        request->headers[request->header_count++].value = value;
    }
    request->body = body;
    request->body_len = length;
    have -= (size_t)(body - request->buffer);
    while (have < length && length < REQUEST_BYTES_MAX - (size_t)(body - request->buffer)
           && (got = read(connection, body + have, length - have)) > 0) {
        have += (size_t)got;
    }
    return have >= length;
}

/* Sends an answer and ends the connection. */
static inline void send_answer(int connection, unsigned status, const char *headers, const void *body, size_t len) {
    dprintf(connection, "HTTP/1.1 %u x\r\nconnection: close\r\ncontent-length: %lu\r\n%s\r\n", status,
            (unsigned long)len, headers);
    if (len > 0 && write(connection, body, len) < 0) {
        perror("write");
    }
    close(connection);
}

#endif
