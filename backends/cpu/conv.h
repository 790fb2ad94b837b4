/* conv.h: what conv2d (conv.c), conv2d_data (conv_data.c) and conv2d_weight (conv_weight.c) share: one description of
 * a convolution, and how pictures are handed to the threads. Pictures are spread over the threads, and none is ever
 * laid out as a matrix: the tiles of gather_tile.c and pixel_tile.c read pixels where they lie, or, where windows are
 * of one pixel, in blocks (conv_points.c); those of picture_tile.c where they lie in parts, padded, and the loops of
 * band_tile.c and plane_tile.c a channel at a time, where each is by itself. For the others a picture that needs
 * padding is first copied with it. */
#ifndef CPU_CONV_H
#define CPU_CONV_H

#include "chain.h"
#include "prog.h"

#define CPU_CONV_ROWS 32 /* of a register tile, at most */

typedef struct conv_kernel {
    tn_kernel kernel;
    cpu_prog *epilogue;  /* or NULL */
    cpu_chain chain;     /* that does the same, tile by tile, if it has links */
    cpu_chain_head head; /* of which these are done when results are stored */
    const cpu_gemm *gemm;
    const cpu_gather_shape *gather;
    const cpu_pixel_shape *vectors; /* for conv2d, where pixels lie side by side in whole vectors; or NULL */
    const cpu_matrix *units;        /* matrix units for conv2d, where they are ahead; or NULL */
    const cpu_matrix_conv *unit_conv;
    cpu_conv_picture picture;
    cpu_conv_window window;
    cpu_conv_pixels sum_over; /* for conv2d_weight */
    cpu_pixels *group;        /* for conv2d, of 16 pixels: an even number of them */
    int64_t groups_of_16;
    int64_t size;                        /* bytes of an element */
    int64_t b, c, h, w, k, r, s, p, q;   /* as in backend.h; c and k are those of one group */
    int64_t groups, taps, pixels, chunk; /* taps = c r s, pixels = p q; chunk: pixels at once */
    int64_t stride[2], pad[2], dilation[2];
    int64_t hp, wp; /* a padded picture */
    int staged, threads;
    int keeps;                       /* packed weights are kept where the host says, not in scratch memory */
    int points;                      /* conv2d block by block of pixels, by `vectors` */
    int rows;                        /* row by row, by `vectors` */
    int windows;                     /* channel by channel, where pixels lie */
    int whole;                       /* conv2d where a window is all of a picture */
    const cpu_plane_loops *moves;    /* of rows of pixels */
    const cpu_plane_loops *loops;    /* where each channel is by itself; or NULL */
    const cpu_band_loop *bands;      /* where conv2d is done so; or NULL */
    cpu_band_column *column;         /* its taps */
    int64_t band, columns;           /* rows of a band; columns of taps */
    int64_t deep, wide;              /* rows and columns of a plane's phase */
    int64_t *number, *first;         /* of taps in their order: which, and a phase's first */
    int backwards;                   /* conv2d_data by planes */
    int by_taps;                     /* conv2d_data by `units`, products of taps by pixels over filters */
    int turned;                      /* conv2d_data as a conv2d of dy with the windows turned round: c, h, w are dy's */
    int64_t *tap, *pixel;            /* where taps and pixels lie in a padded picture, in elements */
    int64_t shared, staging, packed; /* bytes: packed weights of all groups; of each thread: a picture, other things */
} conv_kernel;

/* The tile for rows of which so many always lie side by side. */
static inline int cpu_conv_tile(const cpu_gather_shape *g, int64_t beside)
{
    int best = 0;
    for (int i = 1; i < 4; i++)
        if (beside % g->run[i] == 0 && g->run[i] > g->run[best]) best = i;
    return best;
}

/* Makes the kernel, but for its scratch memory and its tables. With `turn`, for conv2d_data, it is turned where that
 * pays. */
int32_t cpu_conv_make(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, int turn,
                      tn_kernel **kernel, tn_msg *msg);
int32_t cpu_conv_finish(tn_kernel *kernel, tn_msg *msg); /* the tables */
void cpu_conv_release(tn_kernel *kernel);

/* Scratch: what is shared, then the threads' own. */
void cpu_conv_set_scratch(conv_kernel *k, int64_t shared, int64_t packed);
/* That of conv2d, and of what is turned; chooses the tiles. Declines a level of precision that makes nothing faster. */
int32_t cpu_conv_set_forward_scratch(conv_kernel *k, const tn_context *context, const tn_op_desc *desc, tn_msg *msg);
char *cpu_conv_weights(const conv_kernel *k, const cpu_run *run); /* packed ones, of all groups */
char *cpu_conv_staging(const conv_kernel *k, const cpu_run *run, int thread);
char *cpu_conv_packed(const conv_kernel *k, const cpu_run *run, int thread);

/* The same, with zeros for the padding of all pictures to come. */
char *cpu_conv_begin_staging(const conv_kernel *k, const cpu_run *run, int thread);

/* The group's channels of a picture, padded into `to` if need be. */
const char *cpu_conv_stage(const conv_kernel *k, const char *x, char *to);

/* Runs body(k, run, thread, threads) for as many threads as the kernel has. */
typedef void cpu_conv_body(const conv_kernel *k, const cpu_run *run, int thread, int threads);
void cpu_conv_on_threads(const conv_kernel *k, const cpu_run *run, cpu_conv_body *body);

/* What becomes of results where they lie, by one thread. */
typedef struct cpu_conv_epilogue {
    const char *in[CPU_MAX_IN];
    cpu_run run;
    cpu_eval eval;
} cpu_conv_epilogue;
void cpu_conv_begin_epilogue(const conv_kernel *k, const cpu_run *run, int thread, cpu_conv_epilogue *e);

/* An item's filters first..last, which are computed together: a group's, or some of them. */
typedef struct cpu_conv_tail {
    const conv_kernel *kernel;
    const cpu_run *run;
    int64_t item, first, last;
} cpu_conv_tail;
void cpu_conv_run_epilogue(const cpu_conv_tail *tail, const cpu_conv_epilogue *e, int64_t n0, int64_t n1);

/* Where the epilogue is a chain: its links from `from` on, filters j.. of an item, `filters` of them at pixels n0..n1,
 * when these are computed. */
void cpu_conv_run_tail(const cpu_conv_tail *tail, int64_t from, int64_t j, int64_t filters, int64_t n0, int64_t n1);
/* What is done of it for filters j.. when they are stored; NULL: nothing. */
const cpu_ending *cpu_conv_end(const cpu_conv_tail *tail, int64_t j, cpu_ending *e);

/* ---- conv_data.c ---- */

int cpu_conv_pays_taps(const conv_kernel *k, uint32_t level, double grain);

/* ---- conv_planes.c: each channel by itself ---- */

int cpu_conv_by_planes(const conv_kernel *k);
void cpu_conv_set_planes(conv_kernel *k, int backwards); /* and the scratch memory */
int32_t cpu_conv_list_planes(conv_kernel *k, tn_msg *msg);
cpu_conv_body cpu_conv_data_planes, cpu_conv_weight_planes;

/* Rows begin..end of x go to rows `to`.. of a padded plane in phases, or `into` x from there. */
typedef struct cpu_conv_rows {
    int64_t begin, end, to;
    int into;
} cpu_conv_rows;
void cpu_conv_stage_rows(const conv_kernel *k, char *x, const cpu_conv_rows *o, char *plane);
void cpu_conv_order_weight(const conv_kernel *k, const char *weight, char *to); /* a channel's, as k->number says */

/* ---- conv_bands.c: and conv2d so ---- */

void cpu_conv_set_bands(conv_kernel *k); /* and the scratch memory */
int32_t cpu_conv_list_bands(conv_kernel *k, tn_msg *msg);
cpu_conv_body cpu_conv_forward_bands;

/* ---- conv_windows.c: or so, where they lie ---- */

int cpu_conv_is_windows(const conv_kernel *k);
void cpu_conv_set_windows(conv_kernel *k);
cpu_conv_body cpu_conv_forward_windows;

/* ---- conv_points.c: windows of one pixel ---- */

int cpu_conv_is_points(const conv_kernel *k);
int64_t cpu_conv_points_bytes(const conv_kernel *k); /* of a block */
/* Tiles begin..end of pixels, which are vectors->wide vectors->vectors each. */
void cpu_conv_run_points(const cpu_conv_tail *tail, const char *picture, const char *packed, char *work, char *y,
                         int64_t begin, int64_t end);

/* ---- conv_rows.c: long rows ---- */

int cpu_conv_is_rows(const conv_kernel *k);
void cpu_conv_set_rows(conv_kernel *k);
void cpu_conv_list_rows(const conv_kernel *k, int64_t *tap, int64_t *pixel);
/* Rows begin..end of the result. */
void cpu_conv_run_rows(const cpu_conv_tail *tail, const char *x, const char *packed, char *staging, char *y,
                       int64_t begin, int64_t end);

/* ---- conv_whole.c: windows of a whole picture ---- */

int cpu_conv_is_whole(const conv_kernel *k);
void cpu_conv_set_whole(conv_kernel *k, double grain);
cpu_conv_body cpu_conv_forward_whole;

/* ---- conv_matrix.c: matrix units for conv2d ---- */

/* Whether they are ahead at this level of precision. */
int cpu_conv_suits_units(const conv_kernel *k, uint32_t level, double grain);
/* Sets k->units, where they are, and what goes with them. */
void cpu_conv_choose_units(conv_kernel *k, uint32_t level, double grain);
int64_t cpu_conv_unit_weights(const conv_kernel *k); /* bytes of one group's packed weights */
int64_t cpu_conv_unit_picture(const conv_kernel *k); /* and of a picture in parts */
void cpu_conv_pack_units(const conv_kernel *k, const char *weight, char *to);
void cpu_conv_list_groups(const conv_kernel *k, cpu_pixels *group);
/* On each thread, before the others; then k->units->end. `work` gets the zeros that pad all pictures to come. */
void cpu_conv_begin_units(const conv_kernel *k, char *work);
/* Pairs begin..end of k->group; splits the picture into `work`. Returns 0 if its numbers are not for the units. */
int cpu_conv_run_units(const cpu_conv_tail *tail, const char *picture, const char *packed, char *work, char *y,
                       int64_t begin, int64_t end);
/* Pixels of the result before pair `pair`. */
int64_t cpu_conv_pixels_before(const conv_kernel *k, int64_t pair);

/* The same for conv2d_weight. */
void cpu_conv_choose_weight_units(conv_kernel *k, uint32_t level, double grain);
int64_t cpu_conv_unit_pictures(const conv_kernel *k); /* bytes of so many pictures and their dy as are summed at once */
/* On each thread, before the others; then k->units->end. */
void cpu_conv_begin_weight_units(const conv_kernel *k, char *work);
/* Splits picture n of k->sum_over.pictures into `work`. Returns 0 if its numbers are not for the units. */
int cpu_conv_split_units(const conv_kernel *k, int64_t n, const char *picture, const char *dy, char *work);
/* sums (taps, filters), rows ld apart, += those over so many pictures. */
void cpu_conv_sum_units(const conv_kernel *k, int64_t pictures, const char *work, char *sums, int64_t ld);

/* conv2d, and conv2d_data where it is turned. */
void cpu_conv_run_forward(const tn_kernel *kernel, const cpu_run *run);

#endif
