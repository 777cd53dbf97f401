// An exception that leaves an operation: undefined by the contract, so the process ends; the record of what was
// running names it.
#include "psa_plugin.h"

#include <stdexcept>

namespace {
const char manifest[] =
    "{\"id\":\"throws\",\"name\":\"Throws\",\"version\":\"1.0.0\",\"form\":{\"form_schema\":\"1.0\","
    "\"plugin\":\"throws\",\"settings_version\":1,\"reads_from\":1,\"default_locale\":\"en\","
    "\"groups\":[{\"key\":\"main\",\"title\":{\"en\":\"Main\"}}],\"fields\":[{\"key\":\"url\",\"type\":\"text\","
    "\"group\":\"main\",\"label\":{\"en\":\"Address\"}}]}}";

void get_ticket(void *, psa_call, psa_bytes) {
    throw std::runtime_error("nobody catches this");
}

void *open_instance(const psa_services *, psa_call, psa_bytes) {
    return const_cast<char *>(manifest);
}

void close_instance(void *) {}

const psa_operation operations[] = {{"get_ticket", get_ticket, 0, 0}};

const psa_plugin plugin = {
    sizeof(psa_plugin), PSA_ABI_MAJOR, PSA_ABI_MINOR, {reinterpret_cast<const uint8_t *>(manifest), sizeof manifest - 1},
    operations, 1, sizeof(psa_operation), open_instance, close_instance, nullptr,
};
} // namespace

extern "C" PSA_EXPORT const psa_plugin *psa_plugin_entry(uint32_t) {
    return &plugin;
}
