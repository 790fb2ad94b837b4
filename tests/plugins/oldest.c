/* oldest: a table that ends where the first version's required part ends. What lies behind is not to be read. */
#include "template.h"

static const void *not_there(const char *id)
{
    (void)id;
    __builtin_trap();
}

PLUGIN("oldest", table.size = offsetof(tn_backend, get_ext); table.get_ext = not_there)
