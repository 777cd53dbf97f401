/* psa_host/submit.hpp: calls that nobody waits for, in C++17. psa_host.hpp includes it.
 *
 * Holds: psa::name and psa::pending; in psa::detail what is alive while a submitted call runs.
 * Promises: each completion is used exactly once; what a call needs lives until it is done, whatever becomes of the host
 * or the future.
 */
#ifndef PSA_HOST_SUBMIT_HPP
#define PSA_HOST_SUBMIT_HPP

#include "parts.hpp"

#include <future>
#include <type_traits>

namespace psa {

/* The name of a method or a consumer: a literal or a std::string. It ends at the first NUL. */
struct name {
    name(const char *from) noexcept : text(from) {}
    name(const std::string &from) noexcept : text(from.c_str()) {}
    const char *text;
};

/* A future that knows the id of its call, for host::cancel; usable as a std::future<T>. */
template <class T>
class pending : public std::future<T> {
public:
    pending(std::future<T> from, std::uint64_t id) noexcept : std::future<T>(std::move(from)), id_(id) {}

    /* 0: the call could not even be started; get() says why. */
    std::uint64_t id() const noexcept { return id_; }

private:
    std::uint64_t id_;
};

namespace detail {

/* ---- outcomes --------------------------------------------------------------------------------------- */

inline error failed(psa_code how, const reply &why, std::exception_ptr cause = nullptr) {
    return error(how, psa_reply_message(why.native()), std::string(why.text()), std::move(cause));
}

inline result<reply> outcome(psa_code how, reply answer, passed_options &options) {
    if (how == PSA_OK) {
        return answer;
    }
    return failed(how, answer, options.cause());
}

inline result<http_response> http_outcome(psa_code how, const reply &answer) {
    if (how == PSA_OK) {
        return response_of(answer);
    }
    return failed(how, answer);
}

/* What a future gives, made of a reply. psa_host_json.hpp adds one more. */
template <class T>
T as(reply from);

template <>
inline reply as<reply>(reply from) {
    return from;
}

template <>
inline http_response as<http_response>(reply from) {
    return response_of(from);
}

/* A completion that takes a T, as one that takes a reply. */
template <class T, class Done>
auto taking(Done done) {
    return [done = std::move(done)](result<reply> ended) mutable {
        done(ended ? result<T>(as<T>(std::move(ended).value())) : ended.error());
    };
}

/* ---- a submitted call ------------------------------------------------------------------------------- */

template <class Done, class T>
using if_takes = std::enable_if_t<std::is_invocable_v<Done &, result<T>>, int>;

/* Owned by the host from the moment the call is accepted until its psa_done runs. */
template <class Done>
class submitted {
public:
    submitted(options how, Done done, const hook_table *hooks)
        : how_(std::move(how)), passed_(how_), done_(std::move(done)), hooks_(hooks) {}

    const psa_call_options *options_passed() const noexcept { return passed_.get(); }

    static void run(void *ctx, std::uint64_t, psa_code how, psa_reply *owned) noexcept {
        const std::unique_ptr<submitted> self(static_cast<submitted *>(ctx));
        reply answer(owned);
        try {
            self->done_(outcome(how, std::move(answer), self->passed_));
        } catch (...) {
            self->hooks_->log_exception("the completion of a submitted call");
        }
    }

private:
    options how_;
    passed_options passed_;
    Done done_;
    const hook_table *hooks_; /* Lives until the host is closed, and a host closes after its last completion. */
};

/* How psa_host_submit is called. */
struct starts_method {
    psa_host *handle;
    name method;
    std::string_view params;

    psa_code operator()(const psa_call_options *how, psa_done done, std::uint64_t *id, psa_reply **why) const noexcept {
        return psa_host_submit(handle, method.text, bytes(params), how, done, id, why);
    }
};

/* How the doors' forms of it are called; they know no options. */
struct starts_page {
    psa_host *handle;
    std::string_view who;
    const psa_http_request *request;

    psa_code operator()(const psa_call_options *, psa_done done, std::uint64_t *id, psa_reply **why) const noexcept {
        return psa_host_submit_page(handle, bytes(who), request, done, id, why);
    }
};

struct starts_callback {
    psa_host *handle;
    const psa_http_request *request;

    psa_code operator()(const psa_call_options *, psa_done done, std::uint64_t *id, psa_reply **why) const noexcept {
        return psa_host_submit_callback(handle, request, done, id, why);
    }
};

/* Starts a call: starts is one of the functions of psa_host.h that submit. */
template <class Starts, class Done>
result<std::uint64_t> start(const Starts &starts, options how, Done done, const hook_table *hooks) {
    auto waiting = std::make_unique<submitted<Done>>(std::move(how), std::move(done), hooks);
    std::uint64_t id = 0;
    psa_reply *why = nullptr;
    const psa_done told = {waiting.get(), submitted<Done>::run};
    const psa_code ended = starts(waiting->options_passed(), told, &id, &why);
    reply answer(why);
    if (ended != PSA_OK) {
        return failed(ended, answer);
    }
    /* Perhaps it has run already and is gone. */
    static_cast<void>(waiting.release());
    return id;
}

/* ---- futures ---------------------------------------------------------------------------------------- */

template <class T>
using give_function = void (*)(std::promise<T> &, result<reply>);

template <class T>
void give(std::promise<T> &to, result<reply> ended) {
    if (ended) {
        to.set_value(as<T>(std::move(ended).value()));
    } else {
        to.set_exception(ended.error().as_exception());
    }
}

template <class T>
void give_result(std::promise<result<T>> &to, result<reply> ended) {
    if (ended) {
        to.set_value(as<T>(std::move(ended).value()));
    } else {
        to.set_value(ended.error());
    }
}

/* The future of a call that could not be started. */
template <class T>
pending<T> refused(const error &why, give_function<T> give_to) {
    std::promise<T> promise;
    give_to(promise, why);
    return {promise.get_future(), 0};
}

template <class T, class Starts>
pending<T> future_of(const Starts &starts, options how, give_function<T> give_to, const hook_table *hooks) {
    std::promise<T> promise;
    std::future<T> future = promise.get_future();
    auto done = [promise = std::move(promise), give_to](result<reply> ended) mutable { give_to(promise, std::move(ended)); };
    const result<std::uint64_t> started = start(starts, std::move(how), std::move(done), hooks);
    return started ? pending<T>(std::move(future), *started) : refused<T>(started.error(), give_to);
}

} // namespace detail
} // namespace psa

#endif // PSA_HOST_SUBMIT_HPP
