/* picture.c: pictures for prediction. */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "near.h"
#include "scratch.h"
#include "tenon/data.h"

static const char *write_png(const char *name, uint32_t width, uint32_t height, uint32_t format, const uint8_t *pixel)
{
    png_image image = {.version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = format};
    const char *path = scratch_path(name);
    assert_true(png_image_write_to_file(&image, path, 0, pixel, 0, NULL));
    return path;
}

/* A dark picture with every level in its middle; 28 x 28. */
static void fill_picture(uint8_t *pixel)
{
    memset(pixel, 0, 784);
    for (int i = 0; i < 256; i++) pixel[(6 + i / 16) * 28 + 6 + i % 16] = (uint8_t)i;
}

static void a_png_of_the_samples_size_is_taken_as_it_is(void **state)
{
    uint8_t pixel[784];
    float out[784];
    tn_shape sample = TN_SHAPE(1, 28, 28), flat = TN_SHAPE(28, 28);
    (void)state;
    fill_picture(pixel);
    const char *path = write_png("a.png", 28, 28, PNG_FORMAT_GRAY, pixel);
    expect_ok(tn_image_read_scaled(path, &sample, out));
    for (int i = 0; i < 784; i++) assert_near(out[i], pixel[i], 0);
    memset(out, 0, sizeof out);
    expect_ok(tn_image_read_scaled(path, &flat, out));
    for (int i = 0; i < 784; i++) assert_near(out[i], pixel[i], 0);
}

static void a_bright_picture_is_inverted(void **state)
{
    uint8_t pixel[784], bright[784];
    float out[784];
    tn_shape sample = TN_SHAPE(1, 28, 28);
    (void)state;
    fill_picture(pixel);
    for (int i = 0; i < 784; i++) bright[i] = 255 - pixel[i];
    expect_ok(tn_image_read_scaled(write_png("b.png", 28, 28, PNG_FORMAT_GRAY, bright), &sample, out));
    for (int i = 0; i < 784; i++) assert_near(out[i], pixel[i], 0);
}

/* Ink of one level on nothing, dark and light: both come out as light on dark. */
static void what_is_transparent_differs_from_the_ink(void **state)
{
    tn_shape sample = TN_SHAPE(1, 4, 4);
    (void)state;
    for (int ink = 0; ink < 256; ink += 255) {
        uint8_t pixel[32] = {0};
        float out[16];
        pixel[2 * 5] = (uint8_t)ink;
        pixel[2 * 5 + 1] = 255;
        expect_ok(tn_image_read_scaled(write_png("t.png", 4, 4, PNG_FORMAT_GA, pixel), &sample, out));
        for (int i = 0; i < 16; i++) assert_near(out[i], i == 5 ? 255 : 0, 0);
    }
}

static void colours_become_planes_for_a_sample_of_three(void **state)
{
    static const uint8_t pixel[12] = {255, 1, 2, 250, 4, 5, 240, 7, 8, 230, 10, 11};
    float out[12];
    tn_shape sample = TN_SHAPE(3, 2, 2);
    (void)state;
    expect_ok(tn_image_read_scaled(write_png("c.png", 2, 2, PNG_FORMAT_RGB, pixel), &sample, out));
    for (int i = 0; i < 4; i++)
        for (int c = 0; c < 3; c++) assert_near(out[c * 4 + i], pixel[i * 3 + c], 0);
}

static void a_picture_is_scaled_by_area_and_centred(void **state)
{
    /* 8 x 4 into 4 x 4: two rows in the middle, each value the mean of four. */
    static const uint8_t wide[32] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40, 80, 8, 0, 0, 0,
                                     0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0, 0, 0, 0};
    static const float expected[16] = {0, 0, 0, 0, 0, 30, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    /* 2 x 2 into 3 x 3: shares of thirds. */
    static const uint8_t tiny[4] = {90, 0, 0, 0};
    static const float larger[9] = {90, 45, 0, 45, 22.5f, 0, 0, 0, 0};
    float out[16];
    tn_shape four = TN_SHAPE(1, 4, 4), three = TN_SHAPE(1, 3, 3);
    (void)state;
    expect_ok(tn_image_read_scaled(write_png("w.png", 8, 4, PNG_FORMAT_GRAY, wide), &four, out));
    for (int i = 0; i < 16; i++) assert_near(out[i], expected[i], 1e-5);
    expect_ok(tn_image_read_scaled(write_png("s.png", 2, 2, PNG_FORMAT_GRAY, tiny), &three, out));
    for (int i = 0; i < 9; i++) assert_near(out[i], larger[i], 1e-4);
}

static void any_proportions_fit_any_sample(void **state)
{
    uint8_t pixel[37 * 37];
    (void)state;
    memset(pixel, 90, sizeof pixel);
    for (uint32_t width = 1; width <= 37; width += 4)
        for (uint32_t height = 1; height <= 37; height += 6) {
            tn_shape sample = TN_SHAPE(1, 1 + width % 7, 1 + height % 5);
            float out[35], most = 0;
            expect_ok(tn_image_read_scaled(write_png("p.png", width, height, PNG_FORMAT_GRAY, pixel), &sample, out));
            for (int64_t i = 0; i < tn_shape_count(&sample); i++) {
                assert_true(out[i] >= 0 && out[i] <= 90.001f);
                most = fmaxf(most, out[i]);
            }
            assert_near(most, 90, 1e-3);
        }
}

static void pgm_is_read_plain_and_raw(void **state)
{
    float out[4];
    tn_shape sample = TN_SHAPE(1, 2, 2);
    (void)state;
    expect_ok(tn_image_read_scaled(scratch_text("a.pgm", "P2 # text\n2 2\n# more\n100\n0 20\n40 100\n"), &sample, out));
    assert_near(out[1], 51, 1e-4);
    assert_near(out[3], 255, 1e-4);
    expect_ok(tn_image_read_scaled(scratch_write("b.pgm", "P5\n2 2\n255\n\0\1\2\3", 15), &sample, out));
    for (int i = 0; i < 4; i++) assert_near(out[i], i, 0);
    expect_ok(tn_image_read_scaled(scratch_write("c.pgm", "P5 2 2 65535\n\0\0\0\0\1\1\0\0", 21), &sample, out));
    assert_near(out[2], 1, 1e-5);
}

static void bad_pictures_are_named(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", "bad: is empty; expected a picture: PNG, JPEG or PGM"},
        {"hello", "bad: is no picture; expected a picture: PNG, JPEG or PGM"},
        {"P2\n2 2\n", "a PGM header needs"},
        {"P2\n2 2 255\n1 2 3\n", "is cut short: expected 4 levels, found 3"},
        {"P2\n2 2 9\n1 2 3 10\n", "level 10 is above the 9 of white"},
        {"P5\n2 2 255\n...", "is cut short: expected 4 levels, found 3"},
        {"P5\n99999 99999 255\n...", "absurd size: 99999 x 99999 pixels"},
        {"P5\n0 2 255\n...", "a PGM header needs"},
        {"P5\n2 2 70000\n...", "a PGM header needs"},
        {"P2\n-2 2 255\n1 1 1 1", "a PGM header needs"},
        {"\x89PNG\r\n\x1a\n rest", "bad: is a damaged PNG file"},
        {"\xFF\xD8\xFF rest", "bad: is a damaged JPEG file"},
    };
    float out[4] = {7, 7, 7, 7};
    tn_shape sample = TN_SHAPE(1, 2, 2), two = TN_SHAPE(2, 2, 2), flat = TN_SHAPE(4);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_failure(tn_image_read_scaled(scratch_text("bad", cases[i].text), &sample, out), TN_EFORMAT,
                       cases[i].part);
    expect_failure(tn_image_read_scaled(scratch_path("nowhere"), &sample, out), TN_EMISSING, "nowhere");
    expect_failure(tn_image_read_scaled("x.png", &two, out), TN_ESHAPE, "samples of shape (2, 2, 2)");
    expect_failure(tn_image_read_scaled("x.png", &flat, out), TN_ESHAPE, "samples of shape (4)");
    for (int i = 0; i < 4; i++) assert_near(out[i], 7, 0);
}

static void every_cut_of_a_png_is_refused(void **state)
{
    uint8_t pixel[784];
    float out[784];
    size_t size = 0;
    tn_shape sample = TN_SHAPE(1, 28, 28);
    (void)state;
    fill_picture(pixel);
    char *png = scratch_read(write_png("whole.png", 28, 28, PNG_FORMAT_GRAY, pixel), &size);
    for (size_t n = 0; n < size - 12; n++) /* its last 12 bytes only say that it ends */
        expect_failure(tn_image_read_scaled(scratch_write("cut.png", png, n), &sample, out), TN_EFORMAT, "cut.png");
    png[16] = 1; /* the width becomes 16 million */
    expect_failure(tn_image_read_scaled(scratch_write("cut.png", png, size), &sample, out), TN_EFORMAT, "cut.png");
    free(png);
}

static void a_failed_allocation_leaks_nothing(void **state)
{
    uint8_t pixel[784];
    float out[784];
    tn_shape sample = TN_SHAPE(1, 28, 28);
    tn_status status = TN_ENOMEM;
    int64_t n = 0;
    (void)state;
    fill_picture(pixel);
    const char *path = write_png("a.png", 28, 28, PNG_FORMAT_GRAY, pixel);
    for (; status; n++) {
        tn_alloc_fail_after(n);
        status = tn_image_read_scaled(path, &sample, out);
        tn_alloc_fail_after(-1);
        if (status) expect_failure(status, TN_ENOMEM, "out of memory");
    }
    assert_int_equal(n, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_png_of_the_samples_size_is_taken_as_it_is),
        cmocka_unit_test(a_bright_picture_is_inverted),
        cmocka_unit_test(what_is_transparent_differs_from_the_ink),
        cmocka_unit_test(colours_become_planes_for_a_sample_of_three),
        cmocka_unit_test(a_picture_is_scaled_by_area_and_centred),
        cmocka_unit_test(any_proportions_fit_any_sample),
        cmocka_unit_test(pgm_is_read_plain_and_raw),
        cmocka_unit_test(bad_pictures_are_named),
        cmocka_unit_test(every_cut_of_a_png_is_refused),
        cmocka_unit_test(a_failed_allocation_leaks_nothing),
    };
    return cmocka_run_group_tests_name("picture", tests, scratch_begin, scratch_end);
}
