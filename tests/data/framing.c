/* framing.c: how sets are framed; what is kept of that, and what fails. */
#include "sheets.h"

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
    expect_ok(tn_image_read_framed(path, &like_mnist, &sample, from_file, &ink));
    framed(s, &like_mnist, from_levels);
    assert_memory_equal(from_file, from_levels, sizeof from_file);
    assert_int_equal(ink.left, 30);
    expect_failure(tn_image_read_framed(path, &like_mnist, &colour, from_file, &ink), TN_ESHAPE, "a grey picture");
    expect_failure(tn_image_read_framed(scratch_text("b", "no"), &like_mnist, &sample, from_file, NULL), TN_EFORMAT,
                   "is no picture");
    expect_failure(tn_image_frame(s->level, 100, 100, &(tn_framing){0}, &sample, from_file, NULL), TN_EINVAL,
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
                             : tn_image_frame(s->level, 100, 100, &like_mnist, &sample, out, NULL);
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
        cmocka_unit_test(a_framing_survives_as_text),
        cmocka_unit_test(a_file_is_framed_as_its_levels_are),
        cmocka_unit_test(a_failed_allocation_leaks_nothing),
    };
    return cmocka_run_group_tests_name("framing", tests, scratch_begin, scratch_end);
}
