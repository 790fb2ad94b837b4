/* comm.h: the ABI of communicators: how the workers of one training reach each other.
 *
 * A communicator is a shared library that exports one symbol, tn_comm_query. It includes this header and nothing else
 * of Tenon, does not link Tenon, and copies comm/local to begin. docs/distributed.md tells the same story at more
 * length.
 *
 * It is transport and no more: bytes from one rank to another. What is added up, in which order, who is still alive,
 * barriers and broadcasts are the library's, so that they are the same over any communicator, to the bit.
 *
 * Rules. Those of backend.h hold for compatibility, types and errors: one table that only grows at its end, fixed-width
 * integers, a status and a line into the caller's message; nothing prints, aborts, raises a signal or throws.
 *  - Ranks. The workers are numbered 0 to ranks - 1. Each has one tn_comm, in a process of its own or, where the
 *    communicator allows it, in a thread.
 *  - Threads. The functions of one tn_comm are called by one thread at a time, not always the same one; open and close
 *    by the one that will end the process or its thread. Those of different ones at once.
 *  - Memory. All data is the host's memory, and stays what and where it is until its part is done or close returned.
 *  - Order. Between two ranks, in one direction and channel, the n-th part that is sent meets the n-th that is
 * received. Channels do not wait for each other. A part may be of any size, more than 2 GiB too, or of no bytes.
 *  - Progress. Nothing need happen but within progress; whoever waits calls it again and again.
 */
#ifndef TENON_COMM_H
#define TENON_COMM_H

#include "tenon/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TN_COMM_MAJOR 1u
#define TN_COMM_MINOR 0u

typedef struct tn_comm tn_comm; /* a rank's end; the communicator's own */

#define TN_COMM_SEND    1u
#define TN_COMM_RECEIVE 2u

#define TN_COMM_CHANNELS 2u

/* One message, from the view of one rank. It belongs to the library, which leaves it alone until it is done. Frozen. */
typedef struct tn_comm_part {
    void *data; /* where the bytes are, or shall be */
    uint64_t bytes;
    uint32_t peer; /* the other rank; never one's own */
    uint32_t direction;
    uint32_t channel;
    uint32_t done; /* 0; progress makes it 1: what was to be received is there, what was to be sent may change */
    void *own[4];  /* the communicator's, until then */
} tn_comm_part;

/* A place among the workers: what the host asks for, then what it is. */
typedef struct tn_comm_place {
    uint64_t size;
    uint64_t group; /* in one process: those that open with one number meet */
    uint32_t ranks; /* 0: as the launcher that started the process says, and then `rank` is asked for, too */
    uint32_t rank;
} tn_comm_place;

/* The table of a communicator. */
typedef struct tn_communicator {
    uint64_t size;
    uint32_t abi_major;
    uint32_t abi_minor;
    const char *id; /* "local": 1 to 31 of a-z, 0-9, '-' and '_'; its file is called so */
    const char *version;
    const char *doc; /* one line */

    /* Joins the others; may wait until all have come. The host's services (backend.h) live until close returned. A
     * place that it cannot have is TN_EINVAL; a second tn_comm in a process that can have but one, TN_ESTATE. */
    int32_t (*open)(const tn_host *host, tn_comm_place *place, tn_comm **comm, tn_msg *msg);

    /* Begins all of the parts; does not wait. On failure none has begun. */
    int32_t (*post)(tn_comm *comm, tn_comm_part *const *part, uint64_t count, tn_msg *msg);

    /* Moves what can be moved. Returns as soon as a part became done in this call, at the latest after so many
     * microseconds; those are no error. It does not spin where it waits long: the processor is for computing. Fails if
     * the connection is lost, or a part that arrives is not of the size of the one that it meets: the message names the
     * rank, and that part is over. It may be called again after it failed, so that the others can be told. */
    int32_t (*progress)(tn_comm *comm, uint64_t microseconds, tn_msg *msg);

    /* Lets go of it, and of parts that are not done. With `failed` 0 all ranks close at about the same time, and may
     * wait for each other. With `failed` 1 there is no waiting, for others may be dead; where the others are processes
     * that a launcher started, they are ended by the time that this process ends. NULL is fine. */
    void (*close)(tn_comm *comm, uint32_t failed);
} tn_communicator;

/* The one exported symbol. Pure and fast: no thread, no file, no driver call. Returns the communicator's table,
 * constant and valid for ever, or NULL if it can't work with a host of that version. */
typedef const tn_communicator *tn_comm_query_fn(uint32_t host_major, uint32_t host_minor);
TN_BACKEND_EXPORT const tn_communicator *tn_comm_query(uint32_t host_major, uint32_t host_minor);

#ifdef __cplusplus
}
#endif
#endif
