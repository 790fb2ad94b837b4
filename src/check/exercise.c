/* exercise.c: see exercise.h. */
#include "exercise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "sum.h"
#include "tree.h"

enum { MOST_SHARDS = 17, MOST_RANKS = 64, MOST_LENGTH = 30000, MOST_RANGES = 40 };

static _Thread_local char wrong[512];

#define WRONG(...) (snprintf(wrong, sizeof wrong, __VA_ARGS__), wrong)

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

/* Element e of shard s: numbers of many sizes, so that the order of additions shows. */
static double element(uint32_t s, uint64_t e, uint64_t salt)
{
    uint64_t x = (s + 1) * UINT64_C(0x9e3779b97f4a7c15) + e * UINT64_C(0xbf58476d1ce4e5b9) + salt;
    x ^= x >> 31;
    x *= UINT64_C(0x94d049bb133111eb);
    x ^= x >> 29;
    return ldexp((double)(x % 2000001) - 1000000, (int)(x >> 40) % 20 - 10);
}

static double plain(int32_t dtype, uint32_t begin, uint32_t end, uint64_t e, uint64_t salt)
{
    uint32_t half = 1;
    if (end - begin == 1) return dtype == TN_F32 ? (float)element(begin, e, salt) : element(begin, e, salt);
    while (half * 2 < end - begin) half *= 2;
    const double a = plain(dtype, begin, begin + half, e, salt), b = plain(dtype, begin + half, end, e, salt);
    return dtype == TN_F32 ? (float)a + (float)b : a + b;
}

static double get(int32_t dtype, const void *v, uint64_t e)
{
    return dtype == TN_F32 ? (double)((const float *)v)[e] : ((const double *)v)[e];
}

static void set(int32_t dtype, void *v, uint64_t e, double value)
{
    if (dtype == TN_F32)
        ((float *)v)[e] = (float)value;
    else
        ((double *)v)[e] = value;
}

/* ---- small things ----------------------------------------------------------------------------------------------- */

static const char *try_records(tn_team *team, uint64_t *seed)
{
    const uint32_t ranks = tn_team_size(team), me = tn_team_rank(team), root = (uint32_t)(next_random(seed) % ranks);
    const uint64_t bytes = next_random(seed) % 5000, stamp = next_random(seed);
    unsigned char data[5000];
    uint64_t record[MOST_RANKS] = {0};
    for (uint64_t i = 0; i < bytes; i++) data[i] = (unsigned char)(me == root ? stamp + i : 0);
    if (tn_team_broadcast(team, root, data, bytes)) return WRONG("broadcast: %s", tn_message());
    for (uint64_t i = 0; i < bytes; i++)
        if (data[i] != (unsigned char)(stamp + i)) return WRONG("broadcast of %d bytes from %u", (int)bytes, root);
    record[me] = stamp + me;
    if (tn_team_gather(team, record, sizeof *record)) return WRONG("gather: %s", tn_message());
    for (uint32_t r = 0; r < ranks; r++)
        if (record[r] != stamp + r) return WRONG("rank %u's record on rank %u", r, me);
    if (tn_team_barrier(team)) return WRONG("barrier: %s", tn_message());
    return NULL;
}

/* One rank wants something else. */
static const char *try_facts(tn_team *team, uint64_t *seed)
{
    const uint32_t ranks = tn_team_size(team), me = tn_team_rank(team);
    const uint32_t other = (uint32_t)(next_random(seed) % ranks);
    tn_fact facts[] = {{"the net", "linear 10"}, {"the number of shards", "8"}, {"the batch", "32"}};
    char want[160];
    if (tn_team_agree(team, facts, 3)) return WRONG("agree: %s", tn_message());
    if (me == other) facts[1].value = "4";
    if (!other || ranks == 1) return NULL;
    snprintf(want, sizeof want, "the number of shards: '8' on rank 0, '4' on rank %u", other);
    if (tn_team_agree(team, facts, 3) != TN_EINVAL || !strstr(tn_message(), want))
        return WRONG("'%s' does not say '%s'", tn_message(), want);
    if (tn_team_agree(team, facts, me == other ? 1 : 3) != TN_EINVAL || !strstr(tn_message(), "rank 0 goes by"))
        return WRONG("'%s' does not say that a fact is missing", tn_message());
    return tn_team_check(team) ? WRONG("to disagree is no failure") : NULL;
}

/* ---- sums ------------------------------------------------------------------------------------------------------- */

typedef struct trial {
    int32_t dtype;
    uint32_t shards, count; /* of my nodes */
    uint64_t length, salt;
    uint32_t first[MOST_RANKS + 1];
    tn_shards span[TN_TREE_DEPTH];
    void *node[TN_TREE_DEPTH], *total;
    tn_share *share;
} trial;

static int by_size(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static trial draw(tn_team *team, uint64_t *seed)
{
    trial t = {.dtype = next_random(seed) % 2 ? TN_F32 : TN_F64};
    uint64_t cut[MOST_RANKS];
    const uint32_t ranks = tn_team_size(team), me = tn_team_rank(team);
    t.shards = 1 + (uint32_t)(next_random(seed) % MOST_SHARDS);
    t.length = next_random(seed) % (next_random(seed) % 2 ? MOST_LENGTH : 100);
    t.salt = next_random(seed);
    for (uint32_t r = 0; r < ranks; r++) cut[r] = next_random(seed) % (t.shards + 1);
    qsort(cut, ranks - 1, sizeof *cut, by_size);
    for (uint32_t r = 1; r < ranks; r++) t.first[r] = (uint32_t)cut[r - 1];
    t.first[ranks] = t.shards;
    t.count = tn_tree_nodes(t.shards, (tn_shards){t.first[me], t.first[me + 1]}, t.span);
    return t;
}

/* Vectors that all see. 0: there are none. */
static int share_vectors(trial *t, tn_team *team)
{
    const uint32_t me = tn_team_rank(team), parts = tn_shard_sum_parts(t->shards, t->first, tn_team_size(team));
    if (tn_share_open(team, parts, t->length * tn_dtype_size(t->dtype), &t->share) || !t->share) return 0;
    for (uint32_t i = 0; i < t->count; i++)
        t->node[i] = tn_share_part(t->share, me, tn_shard_sum_part(t->first, me, t->span[i], i));
    t->total = tn_share_total(t->share);
    return 1;
}

/* 0: there is no memory. */
static int make_vectors(trial *t, int in_place)
{
    const size_t size = t->dtype == TN_F32 ? 4 : 8;
    int made = 1;
    for (uint32_t i = 0; i < t->count; i++) t->node[i] = tn_alloc(t->length * size + 1);
    for (uint32_t i = 0; i < t->count; i++) made &= t->node[i] != NULL;
    t->total = in_place && t->count ? t->node[0] : tn_alloc(t->length * size + 1);
    return made && t->total;
}

static void fill(trial *t, uint64_t begin, uint64_t end)
{
    for (uint32_t i = 0; i < t->count; i++)
        for (uint64_t e = begin; e < end; e++)
            set(t->dtype, t->node[i], e, plain(t->dtype, t->span[i].begin, t->span[i].end, e, t->salt));
}

/* What a failed team may still write into, until it is closed. */
static _Thread_local trial left;
static _Thread_local tn_shard_sum *left_sum;

static void free_vectors(trial *t)
{
    if (t->share) {
        tn_share_close(t->share);
        return;
    }
    if (!t->count || t->total != t->node[0]) tn_free(t->total);
    for (uint32_t i = 0; i < t->count; i++) tn_free(t->node[i]);
}

/* The ranges from the end to the beginning, as gradients come; each is filled just before it is started. */
static const char *add_ranges(tn_shard_sum *sum, trial *t, uint64_t *seed)
{
    uint64_t bound[MOST_RANGES + 1] = {0}, ticket = 0;
    const int ranges = 1 + (int)(next_random(seed) % MOST_RANGES);
    for (int i = 1; i < ranges; i++) bound[i] = t->length ? next_random(seed) % t->length : 0;
    qsort(bound + 1, (size_t)ranges - 1, sizeof *bound, by_size);
    bound[ranges] = t->length;
    for (int i = ranges; i-- > 0;) {
        fill(t, bound[i], bound[i + 1]);
        if (tn_shard_sum_start(sum, bound[i], bound[i + 1], &ticket)) return WRONG("start: %s", tn_message());
    }
    return tn_shard_sum_wait(sum, ticket) ? WRONG("wait: %s", tn_message()) : NULL;
}

static const char *compare(tn_team *team, const trial *t)
{
    for (uint64_t e = 0; e < t->length; e++) {
        const double got = get(t->dtype, t->total, e), want = plain(t->dtype, 0, t->shards, e, t->salt);
        if (memcmp(&got, &want, sizeof got))
            return WRONG("rank %u of %u: element %d of %d, %u shards, mine %u to %u: %a, not %a", tn_team_rank(team),
                         tn_team_size(team), (int)e, (int)t->length, t->shards, t->first[tn_team_rank(team)],
                         t->first[tn_team_rank(team) + 1], got, want);
    }
    return NULL;
}

/* Nobody adds to what others may still read. */
static const char *see_nodes(tn_team *team, const trial *t)
{
    for (uint32_t i = 0; i < t->count; i++)
        for (uint64_t e = 0; t->node[i] != t->total && e < t->length; e++)
            if (get(t->dtype, t->node[i], e) != plain(t->dtype, t->span[i].begin, t->span[i].end, e, t->salt))
                return WRONG("rank %u of %u: element %d of what it gave, shards %u to %u, has changed",
                             tn_team_rank(team), tn_team_size(team), (int)e, t->span[i].begin, t->span[i].end);
    return NULL;
}

static const char *try_sum(tn_team *team, uint64_t *seed)
{
    trial t = draw(team, seed);
    tn_shard_sum *sum = NULL;
    const int in_place = next_random(seed) % 2, shares = next_random(seed) % 2;
    const uint64_t piece = next_random(seed) % 2 ? 1 + next_random(seed) % 2000 : 0;
    if (!(shares && share_vectors(&t, team)) && !make_vectors(&t, in_place))
        tn_team_fail(team, TN_ENOMEM, tn_message()); /* the others must not wait */
    const tn_shard_sum_options options = {t.dtype, t.shards, t.length, t.first, t.node, t.total, piece, t.share};
    const char *bad = tn_shard_sum_open(team, &options, &sum) ? WRONG("open: %s", tn_message()) : NULL;
    if (!bad) bad = add_ranges(sum, &t, seed);
    if (!bad) bad = compare(team, &t);
    if (!bad) bad = see_nodes(team, &t);
    left = t;
    left_sum = sum;
    if (tn_team_check(team)) return bad ? bad : WRONG("%s", tn_message());
    tn_exercise_end();
    return bad;
}

void tn_exercise_end(void)
{
    tn_shard_sum_close(left_sum);
    free_vectors(&left);
    left_sum = NULL;
    left = (trial){0};
}

const char *tn_exercise(tn_team *team, uint64_t seed, int rounds)
{
    const char *bad = tn_team_size(team) > MOST_RANKS ? WRONG("more than %d ranks", MOST_RANKS) : NULL;
    for (int i = 0; i < rounds && !bad; i++) {
        bad = try_records(team, &seed);
        if (!bad) bad = try_facts(team, &seed);
        for (int k = 0; k < 4 && !bad; k++) bad = try_sum(team, &seed);
    }
    return bad;
}
