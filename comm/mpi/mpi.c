/* mpi.c: a communicator over MPI, for any implementation with threads: ranks are the processes that mpirun started.
 *
 * Who initialises MPI: the program, if it did before, and then it also finalises it; else this file, at the first open,
 * and then MPI is finalised when the process ends. A process that ends while it is open, or after a failure, takes the
 * others along by MPI_Abort, as they would wait for ever. It is called by one thread at a time
 * (MPI_THREAD_SERIALIZED).
 *
 * MPI counts bytes by an int, and moves a long message only while both sides test it: parts are cut into messages of
 * CHUNK bytes, each of which shows that something moves. Waiting is testing with sleeps between, because MPI's own
 * waiting takes a processor. */
#include "tenon/comm.h"

#include <dlfcn.h>
#include <mpi.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef OPEN_MPI
#define ID "openmpi"
#else
#define ID "mpich"
#endif

#define CHUNK ((uint64_t)1 << 18)

/* What `own` of a part is used for: the next part; its requests; how many they are, and how many are done. */
enum { NEXT, REQUESTS, COUNT, DONE };

struct tn_comm {
    const tn_host *host;
    MPI_Comm world; /* our own: messages of the program's do not meet ours */
    int rank, ranks;
    uint64_t chunk;
    void *first; /* tn_comm_part under way, in the order in which they were posted */
};

static struct {
    int begun; /* MPI by this file */
    int watched, failed;
    atomic_int open;
    pid_t pid; /* a child that was forked and ends is none of MPI's */
} process;

__attribute__((format(printf, 3, 4))) static int32_t refuse(tn_msg *msg, int32_t status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (msg && msg->text && msg->capacity) vsnprintf(msg->text, (size_t)msg->capacity, format, args);
    va_end(args);
    return status;
}

/* ---- opening and closing ---------------------------------------------------------------------------------------- */

/* When the process ends. */
static void leave(void)
{
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (finalized || getpid() != process.pid) return;
    if (process.open || process.failed)
        MPI_Abort(MPI_COMM_WORLD, 1);
    else if (process.begun)
        MPI_Finalize();
}

/* Open MPI loads parts of itself that look for its symbols among all that are open to all. */
static void show_symbols(void)
{
#ifdef OPEN_MPI
    Dl_info info;
    if (dladdr((void *)(uintptr_t)MPI_Init_thread, &info) && info.dli_fname)
        dlopen(info.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
#endif
}

static int32_t begin(tn_msg *msg)
{
    int begun = 0, ended = 0, threads = 0;
    MPI_Initialized(&begun);
    MPI_Finalized(&ended);
    if (ended) return refuse(msg, TN_ESTATE, "MPI was finalised in this process");
    if (begun) {
        MPI_Query_thread(&threads);
    } else {
        show_symbols();
        if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &threads))
            return refuse(msg, TN_EDEVICE, "MPI_Init_thread failed");
        process.begun = 1;
    }
    process.pid = getpid();
    if (!process.watched) process.watched = !atexit(leave);
    if (!process.watched) return refuse(msg, TN_ENOMEM, "out of memory");
    if (threads < MPI_THREAD_SERIALIZED)
        return refuse(msg, TN_EUNSUPPORTED, "MPI was initialised without MPI_THREAD_SERIALIZED");
    return TN_OK;
}

static uint64_t chunk_size(const tn_host *host)
{
    const char *text = host->option(host->self, ID, "chunk");
    const long long chunk = text ? atoll(text) : 0;
    return chunk > 0 && (uint64_t)chunk < CHUNK ? (uint64_t)chunk : CHUNK;
}

static int32_t join(tn_comm *c, const tn_comm_place *place, tn_msg *msg)
{
    if (MPI_Comm_dup(MPI_COMM_WORLD, &c->world)) return refuse(msg, TN_EDEVICE, "MPI_Comm_dup failed");
    MPI_Comm_set_errhandler(c->world, MPI_ERRORS_RETURN);
    MPI_Comm_rank(c->world, &c->rank);
    MPI_Comm_size(c->world, &c->ranks);
    if (!place->ranks || (place->ranks == (uint32_t)c->ranks && place->rank == (uint32_t)c->rank)) return TN_OK;
    MPI_Comm_free(&c->world);
    return refuse(msg, TN_EINVAL, "this is rank %d of %d, not %u of %u", c->rank, c->ranks, place->rank, place->ranks);
}

static int32_t mpi_open(const tn_host *host, tn_comm_place *place, tn_comm **comm, tn_msg *msg)
{
    if (atomic_exchange(&process.open, 1))
        return refuse(msg, TN_ESTATE, "open in this process already: a process is one rank");
    tn_comm *c = host->allocate(host->self, sizeof *c, _Alignof(tn_comm));
    if (c) *c = (tn_comm){.host = host, .chunk = chunk_size(host)};
    int32_t status = c ? begin(msg) : refuse(msg, TN_ENOMEM, "out of memory");
    if (!status) status = join(c, place, msg);
    if (status) {
        host->release(host->self, c);
        process.open = 0;
        return status;
    }
    place->rank = (uint32_t)c->rank;
    place->ranks = (uint32_t)c->ranks;
    *comm = c;
    return TN_OK;
}

/* After a failure MPI is left as it is, messages under way included: the process is to end. */
static void mpi_close(tn_comm *c, uint32_t failed)
{
    if (!c) return;
    process.open = 0;
    if (failed) {
        process.failed = 1;
        return;
    }
    MPI_Comm_free(&c->world);
    c->host->release(c->host->self, c);
}

/* ---- parts ------------------------------------------------------------------------------------------------------ */

static uint64_t messages(const tn_comm *c, uint64_t bytes)
{
    return bytes ? (bytes + c->chunk - 1) / c->chunk : 1;
}

/* The bytes of message number i. */
static int message_bytes(const tn_comm *c, const tn_comm_part *p, uint64_t i)
{
    const uint64_t rest = p->bytes - i * c->chunk;
    return (int)(rest < c->chunk ? rest : c->chunk);
}

static int32_t explain(int error, const tn_comm_part *p, tn_msg *msg)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0, class = 0;
    MPI_Error_class(error, &class);
    if (class == MPI_ERR_TRUNCATE)
        return refuse(msg, TN_EINVAL, "rank %u sends more than the %llu bytes that are due", p->peer,
                      (unsigned long long)p->bytes);
    MPI_Error_string(error, text, &length);
    return refuse(msg, TN_EDEVICE, "rank %u: %s", p->peer, text);
}

static int32_t begin_part(tn_comm *c, tn_comm_part *p, tn_msg *msg)
{
    MPI_Request *request = p->own[REQUESTS];
    const uint64_t count = messages(c, p->bytes);
    for (uint64_t i = 0; i < count; i++) {
        void *data = i ? (char *)p->data + i * c->chunk : p->data;
        const int bytes = message_bytes(c, p, i), peer = (int)p->peer, tag = (int)p->channel;
        const int error = p->direction == TN_COMM_SEND
                              ? MPI_Isend(data, bytes, MPI_BYTE, peer, tag, c->world, &request[i])
                              : MPI_Irecv(data, bytes, MPI_BYTE, peer, tag, c->world, &request[i]);
        if (error) return explain(error, p, msg);
    }
    return TN_OK;
}

static int32_t make_room(tn_comm *c, tn_comm_part *const *part, uint64_t count, tn_msg *msg)
{
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t n = messages(c, part[i]->bytes);
        memset(part[i]->own, 0, sizeof part[i]->own);
        part[i]->own[COUNT] = (void *)(uintptr_t)n;
        part[i]->own[REQUESTS] = c->host->allocate(c->host->self, n * sizeof(MPI_Request), _Alignof(MPI_Request));
        if (part[i]->own[REQUESTS]) continue;
        while (i--) c->host->release(c->host->self, part[i]->own[REQUESTS]);
        return refuse(msg, TN_ENOMEM, "out of memory");
    }
    return TN_OK;
}

static int32_t mpi_post(tn_comm *c, tn_comm_part *const *part, uint64_t count, tn_msg *msg)
{
    void **end = &c->first;
    for (uint64_t i = 0; i < count; i++)
        if (part[i]->peer >= (uint32_t)c->ranks || part[i]->peer == (uint32_t)c->rank)
            return refuse(msg, TN_EINVAL, "rank %d has no peer %u", c->rank, part[i]->peer);
    int32_t status = make_room(c, part, count, msg);
    while (*end) end = &((tn_comm_part *)*end)->own[NEXT];
    for (uint64_t i = 0; i < count && !status; i++) {
        status = begin_part(c, part[i], msg);
        *end = part[i];
        end = &part[i]->own[NEXT];
    }
    return status;
}

/* What arrived is as long as it should be. */
static int32_t check_message(const tn_comm *c, const tn_comm_part *p, uint64_t i, const MPI_Status *what, tn_msg *msg)
{
    int bytes = 0;
    if (p->direction == TN_COMM_SEND) return TN_OK;
    MPI_Get_count(what, MPI_BYTE, &bytes);
    if (bytes == message_bytes(c, p, i)) return TN_OK;
    return refuse(msg, TN_EINVAL, "rank %u sends %d bytes where %d are due", p->peer, bytes, message_bytes(c, p, i));
}

/* Whether all messages of a part are done; one that failed is over, too. */
static int32_t test(tn_comm *c, tn_comm_part *p, int *over, uint64_t *messages, tn_msg *msg)
{
    MPI_Request *request = p->own[REQUESTS];
    uint64_t at = (uintptr_t)p->own[DONE];
    const uint64_t count = (uintptr_t)p->own[COUNT];
    int32_t status = TN_OK;
    for (*over = 1; at < count && *over && !status; at += (uint64_t)*over) {
        MPI_Status what;
        const int error = MPI_Test(&request[at], over, &what);
        if (error)
            status = explain(error, p, msg);
        else if (*over)
            status = check_message(c, p, at, &what, msg);
        *messages += *over != 0;
    }
    p->own[DONE] = (void *)(uintptr_t)at;
    if (status) *over = 1;
    return status;
}

static int32_t test_all(tn_comm *c, uint64_t *finished, uint64_t *messages, tn_msg *msg)
{
    int32_t status = TN_OK;
    void **link = &c->first;
    for (tn_comm_part *p; !status && (p = *link);) {
        int over;
        status = test(c, p, &over, messages, msg);
        if (!over) {
            link = &p->own[NEXT];
            continue;
        }
        *link = p->own[NEXT];
        c->host->release(c->host->self, p->own[REQUESTS]);
        p->done = !status;
        ++*finished;
    }
    return status;
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* What is on its way comes soon; for the others this thread sleeps, the longer the longer it has waited. */
static void rest(uint64_t waited)
{
    const struct timespec nap = {.tv_nsec = waited < 2000 ? 20000 : 200000};
    if (waited < 50)
        sched_yield();
    else
        nanosleep(&nap, NULL);
}

static int32_t mpi_progress(tn_comm *c, uint64_t microseconds, tn_msg *msg)
{
    const uint64_t begun = now();
    uint64_t finished = 0, moved = begun;
    for (;;) {
        uint64_t messages = 0;
        const int32_t status = test_all(c, &finished, &messages, msg);
        const uint64_t time = now();
        if (status || finished || time - begun >= microseconds) return status;
        if (messages) moved = time;
        rest(time - moved);
    }
}

const tn_communicator *tn_comm_query(uint32_t host_major, uint32_t host_minor)
{
    static const tn_communicator table = {
        .size = sizeof(tn_communicator),
        .abi_major = TN_COMM_MAJOR,
        .abi_minor = TN_COMM_MINOR,
        .id = ID,
        .version = "1",
        .doc = "processes that mpirun started",
        .open = mpi_open,
        .post = mpi_post,
        .progress = mpi_progress,
        .close = mpi_close,
    };
    (void)host_minor;
    return host_major == TN_COMM_MAJOR ? &table : NULL;
}
