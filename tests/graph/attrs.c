/* attrs.c: the rows of attributes: they say all of each struct, and what is copied, checked and printed by them. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "attrs.h"
#include "tenon/backend_check.h"

/* ---- all of it ---- */

static void cover(const tn_op_def *op, const tn_field *rows, uint64_t from, uint64_t size)
{
    unsigned char seen[256] = {0};
    assert_true(size <= sizeof seen);
    for (const tn_field *f = rows; f->name; f++)
        for (uint32_t i = 0; i < f->bytes; i++) {
            if (f->offset + i >= size || seen[f->offset + i]) fail_msg("%s: %s is there twice", op->name, f->name);
            seen[f->offset + i] = 1;
        }
    /* The first field of a variable's first values is followed by 4 bytes of nothing. */
    for (uint64_t i = from; i < size; i++)
        if (!seen[i] && !(op == &tn_op_variable && i >= 4 && i < 8))
            fail_msg("%s: no row for byte %d of its attributes", op->name, (int)i);
}

static void test_rows_say_all_of_the_attributes(void **state)
{
    (void)state;
    const tn_op_def *op;
    int graphs = 0, crossing = 0;
    for (size_t i = 0; (op = tn_op_number(i)); i++) {
        if (op->attrs_size && !op->fields) fail_msg("%s has attributes and no rows", op->name);
        if (op->attrs_size) cover(op, op->fields, 0, op->attrs_size), graphs++;
        const tn_op_form *form = tn_op_form_find(op->name);
        if ((form && form->attrs) != !!op->crosses) fail_msg("%s: rows at the boundary", op->name);
        if (!op->crosses || op->crosses->holds == TN_HOLDS_PROGRAM) continue;
        cover(op, op->crosses, sizeof(uint64_t), form->attrs), crossing++;
    }
    assert_true(graphs > 30), assert_true(crossing > 15);
}

/* ---- checking ---- */

/* A value that this field must not have, for operands of 2 dimensions. */
static int wrong_for(const tn_field *f, int64_t *value)
{
    static const int64_t wrong[] = {[TN_HOLDS_NOTHING] = 1, [TN_HOLDS_SIZE] = -2,  [TN_HOLDS_FACTOR] = 0,
                                    [TN_HOLDS_FLAG] = 2,    [TN_HOLDS_AXIS] = 2,   [TN_HOLDS_AXES] = 4,
                                    [TN_HOLDS_DTYPE] = 77,  [TN_HOLDS_WORD] = 999, [TN_HOLDS_STREAM] = 1 << 24};
    const int is_number = f->holds == TN_HOLDS_NUMBER || f->holds >= TN_HOLDS_SCALAR;
    *value = is_number ? 0 : wrong[f->holds];
    return !is_number;
}

/* Factors are 1, types f32, all else 0. */
static void fill(const tn_op_def *op, unsigned char *attrs)
{
    memset(attrs, 0, op->attrs_size);
    for (const tn_field *f = op->fields; f->name; f++)
        for (uint32_t i = 0; i < f->count && (f->holds == TN_HOLDS_FACTOR || f->holds == TN_HOLDS_DTYPE); i++)
            memcpy(attrs + f->offset + i * (f->bytes / f->count), &(int32_t){1}, sizeof(int32_t));
}

static void test_a_value_out_of_its_range_is_refused_by_its_name(void **state)
{
    (void)state;
    const tn_op_def *op;
    unsigned char attrs[256];
    int tried = 0;
    for (size_t i = 0; (op = tn_op_number(i)); i++)
        for (const tn_field *f = op->fields; f && f->name; f++) {
            int64_t value;
            if (!wrong_for(f, &value)) continue;
            fill(op, attrs);
            ok(tn_fields_check(op->fields, op->name, attrs, 2));
            memcpy(attrs + f->offset + f->bytes - f->bytes / f->count, &value, f->bytes / f->count); /* the last one */
            assert_true(tn_fields_check(op->fields, op->name, attrs, 2) != TN_OK);
            assert_non_null(strstr(tn_message(), op->name)), assert_non_null(strstr(tn_message(), f->name));
            tried++;
        }
    assert_true(tried > 40);
}

static void test_shapes_of_attributes_are_checked(void **state)
{
    (void)state;
    const tn_shape good = {2, {3, -1}}, deep = {9, {1}}, below = {1, {-2}}, beyond = {1, {2, 5}};
    ok(tn_fields_check(tn_op_reshape.fields, "reshape", &good, 2));
    assert_int_equal(tn_fields_check(tn_op_reshape.fields, "reshape", &deep, 2), TN_ESHAPE);
    assert_int_equal(tn_fields_check(tn_op_reshape.fields, "reshape", &below, 2), TN_ESHAPE);
    assert_int_equal(tn_fields_check(tn_op_reshape.fields, "reshape", &beyond, 2), TN_ESHAPE);
}

/* ---- copying and printing ---- */

/* max(value 0 + value 1, scalar 2) */
static const tn_map_instr instr[] = {{"add", {0, 1, -1, -1}, TN_F32, 0, 0},
                                     {"scalar", {2, -1, -1, -1}, TN_F32, 0, 0},
                                     {"max", {2, 3, -1, -1}, TN_F32, 0, 0}};
static const int32_t out = 4;
static const tn_map_attrs program = {sizeof program, instr, &out, 3, 2, 1, 3};
static const tn_reduce_attrs reduce = {sizeof reduce, "prod", &program, {5, 7}, 2, 1};
static const tn_matmul_attrs matmul = {sizeof matmul, &program, 0, 1, 1, 0}, plain = {sizeof plain, NULL, 0, 0, 0, 0};
static const tn_conv_attrs conv = {sizeof conv, &program, {2, 1}, {0, 3}, {1, 1}, 4, 0};
static const tn_conv_attrs usual = {sizeof usual, NULL, {1, 1}, {0, 0}, {1, 1}, 1, 0};
static const tn_slice_attrs slice = {sizeof slice, {0, 4}, {1, -1}};
static const tn_window_attrs window = {sizeof window, 5, 0};
static const tn_transpose_attrs transpose = {sizeof transpose, {1, 0}};
static const tn_pool_attrs pool = {sizeof pool, {2, 2}, {1, 1}, {1, 0}, 1, 0};
#define PROGRAM "max(add(0, 1), $2)"
static const struct {
    const char *op;
    const void *attrs;
    const char *text;
    uint32_t scalars;
    const tn_map_attrs *program;
} known[] = {{"map", &program, PROGRAM, 3, &program},
             {"reduce", &reduce, "prod of " PROGRAM, 3, &program},
             {"matmul", &matmul, "b transposed, sums of a, then " PROGRAM, 3, &program},
             {"matmul", &plain, "", 0, NULL},
             {"conv2d", &conv, "stride 2 1, pad 0 3, groups 4, then " PROGRAM, 3, &program},
             {"conv2d_weight", &usual, "", 0, NULL},
             {"slice", &slice, "start 0 4, step 1 -1", 0, NULL},
             {"window", &window, "from $5", 6, NULL},
             {"transpose", &transpose, "perm 1 0", 0, NULL},
             {"maxpool2d", &pool, "window 2 2, pad 1 0, count_pad", 0, NULL},
             {"softmax", NULL, "", 0, NULL}};
enum { KNOWN = sizeof known / sizeof *known };

static tn_op_desc describe(int i)
{
    static const tn_tensor_desc x = {TN_F32, 2, {5, 7}, {7, 1}};
    return (tn_op_desc){.size = sizeof(tn_op_desc), .name = known[i].op, .in = &x, .n_in = 1, .attrs = known[i].attrs};
}

static void test_attributes_are_printed_by_their_rows(void **state)
{
    (void)state;
    char text[200], little[12];
    for (int i = 0; i < KNOWN; i++) {
        const tn_op_desc desc = describe(i);
        assert_string_equal(tn_attrs_text(&desc, text, sizeof text), known[i].text);
        assert_int_equal(strlen(tn_attrs_text(&desc, little, sizeof little)) < sizeof little, 1);
        assert_memory_equal(little, known[i].text, strlen(little));
        assert_int_equal(tn_attrs_scalars(&desc), known[i].scalars);
        assert_ptr_equal(tn_attrs_program(&desc), known[i].program);
    }
}

/* The program of the copy is a copy, too, down to the texts. */
static void test_a_copy_shares_nothing(void **state)
{
    (void)state;
    tn_region region = {0};
    char text[200];
    for (int i = 0; i < KNOWN; i++) {
        tn_op_desc desc = describe(i);
        if (!desc.attrs) continue;
        desc.attrs = tn_attrs_copy(&region, &desc);
        assert_non_null(desc.attrs), assert_ptr_not_equal(desc.attrs, known[i].attrs);
        assert_string_equal(tn_attrs_text(&desc, text, sizeof text), known[i].text);
        const tn_map_attrs *map = tn_attrs_program(&desc);
        assert_int_equal(map != NULL, known[i].program != NULL);
        if (!map) continue;
        assert_ptr_not_equal(map, &program), assert_ptr_not_equal(map->instr, program.instr);
        assert_ptr_not_equal(map->out, program.out), assert_ptr_not_equal(map->instr->op, program.instr->op);
    }
    const tn_reduce_attrs *copied = tn_attrs_copy(&region, &(tn_op_desc){.name = "reduce", .attrs = &reduce});
    assert_ptr_not_equal(copied->kind, reduce.kind);
    tn_region_free(&region);
}

static void test_another_program_takes_the_place_of_one(void **state)
{
    (void)state;
    const tn_map_attrs other = {sizeof other, instr, &out, 1, 2, 1, 0};
    for (int i = 0; i < KNOWN; i++) {
        tn_any_attrs attrs = {0};
        tn_op_desc desc = describe(i);
        if (!desc.attrs) continue;
        memcpy(&attrs, desc.attrs, *(const uint64_t *)desc.attrs);
        desc.attrs = &attrs;
        tn_attrs_set_program(desc.name, &attrs, &other);
        const tn_map_attrs *now = tn_attrs_program(&desc);
        if (known[i].program) assert_int_equal(now->n_instr, 1);
    }
}

/* ---- to people ---- */

static void find_epilogue(void *arg, const char *line)
{
    int *found = arg;
    *found |= strstr(line, "conv2d") && strstr(line, "pad 1 1, then relu(add(");
}

static void test_explain_shows_what_follows_a_convolution(void **state)
{
    int found = 0;
    tn_program *p = NULL;
    fixture f = use_device(*state, 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 3, 8, 8));
    tn_output(tn_relu(tn_conv2d(x, "conv", .filters = 4, .kernel = {3, 3}, .pad = {1, 1})), "y");
    ok(tn_compile(g, f.state, NULL, &p));
    tn_program_explain(p, find_epilogue, &found);
    assert_true(found);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

int main(int argc, char **argv)
{
    char *device = argc > 1 ? argv[1] : (char *)"reference";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_say_all_of_the_attributes),
        cmocka_unit_test(test_a_value_out_of_its_range_is_refused_by_its_name),
        cmocka_unit_test(test_shapes_of_attributes_are_checked),
        cmocka_unit_test(test_attributes_are_printed_by_their_rows),
        cmocka_unit_test(test_a_copy_shares_nothing),
        cmocka_unit_test(test_another_program_takes_the_place_of_one),
        cmocka_unit_test_prestate(test_explain_shows_what_follows_a_convolution, device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
