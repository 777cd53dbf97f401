// The page and the callback door, as the product's HTTP server hands requests on.
#include "check.hpp"

static std::string header(const psa::http_response &answer, const std::string &name) {
    for (const auto &[known, value] : answer.headers) {
        if (known == name) {
            return value;
        }
    }
    return "";
}

static const std::string WHO = R"({"tenant":"t","actor":{"id":"7"},"permissions":["view"],"mount":"/desk/psa",)"
                               R"("public_origin":"https://desk.example.com"})";
static const std::string UNKNOWN = "/hooks/0123456789abcdef0123456789abcdef01234567?recordId=1&action=updated";

static void page(const psa::host &host) {
    psa::http_request request = {"GET", "/", {{"accept", "text/html"}}, ""};
    const psa::http_response whole = host.page(WHO, request);
    CHECK(whole.status == 200 && holds(whole.body, "href=\"/desk/psa/-/psa."));
    CHECK(holds(header(whole, "content-type"), "text/html") && !header(whole, "content-security-policy").empty());
    CHECK(host.page("", request).status == 403);
    request.url = "/c/nobodys";
    CHECK(host.page(WHO, request).status == 404);
    request.method = "POST";
    request.url = "/c/nobodys/pause";
    CHECK(host.page(WHO, request).status == 403);
    const auto wrong = host.try_page(R"({"tenant":"t"})", request);
    CHECK(wrong.error().code() == psa::code::invalid_argument && holds(wrong.error().message(), "who"));
}

static void callback(const psa::host &host) {
    const std::string body = "{\"a\":\"\xc3\xa9\xff\"}";
    psa::http_request request = {"POST", UNKNOWN, {{"X-Content-Signature", "\xff"}, {"x", "1"}, {"x", "2"}}, body};
    const psa::http_response answer = host.callback(request);
    CHECK(answer.status == 410 && header(answer, "cache-control") == "no-store" && !answer.body.empty());
    request.method = "GET";
    CHECK(host.callback(request).status == 405);
    CHECK(host.callback({}).status == 405);
}

// Without a thread that waits: as futures, by result, and with a function. The request may be gone by then.
static void submitted(const psa::host &host) {
    std::vector<psa::pending<psa::http_response>> pages;
    for (int count = 0; count < 50; count++) {
        const std::string url = count % 2 == 0 ? "/" : "/nowhere";
        pages.push_back(host.submit_page(std::string(WHO), {"GET", url, {}, ""}));
    }
    for (std::size_t index = 0; index < pages.size(); index++) {
        CHECK(pages[index].id() != 0 && pages[index].get().status == (index % 2 == 0 ? 200 : 404));
    }
    std::promise<int> page, callback;
    CHECK(host.submit_page("", {"GET", "/", {}, ""}, [&](psa::result<psa::http_response> ended) {
        page.set_value(ended->status);
    }) != 0);
    host.submit_callback({"POST", UNKNOWN, {{"x", "1"}}, "{}"}, [&](psa::result<psa::http_response> ended) {
        callback.set_value(ended->status);
    });
    CHECK(page.get_future().get() == 403 && callback.get_future().get() == 410);
    CHECK(host.submit_callback({"GET", UNKNOWN, {}, ""}).get().status == 405);
    CHECK(host.try_submit_callback({"PUT", UNKNOWN, {}, ""}).get()->status == 405);
    CHECK(host.try_submit_page("[", {"GET", "/", {}, ""}).get().error().code() == psa::code::invalid_argument);
    thrown<psa::invalid_argument>([&] { host.submit_page("[", {"GET", "/", {}, ""}).get(); });
}

void doors(const arguments &with) {
    const psa::host host(with.config);
    page(host);
    callback(host);
    submitted(host);
    host.close();
    CHECK(!host.try_submit_page(WHO, {"GET", "/", {}, ""}, [](psa::result<psa::http_response>) { CHECK(false); }));
    thrown<psa::closed>([&] { host.submit_callback({"POST", "/x", {}, ""}).get(); });
    // The product then sends 429.
    thrown<psa::closed>([&] { host.callback({"POST", "/x", {}, ""}); });
    CHECK(host.try_page("", {"GET", "/", {}, ""}).error().code() == psa::code::closed);
}
