/* query_null: declines to work with this host. */
#include "tenon/backend.h"

const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor)
{
    (void)host_major;
    (void)host_minor;
    return NULL;
}
