// Hooks and lives: moved, closed twice, two in one process, after a fork.
#include "check.hpp"

#include <atomic>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

static const std::string KEY = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=\n";

// The configuration with a folder of its own and without a key file: the key must come from the hook.
static std::string keyless(std::string config) {
    const std::size_t vault = config.find("\"vault\":");
    CHECK(vault != std::string::npos);
    config.erase(vault, config.find('}', vault) + 1 - vault).insert(vault, "\"vault\":{}");
    const std::string folder = member(config, "data_dir");
    return config.insert(config.find(folder) + folder.size(), "-keyless");
}

void hooks(const arguments &with) {
    std::atomic<int> asked{0}, logged{0};
    psa::hooks hooks;
    hooks.log = [&](psa::log_level, std::string_view, std::string_view) -> void {
        logged++;
        throw std::runtime_error("the log is full");
    };
    hooks.vault_keys = [&]() -> std::string {
        asked++;
        return KEY;
    };
    {
        const psa::host host(keyless(with.other_config), hooks);
        connected(host, "codes");
        CHECK(asked > 0 && logged > 0);
    }
    std::string said;
    hooks.log = [&](psa::log_level, std::string_view, std::string_view text) { said += text; };
    hooks.vault_keys = []() -> std::string { throw std::runtime_error("the key service is closed"); };
    const auto opened = psa::host::try_open(keyless(with.other_config), hooks);
    CHECK(opened.error().code() == psa::code::unreadable);
    CHECK(holds(said, "the hook vault_keys threw: the key service is closed"));
    hooks.vault_keys = [] { return std::string(1 << 17, 'k'); };
    CHECK(holds(psa::host::try_open(keyless(with.other_config), hooks).error().message(), "at most 65536 bytes"));
}

static void moved(const arguments &with) {
    static_assert(!std::is_copy_constructible_v<psa::host> && !std::is_copy_assignable_v<psa::host>);
    static_assert(std::is_nothrow_move_constructible_v<psa::host> && std::is_nothrow_move_assignable_v<psa::host>);
    const auto first = std::make_shared<int>(0), second = std::make_shared<int>(0);
    psa::hooks hooks;
    hooks.log = [first](psa::log_level, std::string_view, std::string_view) {};
    psa::host from(with.config, hooks);
    hooks.log = [second](psa::log_level, std::string_view, std::string_view) {};
    psa::host to(with.other_config, std::move(hooks));
    hooks = {};
    auto waiting = to.submit("tickets.get", ticket(connected(to, "codes"), "sleep"));
    CHECK(from && to && first.use_count() > 1 && second.use_count() > 1);
    to = std::move(from);
    // What was there has closed, and what came in works.
    thrown<psa::closed>([&] { waiting.get(); });
    CHECK(second.use_count() == 1 && first.use_count() > 1);
    CHECK(to.try_call("methods.list") && to.native() != nullptr);
    psa::host last(std::move(to));
    for (const psa::host *empty : {&from, &to}) {
        CHECK(!*empty && empty->native() == nullptr);
        CHECK(thrown<psa::invalid_argument>([&] { empty->call("methods.list"); }).message() == "the host is NULL");
        thrown<psa::invalid_argument>([&] { empty->submit("methods.list").get(); });
        CHECK(!empty->try_submit("methods.list", "{}", [](psa::result<psa::reply>) { CHECK(false); }));
        CHECK(!empty->try_cancel(1) && !empty->try_next_event("c", {}) && !empty->try_ack("c", 1));
        CHECK(!empty->try_page("", {}) && !empty->try_callback({}) && !empty->try_add_plugin(nullptr));
        CHECK(empty->try_close());
    }
    psa::reply reply = last.call("methods.list");
    const psa::reply kept = std::move(reply);
    CHECK(reply.text() == "{}" && reply.id() == 0 && kept.text().size() > 2);
    CHECK(last.try_add_plugin(nullptr).error().code() == psa::code::conflict);
    last = psa::host();
    CHECK(!last && first.use_count() == 1);
}

// Two hosts, each with its own callback thread and data.
static void two(const arguments &with) {
    const psa::host one(with.config), other(with.other_config);
    const std::string first = connected(one, "codes"), second = connected(other, "codes");
    std::promise<std::thread::id> threads[2];
    const auto tell = [](std::promise<std::thread::id> &to) {
        return [&to](psa::result<psa::reply> ended) {
            CHECK(ended);
            to.set_value(std::this_thread::get_id());
        };
    };
    one.submit("tickets.get", ticket(first, "x"), tell(threads[0]));
    other.submit("tickets.get", ticket(second, "x"), tell(threads[1]));
    CHECK(threads[0].get_future().get() != threads[1].get_future().get());
    thrown<psa::not_found>([&] { other.call("tickets.get", ticket(first, "x")); });
    one.close();
    CHECK(one.try_close() && other.try_call("tickets.get", ticket(second, "x")));
    thrown<psa::closed>([&] { one.close(), one.call("methods.list"); });
}

// AddressSanitizer's allocator may be locked by another thread when the process forks, and stays so in the child.
#if defined(__SANITIZE_ADDRESS__)
static void forked(const arguments &) {}
#else
static void forked(const arguments &with) {
    psa::host host(with.config);
    const pid_t process = fork();
    CHECK(process >= 0);
    if (process == 0) {
        CHECK(thrown<psa::closed>([&] { host.call("methods.list"); }).reason() == "forked");
        thrown<psa::closed>([&] { host.submit("methods.list").get(); });
        thrown<psa::closed>([&] { host.close(); });
        host = psa::host();
        // No exit: what the parent's threads hold would count as leaked.
        raise(SIGKILL);
    }
    int status = 0;
    CHECK(waitpid(process, &status, 0) == process && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK(host.try_call("methods.list"));
}
#endif

void lives(const arguments &with) {
    moved(with);
    two(with);
    forked(with);
}
