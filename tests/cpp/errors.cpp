// Each code has its class, and an error says all that the host has said.
#include "check.hpp"

#include <cstring>

static void all_that_was_said(const psa::error &error) {
    using namespace std::chrono_literals;
    CHECK(error.message() == "codes get_ticket: The summary is too long.");
    CHECK(error.what() == std::string(psa::to_string(error.code())) + ": " + std::string(error.message()));
    CHECK(error.retry_after() == 1500ms);
    CHECK(error.provider_status() == 429 && error.provider_request_id() == "abc");
    CHECK(error.reason().empty() && !error.cause());
    CHECK(error.fields().size() == 1 && error.fields()[0].at == "/summary" && error.fields()[0].code == "max_length");
    CHECK(error.fields()[0].message == "At most 100 characters, \"please\".");
    CHECK(holds(error.json(), "\"details\""));
}

// The class of a code, thrown by the plugin's call, by the result's value and by the error itself.
template <psa::code Code>
static void thrown_as_itself(const psa::host &host) {
    const auto number = static_cast<psa_code>(Code);
    // One that is told to stop would answer differently from then on.
    const std::string params = ticket(connected(host, "codes"), "code-" + std::to_string(number));
    const psa::result<psa::reply> ended = host.try_call("tickets.get", params);
    CHECK(!ended && ended.error().code() == Code);
    all_that_was_said(ended.error());
    CHECK(std::strcmp(psa::to_string(Code), psa_code_name(number)) == 0);
    all_that_was_said(thrown<psa::error_of<Code>>([&] { ended.value(); }));
    const std::string again = ticket(connected(host, "codes"), "code-" + std::to_string(number));
    all_that_was_said(thrown<psa::error_of<Code>>([&] { host.call("tickets.get", again); }));
}

// Codes by which a host speaks of itself; a plugin's are told as a defect of the plugin or not at all.
template <psa::code Code>
static void raised_as_itself() {
    const psa::error error(static_cast<psa_code>(Code), "x", R"({"reason":"y"})", nullptr);
    CHECK(error.code() == Code && error.reason() == "y");
    CHECK(thrown<psa::error_of<Code>>([&] { error.raise(); }).message() == "x");
}

template <psa_code... Numbers>
static void every_code(std::integer_sequence<psa_code, Numbers...>) {
    (raised_as_itself<static_cast<psa::code>(Numbers + 1)>(), ...);
    // None is missing: the next one is unknown to the library, and counts as internal.
    CHECK(std::strcmp(psa_code_name(sizeof...(Numbers) + 1), "internal") == 0);
    const psa::error unknown(static_cast<psa_code>(sizeof...(Numbers) + 1), "x", "{}", nullptr);
    CHECK(thrown<psa::internal>([&] { unknown.raise(); }).code() == psa::code::internal);
}

static void whatever_is_no_error_json_is_passed_over() {
    const std::string whole =
        R"({"a":[{"b":[]},"}]"],"reason":"\u00e9\ud83d\ude00\"\\\/\n","fields":[{"at":"x","more":{"at":"y"}},7],)"
        R"("retry_after_ms":12,"provider":{"status":404,"code":null,"request_id":"r"},"z":-1.5e3})";
    const psa::detail::error_json read = psa::detail::read_error(whole);
    CHECK(read.reason == "\xc3\xa9\xf0\x9f\x98\x80\"\\/\n");
    CHECK(read.fields.size() == 2 && read.fields[0].at == "x" && read.fields[1].at.empty());
    CHECK(read.retry_after->count() == 12 && read.provider_status == 404 && read.provider_request_id == "r");
    for (std::size_t length = 0; length < whole.size(); length++) {
        // In memory of its own, so that a byte read behind it is seen.
        const std::vector<char> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        psa::detail::read_error({part.data(), part.size()});
        std::string changed = whole;
        for (const char other : {'"', '{', '[', '}', ']', ',', '\\', '0'}) {
            changed[length] = other;
            psa::detail::read_error(changed);
        }
    }
    const auto huge = psa::detail::read_error(R"({"retry_after_ms":99999999999999999999,"provider":{"status":"429"}})");
    CHECK(huge.retry_after == std::chrono::milliseconds::max() && !huge.provider_status);
    CHECK(!psa::detail::read_error(R"({"retry_after_ms":1.5})").retry_after);
    CHECK(psa::detail::read_error(std::string(100000, '[')).reason.empty());
}

void errors(const arguments &with) {
    const psa::host host(with.config);
    every_code(std::make_integer_sequence<psa_code, PSA_TOO_LARGE>());
    whatever_is_no_error_json_is_passed_over();
    thrown_as_itself<psa::code::invalid_argument>(host);
    thrown_as_itself<psa::code::unauthenticated>(host);
    thrown_as_itself<psa::code::forbidden>(host);
    thrown_as_itself<psa::code::not_found>(host);
    thrown_as_itself<psa::code::conflict>(host);
    thrown_as_itself<psa::code::rejected>(host);
    thrown_as_itself<psa::code::rate_limited>(host);
    thrown_as_itself<psa::code::not_sent>(host);
    thrown_as_itself<psa::code::outcome_unknown>(host);
    thrown_as_itself<psa::code::unavailable>(host);
    thrown_as_itself<psa::code::timeout>(host);
    thrown_as_itself<psa::code::cancelled>(host);
    thrown_as_itself<psa::code::unsupported>(host);
    thrown_as_itself<psa::code::rehearsed>(host);
    thrown_as_itself<psa::code::unreadable>(host);
    thrown_as_itself<psa::code::internal>(host);
    thrown_as_itself<psa::code::storage>(host);
    thrown_as_itself<psa::code::too_large>(host);
    const auto missing = thrown<psa::invalid_argument>([&] { host.call("tickets.fly"); });
    CHECK(missing.fields().empty() && holds(missing.message(), "tickets.fly"));
    host.close();
    CHECK(thrown<psa::closed>([&] { host.call("methods.list"); }).json() != "");
    const auto wrong = psa::host::try_open("{\"data_dir\":1}");
    CHECK(wrong.error().code() == psa::code::invalid_argument && holds(wrong.error().message(), "/data_dir"));
    thrown<psa::invalid_argument>([] { psa::host("["); });
}

void results() {
    const psa::error no(psa::code::conflict, "no");
    static_assert(std::is_base_of_v<std::runtime_error, psa::error> && std::is_base_of_v<psa::error, psa::conflict>);
    static_assert(std::is_nothrow_copy_constructible_v<psa::error>);
    CHECK(no.json().empty() && no.message() == "no" && std::string(no.what()) == "conflict: no");
    CHECK(!no.may_be_applied() && psa::error(psa::code::outcome_unknown, "").may_be_applied());
    psa::result<std::string> text = std::string("yes");
    CHECK(text && text.has_value() && *text == "yes" && text->size() == 3);
    CHECK(std::move(text).value() == "yes");
    thrown<std::bad_variant_access>([&] { static_cast<void>(text.error()); });
    text = no;
    CHECK(!text && text.error().code() == psa::code::conflict);
    thrown<psa::conflict>([&] { static_cast<void>(*text); });
    thrown<psa::conflict>([&] { static_cast<void>(text->size()); });
    psa::result<void> nothing;
    nothing.value();
    thrown<std::bad_optional_access>([&] { static_cast<void>(nothing.error()); });
    nothing = no;
    CHECK(!nothing.has_value());
    thrown<psa::conflict>([&] { nothing.value(); });
    // What is caught can be kept, and thrown again as what it was.
    thrown<psa::conflict>([&] { std::rethrow_exception(no.as_exception()); });
}
