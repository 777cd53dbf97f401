/* The script through C++: run CONFIG SCRIPT prints each answer's code. */
#include "psa_host.hpp"

#include <fstream>
#include <iostream>
#include <map>

using texts = std::map<std::string, std::string>;

/* Puts what was saved where @name@ stands. */
static std::string filled(std::string text, const texts &saved) {
    for (const auto &[name, value] : saved) {
        const std::string sign = "@" + name + "@";
        for (auto at = text.find(sign); at != std::string::npos; at = text.find(sign, at + value.size()))
            text.replace(at, sign.size(), value);
    }
    return text;
}

static void save(const std::string &name, std::string_view json, texts &saved) {
    const std::string key = "\"" + name + "\":\"";
    if (const auto at = json.find(key); at != std::string_view::npos) {
        const auto from = at + key.size();
        saved[name] = json.substr(from, json.find('"', from) - from);
    }
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    const psa::host host(argv[1]);
    std::ifstream script(argv[2]);
    texts saved;
    for (std::string method, params, name; std::getline(script, method, '\t');) {
        std::getline(script, params, '\t');
        std::getline(script, name);
        const auto answer = host.try_call(method, filled(params, saved));
        std::cout << method << '\t' << (answer ? "ok" : psa::to_string(answer.error().code())) << '\n';
        if (answer && !name.empty())
            save(name, answer->text(), saved);
    }
}
