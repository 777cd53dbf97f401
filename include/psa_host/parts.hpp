/* psa_host/parts.hpp: what goes into a call and what comes out of it, in C++17. psa_host.hpp includes it.
 *
 * Holds: psa::reply, psa::http_request and http_response, psa::reader and writer, psa::options, psa::hooks.
 * Promises: no exception of the product's functions crosses into the host: each is caught, and kept or logged.
 */
#ifndef PSA_HOST_PARTS_HPP
#define PSA_HOST_PARTS_HPP

#include "error.hpp"

#include <functional>
#include <istream>
#include <mutex>
#include <ostream>

namespace psa {

/* ---- replies ---------------------------------------------------------------------------------------- */

/* The answer of a call or an event: JSON in memory of the host's. Movable; independent of the host, may outlive it;
 * one thread at a time. One that was moved from is "{}". */
class reply {
public:
    /* Takes over what a function of psa_host.h has given; frees it in the end. */
    explicit reply(psa_reply *owned) noexcept : held_(owned) {}

    /* The JSON, UTF-8. Lives as long as this reply does. */
    std::string_view text() const noexcept {
        std::size_t length = 0;
        const char *first = psa_reply_json(held_.get(), &length);
        return {first, length};
    }

    /* The same, NUL-terminated. */
    const char *c_str() const noexcept { return psa_reply_json(held_.get(), nullptr); }

    /* Of an event: its id, for host::ack. Of a submitted call: the call's id. 0 for others. */
    std::uint64_t id() const noexcept { return psa_reply_id(held_.get()); }

    /* For functions of psa_host.h; still owned by this reply. */
    const psa_reply *native() const noexcept { return held_.get(); }

private:
    struct release {
        void operator()(psa_reply *owned) const noexcept { psa_reply_free(owned); }
    };
    std::unique_ptr<psa_reply, release> held_;
};

using event = reply;

/* ---- HTTP ------------------------------------------------------------------------------------------- */

/* A request that came in at the product's HTTP server. Only read during the call, so views are enough. */
struct http_request {
    std::string_view method; /* "POST" */
    std::string_view url;    /* Path and raw query, percent-encoded as they came; of the page: below the mount */
    std::vector<std::pair<std::string_view, std::string_view>> headers; /* As they came; a name may come twice */
    std::string_view body;                                              /* Byte for byte */
};

/* What the product's server is to send, as it is. */
struct http_response {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers; /* Names in lower case; a name may come twice */
    std::string body;
};

namespace detail {

inline psa_bytes bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

inline std::string_view view(psa_bytes from) noexcept {
    return {reinterpret_cast<const char *>(from.ptr), from.len};
}

/* A request as C reads it; the pointers lead into the request it was made of. */
class passed_request {
public:
    explicit passed_request(const http_request &from) {
        for (const auto &[name, value] : from.headers) {
            headers_.push_back({bytes(name), bytes(value), bytes({}), 0, 0});
        }
        body_ = {bytes(from.body), PSA_FROM_BYTES, PSA_RAW};
        passed_.size = sizeof passed_;
        passed_.method = bytes(from.method);
        passed_.url = bytes(from.url);
        passed_.headers = headers_.data();
        passed_.header_count = headers_.size();
        passed_.body = &body_;
        passed_.body_count = 1;
    }
    passed_request(const passed_request &) = delete;
    passed_request &operator=(const passed_request &) = delete;

    const psa_http_request *get() const noexcept { return &passed_; }

private:
    std::vector<psa_header> headers_;
    psa_chunk body_{};
    psa_http_request passed_{};
};

inline http_response response_of(const reply &from) {
    http_response made;
    if (const psa_http_response *http = psa_reply_http(from.native())) {
        made.status = static_cast<int>(http->status);
        made.body = view(http->body);
        for (std::size_t index = 0; index < http->header_count; index++) {
            made.headers.emplace_back(view(http->headers[index].name), view(http->headers[index].value));
        }
    }
    return made;
}

} // namespace detail

/* ---- streams ---------------------------------------------------------------------------------------- */

/* Bytes into a call (an upload). read fills at most capacity bytes and returns how many, 0 at the end; it may block. To
 * give up, throw: the call then ends as cancelled, or as outcome_unknown if some of a write had left, and cause() of
 * its error has the exception. Runs on a thread of the host's, one call at a time, never after the call is done. */
struct reader {
    std::function<std::size_t(char *buffer, std::size_t capacity)> read;
    std::optional<std::uint64_t> length; /* In all, if known: then there must be exactly so many */

    /* From a stream, which must live until the call is done. */
    static reader from(std::istream &in, std::optional<std::uint64_t> length = std::nullopt) {
        const auto read = [&in](char *buffer, std::size_t capacity) {
            in.read(buffer, static_cast<std::streamsize>(capacity));
            const auto count = static_cast<std::size_t>(in.gcount());
            if (count == 0 && !in.eof()) {
                throw std::ios_base::failure("the stream of an upload cannot be read");
            }
            return count;
        };
        return {read, length};
    }

    /* From a descriptor (a file, pipe or socket), to its end. The product closes it after the call is done. */
    static reader from(int descriptor, std::optional<std::uint64_t> length = std::nullopt) {
        const auto read = [descriptor](char *buffer, std::size_t capacity) {
            void *const ctx = reinterpret_cast<void *>(static_cast<std::intptr_t>(descriptor));
            const std::int64_t count = psa_fd_read(ctx, reinterpret_cast<std::uint8_t *>(buffer), capacity);
            if (count < 0) {
                throw std::ios_base::failure("the descriptor of an upload cannot be read");
            }
            return static_cast<std::size_t>(count);
        };
        return {read, length};
    }
};

/* Bytes out of a call (a download). write takes all of them; it may block. To give up, throw: as for a reader. Runs on
 * a thread of the host's, one call at a time. If the call fails, what came is not the whole. */
struct writer {
    std::function<void(std::string_view bytes)> write;

    /* To a stream, which must live until the call is done. Not flushed. */
    static writer to(std::ostream &out) {
        const auto write = [&out](std::string_view bytes) {
            if (!out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
                throw std::ios_base::failure("the stream of a download cannot be written");
            }
        };
        return {write};
    }

    /* To a descriptor. The product closes it after the call is done. */
    static writer to(int descriptor) {
        const auto write = [descriptor](std::string_view from) {
            void *const ctx = reinterpret_cast<void *>(static_cast<std::intptr_t>(descriptor));
            const psa_bytes all = {reinterpret_cast<const std::uint8_t *>(from.data()), from.size()};
            if (psa_fd_write(ctx, all) != PSA_OK) {
                throw std::ios_base::failure("the descriptor of a download cannot be written");
            }
        };
        return {write};
    }
};

/* ---- options ---------------------------------------------------------------------------------------- */

/* How to run a call. */
struct options {
    std::optional<std::chrono::milliseconds> timeout; /* Left out: as configured */
    std::string trace_id;                             /* UTF-8, at most 128 bytes; appears in logs */

    /* Asked about every 50 ms on the calling thread while call waits; false, or an exception: cancel. Not asked for
     * submitted calls. */
    std::function<bool()> keep_going;

    reader input;  /* For the methods that take one ("methods.list"); for others invalid_argument */
    writer output; /* For the methods that give one; for others invalid_argument */
};

namespace detail {

/* As C counts time; least is 1 where 0 means something else than a short time. */
inline std::uint32_t milliseconds(std::chrono::milliseconds time, std::uint32_t least = 0) noexcept {
    constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
    if (time.count() < least) {
        return least;
    }
    return time.count() < most ? static_cast<std::uint32_t>(time.count()) : most;
}

/* The options of one call as C reads them. Stays where it is, beside the options, until the call is done. */
class passed_options {
public:
    explicit passed_options(const options &from) : from_(from) {
        passed_.size = sizeof passed_;
        passed_.timeout_ms = from.timeout ? milliseconds(*from.timeout, 1) : 0;
        passed_.trace_id = bytes(from.trace_id);
        passed_.ctx = this;
        if (from.keep_going) {
            passed_.keep_going = keep_going;
        }
        if (from.input.read) {
            input_ = {this, read, from.input.length.value_or(std::numeric_limits<std::uint64_t>::max())};
            passed_.input = &input_;
        }
        if (from.output.write) {
            output_ = {this, write};
            passed_.output = &output_;
        }
    }
    passed_options(const passed_options &) = delete;
    passed_options &operator=(const passed_options &) = delete;

    const psa_call_options *get() const noexcept { return &passed_; }

    /* What ended the call, if it was one of the product's functions. Read it when the call is done. */
    std::exception_ptr cause() {
        const std::lock_guard<std::mutex> lock(mutex_);
        return cause_;
    }

private:
    static passed_options &of(void *ctx) noexcept { return *static_cast<passed_options *>(ctx); }

    /* Inside of a handler: the first exception is the cause. */
    void keep_cause() noexcept {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!cause_) {
            cause_ = std::current_exception();
        }
    }

    static std::int32_t keep_going(void *ctx) noexcept {
        try {
            return of(ctx).from_.keep_going() ? 1 : 0;
        } catch (...) {
            of(ctx).keep_cause();
            return 0;
        }
    }

    static std::int64_t read(void *ctx, std::uint8_t *buffer, std::size_t capacity) noexcept {
        try {
            return static_cast<std::int64_t>(of(ctx).from_.input.read(reinterpret_cast<char *>(buffer), capacity));
        } catch (...) {
            of(ctx).keep_cause();
            return -1;
        }
    }

    static psa_code write(void *ctx, psa_bytes from) noexcept {
        try {
            of(ctx).from_.output.write(view(from));
            return PSA_OK;
        } catch (...) {
            of(ctx).keep_cause();
            return PSA_CANCELLED;
        }
    }

    const options &from_;
    psa_call_options passed_{};
    psa_reader input_{};
    psa_writer output_{};
    std::mutex mutex_;
    std::exception_ptr cause_;
};

} // namespace detail

/* ---- hooks ------------------------------------------------------------------------------------------ */

enum class log_level : std::uint32_t {
    error = PSA_LOG_ERROR, /* Something failed and somebody must look */
    warn = PSA_LOG_WARN,   /* Something is odd, work goes on */
    info = PSA_LOG_INFO,   /* One line of the normal course */
    debug = PSA_LOG_DEBUG  /* For whoever looks for a fault */
};

/* What the host may ask or tell the product from the moment it opens until it is closed. Kept alive so long. They may run
 * on any thread, log also at the same time, and must not call into the host. */
struct hooks {
    /* Empty: lines wait for psa_host_next_log. */
    std::function<void(log_level level, std::string_view target, std::string_view text)> log;

    /* The vault's keyring: one Fernet key per line, the newest first, 64 KiB at most. Empty: the configuration's
     * vault.key_file, then the variable PSA_KEY. The returned text is overwritten once it is copied. */
    std::function<std::string()> vault_keys;
};

namespace detail {

/* The hooks as C calls them, and the place for exceptions that nobody waits for. */
class hook_table {
public:
    explicit hook_table(hooks from) : from_(std::move(from)) {
        passed_.size = sizeof passed_;
        passed_.ctx = this;
        passed_.log_message = from_.log ? log_message : nullptr;
        passed_.vault_keys = from_.vault_keys ? vault_keys : nullptr;
    }
    hook_table(const hook_table &) = delete;
    hook_table &operator=(const hook_table &) = delete;

    const psa_hooks *get() const noexcept { return &passed_; }

    /* Inside of a handler: logs what one of the product's functions threw. */
    void log_exception(const char *what) const noexcept {
        try {
            std::string text(what);
            try {
                throw;
            } catch (const std::exception &thrown) {
                text.append(" threw: ").append(thrown.what());
            } catch (...) {
                text += " threw something that is no std::exception";
            }
            if (from_.log) {
                from_.log(log_level::error, "psa_host.hpp", text);
            }
        } catch (...) {
            /* The log itself throws: there is nobody left to tell. */
        }
    }

private:
    static void log_message(void *ctx, std::uint32_t level, psa_bytes target, psa_bytes text) noexcept {
        try {
            static_cast<hook_table *>(ctx)->from_.log(static_cast<log_level>(level), view(target), view(text));
        } catch (...) {
            /* As above. */
        }
    }

    static psa_code vault_keys(void *ctx, std::uint8_t *buffer, std::size_t capacity, std::size_t *len) noexcept {
        const auto &table = *static_cast<hook_table *>(ctx);
        try {
            std::string keys = table.from_.vault_keys();
            *len = keys.size();
            volatile char *left = keys.data();
            for (std::size_t index = 0; index < keys.size(); index++) {
                if (index < capacity) {
                    buffer[index] = static_cast<std::uint8_t>(keys[index]);
                }
                left[index] = 0;
            }
            return PSA_OK;
        } catch (...) {
            table.log_exception("the hook vault_keys");
            return PSA_INTERNAL;
        }
    }

    hooks from_;
    psa_hooks passed_{};
};

} // namespace detail
} // namespace psa

#endif // PSA_HOST_PARTS_HPP
