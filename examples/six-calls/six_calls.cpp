// The six calls of a product, in C++17.
//
// Usage: six_calls CONFIG CONNECTION PORT
//   CONFIG      the host's configuration, JSON; its callbacks.address leads to PORT
//   CONNECTION  parameters of connections.create for the tenant "t", JSON
//   PORT        where callbacks come in
#include "psa_host.hpp"
#include "server.h"

#include <iostream>
#include <string>
#include <thread>

// One text of a flat answer. A product has a JSON library for this.
static std::string text_of(const psa::reply &reply, const std::string &name) {
    const std::string key = "\"" + name + "\":\"";
    const std::string json(reply.text());
    const auto from = json.find(key);
    return from == std::string::npos ? "" : json.substr(from + key.size(), json.find('"', from + key.size()) - from - key.size());
}

// begin: callback
// Answers one request below callbacks.address.
static void on_callback(const psa::host &host, int connection, const request &from) {
    psa::http_request request;
    request.method = from.method;
    request.url = from.url;                     // path and query, as they came
    request.body = {from.body, from.body_len};  // as it came, byte for byte: it is signed
    for (size_t i = 0; i < from.header_count; i++) {
        request.headers.emplace_back(from.headers[i].name, from.headers[i].value);
    }
    const auto answer = host.try_callback(request);
    if (!answer) {
        send_answer(connection, 429, "", nullptr, 0);  // the PSA comes again
        return;
    }
    std::string lines;
    for (const auto &[name, value] : answer.value().headers) {
        lines += name + ": " + value + "\r\n";
    }
    const auto &[status, headers, body] = answer.value();
    std::cout << "callback " << status << std::endl;
    send_answer(connection, static_cast<unsigned>(status), lines.c_str(), body.data(), body.size());
}
// end: callback

// The product's server: one request after the other, until the listener is shut down.
static void serve(const psa::host &host, int listener) {
    for (int connection; (connection = accept(listener, nullptr, nullptr)) >= 0;) {
        request from;
        if (read_request(connection, &from)) {
            on_callback(host, connection, from);
        } else {
            send_answer(connection, 400, "", nullptr, 0);
        }
        free(from.buffer);
    }
}

// Serves while it lives, whatever ends it.
class door {
  public:
    door(const psa::host &host, unsigned short port) : listener(listen_on(port)) {
        if (listener < 0) {
            throw std::runtime_error("the callback address cannot be listened at");
        }
        server = std::thread(serve, std::cref(host), listener);
    }
    door(const door &) = delete;
    door &operator=(const door &) = delete;
    ~door() {
        shutdown(listener, SHUT_RDWR);
        server.join();
        close(listener);
    }

  private:
    int listener;
    std::thread server;
};

// From the connection to the note that somebody at the PSA writes.
static int work(const psa::host &host, const std::string &create) {
    // begin: connect
    const std::string connection = text_of(host.call("connections.create", create), "connection");
    const auto report = host.call("connections.test", R"({"tenant":"t","connection":")" + connection + "\"}");
    if (report.text().find("\"passed\":true") == std::string_view::npos) {
        std::cerr << "the test failed: " << report.text() << '\n';
        return EXIT_FAILURE;
    }
    // end: connect

    // begin: link
    const std::string link = text_of(host.call("links.create", R"({"tenant":"t","connection":")" + connection +
                                                                   R"(","product_ticket":"HD-7","ticket":"1001"})"),
                                     "link");
    // end: link

    // begin: post
    const auto note = host.call("notes.post", R"({"tenant":"t","link":")" + link +
                                                  R"(","visibility":"internal","text":"Posted from C++.",)"
                                                  R"("client_key":"comment 1","wait_ms":60000})");
    std::cout << "note " << text_of(note, "state") << std::endl;
    // end: post

    // begin: event
    std::string kind;
    while (kind != "note.added") {
        host.handle_event("desk", std::chrono::seconds(10), [&](const psa::event &event) {
            kind = text_of(event, "event");
            std::cout << "event " << kind << std::endl;  // here the product does what the event says
        });                                              // and now it is acknowledged
    }
    // end: event
    return EXIT_SUCCESS;
}

static int run(const std::string &config, const std::string &create, unsigned short port) {
    // begin: open
    psa::host host(config);
    // end: open
    int status;
    {
        const door open(host, port);
        status = work(host, create);
    }
    // begin: close
    host.close(std::chrono::seconds(1));  // running calls have a second to end
    // end: close
    return status;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        std::cerr << "usage: " << argv[0] << " CONFIG CONNECTION PORT\n";
        return EXIT_FAILURE;
    }
    // begin: errors
    try {
        return run(argv[1], argv[2], static_cast<unsigned short>(atoi(argv[3])));
    } catch (const psa::error &error) {
        std::cerr << error.what() << '\n';  // "not_found: ...", a sentence for people
        return EXIT_FAILURE;
    }
    // end: errors
}
