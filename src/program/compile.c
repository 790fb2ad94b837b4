/* compile.c: from a graph to a program: runs the passes, prepares the kernels, binds them to their memory. */
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "given.h"
#include "layout.h"
#include "leaf.h"
#include "profile.h"
#include "rewrite.h"
#include "staging.h"

/* ---- places ---- */

/* Who does what the state's device refuses, in this order. */
static const char *const fallback[TN_PLACES - 1] = {"cpu", "reference"};

static void note_trouble(tn_program *p, tn_status status, const char *operator, const tn_origin * origin)
{
    p->trouble = status;
    snprintf(p->trouble_text, sizeof p->trouble_text, "%s (when asked about %s)", tn_message(), operator);
    tn_origin_append(p->trouble_text, sizeof p->trouble_text, origin);
}

/* Opens a fallback's device, once; one that is not there, or is the state's own, stays NULL. That it doesn't take the
 * user's options is an error. */
static void open_place(tn_program *p, int32_t number, const char *operator, const tn_origin * origin)
{
    tn_place_device *place = &p->place[number];
    if (place->tried) return;
    place->tried = 1;
    tn_status s = tn_device_open(fallback[number - 1], &place->device);
    if (s == TN_EINVAL) note_trouble(p, s, operator, origin);
    if (s) return;
    if (place->device == p->place[0].device || tn_queue_make(place->device, &place->queue)) {
        tn_device_close(place->device);
        place->device = NULL;
    }
}

int tn_program_supports(void *self, int32_t number, const tn_op_desc *desc, const tn_origin *origin)
{
    tn_program *p = self;
    int supported = 0;
    open_place(p, number, desc->name, origin);
    const tn_device *device = p->place[number].device;
    if (!device || p->trouble) return 0;
    tn_status s = tn_kernel_ask(device, desc, &supported, p->refusal, number ? 0 : sizeof p->refusal);
    if (s) note_trouble(p, s, desc->name, origin);
    return supported;
}

static const char *refusal(void *self)
{
    return ((tn_program *)self)->refusal;
}

/* What went wrong while a device was asked comes before what a pass made of its silence. */
static tn_status after_asking(const tn_program *p, tn_status s)
{
    return p->trouble ? tn_fail(p->trouble, "%s", p->trouble_text) : s;
}

static tn_status find(void *self, const char *variable, uint32_t *buffer, uint64_t *offset)
{
    const tn_state_tensor *t = tn_state_get(((tn_program *)self)->state, variable);
    TN_REQUIRE(t, TN_EMISSING, "no variable '%s' in the state", variable);
    *buffer = t->chunk;
    *offset = t->offset;
    return TN_OK;
}

static uint64_t element(void *self, int32_t dtype)
{
    int widens = dtype == TN_F32 && ((tn_program *)self)->f64;
    return tn_dtype_size(widens ? TN_F64 : dtype);
}

/* ---- passes ---- */

/* A device that has no convolution so is not wrong, but it is not what was asked for. */
static tn_status lay_out(tn_program *p, const tn_graph *graph, const tn_compile_options *options, tn_graph **out)
{
    uint32_t *laid = &p->report.channels_last, refused = 0;
    TN_TRY(tn_lay_out(graph, &p->target, laid, &refused, out));
    if (!options->strict || *laid || !refused) return TN_OK;
    tn_graph_free(*out);
    return tn_fail(TN_EUNSUPPORTED, "%s makes no convolution with channels last, and nothing else is allowed: %s",
                   tn_device_name(p->place[0].device), p->refusal);
}

/* The graph that will be fused: what is left after simplify and lower. */
static tn_status rewrite(tn_program *p, const tn_graph *graph, const tn_compile_options *options, tn_graph **out)
{
    tn_graph *now = NULL, *next = NULL;
    TN_TRY(tn_group_variables(graph, &p->target, &now));
    tn_status s = tn_simplify(now, &next);
    if (!s) tn_graph_free(now), now = next;
    if (!s && p->f64) s = tn_widen(now, &next);
    if (!s && next != now) tn_graph_free(now), now = next;
    if (!s) s = tn_find_attention(now, &p->target, &next);
    if (!s && next) tn_graph_free(now), now = next;
    if (!s) s = tn_lower(now, &p->target, &next);
    if (!s) tn_graph_free(now), now = next;
    if (!s) s = tn_simplify(now, &next);
    if (!s && options->layout == TN_LAYOUT_LAST) {
        tn_graph_free(now), now = next;
        s = lay_out(p, now, options, &next);
    }
    tn_graph_free(now);
    if (!s) *out = next;
    return s ? s : tn_chain_crossings(next);
}

/* Likewise, a device that takes no value so. */
static tn_status narrow(tn_program *p, const tn_compile_options *options)
{
    tn_program_report *r = &p->report;
    TN_TRY(tn_narrow_values(&p->target, &p->ir, options->storage, &r->narrow_values, &r->narrow_refused));
    TN_REQUIRE(!options->strict || r->narrow_values || !r->narrow_refused, TN_EUNSUPPORTED,
               "%s stores no value as %s, and nothing else is allowed: %s", tn_device_name(p->place[0].device),
               tn_dtype_name(options->storage), p->refusal);
    snprintf(r->narrow_why, sizeof r->narrow_why, "%s", r->narrow_refused ? p->refusal : "");
    return TN_OK;
}

/* Likewise, a device that gains nothing by factors that are rounded. */
static tn_status lower_precision(tn_program *p, const tn_compile_options *options)
{
    tn_program_report *r = &p->report;
    tn_lower_precision(&p->target, &p->ir, options->precision, &r->coarse_products, &r->coarse_refused);
    TN_REQUIRE(!options->strict || r->coarse_products || !r->coarse_refused, TN_EUNSUPPORTED,
               "%s multiplies nothing in %s, and nothing else is allowed: %s", tn_device_name(p->place[0].device),
               tn_precision_name(options->precision), p->refusal);
    snprintf(r->coarse_why, sizeof r->coarse_why, "%s", r->coarse_refused ? p->refusal : "");
    return TN_OK;
}

static tn_status not_allowed(const tn_program *p, const tn_launch *l)
{
    tn_status s = tn_fail(TN_EUNSUPPORTED, "%s does not support %s, and fallback is not allowed: %s",
                          tn_device_name(p->place[0].device), l->operation.desc.name, l->refusal);
    return tn_fail_at(s, &l->origin);
}

static tn_status run_passes(tn_program *p, const tn_graph *graph, const tn_compile_options *options)
{
    p->ir.alignment = tn_state_alignment(p->state);
    TN_TRY(tn_fuse(graph, &p->target, &p->ir));
    TN_TRY(tn_place(&p->target, &p->ir));
    for (uint32_t i = 0; i < p->ir.launches; i++) {
        const tn_launch *l = p->ir.launch[i];
        p->report.fallback_nodes += l->place && !l->transfer;
        p->report.fallback_bytes += l->transfer ? l->in[0]->bytes : 0;
        if (!l->place || l->transfer) continue;
        if (options->strict) return not_allowed(p, l);
        if (*p->report.fallback_first) continue;
        snprintf(p->report.fallback_first, sizeof p->report.fallback_first, "%s", l->operation.desc.name);
        snprintf(p->report.fallback_why, sizeof p->report.fallback_why, "%s", l->refusal);
    }
    tn_settle(&p->ir);
    if (options->storage) TN_TRY(narrow(p, options));
    if (options->precision) TN_TRY(lower_precision(p, options));
    TN_TRY(tn_find_depths(&p->target, &p->ir));
    TN_TRY(tn_find_keepers(&p->target, &p->ir));
    return tn_plan_in_place(&p->ir);
}

/* ---- kernels ---- */

/* What is known of a value's offset before the plan: it is a multiple of so many bytes. `step`: from one sample to the
 * next, where it moves. */
static uint64_t alignment_of(const tn_program *p, tn_value *value, uint64_t step)
{
    const tn_value *root = tn_value_root(value);
    uint64_t offset = tn_value_at(value), alignment = p->ir.alignment;
    if (root->home == TN_IN_STATE) {
        offset += tn_state_get(p->state, root->name)->offset;
        alignment = TN_PACK_STEP * tn_dtype_size(root->type.dtype); /* the state may yet move it into a pack */
        if (alignment > TN_STATE_STEP) alignment = TN_STATE_STEP;
    }
    offset |= step | alignment;
    return offset & -offset;
}

static tn_status work_memory(tn_program *p, const tn_launch *l, uint64_t bytes, tn_value **value)
{
    *value = tn_ir_value(&p->ir, (tn_type){TN_U8, TN_SHAPE((int64_t)bytes)});
    if (!*value) return TN_ENOMEM;
    (*value)->place = l->place;
    return TN_OK;
}

/* Memory for what it keeps: that of the first of its like, or, if that wants another size after all, its own. */
static tn_status keep(tn_program *p, tn_launch *l)
{
    if (l->keeper != l && l->keeper && l->keeper->info.kept == l->info.kept) {
        l->kept = l->keeper->kept;
        return TN_OK;
    }
    l->keeper = l;
    TN_TRY(work_memory(p, l, l->info.kept, &l->kept));
    l->kept->lasts = l->stays != TN_STAYS_FOR_A_RUN;
    return TN_OK;
}

static tn_status prepare_kernel(tn_program *p, tn_launch *l)
{
    uint64_t in_align[TN_MAX_OPERANDS] = {0}, out_align[TN_MAX_OPERANDS] = {0};
    tn_op_desc desc = l->operation.desc;
    for (uint32_t i = 0; i < desc.n_in; i++) in_align[i] = alignment_of(p, l->in[i], tn_in_step(l, i));
    for (uint32_t i = 0; i < desc.n_out; i++) out_align[i] = alignment_of(p, l->out[i], tn_out_step(l, i));
    desc.in_align = in_align, desc.out_align = out_align;
    TN_TRY(tn_kernel_make(p->place[l->place].device, &desc, &l->kernel, &l->info));
    TN_TRY(tn_program_note_choice(p, l));
    p->report.launches += (uint32_t)l->info.launches * tn_launch_rounds(l);
    if (l->info.scratch) TN_TRY(work_memory(p, l, l->info.scratch, &l->scratch));
    return l->info.kept ? keep(p, l) : TN_OK;
}

static tn_status prepare_kernels(tn_program *p)
{
    for (uint32_t i = 0; i < p->ir.launches; i++) {
        tn_launch *l = p->ir.launch[i];
        p->report.nodes += !l->transfer;
        p->report.flops += l->cost.flops;
        if (!l->transfer) TN_TRY(tn_fail_at(prepare_kernel(p, l), &l->origin));
    }
    for (uint32_t i = 0; i < p->ir.launches; i++) {
        const tn_launch *l = p->ir.launch[i];
        if (l->transfer) continue;
        TN_TRY(tn_fail_at(tn_kernel_finish(p->place[l->place].device, l->kernel), &l->origin));
    }
    return TN_OK;
}

/* ---- what is run ---- */

static void find_operands(const tn_program *p, tn_prepared *r)
{
    const tn_launch *l = r->launch;
    for (uint32_t i = 0; i < l->operation.desc.n_in; i++) r->in[i] = tn_program_ref(p, l->in[i]);
    for (uint32_t i = 0; i < l->operation.desc.n_out; i++) r->out[i] = tn_program_ref(p, l->out[i]);
    r->sample = 0;
}

void tn_program_find_operands(tn_program *p)
{
    for (uint32_t i = 0; i < p->ir.launches; i++) find_operands(p, &p->prepared[i]);
    p->moves = p->state->moves;
}

static tn_status bind_transfer(tn_program *p, tn_prepared *out)
{
    TN_MESSAGE(msg);
    const tn_device *to = out->place->device;
    if (!p->staging) TN_TRY(tn_staging_new(p->state, &p->staging));
    if (!(out->staging = tn_staging_take(p->staging, out->launch->in[0]->bytes))) return TN_ENOMEM;
    return tn_device_status(to, to->backend->event_create(to->context, &out->written, &msg), &msg);
}

static tn_status bind_launch(tn_program *p, const tn_launch *l, tn_prepared *out)
{
    *out = (tn_prepared){.launch = l, .place = &p->place[l->place]};
    out->in = tn_region_alloc(&p->ir.region, (l->operation.desc.n_in + 1) * sizeof *out->in);
    out->out = tn_region_alloc(&p->ir.region, (l->operation.desc.n_out + 1) * sizeof *out->out);
    if (!out->in || !out->out) return TN_ENOMEM;
    out->run = (tn_run){
        .size = sizeof out->run, .in = out->in, .out = out->out, .scalar = out->scalar, .n_scalar = l->n_scalar};
    if (l->scratch) out->run.scratch = tn_program_ref(p, l->scratch);
    if (l->kept) out->run.kept = tn_program_ref(p, l->kept), out->run.is_kept = l->keeper != l;
    return l->transfer ? bind_transfer(p, out) : TN_OK;
}

tn_status tn_program_bind_lane(tn_program *p)
{
    p->prepared = tn_alloc((p->ir.launches + 1) * sizeof *p->prepared);
    p->scalar = tn_alloc((p->ir.slots + 1) * sizeof *p->scalar);
    if (!p->prepared || !p->scalar) return TN_ENOMEM;
    for (uint32_t i = 0; i < p->ir.launches; i++) TN_TRY(bind_launch(p, p->ir.launch[i], &p->prepared[i]));
    tn_program_find_operands(p);
    return TN_OK;
}

static tn_status find_crossings(tn_program *p)
{
    p->crossing = tn_region_alloc(&p->ir.region, (p->ir.launches + 1) * sizeof *p->crossing);
    if (!p->crossing) return TN_ENOMEM;
    for (uint32_t i = 0; i < p->ir.launches; i++)
        if (p->ir.launch[i]->crosses) p->crossing[p->crossings++] = i;
    return TN_OK;
}

static tn_status bind_all(tn_program *p)
{
    TN_TRY(tn_program_bind_lane(p));
    p->changes_state = (uint32_t)tn_changes_state(&p->ir);
    TN_TRY(find_crossings(p));
    p->own = tn_alloc((p->ir.slots + 1) * sizeof *p->own);
    if (!p->own) return TN_ENOMEM;
    for (uint32_t i = 0; i < p->ir.slots; i++) {
        tn_program_set_slot(p, i, p->ir.slot[i].value);
        p->own[i] = tn_program_own_number(p, p->ir.slot[i].name);
    }
    return TN_OK;
}

/* All that can be done before there is memory: the passes, the kernels, the plan. */
static tn_status prepare(tn_program *p, const tn_graph *graph, const tn_compile_options *options,
                         const tn_binding *binding)
{
    tn_graph *rewritten = NULL;
    TN_TRY(tn_program_find_optimizers(p, graph));
    TN_TRY(tn_program_find_inputs(p, graph));
    tn_status s = rewrite(p, graph, options, &rewritten);
    if (!s) s = run_passes(p, rewritten, options);
    tn_graph_free(rewritten);
    s = after_asking(p, s);
    if (!s) s = tn_program_tune_kernels(p, &(tn_tune_options){.seconds = options->tune > 0 ? options->tune : -1});
    if (!s) s = prepare_kernels(p);
    return s ? s : tn_program_plan(p, tn_bind_staging(binding));
}

static tn_status compile(tn_program *p, tn_graph *graph, tn_compile_options *options)
{
    tn_binding binding;
    TN_TRY(tn_graph_status(graph));
    TN_REQUIRE(!graph->scope, TN_EINVAL, "compile: scope '%s' is open: a tn_scope_pop is missing",
               graph->scope->prefix);
    TN_REQUIRE(!options->storage || tn_is_narrow(options->storage), TN_EDTYPE,
               "compile: values are stored as f16 or bf16, not as %s", tn_dtype_name(options->storage));
    TN_REQUIRE(tn_precision_name(options->precision), TN_EINVAL, "compile: there is no precision %u",
               options->precision);
    TN_REQUIRE(options->tune >= 0, TN_EINVAL, "compile: tn_compile_options.tune is less than 0, or no number");
    TN_REQUIRE(options->layout <= TN_LAYOUT_TRY, TN_EINVAL, "compile: there is no layout %u", options->layout);
    TN_REQUIRE(graph->sinks, TN_EINVAL, "compile: the graph has no output and assigns nothing");
    TN_TRY(tn_choose_layout(graph, p->state, options));
    tn_status s = tn_bind_begin(p->state, graph, (int)options->f64, &binding);
    if (!s) s = prepare(p, graph, options, &binding);
    if (!s) s = tn_bind_make(&binding);
    if (!s) s = tn_program_allocate(p);
    if (!s) s = tn_program_fill_constants(p);
    if (!s) s = bind_all(p);
    if (!s) tn_program_begin_steps(p);
    tn_bind_end(&binding, s);
    return s;
}

const char *tn_precision_name(uint32_t precision)
{
    static const char *const name[] = {
        [TN_PRECISION_F32] = "f32", [TN_PRECISION_F32_FAST] = "f32-fast", [TN_PRECISION_BF16] = "bf16"};
    return precision < sizeof name / sizeof *name ? name[precision] : NULL;
}

/* Of a device that wants a batch a few samples at a time. */
static tn_status find_near(const tn_device *device, uint64_t *near)
{
    TN_MESSAGE(msg);
    const tn_ext_samples *ext = tn_backend_extension(device->backend, TN_EXT_SAMPLES);
    if (!ext || !TN_HAS(tn_ext_samples, ext, near) || !ext->near) return TN_OK;
    return tn_device_status(device, ext->near(device->context, near, &msg), &msg);
}

tn_status tn_compile(tn_graph *graph, tn_state *state, const tn_compile_options *options, tn_program **program)
{
    TN_GIVEN(graph, state, program);
    tn_compile_options now = {0};
    tn_program *p = tn_alloc(sizeof *p);
    if (!p) return TN_ENOMEM;
    if (options) now = *options;
    p->state = state;
    p->f64 = now.f64;
    p->place[0] = (tn_place_device){.device = state->device, .queue = state->queue, .tried = 1};
    const tn_device_info *info = &state->device->info;
    p->target = (tn_target){.self = p,
                            .most = {info->max_in, info->max_out, info->max_instr, info->max_scalar},
                            .supports = tn_program_supports,
                            .refusal = refusal,
                            .places = TN_PLACES,
                            .find = find,
                            .element = element,
                            .unfused = now.unfused,
                            .units = info->units ? info->units : 1};
    p->advances_step = graph ? graph->advances_step : 0;
    tn_status s = find_near(state->device, &p->target.near);
    if (!s) s = compile(p, graph, &now);
    if (s)
        tn_program_free(p);
    else
        *program = p;
    return s;
}

void tn_program_free(tn_program *p)
{
    if (!p) return;
    tn_status ignored = tn_program_sync(p);
    (void)ignored;
    for (uint32_t i = 0; i < p->ir.launches; i++) {
        tn_launch *l = p->ir.launch[i];
        if (l->kernel) p->place[l->place].device->backend->op_release(l->kernel);
    }
    tn_profile_free(p);
    tn_program_free_lanes(p);
    tn_staging_free(p->staging);
    for (int i = 0; i < TN_PLACES; i++) {
        tn_place_device *place = &p->place[i];
        if (!place->device) continue;
        tn_banks_free(place->device, &place->inputs);
        if (i) place->device->backend->queue_destroy(place->queue), tn_device_close(place->device);
    }
    tn_free(p->own);
    tn_free(p->trained);
    tn_free(p->steps);
    tn_ir_free(&p->ir);
    tn_free(p);
}
