/* device.h: which devices there are, and opening one.
 *
 * The library finds backends in its own folder (lib/tenon/backends-1 beside libtenon.so) and then in the folders or
 * files of TENON_BACKEND_PATH (absolute, separated by ':'; ignored for set-user-id programs). A file is loaded and
 * its backend started when a device of it is asked for: to open "cpu" touches no other driver; to list the devices, to
 * find one by a part of its name, or `auto`, starts them all. One that can't be used is logged with the reason, kept in
 * tn_backend_report, and skipped.
 * All functions may be called from any thread.
 *
 * Threads and drivers don't survive a fork. In the child of a process that had used a device, whatever needs that
 * device's backend fails with TN_ESTATE; freeing what was inherited is fine, and so are the reference and backends that
 * had not been started.
 *
 * Signals are for the program's own threads: those of the library and of its backends take none. While `cpu`
 * multiplies matrices by oneDNN or a CBLAS, the calling thread's signals wait, a profiler's too: for one product, after
 * which they are what they were. Signals that an instruction raises there (SIGSEGV, SIGFPE ...) never wait. */
#ifndef TENON_DEVICE_H
#define TENON_DEVICE_H

#include "tenon/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_device tn_device;

/* Loads one more backend from a file. Loading the same file or id twice is fine and does nothing. */
TN_API TN_MUST_USE tn_status tn_backend_load(const char *path);

/* One line for each backend that was found: its id, its file ("built in" for the reference), and why it was skipped
 * (NULL if it was not). `devices` is how many it has. Texts live as long as the library. Returns 0 past the last; the
 * reference is always there, so that 0 for the first means that memory was short. */
typedef struct tn_backend_report {
    const char *id;
    const char *version;
    const char *doc;
    const char *file;
    const char *problem;
    uint32_t devices;
    tn_status status; /* that goes with the problem: TN_ENOMEM where it may work another time */
    uint64_t spare[4];
} tn_backend_report;
TN_API int tn_backend_at(size_t index, tn_backend_report *report);

/* Sets an option of a backend ("opencl", "platform", "pocl") before the first device is used. Copies the texts. Opening
 * a device fails with TN_EINVAL if an option was set for a backend that there is not, or if the device's own backend
 * does not know the option or its value.
 * Options of "tenon" are the library's own. "probe": before a backend is used it is tried in a process of its own, and
 * the verdict is kept; "again" tries it whatever was kept, "off" does not try. "probe_seconds": how long that may take,
 * 30 if not set. */
TN_API TN_MUST_USE tn_status tn_backend_option(const char *backend, const char *key, const char *value);

/* Several, as the environment variable TENON_OPTIONS has them, which counts for what a program does not set itself:
 * "cpu.isa=avx2,opencl.platform=pocl". TN_EINVAL for another text; options before the culprit are set. */
TN_API TN_MUST_USE tn_status tn_backend_options(const char *text);

/* The devices of all backends, the reference last. Returns 0 past the last. `name` is the backend's id and the device's
 * index ("opencl:0"); the id alone ("cpu", "reference") where the device declares itself the only one that its backend
 * can ever have, which it does by a stable id equal to the backend's. So a name doesn't change as devices come and go.
 */
typedef struct tn_device_entry {
    char name[96];
    tn_device_info info;
    uint64_t spare[4];
} tn_device_entry;
TN_API int tn_device_at(size_t index, tn_device_entry *entry);

/* The bytes of memory that device number `index` has, and how many of them can still be had now. Returns 1; or 0 past
 * the last and where the backend never tells, -1 where it failed to (tn_message), and leaves both as they are. */
TN_API int tn_device_memory(size_t index, uint64_t *total, uint64_t *left);

/* Opens a device by its name ("opencl:0"; "cpu" and "cpu:0" are the same, as are "opencl" and "opencl:0" where there
 * is but one), its stable id, a part of its human name if only one has it, or "auto": the fastest, by a short
 * measurement that is kept in the cache, where of two that are the host's processor the second has to be twice as
 * fast; the reference only if nothing else can be measured. Opening it again gives the same device; each open is
 * closed once. `device` is unchanged on failure. */
TN_API TN_MUST_USE tn_status tn_device_open(const char *name, tn_device **device);
TN_API void tn_device_close(tn_device *device); /* NULL is fine */

/* The name that opens it ("cpu", "opencl:0"), and what its backend says of it. Both belong to the device. */
TN_API const char *tn_device_name(const tn_device *device);
TN_API const tn_device_info *tn_device_get_info(const tn_device *device);

/* The device's own kernels measured on a 512 x 512 x 512 matrix product, in f32 operations a second. */
TN_API TN_MUST_USE tn_status tn_device_measure(tn_device *device, double *flops);

/* The same for several devices while all of them compute, each in a thread of its own: less than alone where they share
 * processors. */
TN_API TN_MUST_USE tn_status tn_device_measure_together(tn_device *const devices[], uint32_t count, double flops[]);

/* The folder of the disk cache, in which backends keep compiled kernels: TENON_CACHE if that is an absolute path, else
 * tenon in XDG_CACHE_HOME or in ~/.cache. It need not exist yet. Fails where there is none, and the message says why:
 * switched off, no place for it, or a folder that other users can write to. */
TN_API TN_MUST_USE tn_status tn_cache_folder(char *path, uint64_t room);

/* Whether what is kept there will be found again: the folder is made and can be written. Fails where it can't, or where
 * tn_cache_folder does, and the message says why. */
TN_API TN_MUST_USE tn_status tn_cache_check(void);

#ifdef __cplusplus
}
#endif
#endif
