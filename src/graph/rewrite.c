/* rewrite.c: copies a graph through a rule, merging equal tensors. */
#include "rewrite.h"

#include <string.h>

/* A tensor in the new graph. */
typedef struct entry {
    uint64_t hash;
    tn_tensor *x;
} entry;

typedef struct copier {
    const tn_graph *from;
    tn_graph *to;
    tn_rule *rule;
    void *arg;
    tn_tensor **copy; /* by number in `from` */
    entry *table;     /* of tensors in `to`, by hash, open addressing */
    uint32_t buckets; /* a power of two */
} copier;

static uint64_t mix(uint64_t hash, const void *data, size_t bytes)
{
    const unsigned char *at = data;
    for (uint64_t word = 0; bytes; at += sizeof word, bytes -= bytes < sizeof word ? bytes : sizeof word, word = 0) {
        memcpy(&word, at, bytes < sizeof word ? bytes : sizeof word);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15u; /* 2^64 by the golden ratio */
        hash ^= hash >> 32;
    }
    return hash;
}

static uint64_t hash_of(const tn_tensor *x)
{
    uint64_t hash = mix(0, &x->op, sizeof x->op);
    hash = mix(hash, x->type.shape.dim, (size_t)x->type.shape.rank * sizeof *x->type.shape.dim);
    hash = mix(hash, x->in, x->n_in * sizeof *x->in);
    if (x->name) hash = mix(hash, x->name, strlen(x->name));
    return mix(hash, x->attrs, x->op->attrs_size);
}

static int equal(const tn_tensor *a, const tn_tensor *b)
{
    return a->op == b->op && a->n_in == b->n_in && a->type.dtype == b->type.dtype &&
           tn_shape_equal(&a->type.shape, &b->type.shape) &&
           (!a->n_in || !memcmp(a->in, b->in, a->n_in * sizeof *a->in)) &&
           !memcmp(a->attrs, b->attrs, a->op->attrs_size) && (!a->name || !b->name || !strcmp(a->name, b->name));
}

/* The first tensor that equals x, which may be x. The table is never full: it has room for twice the tensors. */
static tn_tensor *unique(copier *c, tn_tensor *x)
{
    uint64_t hash = hash_of(x);
    entry *at = &c->table[hash & (c->buckets - 1)];
    for (; at->x && (at->hash != hash || !equal(at->x, x));) at = at + 1 < c->table + c->buckets ? at + 1 : c->table;
    if (!at->x) *at = (entry){hash, x};
    return at->x;
}

static tn_tensor *copy_of(copier *c, const tn_tensor *x)
{
    tn_tensor **in = tn_region_alloc(&c->to->region, x->n_in * sizeof *in);
    const char *name = x->name ? tn_region_print(&c->to->region, "%s", x->name) : NULL;
    if (!in || (x->name && !name)) {
        tn_graph_fail(c->to, TN_ENOMEM, "%s", tn_message());
        return c->to->empty;
    }
    for (uint32_t i = 0; i < x->n_in; i++) in[i] = c->copy[x->in[i]->id];
    return tn_graph_add(c->to, x->op, x->type, in, x->n_in, x->attrs, name);
}

void tn_mark_live(const tn_graph *graph, unsigned char *live)
{
    for (uint32_t i = 0; i < graph->sinks; i++) {
        live[graph->sink[i].value->id] = 1;
        if (graph->sink[i].variable) live[graph->sink[i].variable->id] = 1;
    }
    for (uint32_t i = graph->count; i-- > 0;)
        for (uint32_t k = 0; live[i] && k < graph->tensor[i]->n_in; k++) live[graph->tensor[i]->in[k]->id] = 1;
}

static tn_status copy_all(copier *c, const unsigned char *live)
{
    for (uint32_t i = 0; i < c->from->count; i++) {
        if (!live[i]) continue;
        c->to->stands_for = &c->from->tensor[i]->origin;
        tn_tensor *copy = copy_of(c, c->from->tensor[i]);
        TN_TRY(tn_graph_status(c->to)); /* a rule is for what is there */
        copy = c->rule(c->arg, copy);
        TN_TRY(tn_graph_status(c->to));
        /* a rule may add many tensors: only what stands in the table is merged, and that is at most one a tensor */
        c->copy[i] = unique(c, copy);
    }
    c->to->stands_for = NULL;
    for (uint32_t i = 0; i < c->from->sinks; i++) {
        tn_sink sink = c->from->sink[i];
        sink.value = c->copy[sink.value->id];
        sink.variable = sink.variable ? c->copy[sink.variable->id] : NULL;
        if (sink.name) sink.name = tn_region_print(&c->to->region, "%s", sink.name);
        tn_graph_sink(c->to, sink);
    }
    c->to->streams = c->from->streams;
    c->to->advances_step = c->from->advances_step;
    return tn_graph_status(c->to);
}

tn_status tn_rewrite(const tn_graph *graph, tn_rule *rule, void *arg, tn_graph **out)
{
    copier c = {.from = graph, .rule = rule, .arg = arg, .buckets = 2};
    while (c.buckets < 2 * graph->count) c.buckets *= 2;
    unsigned char *live = tn_alloc(graph->count + 1);
    c.to = tn_graph_new();
    c.copy = tn_alloc((graph->count + 1) * sizeof *c.copy);
    c.table = tn_alloc(c.buckets * sizeof *c.table);
    tn_status s = live && c.to && c.copy && c.table ? TN_OK : TN_ENOMEM;
    if (!s) {
        c.to->is_shard = graph->is_shard;
        tn_mark_live(graph, live);
        s = copy_all(&c, live);
    }
    tn_free(live);
    tn_free(c.copy);
    tn_free(c.table);
    if (s)
        tn_graph_free(c.to);
    else
        *out = c.to;
    return s;
}
