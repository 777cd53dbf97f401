/* Tables that a host must refuse. Each is made by one -D. */
#include "psa_plugin.h"

#ifndef ID
#define ID "table"
#endif
#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef FORM
#define FORM                                                                                                    \
    "{\"form_schema\":\"1.0\",\"plugin\":\"" ID "\",\"settings_version\":1,\"reads_from\":1,"                   \
    "\"default_locale\":\"en\",\"groups\":[{\"key\":\"main\",\"title\":{\"en\":\"Main\"}}],"                    \
    "\"fields\":[{\"key\":\"url\",\"type\":\"text\",\"group\":\"main\",\"label\":{\"en\":\"Address\"}}]}"
#endif
#ifndef MANIFEST
#define MANIFEST "{\"id\":\"" ID "\",\"name\":\"Table\",\"version\":\"" VERSION "\",\"form\":" FORM "}"
#endif
#ifndef SIZE
#define SIZE sizeof(psa_plugin)
#endif
#ifndef MAJOR
#define MAJOR PSA_ABI_MAJOR
#endif
#ifndef MINOR
#define MINOR PSA_ABI_MINOR
#endif
#ifndef OPEN
#define OPEN open_instance
#endif
#ifndef OPERATIONS
#define OPERATIONS {"get_ticket", get_ticket, 0, 0}
#endif
#ifndef OPERATION_SIZE
#define OPERATION_SIZE sizeof(psa_operation)
#endif
#ifndef ENTRY
#define ENTRY psa_plugin_entry
#endif
#ifndef TABLE
#define TABLE &plugin
#endif

static const char manifest[] = MANIFEST;

void get_ticket(void *self, psa_call call, psa_bytes request);
void *open_instance(const psa_services *host, psa_call call, psa_bytes settings);
extern const psa_plugin plugin;

void get_ticket(void *self, psa_call call, psa_bytes request) {
    (void)self;
    (void)call;
    (void)request;
}

void *open_instance(const psa_services *host, psa_call call, psa_bytes settings) {
    (void)host;
    (void)call;
    (void)settings;
    return (void *)manifest;
}

static void close_instance(void *self) {
    (void)self;
}

static const psa_operation operations[] = {OPERATIONS};

const psa_plugin plugin = {
    SIZE,       MAJOR, MINOR,          {(const uint8_t *)manifest, sizeof manifest - 1},
    operations, sizeof operations / sizeof operations[0], OPERATION_SIZE, OPEN,
    close_instance, NULL,
};

PSA_EXPORT const psa_plugin *ENTRY(uint32_t host_abi);
PSA_EXPORT const psa_plugin *ENTRY(uint32_t host_abi) {
    (void)host_abi;
    return TABLE;
}
