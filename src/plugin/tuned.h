/* tuned.h: the table of what was tuned on a device: in memory, as a text, and in the disk cache.
 *
 * As a text it has a line for itself, for the device and for the driver, a row a line, and a checksum at its end:
 *
 *     tenon tuned 1
 *     device NVIDIA H100, with kernels for GPUs
 *     driver NVIDIA CUDA 555.1 (0123456789abcdef), kernels 0123456789abcdef
 *     chosen 10300 15200 12 matmul f32 1x128x784 ... | tile u=16 v=16 ...
 *     sum 0123456789abcdef
 *
 * A row says what became of a candidate ("given+1": it was given, and the process that compared it ended once): its
 * nanoseconds, those of the kernel that the backend would have chosen, and thousandths of the error that is allowed;
 * then the operator's key and the candidate. */
#ifndef TN_PLUGIN_TUNED_H
#define TN_PLUGIN_TUNED_H

#include <pthread.h>

#include "device_internal.h"
#include "tenon/backend_ext.h"

enum {
    TN_ROW_CHOSEN, /* the fastest that was right, */
    TN_ROW_GIVEN,  /* or somebody else's, which was not compared here yet */
    TN_ROW_RIGHT,  /* measured, while the search is not over */
    TN_ROW_WRONG,
    TN_ROW_FAILED,
    TN_ROW_TRYING, /* at work when the table was written: the process may have ended by it. `nanoseconds`: how often */
    TN_ROW_KINDS,
    TN_ROW_GONE = TN_ROW_KINDS /* it is no row any more */
};

/* A row whose key begins so is about a network, and none of its backend's business. */
#define TN_NETWORK_KEY "network "

enum { TN_TUNE_DEATHS = 2 }; /* of the process by one candidate: it is not tried again */

typedef struct tn_row {
    int32_t kind;
    uint32_t deaths; /* of one that is given: how often its comparison was begun and did not come to an end */
    uint64_t nanoseconds, usual, error;
    char *key, *choice; /* a choice of "" is what the backend would have chosen */
    uint64_t hash;      /* of the key, */
    uint32_t next;      /* and the number of the next row in its chain, from 1 on: the table's own */
} tn_row;

enum { TN_CHANGE_PUT, TN_CHANGE_DROP, TN_CHANGE_EMPTY };
typedef struct tn_tuned_change {
    int32_t what;
    tn_row row; /* that was put; or with the key and kind of those that were dropped */
} tn_tuned_change;

typedef struct tn_tuned {
    pthread_mutex_t lock; /* of a device's: guards what follows, and lets one thread tune at a time */
    tn_tune_identity of;
    tn_row *row;
    uint32_t count, capacity, gone; /* rows that are gone are counted too */
    uint32_t *bucket, buckets;      /* chains of rows, by their keys */
    int notes;                      /* changes are noted: since the table was last in the cache */
    int is_told;                    /* that it can't be written there */
    tn_tuned_change *change;
    uint32_t changes, change_capacity;
    uint64_t written; /* hash of the text that this process wrote last */
} tn_tuned;

/* The extension with all that it takes; NULL: the backend does not tune. */
const tn_ext_tune *tn_tune_extension(const tn_backend *backend);

/* A row by its key and choice, or by its key and kind; NULL: there is none. It stays where it is until the table is
 * changed or kept. */
tn_row *tn_tuned_find(const tn_tuned *table, const char *key, const char *choice);
tn_row *tn_tuned_of_kind(const tn_tuned *table, const char *key, int32_t kind);
int tn_tuned_is_lasting(const tn_row *row); /* chosen or given: not only a search wants it */

/* One row more, or that of the same key and choice changed; none of that key and kind; none at all. */
TN_MUST_USE tn_status tn_tuned_put(tn_tuned *table, const tn_row *row);
TN_MUST_USE tn_status tn_tuned_drop(tn_tuned *table, const char *key, int32_t kind);
TN_MUST_USE tn_status tn_tuned_empty(tn_tuned *table);
/* What was noted in one table is done to another; and no longer noted. */
TN_MUST_USE tn_status tn_tuned_change_so(tn_tuned *table, const tn_tuned *changed);
void tn_tuned_forget_changes(tn_tuned *table);
/* Frees what the table holds. Or its rows become another's in place of those it has; what was noted there stays. */
void tn_tuned_clear(tn_tuned *table);
void tn_tuned_move(tn_tuned *to, tn_tuned *from);

/* The table as a text, without rows that only a search wants unless `all`; the caller frees it. NULL: no memory. */
char *tn_tuned_text(const tn_tuned *table, int all);
/* A table from a text, which need not be closed; TN_EINVAL and a line for any other. The caller clears it. */
TN_MUST_USE tn_status tn_tuned_read(const char *text, uint64_t bytes, tn_tuned *table);

/* Of a device that was opened: reads its table from the cache and tells its backend of the choices. A device that does
 * not tune gets none. Trouble with the table is logged, and it is as if there were none. */
TN_MUST_USE tn_status tn_tuned_load(tn_device *device);
void tn_tuned_free(tn_device *device);
/* Writes it to the cache, together with what other processes wrote there meanwhile: their rows are the device's from
 * then on, and the backend is told of their choices. Where it can't be written (a full disk is logged, once), the
 * changes made here stay the device's, and are written another time: 0. */
int tn_tuned_keep(const tn_device *device);
/* Around a candidate's run: whether no other process, and no other device of this one, is at such a run for the same
 * table. If one is, a row that says so is no row that ended a process. */
int tn_tuned_enter(const tn_device *device, int *is_alone);
void tn_tuned_leave(int lock);
/* Tells the backend of a choice; "" or NULL: of none. Of a network there is nothing to tell. */
TN_MUST_USE tn_status tn_tuned_choose(const tn_device *device, const char *key, const char *choice);

#endif
