/* test_noise.c: layers that are random, on every device. */
#include "check.h"

enum { SAMPLES = 64, CHANNELS = 8, PIXELS = 9, ALL = SAMPLES * CHANNELS * PIXELS };

/* Runs twice a graph of x (SAMPLES, CHANNELS, 3, 3), whose element i is i + 1. */
static void run_twice(const char *device, tn_tensor *(*build)(tn_tensor *x), float y[2][ALL])
{
    check_bed b;
    static float x[ALL];
    tn_graph *graph = tn_graph_new();
    tn_output(build(tn_input(graph, "x", TN_F32, TN_SHAPE(SAMPLES, CHANNELS, 3, 3))), "y");
    (void)tn_count_steps(graph, NULL, 0);
    check_start(&b, graph, device);
    for (int i = 0; i < ALL; i++) x[i] = (float)(i + 1);
    CHECK(tn_feed(b.program, "x", x, sizeof x));
    for (int k = 0; k < 2; k++) {
        CHECK(tn_program_run(b.program));
        CHECK(tn_fetch(b.program, "y", y[k], sizeof y[k]));
    }
    check_finish(&b, graph);
}

static tn_tensor *drop_channels(tn_tensor *x)
{
    return tn_dropout_channels(x, 0.25);
}

static void whole_channels_are_dropped(void **state)
{
    static float y[2][ALL];
    int gone[2] = {0}, differ = 0;
    run_twice(*state, drop_channels, y);
    for (int k = 0; k < 2; k++)
        for (int c = 0; c < SAMPLES * CHANNELS; c++) {
            int zero = y[k][c * PIXELS] == 0;
            gone[k] += zero;
            differ += k && zero != (y[0][c * PIXELS] == 0);
            for (int i = 0; i < PIXELS; i++) {
                int at = c * PIXELS + i;
                check_near("kept or gone", y[k][at], zero ? 0 : (at + 1) / 0.75, 1e-6);
            }
        }
    for (int k = 0; k < 2; k++) assert_in_range(gone[k], 128 - 60, 128 + 60); /* six deviations */
    assert_true(differ > 0);
}

static void half_of_the_pictures_are_mirrored(void **state)
{
    static float y[2][ALL];
    int mirrored[2] = {0}, differ = 0;
    run_twice(*state, tn_random_flip, y);
    for (int k = 0; k < 2; k++)
        for (int n = 0; n < SAMPLES; n++) {
            const int from = n * CHANNELS * PIXELS, flips = y[k][from] != (float)(from + 1);
            mirrored[k] += flips;
            differ += k && flips != (y[0][from] != (float)(from + 1));
            for (int i = 0; i < CHANNELS * PIXELS; i++) {
                int column = i % 3, source = flips ? i - column + 2 - column : i;
                assert_true(y[k][from + i] == (float)(from + source + 1));
            }
        }
    for (int k = 0; k < 2; k++) assert_in_range(mirrored[k], 32 - 24, 32 + 24);
    assert_true(differ > 0);
}

static tn_tensor *crop(tn_tensor *x)
{
    return tn_random_crop(x, 1);
}

/* 1 if the sample is x moved by so many rows and columns, zeros coming in. */
static int is_moved(const float *y, int from, int down, int right)
{
    for (int i = 0; i < CHANNELS * PIXELS; i++) {
        int row = i % PIXELS / 3 + down, column = i % 3 + right;
        int inside = row >= 0 && row < 3 && column >= 0 && column < 3;
        if (y[i] != (inside ? (float)(from + i - i % PIXELS + 3 * row + column + 1) : 0)) return 0;
    }
    return 1;
}

static void pictures_are_shifted_as_a_whole_and_by_all_ways(void **state)
{
    static float y[2][ALL];
    int ways[9] = {0};
    run_twice(*state, crop, y);
    for (int n = 0; n < 2 * SAMPLES; n++) {
        int from = n % SAMPLES * CHANNELS * PIXELS, found = -1;
        for (int way = 0; way < 9; way++)
            if (is_moved(y[n / SAMPLES] + from, from, way / 3 - 1, way % 3 - 1)) found = way;
        if (found < 0) fail_msg("sample %d is not x shifted", n);
        ways[found]++;
    }
    for (int way = 0; way < 9; way++) assert_in_range(ways[way], 1, 40);
    assert_memory_not_equal(y[0], y[1], sizeof y[0]);
}

static void dropout_between_recurrent_layers_leaves_the_last_alone(void **state)
{
    float y[2][2 * 5 * 4];
    for (int64_t depth = 1; depth <= 2; depth++) {
        for (int k = 0; k < 2; k++) {
            check_bed b;
            float x[2 * 5 * 3];
            tn_graph *graph = tn_graph_new();
            tn_tensor *in = tn_input(graph, "x", TN_F32, TN_SHAPE(2, 5, 3));
            tn_output(tn_recurrent(in, "r", NULL, .kind = TN_GRU, .units = 4, .layers = depth, .dropout = k ? 0.5 : 0),
                      "y");
            check_start(&b, graph, *state);
            for (int i = 0; i < 30; i++) x[i] = (float)(i % 7 - 3);
            CHECK(tn_feed(b.program, "x", x, sizeof x));
            CHECK(tn_program_run(b.program));
            CHECK(tn_fetch(b.program, "y", y[k], sizeof y[k]));
            for (int i = 0; i < 40; i++) assert_true(y[k][i] != 0);
            check_finish(&b, graph);
        }
        assert_int_equal(memcmp(y[0], y[1], sizeof y[0]) == 0, depth == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_DEVICE(whole_channels_are_dropped),
        ON_EVERY_DEVICE(half_of_the_pictures_are_mirrored),
        ON_EVERY_DEVICE(pictures_are_shifted_as_a_whole_and_by_all_ways),
        ON_EVERY_DEVICE(dropout_between_recurrent_layers_leaves_the_last_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
