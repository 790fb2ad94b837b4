/* safetensors.c: what reading and writing the format share. */
#include "safetensors.h"

#include <string.h>

#include "tenon/state.h"

static const char *const dtype_name[] = {
#define X(NAME, ...) [TN_##NAME] = #NAME,
#include "tenon/dtype.def"
#undef X
};

const char *tn_safetensors_dtype(int32_t dtype)
{
    return tn_dtype_size(dtype) ? dtype_name[dtype] : NULL;
}

int tn_has_owner(const char *name, int (*is_there)(const void *arg, const char *name), const void *arg)
{
    char owner[256];
    const char *dot = strrchr(name, '.');
    if (!dot || (size_t)(dot - name) >= sizeof owner) return 0;
    memcpy(owner, name, (size_t)(dot - name));
    owner[dot - name] = 0;
    return is_there(arg, owner);
}

int tn_in_state(const void *state, const char *name)
{
    tn_state_entry entry;
    return tn_state_find(state, name, &entry);
}
