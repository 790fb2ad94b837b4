/* final.c: see final.h. */
#include "final.h"

#include <string.h>

#include "error.h"

static tn_value *variable_of(const tn_program *p, const char *name)
{
    for (uint32_t i = 0; i < p->ir.values; i++) {
        tn_value *value = p->ir.value[i];
        if (!value->base && value->home == TN_IN_STATE && !strcmp(value->name, name)) return value;
    }
    return NULL;
}

/* 1 if the launch copies a whole pack, whose memory is nobody else's, to the variable. */
static int copies_pack(const tn_launch *l, const tn_value *variable)
{
    if (l->op != &tn_op_map || l->operation.attrs.map.n_instr || l->operation.desc.n_in != 1) return 0;
    if (l->out[0] != variable || l->in[0]->bytes != variable->bytes) return 0;
    const tn_value *from = tn_value_root(l->in[0]);
    return from->lasts && !from->place;
}

/* The value that has the bytes first: the variable, or the pack that is all that it is assigned. */
static tn_value *source_of(const tn_program *p, const char *name)
{
    tn_value *variable = variable_of(p, name);
    for (uint32_t i = 0; variable && i < p->ir.launches; i++)
        if (copies_pack(p->ir.launch[i], variable)) return p->ir.launch[i]->in[0];
    return variable;
}

static int writes(const tn_launch *l, const tn_value *root, uint64_t begin, uint64_t end)
{
    for (uint32_t k = 0; k < l->operation.desc.n_out; k++) {
        tn_value *out = l->out[k];
        uint64_t at = tn_value_at(out);
        if (tn_value_root(out) == root && at < end && begin < at + out->bytes) return 1;
    }
    return 0;
}

uint32_t tn_program_final(const tn_program *p, const char *variable, uint64_t begin, uint64_t end)
{
    tn_value *source = source_of(p, variable);
    if (!source) return 0;
    const tn_value *root = tn_value_root(source);
    const uint64_t at = tn_value_at(source);
    uint32_t i = p->ir.launches;
    while (i && !writes(p->ir.launch[i - 1], root, at + begin, at + end)) i--;
    return i;
}

tn_status tn_program_final_ref(const tn_program *p, const char *variable, tn_ref *ref)
{
    tn_value *source = source_of(p, variable);
    TN_REQUIRE(source, TN_EMISSING, "no variable '%s' in the program", variable);
    *ref = tn_program_ref(p, source);
    return TN_OK;
}
