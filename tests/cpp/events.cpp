// Events: waited for, handled, and come again until they are acknowledged.
#include "check.hpp"

using namespace std::chrono_literals;

static void come_again_until_acknowledged(const psa::host &host) {
    const std::string connection = connected(host, "codes");
    std::optional<psa::event> first = host.next_event("c", 10s);
    while (first && member(first->text(), "connection") != connection) {
        host.ack("c", first->id());
        first = host.next_event("c", 10s);
    }
    CHECK(first && first->id() != 0 && member(first->text(), "event") == "connection.created");
    CHECK(host.next_event("c", 10s)->id() == first->id());
    thrown<std::domain_error>([&] {
        host.handle_event("c", 10s, [](const psa::event &) { throw std::domain_error("not now"); });
    });
    std::uint64_t handled = 0;
    CHECK(host.handle_event("c", 10s, [&](const psa::event &event) { handled = event.id(); }));
    CHECK(handled == first->id());
    CHECK(!host.next_event("c", 1ms) && !host.try_next_event("c", 0ms).value());
    CHECK(!host.handle_event("c", -1ms, [](const psa::event &) { CHECK(false); }));
    // Another consumer has seen nothing yet.
    CHECK(host.next_event(std::string("other"), 10s).has_value());
}

static void wrong(const psa::host &host) {
    thrown<psa::invalid_argument>([&] { host.next_event("", 1ms); });
    CHECK(host.try_next_event("\xff", 1ms).error().reason() == "not_utf8");
    const auto unread = thrown<psa::invalid_argument>([&] { host.ack("\xff", 1); });
    CHECK(unread.message() == "psa_host_ack_event answered invalid_argument");
}

// The thread that waits for events ends when the host closes.
static void closing_ends_the_wait(const psa::host &host) {
    std::promise<void> waits;
    std::thread thread([&] {
        waits.set_value();
        const auto ended = host.try_next_event("late", 600s);
        CHECK(ended ? ended.value().has_value() : ended.error().code() == psa::code::closed);
        thrown<psa::closed>([&] {
            while (host.handle_event("late", 600s, [](const psa::event &) {})) {
            }
        });
    });
    waits.get_future().get();
    host.close();
    thread.join();
}

void events(const arguments &with) {
    const psa::host host(with.config);
    come_again_until_acknowledged(host);
    wrong(host);
    closing_ends_the_wait(host);
}
