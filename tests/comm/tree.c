/* tree.c: the order of additions gives the same bits however the shards are dealt out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "add.h"
#include "tenon/backend.h"
#include "tree.h"

enum { MOST = 17, BLOCKS = 5 };

/* Numbers of many sizes, so that the order shows. */
static float shard(uint32_t s)
{
    const uint32_t x = (s + 1) * 2654435761u;
    return (x >> 8 & 1 ? -1.0f : 1.0f) * ldexpf((float)(x >> 9 | 1), (int)(x % 13));
}

/* As the header says it. */
static float plain(uint32_t begin, uint32_t end)
{
    uint32_t half = 1;
    if (end - begin == 1) return shard(begin);
    while (half * 2 < end - begin) half *= 2;
    return plain(begin, begin + half) + plain(begin + half, end);
}

/* One worker after the other; then what is left of all. */
static float by_blocks(uint32_t shards, const uint32_t first[], uint32_t blocks)
{
    tn_tree all = {.shards = shards};
    float top[TN_TREE_DEPTH];
    for (uint32_t b = 0; b < blocks; b++) {
        tn_tree mine = {.shards = shards};
        float buffer[TN_TREE_DEPTH];
        for (uint32_t s = first[b]; s < first[b + 1]; s++) {
            uint32_t at = mine.count;
            buffer[at] = shard(s);
            for (uint32_t adds = tn_tree_push(&mine, (tn_shards){s, s + 1}); adds; adds--, at--)
                buffer[at - 1] += buffer[at];
        }
        for (uint32_t i = 0; i < mine.count; i++) {
            uint32_t at = all.count;
            top[at] = buffer[i];
            for (uint32_t adds = tn_tree_push(&all, mine.node[i]); adds; adds--, at--) top[at - 1] += top[at];
        }
    }
    assert_int_equal(all.count, 1);
    assert_int_equal(all.node[0].end, shards);
    return top[0];
}

/* All ways to cut the rest of the shards into `left` blocks, empty ones too. */
static uint32_t try_all(uint32_t shards, uint32_t first[], uint32_t blocks, uint32_t at)
{
    uint32_t tried = 0;
    if (at == blocks) {
        const float sum = by_blocks(shards, first, blocks), want = plain(0, shards);
        if (memcmp(&sum, &want, sizeof sum))
            fail_msg("%u shards cut at %u %u %u %u: %a, not %a", shards, first[1], first[2], first[3], first[4], sum,
                     want);
        return 1;
    }
    for (first[at] = first[at - 1]; first[at] <= shards; first[at]++) {
        tried += try_all(shards, first, blocks, at + 1);
        for (uint32_t i = at + 1; i < blocks; i++) first[i] = 0;
    }
    return tried;
}

static void every_way_to_cut_gives_the_bits_of_the_recursive_sum(void **state)
{
    uint32_t tried = 0;
    (void)state;
    for (uint32_t shards = 1; shards <= MOST; shards++)
        for (uint32_t blocks = 1; blocks <= BLOCKS; blocks++) {
            uint32_t first[BLOCKS + 1] = {0};
            first[blocks] = shards;
            tried += try_all(shards, first, blocks, 1);
        }
    assert_in_range(tried, 10000, 1000000);
}

/* The test above can fail: the order from left to right has other bits. */
static void the_order_matters_to_these_numbers(void **state)
{
    uint32_t others = 0;
    (void)state;
    for (uint32_t shards = 4; shards <= MOST; shards++) {
        float sum = shard(0);
        for (uint32_t s = 1; s < shards; s++) sum += shard(s);
        others += sum != plain(0, shards);
    }
    assert_in_range(others, (MOST - 3) / 2, MOST);
}

static uint32_t log2_up(uint32_t n)
{
    uint32_t log = 0;
    while (1u << log < n) log++;
    return log;
}

static void a_block_leaves_no_more_than_two_nodes_a_level(void **state)
{
    tn_shards node[TN_TREE_DEPTH];
    (void)state;
    for (uint32_t shards = 2; shards <= 64; shards++)
        for (uint32_t begin = 0; begin < shards; begin++)
            for (uint32_t end = begin; end <= shards; end++) {
                const uint32_t count = tn_tree_nodes(shards, (tn_shards){begin, end}, node);
                if (count > 2 * log2_up(shards)) fail_msg("%u to %u of %u leave %u nodes", begin, end, shards, count);
            }
}

static void very_many_shards_fit_the_buffers(void **state)
{
    tn_tree tree = {.shards = (1u << 31) - 1};
    (void)state;
    for (uint32_t s = 1; s < 1u << 20; s++) tn_tree_push(&tree, (tn_shards){s, s + 1});
    assert_in_range(tree.count, 1, 20);
}

static void shards_are_dealt_out_in_proportion_to_speed(void **state)
{
    static const struct {
        uint32_t shards, workers;
        double weight[4];
        uint32_t first[5];
    } cases[] = {
        {8, 1, {1}, {0, 8}},
        {8, 2, {1, 1}, {0, 4, 8}},
        {8, 3, {1, 1, 1}, {0, 3, 5, 8}},
        {8, 4, {1, 1, 1, 1}, {0, 2, 4, 6, 8}},
        {8, 2, {3, 1}, {0, 6, 8}},
        {8, 3, {0, 1, 0}, {0, 0, 8, 8}},
        {4, 2, {0, 0}, {0, 2, 4}},
        {1, 4, {1, 1, 1, 1}, {0, 0, 1, 1, 1}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t first[5] = {0};
        tn_tree_deal(cases[i].shards, cases[i].workers, cases[i].weight, first);
        assert_memory_equal(first, cases[i].first, (cases[i].workers + 1) * sizeof *first);
    }
}

static void additions_are_plain_ieee_ones(void **state)
{
    float a[37], b[37];
    double c[37], d[37];
    (void)state;
    for (int i = 0; i < 37; i++)
        a[i] = 0.1f * (float)i, b[i] = ldexpf(3.0f, i - 30), c[i] = 0.1 * i, d[i] = 1.0 / (i + 1);
    a[3] = 1e-45f, b[3] = 2e-45f; /* denormal */
    float want = a[36] + b[36];
    double more = c[36] + d[36];
    tn_vector_add(TN_F32, a, b, 37);
    tn_vector_add(TN_F64, c, d, 37);
    assert_true(a[36] == want);
    assert_true(c[36] == more);
    assert_true(a[3] > 2e-45f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_to_cut_gives_the_bits_of_the_recursive_sum),
        cmocka_unit_test(the_order_matters_to_these_numbers),
        cmocka_unit_test(a_block_leaves_no_more_than_two_nodes_a_level),
        cmocka_unit_test(very_many_shards_fit_the_buffers),
        cmocka_unit_test(shards_are_dealt_out_in_proportion_to_speed),
        cmocka_unit_test(additions_are_plain_ieee_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
