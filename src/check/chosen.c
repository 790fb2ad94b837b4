/* chosen.c: a backend's options: it asks for them in time, and refuses values that make no sense. */
#include <string.h>

#include "sample.h"

static void run_samples(tn_kit *kit)
{
    tn_kit_sample s;
    for (int i = 0; i <= TN_KIT_LONG && !kit->result->failed; i++) {
        if (!tn_kit_sample_make(kit, i, &s)) return;
        if (tn_kit_run_job(kit, &s.job) == TN_KIT_REFUSED) kit->result->refused++;
        tn_kit_sample_free(&s);
    }
}

/* Whoever sets an option that the backend does not have is to learn it when the device is opened. */
static void in_time(tn_kit *kit)
{
    if (!tn_kit_open(kit)) return;
    uint32_t count = tn_kit_options;
    run_samples(kit);
    if (kit->backend->abi_minor)
        tn_kit_expect(kit, tn_kit_options == count, "it asks for its option '%s' after its context was made",
                      tn_kit_option[count % TN_KIT_OPTIONS]);
    tn_kit_remark(kit, "options: %u", tn_kit_options);
    tn_kit_close(kit);
}

/* init, device_count or context_create says no. */
static void refuse(tn_kit *kit, const char *key)
{
    const tn_backend *b = kit->backend;
    tn_context *context = NULL;
    uint32_t count = 0;
    *kit->text = 0;
    tn_kit_wrong = key;
    int32_t started = b->init(&kit->host, &kit->msg), status = started;
    if (!status) status = b->device_count(&count, &kit->msg);
    if (!status) status = b->context_create(kit->target->index, &context, &kit->msg);
    tn_kit_wrong = NULL;
    tn_kit_expect(kit, status == TN_EINVAL && strstr(kit->text, key),
                  "its option '%s' with the value '" TN_KIT_NONSENSE "': %s, '%s'; TN_EINVAL belongs, and a line that "
                  "names the option",
                  key, tn_status_name(status), kit->text);
    if (context) b->context_destroy(context);
    if (!started) b->deinit();
    tn_kit_expect(kit, tn_kit_live == 0, "%lld blocks of the host's memory were not given back after a wrong option",
                  (long long)tn_kit_live);
}

static void values(tn_kit *kit)
{
    if (!tn_kit_open(kit)) return;
    tn_kit_close(kit);
    uint32_t count = kit->backend->abi_minor ? tn_kit_options : 0;
    for (uint32_t i = 0; i < count && !kit->result->failed; i++) refuse(kit, tn_kit_option[i]);
    tn_kit_remark(kit, "options: %u", count);
}

const tn_kit_case tn_kit_chosen[] = {
    {"abi", "options", "it asks for all options that it has before its first context is made", in_time, NULL, 0, 0},
    {"abi", "values", "an option's value that makes no sense is refused with a line", values, NULL, 0, 0},
    {0},
};
