/* psa_host_json.hpp: psa_host.hpp for products that have nlohmann::json (3.9 or newer). Include it only then.
 *
 * Holds: calls that take and give psa::json, events as psa::json, errors and their fields as psa::json.
 *
 *     psa::json ticket = psa::call(host, "tickets.get", {{"tenant", "t"}, {"connection", id}, {"ticket", "1001"}});
 *     std::string summary = ticket.at("summary");
 *
 * Parameters that cannot be JSON, because a text in them is not UTF-8, are invalid_argument, as the host would say.
 */
#ifndef PSA_HOST_JSON_HPP
#define PSA_HOST_JSON_HPP

#include "psa_host.hpp"

#include <nlohmann/json.hpp>

namespace psa {

using json = nlohmann::json;

/* The JSON of a reply or an event. */
inline json to_json(const reply &from) {
    return json::parse(from.text());
}

inline void to_json(json &to, const field_error &from) {
    to = json{{"at", from.at}, {"code", from.code}, {"message", from.message}};
}

inline void from_json(const json &from, field_error &to) {
    from.at("at").get_to(to.at);
    from.at("code").get_to(to.code);
    from.at("message").get_to(to.message);
}

/* The whole error, with what psa::error has no function for: "details", "provider". */
inline json to_json(const error &from) {
    if (!from.json().empty()) {
        return json::parse(from.json());
    }
    return json{{"code", to_string(from.code())}, {"message", std::string(from.message())}};
}

namespace detail {

template <>
inline json as<json>(reply from) {
    return to_json(from);
}

inline result<std::string> written(name method, const json &params) {
    try {
        return params.dump();
    } catch (const json::exception &wrong) {
        return error(code::invalid_argument, "the parameters of " + std::string(method.text) + ": " + wrong.what());
    }
}

} // namespace detail

/* Calls a method and waits. */
inline result<json> try_call(const host &host, name method, const json &params = json::object(), const options &how = {}) {
    const result<std::string> text = detail::written(method, params);
    if (!text) {
        return text.error();
    }
    const result<reply> answer = host.try_call(method, *text, how);
    return answer ? result<json>(to_json(*answer)) : answer.error();
}

inline json call(const host &host, name method, const json &params = json::object(), const options &how = {}) {
    return try_call(host, method, params, how).value();
}

/* Starts a call. What goes wrong, also if it cannot be started, is thrown by get(). */
inline pending<json> submit(const host &host, name method, const json &params = json::object(), options how = {}) {
    const result<std::string> text = detail::written(method, params);
    return text ? host.submit_as<json>(method, *text, std::move(how)) : detail::refused<json>(text.error(), detail::give<json>);
}

inline pending<result<json>> try_submit(const host &host, name method, const json &params = json::object(), options how = {}) {
    const result<std::string> text = detail::written(method, params);
    return text ? host.try_submit_as<json>(method, *text, std::move(how))
                : detail::refused<result<json>>(text.error(), detail::give_result<json>);
}

/* The same with a function that is called once with a result<json>, on the host's callback thread: do not block there. */
template <class Done, detail::if_takes<Done, json> = 0>
result<std::uint64_t> try_submit(const host &host, name method, const json &params, Done done, options how = {}) {
    const result<std::string> text = detail::written(method, params);
    if (!text) {
        return text.error();
    }
    return host.try_submit(method, *text, detail::taking<json>(std::move(done)), std::move(how));
}

template <class Done, detail::if_takes<Done, json> = 0>
std::uint64_t submit(const host &host, name method, const json &params, Done done, options how = {}) {
    return try_submit(host, method, params, std::move(done), std::move(how)).value();
}

} // namespace psa

#endif // PSA_HOST_JSON_HPP
