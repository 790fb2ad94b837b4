/* kit.h: what the files of the conformance kit share.
 *
 * A case is a function that runs in a process of its own. It opens the backend through the table (tn_kit_open: a host
 * that counts memory and can make it fail) or through the library (tn_kit_device), and says what must hold with
 * tn_kit_expect. The first thing that does not hold is the case's result. */
#ifndef TN_CHECK_KIT_H
#define TN_CHECK_KIT_H

#include "case.h"
#include "device_internal.h"
#include "recipe.h"
#include "tenon/check.h"
#include "tenon/program.h"

/* What is checked. */
typedef struct tn_kit_target {
    tn_check_target about;
    char file[1024]; /* empty: built in */
    uint32_t index, devices;
    char id[64];     /* as device_info gives it */
    tn_status found; /* why there is none */
} tn_kit_target;

/* Lies in memory that the kit's process and the case's share. */
typedef struct tn_kit_result {
    tn_kit_target target; /* of the probe alone */
    int32_t finished;     /* the case returned */
    int32_t failed, exits;
    uint32_t checks, refused;
    double worst;
    char detail[600];
    tn_recipe recipe; /* the random program at work, and the seed of what it is fed */
    uint64_t seed;
} tn_kit_result;

typedef struct tn_kit_case tn_kit_case;

/* A case at work. */
typedef struct tn_kit {
    const tn_kit_target *target;
    const tn_kit_case *now;
    tn_kit_result *result;
    uint64_t seed;     /* as asked for */
    uint64_t most;     /* of a list, see tn_kit_takes; 0: all */
    uint64_t random;   /* the state of the random numbers */
    char text[512];    /* the backend's last message */
    char refusal[300]; /* the operation that it refused last, and its line */
    tn_msg msg;

    const tn_backend *backend; /* after tn_kit_open */
    tn_host host;
    tn_context *context;
    tn_queue *queue;
    tn_device_info info;
    tn_device *device; /* after tn_kit_device */
} tn_kit;

struct tn_kit_case {
    const char *group, *name, *doc;
    void (*run)(tn_kit *kit);
    const tn_op_def *op; /* of the groups of operators, of gradients and of what is large */
    int32_t dtype;
    uint32_t backward;
    uint64_t first, count; /* of random programs */
};

/* The cases of each group, up to the first without `run`. */
extern const tn_kit_case tn_kit_loading[], tn_kit_abi[], tn_kit_asking[], tn_kit_memory[], tn_kit_queues[],
    tn_kit_events[], tn_kit_failure[], tn_kit_flow[], tn_kit_queue_load[], tn_kit_load[], tn_kit_consistency[],
    tn_kit_gradients[], tn_kit_graphs[], tn_kit_robustness[], tn_kit_perf[], tn_kit_unasked[], tn_kit_chosen[],
    tn_kit_wrong_calls[], tn_kit_families[], tn_kit_crowd[], tn_kit_waits[], tn_kit_around[], tn_kit_far[],
    tn_kit_environment[], tn_kit_unmade[], tn_kit_ends[], tn_kit_programs[], tn_kit_company[], tn_kit_levels[],
    tn_kit_spans[], tn_kit_kept[], tn_kit_pinned[], tn_kit_samples[], tn_kit_stored[];

/* Sizes that matter to backends, written down as operators are, with a name, a doc and cases; up to the first without a
 * name. */
extern const tn_op_def tn_kit_large_sizes[];
extern const tn_op_case tn_kit_specials[]; /* a part of them */

/* Random programs, from kit->now->first on; and making the one in the shared memory, which failed, as small as it can
 * be.
 */
void tn_kit_random_graphs(tn_kit *kit);
void tn_kit_shrink_graph(tn_kit *kit);

/* Whether number i of a list is one of those that are tried: kit->most of them, spread over the list; others with
 * another seed. */
int tn_kit_takes(const tn_kit *kit, uint64_t i, uint64_t count);

/* Runs the forward or backward cases of kit->now->op in kit->now->dtype, operation by operation. */
void tn_kit_run_operator(tn_kit *kit);

/* The gradients of an operator against central differences, all in double precision. */
void tn_kit_run_gradient(tn_kit *kit);

/* ---- saying what must hold ---- */

/* Counts a check; keeps the first text that goes with a failure. Returns `holds`. */
int tn_kit_expect(tn_kit *kit, int holds, const char *format, ...) TN_PRINTF(3, 4);
/* The same for a call that is to succeed. Clears the message for the next one. */
int tn_kit_ok(tn_kit *kit, int32_t status, const char *call);
/* A remark, shown if nothing failed. */
void tn_kit_remark(tn_kit *kit, const char *format, ...) TN_PRINTF(2, 3);

/* Seconds from some time on. */
double tn_kit_now(void);

/* ---- random numbers: reproducible by the seed and the case's name ---- */
uint32_t tn_kit_bits(tn_kit *kit);
double tn_kit_uniform(tn_kit *kit, double low, double high);

/* ---- the backend by its table ---- */

/* Loads the table and no more. Returns 0 after a failure. */
int tn_kit_load_table(tn_kit *kit);
/* With the table that was loaded, and kit->host as it is: init, context, queue. And with the table before them. */
int tn_kit_open_table(tn_kit *kit);
int tn_kit_open(tn_kit *kit);
const void *tn_kit_extension(const tn_kit *kit, const char *id); /* the backend's of that name, or NULL */
/* Lets go of all of it; the host's memory must all have come back. */
void tn_kit_close(tn_kit *kit);

/* Blocks that the backend holds; the number of the allocation that fails, counted from 0 (negative: none); how many
 * were asked for since. What the cache answers: 0 its own, else damaged in one of several ways. */
extern int64_t tn_kit_live, tn_kit_fail_at, tn_kit_asked;
extern int64_t tn_kit_puts; /* entries that it gave to the cache */
extern int tn_kit_damage;

/* The options that the backend asked for, up to some number, and the one that gets a value which makes no sense. */
enum { TN_KIT_OPTIONS = 32 };
#define TN_KIT_NONSENSE "/no/such/value"
extern char tn_kit_option[TN_KIT_OPTIONS][64];
extern uint32_t tn_kit_options;
extern const char *tn_kit_wrong; /* NULL: none */

/* ---- the backend by the library ---- */
int tn_kit_device(tn_kit *kit);

/* ---- one operation (job.c) ---- */

/* An operation and its operands' bytes, row-major as their descriptors say. */
typedef struct tn_kit_job {
    const tn_op_desc *desc;
    const unsigned char *in[TN_MAX_OPERANDS];
    unsigned char *out[TN_MAX_OPERANDS]; /* room for the results */
    const tn_scalar *scalar;
    uint32_t n_scalar;
    uint32_t shift; /* elements from a place where a tensor of its own may begin */
} tn_kit_job;

enum { TN_KIT_WRONG, TN_KIT_RAN, TN_KIT_REFUSED };

/* Asks for, prepares and runs it between guard bands, which must stay as they are, as the inputs must. */
int tn_kit_run_job(tn_kit *kit, const tn_kit_job *job);

/* Bytes from an operand's first element to past its last. */
uint64_t tn_kit_bytes(const tn_tensor_desc *desc);

/* The size of buffer i of a run: inputs, the output, the scratch memory. */
uint64_t tn_kit_buffer_bytes(const tn_op_desc *desc, uint32_t i, uint64_t scratch);

/* The names of an operation's instructions and the shapes of its operands, for messages. */
char *tn_kit_describe(const tn_op_desc *desc, char *text, size_t room);

/* ---- what is expected (oracle.c) ---- */

typedef struct tn_kit_want {
    double *value[TN_MAX_OPERANDS], *allowed[TN_MAX_OPERANDS]; /* by output and element; NaN allows anything */
    double norm[TN_MAX_OPERANDS];                              /* parts of the Euclidean norm; 0: not looked at */
    int moves;  /* elements go where they go with all their bits: a zero's sign, and numbers without a full mantissa */
    int coarse; /* factors may be rounded */
} tn_kit_want;

/* What the reference makes of the operands, and how far a backend may be off. Returns 0 if it can't do it. */
int tn_kit_expected(tn_kit *kit, const tn_kit_job *job, tn_kit_want *want);
void tn_kit_want_free(tn_kit_want *want);
/* Compares job->out. `how` is said of the run that was compared. */
int tn_kit_compare(tn_kit *kit, const tn_kit_job *job, const tn_kit_want *want, const char *how);

#endif
