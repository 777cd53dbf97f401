/* psa_host/error.hpp: how a call of the host ends, in C++17: codes, the tree of errors, and result.
 *
 * Holds: psa::code, psa::error with one class per code, psa::result. psa_host.hpp includes it.
 * Promises: needs the standard library only; copying an error or a result's error throws nothing.
 *
 *     catch (const psa::outcome_unknown &)   a write may have been applied: never repeat it blindly
 *     catch (const psa::rate_limited &e)     e.retry_after()
 *     catch (const psa::rejected &e)         e.fields()
 *     catch (const psa::error &e)            any of them; e.what() is "not_found: ..." for people
 */
#ifndef PSA_HOST_ERROR_HPP
#define PSA_HOST_ERROR_HPP

#include "../psa_host.h"
#include "error_json.hpp"

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace psa {

/* ---- codes ------------------------------------------------------------------------------------------ */

/* The codes of psa_common.h, with what each means there. Stable numbers and names. */
enum class code : psa_code {
    ok = PSA_OK,
    invalid_argument = PSA_INVALID_ARGUMENT,
    unauthenticated = PSA_UNAUTHENTICATED,
    forbidden = PSA_FORBIDDEN,
    not_found = PSA_NOT_FOUND,
    conflict = PSA_CONFLICT,
    rejected = PSA_REJECTED,
    rate_limited = PSA_RATE_LIMITED,
    not_sent = PSA_NOT_SENT,
    outcome_unknown = PSA_OUTCOME_UNKNOWN,
    unavailable = PSA_UNAVAILABLE,
    timeout = PSA_TIMEOUT,
    cancelled = PSA_CANCELLED,
    unsupported = PSA_UNSUPPORTED,
    rehearsed = PSA_REHEARSED,
    unreadable = PSA_UNREADABLE,
    internal = PSA_INTERNAL,
    closed = PSA_CLOSED,
    storage = PSA_STORAGE,
    too_large = PSA_TOO_LARGE
};

/* The stable name of a code, "outcome_unknown"; static. */
inline const char *to_string(code of) noexcept {
    return psa_code_name(static_cast<psa_code>(of));
}

/* ---- errors ----------------------------------------------------------------------------------------- */

/* How a call failed. Holds no secret and no text of a note. Thrown as one of the classes below, so that each can be
 * caught by itself. Copies share what they hold. */
class error : public std::runtime_error {
public:
    /* One of the product's own, or of this header's. */
    error(psa::code why, const std::string &message) : error(why, message, std::string(), nullptr) {}

    /* As the host has told it. json is the error JSON; an unknown number counts as internal. */
    error(psa_code number, const std::string &message, std::string json, std::exception_ptr cause)
        : error(known(number), message, std::move(json), std::move(cause)) {}

    psa::code code() const noexcept { return code_; }

    /* What was wrong, where, and what to do: a sentence for people. what() puts the code's name before it. */
    std::string_view message() const noexcept { return told_->message; }

    /* Refines the code, stable too: "too_late", "rebind"; empty if there is none. */
    std::string_view reason() const noexcept { return told_->reason; }

    /* The fields that were wrong, mostly of invalid_argument and rejected. */
    const std::vector<field_error> &fields() const noexcept { return told_->fields; }

    /* When to try again, counted from when the error was made; mostly of rate_limited. */
    std::optional<std::chrono::milliseconds> retry_after() const noexcept { return told_->retry_after; }

    /* HTTP status of the provider's answer, if it is what failed. */
    std::optional<int> provider_status() const noexcept { return told_->provider_status; }

    /* The id under which the provider's support finds the request; empty if there is none. */
    std::string_view provider_request_id() const noexcept { return told_->provider_request_id; }

    /* The whole error JSON, as in the header's schemas; empty for an error that did not come from the host. */
    std::string_view json() const noexcept { return told_->json; }

    /* What a reader, a writer or keep_going of the product threw, if that ended the call. */
    std::exception_ptr cause() const noexcept { return told_->cause; }

    /* True if a write that ended so may have been applied at the PSA all the same. */
    bool may_be_applied() const noexcept {
        return code_ == psa::code::outcome_unknown || code_ == psa::code::timeout || code_ == psa::code::cancelled ||
               code_ == psa::code::internal;
    }

    /* Throws the class of this code. */
    [[noreturn]] void raise() const;

    /* The same as a pointer, for a promise. */
    std::exception_ptr as_exception() const noexcept {
        try {
            raise();
        } catch (...) {
            return std::current_exception();
        }
    }

private:
    struct told : detail::error_json {
        std::string message, json;
        std::exception_ptr cause;
    };

    error(psa::code why, const std::string &message, std::string json, std::exception_ptr cause)
        : std::runtime_error(std::string(to_string(why)) + ": " + message), code_(why) {
        auto all = std::make_shared<told>();
        static_cast<detail::error_json &>(*all) = detail::read_error(json);
        all->message = message;
        all->json = std::move(json);
        all->cause = std::move(cause);
        told_ = std::move(all);
    }

    static psa::code known(psa_code number) noexcept {
        return number > PSA_OK && number <= PSA_TOO_LARGE ? static_cast<psa::code>(number) : psa::code::internal;
    }

    psa::code code_;
    std::shared_ptr<const told> told_;
};

/* An error of one code. Catch it by its name below. */
template <psa::code Code>
class error_of : public error {
public:
    explicit error_of(const error &from) : error(from) {}
};

using invalid_argument = error_of<code::invalid_argument>; /* The caller's mistake */
using unauthenticated = error_of<code::unauthenticated>;   /* Credentials refused */
using forbidden = error_of<code::forbidden>;               /* Not allowed, by the PSA or by the host's egress policy */
using not_found = error_of<code::not_found>;               /* What was named does not exist, or not for this tenant */
using conflict = error_of<code::conflict>;                 /* It contradicts something that is there */
using rejected = error_of<code::rejected>;                 /* The PSA's validation said no: see fields() */
using rate_limited = error_of<code::rate_limited>;         /* The PSA asks to slow down: see retry_after() */
using not_sent = error_of<code::not_sent>;                 /* Nothing left this machine: safe to repeat */
using outcome_unknown = error_of<code::outcome_unknown>;   /* A write may have been applied: never repeat blindly */
using unavailable = error_of<code::unavailable>;           /* The PSA, or the way to it, does not work now */
using timeout = error_of<code::timeout>;                   /* The time given for it is over */
using cancelled = error_of<code::cancelled>;               /* Somebody asked for its end */
using unsupported = error_of<code::unsupported>;           /* This plugin or platform cannot do it */
using rehearsed = error_of<code::rehearsed>;               /* The write was recorded instead of sent */
using unreadable = error_of<code::unreadable>;             /* Stored credentials cannot be decrypted */
using internal = error_of<code::internal>;                 /* A defect of the host or of a plugin */
using closed = error_of<code::closed>;                     /* The host is closed, or was opened before a fork */
using storage = error_of<code::storage>;                   /* Disk full, damaged, read-only, or of a newer library */
using too_large = error_of<code::too_large>;               /* Over a documented limit */

inline void error::raise() const {
    switch (code_) {
    case psa::code::invalid_argument: throw psa::invalid_argument(*this);
    case psa::code::unauthenticated: throw psa::unauthenticated(*this);
    case psa::code::forbidden: throw psa::forbidden(*this);
    case psa::code::not_found: throw psa::not_found(*this);
    case psa::code::conflict: throw psa::conflict(*this);
    case psa::code::rejected: throw psa::rejected(*this);
    case psa::code::rate_limited: throw psa::rate_limited(*this);
    case psa::code::not_sent: throw psa::not_sent(*this);
    case psa::code::outcome_unknown: throw psa::outcome_unknown(*this);
    case psa::code::unavailable: throw psa::unavailable(*this);
    case psa::code::timeout: throw psa::timeout(*this);
    case psa::code::cancelled: throw psa::cancelled(*this);
    case psa::code::unsupported: throw psa::unsupported(*this);
    case psa::code::rehearsed: throw psa::rehearsed(*this);
    case psa::code::unreadable: throw psa::unreadable(*this);
    case psa::code::closed: throw psa::closed(*this);
    case psa::code::storage: throw psa::storage(*this);
    case psa::code::too_large: throw psa::too_large(*this);
    case psa::code::ok: /* No error: whoever throws it has made a mistake. */
    case psa::code::internal: break;
    }
    throw psa::internal(*this);
}

/* ---- results ---------------------------------------------------------------------------------------- */

/* A value or an error, for code that does not throw. Reading the value of an error throws that error. */
template <class T>
class [[nodiscard]] result {
public:
    result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
    result(psa::error why) : held_(std::in_place_index<1>, std::move(why)) {}

    bool has_value() const noexcept { return held_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T &value() & { return check(), std::get<0>(held_); }
    const T &value() const & { return check(), std::get<0>(held_); }
    T &&value() && { return check(), std::get<0>(std::move(held_)); }

    T &operator*() & { return value(); }
    const T &operator*() const & { return value(); }
    T &&operator*() && { return std::move(*this).value(); }
    T *operator->() { return &value(); }
    const T *operator->() const { return &value(); }

    /* Only if there is no value; otherwise std::bad_variant_access. */
    const psa::error &error() const { return std::get<1>(held_); }

private:
    void check() const {
        if (const psa::error *why = std::get_if<1>(&held_)) {
            why->raise();
        }
    }

    std::variant<T, psa::error> held_;
};

/* The same for what has no value. */
template <>
class [[nodiscard]] result<void> {
public:
    result() = default;
    result(psa::error why) : held_(std::move(why)) {}

    bool has_value() const noexcept { return !held_; }
    explicit operator bool() const noexcept { return has_value(); }

    void value() const {
        if (held_) {
            held_->raise();
        }
    }

    /* Only if there is one; otherwise std::bad_optional_access. */
    const psa::error &error() const { return held_.value(); }

private:
    std::optional<psa::error> held_;
};

} // namespace psa

#endif // PSA_HOST_ERROR_HPP
