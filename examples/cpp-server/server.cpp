#include "server.hpp"

#include <chrono>
#include <memory>
#include <optional>

namespace {

constexpr auto patience = std::chrono::seconds(30);
constexpr std::uint32_t head_bytes_max = 64 * 1024;

// One connection. Owns itself: it lives as long as something is to come back to it.
class connection : public std::enable_shared_from_this<connection> {
public:
    connection(net::ip::tcp::socket socket, const site &site) : stream_(std::move(socket)), site_(site) {}

    void read_head() {
        parser_.emplace();
        parser_->header_limit(head_bytes_max);
        // A longer Content-Length ends the reading of the head with an error.
        parser_->body_limit(body_bytes_max);
        stream_.expires_after(patience);
        http::async_read_header(stream_, buffer_, *parser_, [self = shared_from_this()](auto error, std::size_t) {
            error ? self->refuse(error) : self->read_body();
        });
    }

private:
    void read_body() {
        const std::uint64_t limit = site_.body_limit(parser_->get());
        if (parser_->content_length().value_or(0) > limit) {
            return refuse(http::error::body_limit);
        }
        // What comes in chunks has no length before: it is counted.
        parser_->body_limit(limit);
        if (parser_->get()[http::field::expect] == "100-continue") {
            const auto go_on = std::make_shared<http::response<http::empty_body>>(http::status::continue_, 11);
            return http::async_write(stream_, *go_on, [self = shared_from_this(), go_on](auto error, std::size_t) {
                if (!error) {
                    self->read_rest();
                }
            });
        }
        read_rest();
    }

    void read_rest() {
        http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](auto error, std::size_t) {
            error ? self->refuse(error) : self->answer();
        });
    }

    // The rest of the request is not read, so nothing behind it can be: the connection ends with the answer.
    void refuse(boost::beast::error_code error) {
        if (error == http::error::body_limit) {
            write(plain(http::status::payload_too_large, "The body is too long."), false);
        } else if (error == http::error::header_limit) {
            write(plain(http::status::request_header_fields_too_large, "The head is too long."), false);
        } else if (error.category() == boost::beast::error_code(http::error::bad_method).category() &&
                   error != http::error::end_of_stream && error != http::error::partial_message) {
            write(plain(http::status::bad_request, "This is not HTTP."), false);
        }
    }

    void answer() {
        stream_.expires_never();
        site_.requests.begin();
        const bool keep_alive = parser_->get().keep_alive();
        auto send = [self = shared_from_this(), keep_alive](response made) {
            // The answer may come from a thread of the host: back to the connection's own strand.
            net::post(self->stream_.get_executor(), [self, keep_alive, made = std::move(made)]() mutable {
                self->write(std::move(made), keep_alive, true);
            });
        };
        site_.answer(parser_->release(), std::move(send));
    }

    // counts: it is the answer to a request that was counted.
    void write(response made, bool keep_alive, bool counts = false) {
        const auto kept = std::make_shared<response>(std::move(made));
        kept->version(11);
        kept->keep_alive(keep_alive);
        stream_.expires_after(patience);
        http::async_write(stream_, *kept, [self = shared_from_this(), kept, keep_alive, counts](auto error, std::size_t) {
            if (counts) {
                self->site_.requests.end();
            }
            if (!error && keep_alive) {
                return self->read_head();
            }
            self->stream_.socket().shutdown(net::ip::tcp::socket::shutdown_send, error);
        });
    }

    boost::beast::tcp_stream stream_;
    boost::beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    const site &site_;
};

} // namespace

void serve(net::io_context &io, net::ip::tcp::acceptor &acceptor, const site &site) {
    acceptor.async_accept(net::make_strand(io), [&](auto error, net::ip::tcp::socket socket) {
        if (!acceptor.is_open()) {
            return;
        }
        if (!error) {
            std::make_shared<connection>(std::move(socket), site)->read_head();
        }
        serve(io, acceptor, site);
    });
}

response plain(http::status status, const std::string &text) {
    response made(status, 11);
    made.set(http::field::content_type, "text/plain; charset=utf-8");
    made.set(http::field::cache_control, "no-store");
    made.body() = text + "\n";
    made.prepare_payload();
    return made;
}
