/* psa_host/error_json.hpp: reads the error JSON of the host, so that errors need no JSON library.
 *
 * Holds: psa::field_error, and in psa::detail a reader of exactly this object.
 * Promises: whatever it does not expect, it passes over; it ends, and reads nothing outside of the text.
 * Leaves to others: every other JSON, which is the product's to read with the library it has.
 */
#ifndef PSA_HOST_ERROR_JSON_HPP
#define PSA_HOST_ERROR_JSON_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace psa {

/* One field that was wrong. */
struct field_error {
    std::string at;      /* JSON pointer into the request, or the provider's own name of the field */
    std::string code;    /* Stable word, "max_length" */
    std::string message; /* A sentence for people */
};

namespace detail {

/* What an error says beside its code and its sentence. */
struct error_json {
    std::string reason;
    std::vector<field_error> fields;
    std::optional<std::chrono::milliseconds> retry_after;
    std::optional<int> provider_status;
    std::string provider_request_id;
};

/* A place in a JSON text, moved on by what is read. */
class json_cursor {
public:
    explicit json_cursor(std::string_view text) : text_(text) {}

    /* Reads an object: member(name) for each of its members must read the value or skip it. */
    template <class Member>
    void object(Member member) {
        each('{', '}', [&] {
            const std::string name = string();
            take(':');
            member(name);
        });
    }

    /* Reads a list: item() for each of its items must read it or skip it. */
    template <class Item>
    void list(Item item) {
        each('[', ']', item);
    }

    /* Reads a string; anything else is skipped and counts as empty. */
    std::string string() {
        std::string read;
        if (!take('"')) {
            skip();
            return read;
        }
        while (at_ < text_.size() && text_[at_] != '"') {
            if (text_[at_] == '\\') {
                escape(read);
            } else {
                read += text_[at_++];
            }
        }
        take('"');
        return read;
    }

    /* Reads a whole number that is not negative; anything else is skipped. */
    std::optional<std::int64_t> number() {
        constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
        space();
        const std::size_t first = at_;
        std::int64_t read = 0;
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; at_++) {
            const std::int64_t digit = text_[at_] - '0';
            read = read > (most - digit) / 10 ? most : read * 10 + digit;
        }
        const bool is_whole = at_ > first && (at_ == text_.size() || ends_a_word(text_[at_]));
        if (!is_whole) {
            skip();
        }
        return is_whole ? std::optional<std::int64_t>(read) : std::nullopt;
    }

    /* Passes over one value, however deep it is. */
    void skip() {
        std::size_t depth = 0;
        for (space(); at_ < text_.size(); space()) {
            const char next = text_[at_];
            if (next == '"') {
                string();
            } else if (next == '{' || next == '[') {
                depth++;
                at_++;
            } else if (depth > 0 && (next == '}' || next == ']')) {
                depth--;
                at_++;
            } else if (depth > 0 && (next == ',' || next == ':')) {
                at_++;
                continue;
            } else {
                word();
            }
            if (depth == 0) {
                return;
            }
        }
    }

private:
    static bool ends_a_word(char next) {
        return std::string_view(",:]}[{\" \t\r\n").find(next) != std::string_view::npos;
    }

    void word() {
        while (at_ < text_.size() && !ends_a_word(text_[at_])) {
            at_++;
        }
    }

    void space() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
            at_++;
        }
    }

    bool take(char expected) {
        space();
        const bool is_there = at_ < text_.size() && text_[at_] == expected;
        at_ += is_there ? 1 : 0;
        return is_there;
    }

    template <class One>
    void each(char opens, char closes, One one) {
        if (!take(opens)) {
            skip();
            return;
        }
        while (!take(closes) && at_ < text_.size()) {
            const std::size_t before = at_;
            one();
            take(',');
            /* A text that is no JSON must not hold the reader up. */
            at_ += at_ == before ? 1 : 0;
        }
    }

    /* Reads what begins with a backslash. */
    void escape(std::string &to) {
        static constexpr std::string_view from = "bfnrt", means = "\b\f\n\r\t";
        const char kind = at_ + 1 < text_.size() ? text_[at_ + 1] : '\\';
        at_ = at_ + 2 < text_.size() ? at_ + 2 : text_.size();
        if (kind == 'u') {
            unicode(to);
        } else if (const std::size_t index = from.find(kind); index != std::string_view::npos) {
            to += means[index];
        } else {
            to += kind;
        }
    }

    std::uint32_t four_digits() {
        std::uint32_t read = 0;
        for (int digits = 0; digits < 4 && at_ < text_.size(); digits++) {
            const std::size_t index = std::string_view("0123456789abcdefABCDEF").find(text_[at_]);
            if (index == std::string_view::npos) {
                break;
            }
            read = read * 16 + static_cast<std::uint32_t>(index < 16 ? index : index - 6);
            at_++;
        }
        return read;
    }

    void unicode(std::string &to) {
        std::uint32_t point = four_digits();
        if (point >= 0xd800 && point < 0xdc00 && text_.substr(at_, 2) == "\\u") {
            at_ += 2;
            point = 0x10000 + ((point - 0xd800) << 10) + ((four_digits() - 0xdc00) & 0x3ff);
        }
        const auto byte = [&to](std::uint32_t value) { to += static_cast<char>(static_cast<unsigned char>(value)); };
        if (point < 0x80) {
            byte(point);
        } else if (point < 0x800) {
            byte(0xc0 | point >> 6);
            byte(0x80 | (point & 0x3f));
        } else if (point < 0x10000) {
            byte(0xe0 | point >> 12);
            byte(0x80 | (point >> 6 & 0x3f));
            byte(0x80 | (point & 0x3f));
        } else {
            byte(0xf0 | point >> 18);
            byte(0x80 | (point >> 12 & 0x3f));
            byte(0x80 | (point >> 6 & 0x3f));
            byte(0x80 | (point & 0x3f));
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

inline field_error read_field(json_cursor &json) {
    field_error read;
    json.object([&](const std::string &name) {
        if (name == "at") {
            read.at = json.string();
        } else if (name == "code") {
            read.code = json.string();
        } else if (name == "message") {
            read.message = json.string();
        } else {
            json.skip();
        }
    });
    return read;
}

inline error_json read_error(std::string_view text) {
    error_json read;
    json_cursor json(text);
    json.object([&](const std::string &name) {
        if (name == "reason") {
            read.reason = json.string();
        } else if (name == "fields") {
            json.list([&] { read.fields.push_back(read_field(json)); });
        } else if (name == "retry_after_ms") {
            if (const auto wait = json.number()) {
                read.retry_after = std::chrono::milliseconds(*wait);
            }
        } else if (name == "provider") {
            json.object([&](const std::string &inner) {
                if (inner == "status") {
                    if (const auto status = json.number()) {
                        read.provider_status = static_cast<int>(*status);
                    }
                } else if (inner == "request_id") {
                    read.provider_request_id = json.string();
                } else {
                    json.skip();
                }
            });
        } else {
            json.skip();
        }
    });
    return read;
}

} // namespace detail
} // namespace psa

#endif // PSA_HOST_ERROR_JSON_HPP
