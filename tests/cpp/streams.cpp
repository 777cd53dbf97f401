// Uploads and downloads, by functions and by the streams of the standard library.
#include "check.hpp"

#include <sstream>
#include <unistd.h>

static std::string params(const std::string &connection, const std::string &more) {
    return R"({"tenant":"t","connection":")" + connection + "\"" + more + "}";
}

static const std::string ADD = R"(,"ticket":"1","title":"Log","file_name":"log.txt","public":false)";
static const std::string GET = R"(,"attachment":"1")";
constexpr std::size_t LENGTH = 1000000;

static void up(const psa::host &host, const std::string &add) {
    std::size_t left = LENGTH;
    psa::options how;
    how.input.length = LENGTH;
    how.input.read = [&](char *buffer, std::size_t capacity) {
        const std::size_t count = std::min(left, capacity);
        std::fill_n(buffer, count, 'y');
        left -= count;
        CHECK(host.try_close().error().code() == psa::code::invalid_argument);
        return count;
    };
    host.call("attachments.add", add, how);
    CHECK(left == 0);
    std::istringstream text(std::string(LENGTH, 'z'));
    how.input = psa::reader::from(text);
    host.call("attachments.add", add, how);
    CHECK(text.eof());
    // The options are the call's own until it is done.
    std::istringstream later(std::string(LENGTH, 'z'));
    how.input = psa::reader::from(later, LENGTH);
    auto sent = host.submit("attachments.add", add, std::move(how));
    how = {};
    sent.get();
    CHECK(later.peek() == std::char_traits<char>::eof());
}

static void up_in_vain(const psa::host &host, const std::string &add) {
    psa::options how;
    how.input.read = [](char *, std::size_t) -> std::size_t { throw std::domain_error("the disk is gone"); };
    const auto early = thrown<psa::cancelled>([&] { host.call("attachments.add", add, how); });
    thrown<std::domain_error>([&] { std::rethrow_exception(early.cause()); });
    std::size_t left = LENGTH;
    how.input.read = [&left](char *buffer, std::size_t capacity) {
        const std::size_t count = std::min(left, capacity);
        if (count == 0) {
            throw std::domain_error("the disk is gone");
        }
        std::fill_n(buffer, count, 'y');
        left -= count;
        return count;
    };
    // Some of it had left: nobody may repeat that blindly, and the exception does not hide it.
    const auto late = thrown<psa::outcome_unknown>([&] { host.submit("attachments.add", add, how).get(); });
    thrown<std::domain_error>([&] { std::rethrow_exception(late.cause()); });
    std::istringstream broken;
    broken.setstate(std::ios::failbit);
    how.input = psa::reader::from(broken);
    const auto unreadable = thrown<psa::cancelled>([&] { host.call("attachments.add", add, how); });
    thrown<std::ios_base::failure>([&] { std::rethrow_exception(unreadable.cause()); });
}

static void down(const psa::host &host, const std::string &get) {
    std::string got;
    psa::options how;
    how.output.write = [&got](std::string_view bytes) { got += bytes; };
    CHECK(holds(host.call("attachments.get", get, how).text(), "log.txt") && got == std::string(1000, 'x'));
    std::ostringstream text;
    how.output = psa::writer::to(text);
    host.submit("attachments.get", get, how).get();
    CHECK(text.str() == got);
    text.setstate(std::ios::badbit);
    const auto full = thrown<psa::cancelled>([&] { host.call("attachments.get", get, how); });
    thrown<std::ios_base::failure>([&] { std::rethrow_exception(full.cause()); });
}

// A pipe: what one call downloads, another uploads.
static void descriptors(const psa::host &host, const std::string &connection) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    psa::options to, from;
    to.output = psa::writer::to(ends[1]);
    from.input = psa::reader::from(ends[0]);
    auto sent = host.submit("attachments.add", params(connection, ADD), from);
    host.call("attachments.get", params(connection, GET), to);
    CHECK(close(ends[1]) == 0);
    sent.get();
    CHECK(close(ends[0]) == 0);
    const auto gone = thrown<psa::cancelled>([&] { host.call("attachments.get", params(connection, GET), to); });
    thrown<std::ios_base::failure>([&] { std::rethrow_exception(gone.cause()); });
    thrown<psa::cancelled>([&] { host.call("attachments.add", params(connection, ADD), from); });
}

void streams(const arguments &with) {
    const psa::host host(with.config);
    const std::string connection = connected(host, "stream", with.files);
    host.call("connections.test", params(connection, ""));
    up(host, params(connection, ADD));
    up_in_vain(host, params(connection, ADD));
    down(host, params(connection, GET));
    descriptors(host, connection);
    psa::options how;
    how.input.read = [](char *, std::size_t) { return std::size_t(0); };
    const auto none = thrown<psa::invalid_argument>([&] { host.call("methods.list", "{}", how); });
    CHECK(holds(none.message(), "methods.list takes no input"));
}
