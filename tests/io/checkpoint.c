/* checkpoint.c: reading safetensors files: ours, others', hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "file_of.h"
#include "tenon/backend.h"
#include "tenon/state.h"

static void hostile_files_are_refused_with_their_culprit(void **state)
{
    static const struct {
        const char *header, *part;
        size_t data;
        tn_status status;
    } cases[] = {
        {"xx", "its header is not JSON", 0, TN_EFORMAT},
        {"[]", "its header is not JSON", 0, TN_EFORMAT},
        {"{\"a\":", "its header is not JSON at byte", 0, TN_EFORMAT},
        {"{} x", "something follows the JSON of its header at byte 11", 0, TN_EFORMAT},
        {"{\"a\":1}", "tensor 'a' is not described by an object", 0, TN_EFORMAT},
        {"{\"a\":{}}", "tensor 'a' has no dtype", 0, TN_EFORMAT},
        {"{\"a\":{\"dtype\":1}}", "tensor 'a' has no dtype", 0, TN_EFORMAT},
        {"{\"a\":{\"dtype\":\"F32\"}}", "tensor 'a' has no shape", 0, TN_EFORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", "tensor 'a' has no valid data_offsets", 0, TN_EFORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0]}}", "no valid data_offsets", 4, TN_EFORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4,8]}}", "no valid data_offsets", 8, TN_EFORMAT},
        {"{\"a\":" T("F31", "1", 0, 4) "}", "tensor 'a' has an unknown dtype 'F31'", 4, TN_EFORMAT},
        {"{\"a\":" T("f32", "1", 0, 4) "}", "tensor 'a' has an unknown dtype 'f32'", 4, TN_EFORMAT},
        {"{\"a\":" T("I64", "1", 0, 4) "}", "tensor 'a' of type I64 and shape (1) needs 8 bytes, but has 4", 4,
         TN_EFORMAT},
        {"{\"a\":" T("F32", "-1", 0, 4) "}", "tensor 'a': dimension 0 is not a whole number", 4, TN_EFORMAT},
        {"{\"a\":" T("F32", "1,1.5", 0, 4) "}", "tensor 'a': dimension 1 is not a whole number", 4, TN_EFORMAT},
        {"{\"a\":" T("F32", "\"1\"", 0, 4) "}", "tensor 'a': dimension 0 is not a whole number", 4, TN_EFORMAT},
        {"{\"a\":" T("F32", "1e300", 0, 4) "}", "tensor 'a': dimension 0 is not a whole number", 4, TN_EFORMAT},
        {"{\"a\":" T("F32", "4294967296,4294967296", 0, 0) "}", "tensor 'a' has an absurd shape", 0, TN_EFORMAT},
        {"{\"a\":" T("F32", "0,9007199254740992,9007199254740992", 0, 0) "}", "an absurd shape", 0, TN_EFORMAT},
        {"{\"a\":" T("F32", "1,1,1,1,1,1,1,1,1", 0, 4) "}", "tensor 'a' has more than 8 dimensions", 4, TN_EFORMAT},
        {"{\"a\":" T("F32", "2", 0, 8) "}", "is cut short: tensor 'a' ends at byte 8 of the data, of which there are 7",
         7, TN_EFORMAT},
        {"{\"a\":" T("F32", "2", 0, 8) "}", "1 bytes after the last tensor", 9, TN_EFORMAT},
        {"{\"a\":" T("F32", "2", 8, 0) "}", "tensor 'a' has no valid data_offsets", 8, TN_EFORMAT},
        {"{\"a\":" T("F32", "2", -8, 0) "}", "tensor 'a' has no valid data_offsets", 8, TN_EFORMAT},
        {"{\"a\":" T("F32", "2,3", 0, 8) "}", "tensor 'a' of type F32 and shape (2, 3) needs 24 bytes, but has 8", 8,
         TN_EFORMAT},
        {"{\"a\":" T("F32", "2", 4, 12) "}", "4 bytes before tensor 'a' belong to none", 12, TN_EFORMAT},
        {"{\"a\":" T("F32", "1", 0, 4) ",\"b\":" T("F32", "1", 2, 6) "}", "tensors 'a' and 'b' overlap", 6, TN_EFORMAT},
        {"{\"a\":" T("F32", "1", 0, 4) ",\"b\":" T("F32", "1", 0, 4) "}", "tensors 'a' and 'b' overlap", 4, TN_EFORMAT},
        {"{\"b\":" T("F32", "1", 8, 12) ",\"a\":" T("F32", "1", 0, 4) "}", "4 bytes before tensor 'b' belong to none",
         12, TN_EFORMAT},
        {"{\"a\":" T("F32", "1", 0, 4) ",\"a\":" T("F32", "1", 4, 8) "}", "two tensors are named 'a'", 8, TN_EFORMAT},
        {"{\"__metadata__\":3}", "__metadata__ is not an object", 0, TN_EFORMAT},
        {"{\"__metadata__\":{\"k\":3}}", "note 'k' is not a text", 0, TN_EFORMAT},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", "two tensors are named '__metadata__'", 0, TN_EFORMAT},
        {"{\"__metadata__\":{\"tenon.step\":\"-1\"}}", "note 'tenon.step' is '-1'", 0, TN_EFORMAT},
        {"{\"__metadata__\":{\"tenon.seed\":\"\"}}", "note 'tenon.seed' is ''", 0, TN_EFORMAT},
        {"{\"__metadata__\":{\"tenon.steps\":\"7\"}}", "note 'tenon.steps' is '7'", 0, TN_EFORMAT},
        {"{\"__metadata__\":{\"tenon.steps\":\"{\\\"w\\\":1.5}\"}}", "note 'tenon.steps' is", 0, TN_EFORMAT},
        {"{\"__metadata__\":{\"tenon.steps\":\"{\\\"w\\\":\\\"1\\\"}\"}}", "note 'tenon.steps' is", 0, TN_EFORMAT},
        {"{\"__metadata__\":{\"tenon.steps\":\"{\\\"w\\\":-1}\"}}", "note 'tenon.steps' is", 0, TN_EFORMAT},
        {"{\"__metadata__\":{\"tenon.seed\":\"18446744073709551616\"}}", "note 'tenon.seed' is", 0, TN_EFORMAT},
        {"{\"a\\u0000b\":" T("F32", "1", 0, 4) "}", "a zero byte in a name or text at byte 11", 4, TN_EFORMAT},
        {"{\"__metadata__\":{\"k\":\"\\\\\\u0000\"}}", "a zero byte in a name or text", 0, TN_EFORMAT},
        {"{\"a\xC3\":" T("F32", "1", 0, 4) "}", "its header is not UTF-8 at byte 11", 4, TN_EFORMAT},
        {"{\"\xED\xA0\x80\":" T("F32", "1", 0, 4) "}", "its header is not UTF-8 at byte 10", 4, TN_EFORMAT},
        {"{\"__metadata__\":{\"k\":\"\xC0\x80\"}}", "its header is not UTF-8", 0, TN_EFORMAT},
        {"{\"a\":" T("F32", "1", 0, 4) ",\"\\u0061\":" T("F32", "1", 4, 8) "}", "two tensors are named 'a'", 8,
         TN_EFORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[0,4]}}",
         "two keys are named 'dtype' of a", 4, TN_EFORMAT},
        {"{\"__metadata__\":{\"k\":\"1\",\"l\":\"2\",\"k\":\"3\"}}", "two notes are named 'k'", 0, TN_EFORMAT},
        {"{\"two\\nlines\":7}", "tensor 'two lines'", 0, TN_EFORMAT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_checkpoint *checkpoint = NULL;
        tn_status status = tn_checkpoint_open(write_file(cases[i].header, cases[i].data), &checkpoint);
        expect_failure(status, cases[i].status, cases[i].part);
        expect_failure(status, cases[i].status, "file.safetensors: ");
        assert_null(checkpoint);
    }
}

static void deep_nesting_is_refused(void **state)
{
    static char header[7000];
    tn_checkpoint *checkpoint = NULL;
    (void)state;
    memset(header, '[', sizeof header - 1);
    memcpy(header, "{\"a\":", 5);
    expect_failure(tn_checkpoint_open(write_file(header, 0), &checkpoint), TN_EFORMAT, "is not JSON");
}

static void absurd_header_lengths_and_cuts_are_refused(void **state)
{
    static const unsigned char lengths[][9] = {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
                                               "\0\0\0\0\0\0\0\x80",
                                               "\x03\0\0\0\0\0\0",
                                               "\0\xE1\xF5\x05\0\0\0",
                                               "\0\0\0\0\0\0\0",
                                               "\x01\0\0\0\0\0\0"};
    size_t size = 0;
    tn_checkpoint *checkpoint = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char file[10] = "........{}";
        memcpy(file, lengths[i], 8);
        expect_failure(tn_checkpoint_open(scratch_write("length", file, 10), &checkpoint), TN_EFORMAT, "length: is ");
    }
    char *whole = scratch_read(write_file("{\"a\":" T("F32", "2", 0, 8) "}", 8), &size);
    for (size_t n = 0; n < size; n++)
        expect_failure(tn_checkpoint_open(scratch_write("cut", whole, n), &checkpoint), TN_EFORMAT, "cut: is ");
    free(whole);
    expect_failure(tn_checkpoint_open(scratch_path("nowhere"), &checkpoint), TN_EMISSING, "nowhere");
    expect_failure(tn_checkpoint_open("/tmp", &checkpoint), TN_EIO, "/tmp: is a folder");
    expect_failure(tn_checkpoint_open("/dev/zero", &checkpoint), TN_EIO, "/dev/zero: is not a regular file");
    assert_null(checkpoint);
}

/* As other programs write them: no notes, no padding, tensors in any order, so that data lies at odd places. */
static void files_of_other_programs_are_read(void **state)
{
    tn_checkpoint *checkpoint = NULL;
    tn_state_entry entry;
    const void *data = NULL;
    tn_shape expected = TN_SHAPE(1, 2);
    (void)state;
    expect_ok(tn_checkpoint_open(
        write_file(
            "{\"w\":" T("F64", "1,2", 3, 19) ", \"m\": " T("U8", "3", 0, 3) ",\"e\":" T("BF16", "0", 19, 19) "}  ", 19),
        &checkpoint));
    assert_true(tn_checkpoint_at(checkpoint, 0, &entry, &data));
    assert_string_equal(entry.name, "m");
    assert_memory_equal(data, "\1\2\3", 3);
    assert_true(tn_checkpoint_find(checkpoint, "w", &entry, &data));
    assert_int_equal(entry.dtype, TN_F64);
    assert_true(tn_shape_equal(&entry.shape, &expected));
    assert_int_equal((uintptr_t)data % 8, 0);
    assert_int_equal(((const unsigned char *)data)[0], 4);
    assert_int_equal(((const unsigned char *)data)[15], 19);
    assert_true(tn_checkpoint_at(checkpoint, 2, &entry, NULL));
    assert_int_equal(entry.shape.dim[0], 0);
    assert_false(tn_checkpoint_at(checkpoint, 3, &entry, &data));
    assert_false(tn_checkpoint_find(checkpoint, "v", &entry, &data));
    assert_null(tn_checkpoint_note(checkpoint, "net"));
    tn_checkpoint_close(checkpoint);
    expect_ok(tn_checkpoint_open(write_file("{}", 0), &checkpoint));
    assert_false(tn_checkpoint_at(checkpoint, 0, &entry, &data));
    tn_checkpoint_close(checkpoint);
    tn_checkpoint_close(NULL);
}

/* An escaped backslash before "u0000" is none of a zero byte. */
static void names_of_any_script_and_odd_backslashes_are_read(void **state)
{
    tn_checkpoint *checkpoint = NULL;
    (void)state;
    expect_ok(tn_checkpoint_open(write_file("{\"__metadata__\":{\"\\\\u0000\":\"\\u00e9\\\\\"},"
                                            "\"\xE5\xB1\xA4.\xF0\x9F\x99\x82\":" T("F32", "1", 0, 4) "}",
                                            4),
                                 &checkpoint));
    assert_string_equal(tn_checkpoint_note(checkpoint, "\\u0000"), "\xC3\xA9\\");
    assert_true(tn_checkpoint_find(checkpoint, "\xE5\xB1\xA4.\xF0\x9F\x99\x82", &(tn_state_entry){0}, NULL));
    tn_checkpoint_close(checkpoint);
}

static void notes_of_our_own_files_are_no_tensors(void **state)
{
    tn_checkpoint *checkpoint = NULL;
    (void)state;
    expect_ok(tn_checkpoint_open(write_file("{\"__metadata__\":{\"tenon.version\":\"0.1.0\",\"freeze\":\"fc1.weight\"},"
                                            "\"fc1.weight\":" T("F32", "1", 0, 4) "}",
                                            4),
                                 &checkpoint));
    assert_true(tn_checkpoint_find(checkpoint, "fc1.weight", &(tn_state_entry){0}, NULL));
    assert_false(tn_checkpoint_find(checkpoint, "freeze", &(tn_state_entry){0}, NULL));
    assert_string_equal(tn_checkpoint_note(checkpoint, "freeze"), "fc1.weight");
    tn_checkpoint_close(checkpoint);
}

static void tensors_get_other_names(void **state)
{
    static const char header[] = "{\"__metadata__\":{\"module.tied.w\":\"module.fc1.w\"},"
                                 "\"module.fc1.w\":" T("F32", "1", 0, 4) ",\"module.fc10.w\":" T("F32", "1", 4, 8) //
        ",\"module.head\":" T("F32", "1", 8, 12) ",\"free\":" T("F32", "1", 12, 16) "}";
    static const struct {
        const char *rules, *there, *gone;
        tn_status status;
        const char *say;
    } cases[] = {
        {"module.=", "fc1.w,fc10.w,head,free,tied.w", "module.fc1.w", TN_OK, NULL},
        {"module=", "fc1.w,fc10.w,head,free,tied.w", "module.head", TN_OK, NULL},
        {"module.fc1=a.b", "a.b.w,module.fc10.w,module.head,free,module.tied.w", "module.fc1.w", TN_OK, NULL},
        {"module.head=x, module.=net.", "x,net.fc1.w,net.fc10.w,net.tied.w,free", "net.head", TN_OK, NULL},
        {"free=module.free,module=", "module.free,fc1.w", "free", TN_OK, NULL},
        {"free=free", "free,module.fc1.w", "fc1.w", TN_OK, NULL},
        {"modul=", "module.fc1.w,free", "e.fc1.w", TN_EMISSING, "no tensor is called 'modul'"},
        {"module.=,fc1=x", "module.fc1.w,free", "fc1.w", TN_EMISSING, "no tensor is called 'fc1'"},
        {"module.fc1=module.fc10", "module.fc1.w,module.fc10.w", "x", TN_EINVAL,
         "two tensors would be named 'module.fc10.w'"},
        {"module.head=free", "module.head,free", "x", TN_EINVAL, "two tensors would be named 'free'"},
        {"free=", "module.fc1.w,free", "x", TN_EINVAL, "'free' would have no name left"},
        {"module.", "module.fc1.w", "x", TN_EINVAL, "'module.' is not OLD=NEW"},
        {"=x", "module.fc1.w", "x", TN_EINVAL, "'=x' is not OLD=NEW"},
        {"", "module.fc1.w", "x", TN_EINVAL, "'' is not OLD=NEW"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_checkpoint *checkpoint = NULL;
        tn_state_entry entry;
        char names[100], *cursor = names;
        expect_ok(tn_checkpoint_open(write_file(header, 16), &checkpoint));
        tn_status status = tn_checkpoint_rename(checkpoint, cases[i].rules);
        if (cases[i].status)
            expect_failure(status, cases[i].status, cases[i].say);
        else
            expect_ok(status);
        snprintf(names, sizeof names, "%s", cases[i].there);
        for (char *name; (name = strsep(&cursor, ","));)
            if (!tn_checkpoint_find(checkpoint, name, &entry, NULL)) fail_msg("%s: no '%s'", cases[i].rules, name);
        assert_false(tn_checkpoint_find(checkpoint, cases[i].gone, &entry, NULL));
        tn_checkpoint_close(checkpoint);
    }
}

static char said[400];

static void listen(void *arg, int32_t level, const char *line)
{
    (void)arg, (void)level;
    strncat(said, line, sizeof said - strlen(said) - 1);
}

/* As PyTorch counts batches, and masks. Numbers that no i32 holds, and those of 8 bits, are left out. */
static void whole_numbers_of_other_types_become_i32(void **state)
{
    static const struct {
        int64_t i64[2], large[1];
        uint64_t u64[1];
        uint32_t u32[1], above[1];
        int16_t i16[3];
        uint16_t u16[1];
        uint8_t truth[3];
        int8_t i8[3];
        uint8_t f8[2];
    } data = {{-7, INT32_MAX}, {INT32_MAX + 1LL}, {9},       {8},        {UINT32_MAX},
              {-300, 5, 6},    {65535},           {1, 0, 1}, {-1, 2, 3}, {1, 2}};
    static const struct {
        const char *name;
        int64_t count;
        int32_t value[3];
    } cases[] = {{"i64", 2, {-7, INT32_MAX}}, {"u64", 1, {9}},     {"u32", 1, {8}},
                 {"i16", 3, {-300, 5, 6}},    {"u16", 1, {65535}}, {"bool", 3, {1, 0, 1}}};
    static const char header[] =
        "{\"i64\":" T("I64", "2", 0, 16) ",\"large\":" T("I64", "1", 16, 24) ",\"u64\":" T("U64", "1", 24, 32)  //
        ",\"u32\":" T("U32", "1", 32, 36) ",\"above\":" T("U32", "1", 36, 40) ",\"i16\":" T("I16", "3", 40, 46) //
        ",\"u16\":" T("U16", "1", 46, 48) ",\"bool\":" T("BOOL", "3", 48, 51) ",\"i8\":" T("I8", "3", 51, 54)   //
        ",\"f8\":" T("F8_E4M3", "2", 54, 56) "}";
    unsigned char file[1024] = {0};
    tn_checkpoint *checkpoint = NULL;
    tn_state_entry entry;
    const void *value = NULL;
    (void)state;
    file[0] = (unsigned char)(sizeof header - 1), file[1] = (unsigned char)((sizeof header - 1) >> 8);
    memcpy(file + 8, header, sizeof header - 1);
    memcpy(file + 8 + sizeof header - 1, &data, 56);
    tn_log_to(listen, NULL, TN_LOG_WARNING);
    expect_ok(tn_checkpoint_open(scratch_write("whole", file, 8 + sizeof header - 1 + 56), &checkpoint));
    tn_log_to(NULL, NULL, TN_LOG_WARNING);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(tn_checkpoint_find(checkpoint, cases[i].name, &entry, &value));
        assert_int_equal(entry.dtype, TN_I32);
        assert_int_equal(tn_shape_count(&entry.shape), cases[i].count);
        assert_memory_equal(value, cases[i].value, (size_t)cases[i].count * sizeof(int32_t));
    }
    assert_true(tn_checkpoint_find(checkpoint, "i8", &entry, &value) && entry.dtype == TN_I8);
    assert_memory_equal(value, ((const int8_t[]){-1, 2, 3}), 3);
    assert_true(tn_checkpoint_at(checkpoint, 6, &entry, NULL));
    assert_false(tn_checkpoint_at(checkpoint, 7, &entry, NULL));
    for (size_t i = 0; i < 3; i++) {
        static const char *const out[] = {"large", "above", "f8"};
        assert_false(tn_checkpoint_find(checkpoint, out[i], &entry, NULL));
        assert_non_null(strstr(said, out[i]));
    }
    assert_non_null(strstr(said, "tensor 'large' is left out: it has a number beyond the range of i32"));
    tn_checkpoint_close(checkpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_files_are_refused_with_their_culprit),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(absurd_header_lengths_and_cuts_are_refused),
        cmocka_unit_test(names_of_any_script_and_odd_backslashes_are_read),
        cmocka_unit_test(files_of_other_programs_are_read),
        cmocka_unit_test(notes_of_our_own_files_are_no_tensors),
        cmocka_unit_test(tensors_get_other_names),
        cmocka_unit_test(whole_numbers_of_other_types_become_i32),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, scratch_begin, scratch_end);
}
