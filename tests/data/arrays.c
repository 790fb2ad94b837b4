/* arrays.c: NumPy's files and safetensors, good and bad. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "alloc.h"
#include "golden_arrays.inc"
#include "near.h"
#include "scratch.h"
#include "tenon/data.h"

#define COUNT(array)         (sizeof(array) / sizeof *(array))
#define FILE_OF(name, bytes) scratch_write(name, bytes, sizeof(bytes))

static double number_at(const tn_array *x, int64_t i)
{
    if (x->dtype == TN_I32) return ((int32_t *)x->data)[i];
    return x->dtype == TN_U8 ? ((uint8_t *)x->data)[i] : ((float *)x->data)[i];
}

static void arrays_of_numpy_are_read_in_all_their_types_and_orders(void **state)
{
    static const struct {
        const char *name;
        const unsigned char *bytes;
        size_t size;
        int32_t dtype;
        int lowest; /* of the numbers: see golden_arrays.py */
        tn_shape shape;
    } cases[] = {
#define CASE(name, ...) {#name, npy_##name, sizeof npy_##name, __VA_ARGS__}
        CASE(f4, TN_F32, -5, {2, {3, 4}}),    CASE(f8_big, TN_F32, -5, {2, {3, 4}}),
        CASE(i8, TN_I32, -5, {1, {12}}),      CASE(i2_big, TN_I32, -5, {2, {2, 6}}),
        CASE(u1, TN_U8, 0, {2, {3, 4}}),      CASE(u4, TN_I32, 0, {2, {3, 4}}),
        CASE(bool, TN_I32, 0, {2, {3, 4}}),   CASE(scalar, TN_F32, -5, {0, {0}}),
        CASE(empty, TN_F32, -5, {2, {0, 4}}), CASE(fortran, TN_F32, -5, {3, {2, 3, 2}}),
#undef CASE
    };
    (void)state;
    for (size_t c = 0; c < COUNT(cases); c++) {
        tn_array x = {0};
        expect_ok(tn_array_read(scratch_write("a.npy", cases[c].bytes, cases[c].size), NULL, &x));
        assert_int_equal(x.dtype, cases[c].dtype);
        assert_true(tn_shape_equal(&x.shape, &cases[c].shape));
        for (int64_t i = 0; i < tn_shape_count(&x.shape); i++) {
            double want = (double)(i * 7 % 23 + cases[c].lowest);
            if (!strcmp(cases[c].name, "bool")) want = (double)(i * 7 % 23 % 2);
            if (number_at(&x, i) != want)
                fail_msg("%s: element %d: expected %g, got %g", cases[c].name, (int)i, want, number_at(&x, i));
        }
        tn_array_free(&x);
    }
}

/* ---- writing ---- */

static void what_is_written_is_read_again(void **state)
{
    static const float x[6] = {1, -2.5f, NAN, INFINITY, 1e-40f, 0};
    static const tn_shape shapes[] = {{1, {6}}, {2, {2, 3}}, {6, {1, 2, 1, 3, 1, 1}}, {2, {0, 9}}};
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        tn_array back = {0};
        size_t size;
        expect_ok(tn_array_write(scratch_path("w.npy"), TN_F32, shapes[i], x));
        char *bytes = scratch_read(scratch_path("w.npy"), &size);
        assert_int_equal((bytes[8] + 10) % 64 + bytes[9], 0); /* where the elements begin */
        free(bytes);
        expect_ok(tn_array_read(scratch_path("w.npy"), NULL, &back));
        assert_true(tn_shape_equal(&back.shape, &shapes[i]));
        assert_memory_equal(back.data, x, (size_t)tn_shape_count(&shapes[i]) * sizeof *x);
        tn_array_free(&back);
    }
    expect_failure(tn_array_write(scratch_path("w.npy"), TN_BF16, TN_SHAPE(1), x), TN_EDTYPE, "bf16");
    expect_failure(tn_array_write(scratch_path("none/w.npy"), TN_F32, TN_SHAPE(1), x), TN_EMISSING, "none");
}

/* ---- mistakes ---- */

/* A file with that header and `count` bytes of elements. */
static const char *with_header(const char *header, size_t count)
{
    unsigned char bytes[1024] = "\x93NUMPY\1\0";
    size_t length = strlen(header);
    bytes[8] = (unsigned char)(length & 255);
    bytes[9] = (unsigned char)(length >> 8);
    memcpy(bytes + 10, header, length);
    return scratch_write("h.npy", bytes, 10 + length + count);
}

static void headers_are_read_as_python_writes_them(void **state)
{
    static const char *const fine[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }          \n",
        "{\"shape\":(2L,3L),\"fortran_order\":True,\"descr\":\"<f4\"}",
        " { 'shape' : ( 2 , 3 , ) , 'descr' : '=f4' , 'fortran_order' : False } ",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(fine); i++) {
        tn_array x = {0};
        expect_ok(tn_array_read(with_header(fine[i], 24), NULL, &x));
        assert_true(tn_shape_equal(&x.shape, &TN_SHAPE(2, 3)));
        tn_array_free(&x);
    }
}

static void bad_files_are_refused_by_one_line(void **state)
{
#define HEAD(descr, order, shape) "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }"
    static const struct {
        const char *header;
        size_t bytes;
        const char *say;
    } cases[] = {
        {HEAD("'<f4'", "False", "(2, 3)"), 23, "is cut short: elements of (2, 3) need 24 bytes, found 23"},
        {HEAD("'<f4'", "False", "(2, 3)"), 25, "has bytes too many"},
        {HEAD("'<f3'", "False", "(2,)"), 6, "of a type that is not read"},
        {HEAD("'|O'", "False", "(2,)"), 4, "of a type that is not read"},
        {HEAD("'<U3'", "False", "(2,)"), 24, "of a type that is not read"},
        {HEAD("'<c8'", "False", "(2,)"), 16, "of a type that is not read"},
        {HEAD("'<f48'", "False", "(2,)"), 16, "of a type that is not read"},
        {HEAD("'f4'", "False", "(2,)"), 8, "of a type that is not read"},
        {HEAD("[('a', '<f4')]", "False", "(2,)"), 8, "no plain numbers"},
        {HEAD("'<f4'", "Falsch", "(2,)"), 8, "neither True nor False"},
        {HEAD("'<f4'", "False", "2"), 8, "its shape is none"},
        {HEAD("'<f4'", "False", "(2"), 8, "its shape is none"},
        {HEAD("'<f4'", "False", "(-2,)"), 8, "its shape is none"},
        {HEAD("'<f4'", "False", "(1, 1, 1, 1, 1, 1, 1, 1, 1)"), 4, "too many dimensions"},
        {HEAD("'<f4'", "False", "(99999999999999, 99999999999999)"), 4, "absurd dimensions"},
        {HEAD("'<f4'", "False", "(9999999999999999999999,)"), 4, "its shape is none"},
        {HEAD("'<f4'", "False", "(4000000000,)"), 4, "need 16000000000 bytes, found 4"},
        {"{'descr': '<f4', 'shape': (1,)}", 4, "lacks descr"},
        {"{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}", 4, "not expected"},
        {"{'descr': '<f4', 'other': 3}", 4, "not expected"},
        {"{'descr': '<f4' 'shape': (1,)}", 4, "no dictionary"},
        {"('descr', '<f4')", 4, "no dictionary"},
        {HEAD("'<f4'", "False", "(1,)") " x", 4, "something follows"},
        {"", 4, "no dictionary"},
        {"{", 4, "no dictionary"},
    };
    tn_array x = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        expect_failure(tn_array_read(with_header(cases[i].header, cases[i].bytes), NULL, &x), TN_EFORMAT, cases[i].say);
    expect_failure(tn_array_read(scratch_text("t.npy", "hello"), NULL, &x), TN_EFORMAT, "too short");
    expect_failure(tn_array_read(scratch_text("t.npy", "hello, world"), NULL, &x), TN_EFORMAT, "is no array of NumPy");
    expect_failure(tn_array_read(scratch_write("t.npy", "\x93NUMPY\4\0\0\0", 10), NULL, &x), TN_EFORMAT, "version");
    expect_failure(tn_array_read(scratch_write("t.npy", "\x93NUMPY\1\0\xff\0", 10), NULL, &x), TN_EFORMAT,
                   "within its");
    expect_failure(tn_array_read(scratch_write("t.npy", "\x93NUMPY\2\0\0\0\xff\xff", 12), NULL, &x), TN_EFORMAT,
                   "absurdly long");
    expect_failure(tn_array_read(scratch_path("nothing.npy"), NULL, &x), TN_EMISSING, "nothing.npy");
    expect_failure(tn_array_read(FILE_OF("a.npy", npy_f4), "x", &x), TN_EMISSING, "no array 'x'");
    assert_null(x.data);
}

/* Bits and values as NumPy 1.24 has them for 1, -2, 1/3, the largest, the smallest and infinity. */
static void halves_become_f32_in_either_order_of_bytes(void **state)
{
    static const uint16_t bits[] = {0x3c00, 0xc000, 0x3555, 0x7bff, 0x0001, 0x7c00};
    static const float values[] = {1, -2, 0.333251953125f, 65504, 5.960464477539063e-08f, INFINITY};
    (void)state;
    for (int big = 0; big < 2; big++) {
        unsigned char file[128] = "\x93NUMPY\1\0";
        tn_array x = {0};
        int length = snprintf((char *)file + 10, 100, "{'descr': '%cf2', 'fortran_order': False, 'shape': (6,)}",
                              big ? '>' : '<');
        file[8] = (unsigned char)length;
        for (int i = 0; i < 12; i++) file[10 + length + i] = (unsigned char)(bits[i / 2] >> (i % 2 == big ? 0 : 8));
        expect_ok(tn_array_read(scratch_write("f2.npy", file, (size_t)length + 22), NULL, &x));
        assert_int_equal(x.dtype, TN_F32);
        assert_memory_equal(x.data, values, sizeof values);
        tn_array_free(&x);
    }
}

static void numbers_that_do_not_fit_are_refused(void **state)
{
    unsigned char wide[sizeof npy_i8], large[sizeof npy_f8_big], whole[sizeof npy_u4];
    const uint32_t most = 3000000000u;
    tn_array x = {0};
    (void)state;
    memcpy(whole, npy_u4, sizeof whole);
    memcpy(whole + sizeof whole - 4, &most, 4);
    expect_failure(tn_array_read(FILE_OF("u.npy", whole), NULL, &x), TN_EFORMAT,
                   "has 3000000000, a number beyond the range of i32");
    memcpy(wide, npy_i8, sizeof wide);
    wide[sizeof wide - 3] = 1;
    expect_failure(tn_array_read(FILE_OF("w.npy", wide), NULL, &x), TN_EFORMAT, "a number beyond the range of i32");
    memcpy(large, npy_f8_big, sizeof large);
    large[sizeof large - 8] = 0x7e;
    expect_failure(tn_array_read(FILE_OF("l.npy", large), NULL, &x), TN_EFORMAT, "beyond the range of f32");
}

/* ---- archives ---- */

static void arrays_of_archives_are_found_by_name(void **state)
{
    tn_array x = {0};
    (void)state;
    expect_ok(tn_array_read(FILE_OF("p.npz", npz_pictures), "y", &x));
    assert_int_equal(x.dtype, TN_I32);
    assert_int_equal(((int32_t *)x.data)[11], 2);
    tn_array_free(&x);
    expect_failure(tn_array_read(FILE_OF("p.npz", npz_pictures), "z", &x), TN_EMISSING, "has no array 'z'");
    expect_failure(tn_array_read(FILE_OF("p.npz", npz_pictures), NULL, &x), TN_EMISSING, "has 2 arrays");
    expect_ok(tn_array_read(FILE_OF("a.npz", npz_alone), NULL, &x));
    assert_near(((float *)x.data)[1], 2, 0);
    tn_array_free(&x);
}

/* An archive with one member of that content; `flags` for its compression. */
static const char *make_zip(const char *member, const void *bytes, size_t size, int method)
{
    const char *path = scratch_path("made.npz");
    remove(path);
    zip_t *zip = zip_open(path, ZIP_CREATE, NULL);
    zip_source_t *source = zip_source_buffer(zip, bytes, size, 0);
    zip_int64_t index = zip_file_add(zip, member, source, 0);
    assert_true(index >= 0);
    assert_int_equal(zip_set_file_compression(zip, (zip_uint64_t)index, method, 0), 0);
    assert_int_equal(zip_close(zip), 0);
    return path;
}

/* No program that minds makes one: the second name is changed afterwards, in both places where it stands. */
static void an_archive_with_two_members_of_one_name_is_refused(void **state)
{
    size_t size = 0;
    int changed = 0;
    tn_array x = {0};
    const char *path = scratch_path("twice.npz");
    (void)state;
    remove(path);
    zip_t *zip = zip_open(path, ZIP_CREATE, NULL);
    for (int i = 0; i < 2; i++)
        assert_true(zip_file_add(zip, i ? "y.npy" : "x.npy", zip_source_buffer(zip, npy_f4, sizeof npy_f4, 0), 0) >= 0);
    assert_int_equal(zip_close(zip), 0);
    expect_ok(tn_array_read(path, "x", &x));
    tn_array_free(&x);
    char *bytes = scratch_read(path, &size);
    for (size_t i = 0; i + 5 <= size; i++)
        if (!memcmp(bytes + i, "y.npy", 5)) bytes[i] = 'x', changed++;
    assert_int_equal(changed, 2);
    path = scratch_write("twice.npz", bytes, size);
    free(bytes);
    expect_failure(tn_array_read(path, "x", &x), TN_EFORMAT, "two members are named 'x.npy'");
}

static void damaged_archives_are_refused(void **state)
{
    unsigned char bad[sizeof npz_parts];
    tn_array x = {0};
    (void)state;
    memcpy(bad, npz_parts, sizeof bad);
    for (size_t i = 0; i < sizeof bad; i++)
        if (!memcmp(npz_parts + i, "NUMPY", 5)) {
            bad[i + 200] ^= 1; /* within the first array's numbers */
            break;
        }
    expect_failure(tn_array_read(FILE_OF("b.npz", bad), "x_train", &x), TN_EFORMAT, "damaged archive");
    expect_failure(tn_array_read(scratch_write("c.npz", npz_parts, sizeof npz_parts / 2), "x_train", &x), TN_EFORMAT,
                   "damaged archive");
    expect_failure(tn_array_read(make_zip("x.npy", "hello, world", 12, ZIP_CM_DEFLATE), "x", &x), TN_EFORMAT,
                   "x: is no array of NumPy");
    expect_failure(tn_array_read(make_zip("x.npy", npy_f4, sizeof npy_f4 - 1, ZIP_CM_STORE), "x", &x), TN_EFORMAT,
                   "x: is cut short");
    expect_ok(tn_array_read(make_zip("x.npy", npy_f4, sizeof npy_f4, ZIP_CM_STORE), "x", &x));
    tn_array_free(&x);
    if (!zip_compression_method_supported(ZIP_CM_BZIP2, 1)) return;
    expect_failure(tn_array_read(make_zip("x.npy", npy_f4, sizeof npy_f4, ZIP_CM_BZIP2), "x", &x), TN_EFORMAT,
                   "otherwise than by deflate");
    assert_null(x.data);
}

/* ---- safetensors ---- */

static const struct {
    double f64[2];
    float f32[2];
    int32_t i32[2];
    uint16_t f16[2], bf16[2];
    uint8_t u8[2];
} each_type = {{1, -0.5}, {1, -0.5f}, {1, -5}, {0x3C00, 0xB800}, {0x3F80, 0xBF00}, {1, 250}};
static const char each_header[] = "{\"f64\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]},"
                                  "\"f32\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]},"
                                  "\"i32\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[24,32]},"
                                  "\"f16\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[32,36]},"
                                  "\"bf16\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[36,40]},"
                                  "\"u8\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[40,42]}}";

static void tensors_are_read_by_name_and_floating_ones_become_f32(void **state)
{
    static const struct {
        const char *name;
        int32_t dtype;
        double second;
    } cases[] = {{"f64", TN_F32, -0.5}, {"f32", TN_F32, -0.5},  {"i32", TN_I32, -5},
                 {"f16", TN_F32, -0.5}, {"bf16", TN_F32, -0.5}, {"u8", TN_U8, 250}};
    const char *path = scratch_tensors(each_header, &each_type, 42);
    tn_array x = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        expect_ok(tn_array_read(path, cases[i].name, &x));
        assert_int_equal(x.dtype, cases[i].dtype);
        assert_near(number_at(&x, 0), 1, 0);
        assert_near(number_at(&x, 1), cases[i].second, 0);
        tn_array_free(&x);
    }
    expect_failure(tn_array_read(path, "z", &x), TN_EMISSING, "has no array 'z'");
    expect_failure(tn_array_read(path, NULL, &x), TN_EMISSING, "not have one array alone");
    expect_failure(tn_array_read(scratch_tensors(each_header, &each_type, 41), "f32", &x), TN_EFORMAT, "is cut short");
    const double large = 1e300;
    expect_failure(tn_array_read(scratch_tensors("{\"x\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]}}",
                                                 &large, sizeof large),
                                 NULL, &x),
                   TN_EFORMAT, "tensor 'x' has a number beyond the range of f32");
    assert_null(x.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_of_numpy_are_read_in_all_their_types_and_orders),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(headers_are_read_as_python_writes_them),
        cmocka_unit_test(bad_files_are_refused_by_one_line),
        cmocka_unit_test(halves_become_f32_in_either_order_of_bytes),
        cmocka_unit_test(numbers_that_do_not_fit_are_refused),
        cmocka_unit_test(arrays_of_archives_are_found_by_name),
        cmocka_unit_test(an_archive_with_two_members_of_one_name_is_refused),
        cmocka_unit_test(damaged_archives_are_refused),
        cmocka_unit_test(tensors_are_read_by_name_and_floating_ones_become_f32),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
