// What the parts of this program share: checks, a connection, members of an answer.
#pragma once

#include "psa_host.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

[[noreturn]] inline void fail(const char *file, int line, const char *what) {
    std::fprintf(stderr, "%s:%d: %s\n", file, line, what);
    std::exit(1);
}

#define CHECK(what) ((what) ? static_cast<void>(0) : fail(__FILE__, __LINE__, #what))

// The exception that `work` throws, which must be of this very class.
template <class Thrown, class Work>
Thrown thrown(Work work) {
    try {
        work();
    } catch (const Thrown &thrown) {
        CHECK(typeid(thrown) == typeid(Thrown));
        return thrown;
    } catch (const std::exception &other) {
        fail(__FILE__, __LINE__, other.what());
    }
    fail(__FILE__, __LINE__, "nothing was thrown");
}

// A text member of an answer; enough for flat ones.
inline std::string member(std::string_view json, const std::string &name) {
    const std::string key = "\"" + name + "\":\"";
    const std::size_t from = json.find(key);
    CHECK(from != std::string_view::npos);
    const std::size_t first = from + key.size();
    return std::string(json.substr(first, json.find('"', first) - first));
}

inline bool holds(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

// A new connection of a plugin; its id.
inline std::string connected(const psa::host &host, const std::string &plugin, const std::string &url = "x") {
    const std::string params =
        R"({"tenant":"t","plugin":")" + plugin + R"(","settings":{"url":")" + url + R"("}})";
    return member(host.call("connections.create", params).text(), "connection");
}

// Parameters of tickets.get for a ticket that says what the plugin does.
inline std::string ticket(const std::string &connection, const std::string &behaviour) {
    return R"({"tenant":"t","connection":")" + connection + R"(","ticket":")" + behaviour + R"(","fresh":true})";
}

struct arguments {
    std::string config;       // of a host with the plugins codes and stream
    std::string other_config; // of another, with a folder of its own
    std::string files;        // where the plugin stream finds its files
    std::size_t in_flight;    // how many calls at once
};

void errors(const arguments &with);
void results();
void futures(const arguments &with);
void completions(const arguments &with);
void streams(const arguments &with);
void doors(const arguments &with);
void events(const arguments &with);
void hooks(const arguments &with);
void lives(const arguments &with);
