/* init_fails: finds no driver. */
#include "template.h"

static int32_t init_and_fail(const tn_host *services, tn_msg *msg)
{
    (void)services;
    return tn_refuse(msg, TN_EDEVICE, "no driver was found;\ninstall one");
}

PLUGIN("init_fails", table.init = init_and_fail)
