#include "desk.hpp"

#include <iostream>
#include <random>

namespace {

constexpr std::uint64_t callback_bytes_max = 256 * 1024;
constexpr std::string_view cookie = "desk_session=";

std::string_view view(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

// True if a target, without its query, is this path or lies below it.
bool is_below(std::string_view target, std::string_view path) {
    return target.substr(0, path.size()) == path &&
           (target.size() == path.size() || target[path.size()] == '/' || target[path.size()] == '?');
}

std::string session_of(const request &asked) {
    const std::string_view all = view(asked[http::field::cookie]);
    const std::size_t from = all.find(cookie);
    if (from == std::string_view::npos) {
        return "";
    }
    const std::string_view rest = all.substr(from + cookie.size());
    return std::string(rest.substr(0, rest.find(';')));
}

std::string new_session() {
    std::random_device random;
    std::string made;
    for (int count = 0; count < 32; count++) {
        made += "0123456789abcdef"[random() % 16];
    }
    return made;
}

// Everything as it came, but not the product's own cookie, which the host has no use for.
psa::http_request passed_on(const request &asked, std::string_view url) {
    psa::http_request passed = {view(asked.method_string()), url, {}, asked.body()};
    for (const auto &field : asked) {
        if (field.name() != http::field::cookie) {
            passed.headers.emplace_back(view(field.name_string()), view(field.value()));
        }
    }
    return passed;
}

response sent_back(const psa::http_response &from) {
    response made(static_cast<http::status>(from.status), 11);
    for (const auto &[name, value] : from.headers) {
        made.insert(name, value);
    }
    made.body() = from.body;
    if (made.result() != http::status::no_content && made.find(http::field::content_length) == made.end()) {
        made.prepare_payload();
    }
    return made;
}

response redirect(const std::string &to) {
    response made(http::status::see_other, 11);
    made.set(http::field::location, to);
    made.prepare_payload();
    return made;
}

} // namespace

std::uint64_t desk::body_limit(const http::request_header<> &head) const {
    return is_below(view(head.target()), hooks) ? callback_bytes_max : body_bytes_max;
}

void desk::answer(request asked, std::function<void(response)> send) {
    const std::string_view target = view(asked.target());
    if (is_below(target, hooks)) {
        return callback(asked, std::move(send));
    }
    if (is_below(target, "/login")) {
        const std::size_t query = target.find('?');
        return send(login(query == std::string_view::npos ? "" : target.substr(query + 1)));
    }
    if (!is_below(target, mount_)) {
        return send(plain(http::status::not_found, "There is nothing here."));
    }
    const std::string session = session_of(asked), user = user_of(session);
    if (user.empty()) {
        return send(plain(http::status::unauthorized, "Sign in first: /login?user=ann"));
    }
    if (target.size() == mount_.size()) {
        return send(redirect(mount_ + "/"));
    }
    page(asked, session, user, std::move(send));
}

void desk::page(const request &asked, const std::string &session, const std::string &user,
                std::function<void(response)> send) const {
    const psa::json who = {
        {"tenant", "t"},
        {"actor", {{"id", user}, {"name", user}}},
        {"permissions", {"view", "configure", "secrets", "map", "operate", "delete", "audit"}},
        {"session", session},
        {"mount", mount_},
        {"public_origin", origin_},
    };
    const auto done = [send](psa::result<psa::http_response> ended) {
        if (!ended) {
            std::cerr << "the page: " << ended.error().what() << std::endl;
        }
        send(ended ? sent_back(*ended) : plain(http::status::service_unavailable, "Try again in a moment."));
    };
    const std::string_view below = view(asked.target()).substr(mount_.size());
    const auto started = host_.try_submit_page(who.dump(), passed_on(asked, below), done);
    if (!started) {
        done(started.error());
    }
}

void desk::callback(const request &asked, std::function<void(response)> send) const {
    // 429: the PSA comes again.
    const auto done = [send](psa::result<psa::http_response> ended) {
        send(ended ? sent_back(*ended) : plain(http::status::too_many_requests, "Come again."));
    };
    const auto started = host_.try_submit_callback(passed_on(asked, view(asked.target())), done);
    if (!started) {
        done(started.error());
    }
}

response desk::login(std::string_view query) {
    constexpr std::string_view name = "user=";
    const std::string user(query.substr(0, name.size()) == name ? query.substr(name.size()) : "");
    if (user.empty() || user.find_first_not_of("abcdefghijklmnopqrstuvwxyz") != std::string::npos) {
        return plain(http::status::bad_request, "Say who you are: /login?user=ann");
    }
    const std::string session = new_session();
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        sessions_[session] = user;
    }
    response made = redirect(mount_ + "/");
    made.set(http::field::set_cookie, std::string(cookie) + session + "; Path=/; HttpOnly; SameSite=Lax");
    return made;
}

std::string desk::user_of(const std::string &session) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto known = sessions_.find(session);
    return known == sessions_.end() ? "" : known->second;
}
