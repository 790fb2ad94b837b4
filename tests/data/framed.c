/* framed.c: pictures are brought to how a set is framed. */
#include "sheets.h"

/* The share of the ink that lies elsewhere in b than in a. */
static double misplaced(const float *a, const float *b)
{
    double sum = 0, apart = 0;
    for (int i = 0; i < SIDE * SIDE; i++) {
        sum += a[i] + b[i];
        apart += fabs(a[i] - b[i]);
    }
    return apart / sum;
}

static void what_is_framed_already_is_left_alone(void **state)
{
    (void)state;
    for (int moved = 0; moved < 2; moved++) {
        float out[SIDE * SIDE];
        sheet *s = new_sheet(SIDE, SIDE, 0, 0);
        fill(s, 4 + 3 * moved, 13, 20, 3, 250);
        for (int i = 4; i < 24; i += 3) fill(s, i + 3 * moved, 13, 2, 3, 235);
        framed(s, &like_mnist, out);
        assert_int_equal(!memcmp(out, s->level, sizeof out), !moved);
    }
}

static void a_digit_is_the_same_wherever_it_lies(void **state)
{
    static const struct {
        int64_t height, width, top, left, scale;
        float paper, ink, grain;
    } cases[] = {
        {100, 100, 2, 70, 1, 235, 20, 0},   {200, 300, 110, 10, 3, 0, 255, 0},    {400, 400, 5, 5, 2, 240, 60, 30},
        {64, 390, 4, 300, 2, 255, 0, 10},   {400, 380, 230, 210, 6, 20, 230, 30}, {128, 128, 16, 16, 3, 200, 90, 8},
        {400, 400, 300, 40, 1, 225, 0, 16},
    };
    tn_dataset data = digits(40);
    (void)state;
    for (int64_t i = 0; i < 40; i++) {
        float first[SIDE * SIDE], other[SIDE * SIDE];
        sheet *s = new_sheet(2 * SIDE, 2 * SIDE, 0, 0);
        for (int k = 0; k < SIDE * SIDE; k++) /* no noise, and no stray lines: paper that is lit by nothing */
            if (((uint8_t *)data.x)[i * SIDE * SIDE + k] < 60) ((uint8_t *)data.x)[i * SIDE * SIDE + k] = 0;
        paste(s, &data, i, SIDE / 2, SIDE / 2, 1, 255);
        framed(s, &like_mnist, first);
        for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
            s = new_sheet(cases[c].height, cases[c].width, cases[c].paper, cases[c].grain);
            paste(s, &data, i, cases[c].top, cases[c].left, cases[c].scale, cases[c].ink);
            framed(s, &like_mnist, other);
            if (misplaced(first, other) > 0.35) /* half a pixel to the side is 0.2 to 0.3, a wrong place 0.7 */
                fail_msg("digit %d, case %d: %.3f of the ink is elsewhere", (int)i, (int)c, misplaced(first, other));
        }
    }
    tn_dataset_free(&data);
}

static void the_box_and_the_levels_are_told(void **state)
{
    float out[SIDE * SIDE];
    (void)state;
    sheet *s = new_sheet(200, 300, 230, 6);
    fill(s, 120, 210, 60, 20, 40);
    tn_ink ink = framed(s, &like_mnist, out);
    assert_int_equal(ink.left, 210);
    assert_int_equal(ink.top, 120);
    assert_int_equal(ink.width, 20);
    assert_int_equal(ink.height, 60);
    assert_near(ink.paper, 230, 2);
    assert_near(ink.ink, 40, 2);
    assert_int_equal(ink.doubts & ~TN_DOUBT_MUCH, 0);
}

static void a_large_picture_is_told_in_its_own_pixels(void **state)
{
    int64_t height = 1500, width = 3000;
    float out[SIDE * SIDE], *level = malloc((size_t)(height * width) * sizeof *level);
    const tn_shape sample = TN_SHAPE(SIDE, SIDE);
    tn_ink ink;
    (void)state;
    for (int64_t i = 0; i < height * width; i++)
        level[i] = i / width >= 900 && i / width < 1200 && i % width >= 2100 && i % width < 2160 ? 10 : 240;
    expect_ok(tn_image_frame(level, height, width, &like_mnist, &sample, out, &ink));
    assert_int_equal(ink.left, 2100);
    assert_int_equal(ink.top, 900);
    assert_int_equal(ink.width, 60);
    assert_int_equal(ink.height, 300);
    free(level);
}

static void ink_is_found_on_a_sheet_that_lies_on_something_dark(void **state)
{
    float alone[SIDE * SIDE], lying[SIDE * SIDE];
    (void)state;
    sheet *s = new_sheet(200, 200, 230, 6);
    fill(s, 60, 90, 60, 8, 40);
    fill(s, 60, 60, 8, 38, 40);
    framed(s, &like_mnist, alone);
    s = new_sheet(260, 300, 30, 20);
    fill(s, 20, 10, 200, 230, 230);
    fill(s, 80, 130, 60, 8, 40);
    fill(s, 80, 100, 8, 38, 40);
    tn_ink ink = framed(s, &like_mnist, lying);
    assert_int_equal(ink.left, 100);
    assert_int_equal(ink.top, 80);
    assert_int_equal(ink.width, 38);
    assert_int_equal(ink.height, 60);
    assert_int_equal(ink.doubts, 0);
    assert_true(misplaced(alone, lying) < 0.06);
}

/* As large and as full as a sheet would be. */
static void a_thick_ring_is_ink(void **state)
{
    float out[SIDE * SIDE];
    (void)state;
    sheet *s = new_sheet(60, 60, 240, 0);
    for (int y = 0; y < 60; y++)
        for (int x = 0; x < 60; x++) {
            double away = hypot(y - 29.5, 1.2 * (x - 29.5));
            if (away < 27 && away > 10) s->level[y * 60 + x] = 20;
        }
    tn_ink ink = framed(s, &like_mnist, out);
    assert_in_range(ink.height, 52, 54);
    assert_true(out[14 * SIDE + 14] < 20);
}

static void light_from_a_side_and_dirt_change_nothing(void **state)
{
    float clean[SIDE * SIDE], lit[SIDE * SIDE];
    (void)state;
    sheet *s = new_sheet(200, 200, 230, 6);
    fill(s, 40, 50, 90, 12, 40);
    fill(s, 118, 62, 12, 40, 40);
    framed(s, &like_mnist, clean);
    for (int64_t i = 0; i < 200 * 200; i++) s->level[i] -= 0.4f * (float)(i % 200);
    for (int64_t i = 0; i < 20; i++) fill(s, i * 37 % 198, i * 61 % 198, 1 + i % 2, 2, 0);
    tn_ink ink = framed(s, &like_mnist, lit);
    assert_int_equal(ink.left, 50);
    assert_int_equal(ink.top, 40);
    assert_int_equal(ink.doubts, 0);
    assert_true(misplaced(clean, lit) < 0.06);
}

static void the_sets_own_levels_come_out(void **state)
{
    tn_framing dark = like_mnist;
    float light_ink[SIDE * SIDE], dark_ink[SIDE * SIDE];
    (void)state;
    dark.paper = 250;
    dark.ink = 0;
    for (int white = 0; white < 2; white++) {
        sheet *s = new_sheet(100, 100, white ? 240 : 10, 0);
        fill(s, 20, 60, 40, 6, white ? 10 : 240);
        fill(s, 20, 40, 6, 24, white ? 10 : 240);
        framed(s, &like_mnist, light_ink);
        framed(s, &dark, dark_ink);
        for (int i = 0; i < SIDE * SIDE; i++) assert_near(light_ink[i] + dark_ink[i], 250, 6);
        assert_near(light_ink[0], 0, 0);
        assert_near(dark_ink[0], 250, 0);
    }
}

static void strokes_are_kept_as_wide_as_the_sets(void **state)
{
    (void)state;
    for (int64_t wide = 2; wide <= 40; wide += 2) { /* of a seven of 120 x 80 */
        float out[SIDE * SIDE], across = 0;
        sheet *s = new_sheet(200, 200, 240, 0);
        fill(s, 30, 50, wide, 80, 10);
        fill(s, 30, 130 - wide, 120, wide, 10);
        framed(s, &like_mnist, out);
        for (int x = 0; x < SIDE; x++) across += out[18 * SIDE + x] / 250;
        if (across < 1 || across > 4.6f) fail_msg("a pen of %d pixels: %.2f of the set's wide", (int)wide, across);
    }
}

static void what_is_doubtful_is_said(void **state)
{
    float out[SIDE * SIDE];
    char text[200];
    tn_ink ink;
    tn_dataset data = digits(1);
    (void)state;
    ink = framed(new_sheet(90, 120, 230, 20), &like_mnist, out);
    assert_int_equal(ink.doubts, TN_DOUBT_NO_INK);
    assert_int_equal(ink.width, 0);
    for (int i = 0; i < SIDE * SIDE; i++) assert_near(out[i], 0, 0);

    sheet *s = new_sheet(200, 200, 230, 6); /* two ones, near each other and far */
    fill(s, 40, 50, 90, 12, 40);
    fill(s, 40, 75, 90, 12, 40);
    assert_true(framed(s, &like_mnist, out).doubts & TN_DOUBT_PIECES);
    s = new_sheet(200, 200, 230, 6);
    fill(s, 40, 20, 90, 12, 40);
    fill(s, 100, 160, 90, 12, 40);
    ink = framed(s, &like_mnist, out);
    assert_true(ink.doubts & TN_DOUBT_PIECES);
    assert_int_equal(ink.width, 12);

    s = new_sheet(100, 100, 230, 6);
    fill(s, 60, 50, 40, 6, 40);
    assert_true(framed(s, &like_mnist, out).doubts & TN_DOUBT_CUT);
    s = new_sheet(100, 100, 230, 6);
    fill(s, 60, 50, 7, 3, 40);
    assert_true(framed(s, &like_mnist, out).doubts & TN_DOUBT_SMALL);
    s = new_sheet(100, 100, 230, 6);
    fill(s, 30, 30, 40, 40, 40);
    ink = framed(s, &like_mnist, out);
    assert_int_equal(ink.doubts, TN_DOUBT_MUCH);
    assert_string_equal(tn_ink_doubts(&ink, text, sizeof text), "more ink than any that was trained on");
    for (int64_t i = 0; i < 100 * 100; i++) s->level[i] = a_photo(1, (int)(i / 300), (int)(i % 100));
    assert_true(framed(s, &like_mnist, out).doubts & TN_DOUBT_PAPER);
    ink.doubts = 127;
    assert_true(strlen(tn_ink_doubts(&ink, text, sizeof text)) > 120);
    assert_int_equal(strlen(tn_ink_doubts(&ink, text, 20)), 19);
    tn_dataset_free(&data);
}

static void any_proportions_fit_any_sample(void **state)
{
    (void)state;
    for (int64_t width = 1; width <= 37; width += 4)
        for (int64_t height = 1; height <= 37; height += 6)
            for (int64_t spot = 0; spot < 3; spot++) {
                tn_shape sample = TN_SHAPE(1, 1 + width % 7, 1 + height % 5);
                float out[35];
                sheet *s = new_sheet(height, width, 200, 4);
                fill(s, height / 2, width / 3, (height - height / 2 + spot) / 2, (width - width / 3) / 2 + 1, 10);
                expect_ok(tn_image_frame(s->level, height, width, &like_mnist, &sample, out, NULL));
                for (int64_t i = 0; i < tn_shape_count(&sample); i++) assert_true(out[i] >= 0 && out[i] <= 255);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_framed_already_is_left_alone),
        cmocka_unit_test(a_digit_is_the_same_wherever_it_lies),
        cmocka_unit_test(the_box_and_the_levels_are_told),
        cmocka_unit_test(a_large_picture_is_told_in_its_own_pixels),
        cmocka_unit_test(ink_is_found_on_a_sheet_that_lies_on_something_dark),
        cmocka_unit_test(a_thick_ring_is_ink),
        cmocka_unit_test(light_from_a_side_and_dirt_change_nothing),
        cmocka_unit_test(the_sets_own_levels_come_out),
        cmocka_unit_test(strokes_are_kept_as_wide_as_the_sets),
        cmocka_unit_test(what_is_doubtful_is_said),
        cmocka_unit_test(any_proportions_fit_any_sample),
    };
    return cmocka_run_group_tests_name("framed", tests, scratch_begin, scratch_end);
}
