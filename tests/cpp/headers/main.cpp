// Each header by itself, in either order; nothing else.
#include "psa_host_json.hpp"

#include "psa_host.hpp"

#include "psa_host.h"

int main() {
    return psa::host() ? 1 : 0;
}
