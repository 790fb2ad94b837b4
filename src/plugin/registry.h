/* registry.h: the list of backends, and of each one's devices.
 *
 * Files are found once, at the first need, and nothing of them is run. Each is loaded when it may have the backend that
 * is asked for, and a backend is initialised when a device of it is: who uses `cpu` neither loads nor waits for
 * another's driver. Of two files with one id the first is used; one that is called as its id comes before others, so
 * that what was loaded on the way makes no difference. One lock guards all of it; the functions below are called while
 * it is held, unless said otherwise. */
#ifndef TN_PLUGIN_REGISTRY_H
#define TN_PLUGIN_REGISTRY_H

#include "tenon/device.h"

/* A device of a backend. */
typedef struct tn_slot {
    tn_device_entry entry; /* checked: texts closed, numbers sane */
    uint32_t index;        /* what the backend calls it */
    tn_device *open;       /* NULL while nobody has it open */
} tn_slot;

/* A file, and the backend in it once that was loaded. Texts live as long as the registry. */
typedef struct tn_entry {
    const tn_backend *backend; /* NULL: not loaded so far, or skipped */
    const char *id;            /* its backend's; until that is known the file's name without .so */
    const char *file;
    const char *problem; /* NULL: none */
    tn_status status;    /* that goes with the problem */
    tn_host host;
    uint64_t device, inode; /* of the file; 0 where there is none */
    tn_slot *slots;
    uint32_t n_slots;
    uint32_t tried; /* in a process of its own: how far, see probe.h */
    int own;        /* found in a folder of the library */
    int loading, started;
    tn_backend forked; /* takes the backend's place in a process that was forked after it started: forked.h */
} tn_entry;

/* The backend that is built in, and comes last. Who puts the library together says which: src/library.c. */
extern const tn_backend *(*const tn_built_in)(void);

void tn_registry_lock(void);
void tn_registry_unlock(void);

/* Finds the files, if that was not yet done. Fails only for lack of memory; then it goes on at the next call. */
tn_status tn_registry_ready(void);

/* File number i; NULL past the last. The reference is the last. */
tn_entry *tn_registry_at(size_t i);

/* Device number `index` of all those started, and its backend; NULL past the last. */
tn_slot *tn_registry_slot(size_t index, tn_entry **entry);

/* Loads a file, if that was not yet done. One that can't be used is a problem of that entry, noted and logged; what is
 * returned is this library's own lack of memory. */
tn_status tn_registry_load(tn_entry *entry);

/* Loads and initialises a backend and lists its devices, if that was not yet done. A backend that fails is a problem of
 * that entry, noted and logged; what is returned is this library's own lack of memory. */
tn_status tn_registry_start(tn_entry *entry);
tn_status tn_registry_start_all(void);

/* Registers a file on that word (NULL: the user's, who named it), and does not load it. *entry, if wanted, becomes what
 * stands in the list for it. */
struct tn_trust;
tn_status tn_registry_add(const char *file, const struct tn_trust *trust, tn_entry **entry);

/* For tests: forgets everything, as if the library had just been loaded (files stay loaded). Does nothing but return
 * how many devices are open, unless it is 0. Takes the lock itself. */
uint32_t tn_registry_close(void);

#endif
