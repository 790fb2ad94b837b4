/* images.c: folders of images: which are read, in which order, as what; scaled as another library does it; and what is
 * said of those that cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jpeglib.h>
#include <png.h>

#include "scratch.h"
#include "tenon/data.h"

enum { WIDTH = 12, HEIGHT = 8 };

/* ---- files ---- */

/* As golden_images.py has it. */
static uint8_t level(int x, int y, int c)
{
    return (uint8_t)(x * x * 5 + y * 23 + c * 60 + (x + c) * y * 3);
}

/* A path of its own below the test's folder. */
static const char *at(const char *name)
{
    static char text[8][600];
    static int turn;
    turn = (turn + 1) % 8;
    snprintf(text[turn], sizeof text[turn], "%s/%s", scratch_path("set"), name);
    return text[turn];
}

static void folder(const char *name)
{
    (void)mkdir(scratch_path("set"), 0755);
    if (*name) assert_int_equal(mkdir(at(name), 0755), 0);
}

static void clear(void)
{
    char command[700];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch_path("set"));
    assert_int_equal(system(command), 0);
}

/* `channels` of 1 to 4: grey, grey and alpha, colours, colours and alpha. */
static void png(const char *name, int width, int height, int channels, int shade)
{
    static const png_uint_32 formats[] = {0, PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};
    png_image image = {.version = PNG_IMAGE_VERSION, .width = (png_uint_32)width, .height = (png_uint_32)height};
    uint8_t pixel[64 * 64 * 4], *to = pixel;
    image.format = formats[channels];
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 1; c <= channels; c++)
                *to++ = channels % 2 || c < channels ? (uint8_t)(level(x, y, c - 1) + shade) : 9;
    assert_true(png_image_write_to_file(&image, at(name), 0, pixel, 0, NULL));
}

static void jpeg(const char *name, int width, int height, int channels, int shade)
{
    struct jpeg_compress_struct codec;
    struct jpeg_error_mgr errors;
    uint8_t line[64 * 3];
    JSAMPROW row = line;
    FILE *file = fopen(at(name), "wb");
    codec.err = jpeg_std_error(&errors);
    jpeg_create_compress(&codec);
    jpeg_stdio_dest(&codec, file);
    codec.image_width = (JDIMENSION)width;
    codec.image_height = (JDIMENSION)height;
    codec.input_components = channels;
    codec.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&codec);
    jpeg_set_quality(&codec, 95, TRUE);
    jpeg_start_compress(&codec, TRUE);
    memset(line, shade, sizeof line);
    for (int y = 0; y < height; y++) jpeg_write_scanlines(&codec, &row, 1);
    jpeg_finish_compress(&codec);
    jpeg_destroy_compress(&codec);
    fclose(file);
}

static void copy(const char *from, const char *to, size_t bytes)
{
    size_t size;
    char *content = scratch_read(at(from), &size);
    FILE *file = fopen(at(to), "wb");
    assert_int_equal(fwrite(content, 1, bytes < size ? bytes : size, file), bytes < size ? bytes : size);
    fclose(file);
    free(content);
}

/* ---- one image ---- */

static void an_image_is_scaled_as_pillow_does_it(void **state)
{
    static const struct {
        tn_shape sample;
        uint8_t level[400];
    } golden[] = {
#include "golden_images.inc"
    };
    (void)state;
    clear();
    folder("");
    png("a.png", WIDTH, HEIGHT, 3, 0);
    for (size_t g = 0; g < sizeof golden / sizeof *golden; g++) {
        uint8_t out[400];
        const tn_shape *s = &golden[g].sample;
        const int exact = s->dim[1] == HEIGHT;
        expect_ok(tn_image_read(at("a.png"), s, out));
        for (int64_t i = 0; i < tn_shape_count(s); i++)
            if (abs(out[i] - golden[g].level[i]) > !exact)
                fail_msg("case %zu, element %d: expected %d, got %d", g, (int)i, golden[g].level[i], out[i]);
    }
}

static void grey_and_colour_become_what_the_sample_is(void **state)
{
    (void)state;
    uint8_t out[3 * 6], colour[3 * 6];
    clear();
    folder("");
    png("grey.png", 3, 2, 1, 0);
    png("veil.png", 3, 2, 2, 0);
    png("colour.png", 3, 2, 3, 0);
    png("glass.png", 3, 2, 4, 0);
    expect_ok(tn_image_read(at("grey.png"), &TN_SHAPE(3, 2, 3), out));
    for (int i = 0; i < 18; i++) assert_int_equal(out[i], level(i % 3, i / 3 % 2, 0));
    expect_ok(tn_image_read(at("veil.png"), &TN_SHAPE(1, 2, 3), out));
    for (int i = 0; i < 6; i++) assert_int_equal(out[i], level(i % 3, i / 3, 0));
    expect_ok(tn_image_read(at("colour.png"), &TN_SHAPE(3, 2, 3), colour));
    expect_ok(tn_image_read(at("glass.png"), &TN_SHAPE(3, 2, 3), out));
    assert_memory_equal(out, colour, sizeof out);
    jpeg("grey.jpg", 9, 9, 1, 77);
    jpeg("colour.jpg", 9, 9, 3, 77);
    for (int64_t c = 1; c <= 3; c += 2) {
        expect_ok(tn_image_read(at("grey.jpg"), &TN_SHAPE(c, 2, 3), out));
        for (int i = 0; i < 6 * c; i++) assert_in_range(out[i], 76, 78);
        expect_ok(tn_image_read(at("colour.jpg"), &TN_SHAPE(c, 2, 3), out));
        for (int i = 0; i < 6 * c; i++) assert_in_range(out[i], 76, 78);
    }
    expect_failure(tn_image_read(at("grey.png"), &TN_SHAPE(2, 2, 3), out), TN_ESHAPE, "grey.png");
}

static void an_image_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    uint8_t out[3 * 64];
    const tn_shape sample = TN_SHAPE(3, 8, 8);
    clear();
    folder("");
    png("whole.png", WIDTH, HEIGHT, 3, 0);
    jpeg("whole.jpg", 40, 40, 3, 50);
    jpeg("print.jpg", 8, 8, 4, 50);
    for (int f = 0; f < 2; f++) {
        size_t size;
        free(scratch_read(at(f ? "whole.jpg" : "whole.png"), &size));
        for (size_t bytes = 0; bytes + 20 < size; bytes += 7) { /* the very end has no pixels */
            copy(f ? "whole.jpg" : "whole.png", "cut.x", bytes);
            expect_failure(tn_image_read(at("cut.x"), &sample, out), TN_EFORMAT, "cut.x: is ");
        }
    }
    expect_ok(tn_image_read(at("print.jpg"), &sample, out));
    assert_in_range(out[0], 9, 11); /* 50 - 50 * 205 / 255, for inks are counted from white */
    expect_failure(tn_image_read(at("none.png"), &sample, out), TN_EMISSING, "none.png");
    expect_failure(tn_image_read(at(""), &sample, out), TN_EIO, "is a folder");
}

/* ---- folders ---- */

static void make_set(void)
{
    clear();
    folder("");
    folder("dog");
    folder("Cat");
    folder("ant");
    folder("ant/more");
    png("dog/2.png", WIDTH, HEIGHT, 3, 4);
    png("dog/10.PNG", WIDTH, HEIGHT, 3, 3);
    jpeg("Cat/a.JPeG", 6, 5, 1, 9);
    png("ant/b.png", 4, 4, 1, 0);
    png("ant/more/a.png", 5, 4, 3, 1);
    copy("ant/b.png", "ant/.hidden.png", 10);
    copy("ant/b.png", "ant/notes.txt", 10);
    copy("ant/b.png", "stray.png", 10);
}

static void classes_are_folders_and_images_come_in_order(void **state)
{
    (void)state;
    tn_dataset data = {0};
    static const int32_t labels[] = {0, 1, 1, 2, 2};
    make_set();
    expect_ok(tn_dataset_images(scratch_path("set"), NULL, &data));
    assert_string_equal(data.class_names, "Cat\nant\ndog\n");
    assert_int_equal(data.count, 5);
    assert_int_equal(data.classes, 3);
    assert_memory_equal(data.label, labels, sizeof labels);
    assert_true(tn_shape_equal(&data.sample, &TN_SHAPE(3, 5, 6))); /* the first is grey, others are not */
    assert_non_null(strstr(data.notice, "images of other sizes become 5 x 6"));
    assert_true(data.images && data.loader && !data.x);
    uint8_t one[90], other[90];
    expect_ok(tn_dataset_sample(&data, 3, one, NULL)); /* 10.PNG comes before 2.png */
    expect_ok(tn_image_read(at("dog/10.PNG"), &data.sample, other));
    assert_memory_equal(one, other, sizeof one);
    expect_ok(tn_dataset_load(&data));
    assert_true(data.x && !data.loader);
    assert_memory_equal((uint8_t *)data.x + 3 * 90, one, sizeof one);
    expect_ok(tn_dataset_load(&data));
    char name[4096]; /* is known still */
    assert_string_equal(tn_dataset_name(&data, 3, name, sizeof name), at("dog/10.PNG"));
    tn_dataset_free(&data);
    expect_ok(tn_dataset_images(scratch_path("set"), &TN_SHAPE(7, 3), &data));
    assert_true(tn_shape_equal(&data.sample, &TN_SHAPE(3, 7, 3)) && !data.notice);
    tn_dataset_free(&data);
    expect_ok(tn_dataset_images(scratch_path("set"), &TN_SHAPE(3, 7, 3), &data));
    assert_true(tn_shape_equal(&data.sample, &TN_SHAPE(3, 7, 3)));
    tn_dataset_free(&data);
}

static void images_that_are_all_grey_and_alike_stay_so(void **state)
{
    (void)state;
    tn_dataset data = {0};
    clear();
    folder("");
    folder("x");
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "x/%03d.png", i);
        png(name, 4, 3, 1, i);
    }
    expect_ok(tn_dataset_images(scratch_path("set"), NULL, &data));
    assert_true(tn_shape_equal(&data.sample, &TN_SHAPE(1, 3, 4)) && !data.notice);
    tn_dataset_free(&data);
    copy("x/001.png", "x/000b.png", 30); /* is named when it is read, and not before */
    expect_ok(tn_dataset_images(scratch_path("set"), NULL, &data));
    expect_failure(tn_dataset_load(&data), TN_EFORMAT, "x/000b.png: is a damaged PNG");
    tn_dataset_free(&data);
}

static void the_names_of_classes_are_kept_to_the_letter(void **state)
{
    (void)state;
    tn_dataset train = {0}, test = {0};
    clear();
    folder("");
    folder("train");
    folder("test");
    folder("train/a b");
    folder("train/a\nb");
    folder("train/a\\nb");
    folder("test/a\nb");
    png("train/a b/1.png", 4, 4, 1, 0);
    png("train/a\nb/1.png", 4, 4, 1, 1);
    png("train/a\\nb/1.png", 4, 4, 1, 2);
    png("test/a\nb/1.png", 4, 4, 1, 3);
    expect_ok(tn_dataset_open(scratch_path("set"), 1, NULL, &train, &test));
    assert_string_equal(train.class_names, "a\\nb\na b\na\\\\nb\n");
    assert_int_equal(test.label[0], 0);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    folder("train/gr\xF6n");
    png("train/gr\xF6n/1.png", 4, 4, 1, 2);
    expect_failure(tn_dataset_open(scratch_path("set"), 1, NULL, &train, &test), TN_EFORMAT,
                   "train/gr?n: the name of a class is not UTF-8");
    clear();
}

static void folders_of_parts_are_two_sets(void **state)
{
    (void)state;
    const tn_open_options how = {.stream = TN_STREAM_YES}, loaded = {0};
    tn_dataset train = {0}, test = {0};
    clear();
    folder("");
    folder("train");
    folder("val");
    folder("train/x");
    folder("train/y");
    folder("val/y");
    png("train/x/1.png", 4, 4, 3, 0);
    png("train/y/1.png", 4, 4, 3, 1);
    png("val/y/1.png", 8, 6, 3, 2);
    expect_ok(tn_dataset_open_with(scratch_path("set"), &how, &train, &test));
    assert_true(train.count == 2 && test.count == 1 && test.classes == 2 && test.label[0] == 1 && test.loader);
    assert_true(tn_shape_equal(&train.sample, &test.sample));
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    expect_ok(tn_dataset_open_with(scratch_path("set"), &loaded, &train, &test));
    assert_true(train.x && test.x && !test.loader);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    folder("val/z");
    png("val/z/1.png", 8, 6, 3, 2);
    expect_failure(tn_dataset_open_with(scratch_path("set"), &how, &train, &test), TN_EFORMAT,
                   "val/z: is none of the classes of");
}

static void what_is_no_set_is_said(void **state)
{
    (void)state;
    tn_dataset data = {0};
    make_set();
    folder("empty");
    expect_failure(tn_dataset_images(scratch_path("set"), NULL, &data), TN_EFORMAT, "set/empty: has no images");
    clear();
    folder("");
    expect_failure(tn_dataset_images(scratch_path("set"), NULL, &data), TN_EFORMAT, "has no folders of images");
    expect_failure(tn_dataset_images(scratch_path("none"), NULL, &data), TN_EIO, "none: cannot be read as a folder");
    make_set();
    expect_ok(tn_dataset_images(scratch_path("set"), NULL, &data));
    copy("ant/b.png", "dog/2.png", 50);
    expect_failure(tn_dataset_load(&data), TN_EFORMAT, "dog/2.png: is a damaged PNG file");
    assert_true(data.loader != NULL);
    unlink(at("dog/2.png"));
    expect_failure(tn_dataset_load(&data), TN_EMISSING, "dog/2.png");
    tn_dataset_free(&data);
    copy("Cat/a.JPeG", "Cat/a.JPeG", 30);
    expect_failure(tn_dataset_images(scratch_path("set"), NULL, &data), TN_EFORMAT, "Cat/a.JPeG: is a damaged JPEG");
    expect_failure(tn_dataset_images(scratch_path("set"), &TN_SHAPE(4), &data), TN_ESHAPE, "(height, width)");
    clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_is_scaled_as_pillow_does_it),
        cmocka_unit_test(grey_and_colour_become_what_the_sample_is),
        cmocka_unit_test(an_image_that_cannot_be_read_is_named),
        cmocka_unit_test(classes_are_folders_and_images_come_in_order),
        cmocka_unit_test(images_that_are_all_grey_and_alike_stay_so),
        cmocka_unit_test(the_names_of_classes_are_kept_to_the_letter),
        cmocka_unit_test(folders_of_parts_are_two_sets),
        cmocka_unit_test(what_is_no_set_is_said),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
