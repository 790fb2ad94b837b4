/* where.c: where a state's tensors lie, as their backend tells. */
#include "error.h"
#include "given.h"
#include "state.h"
#include "tenon/backend_ext.h"

_Static_assert(TN_PLACE_HOST == TN_NATIVE_HOST && TN_PLACE_OPENCL == TN_NATIVE_OPENCL, "one list of kinds");

/* `place` gets the kind and the handle of the tensor's buffer. */
static tn_status ask(const tn_state *state, const tn_state_tensor *t, tn_state_place *place)
{
    TN_MESSAGE(msg);
    const tn_device *device = state->device;
    const tn_ext_native *table = tn_backend_extension(device->backend, TN_EXT_NATIVE);
    TN_REQUIRE(table && TN_HAS(tn_ext_native, table, native) && table->native, TN_EUNSUPPORTED,
               "%s does not tell where '%s' is", tn_device_name(device), t->entry.name);
    tn_buffer *buffer = state->chunk[t->chunk].buffer;
    return tn_device_status(device, table->native(buffer, &place->kind, &place->handle, &msg), &msg);
}

tn_status tn_state_where(tn_state *state, const char *name, tn_state_place *place)
{
    TN_GIVEN(state, name, place);
    const tn_state_tensor *t = tn_state_get(state, name);
    TN_REQUIRE(t, TN_EMISSING, "no tensor '%s' in the state", name);
    tn_state_place found = {.offset = t->offset, .bytes = t->bytes};
    TN_TRY(ask(state, t, &found));
    TN_TRY(tn_state_wait(state));
    if (found.kind == TN_PLACE_HOST) {
        found.handle = (char *)found.handle + found.offset;
        found.offset = 0;
    }
    state->is_shown = 1;
    *place = found;
    return TN_OK;
}
