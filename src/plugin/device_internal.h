/* device_internal.h: an open device, for the layers that use it. */
#ifndef TN_PLUGIN_DEVICE_INTERNAL_H
#define TN_PLUGIN_DEVICE_INTERNAL_H

#include "tenon/device.h"

struct tn_device {
    const tn_backend *backend;
    tn_context *context; /* made when the device was opened, destroyed at its last close */
    uint32_t index;      /* what the backend calls the device */
    uint32_t opens;      /* guarded by the registry's lock */
    tn_device_info info;
    char name[96];
    struct tn_tuned *tuned; /* kernels that were chosen on it (tuned.h); NULL: its backend does not tune */
};

/* Room for a backend's message: TN_CALL(device, backend->op_run(queue, kernel, &run, &msg)) with a `msg` made by
 * TN_MESSAGE(msg), or by hand. */
#define TN_MESSAGE(name)                                                                                               \
    char name##_text_[512] = "";                                                                                       \
    tn_msg name = {name##_text_, sizeof name##_text_}

/* What a backend's answer is for this library's callers: TN_OK, or a failure that names the device and carries the
 * backend's message. A code that is none of backend.h's becomes TN_EDEVICE. */
tn_status tn_device_status(const tn_device *device, int32_t code, const tn_msg *msg);

/* The backend's objects. What is given back is there, and its numbers make sense: else they fail with a line that names
 * the device. On failure the outputs are unchanged. */
TN_MUST_USE tn_status tn_buffer_make(const tn_device *device, uint64_t bytes, tn_buffer **buffer);
TN_MUST_USE tn_status tn_queue_make(const tn_device *device, tn_queue **queue);
TN_MUST_USE tn_status tn_kernel_make(const tn_device *device, const tn_op_desc *desc, tn_kernel **kernel,
                                     tn_kernel_info *info);

/* Makes the kernel ready to run, where its backend puts that off until all are prepared. */
TN_MUST_USE tn_status tn_kernel_finish(const tn_device *device, tn_kernel *kernel);

/* Whether the device does the operator. TN_EUNSUPPORTED is the one answer that says no: the backend's line then goes to
 * `why`, if there is room for it. All others but TN_OK are errors of the device. */
TN_MUST_USE tn_status tn_kernel_ask(const tn_device *device, const tn_op_desc *desc, int *supported, char *why,
                                    size_t room);

/* The size of the device's largest buffer in bytes, rounded down to a multiple of `alignment`, which is the
 * least. What is larger is spread
 * over buffers of this size. */
uint64_t tn_device_bank(const tn_device *device, uint64_t alignment);

/* An extension's table, or NULL. */
const void *tn_backend_extension(const tn_backend *backend, const char *id);

/* Fails with a line if so many bytes more cannot be had, by what the device's backend tells; or else, of a CPU, by what
 * the host has free, and of others by what they have in all. `what` needs them. The second is about the host itself. */
TN_MUST_USE tn_status tn_device_has_room(const tn_device *device, uint64_t bytes, const char *what);
TN_MUST_USE tn_status tn_host_has_room(uint64_t bytes, const char *what);

/* The number of f32 operations a second of a 512 x 512 x 512 matrix product that the device was measured at, now or,
 * by the cache, before. */
tn_status tn_device_speed(tn_device *device, double *flops);

#endif
