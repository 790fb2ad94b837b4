/* tune.c: the extension tenon.tune/1: which kernels an operator may have (families.def), each on request, and the
 * choices that the library found good on this device, which op_prepare then takes for operators of the same key.
 *
 * A key has all that an operator's kernels are made from: operator, types and sizes of its first operands and its
 * result to be read, and a hash of the rest: attributes, epilogue, strides, further operands. */
#include "opencl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY 384

/* A choice that was made, in a list. */
struct ocl_tuned {
    ocl_tuned *next;
    ocl_choice choice;
    char key[KEY];
};

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
    return ocl_hash(hash, &number, sizeof number);
}

static uint64_t hash_operand(uint64_t hash, const tn_tensor_desc *t)
{
    hash = hash_number(hash_number(hash, (uint64_t)t->dtype), (uint64_t)t->rank);
    for (int32_t d = 0; d < t->rank; d++) {
        hash = hash_number(hash, (uint64_t)t->dim[d]);
        if (t->dim[d] > 1) hash = hash_number(hash, (uint64_t)t->stride[d]);
    }
    return hash;
}

static uint64_t hash_map(uint64_t hash, const tn_map_attrs *map)
{
    for (uint32_t i = 0; map && i < map->n_instr; i++) {
        const tn_map_instr *instr = &map->instr[i];
        hash = ocl_hash(hash, instr->op, strlen(instr->op) + 1);
        hash = ocl_hash(hash, instr->arg, sizeof instr->arg);
        hash = ocl_hash(hash_number(hash, (uint64_t)instr->dtype), &instr->value, sizeof instr->value);
    }
    return map ? hash_number(ocl_hash(hash, map->out, map->n_out * sizeof *map->out), map->n_scalar) : hash;
}

/* What follows `size` and the epilogue's pointer in a struct of attributes is flat. */
static uint64_t hash_attrs(uint64_t hash, const tn_op_desc *desc)
{
    const size_t flat = offsetof(tn_matmul_attrs, trans_a);
    const uint64_t size = *(const uint64_t *)desc->attrs;
    const uint64_t known = strcmp(desc->name, "matmul") ? sizeof(tn_conv_attrs) : sizeof(tn_matmul_attrs);
    return ocl_hash(hash, (const char *)desc->attrs + flat, (size < known ? size : known) - flat);
}

_Static_assert(offsetof(tn_matmul_attrs, trans_a) == offsetof(tn_conv_attrs, stride), "both begin alike");

static int put_operand(char *text, size_t room, const tn_tensor_desc *t)
{
    int used = snprintf(text, room, " %s", ocl_dtype_suffix(t->dtype));
    for (int32_t d = 0; d < t->rank; d++)
        used += snprintf(text + used, room - (size_t)used, "%c%lld", d ? 'x' : ' ', (long long)t->dim[d]);
    return used;
}

#define OPERAND 96 /* characters of an operand of rank 4 at most */

static void write_key(const ocl_build *build, char key[KEY])
{
    const tn_op_desc *desc = build->desc;
    uint64_t hash = hash_map(hash_attrs((build->flushes ? 2 : 1) + 2 * build->level, desc), build->facts->mapping.map);
    for (uint32_t i = 0; i < desc->n_in; i++) hash = hash_operand(hash, &desc->in[i]);
    for (uint32_t k = 0; k < desc->n_out; k++) {
        hash = hash_operand(hash, &desc->out[k]);
        hash = hash_number(hash, desc->alias ? (uint64_t)desc->alias[k] : UINT64_MAX);
    }
    int used = snprintf(key, KEY, "%s", desc->name);
    used += put_operand(key + used, OPERAND, &desc->in[0]);
    used += put_operand(key + used, OPERAND, &desc->in[1]);
    used += put_operand(key + used, OPERAND, &desc->out[0]);
    snprintf(key + used, KEY - (size_t)used, " %016llx", (unsigned long long)hash);
}

/* ---- what was chosen --------------------------------------------------------------------------------------------- */

static ocl_tuned **find(tn_context *context, const char *key)
{
    ocl_tuned **at = &context->tuned;
    while (*at && strcmp((*at)->key, key)) at = &(*at)->next;
    return at;
}

int ocl_tuned_find(const ocl_build *build, ocl_choice *choice)
{
    char key[KEY];
    tn_context *context = build->context;
    pthread_mutex_lock(&context->tuned_lock);
    const int none = !context->tuned;
    pthread_mutex_unlock(&context->tuned_lock);
    *choice = context->choice;
    if (none) return choice->family != NULL;
    write_key(build, key);
    pthread_mutex_lock(&context->tuned_lock);
    const ocl_tuned *found = *find(context, key);
    if (found) *choice = found->choice;
    pthread_mutex_unlock(&context->tuned_lock);
    return choice->family != NULL;
}

void ocl_tuned_release(tn_context *context)
{
    while (context->tuned) {
        ocl_tuned *first = context->tuned;
        context->tuned = first->next;
        ocl_free(first);
    }
}

/* The list's own entry for the key, made where there is none. */
static int32_t keep(tn_context *context, const char *key, const ocl_choice *choice, tn_msg *msg)
{
    ocl_tuned **at = find(context, key);
    if (!*at) {
        *at = ocl_alloc(sizeof **at);
        if (!*at) return ocl_fail(msg, TN_ENOMEM, "out of memory for a kernel's choice");
        snprintf((*at)->key, KEY, "%s", key);
    }
    (*at)->choice = *choice;
    return TN_OK;
}

static void forget(tn_context *context, const char *key)
{
    ocl_tuned **at = find(context, key), *gone = *at;
    if (gone) *at = gone->next;
    ocl_free(gone);
}

static int32_t choose(tn_context *context, const char *key, const char *text, tn_msg *msg)
{
    ocl_choice choice;
    int32_t s = TN_OK;
    if (strlen(key) >= KEY) return ocl_fail(msg, TN_EINVAL, "no operator has a key of %zu characters", strlen(key));
    if (text && !ocl_choice_read(text, &choice)) return ocl_fail(msg, TN_EINVAL, "there is no kernel '%.80s'", text);
    pthread_mutex_lock(&context->tuned_lock);
    if (text)
        s = keep(context, key, &choice, msg);
    else
        forget(context, key);
    pthread_mutex_unlock(&context->tuned_lock);
    return s;
}

static int32_t chosen(tn_kernel *kernel, char *text, uint64_t room, tn_msg *msg)
{
    (void)msg;
    char what[OCL_CHOICE_TEXT];
    ocl_choice_write(&kernel->used, what, sizeof what);
    if (room) snprintf(text, room, "%s%s", what, kernel->used.family && kernel->is_tuned ? ", tuned" : "");
    return TN_OK;
}

/* ---- what there is to choose from -------------------------------------------------------------------------------- */

typedef struct candidate {
    ocl_choice choice;
    double promise;
} candidate;

typedef struct candidates {
    candidate *list;
    uint32_t count, room;
} candidates;

static int32_t add(candidates *all, const ocl_choice *choice, double promise, tn_msg *msg)
{
    if (all->count == all->room) {
        const uint32_t room = all->room ? 2 * all->room : 64;
        candidate *longer = ocl_alloc(room * sizeof *longer);
        if (!longer) return ocl_fail(msg, TN_ENOMEM, "out of memory for candidates");
        if (all->count) memcpy(longer, all->list, all->count * sizeof *longer);
        ocl_free(all->list);
        all->list = longer;
        all->room = room;
    }
    all->list[all->count++] = (candidate){*choice, promise};
    return TN_OK;
}

static int by_promise(const void *a, const void *b)
{
    const double x = ((const candidate *)a)->promise, y = ((const candidate *)b)->promise;
    return (x < y) - (x > y);
}

/* Those of a family that the operator's prepare takes. */
static int32_t find_candidates(ocl_build *build, const ocl_family *family, candidates *all)
{
    ocl_choice choice = ocl_choice_first(family);
    int32_t s = TN_OK;
    do {
        ocl_build asked = *build; /* whose desc is the first one's */
        asked.choice = &choice;
        asked.promise = 0;
        asked.msg = NULL;
        if (!ocl_op_ask(&asked)) s = add(all, &choice, asked.promise, build->msg);
    } while (!s && ocl_choice_next(&choice));
    return s;
}

static int32_t list_candidates(tn_context *context, const tn_op_desc *desc, void (*found)(void *, const char *),
                               void *arg, tn_msg *msg)
{
    char text[OCL_CHOICE_TEXT];
    tn_op_facts facts;
    ocl_build build;
    candidates all = {.count = 0};
    int32_t s = ocl_op_begin(context, desc, &facts, &build, msg);
    if (s) return s;
    for (size_t i = 0; !s && ocl_family_at(i); i++) s = find_candidates(&build, ocl_family_at(i), &all);
    if (!s && all.count) qsort(all.list, all.count, sizeof *all.list, by_promise);
    for (uint32_t i = 0; !s && i < all.count; i++) {
        ocl_choice_write(&all.list[i].choice, text, sizeof text);
        found(arg, text);
    }
    ocl_free(all.list);
    return s;
}

static int32_t get_key(tn_context *context, const tn_op_desc *desc, char *text, uint64_t room, tn_msg *msg)
{
    char key[KEY];
    tn_op_facts facts;
    ocl_build build;
    int32_t s = ocl_op_begin(context, desc, &facts, &build, msg);
    if (s) return s;
    write_key(&build, key);
    if (strlen(key) >= room) return ocl_fail(msg, TN_EINVAL, "a key takes %zu bytes", strlen(key) + 1);
    strcpy(text, key);
    return TN_OK;
}

static int32_t prepare(tn_context *context, const tn_op_desc *desc, const char *text, tn_kernel **kernel,
                       tn_kernel_info *info, tn_msg *msg)
{
    ocl_choice choice = {.family = NULL};
    if (text && !ocl_choice_read(text, &choice)) return ocl_fail(msg, TN_EINVAL, "there is no kernel '%.80s'", text);
    return ocl_op_prepare_by(context, desc, &choice, kernel, info, msg);
}

/* ---- whose choices these are ------------------------------------------------------------------------------------- */

static uint64_t hash_sources(void)
{
    const char *const sources[] = {ocl_cl_tile_cpu,      ocl_cl_turn,          ocl_cl_matmul_pack, ocl_cl_matmul_tile,
                                   ocl_cl_matmul_cpu,    ocl_cl_matmul_direct, ocl_cl_types,       ocl_cl_math,
                                   ocl_cl_names,         ocl_cl_map,           ocl_cl_tile_gpu,    ocl_cl_matmul_gpu,
                                   ocl_cl_conv_gpu,      ocl_cl_conv,          ocl_cl_bring,       ocl_cl_matrix,
                                   ocl_cl_matmul_matrix, ocl_cl_matrix_block,  ocl_cl_conv_matrix, ocl_cl_conv_winograd,
                                   ocl_cl_matrix_parts,  ocl_cl_matrix_staged, ocl_cl_conv_last,   ocl_cl_conv_places};
    uint64_t hash = 3;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) hash = ocl_hash(hash, sources[i], strlen(sources[i]));
    return hash;
}

static int32_t identity(tn_context *context, tn_tune_identity *identity, tn_msg *msg)
{
    tn_device_info info = {.size = sizeof info};
    tn_tune_identity full = {.size = sizeof full};
    int32_t s = ocl_device_info(context->number, &info, msg);
    if (s) return s;
    snprintf(full.device, sizeof full.device, "%s, with kernels for %s", info.name,
             context->cpu_shape ? "CPUs" : "GPUs");
    snprintf(full.driver, sizeof full.driver, "%s (%016llx), kernels %016llx", info.driver,
             (unsigned long long)context->identity, (unsigned long long)hash_sources());
    tn_answer(identity, &full, sizeof full);
    return TN_OK;
}

const tn_ext_tune ocl_tune = {sizeof ocl_tune, identity, get_key, list_candidates, prepare, choose, chosen};
