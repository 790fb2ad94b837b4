/* program.h: a graph made ready for one device: kernels prepared, every byte placed.
 *
 * Running a program allocates nothing, parses nothing and does not wait for the device, unless a part of it had to be
 * placed elsewhere (tn_program_report says so). Programs of one state run one after another in the order of the calls.
 */
#ifndef TENON_PROGRAM_H
#define TENON_PROGRAM_H

#include "tenon/graph.h"
#include "tenon/state.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_program tn_program;

/* How images lie between convolutions: as (batch, channels, height, width), or with their channels last, where the
 * device has convolutions so (most of all for GPUs' matrix units). Results, inputs and outputs are the same either way,
 * but for the order in which sums are added up. TUNED: as was found faster when this network was tried on this device
 * (tn_compile_options.tune, or TRY), else the usual way. TRY: both are run now, in states of their own, by the kernels
 * that are chosen so far; what is faster is kept in the device's table (tune.h), and taken. */
#define TN_LAYOUT_TUNED 0
#define TN_LAYOUT_USUAL 1
#define TN_LAYOUT_LAST  2
#define TN_LAYOUT_TRY   3

/* What compiling is told; all zero is the usual. */
typedef struct tn_compile_options {
    uint32_t strict;  /* an operator that the device doesn't support is an error instead of a fallback */
    uint32_t unfused; /* one kernel an operator, for comparison */
    uint32_t f64;     /* compute f32 tensors in f64: for checking gradients. Its state has f64 in their place, and
                         tn_feed and tn_fetch numbers of 8 bytes; tn_fit and its kin convert */
    int32_t storage;  /* TN_F16 or TN_BF16: what passes between kernels is stored so where the device's kernels take it;
                         sums and products are in f32 all the same. Variables and what becomes one (gradients of
                         parameters, and all that an optimizer makes of them), losses, inputs, outputs and tensors of
                         under 1024 elements stay f32. 0: everything does */
    uint32_t precision; /* TN_PRECISION_F32_FAST or TN_PRECISION_BF16: matrix products and convolutions may round their
                           factors so where that makes the device faster; they add up in f32, and all else, variables
                           and optimizers among it, is f32 as ever. 0: nothing is rounded */
    double tune; /* seconds that may be spent on choosing kernels for operators that were not tuned before (tune.h), and
                    how images lie; 0: none */
    uint32_t layout; /* TN_LAYOUT_ */
    uint32_t unused;
    uint64_t spare[2];
} tn_compile_options;

/* "f32", "f32-fast", "bf16"; NULL for what is no TN_PRECISION_. */
TN_API const char *tn_precision_name(uint32_t precision);

/* Compiles a graph for the state's device: simplify, lower, fuse, place, plan memory, prepare. The graph's variables
 * are made in the state where they are missing. What cannot fit the device's memory is refused, TN_ENOMEM, before any
 * of it is allocated; on failure the state is as it was. `options` may be NULL. The caller frees the program. */
TN_API TN_MUST_USE tn_status tn_compile(tn_graph *graph, tn_state *state, const tn_compile_options *options,
                                        tn_program **program);
TN_API void tn_program_free(tn_program *program);

/* An input or output: its name, which is the program's, and what tn_feed and tn_fetch take. Of number `index`, inputs
 * in the order in which the graph had them, outputs as they were asked for; returns 0 past the last. */
typedef struct tn_port {
    const char *name;
    int32_t dtype;
    tn_shape shape;
    uint32_t unused; /* an input on which nothing depends that the program computes */
    uint64_t spare[4];
} tn_port;
TN_API int tn_program_input_at(const tn_program *program, size_t index, tn_port *port);
TN_API int tn_program_output_at(const tn_program *program, size_t index, tn_port *port);

/* Sets a scalar input for the runs that follow. */
TN_API TN_MUST_USE tn_status tn_set(tn_program *program, const char *scalar, double value);

/* Copies a value into an input: dense, row-major, the input's whole size in bytes. Waits until it is copied.
 * A program compiled with `f64` has its f32 inputs and outputs as f64: numbers of 8 bytes, here and in tn_fetch.
 * An input on which nothing depends that the program computes is left out: it is no error to fill it. TN_EMISSING for a
 * name that no input of the graph has. */
TN_API TN_MUST_USE tn_status tn_feed(tn_program *program, const char *input, const void *data, uint64_t bytes);

/* Inputs that are filled while the device computes: neither waits for the other, nor does the host, unless it is two
 * turns ahead. tn_upload_next enqueues copies of pieces of inputs: the runs that are enqueued after it see them. It
 * begins a turn: its pieces may lie where those of the turn before the last did, and nowhere that the last turn's runs
 * read. The pieces' data has to stay until the next call but one returns, or tn_upload_wait does. A piece of an
 * input that the program has no use for is passed over; TN_EMISSING if no piece is of an input of the graph. Failures
 * of the device may come at a later call, or at tn_upload_wait, which waits for the copies. Free it before the program;
 * NULL is fine. */
typedef struct tn_upload tn_upload;
typedef struct tn_piece {
    const char *input;
    uint64_t offset; /* in the input, in bytes */
    const void *data;
    uint64_t bytes;
} tn_piece;
TN_API TN_MUST_USE tn_status tn_upload_new(tn_program *program, tn_upload **upload);
TN_API TN_MUST_USE tn_status tn_upload_next(tn_upload *upload, const tn_piece pieces[], size_t count);
TN_API TN_MUST_USE tn_status tn_upload_wait(tn_upload *upload);
TN_API void tn_upload_free(tn_upload *upload);

/* Enqueues one run. TN_ESTATE if an input was never filled. Errors of the device appear here or at the next call that
 * waits. */
TN_API TN_MUST_USE tn_status tn_program_run(tn_program *program);

/* A program of a shard of a batch (tn_graph_shard) is in as many parts as there are sums over all shards in it
 * (tn_across), and one more: the number of parts, 1 for other programs. After part i, so many bytes of that type
 * (unless NULL) cross: 0 past the last. Runs in parts are tn_program_run_part for one part after another, and between
 * two of them tn_program_crossed, which waits for what the shard gives, and tn_program_cross, which enqueues what
 * becomes of the sum: `data` has to stay until something later of the program was waited for. A run as a whole takes
 * its own shard for the sum. */
TN_API uint32_t tn_program_parts(const tn_program *program);
TN_API uint64_t tn_program_crossing(const tn_program *program, uint32_t part, int32_t *dtype);
TN_API TN_MUST_USE tn_status tn_program_run_part(tn_program *program, uint32_t part);
TN_API TN_MUST_USE tn_status tn_program_crossed(tn_program *program, uint32_t part, void *data, uint64_t bytes);
TN_API TN_MUST_USE tn_status tn_program_cross(tn_program *program, uint32_t part, const void *data, uint64_t bytes);

/* Lanes let several runs in parts be under way at once, each with temporary memory and scalars of its own: inputs,
 * kernels and the state's variables, which no part but the last writes, are shared. tn_program_lanes sees to it that
 * there are so many; tn_program_lane says which one the following calls are about: 0 in the beginning. */
TN_API TN_MUST_USE tn_status tn_program_lanes(tn_program *program, uint32_t lanes);
TN_API TN_MUST_USE tn_status tn_program_lane(tn_program *program, uint32_t lane);

/* Waits for what was enqueued. */
TN_API TN_MUST_USE tn_status tn_wait(tn_program *program);

/* Waits and copies an output to the host: dense, row-major, the output's whole size in bytes. TN_ESTATE before the
 * first run. */
TN_API TN_MUST_USE tn_status tn_fetch(tn_program *program, const char *output, void *data, uint64_t bytes);

/* The compiled program as a table for people: kernels, backend, shapes, bytes, what was fused into what. Calls `line`
 * with each line, without its newline. */
TN_API void tn_program_explain(const tn_program *program, void (*line)(void *arg, const char *text), void *arg);

/* What compiling and running came to. Counts since the program was compiled where not said otherwise. */
typedef struct tn_program_report {
    uint32_t nodes;          /* prepared kernels in one run */
    uint32_t launches;       /* kernels enqueued by one run, as the backend counts them */
    uint32_t fallback_nodes; /* of the nodes, those that run elsewhere */
    uint64_t fallback_bytes; /* copied across devices in one run */
    char fallback_first[64]; /* the operator of the first such node */
    char fallback_why[200];  /* and why the program's device does not do it, in its backend's words */
    uint64_t arena_planned;  /* bytes of temporary memory, by the plan */
    uint64_t arena_actual;   /* bytes allocated for it */
    uint64_t state_bytes;    /* bytes of the state on the device */
    double flops;            /* floating-point operations of one run, by the operators' own count */
    uint64_t runs;
    uint64_t
        run_allocations;     /* heap allocations of the library and backends inside tn_program_run, all runs together */
    uint64_t run_host_waits; /* times that it waited for a device, all runs together */
    uint64_t bytes_to_device; /* moved by runs, tn_feed and tn_fetch, all together */
    uint64_t bytes_from_device;
    uint32_t narrow_values;   /* values that are stored in 16 bits, if tn_compile_options.storage asks for it */
    uint32_t narrow_refused;  /* those that the device did not take so */
    char narrow_why[200];     /* and why not, in its backend's words: of the last one */
    uint32_t coarse_products; /* products and convolutions whose factors may be rounded, as `precision` asks */
    uint32_t coarse_refused;  /* those that the device does in f32 all the same */
    char coarse_why[200];     /* and why, in its backend's words: of the last one */
    uint32_t channels_last;   /* convolutions whose images have their channels last */
    uint32_t unused;
    uint64_t spare[3];
} tn_program_report;
TN_API void tn_program_get_report(const tn_program *program, tn_program_report *report);

/* ---- where the time goes ---- */

/* Begins to measure each kernel of the program's runs, or ends it; either forgets what was measured. A run that is
 * measured waits for the device before and after, and, where the device's backend does not tell how long its work takes
 * (tenon.observe/1), after each kernel. What it computes is the same. What moves values between devices is left out. */
TN_API TN_MUST_USE tn_status tn_program_profile(tn_program *program, uint32_t on);

/* One kernel of a program, in the order of running. Texts are the program's. */
typedef struct tn_launch_profile {
    const char *op; /* "matmul" */
    const char *device;
    char result[120];    /* what it makes, "f32 (128, 100)", and how many tensors besides, " +1" */
    uint64_t runs;       /* that were measured */
    double seconds;      /* of all of them */
    double flops, bytes; /* of one run: operations, and bytes read and written at the least */
    uint32_t by_host;    /* the host measured it, from enqueueing to having waited */
    const char *choice; /* which of several kernels it is, in the backend's words: "tile u=16 v=16 ..., tuned"; or "" */
    uint64_t spare[3];
} tn_launch_profile;
/* Returns 0 past the last, and where nothing is measured. */
TN_API int tn_program_profile_at(const tn_program *program, uint32_t index, tn_launch_profile *launch);

/* What a device was seen to do at its best. */
#define TN_PEAK_LEVELS 4
typedef struct tn_peaks {
    double flops;                     /* f32 operations a second, in a matrix product */
    double launch;                    /* seconds that a kernel of a few elements takes, among many */
    uint64_t reach[TN_PEAK_LEVELS];   /* bytes that an element-wise kernel touches, again and again; growing */
    double bandwidth[TN_PEAK_LEVELS]; /* and how many of them a second */
    uint64_t spare[4];
} tn_peaks;

/* Measures that, products as `precision` (tn_compile_options) allows them, within about half a second on a processor,
 * and keeps the best figures that it found so far in the disk cache. Leaves `peaks` alone on failure. */
TN_API TN_MUST_USE tn_status tn_device_peaks(tn_device *device, uint32_t precision, tn_peaks *peaks);
/* The seconds that so many operations on so many bytes take at the least by such peaks. */
TN_API double tn_peaks_floor(const tn_peaks *peaks, double flops, double bytes);

#ifdef __cplusplus
}
#endif
#endif
