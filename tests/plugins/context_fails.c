/* context_fails: its device is listed and can't be opened, with a status that is none. */
#include "template.h"

static int32_t fail_context(uint32_t device, tn_context **context, tn_msg *msg)
{
    (void)device;
    (void)context;
    return tn_refuse(msg, 12345, "the device is gone");
}

PLUGIN("context_fails", table.context_create = fail_context)
