// psa_host_json.hpp: the main job against a PSA, in JSON on both sides.
// Usage: json CONFIG CONNECTION, with the parameters of connections.create for the PSA.
#include "../check.hpp"

#include "psa_host_json.hpp"

using psa::json;

static void errors(const psa::host &host, const std::string &connection) {
    const json missing = {{"tenant", "t"}, {"connection", connection}, {"ticket", "999999"}};
    const auto gone = psa::try_call(host, "tickets.get", missing);
    CHECK(gone.error().code() == psa::code::not_found && gone.error().provider_status() == 404);
    const json whole = psa::to_json(gone.error());
    CHECK(whole.at("code") == "not_found" && whole.at("provider").at("status") == 404);
    thrown<psa::not_found>([&] { psa::call(host, "tickets.get", missing); });
    thrown<psa::not_found>([&] { psa::submit(host, "tickets.get", missing).get(); });
    CHECK(psa::to_json(psa::error(psa::code::conflict, "x")) == json({{"code", "conflict"}, {"message", "x"}}));
    // Fields go both ways.
    json wrong = {{"tenant", "t"}, {"plugin", "connectwise"}, {"settings", {{"site", "nowhere"}}}};
    const auto refused = thrown<psa::invalid_argument>([&] { psa::call(host, "connections.create", wrong); });
    CHECK(!refused.fields().empty());
    const json fields = refused.fields();
    CHECK(fields == psa::to_json(refused).at("fields"));
    CHECK(fields.get<std::vector<psa::field_error>>()[0].at == refused.fields()[0].at);
    // What is not UTF-8 is no JSON, in any form of a call.
    wrong = {{"tenant", "\xff"}};
    CHECK(psa::try_call(host, "tickets.get", wrong).error().code() == psa::code::invalid_argument);
    thrown<psa::invalid_argument>([&] { psa::submit(host, "tickets.get", wrong).get(); });
    CHECK(!psa::try_submit(host, "tickets.get", wrong).get());
    CHECK(!psa::try_submit(host, "tickets.get", wrong, [](psa::result<json>) { CHECK(false); }));
}

static void submitted(const psa::host &host, const std::string &connection) {
    const json params = {{"tenant", "t"}, {"connection", connection}, {"ticket", "1001"}};
    psa::pending<json> later = psa::submit(host, "tickets.get", params);
    CHECK(later.id() != 0);
    std::promise<json> told;
    psa::submit(host, "tickets.get", params, [&](psa::result<json> ended) { told.set_value(*ended); });
    CHECK(later.get().at("id") == "1001" && told.get_future().get().at("id") == "1001");
    CHECK(psa::try_submit(host, "methods.list").get()->is_object());
}

int main(int count, char **values) {
    CHECK(count == 3);
    const psa::host host(values[1]);
    const json made = psa::call(host, "connections.create", json::parse(values[2]));
    const std::string connection = made.at("connection");
    CHECK(psa::call(host, "connections.test", {{"tenant", "t"}, {"connection", connection}}).at("passed") == true);
    // begin: json
    const std::string link = psa::call(host, "links.create",
                                       {{"tenant", "t"}, {"connection", connection}, {"product_ticket", "HD-7"},
                                        {"ticket", "1001"}}).at("link");
    const json note = psa::call(host, "notes.post",
                                {{"tenant", "t"}, {"link", link}, {"visibility", "internal"},
                                 {"text", "Posted from C++: \xc3\xa9."}, {"client_key", "note 1"}, {"wait_ms", 60000}});
    // end: json
    CHECK(note.at("state") == "delivered");
    const auto event = host.next_event("json", std::chrono::seconds(60));
    CHECK(event && psa::to_json(*event).at("event") == "connection.created");
    errors(host, connection);
    submitted(host, connection);
    std::puts("right");
    return 0;
}
