/* psa_host.hpp: the host library in C++17, header-only over the C ABI of psa_host.h.
 *
 * Holds: psa::host. What goes in and comes out is in psa_host/parts.hpp, errors and results in psa_host/error.hpp; both
 * come with this header. JSON is text here; psa_host_json.hpp is for products that have nlohmann::json.
 *
 *     psa::host host(config);
 *     psa::reply ticket = host.call("tickets.get", params);       // throws a psa::error
 *     auto found = host.try_call("tickets.get", params);          // psa::result<psa::reply>
 *     auto later = host.submit("tickets.get", params);            // a std::future<psa::reply>, with an id to cancel by
 *
 * ERRORS. Each function that can fail has two forms: one throws, one is called try_... and returns a psa::result. Both can
 * throw std::bad_alloc; the try_ forms throw nothing else.
 *
 * THREADS. Every const function, and close, may be called from any thread at the same time. Moving and destroying may not.
 * Functions of the product that are handed in run where their comment says. From a completion, a reader or a writer, what
 * waits (call, page, callback, next_event, close) fails as invalid_argument with reason "would_block": use submit there.
 *
 * LIFETIME. Destroying a host ends its calls as closed and returns when their completions have run, so no future is ever left
 * unfinished, and a future or a reply may outlive its host. A host that is destroyed by a completion is closed by a thread
 * of its own. Calls on a host that was moved from fail as invalid_argument.
 *
 * FORK. In the child everything fails as closed, and destroying does nothing; open another host there.
 */
#ifndef PSA_HOST_HPP
#define PSA_HOST_HPP

#include "psa_host/parts.hpp"
#include "psa_host/submit.hpp"

#include <thread>

namespace psa {

/* Version of the loaded library, "1.4.0". */
inline std::string_view version() noexcept {
    return psa_host_version();
}

/* An opened host. Several may live in one process. */
class host {
public:
    /* One that is not open. */
    host() noexcept = default;

    /* Opens one from its configuration JSON (schema "config"). */
    explicit host(std::string_view config, hooks with = {}) : host(try_open(config, std::move(with)).value()) {}

    static result<host> try_open(std::string_view config, hooks with = {}) {
        if (psa_host_abi() >> 16 != PSA_ABI_MAJOR) {
            return error(code::unsupported, "the libpsa_host that was loaded, " + std::string(version()) +
                                                ", has another ABI than the headers that this program was compiled with");
        }
        host opened;
        opened.hooks_ = std::make_unique<detail::hook_table>(std::move(with));
        psa_reply *why = nullptr;
        const psa_code ended = psa_host_open(detail::bytes(config), opened.hooks_->get(), &opened.handle_, &why);
        reply answer(why);
        if (ended != PSA_OK) {
            return detail::failed(ended, answer);
        }
        return opened;
    }

    host(host &&from) noexcept : hooks_(std::move(from.hooks_)), handle_(std::exchange(from.handle_, nullptr)) {}

    host &operator=(host &&from) noexcept {
        host old(std::move(*this));
        hooks_ = std::move(from.hooks_);
        handle_ = std::exchange(from.handle_, nullptr);
        return *this;
    }

    ~host() {
        /* The one thing that is invalid about a handle that is there: this thread runs a completion. */
        if (handle_ != nullptr && psa_host_close(handle_, 0) == PSA_INVALID_ARGUMENT) {
            free_elsewhere();
        } else {
            psa_host_free(handle_);
        }
    }

    /* True if it was opened and not moved from. */
    explicit operator bool() const noexcept { return handle_ != nullptr; }

    /* For functions of psa_host.h, such as psa_host_take for an event loop; still owned by this host. */
    psa_host *native() const noexcept { return handle_; }

    /* ---- closing ------------------------------------------------------------------------------------ */

    /* Refuses new work, lets running calls finish for drain, ends the rest, runs all completions. Afterwards, and also
     * where another thread waits, everything fails as closed. Fails as timeout if a plugin hung and was left behind. */
    void close(std::chrono::milliseconds drain = {}) const { try_close(drain).value(); }

    result<void> try_close(std::chrono::milliseconds drain = {}) const {
        return ended(psa_host_close(handle_, detail::milliseconds(drain)), "psa_host_close");
    }

    /* ---- calling ------------------------------------------------------------------------------------ */

    /* Calls a method ("methods.list" tells which there are) and waits. */
    reply call(name method, std::string_view params = "{}", const options &how = {}) const {
        return try_call(method, params, how).value();
    }

    result<reply> try_call(name method, std::string_view params = "{}", const options &how = {}) const {
        detail::passed_options passed(how);
        psa_reply *answer = nullptr;
        const psa_code ended =
            psa_host_call(handle_, method.text, detail::bytes(params), passed.get(), &answer);
        return detail::outcome(ended, reply(answer), passed);
    }

    /* Starts a call. What goes wrong, also if it cannot be started, is thrown by get(). */
    pending<reply> submit(name method, std::string_view params = "{}", options how = {}) const {
        return submit_as<reply>(method, params, std::move(how));
    }

    pending<result<reply>> try_submit(name method, std::string_view params = "{}", options how = {}) const {
        return try_submit_as<reply>(method, params, std::move(how));
    }

    /* The same with the answer as T: for adapters such as psa_host_json.hpp, which say how to make one of a reply. */
    template <class T>
    pending<T> submit_as(name method, std::string_view params, options how = {}) const {
        return future<T>(starts(method, params), std::move(how), detail::give<T>);
    }

    template <class T>
    pending<result<T>> try_submit_as(name method, std::string_view params, options how = {}) const {
        return future<result<T>>(starts(method, params), std::move(how), detail::give_result<T>);
    }

    /* The same with a function that is called once with a result<reply>, on the host's callback thread, where one runs
     * after the other: do not block there. What it throws goes to the log. Returns the call's id; if this fails, the
     * function is not called. */
    template <class Done, detail::if_takes<Done, reply> = 0>
    std::uint64_t submit(name method, std::string_view params, Done done, options how = {}) const {
        return try_submit(method, params, std::move(done), std::move(how)).value();
    }

    template <class Done, detail::if_takes<Done, reply> = 0>
    result<std::uint64_t> try_submit(name method, std::string_view params, Done done, options how = {}) const {
        return detail::start(starts(method, params), std::move(how), std::move(done), hooks_.get());
    }

    /* Asks a submitted call to end. It still ends through its future or its function, with whatever came first: cancelled,
     * or a result. False: it has ended; its future or its function may still be about to get that. Cancelling a call
     * takes back no operation that was accepted. */
    bool cancel(std::uint64_t id) const { return try_cancel(id).value(); }

    result<bool> try_cancel(std::uint64_t id) const {
        const psa_code asked = psa_host_cancel(handle_, id);
        if (asked == PSA_NOT_FOUND) {
            return false;
        }
        const auto made = ended(asked, "psa_host_cancel");
        return made ? result<bool>(true) : made.error();
    }

    /* ---- events ------------------------------------------------------------------------------------- */

    /* Waits for the next event of a consumer (1 to 64 bytes). Nothing: none came. It comes again, also after a restart,
     * until it is acknowledged: handle it so that twice does no harm. */
    std::optional<event> next_event(name consumer, std::chrono::milliseconds wait) const {
        return try_next_event(consumer, wait).value();
    }

    result<std::optional<event>> try_next_event(name consumer, std::chrono::milliseconds wait) const {
        psa_reply *found = nullptr;
        const psa_code ended = psa_host_next_event(handle_, consumer.text, detail::milliseconds(wait), &found);
        reply answer(found);
        if (ended == PSA_TIMEOUT) {
            return std::optional<event>();
        }
        if (ended != PSA_OK) {
            return detail::failed(ended, answer);
        }
        return std::optional<event>(std::move(answer));
    }

    /* Acknowledges this event and all before it for that consumer. */
    void ack(name consumer, std::uint64_t id) const { try_ack(consumer, id).value(); }

    result<void> try_ack(name consumer, std::uint64_t id) const {
        return ended(psa_host_ack_event(handle_, consumer.text, id), "psa_host_ack_event");
    }

    /* Waits for an event, hands it to handle and acknowledges it; if handle throws, it is not acknowledged and comes again.
     * False: none came. */
    template <class Handle>
    bool handle_event(name consumer, std::chrono::milliseconds wait, Handle handle) const {
        const std::optional<event> found = next_event(consumer, wait);
        if (found) {
            handle(*found);
            ack(consumer, found->id());
        }
        return found.has_value();
    }

    /* ---- doors -------------------------------------------------------------------------------------- */

    /* Serves a request to the Integrations page, below the product's own login. who is JSON (schema "who") and says who asks;
     * nothing in the request does. Send the answer as it is, also when it is an error for people. */
    http_response page(std::string_view who, const http_request &request) const {
        return try_page(who, request).value();
    }

    result<http_response> try_page(std::string_view who, const http_request &request) const {
        const detail::passed_request passed(request);
        psa_reply *answer = nullptr;
        const psa_code ended = psa_host_page(handle_, detail::bytes(who), passed.get(), &answer);
        return detail::http_outcome(ended, reply(answer));
    }

    /* Serves a request to the callback address, which needs no login. A 2xx says that it is on disk. If this fails, send
     * 429, and the PSA comes again. */
    http_response callback(const http_request &request) const { return try_callback(request).value(); }

    result<http_response> try_callback(const http_request &request) const {
        const detail::passed_request passed(request);
        psa_reply *answer = nullptr;
        const psa_code ended = psa_host_callback(handle_, passed.get(), &answer);
        return detail::http_outcome(ended, reply(answer));
    }

    /* The same without a thread that waits, for servers that serve many requests on few threads: as a future, or with a
     * function that is called once with a result<http_response>, as submit does. The request is copied at once. */
    pending<http_response> submit_page(std::string_view who, const http_request &request) const {
        const detail::passed_request passed(request);
        return future<http_response>(starts(who, passed), {}, detail::give<http_response>);
    }

    pending<result<http_response>> try_submit_page(std::string_view who, const http_request &request) const {
        const detail::passed_request passed(request);
        return future<result<http_response>>(starts(who, passed), {}, detail::give_result<http_response>);
    }

    template <class Done, detail::if_takes<Done, http_response> = 0>
    std::uint64_t submit_page(std::string_view who, const http_request &request, Done done) const {
        return try_submit_page(who, request, std::move(done)).value();
    }

    template <class Done, detail::if_takes<Done, http_response> = 0>
    result<std::uint64_t> try_submit_page(std::string_view who, const http_request &request, Done done) const {
        const detail::passed_request passed(request);
        return detail::start(starts(who, passed), {}, detail::taking<http_response>(std::move(done)), hooks_.get());
    }

    pending<http_response> submit_callback(const http_request &request) const {
        const detail::passed_request passed(request);
        return future<http_response>(starts(passed), {}, detail::give<http_response>);
    }

    pending<result<http_response>> try_submit_callback(const http_request &request) const {
        const detail::passed_request passed(request);
        return future<result<http_response>>(starts(passed), {}, detail::give_result<http_response>);
    }

    template <class Done, detail::if_takes<Done, http_response> = 0>
    std::uint64_t submit_callback(const http_request &request, Done done) const {
        return try_submit_callback(request, std::move(done)).value();
    }

    template <class Done, detail::if_takes<Done, http_response> = 0>
    result<std::uint64_t> try_submit_callback(const http_request &request, Done done) const {
        const detail::passed_request passed(request);
        return detail::start(starts(passed), {}, detail::taking<http_response>(std::move(done)), hooks_.get());
    }

    /* ---- plugins ------------------------------------------------------------------------------------ */

    /* Registers a plugin that is linked into the product, by its psa_plugin_entry: before the first call, else conflict. */
    void add_plugin(const struct psa_plugin *(*entry)(std::uint32_t)) const { try_add_plugin(entry).value(); }

    result<void> try_add_plugin(const struct psa_plugin *(*entry)(std::uint32_t)) const {
        psa_reply *why = nullptr;
        const psa_code ended = psa_host_add_plugin(handle_, entry, &why);
        reply answer(why);
        return ended == PSA_OK ? result<void>() : detail::failed(ended, answer);
    }

private:
    /* For functions that tell no more than a code. */
    static result<void> ended(psa_code how, const char *function) {
        if (how == PSA_OK) {
            return {};
        }
        return error(how, std::string(function) + " answered " + psa_code_name(how), {}, nullptr);
    }

    /* What waits for the completion that this thread runs cannot be done by it. */
    void free_elsewhere() noexcept {
        const auto *hooks = hooks_.release();
        try {
            std::thread([handle = handle_, hooks] {
                psa_host_free(handle);
                delete hooks;
            }).detach();
        } catch (...) {
            /* No memory, no thread: the host stays open for ever, and so must its hooks. */
        }
    }

    detail::starts_method starts(name method, std::string_view params) const noexcept {
        return {handle_, method, params};
    }

    detail::starts_page starts(std::string_view who, const detail::passed_request &request) const noexcept {
        return {handle_, who, request.get()};
    }

    detail::starts_callback starts(const detail::passed_request &request) const noexcept {
        return {handle_, request.get()};
    }

    template <class T, class Starts>
    pending<T> future(const Starts &starts_call, options how, detail::give_function<T> give) const {
        return detail::future_of<T>(starts_call, std::move(how), give, hooks_.get());
    }

    std::unique_ptr<detail::hook_table> hooks_;
    psa_host *handle_ = nullptr;
};

} // namespace psa

#endif // PSA_HOST_HPP
