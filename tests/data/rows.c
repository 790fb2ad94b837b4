/* rows.c: arrays that stay in their files: the same rows as when they are read whole, from each format, and what is
 * said where they can't stay, or are there no more. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include <setjmp.h>

#include <cmocka.h>

#include "arrays.h"
#include "golden_arrays.inc"
#include "rows.h"
#include "scratch.h"
#include "tenon/stats.h"

/* ---- files ---- */

static const char *npz_of(const char *name, const void *x, size_t bytes, int method)
{
    const char *path = scratch_path(name);
    unlink(path);
    zip_t *zip = zip_open(path, ZIP_CREATE, NULL);
    zip_int64_t first = zip_file_add(zip, "first.npy", zip_source_buffer(zip, npy_f4, sizeof npy_f4, 0), 0);
    zip_int64_t index = zip_file_add(zip, "x.npy", zip_source_buffer(zip, x, bytes, 0), 0);
    zip_set_file_compression(zip, (zip_uint64_t)first, ZIP_CM_STORE, 0);
    assert_int_equal(zip_set_file_compression(zip, (zip_uint64_t)index, method, 0), 0);
    assert_int_equal(zip_close(zip), 0);
    return path;
}

/* An array of rows in a safetensors file, named x. */
static const char *tensors_of(const char *dtype, const char *shape, const void *x, size_t bytes)
{
    char file[4096];
    int head = snprintf(file + 8, 1000,
                        "{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
                        "\"x\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[3,%zu]}}",
                        dtype, shape, bytes + 3);
    for (int i = 0; i < 8; i++) file[i] = (char)(i < 2 ? head >> 8 * i & 255 : 0);
    memcpy(file + 8 + head, "abc", 3);
    memcpy(file + 11 + head, x, bytes);
    return scratch_write("x.safetensors", file, 11 + (size_t)head + bytes);
}

/* ---- the same rows ---- */

/* Rows one by one, and all at once, are those of the whole array. */
static void check_rows(const char *path, const char *member)
{
    tn_array whole = {0}, all = {0};
    tn_rows *rows = NULL;
    expect_ok(tn_array_read(path, member, &whole));
    expect_ok(tn_rows_open(path, member, &rows));
    assert_true(tn_shape_equal(&rows->shape, &whole.shape));
    assert_int_equal(rows->element.dtype, whole.dtype);
    expect_ok(tn_rows_array(rows, &all));
    const size_t bytes = (size_t)tn_shape_count(&whole.shape) * tn_dtype_size(whole.dtype);
    assert_memory_equal(all.data, whole.data, bytes);
    const int64_t count = whole.shape.rank ? whole.shape.dim[0] : 1;
    for (int64_t i = count; i-- > 0;) {
        char row[256];
        expect_ok(tn_rows_read(rows, i, 1, row));
        assert_memory_equal(row, (char *)whole.data + (size_t)i * (bytes / (size_t)count), bytes / (size_t)count);
    }
    tn_rows_close(rows);
    tn_array_free(&all);
    tn_array_free(&whole);
}

static void rows_are_the_same_in_their_file_as_in_memory(void **state)
{
    (void)state;
    static const struct {
        const unsigned char *bytes;
        size_t size;
    } files[] = {{npy_f4, sizeof npy_f4},         {npy_f8_big, sizeof npy_f8_big}, {npy_i8, sizeof npy_i8},
                 {npy_i2_big, sizeof npy_i2_big}, {npy_u1, sizeof npy_u1},         {npy_u4, sizeof npy_u4},
                 {npy_bool, sizeof npy_bool},     {npy_scalar, sizeof npy_scalar}, {npy_empty, sizeof npy_empty}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        check_rows(scratch_write("a.npy", files[i].bytes, files[i].size), NULL);
        check_rows(npz_of("a.npz", files[i].bytes, files[i].size, ZIP_CM_STORE), "x");
    }
    const uint16_t half[] = {0x3c00, 0xc000, 0x7c00, 0x0001, 0x3555, 0x8000};
    const double wide[] = {1, -2.5, NAN, INFINITY, 1e-40, 0};
    const int64_t whole[] = {1, -2, INT32_MAX, INT32_MIN, 0, 7};
    check_rows(tensors_of("F16", "[3,2]", half, sizeof half), "x");
    check_rows(tensors_of("BF16", "[3,2]", half, sizeof half), "x");
    check_rows(tensors_of("F64", "[2,3]", wide, sizeof wide), "x");
    check_rows(tensors_of("F32", "[6,2]", wide, sizeof wide), "x");
    check_rows(tensors_of("I64", "[6]", whole, sizeof whole), "x");
    check_rows(tensors_of("U8", "[6,8]", whole, sizeof whole), "x");
    check_rows(tensors_of("I8", "[6,8]", whole, sizeof whole), "x");
    check_rows(tensors_of("U16", "[3,2]", half, sizeof half), "x");
}

/* A member of an archive with places and sizes of 64 bits, as those of 4 GiB and more have. */
static void wide_numbers_of_an_archive_are_read(void **state)
{
    (void)state;
    size_t size;
    char *zip = scratch_read(npz_of("a.npz", npy_u1, sizeof npy_u1, ZIP_CM_STORE), &size);
    char file[8192];
    uint32_t directory, bytes, second = 0;
    memcpy(&directory, zip + size - 22 + 16, 4);
    memcpy(&bytes, zip + size - 22 + 12, 4);
    memcpy(file, zip, directory);
    char *to = file + directory;
    for (uint32_t at = directory; at < directory + bytes;) { /* each entry with an extra field of three wide numbers */
        uint16_t name, extra;
        uint32_t place;
        memcpy(&name, zip + at + 28, 2);
        memcpy(&extra, zip + at + 30, 2);
        memcpy(&place, zip + at + 42, 4);
        memcpy(to, zip + at, 46 + name);
        memset(to + 20, 0xff, 8);
        memset(to + 42, 0xff, 4);
        memcpy(to + 30, "\x1c\0", 2);
        char *wide = to + 46 + name;
        memset(wide, 0, 28);
        memcpy(wide, "\1\0\x18\0", 4);
        memcpy(wide + 4, zip + at + 24, 4);
        memcpy(wide + 12, zip + at + 20, 4);
        memcpy(wide + 20, &place, 4);
        to = wide + 28;
        at += 46u + name + extra;
        second = place;
    }
    assert_true(second > 0);
    const uint64_t begin = directory, end = (uint64_t)(to - file), length = end - begin, two = 2, rest = 44;
    memset(to, 0, 76);
    memcpy(to, "PK\6\6", 4);
    memcpy(to + 4, &rest, 8);
    memcpy(to + 24, &two, 8);
    memcpy(to + 32, &two, 8);
    memcpy(to + 40, &length, 8);
    memcpy(to + 48, &begin, 8);
    memcpy(to + 56, "PK\6\7", 4);
    memcpy(to + 64, &end, 8);
    to[72] = 1;
    memcpy(to + 76, zip + size - 22, 22);
    memset(to + 76 + 8, 0xff, 12);
    check_rows(scratch_write("wide.npz", file, (size_t)(to + 98 - file)), "x");
    free(zip);
}

/* Pictures with their channels last, and whole numbers, are changed as they are read. */
static void samples_of_a_stream_are_those_in_memory(void **state)
{
    (void)state;
    uint8_t pixels[2 * 3 * 4 * 3];
    int64_t whole[12];
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37);
    for (int i = 0; i < 12; i++) whole[i] = i * i;
    const char *paths[] = {"U8", "[2,3,4,3]", "I64", "[3,2,2]"};
    for (int f = 0; f < 2; f++) {
        tn_dataset memory = {0}, stream = {0};
        const char *path = f ? tensors_of(paths[2], paths[3], whole, sizeof whole)
                             : tensors_of(paths[0], paths[1], pixels, sizeof pixels);
        expect_ok(tn_dataset_arrays(path, "x", NULL, 0, &memory));
        expect_ok(tn_arrays_open(path, "x", NULL, 0, 1, &stream));
        assert_true(stream.loader && !stream.x && stream.count == memory.count && stream.x_dtype == memory.x_dtype);
        assert_true(tn_shape_equal(&stream.sample, &memory.sample));
        for (int64_t i = 0; i < memory.count; i++) {
            char one[512], other[512];
            expect_ok(tn_dataset_sample(&memory, i, one, NULL));
            expect_ok(tn_dataset_sample(&stream, i, other, NULL));
            assert_memory_equal(one, other, (size_t)tn_shape_count(&memory.sample) * tn_dtype_size(memory.x_dtype));
        }
        tn_dataset_free(&memory);
        tn_dataset_free(&stream);
    }
}

/* Two passes over a stream find what is found in memory, to the bit, and scale alike. */
static void a_stream_is_scaled_as_memory_is(void **state)
{
    (void)state;
    float x[40][3];
    for (int i = 0; i < 40; i++)
        for (int c = 0; c < 3; c++) x[i][c] = c == 2 ? 7 : (i * 7 + c) % 11 == 3 ? NAN : (float)(i * 31 % 17) / 3;
    const char *path = tensors_of("F32", "[40,3]", x, sizeof x);
    for (int32_t kind = TN_SCALE_NONE; kind <= TN_SCALE_UNIT; kind++) {
        tn_dataset memory = {0}, stream = {0};
        tn_scaler a = {0}, b = {0};
        expect_ok(tn_dataset_arrays(path, "x", NULL, 0, &memory));
        expect_ok(tn_arrays_open(path, "x", NULL, 0, 1, &stream));
        expect_ok(tn_scaler_learn(&a, kind, -1, 1, &memory));
        expect_ok(tn_scaler_learn(&b, kind, -1, 1, &stream));
        assert_memory_equal(a.mean, b.mean, 3 * sizeof *a.mean);
        assert_true(!a.centre == !b.centre);
        if (a.centre) assert_memory_equal(a.centre, b.centre, 3 * sizeof *a.centre);
        if (a.centre) assert_memory_equal(a.spread, b.spread, 3 * sizeof *a.spread);
        expect_ok(tn_dataset_scale(&memory, &a));
        expect_ok(tn_dataset_scale(&stream, &b));
        tn_scaler_free(&b); /* the data set has one of its own */
        for (int64_t i = 0; i < 40; i++) {
            float one[3], other[3];
            expect_ok(tn_dataset_sample(&memory, i, one, NULL));
            expect_ok(tn_dataset_sample(&stream, i, other, NULL));
            assert_memory_equal(one, other, sizeof one);
        }
        tn_scaler_free(&a);
        tn_dataset_free(&memory);
        tn_dataset_free(&stream);
    }
}

/* ---- what is said ---- */

static void an_infinite_value_is_named_with_its_file(void **state)
{
    (void)state;
    const float x[] = {1, 2, INFINITY, 4};
    const char *path = tensors_of("F32", "[2,2]", x, sizeof x);
    for (int stream = 0; stream < 2; stream++) {
        tn_dataset data = {0};
        tn_scaler scaler = {0};
        expect_ok(tn_arrays_open(path, "x", NULL, 0, stream, &data));
        expect_failure(tn_scaler_learn(&scaler, TN_SCALE_STANDARD, 0, 1, &data), TN_EINVAL,
                       "x.safetensors: scaling: column 0 has an infinite value");
        tn_dataset_free(&data);
    }
}

static void a_file_that_becomes_shorter_is_an_error(void **state)
{
    (void)state;
    tn_dataset data = {0};
    char row[64];
    const char *path = scratch_write("a.npy", npy_f4, sizeof npy_f4);
    expect_ok(tn_arrays_open(path, NULL, NULL, 0, 1, &data));
    expect_ok(tn_dataset_sample(&data, 2, row, NULL));
    assert_int_equal(truncate(path, (off_t)sizeof npy_f4 - 20), 0);
    expect_ok(tn_dataset_sample(&data, 0, row, NULL));
    expect_failure(tn_dataset_sample(&data, 1, row, NULL), TN_EIO, "a.npy: row 1 is not there any more");
    tn_dataset_free(&data);
}

static void a_damaged_member_is_found_before_its_rows_are_read(void **state)
{
    (void)state;
    tn_rows *rows = NULL;
    const char *path = npz_of("c.npz", npy_u1, sizeof npy_u1, ZIP_CM_STORE);
    expect_ok(tn_rows_open(path, "x", &rows));
    const off_t last = (off_t)rows->begin + 11; /* of (3, 4) bytes */
    tn_rows_close(rows);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseeko(file, last, SEEK_SET), 0);
    const int byte = getc(file);
    assert_int_equal(fseeko(file, last, SEEK_SET), 0);
    putc(byte ^ 1, file);
    assert_int_equal(fclose(file), 0);
    expect_failure(tn_rows_open(path, "x", &rows), TN_EFORMAT, "c.npz: x: is a damaged archive: CRC error");
    expect_ok(tn_rows_open(path, "first", &rows));
    tn_rows_close(rows);
}

static void what_must_be_read_whole_says_so(void **state)
{
    (void)state;
    tn_rows *rows = NULL;
    expect_failure(tn_rows_open(scratch_write("f.npy", npy_fortran, sizeof npy_fortran), NULL, &rows), TN_EUNSUPPORTED,
                   "fortran_order");
    expect_failure(tn_rows_open(npz_of("d.npz", npy_f4, sizeof npy_f4, ZIP_CM_DEFLATE), "x", &rows), TN_EUNSUPPORTED,
                   "compressed");
    expect_failure(tn_rows_open(scratch_gzip("i.gz", "\0\0\10\1\0\0\0\2ab", 10), NULL, &rows), TN_EUNSUPPORTED,
                   "compressed");
    expect_failure(tn_rows_open(npz_of("d.npz", npy_f4, sizeof npy_f4, ZIP_CM_STORE), "y", &rows), TN_EMISSING,
                   "has no array 'y'");
    expect_failure(tn_rows_open(scratch_text("t", "text"), NULL, &rows), TN_EFORMAT, "t: is no IDX file");
    expect_failure(tn_rows_open(scratch_path("none"), NULL, &rows), TN_EMISSING, "none");
    const double far[] = {1, 1e300};
    expect_ok(tn_rows_open(tensors_of("F64", "[2]", far, sizeof far), "x", &rows));
    char row[8];
    expect_ok(tn_rows_read(rows, 0, 1, row));
    expect_failure(tn_rows_read(rows, 1, 1, row), TN_EFORMAT,
                   "has 1e+300, a number beyond the range of f32, near row 1");
    tn_rows_close(rows);
    const uint32_t most[] = {7, 4294967295u};
    expect_ok(tn_rows_open(tensors_of("U32", "[2]", most, sizeof most), "x", &rows));
    expect_failure(tn_rows_read(rows, 0, 2, row), TN_EFORMAT, "has 4294967295, a number beyond the range of i32");
    tn_rows_close(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_the_same_in_their_file_as_in_memory),
        cmocka_unit_test(wide_numbers_of_an_archive_are_read),
        cmocka_unit_test(samples_of_a_stream_are_those_in_memory),
        cmocka_unit_test(a_stream_is_scaled_as_memory_is),
        cmocka_unit_test(an_infinite_value_is_named_with_its_file),
        cmocka_unit_test(a_file_that_becomes_shorter_is_an_error),
        cmocka_unit_test(a_damaged_member_is_found_before_its_rows_are_read),
        cmocka_unit_test(what_must_be_read_whole_says_so),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
