// Completions: functions of the product on the host's callback thread, and what they may throw.
#include "check.hpp"

#include <mutex>

// Remembers lines of the log.
struct remembered {
    std::mutex mutex;
    std::string lines;

    psa::hooks hooks() {
        psa::hooks made;
        made.log = [this](psa::log_level level, std::string_view target, std::string_view text) {
            const std::lock_guard<std::mutex> lock(mutex);
            lines += std::to_string(static_cast<int>(level)) + " " + std::string(target) + ": " + std::string(text) + "\n";
        };
        return made;
    }

    bool has(std::string_view part) {
        const std::lock_guard<std::mutex> lock(mutex);
        return holds(lines, part);
    }
};

static void once_with_the_outcome(const psa::host &host, const std::string &connection) {
    std::promise<std::string> right, wrong;
    const std::uint64_t id = host.submit("tickets.get", ticket(connection, "x"), [&](psa::result<psa::reply> ended) {
        right.set_value(std::to_string(ended->id()) + std::string(ended->text()));
    });
    const std::function<void(psa::result<psa::reply>)> told = [&](psa::result<psa::reply> ended) {
        wrong.set_value(ended.error().what());
    };
    CHECK(host.submit("tickets.get", ticket(connection, "code-6"), told) != id);
    const std::string text = right.get_future().get();
    CHECK(text.rfind(std::to_string(id) + "{", 0) == 0 && holds(text, "\"summary\":\"fine\""));
    CHECK(wrong.get_future().get() == "rejected: codes get_ticket: The summary is too long.");
}

// A completion may own what cannot be copied.
static void owns_what_moves(const psa::host &host, const std::string &connection) {
    auto promise = std::make_unique<std::promise<int>>();
    auto told = promise->get_future();
    host.submit("tickets.get", ticket(connection, "x"), [promise = std::move(promise)](psa::result<psa::reply>) {
        promise->set_value(7);
    });
    CHECK(told.get() == 7);
}

static void never_if_refused(const psa::host &host) {
    bool ran = false;
    const auto told = [&ran](psa::result<psa::reply>) { ran = true; };
    thrown<psa::invalid_argument>([&] { host.submit("tickets.get", "[", told); });
    CHECK(host.try_submit("tickets.fly", "{}", told).error().code() == psa::code::invalid_argument && !ran);
}

static void what_would_wait_for_itself_is_refused(const psa::host &host, const std::string &connection) {
    std::promise<void> done;
    host.submit("tickets.get", ticket(connection, "x"), [&](psa::result<psa::reply>) {
        CHECK(host.try_call("methods.list").error().reason() == "would_block");
        CHECK(host.try_next_event("c", {}).error().reason() == "would_block");
        CHECK(host.try_callback({"POST", "/x", {}, ""}).error().reason() == "would_block");
        CHECK(host.try_page("", {"GET", "/", {}, ""}).error().reason() == "would_block");
        CHECK(host.try_close().error().code() == psa::code::invalid_argument);
        // What does not wait goes on, and its future is made elsewhere.
        host.submit("methods.list", "{}", [&](psa::result<psa::reply> listed) {
            CHECK(listed);
            done.set_value();
        });
    });
    done.get_future().get();
}

static void what_they_throw_goes_to_the_log(const psa::host &host, const std::string &connection, remembered &log) {
    std::promise<void> done;
    const std::string params = ticket(connection, "x");
    host.submit("tickets.get", params, [](psa::result<psa::reply>) { throw std::runtime_error("out of paper"); });
    host.submit("tickets.get", params, [](psa::result<psa::reply>) { throw 7; });
    host.submit("tickets.get", ticket(connection, "code-4"), [](psa::result<psa::reply> ended) { ended.value(); });
    host.submit("tickets.get", params, [&](psa::result<psa::reply>) { done.set_value(); });
    done.get_future().get();
    host.close();
    CHECK(log.has("1 psa_host.hpp: the completion of a submitted call threw: out of paper\n"));
    CHECK(log.has("threw something that is no std::exception\n"));
    CHECK(log.has("threw: not_found: codes get_ticket"));
}

// The last owner of a host is a completion of its own.
static void closed_by_a_completion(const arguments &with) {
    auto token = std::make_shared<int>(0);
    const std::weak_ptr<int> lives = token;
    psa::hooks hooks;
    hooks.log = [token](psa::log_level, std::string_view, std::string_view) {};
    auto host = std::make_shared<psa::host>(with.config, std::move(hooks));
    const std::string connection = connected(*host, "codes");
    auto other = host->submit("tickets.get", ticket(connection, "sleep"));
    const std::weak_ptr<psa::host> open = host;
    std::promise<void> go_on;
    host->submit("tickets.get", ticket(connection, "x"),
                 [host, wait = go_on.get_future().share()](psa::result<psa::reply>) { wait.wait(); });
    host.reset();
    CHECK(!open.expired());
    go_on.set_value();
    thrown<psa::closed>([&] { other.get(); });
    token.reset();
    while (!lives.expired()) {
        std::this_thread::yield();
    }
    // All of it is closed: its folder can be opened and works.
    CHECK(psa::host(with.config).try_call("methods.list"));
}

void completions(const arguments &with) {
    remembered log;
    const psa::host host(with.config, log.hooks());
    const std::string connection = connected(host, "codes");
    once_with_the_outcome(host, connection);
    owns_what_moves(host, connection);
    never_if_refused(host);
    what_would_wait_for_itself_is_refused(host, connection);
    what_they_throw_goes_to_the_log(host, connection, log);
    closed_by_a_completion(with);
}
