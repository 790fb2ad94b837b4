/* explain.c: a compiled program as a table for people. */
#include <stdio.h>
#include <string.h>

#include "attrs.h"
#include "plain.h"
#include "program.h"

typedef struct printer {
    void (*line)(void *arg, const char *text);
    void *arg;
} printer;

/* What the launch computes beyond its name: what its attributes say, programs and epilogues among it. */
static const char *detail(const tn_launch *l, char *text, size_t capacity)
{
    if (l->transfer)
        snprintf(text, capacity, "to %s", l->place ? "the fallback" : "the device");
    else if (l->crosses)
        snprintf(text, capacity, "0, added up over all shards");
    else
        tn_attrs_text(&l->operation.desc, text, capacity);
    return text;
}

/* "f32 (128, 100)" for each output; a variable by its name. */
static const char *results(const tn_launch *l, char *text, size_t capacity)
{
    tn_text out = tn_text_in(text, capacity);
    for (uint32_t i = 0; i < l->operation.desc.n_out; i++) {
        char shape[160];
        tn_value *value = l->out[i], *root = tn_value_root(value);
        tn_text_add(&out, "%s%s %s%s%s", i ? ", " : "", tn_dtype_name(value->type.dtype),
                    tn_shape_text(&value->type.shape, shape, sizeof shape), root->name ? " -> " : "",
                    root->name ? root->name : "");
    }
    return text;
}

static uint64_t bytes_of(const tn_launch *l)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < l->operation.desc.n_in; i++) bytes += l->in[i]->bytes;
    for (uint32_t i = 0; i < l->operation.desc.n_out; i++) bytes += l->out[i]->bytes;
    return bytes;
}

#define RESULT 32 /* characters of the column; after a longer one the rest has a line of its own */

static void explain_launch(const tn_program *p, uint32_t number, const printer *out)
{
    const tn_launch *l = p->ir.launch[number];
    char what[600], made[400], line[1200];
    results(l, made, sizeof made);
    detail(l, what, sizeof what);
    int fits = strlen(made) <= RESULT, used;
    used = tn_snprintf(line, sizeof line, "%3u  %-16s %-9s %5u %7llu %11llu %13.0f  %s", number + 1,
                       l->operation.desc.name, p->place[l->place].device->name, l->fused,
                       (unsigned long long)(l->transfer ? 0 : l->info.launches * tn_launch_rounds(l)),
                       (unsigned long long)bytes_of(l), l->cost.flops, made);
    if (l->operation.desc.precision && !l->transfer)
        snprintf(what + strlen(what), sizeof what - strlen(what), "%sin %s", *what ? ", " : "",
                 tn_precision_name(l->operation.desc.precision));
    if (l->depth)
        snprintf(what + strlen(what), sizeof what - strlen(what), "%s%lld of %lld samples at a time", *what ? ", " : "",
                 (long long)l->depth->together, (long long)l->depth->samples);
    if (*what && fits)
        snprintf(line + used, sizeof line - (size_t)used, "%*s %s", RESULT - (int)strlen(made), "", what);
    out->line(out->arg, line);
    if (*what && !fits) {
        snprintf(line, sizeof line, "       %s", what);
        out->line(out->arg, line);
    }
    if (l->choice && *l->choice) {
        snprintf(line, sizeof line, "       by %s", l->choice);
        out->line(out->arg, line);
    }
    if (!l->refusal) return;
    snprintf(line, sizeof line, "       not on %s: %s", p->place[0].device->name, l->refusal);
    out->line(out->arg, line);
}

/* An input's name, or "#3" for the expression of slot 3. */
static const char *slot_name(const tn_program *p, uint32_t slot, char text[16])
{
    if (p->ir.slot[slot].name) return p->ir.slot[slot].name;
    snprintf(text, 16, "#%u", slot);
    return text;
}

static void explain_scalars(const tn_program *p, const printer *out)
{
    char line[1200], text[512], name[16];
    for (uint32_t i = 0; i < p->ir.slots; i++) {
        const tn_scalar_slot *slot = &p->ir.slot[i];
        tn_text said = tn_text_in(line, sizeof line);
        if (!slot->program.n_instr) continue;
        tn_text_add(&said, "scalar %s = ", slot_name(p, i, name));
        tn_text_add(&said, "%s of", tn_map_text(&slot->program, text, sizeof text));
        for (uint32_t k = 0; k < slot->program.n_scalar; k++)
            tn_text_add(&said, " %s", slot_name(p, slot->arg[k], name));
        out->line(out->arg, line);
    }
}

void tn_program_explain(const tn_program *p, void (*line)(void *arg, const char *text), void *arg)
{
    const printer out = {line, arg};
    char text[300];
    if (!p || !line) return;
    snprintf(text, sizeof text, "%3s  %-16s %-9s %5s %7s %11s %13s  %-*s %s", "#", "operator", "device", "fused",
             "kernels", "bytes", "flops", RESULT, "result", "what");
    line(arg, text);
    for (uint32_t i = 0; i < p->ir.launches; i++) explain_launch(p, i, &out);
    explain_scalars(p, &out);
    tn_snprintf(text, sizeof text, "%u operators, %u kernels a run, %u of them elsewhere; arena %.1f kB, state %.1f kB",
                p->report.nodes, p->report.launches, p->report.fallback_nodes, (double)p->report.arena_actual / 1e3,
                (double)p->report.state_bytes / 1e3);
    line(arg, text);
}
