/* framing.c: how sets are framed, and pictures brought to it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "near.h"
#include "philox.h"
#include "scratch.h"
#include "tenon/framing.h"

#define SIDE 28

/* ---- sets and pictures ---- */

static float noise(uint32_t index)
{
    return (float)tn_philox_uniform(7, 0, 1, index) - 0.5f;
}

static tn_dataset digits(int64_t count)
{
    tn_dataset data = {0};
    expect_ok(tn_dataset_digits(count, 5, &data));
    return data;
}

static tn_framing framing_of(const tn_dataset *data)
{
    tn_framing framing = {0};
    expect_ok(tn_framing_measure(data, &framing));
    return framing;
}

/* A set of grey pictures whose pixels a function gives. */
static tn_framing framing_by(uint8_t (*pixel)(int sample, int y, int x))
{
    static uint8_t pixels[200][SIDE][SIDE];
    const tn_dataset data = {.count = 200, .sample = TN_SHAPE(1, SIDE, SIDE), .x_dtype = TN_U8, .x = pixels};
    for (int i = 0; i < 200; i++)
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) pixels[i][y][x] = pixel(i, y, x);
    return framing_of(&data);
}

/* A sheet of paper. */
typedef struct sheet {
    int64_t height, width;
    float level[400 * 400];
} sheet;

static sheet *new_sheet(int64_t height, int64_t width, float paper, float grain)
{
    static sheet s;
    s.height = height;
    s.width = width;
    for (int64_t i = 0; i < height * width; i++) s.level[i] = paper + grain * noise((uint32_t)i);
    return &s;
}

/* Draws a sample of a set on it, `scale` times as large: light becomes ink. */
static void paste(sheet *s, const tn_dataset *data, int64_t sample, int64_t top, int64_t left, int64_t scale, float ink)
{
    const uint8_t *pixel = (const uint8_t *)data->x + sample * SIDE * SIDE;
    for (int64_t y = 0; y < SIDE * scale; y++)
        for (int64_t x = 0; x < SIDE * scale; x++) {
            float *level = s->level + (top + y) * s->width + left + x;
            *level += (ink - *level) * (float)pixel[y / scale * SIDE + x / scale] / 255;
        }
}

static void fill(sheet *s, int64_t top, int64_t left, int64_t height, int64_t width, float level)
{
    for (int64_t y = top; y < top + height; y++)
        for (int64_t x = left; x < left + width; x++) s->level[y * s->width + x] = level;
}

static tn_ink framed(const sheet *s, const tn_framing *framing, float out[SIDE * SIDE])
{
    tn_ink ink;
    const tn_shape sample = TN_SHAPE(1, SIDE, SIDE);
    expect_ok(tn_picture_frame(s->level, s->height, s->width, framing, &sample, out, &ink));
    return ink;
}

/* What MNIST is like: light on black, 20 of 28 pixels, by the centre of mass. */
static const tn_framing like_mnist = {1, 1, 0.518, 0.518, 0.714, 0, 250, 0.04, 0.25, 1.9, 3.2};

/* ---- measuring ---- */

static void drawn_digits_are_framed(void **state)
{
    tn_dataset data = digits(300);
    tn_framing f = framing_of(&data);
    (void)state;
    assert_true(f.framed);
    assert_near(f.x, 0.5, 0.03);
    assert_near(f.y, 0.5, 0.03);
    assert_near(f.size, 0.75, 0.05);
    assert_true(f.paper < 20 && f.ink > 180);
    assert_true(f.thin > 1 && f.thin < f.thick && f.thick < 5);
    assert_true(f.least > 0 && f.least < f.most && f.most < 0.5);
    tn_dataset_free(&data);
}

static void dark_ink_on_white_is_told(void **state)
{
    tn_dataset data = digits(300);
    (void)state;
    for (int64_t i = 0; i < 300 * SIDE * SIDE; i++) ((uint8_t *)data.x)[i] ^= 255;
    tn_framing f = framing_of(&data);
    assert_true(f.framed && f.paper > 235 && f.ink < 75);
    tn_dataset_free(&data);
}

static void a_middle_of_mass_is_told_from_a_middle_of_the_box(void **state)
{
    tn_dataset data = digits(300), moved = digits(300);
    (void)state;
    for (int64_t i = 0; i < 300; i++) {
        sheet *s = new_sheet(SIDE, SIDE, 0, 0);
        float out[SIDE * SIDE];
        paste(s, &data, i, 0, 0, 1, 255);
        framed(s, &like_mnist, out);
        for (int k = 0; k < SIDE * SIDE; k++) ((uint8_t *)moved.x)[i * SIDE * SIDE + k] = (uint8_t)out[k];
    }
    tn_framing f = framing_of(&moved);
    assert_true(f.framed && f.by_mass);
    assert_near(f.x, like_mnist.x, 0.01);
    assert_near(f.size, like_mnist.size, 0.04);
    tn_dataset_free(&data);
    tn_dataset_free(&moved);
}

static uint8_t some_noise(int sample, int y, int x)
{
    return (uint8_t)(128 + 255 * noise((uint32_t)((sample * SIDE + y) * SIDE + x)));
}

/* Hills and valleys: no border is like the other. */
static uint8_t a_photo(int sample, int y, int x)
{
    return (uint8_t)(128 + 60 * sin(sample + 0.3 * x) + 60 * cos(2.7 * sample + 0.25 * y));
}

static uint8_t a_dot_anywhere(int sample, int y, int x)
{
    return abs(y - 4 - sample * 7 % 20) < 3 && abs(x - 4 - sample * 11 % 20) < 3 ? 255 : 0;
}

static uint8_t a_square_of_any_size(int sample, int y, int x)
{
    int half = 2 + sample % 12;
    return abs(y - 14) < half && abs(x - 14) < half ? 255 : 0;
}

static uint8_t from_edge_to_edge(int sample, int y, int x)
{
    return (x + sample) % 5 < 2 && y > 3 && y < 24 ? 220 : 0;
}

static uint8_t nothing(int sample, int y, int x)
{
    return (uint8_t)(0 * (sample + y + x));
}

static void sets_of_other_pictures_are_not_framed(void **state)
{
    static const struct {
        const char *name;
        uint8_t (*pixel)(int sample, int y, int x);
    } sets[] = {{"noise", some_noise},
                {"photos", a_photo},
                {"dots anywhere", a_dot_anywhere},
                {"squares of any size", a_square_of_any_size},
                {"from edge to edge", from_edge_to_edge},
                {"nothing", nothing}};
    float number[40] = {0};
    const tn_dataset table = {.count = 10, .sample = TN_SHAPE(4), .x_dtype = TN_F32, .x = number};
    tn_dataset colour = {0};
    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (framing_by(sets[i].pixel).framed) fail_msg("%s: taken for framed", sets[i].name);
    assert_false(framing_of(&table).framed);
    expect_ok(tn_dataset_digits_rgb(20, 1, &colour));
    assert_false(framing_of(&colour).framed);
    tn_dataset_free(&colour);
}

/* ---- bringing a picture to it ---- */

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
    expect_ok(tn_picture_frame(level, height, width, &like_mnist, &sample, out, &ink));
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
                expect_ok(tn_picture_frame(s->level, height, width, &like_mnist, &sample, out, NULL));
                for (int64_t i = 0; i < tn_shape_count(&sample); i++) assert_true(out[i] >= 0 && out[i] <= 255);
            }
}

/* ---- text, files, errors ---- */

static void a_framing_survives_as_text(void **state)
{
    static const char *const bad[] = {"",
                                      "framed",
                                      "framed mass 500 500 size 714 levels 0 250 ink 40 250 stroke 1900 3200 more",
                                      "framed mid 500 500 size 714 levels 0 250 ink 40 250 stroke 1900 3200",
                                      "so mass 500 500 size 714 levels 0 250 ink 40 250 stroke 1900 3200",
                                      "framed mass 5000 500 size 714 levels 0 250 ink 40 250 stroke 1900 3200",
                                      "framed mass 500 500 size 0 levels 0 250 ink 40 250 stroke 1900 3200",
                                      "framed mass 500 500 size 714 levels 7 7 ink 40 250 stroke 1900 3200",
                                      "framed mass 500 500 size 714 levels 0 250 ink 40 250 stroke 3900 3200"};
    char text[TN_FRAMING_TEXT], again[TN_FRAMING_TEXT];
    tn_framing f = {0};
    (void)state;
    tn_framing_text(&like_mnist, text);
    assert_string_equal(text, "framed mass 518 518 size 714 levels 0 250 ink 40 250 stroke 1900 3200");
    expect_ok(tn_framing_parse(text, &f));
    tn_framing_text(&f, again);
    assert_string_equal(text, again);
    assert_memory_equal(&f, &like_mnist, sizeof f);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_failure(tn_framing_parse(bad[i], &f), TN_EFORMAT, "does not say how pictures are framed");
    assert_memory_equal(&f, &like_mnist, sizeof f);
}

static void a_file_is_framed_as_its_levels_are(void **state)
{
    float from_file[SIDE * SIDE], from_levels[SIDE * SIDE];
    char text[20 + 100 * 100] = "P5 100 100 255\n";
    size_t head = strlen(text);
    const tn_shape sample = TN_SHAPE(1, SIDE, SIDE), colour = TN_SHAPE(3, SIDE, SIDE);
    tn_ink ink;
    (void)state;
    sheet *s = new_sheet(100, 100, 230, 0);
    fill(s, 30, 30, 40, 6, 40);
    for (int i = 0; i < 100 * 100; i++) text[head + (size_t)i] = (char)(uint8_t)s->level[i];
    const char *path = scratch_write("a.pgm", text, head + 100 * 100);
    expect_ok(tn_picture_read_framed(path, &like_mnist, &sample, from_file, &ink));
    framed(s, &like_mnist, from_levels);
    assert_memory_equal(from_file, from_levels, sizeof from_file);
    assert_int_equal(ink.left, 30);
    expect_failure(tn_picture_read_framed(path, &like_mnist, &colour, from_file, &ink), TN_ESHAPE, "a grey picture");
    expect_failure(tn_picture_read_framed(scratch_text("b", "no"), &like_mnist, &sample, from_file, NULL), TN_EFORMAT,
                   "is no picture");
    expect_failure(tn_picture_frame(s->level, 100, 100, &(tn_framing){0}, &sample, from_file, NULL), TN_EINVAL,
                   "can't be framed");
}

static void a_failed_allocation_leaks_nothing(void **state)
{
    float out[SIDE * SIDE];
    const tn_shape sample = TN_SHAPE(1, SIDE, SIDE);
    tn_dataset data = digits(3);
    tn_framing f = {0};
    (void)state;
    sheet *s = new_sheet(100, 100, 230, 0);
    fill(s, 30, 30, 40, 6, 40);
    for (int measure = 0; measure < 2; measure++) {
        tn_status status = TN_ENOMEM;
        int64_t n = 0;
        for (; status; n++) {
            tn_alloc_fail_after(n);
            status = measure ? tn_framing_measure(&data, &f)
                             : tn_picture_frame(s->level, 100, 100, &like_mnist, &sample, out, NULL);
            tn_alloc_fail_after(-1);
            if (status) expect_failure(status, TN_ENOMEM, "out of memory");
        }
        assert_true(n > 5);
    }
    tn_dataset_free(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drawn_digits_are_framed),
        cmocka_unit_test(dark_ink_on_white_is_told),
        cmocka_unit_test(a_middle_of_mass_is_told_from_a_middle_of_the_box),
        cmocka_unit_test(sets_of_other_pictures_are_not_framed),
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
        cmocka_unit_test(a_framing_survives_as_text),
        cmocka_unit_test(a_file_is_framed_as_its_levels_are),
        cmocka_unit_test(a_failed_allocation_leaks_nothing),
    };
    return cmocka_run_group_tests_name("framing", tests, scratch_begin, scratch_end);
}
