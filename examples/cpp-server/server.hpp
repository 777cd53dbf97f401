// A small HTTP server on Boost.Beast: reads one request after the other, within limits, byte for byte as they came.
#pragma once

#include <boost/asio.hpp>
#include <boost/beast.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

namespace net = boost::asio;
namespace http = boost::beast::http;

using request = http::request<http::string_body>;
using response = http::response<http::string_body>;

// How many requests are being answered, so that a server can end behind the last answer.
class running {
public:
    void begin() {
        const std::lock_guard<std::mutex> lock(mutex_);
        count_++;
    }

    void end() {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (--count_ == 0) {
            none_.notify_all();
        }
    }

    // Waits until there is none, at most so long.
    void wait_for(std::chrono::milliseconds most) {
        std::unique_lock<std::mutex> lock(mutex_);
        none_.wait_for(lock, most, [this] { return count_ == 0; });
    }

private:
    std::mutex mutex_;
    std::condition_variable none_;
    std::size_t count_ = 0;
};

// What the server leaves to the product.
struct site {
    // The longest body, in bytes, of a request whose head has come. At most body_bytes_max.
    std::function<std::uint64_t(const http::request_header<> &)> body_limit;

    // Answers a request by calling `send` once, now or later, on any thread.
    std::function<void(request, std::function<void(response)> send)> answer;

    running &requests;
};

constexpr std::uint64_t body_bytes_max = 1024 * 1024;

// Accepts connections until the io_context stops.
void serve(net::io_context &io, net::ip::tcp::acceptor &acceptor, const site &site);

// An answer of the server's own, as text.
response plain(http::status status, const std::string &text);
