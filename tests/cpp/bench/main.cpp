// What psa::host costs beside the C functions below it: the same calls in turns, in one run.
// Usage: bench CONFIG ROUNDS
#include "../check.hpp"

#include <algorithm>

using clock_type = std::chrono::steady_clock;
constexpr int CALLS = 500;

template <class Call>
static double microseconds(Call call) {
    const auto began = clock_type::now();
    for (int count = 0; count < CALLS; count++) {
        call();
    }
    return std::chrono::duration<double, std::micro>(clock_type::now() - began).count() / CALLS;
}

static double median(std::vector<double> all) {
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
}

int main(int count, char **values) {
    CHECK(count == 3);
    const psa::host host(values[1]);
    const std::string params = R"({"tenant":"t","connection":")" + connected(host, "codes") + "\"}";
    std::size_t bytes = 0;
    const auto in_c = [&] {
        psa_reply *reply = nullptr;
        std::size_t length = 0;
        CHECK(psa_host_call(host.native(), "connections.get", psa::detail::bytes(params), nullptr, &reply) == PSA_OK);
        psa_reply_json(reply, &length);
        bytes += length;
        psa_reply_free(reply);
    };
    const auto throwing = [&] { bytes -= host.call("connections.get", params).text().size(); };
    const auto by_result = [&] { bytes += host.try_call("connections.get", params)->text().size(); };
    const auto by_future = [&] { bytes -= host.submit("connections.get", params).get().text().size(); };
    std::vector<double> times[4];
    for (int round = 0; round < std::stoi(values[2]); round++) {
        times[0].push_back(microseconds(in_c));
        times[1].push_back(microseconds(throwing));
        times[2].push_back(microseconds(by_result));
        times[3].push_back(microseconds(by_future));
    }
    CHECK(bytes == 0);
    const double base = median(times[0]);
    std::printf("us per call, median: C %.2f, call %.2f (%.3f of C), try_call %.2f (%.3f), future %.2f (%.3f)\n", base,
                median(times[1]), median(times[1]) / base, median(times[2]), median(times[2]) / base, median(times[3]),
                median(times[3]) / base);
    return 0;
}
