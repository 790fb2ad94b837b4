/* robustness.c: memory that runs out at each call, descriptions at random, damaged and foreign cache entries, memory
 * that grows. */
#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "system.h"

/* ---- memory runs out ---- */

/* The host's memory runs out at call 0, 1, 2, ... until the work is done without it failing. */
static void no_memory(tn_kit *kit)
{
    if (!tn_kit_load_table(kit)) return;
    for (int i = 0; i < 2; i++) {
        tn_kit_sample s;
        int32_t status = TN_ENOMEM;
        if (!tn_kit_sample_make(kit, i, &s)) return;
        for (int64_t n = 0; n < 400; n++) {
            tn_kit_fail_at = n, tn_kit_asked = 0;
            status = tn_kit_sample_live(kit, &s, TN_KIT_NOW);
            int out = tn_kit_asked > n;
            tn_kit_fail_at = -1;
            if (!tn_kit_expect(kit, !tn_kit_live, "%s: %lld blocks are kept when allocation %lld fails",
                               s.job.desc->name, (long long)tn_kit_live, (long long)n))
                break;
            if (!out) break;
            if (!tn_kit_expect(kit, !status || status == TN_ENOMEM || status == TN_EUNSUPPORTED || status == TN_EDEVICE,
                               "%s: %s when allocation %lld fails", s.job.desc->name, tn_status_name(status),
                               (long long)n))
                break;
        }
        if (status != TN_EUNSUPPORTED)
            tn_kit_ok(kit, tn_kit_sample_live(kit, &s, TN_KIT_NOW), "the same with memory again");
        tn_kit_sample_free(&s);
    }
}

/* ---- memory that grows ---- */

/* A leak grows the heap in every part of the runs; what a driver's threads let go of late does not. */
static void leaks(tn_kit *kit)
{
    enum { ROUNDS = 40, PARTS = 7 };
    if (!tn_kit_open(kit)) return;
    for (int i = 0; i < TN_KIT_SAMPLES && !kit->result->failed; i++) {
        tn_kit_sample s;
        if (!tn_kit_sample_make(kit, i, &s)) return;
        uint64_t before = 0, now = 0;
        int answer = TN_KIT_RAN, grew = 1;
        for (int part = 0; answer == TN_KIT_RAN && grew && part < PARTS; part++) {
            for (int k = 0; answer == TN_KIT_RAN && k < ROUNDS; k++) answer = tn_kit_run_job(kit, &s.job);
            before = now, now = tn_system_heap();
            grew = part < 2 || now >= before + ROUNDS * 8; /* the first parts warm up */
        }
        if (answer == TN_KIT_RAN)
            tn_kit_expect(kit, !grew, "%s: %d runs leave %lld bytes of memory, and so did those before",
                          s.job.desc->name, ROUNDS, (long long)(now - before));
        tn_kit_sample_free(&s);
        if (answer == TN_KIT_WRONG) break;
    }
    tn_kit_close(kit);
}

/* ---- descriptions at random ---- */

static void mutate(tn_kit *kit, tn_kit_sample *s)
{
    tn_operation *o = &s->operation;
    static const int64_t number[] = {-1, 0, 1, 2, 7, 1 << 20, INT32_MAX, INT64_MAX, INT64_MIN};
    int64_t n = number[tn_kit_bits(kit) % (sizeof number / sizeof *number)];
    tn_tensor_desc *x = tn_kit_bits(kit) & 1 ? &o->in[tn_kit_bits(kit) & 1] : &o->out[0];
    switch (tn_kit_bits(kit) % 8) {
    case 0:
        x->dtype = (int32_t)n;
        break;
    case 1:
        x->rank = (int32_t)n;
        break;
    case 2:
        x->dim[tn_kit_bits(kit) % 3] = n;
        break;
    case 3:
        x->stride[tn_kit_bits(kit) % 3] = n;
        break;
    case 4:
        o->desc.n_in = tn_kit_bits(kit) % TN_MAX_OPERANDS;
        break;
    case 5:
        o->desc.n_out = tn_kit_bits(kit) % TN_MAX_OPERANDS;
        break;
    case 6:
        s->instr[tn_kit_bits(kit) & 1].arg[tn_kit_bits(kit) & 3] = (int32_t)n;
        break;
    default:
        s->out = (int32_t)n;
    }
}

/* Nothing but an answer is asked for; it must be the same twice. */
static void fuzz(tn_kit *kit)
{
    if (!tn_kit_open(kit)) return;
    for (int i = 0; i < 4000; i++) {
        tn_kit_sample s;
        if (!tn_kit_sample_make(kit, i % TN_KIT_SAMPLES, &s)) return;
        for (uint32_t k = tn_kit_bits(kit) % 3 + 1; k; k--) mutate(kit, &s);
        int32_t asked = kit->backend->op_prepare(kit->context, s.job.desc, NULL, NULL, &kit->msg);
        int32_t again = kit->backend->op_prepare(kit->context, s.job.desc, NULL, NULL, &kit->msg);
        int fine = tn_kit_expect(kit, asked == again, "a random description %d of %s: first %s, then %s", i,
                                 s.job.desc->name, tn_status_name(asked), tn_status_name(again));
        s.operation.desc.n_in = 2;
        tn_kit_sample_free(&s);
        if (!fine) break;
    }
    tn_kit_close(kit);
}

/* ---- the cache ---- */

static void damaged_cache(tn_kit *kit)
{
    for (tn_kit_damage = 0; tn_kit_damage < 5; tn_kit_damage++) {
        if (!tn_kit_open(kit)) return;
        for (int i = 0; i < TN_KIT_SAMPLES; i++) {
            tn_kit_sample s;
            tn_kit_want want;
            if (!tn_kit_sample_make(kit, i, &s) || !tn_kit_expected(kit, &s.job, &want)) return;
            int answer = tn_kit_run_job(kit, &s.job);
            if (answer == TN_KIT_RAN) tn_kit_compare(kit, &s.job, &want, ", with a damaged cache");
            tn_kit_want_free(&want);
            tn_kit_sample_free(&s);
            if (kit->result->failed) return;
        }
        tn_kit_close(kit);
        kit->queue = NULL, kit->context = NULL;
    }
}

const tn_kit_case tn_kit_robustness[] = {
    {"robustness", "no-memory", "each allocation of the host's memory fails in turn", no_memory, NULL, 0, 0},
    {"robustness", "leaks", "preparing, running and letting go again and again takes no more memory", leaks, NULL, 0,
     0},
    {"robustness", "fuzz", "descriptions at random are answered", fuzz, NULL, 0, 0},
    {"robustness", "cache", "damaged entries of the cache, and those of other keys, are as good as none", damaged_cache,
     NULL, 0, 0},
    {0},
};
