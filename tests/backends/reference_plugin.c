/* reference_plugin.c: the reference as a plugin, so that what checks plugins can check it too. */
#include "reference.h"

const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor)
{
    (void)host_minor;
    return host_major == TN_ABI_MAJOR ? tn_reference_backend() : NULL;
}
