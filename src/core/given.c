/* given.c: see given.h. */
#include "given.h"

#include <string.h>

tn_status tn_given(const char *function, const char *names, const void *const pointer[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strcspn(names, ",");
        TN_REQUIRE(pointer[i], TN_EINVAL, "%s: %.*s is NULL", function, (int)length, names);
        names += length + strspn(names + length, ", ");
    }
    return TN_OK;
}
