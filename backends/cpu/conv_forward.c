/* conv_forward.c: conv2d, and conv2d_data where it is turned round: a tile is some pixels by some filters, over all
 * taps (a channel, a row and a column of the window). */
#include "conv.h"
#include "turn.h"

#include <string.h>

#define TILE_BYTES 4096

/* ---- prepare ---- */

/* Whole vectors of pixels where they lie side by side. */
static const cpu_pixel_shape *vectors_for(const conv_kernel *k)
{
    const cpu_pixel_shape *v = cpu_code->pixel[k->size == 4 ? CPU_F32 : CPU_F64];
    return k->stride[1] == 1 && k->q % v->wide == 0 && k->pixels % (v->wide * v->vectors) == 0 ? v : NULL;
}

/* Bytes of one group's packed weights. */
static int64_t packed_weights(const conv_kernel *k)
{
    return round_up(k->k, k->vectors ? k->vectors->filters : k->gather->nr) * k->taps * k->size;
}

/* A thread's own, behind its picture: turned weights; with matrix units a picture in parts, and weights as they are
 * packed without the units. */
static int64_t turned_bytes(const conv_kernel *k)
{
    return k->turned ? round_up(k->k * k->taps * k->size, CPU_ALIGN) : 0;
}

int32_t cpu_conv_set_forward_scratch(conv_kernel *k, const tn_context *context, const tn_op_desc *desc, tn_msg *msg)
{
    k->vectors = vectors_for(k);
    k->points = cpu_conv_is_points(k);
    if (k->points)
        k->vectors = cpu_code->pixel[k->size == 4 ? CPU_F32 : CPU_F64], k->staging = cpu_conv_points_bytes(k);
    else if (!k->vectors && cpu_conv_is_rows(k))
        cpu_conv_set_rows(k);
    cpu_conv_choose_units(k, desc->precision, context->grain);
    if (desc->precision && !k->units)
        return cpu_fail(msg, TN_EUNSUPPORTED, "%s: no faster with less precision", desc->name);
    const int64_t usual = packed_weights(k);
    if (k->units)
        cpu_conv_set_scratch(k, k->groups * cpu_conv_unit_weights(k),
                             turned_bytes(k) + cpu_conv_unit_picture(k) + usual);
    else
        cpu_conv_set_scratch(k, k->groups * usual, turned_bytes(k));
    return TN_OK;
}

/* The epilogue's value 0 is the result, which lies where it goes. */
static int32_t make_epilogue(conv_kernel *k, const tn_op_desc *desc, const tn_map_attrs *map, tn_msg *msg)
{
    tn_tensor_desc in[CPU_MAX_IN];
    in[0] = desc->out[0];
    memcpy(in + 1, desc->in + 2, (map->n_in - 1) * sizeof *in);
    const int32_t alias = 0;
    const cpu_prog_desc d = {"conv2d", map, in, desc->out, &alias, 4, desc->out[0].dim, 1};
    k->kernel.n_scalar = map->n_scalar;
    cpu_chain_make(desc, map, &k->chain);
    return cpu_prog_create(&d, &k->epilogue, msg);
}

/* How it is done, and the scratch memory for that. */
static int32_t choose_way(conv_kernel *k, const tn_context *context, const tn_op_desc *desc, tn_msg *msg)
{
    if (k->loops) (cpu_conv_is_windows(k) ? cpu_conv_set_windows : cpu_conv_set_bands)(k);
    if (!k->loops && !desc->precision && cpu_conv_is_whole(k)) cpu_conv_set_whole(k, context->grain);
    if (!k->loops && !k->whole) return cpu_conv_set_forward_scratch(k, context, desc, msg);
    if (!k->keeps) return TN_OK;
    return cpu_fail(msg, TN_EUNSUPPORTED, "conv2d: nothing to keep of weights that are taken as they are");
}

static int32_t prepare_forward(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts,
                               tn_kernel **kernel, tn_msg *msg)
{
    if (desc->out[0].dtype != facts->dtype)
        return cpu_fail(msg, TN_EUNSUPPORTED, "conv2d: only f32 or f64 for all operands");
    int32_t s = cpu_conv_make(context, desc, facts, 0, kernel, msg);
    if (s) return s;
    conv_kernel *k = (conv_kernel *)*kernel;
    if (facts->mapping.map) s = make_epilogue(k, desc, facts->mapping.map, msg);
    if (!s) s = choose_way(k, context, desc, msg);
    if (!s && (k->windows || k->vectors || k->units)) k->head = cpu_chain_begins_with(&k->chain);
    if (!s) return TN_OK;
    cpu_conv_release(*kernel);
    cpu_release(*kernel);
    return s;
}

/* ---- tiles ---- */

/* Element (i, j) of a (rows, ld) block becomes element (j, i) of one of leading dimension `to_ld`. */
static void transpose_block(int64_t size, int64_t rows, int64_t columns, const void *from, int64_t ld, void *to,
                            int64_t to_ld)
{
    if (size == 4)
        cpu_turn(rows, columns, from, ld, to, to_ld);
    else
        for (int64_t j = 0; j < columns; j++)
            for (int64_t i = 0; i < rows; i++) ((double *)to)[j * to_ld + i] = ((const double *)from)[i * ld + j];
}

/* Pixels t0..t1 (in tiles) of the tail's filters. */
static void forward_tiles(const cpu_conv_tail *tail, const char *picture, const char *packed, char *y, int64_t t0,
                          int64_t t1)
{
    const conv_kernel *k = tail->kernel;
    const int64_t mr = k->gather->mr, nr = k->gather->nr;
    const int by = cpu_conv_tile(k->gather, k->stride[1] == 1 ? k->q : 1);
    const int64_t run = k->gather->run[by];
    char aside[TILE_BYTES] __attribute__((aligned(CPU_ALIGN)));
    const void *row[CPU_CONV_ROWS];
    for (int64_t j = tail->first; j < tail->last; j += nr) {
        for (int64_t i = t0 * mr; i < t1 * mr && i < k->pixels; i += mr) {
            for (int64_t r = 0; r < mr; r += run)
                row[r / run] = picture + k->pixel[min_of(i + r, k->pixels - run)] * k->size;
            k->gather->tile[by](k->taps, row, k->tap, packed + j * k->taps * k->size, aside, nr, 0);
            transpose_block(k->size, min_of(mr, k->pixels - i), min_of(nr, k->k - j), aside, nr,
                            y + (j * k->pixels + i) * k->size, k->pixels);
        }
        cpu_conv_run_tail(tail, 0, j, min_of(nr, k->k - j), t0 * mr, min_of(t1 * mr, k->pixels));
    }
}

/* The same in vectors of pixels. */
static void forward_vectors(const cpu_conv_tail *tail, const char *picture, const char *packed, char *y, int64_t t0,
                            int64_t t1)
{
    const conv_kernel *k = tail->kernel;
    const cpu_pixel_shape *g = k->vectors;
    const int64_t wide = g->wide, mr = wide * g->vectors;
    const void *pixel[CPU_CONV_ROWS];
    cpu_ending e;
    for (int64_t j = tail->first; j < tail->last; j += g->filters) {
        const cpu_ending *ending = cpu_conv_end(tail, j, &e);
        for (int64_t i = t0 * mr; i < t1 * mr; i += mr) {
            for (int64_t v = 0; v < g->vectors; v++) pixel[v] = picture + k->pixel[i + v * wide] * k->size;
            g->tile(k->taps, pixel, k->tap, packed + j * k->taps * k->size, k->k - j, ending,
                    y + (j * k->pixels + i) * k->size, k->pixels);
        }
        cpu_conv_run_tail(tail, k->head.links, j, min_of(g->filters, k->k - j), t0 * mr, t1 * mr);
    }
}

const cpu_ending *cpu_conv_end(const cpu_conv_tail *tail, int64_t j, cpu_ending *e)
{
    const conv_kernel *k = tail->kernel;
    const cpu_chain_head *head = &k->head;
    const float *number[4];
    for (int i = 0; i < 4; i++)
        number[i] = head->operand[i] < 0 ? NULL
                                         : (const float *)(const void *)tail->run->in[head->operand[i]] +
                                               tail->item % k->groups * k->k + j;
    *e = (cpu_ending){number[0], {number[1], number[2]}, number[3], head->low, head->high};
    return head->links ? e : NULL;
}

void cpu_conv_run_tail(const cpu_conv_tail *tail, int64_t from, int64_t j, int64_t filters, int64_t n0, int64_t n1)
{
    const conv_kernel *k = tail->kernel;
    cpu_chain_step step[CPU_CHAIN_STEPS];
    const int64_t picture = tail->item / k->groups, channel = tail->item % k->groups * k->k + j;
    if (from >= k->chain.links || n0 >= n1) return;
    for (int64_t f = 0; f < filters; f++) {
        const int64_t first = (tail->item * k->k + j + f) * k->pixels + n0;
        float *y = (float *)(void *)tail->run->out[0] + first;
        const int64_t steps = cpu_chain_begin(&k->chain, from, tail->run, picture, channel + f, first, step);
        (*cpu_code->chain)(step, steps, n1 - n0, y);
    }
}

void cpu_conv_begin_epilogue(const conv_kernel *k, const cpu_run *run, int thread, cpu_conv_epilogue *e)
{
    e->in[0] = run->out[0]; /* the result, then the operator's inputs from number 2 on */
    for (uint64_t i = 2; i < k->kernel.n_in; i++) e->in[i - 1] = run->in[i];
    e->run = *run, e->run.in = e->in;
    if (k->epilogue && !k->chain.links)
        cpu_eval_begin(&e->eval, k->epilogue, cpu_work(run->queue, thread), &e->run, k->epilogue->block);
}

void cpu_conv_run_epilogue(const cpu_conv_tail *tail, const cpu_conv_epilogue *e, int64_t n0, int64_t n1)
{
    const conv_kernel *k = tail->kernel;
    const int64_t base = tail->item * k->k * k->pixels, first = base + tail->first * k->pixels;
    if (!k->epilogue || k->chain.links) return;
    if (n1 - n0 == k->pixels)
        cpu_eval_range(&e->eval, first, (tail->last - tail->first) * k->pixels);
    else
        for (int64_t j = tail->first; j < tail->last && n1 > n0; j++)
            cpu_eval_range(&e->eval, base + j * k->pixels + n0, n1 - n0);
}

/* A window the other way round. */
static void reverse(int64_t size, int64_t n, const void *from, void *to)
{
    if (size == 4)
        for (int64_t t = 0; t < n; t++) ((float *)to)[t] = ((const float *)from)[n - 1 - t];
    else
        for (int64_t t = 0; t < n; t++) ((double *)to)[t] = ((const double *)from)[n - 1 - t];
}

/* The windows of one group, turned round: element (i, j, t) becomes element (j, i, last - t). */
static const char *turned_weights(const conv_kernel *k, const char *weight, char *to)
{
    const int64_t n = k->r * k->s;
    for (int64_t i = 0; i < k->k; i++)
        for (int64_t j = 0; j < k->c; j++)
            reverse(k->size, n, weight + (j * k->k + i) * n * k->size, to + (i * k->c + j) * n * k->size);
    return to;
}

/* The group's weights, packed for matrix units or not. `own` has room for turned ones. */
static void pack_weights(const conv_kernel *k, const cpu_run *run, int64_t group, int units, char *own, char *to)
{
    const char *weight = run->in[1] + group * k->k * k->taps * k->size;
    if (k->turned) weight = turned_weights(k, weight, own);
    if (units)
        cpu_conv_pack_units(k, weight, to);
    else
        (k->vectors ? k->vectors->pack : k->gather->pack)(k->k, k->taps, weight, k->taps, 1, to);
}

/* A part of a picture's result, and what its thread needs for it: of `parts` of the pixels that of number `part`. */
typedef struct portion {
    cpu_conv_tail tail;
    int64_t part, parts;
    const char *x, *packed; /* of the item's group */
    char *staging, *own, *y;
} portion;

/* By matrix units. Returns 0 if they can't; else pixels n[0]..n[1] are done. */
static int by_units(const portion *o, int64_t n[2])
{
    const conv_kernel *k = o->tail.kernel;
    const int64_t tiles = k->groups_of_16 / 2, t[] = {tiles * o->part / o->parts, tiles * (o->part + 1) / o->parts};
    for (int i = 0; i < 2; i++) n[i] = cpu_conv_pixels_before(k, t[i]);
    return cpu_conv_run_units(&o->tail, o->x, o->packed, o->own + turned_bytes(k), o->y, t[0], t[1]);
}

/* The usual way; weights that were packed for the units are packed again. */
static void by_vectors(const portion *o, int64_t n[2])
{
    const conv_kernel *k = o->tail.kernel;
    const int64_t mr = k->rows ? k->q : k->vectors ? k->vectors->wide * k->vectors->vectors : k->gather->mr;
    const int64_t tiles = (k->pixels + mr - 1) / mr, t0 = tiles * o->part / o->parts,
                  t1 = tiles * (o->part + 1) / o->parts;
    const char *packed = o->packed;
    if (k->units) {
        char *again = o->own + turned_bytes(k) + cpu_conv_unit_picture(k);
        pack_weights(k, o->tail.run, o->tail.item % k->groups, 0, o->own, again);
        packed = again;
    }
    if (k->points)
        cpu_conv_run_points(&o->tail, o->x, packed, o->staging, o->y, t0, t1);
    else if (k->rows)
        cpu_conv_run_rows(&o->tail, o->x, packed, o->staging, o->y, t0, t1);
    else
        (k->vectors ? forward_vectors : forward_tiles)(&o->tail, cpu_conv_stage(k, o->x, o->staging), packed, o->y, t0,
                                                       t1);
    n[0] = t0 * mr, n[1] = min_of(t1 * mr, k->pixels);
}

static int64_t bytes_of_weights(const conv_kernel *k)
{
    return k->units ? cpu_conv_unit_weights(k) : packed_weights(k);
}

static void pack_groups(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    char *own = cpu_conv_packed(k, run, thread);
    for (int64_t g = thread; g < k->groups; g += threads)
        pack_weights(k, run, g, k->units != NULL, own, cpu_conv_weights(k, run) + g * bytes_of_weights(k));
}

/* Filters of which a tile takes one or more, whichever way it is made. */
static int64_t filters_of_tile(const conv_kernel *k)
{
    return k->units ? k->units->wide : k->vectors ? k->vectors->filters : k->gather->nr;
}

/* A picture that several threads share goes by filters where weights are many beside its pixels: by pixels each thread
 * reads all of them, which takes longer than to bring a whole picture in order. */
static int goes_by_filters(const conv_kernel *k)
{
    enum { PIXELS = 8, IN_PARTS = 2 /* that cost what a weight of each channel does */, MANY = 4 };
    const int64_t unit = filters_of_tile(k), tiles = (k->k + unit - 1) / unit;
    return (k->units ? IN_PARTS : PIXELS) * k->k * k->r * k->s >= k->h * k->w &&
           (tiles % k->threads == 0 || tiles >= MANY * k->threads);
}

/* The portion of number `part` of so many that a picture is cut into. */
static portion portion_of(const conv_kernel *k, const cpu_run *run, int64_t item, int64_t part, int64_t parts)
{
    portion o = {{k, run, item, 0, k->k}, part, parts, NULL, NULL, NULL, NULL, NULL};
    if (parts > 1 && goes_by_filters(k)) {
        const int64_t unit = filters_of_tile(k), tiles = (k->k + unit - 1) / unit;
        o.tail.first = tiles * part / parts * unit, o.tail.last = min_of(tiles * (part + 1) / parts * unit, k->k);
        o.part = 0, o.parts = 1;
    }
    o.x = run->in[0] + item * k->c * k->h * k->w * k->size;
    o.packed = cpu_conv_weights(k, run) + item % k->groups * bytes_of_weights(k);
    o.y = run->out[0] + item * k->k * k->pixels * k->size;
    return o;
}

static void forward(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    char *own = cpu_conv_packed(k, run, thread), *staging = cpu_conv_begin_staging(k, run, thread);
    cpu_conv_epilogue epilogue;
    cpu_conv_begin_epilogue(k, run, thread, &epilogue);
    const int64_t items = k->b * k->groups, parts = items < 2 * threads ? threads : 1, all = items * parts;
    if (k->units) cpu_conv_begin_units(k, own + turned_bytes(k));
    for (int64_t i = all * thread / threads; i < all * (thread + 1) / threads; i++) {
        portion o = portion_of(k, run, i / parts, i % parts, parts);
        o.staging = staging, o.own = own;
        int64_t n[2];
        if (!k->units || !by_units(&o, n)) by_vectors(&o, n);
        cpu_conv_run_epilogue(&o.tail, &epilogue, n[0], n[1]);
    }
    if (k->units) k->units->end();
}

void cpu_conv_run_forward(const tn_kernel *kernel, const cpu_run *run)
{
    const conv_kernel *k = (const conv_kernel *)kernel;
    if (k->b * k->groups * k->k * k->pixels == 0) return;
    if (!k->loops && !k->whole && !run->is_kept) cpu_conv_on_threads(k, run, pack_groups);
    cpu_conv_body *body = k->windows ? cpu_conv_forward_windows : k->loops ? cpu_conv_forward_bands : forward;
    cpu_conv_on_threads(k, run, k->whole ? cpu_conv_forward_whole : body);
}

const cpu_op cpu_conv2d = {
    "conv2d",       CPU_FLOATS | CPU_LEVELS | CPU_KEEPS, 0, prepare_forward, cpu_conv_run_forward, cpu_conv_release,
    cpu_conv_finish};
