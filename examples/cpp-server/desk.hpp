// The product around the host: who is signed in, where the page and the callback door are, what goes to which.
#pragma once

#include "server.hpp"

#include <psa_host_json.hpp>

#include <map>
#include <mutex>

// A helpdesk for one tenant. Its login is PRETENDED: /login?user=ann signs in as ann whoever asks. A product puts its
// own login there; what counts is that `who` is made from it, and from nothing that the request says.
class desk {
public:
    // origin: as browsers and the PSA reach this server, "https://desk.example.com". mount: the path of the page, "/psa",
    // or empty for the root.
    desk(const psa::host &host, std::string origin, std::string mount)
        : host_(host), origin_(std::move(origin)), mount_(std::move(mount)) {}

    // The path that the PSA calls, without a login; never below the page's.
    static constexpr std::string_view hooks = "/hooks/psa";

    std::uint64_t body_limit(const http::request_header<> &head) const;
    void answer(request asked, std::function<void(response)> send);

private:
    void page(const request &asked, const std::string &session, const std::string &user,
              std::function<void(response)> send) const;
    void callback(const request &asked, std::function<void(response)> send) const;
    response login(std::string_view query);
    std::string user_of(const std::string &session);

    const psa::host &host_;
    const std::string origin_, mount_;
    std::mutex mutex_;
    std::map<std::string, std::string> sessions_;
};
