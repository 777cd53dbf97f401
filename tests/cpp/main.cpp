// psa_host.hpp, all of it, against plugins that do as a ticket's id says.
// Usage: cpp CONFIG OTHER_CONFIG FILES_URL CALLS_IN_FLIGHT
#include "check.hpp"

int main(int count, char **values) {
    CHECK(count == 5);
    const arguments with = {values[1], values[2], values[3], std::stoul(values[4])};
    CHECK(psa::version().size() >= 5);
    results();
    errors(with);
    futures(with);
    completions(with);
    streams(with);
    doors(with);
    events(with);
    hooks(with);
    lives(with);
    std::puts("right");
    return 0;
}
