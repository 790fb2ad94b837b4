/* refusal.c: random programs on a device that refuses each operation in turn, which is then done elsewhere; and on one
 * that is lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "judge.h"
#include "kit.h"
#include "hash.h"
#include "program.h"

/* The backend's table with functions of our own in it. */
static struct {
    tn_backend table;
    const tn_backend *real;
    uint64_t refused; /* the operation's identity; 0: none */
    uint32_t refusals;
    int64_t lost_at; /* the number of the op_run from which on the device is lost; negative: never */
    int64_t ran;
} proxy;

static uint64_t identity_of(const tn_op_desc *desc)
{
    char text[300];
    return tn_hash_text(tn_kit_describe(desc, text, sizeof text));
}

static int32_t proxy_prepare(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                             tn_msg *msg)
{
    if (!proxy.refused || identity_of(desc) != proxy.refused)
        return proxy.real->op_prepare(context, desc, kernel, info, msg);
    proxy.refusals++;
    snprintf(msg->text, (size_t)msg->capacity, "refused on purpose");
    return TN_EUNSUPPORTED;
}

static int32_t proxy_run(tn_queue *queue, tn_kernel *kernel, const tn_run *now, tn_msg *msg)
{
    if (proxy.lost_at < 0 || proxy.ran++ < proxy.lost_at) return proxy.real->op_run(queue, kernel, now, msg);
    snprintf(msg->text, (size_t)msg->capacity, "the device is lost on purpose");
    return TN_EDEVICE;
}

/* Puts itself between the library and the open device. */
static void use_proxy(tn_kit *kit)
{
    proxy.real = kit->device->backend, proxy.table = *proxy.real;
    proxy.table.op_prepare = proxy_prepare, proxy.table.op_run = proxy_run;
    proxy.refused = 0, proxy.refusals = 0, proxy.lost_at = -1;
    kit->device->backend = &proxy.table;
}

/* ---- programs of some launches ---- */

enum { FEWEST_LAUNCHES = 4, MOST_LAUNCHES = 14, PROGRAMS = 8 };

/* The identities of the operations that the program becomes, each once. */
static uint32_t list_launches(tn_kit *kit, const tn_recipe *recipe, uint64_t identity[MOST_LAUNCHES])
{
    tn_state *state = NULL;
    tn_program *program = NULL;
    uint32_t count = 0;
    tn_graph *graph = tn_recipe_build(recipe, NULL);
    tn_status s = tn_state_new(kit->device, 5, &state);
    if (!s) s = tn_compile(graph, state, NULL, &program);
    tn_kit_expect(kit, !s, "a random program: %.300s", tn_message());
    for (uint32_t i = 0; !s && i < program->ir.launches; i++) {
        const tn_launch *l = program->ir.launch[i];
        uint64_t now = l->transfer || l->place ? 0 : identity_of(&l->operation.desc);
        uint32_t k = 0;
        while (k < count && k < MOST_LAUNCHES && identity[k] != now) k++;
        if (now && k == count && count++ < MOST_LAUNCHES) identity[k] = now;
    }
    tn_program_free(program);
    tn_state_free(state);
    tn_graph_free(graph);
    return count;
}

/* One judgement; 1 if the verdict is right. */
static int judge(tn_kit *kit, const tn_recipe *recipe, uint64_t seed, tn_verdict *verdict)
{
    tn_graph *graph = tn_recipe_build(recipe, NULL);
    tn_status s = tn_judge(graph, kit->device, seed, verdict);
    tn_graph_free(graph);
    return tn_kit_expect(kit, !s, "the oracle: %.300s", tn_message()) && !verdict->wrong;
}

/* The program once for each of its operations, which the device refuses. */
static void refuse_each(tn_kit *kit, const tn_recipe *recipe, uint64_t seed, const uint64_t identity[], uint32_t count)
{
    tn_verdict verdict;
    proxy.refusals = 0;
    for (uint32_t i = 0; i < count && !kit->result->failed; i++) {
        proxy.refused = identity[i];
        int right = judge(kit, recipe, seed, &verdict);
        proxy.refused = 0;
        tn_kit_expect(kit, right, "with operation %u of %u elsewhere: %s", i + 1, count, verdict.text);
    }
    tn_kit_expect(kit, proxy.refusals, "of %u operations none was refused", count);
}

/* The device lost at one operation and another: an error, and no more than that. */
static void lose_at_each(tn_kit *kit, const tn_recipe *recipe, uint64_t seed, const uint64_t identity[],
                         uint32_t launches)
{
    tn_verdict verdict;
    (void)identity;
    for (int64_t at = 0, count = launches; at < count && !kit->result->failed; at += 1 + count / 4) {
        proxy.lost_at = at, proxy.ran = 0;
        int right = judge(kit, recipe, seed, &verdict);
        proxy.lost_at = -1;
        tn_kit_expect(kit, !right && strstr(verdict.text, "TN_EDEVICE") && strstr(verdict.text, "lost on purpose"),
                      "the device is lost at operation %lld: %s", (long long)at, verdict.text);
        right = judge(kit, recipe, seed, &verdict);
        tn_kit_expect(kit, right, "after a device was lost: %s", verdict.text);
    }
}

/* The first programs of a handful of launches. */
static void with_proxy(tn_kit *kit, void (*body)(tn_kit *kit, const tn_recipe *recipe, uint64_t seed,
                                                 const uint64_t identity[], uint32_t count))
{
    uint64_t identity[MOST_LAUNCHES];
    tn_recipe *recipe = calloc(1, sizeof *recipe);
    if (!recipe || !tn_kit_device(kit)) return;
    use_proxy(kit);
    for (uint64_t number = 0, found = 0; found < PROGRAMS && !kit->result->failed; number++) {
        tn_status s = tn_generate(kit->seed, number, recipe);
        if (!tn_kit_expect(kit, !s, "the oracle: %.300s", tn_message())) break;
        uint32_t count = list_launches(kit, recipe, identity);
        if (count < FEWEST_LAUNCHES || count > MOST_LAUNCHES) continue;
        body(kit, recipe, tn_generated_seed(kit->seed, number), identity, count);
        found++;
    }
    kit->device->backend = proxy.real;
    tn_device_close(kit->device);
    free(recipe);
}

static void fallback(tn_kit *kit)
{
    with_proxy(kit, refuse_each);
}

static void lost_device(tn_kit *kit)
{
    with_proxy(kit, lose_at_each);
}

const tn_kit_case tn_kit_graphs[] = {
    {"graphs", "fallback", "each operation in turn is refused and done elsewhere", fallback},
    {"graphs", "lost-device", "a device that is lost is an error, and others go on", lost_device},
    {0},
};
