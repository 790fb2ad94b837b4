/* crossings.c: see crossings.h. */
#include "crossings.h"

#include "add.h"
#include "alloc.h"
#include "error.h"
#include "plain.h"

/* ---- opening ---- */

/* All shards meet at the same points, whatever their size. */
static tn_status check_last(const tn_crossings *c, const tn_batches *b)
{
    if (!b->last) return TN_OK;
    int same = tn_program_parts(b->last) == c->points + 1;
    for (uint32_t i = 0; same && i < c->points; i++)
        same = tn_program_crossing(b->last, i, NULL) == tn_program_crossing(b->whole, i, NULL);
    TN_REQUIRE(same, TN_EUNSUPPORTED, "shards of %lld and of %lld samples do not meet at the same points",
               (long long)b->batch, (long long)b->rest);
    return TN_OK;
}

static tn_status find_points(tn_crossings *c, const tn_batches *b)
{
    if (!(c->begin = tn_alloc((c->points + 1) * sizeof *c->begin))) return TN_ENOMEM;
    for (uint32_t i = 0; i < c->points; i++) {
        int32_t dtype = 0;
        c->begin[i + 1] = c->begin[i] + tn_program_crossing(b->whole, i, &dtype) / c->bytes;
        TN_REQUIRE(dtype == c->dtype, TN_EDTYPE, "shards add up %s, and tn_across is asked for a sum of %s",
                   tn_dtype_name(c->dtype), tn_dtype_name(dtype));
    }
    return check_last(c, b);
}

tn_status tn_crossings_open(tn_crossings *c, const tn_batches *b, int32_t dtype)
{
    *c = (tn_crossings){
        .whole = b->whole, .points = tn_program_parts(b->whole) - 1, .dtype = dtype, .bytes = tn_dtype_size(dtype)};
    TN_TRY(find_points(c, b));
    c->total = tn_alloc(c->begin[c->points] * c->bytes + 1);
    return c->total ? TN_OK : TN_ENOMEM;
}

tn_status tn_crossings_agree(const tn_crossings *c, tn_team *team)
{
    char text[64];
    tn_snprintf(text, sizeof text, "%u sums, of %llu numbers", c->points, (unsigned long long)c->begin[c->points]);
    const tn_fact fact = {"what shards tell one another in a step", text};
    return tn_team_size(team) < 2 ? TN_OK : tn_team_agree(team, &fact, 1);
}

/* As many sums as may wait for others, and one more. */
tn_status tn_crossings_make_room(tn_crossings *c, uint32_t shards)
{
    uint32_t nodes = 2;
    for (uint32_t i = shards; i; i /= 2) nodes += 2;
    if (!c->points) return TN_OK;
    for (uint32_t i = 0; i < nodes && i < TN_TREE_DEPTH; i++)
        if (!c->node[i] && !(c->node[i] = tn_alloc(c->begin[c->points] * c->bytes + 1))) return TN_ENOMEM;
    TN_TRY(tn_grow(&c->flight, &c->room, shards, sizeof *c->flight));
    return tn_program_lanes(c->whole, shards);
}

/* The device may still read what was enqueued. */
void tn_crossings_close(tn_crossings *c, tn_team *team)
{
    tn_status ignored = c->points ? tn_wait(c->whole) : TN_OK;
    (void)ignored;
    for (uint32_t i = 0; i < TN_TREE_DEPTH; i++) tn_team_release(team, c->node[i], tn_free);
    tn_team_release(team, c->total, tn_free);
    tn_free(c->begin);
    tn_free(c->flight);
    *c = (tn_crossings){0};
}

tn_status tn_crossings_join(tn_crossings *c, tn_team *team, uint32_t shards, const uint32_t first[], tn_shard_sum **sum)
{
    const tn_shard_sum_options options = {.dtype = c->dtype,
                                          .shards = shards,
                                          .count = c->begin[c->points],
                                          .first = first,
                                          .node = c->node,
                                          .total = c->total};
    return tn_shard_sum_open(team, &options, sum);
}

/* ---- a step ---- */

static void *at(const tn_crossings *c, void *vector, uint32_t point)
{
    return (char *)vector + c->begin[point] * c->bytes;
}

static uint64_t bytes_of(const tn_crossings *c, uint32_t point)
{
    return (c->begin[point + 1] - c->begin[point]) * c->bytes;
}

/* What the worker's shards have, added up as far as it can be without the others. */
static tn_status add_own(tn_crossings *c, uint32_t point, uint32_t shards, tn_shards own)
{
    tn_tree tree = {.shards = shards};
    const uint64_t count = c->begin[point + 1] - c->begin[point];
    for (uint32_t i = own.begin; i < own.end; i++) {
        const tn_flight *flight = &c->flight[i - own.begin];
        uint32_t top = tree.count;
        TN_TRY(tn_program_lane(flight->program, flight->lane));
        TN_TRY(tn_program_crossed(flight->program, point, at(c, c->node[top], point), bytes_of(c, point)));
        for (uint32_t adds = tn_tree_push(&tree, (tn_shards){i, i + 1}); adds; adds--, top--)
            tn_vector_add(c->dtype, at(c, c->node[top - 1], point), at(c, c->node[top], point), count);
    }
    return TN_OK;
}

static tn_status add_all(tn_crossings *c, uint32_t point, tn_shard_sum *sum)
{
    uint64_t ticket;
    TN_TRY(tn_shard_sum_start(sum, c->begin[point], c->begin[point + 1], &ticket));
    return tn_shard_sum_wait(sum, ticket);
}

tn_status tn_crossings_choose(tn_crossings *c, uint32_t i)
{
    return c->points ? tn_program_lane(c->whole, i) : TN_OK;
}

tn_status tn_crossings_begin(tn_crossings *c, uint32_t i, tn_program *program)
{
    c->flight[i] = (tn_flight){program, program == c->whole ? i : 0};
    return tn_program_run_part(program, 0);
}

tn_status tn_crossings_meet(tn_crossings *c, uint32_t shards, tn_shards own, tn_shard_sum *sum)
{
    for (uint32_t point = 0; point < c->points; point++) {
        TN_TRY(add_own(c, point, shards, own));
        if (sum) TN_TRY(add_all(c, point, sum));
        const void *all = at(c, sum ? c->total : c->node[0], point);
        for (uint32_t i = 0; i < own.end - own.begin; i++) {
            const tn_flight *flight = &c->flight[i];
            TN_TRY(tn_program_lane(flight->program, flight->lane));
            TN_TRY(tn_program_cross(flight->program, point, all, bytes_of(c, point)));
            if (point + 1 < c->points) TN_TRY(tn_program_run_part(flight->program, point + 1));
        }
    }
    return TN_OK;
}

tn_status tn_crossings_return(tn_crossings *c, uint32_t i, tn_program **program)
{
    *program = c->flight[i].program;
    return tn_program_lane(*program, c->flight[i].lane);
}
