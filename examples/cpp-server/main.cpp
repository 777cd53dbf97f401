// A product in C++ with a server of its own: mounts the Integrations page and the callback door, prints what happens.
//
// Usage: cpp-server CONFIG [MOUNT] [PORT]
//   CONFIG  file with the host's configuration; callbacks.address is filled in if it is missing
//   MOUNT   path of the page, "/" if left out
//   PORT    on 127.0.0.1; a free one if left out
#include "desk.hpp"

#include <fstream>
#include <iostream>
#include <thread>

namespace {

void log_line(psa::log_level level, std::string_view target, std::string_view text) {
    if (level <= psa::log_level::warn) {
        std::cerr << "[" << target << "] " << text << std::endl;
    }
}

// An event that is not acknowledged comes again, so nothing is lost if this throws or the process dies.
void print_events(const psa::host &host) {
    try {
        for (;;) {
            host.handle_event("cpp-server", std::chrono::minutes(1), [](const psa::event &event) {
                const psa::json told = psa::to_json(event);
                std::cout << "event: " << told.at("event").get<std::string>() << std::endl;
            });
        }
    } catch (const psa::closed &) {
        // The server ends.
    } catch (const std::exception &error) {
        std::cerr << "events are not printed any more: " << error.what() << std::endl;
    }
}

int run(psa::json config, std::string mount, unsigned short port) {
    net::io_context io;
    // On a strand, since it is closed by whoever runs the signal.
    net::ip::tcp::acceptor acceptor(net::make_strand(io), {net::ip::make_address("127.0.0.1"), port});
    const std::string origin = "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
    psa::json &address = config["callbacks"]["address"];
    if (address.is_null()) {
        address = origin + std::string(desk::hooks);
    }
    psa::hooks hooks;
    hooks.log = log_line;
    const psa::host host(config.dump(), hooks);
    desk desk(host, origin, mount);
    running running;
    const site site = {
        [&](const auto &head) { return desk.body_limit(head); },
        [&](request asked, auto send) { desk.answer(std::move(asked), std::move(send)); },
        running,
    };
    serve(io, acceptor, site);
    std::thread events([&] { print_events(host); });
    net::signal_set signals(acceptor.get_executor(), SIGINT, SIGTERM);
    std::promise<void> stop;
    signals.async_wait([&](auto, int) {
        acceptor.close();
        stop.set_value();
    });
    std::thread threads[2];
    for (auto &thread : threads) {
        thread = std::thread([&] { io.run(); });
    }
    std::cout << "the page is at " << origin << mount << "/ ; sign in at " << origin << "/login?user=ann" << std::endl;
    stop.get_future().wait();
    // What is being answered is answered; then nobody needs the connections any more.
    host.close(std::chrono::seconds(10));
    running.wait_for(std::chrono::seconds(5));
    io.stop();
    for (auto &thread : threads) {
        thread.join();
    }
    events.join();
    std::cout << "closed" << std::endl;
    return 0;
}

} // namespace

int main(int count, char **values) {
    if (count < 2 || count > 4) {
        std::cerr << "usage: cpp-server CONFIG [MOUNT] [PORT]" << std::endl;
        return 2;
    }
    try {
        std::string mount = count > 2 ? values[2] : "/";
        mount.erase(mount.find_last_not_of('/') + 1);
        const auto port = count > 3 ? static_cast<unsigned short>(std::stoul(values[3])) : 0;
        std::ifstream file(values[1]);
        return run(psa::json::parse(file), mount, static_cast<unsigned short>(port));
    } catch (const std::exception &error) {
        std::cerr << "cpp-server: " << error.what() << std::endl;
        return 1;
    }
}
