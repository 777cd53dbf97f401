// Futures: many at once, cancelled, left over by their host; options of a call.
#include "check.hpp"

#include <atomic>

using namespace std::chrono_literals;

static void many_at_once(const psa::host &host, const std::string &connection, std::size_t count) {
    const std::string params = ticket(connection, "x");
    std::vector<std::future<psa::reply>> waiting;
    for (std::size_t index = 0; index < count; index++) {
        waiting.push_back(host.submit("tickets.get", params));
    }
    for (auto &one : waiting) {
        CHECK(holds(one.get().text(), "\"summary\":\"fine\""));
    }
}

static void from_many_threads(const psa::host &host, const std::string &connection) {
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int index = 0; index < 8; index++) {
        threads.emplace_back([&] {
            for (int round = 0; round < 20; round++) {
                auto later = host.try_submit("tickets.get", ticket(connection, round % 2 == 0 ? "x" : "code-4"));
                const auto now = host.try_call("tickets.get", ticket(connection, round % 2 == 0 ? "code-4" : "x"));
                right += later.get().has_value() != now.has_value() ? 1 : 0;
            }
        });
    }
    for (auto &thread : threads) {
        thread.join();
    }
    CHECK(right == 8 * 20);
}

static void cancelled(const psa::host &host, const std::string &connection) {
    auto sleeping = host.submit("tickets.get", ticket(connection, "sleep"));
    CHECK(sleeping.id() != 0 && sleeping.wait_for(0ms) == std::future_status::timeout);
    CHECK(host.cancel(sleeping.id()));
    thrown<psa::cancelled>([&] { sleeping.get(); });
    CHECK(!host.cancel(sleeping.id()));
    // By result: no exception anywhere.
    auto quiet = host.try_submit("tickets.get", ticket(connection, "sleep"));
    CHECK(*host.try_cancel(quiet.id()));
    CHECK(quiet.get().error().code() == psa::code::cancelled);
}

// What cannot be started is told in the same place.
static void refused(const psa::host &host) {
    auto wrong = host.submit("tickets.get", "[");
    CHECK(wrong.id() == 0 && wrong.wait_for(0ms) == std::future_status::ready);
    thrown<psa::invalid_argument>([&] { wrong.get(); });
    CHECK(host.try_submit(std::string("tickets.fly")).get().error().code() == psa::code::invalid_argument);
}

static void options(const psa::host &host, const std::string &connection) {
    const std::string sleep = ticket(connection, "sleep");
    psa::options how;
    how.timeout = 50ms;
    how.trace_id = "trace-1";
    thrown<psa::timeout>([&] { host.call("tickets.get", sleep, how); });
    // A time that is already over is short, and not as configured.
    how.timeout = -5ms;
    thrown<psa::timeout>([&] { host.call("tickets.get", sleep, how); });
    thrown<psa::timeout>([&] { host.submit("tickets.get", sleep, how).get(); });
    how.timeout = std::chrono::hours(24 * 365);
    CHECK(host.try_call("tickets.get", ticket(connection, "x"), how));
    how.timeout.reset();
    int asked = 0;
    how.keep_going = [&asked] { return ++asked < 3; };
    CHECK(!thrown<psa::cancelled>([&] { host.call("tickets.get", sleep, how); }).cause());
    CHECK(asked == 3);
    how.keep_going = []() -> bool { throw std::domain_error("stop it"); };
    const auto stopped = thrown<psa::cancelled>([&] { host.call("tickets.get", sleep, how); });
    thrown<std::domain_error>([&] { std::rethrow_exception(stopped.cause()); });
    how.trace_id = "\xff";
    thrown<psa::invalid_argument>([&] { host.call("tickets.get", ticket(connection, "x"), how); });
}

// All are in flight when the host closes, and one goes on to be read after it is gone.
static void left_over(const arguments &with) {
    std::vector<psa::pending<psa::result<psa::reply>>> waiting;
    std::optional<psa::reply> kept;
    {
        const psa::host host(with.config);
        const std::string connection = connected(host, "codes");
        kept = host.call("tickets.get", ticket(connection, "x"));
        for (std::size_t index = 0; index < with.in_flight; index++) {
            waiting.push_back(host.try_submit("tickets.get", ticket(connection, "sleep")));
        }
    }
    for (auto &one : waiting) {
        CHECK(one.wait_for(0ms) == std::future_status::ready);
        CHECK(one.get().error().code() == psa::code::closed);
    }
    CHECK(holds(kept->text(), "\"summary\":\"fine\"") && kept->text() == kept->c_str());
}

void futures(const arguments &with) {
    const psa::host host(with.config);
    const std::string connection = connected(host, "codes");
    many_at_once(host, connection, with.in_flight);
    from_many_threads(host, connection);
    cancelled(host, connection);
    refused(host);
    options(host, connection);
    host.close();
    CHECK(host.try_submit("methods.list").get().error().code() == psa::code::closed);
    left_over(with);
}
