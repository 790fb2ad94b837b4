/* backend_check.c: the checks of backend_check.h: right descriptions pass, with the facts that kernels are made from,
 * and each thing that is wrong is refused with the status that backend_check.h promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "tenon/backend_check.h"
#include "op_samples.h"

static char text[160];
static tn_op_facts facts;

static int32_t ask(const sample *s)
{
    tn_msg msg = {text, sizeof text};
    *text = 0;
    int32_t status = tn_check_op(&s->desc, &facts, &msg);
    if (status && !*text) fail_msg("%s is refused without a line", s->desc.name);
    if (strchr(text, '\n')) fail_msg("a line with a newline: %s", text);
    return status;
}

/* The answer, and what was asked if it is another. */
static void expect(const sample *s, int32_t status, const char *what)
{
    const int32_t answer = ask(s);
    if (answer != status) fail_msg("%s, %s: status %d instead of %d (%s)", s->desc.name, what, answer, status, text);
}

static void make(sample *s, const char *name)
{
    int i = 0;
    while (strcmp(sample_rows[i].name, name)) i++;
    sample_make(s, i);
}

/* ---- what is right ---- */

static void test_every_operator_passes(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        sample s;
        sample_make(&s, i);
        expect(&s, TN_OK, "as it should be");
        s.desc.alias = NULL;
        expect(&s, TN_OK, "without alias");
    }
}

static void test_facts_of_products_and_pictures(void **state)
{
    (void)state;
    sample s;
    make(&s, "matmul");
    s.operand[0].stride[0] = 0;
    expect(&s, TN_OK, "a batch that is repeated");
    assert_int_equal(facts.size.b, 2), assert_int_equal(facts.size.m, 3);
    assert_int_equal(facts.size.n, 5), assert_int_equal(facts.size.k, 4);
    assert_int_equal(facts.a_step, 0), assert_int_equal(facts.b_step, 20);
    assert_int_equal(facts.dtype, TN_F32);
    assert_ptr_equal(facts.mapping.map, &s.map);
    assert_int_equal(facts.mapping.given, 1), assert_int_equal(tn_mapping_dtype(&facts.mapping, 2), TN_F32);
    for (int i = 0; i < SAMPLES; i++)
        if (!strncmp(sample_rows[i].name, "conv2d", 6)) {
            sample_make(&s, i);
            expect(&s, TN_OK, "a convolution");
            assert_int_equal(facts.size.c, 4), assert_int_equal(facts.size.g, 2), assert_int_equal(facts.size.k, 6);
            assert_int_equal(facts.size.r, 3), assert_int_equal(facts.size.q, 4);
            assert_int_equal(facts.reach[0], 9), assert_int_equal(facts.reach[1], 8);
        }
}

/* An image's channels from their usual place to the end. */
static void put_last(tn_tensor_desc *x)
{
    const int64_t channels = x->dim[1];
    x->dim[1] = x->dim[2], x->dim[2] = x->dim[3], x->dim[3] = channels;
    sample_dense(x);
}

static void test_channels_last(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        sample s;
        tn_op_facts last;
        tn_msg msg = {text, sizeof text};
        sample_make(&s, i);
        const int is_pool = strstr(s.desc.name, "pool2d") != NULL;
        uint32_t *flag = is_pool ? &s.attrs.pool.channels_last : &s.attrs.conv.channels_last;
        if (!is_pool && strncmp(s.desc.name, "conv2d", 6)) continue;
        expect(&s, TN_OK, "channels at their usual place");
        *flag = 1;
        assert_int_equal(tn_check_op_with(&s.desc, TN_TAKES_CHANNELS_LAST, &last, &msg), TN_ESHAPE);
        for (uint32_t k = 0; k < s.desc.n_in + s.desc.n_out; k++) {
            const int is_weight = !is_pool && k == (strcmp(s.desc.name, "conv2d_weight") ? 1 : 2);
            if (!is_weight) put_last(&s.operand[k]);
        }
        assert_int_equal(tn_check_op_with(&s.desc, TN_TAKES_CHANNELS_LAST, &last, &msg), TN_OK);
        assert_int_equal(last.channels_last, 1);
        assert_memory_equal(&last.size, &facts.size, sizeof facts.size);
        assert_memory_equal(last.reach, facts.reach, sizeof facts.reach);
        expect(&s, TN_EUNSUPPORTED, "channels last, of a backend that does not take that");
        *flag = 2;
        assert_int_equal(tn_check_op_with(&s.desc, TN_TAKES_CHANNELS_LAST, &last, &msg), TN_EUNSUPPORTED);
    }
}

static void test_facts_of_reductions(void **state)
{
    (void)state;
    sample s;
    make(&s, "reduce");
    s.attrs.reduce.kind = "argmax";
    expect(&s, TN_EDTYPE, "a place in f32");
    s.operand[2].dtype = TN_I32;
    expect(&s, TN_OK, "a place in i32");
    assert_int_equal(facts.gives_place, 1), assert_int_equal(facts.dtype, TN_F32);
    s.attrs.reduce.dim[0] = s.operand[0].dim[0] = s.operand[1].dim[0] = 0;
    expect(&s, TN_EUNSUPPORTED, "the largest of nothing");
    s.attrs.reduce.kind = "sum", s.operand[2].dtype = TN_F32;
    expect(&s, TN_OK, "the sum of nothing");
}

static void test_element_types_have_a_size_and_a_type_they_are_computed_in(void **state)
{
    (void)state;
    static const int32_t whole[] = {TN_I32, TN_U8}, narrow[] = {TN_F16, TN_BF16};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tn_value_dtype(whole[i]), TN_I32), assert_int_equal(tn_dtype_size(narrow[i]), 2);
        assert_int_equal(tn_value_dtype(narrow[i]), TN_F32);
    }
    assert_int_equal(tn_value_dtype(TN_I8), TN_I32), assert_int_equal(tn_dtype_size(TN_I8), 1);
    assert_int_equal(tn_dtype_size(TN_F32), 4), assert_int_equal(tn_value_dtype(TN_F32), TN_F32);
    assert_int_equal(tn_dtype_size(TN_I32), 4), assert_int_equal(tn_dtype_size(TN_U8), 1);
    assert_int_equal(tn_dtype_size(TN_F64), 8), assert_int_equal(tn_value_dtype(TN_F64), TN_F64);
    assert_int_equal(tn_dtype_size(0) + tn_dtype_size(-1) + tn_dtype_size(TN_I8 + 1), 0);
    assert_int_equal(tn_value_dtype(0) + tn_value_dtype(-1) + tn_value_dtype(TN_I8 + 1), 0);
}

static void test_rows_and_instructions_by_name(void **state)
{
    (void)state;
    const tn_formula *row = tn_formula_find("add.da");
    assert_non_null(row), assert_int_equal(row->whole, 1);
    assert_true(tn_formula_names(row, 3)); /* dy, and neither a nor b nor y */
    for (int k = 0; k < 3; k++) assert_false(tn_formula_names(row, k));
    assert_true(tn_formula_names(tn_formula_find("exp"), 0));
    assert_false(tn_formula_names(tn_formula_find("exp.grad"), 0)); /* the x of exp is no x */
    assert_null(tn_formula_find("no_such_row")), assert_null(tn_formula_find(""));
    assert_int_equal(tn_special_find("where"), TN_INSTR_WHERE), assert_int_equal(tn_special_find("relu"), -1);
}

/* ---- what is wrong, of any operator ---- */

static void test_descriptions(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        struct {
            tn_op_desc known;
            uint64_t later[2];
        } longer;
        sample s;
        sample_make(&s, i);
        const tn_op_desc right = s.desc;
        s.desc.size = 8;
        expect(&s, TN_EINVAL, "a description of 8 bytes");
        s.desc = right, s.desc.n_out = 0;
        expect(&s, TN_EINVAL, "no output");
        s.desc = right, s.desc.in = NULL;
        expect(&s, TN_EINVAL, "no inputs");
        s.desc = right, s.desc.n_in += s.desc.n_out, s.desc.out = s.desc.in;
        if (ask(&s) == TN_OK) fail_msg("%s takes %u inputs", s.desc.name, s.desc.n_in);
        s.desc = right, s.alias[0] = (int32_t)right.n_in;
        expect(&s, TN_EINVAL, "over an input that is not there");
        s.alias[0] = -2;
        expect(&s, TN_EINVAL, "over input -2");
        s.alias[0] = -1, s.desc.name = "no_such_operator";
        expect(&s, TN_EUNSUPPORTED, "an unknown name");
        s.desc = right, s.desc.precision = 1;
        expect(&s, TN_EUNSUPPORTED, "a precision");
        s.desc.size = offsetof(tn_op_desc, precision);
        expect(&s, TN_OK, "a description of version 1.0");
        longer.known = right, longer.known.size = sizeof longer, longer.later[0] = longer.later[1] = 0;
        assert_int_equal(tn_check_op(&longer.known, &facts, NULL), TN_OK);
        longer.later[1] = 1;
        assert_int_equal(tn_check_op(&longer.known, &facts, NULL), TN_EUNSUPPORTED);
    }
}

static void test_attributes(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        sample s;
        sample_make(&s, i);
        const uint64_t known = s.attrs.size;
        if (known) {
            s.desc.attrs = NULL;
            expect(&s, TN_EINVAL, "no attributes");
            s.desc.attrs = &s.attrs, s.attrs.size = known - 8;
            expect(&s, TN_EINVAL, "attributes that are too short");
        }
        s.desc.attrs = &s.attrs, s.attrs.size = known + 24;
        expect(&s, TN_OK, "zeros behind the attributes");
        s.attrs.room[(known ? known : 8) + 15] = 1;
        expect(&s, TN_EUNSUPPORTED, "an attribute of a later version");
    }
}

static void test_reserved_fields(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t at;
    } fields[] = {{"matmul", offsetof(tn_matmul_attrs, reserved)},
                  {"window", offsetof(tn_window_attrs, reserved)},
                  {"topk", offsetof(tn_topk_attrs, reserved)},
                  {"searchsorted", offsetof(tn_searchsorted_attrs, reserved)},
                  {"attend", offsetof(tn_attend_attrs, reserved)},
                  {"attend_grad", offsetof(tn_attend_attrs, reserved)},
                  {"layer_norm", offsetof(tn_layer_norm_attrs, reserved)},
                  {"layer_norm_grad", offsetof(tn_layer_norm_attrs, reserved)},
                  {"conv2d", offsetof(tn_conv_attrs, channels_last)},
                  {"conv2d_data", offsetof(tn_conv_attrs, channels_last)},
                  {"conv2d_weight", offsetof(tn_conv_attrs, channels_last)},
                  {"maxpool2d", offsetof(tn_pool_attrs, channels_last)},
                  {"avgpool2d_grad", offsetof(tn_pool_attrs, channels_last)}};
    sample s;
    for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) {
        make(&s, fields[f].name);
        s.attrs.room[fields[f].at] = 1;
        expect(&s, TN_EUNSUPPORTED, "a reserved field that is set");
    }
    make(&s, "map");
    s.instr[0].reserved = 1;
    expect(&s, TN_EUNSUPPORTED, "a reserved field of an instruction");
}

/* A size that two operands have in common can't be changed in one; those that stand alone are listed. */
static int stands_alone(const char *name, uint32_t operand, int32_t d)
{
    static const struct {
        const char *name;
        uint32_t operand;
        int32_t d;
    } alone[] = {{"gather", 0, 0}, {"window", 0, 0},  {"window", 1, 0}, {"scatter_add", 2, 0}, {"slice", 0, 0},
                 {"slice", 0, 1},  {"unslice", 1, 0}, {"topk", 0, 1},   {"topk", 1, 1},        {"searchsorted", 0, 1},
                 {"take", 0, 1},   {"put", 2, 1},     {"unslice", 1, 1}};
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
        if (!strcmp(name, alone[i].name) && operand == alone[i].operand && d == alone[i].d) return 1;
    /* a window fits pictures of any size; an epilogue's operands have that of the result */
    if (!strcmp(name, "conv2d") && operand > 1) return 0;
    if (!strcmp(name, "maxpool2d_grad")) return d >= 2 && operand == 1;
    return d >= 2 && (!strncmp(name, "conv2d", 6) || !strcmp(name, "maxpool2d") || !strncmp(name, "avgpool2d", 9));
}

static void test_operands(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        sample s;
        sample_make(&s, i);
        for (uint32_t k = 0; k < s.desc.n_in + s.desc.n_out; k++) {
            tn_tensor_desc *x = &s.operand[k];
            const tn_tensor_desc right = *x;
            x->dtype = 99;
            expect(&s, TN_EUNSUPPORTED, "an unknown type");
            *x = right, x->rank = TN_MAX_RANK + 1;
            expect(&s, TN_ESHAPE, "a rank of 9");
            x->rank = -1;
            expect(&s, TN_ESHAPE, "a rank of -1");
            *x = right, x->rank++, x->dim[right.rank] = x->stride[right.rank] = 1;
            expect(&s, TN_ESHAPE, "another rank");
            for (int32_t d = 0; d < right.rank; d++) {
                *x = right, x->dim[d] = -1;
                expect(&s, TN_ESHAPE, "a size of -1");
                *x = right, x->dim[d]++, sample_dense(x);
                expect(&s, stands_alone(s.desc.name, k, d) ? TN_OK : TN_ESHAPE, "another size");
                if (right.dim[d] == 1) continue;
                *x = right, x->stride[d] += 1;
                if (ask(&s) != TN_EUNSUPPORTED) fail_msg("%s: stride of operand %u: %s", s.desc.name, k, text);
            }
            *x = right;
        }
    }
}

static void test_numbers_that_overflow(void **state)
{
    (void)state;
    static const int64_t large[] = {INT64_MAX, INT64_MAX / 2 + 1, (int64_t)1 << 62, (int64_t)1 << 53, INT64_MIN};
    for (int i = 0; i < SAMPLES; i++)
        for (size_t n = 0; n < sizeof large / sizeof *large; n++) {
            sample s;
            sample_make(&s, i);
            for (uint32_t k = 0; k < s.desc.n_in + s.desc.n_out; k++)
                for (int32_t d = 0; d < s.operand[k].rank; d++) {
                    const int64_t right = s.operand[k].dim[d];
                    s.operand[k].dim[d] = large[n];
                    if (ask(&s) == TN_OK) fail_msg("%s takes a size of %lld", s.desc.name, (long long)large[n]);
                    s.operand[k].dim[d] = right;
                }
        }
}

/* Sizes that each tensor may have, of which products do not fit 64 bits: 2^40 (2^40 + 1) would be 2^40. */
static void test_products_of_sizes_that_overflow(void **state)
{
    (void)state;
    const int64_t many = (int64_t)1 << 40, ones[] = {1, 1, 1, 1};
    sample s;
    make(&s, "attend");
    s.desc.n_in = 3, s.desc.out = &s.operand[3];
    for (int i = 0; i < 3; i++) memcpy(s.operand[i].dim, ones, sizeof ones), sample_dense(&s.operand[i]);
    s.operand[0].dim[2] = s.operand[2].dim[3] = many;
    for (int i = 0; i < 3; i++) sample_dense(&s.operand[i]);
    s.operand[3] = (tn_tensor_desc){.dtype = TN_F32, .rank = 1, .dim = {many}, .stride = {1}};
    expect(&s, TN_ESHAPE, "a result whose size wraps");
}

/* ---- what is wrong, of one operator ---- */

static void test_types(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t operand;
        int32_t dtype, status;
    } wrong[] = {{"gather", 1, TN_F32, TN_EDTYPE},        {"gather", 0, TN_F64, TN_EDTYPE},
                 {"softmax", 0, TN_I32, TN_EUNSUPPORTED}, {"softmax", 1, TN_F64, TN_EDTYPE},
                 {"topk", 1, TN_F32, TN_EDTYPE},          {"put", 0, TN_U8, TN_EDTYPE},
                 {"matmul", 0, TN_I32, TN_EUNSUPPORTED},  {"matmul", 1, TN_F64, TN_EUNSUPPORTED},
                 {"matmul", 3, TN_F64, TN_EDTYPE},        {"conv2d", 1, TN_F64, TN_EDTYPE},
                 {"conv2d_data", 2, TN_F64, TN_EDTYPE},   {"maxpool2d_grad", 1, TN_F64, TN_EDTYPE},
                 {"map", 0, TN_I32, TN_EDTYPE},           {"map", 2, TN_I32, TN_EDTYPE},
                 {"reduce", 2, TN_F64, TN_EDTYPE},        {"concat", 1, TN_I32, TN_EDTYPE},
                 {"searchsorted", 1, TN_I32, TN_EDTYPE}};
    for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++) {
        sample s;
        make(&s, wrong[w].name);
        s.operand[wrong[w].operand].dtype = wrong[w].dtype;
        expect(&s, wrong[w].status, "another type");
    }
}

static void test_programs(void **state)
{
    (void)state;
    sample s;
    make(&s, "map");
    tn_map_instr *first = &s.instr[0], *random = &s.instr[1];
    s.attrs.map.n_in = 3;
    expect(&s, TN_EINVAL, "a program of three inputs");
    s.attrs.map.n_in = 2, s.attrs.map.instr = NULL;
    expect(&s, TN_EINVAL, "no instructions");
    s.attrs.map.instr = s.instr, s.attrs.map.out = NULL;
    expect(&s, TN_EINVAL, "no outputs");
    s.attrs.map.out = s.out, s.attrs.map.n_instr = UINT32_MAX - 1;
    expect(&s, TN_EUNSUPPORTED, "too many instructions to count");
    s.attrs.map.n_instr = 4, first->op = "no_such_instruction";
    expect(&s, TN_EUNSUPPORTED, "an unknown instruction");
    first->op = NULL;
    expect(&s, TN_EINVAL, "an instruction without a name");
    first->op = "add", first->arg[0] = 2;
    expect(&s, TN_EINVAL, "its own result as argument");
    first->arg[0] = -1;
    expect(&s, TN_EINVAL, "an argument that is missing");
    first->arg[0] = 0, first->dtype = TN_F16;
    expect(&s, TN_EUNSUPPORTED, "a result in f16");
    first->dtype = TN_F32, random->arg[1] = 2;
    expect(&s, TN_EINVAL, "a scalar that is not there");
    random->arg[1] = 1, random->value = 16777216;
    expect(&s, TN_EINVAL, "a stream of 2^24");
    random->value = 3, random->dtype = TN_I32;
    expect(&s, TN_EUNSUPPORTED, "a random integer");
    random->dtype = TN_F32, s.instr[2].arg[0] = 2;
    expect(&s, TN_EINVAL, "a coordinate along dimension 2 of 2");
    s.instr[2].arg[0] = 1, s.instr[3].arg[1] = 2;
    expect(&s, TN_EDTYPE, "a choice of f32 as i32");
    s.instr[3].arg[1] = 4, s.out[1] = 6;
    expect(&s, TN_EINVAL, "an output that is no value");
    s.out[1] = 5, s.instr[2].op = "const", s.instr[2].value = 0x1p31;
    expect(&s, TN_EINVAL, "a constant that is no i32");
    s.instr[2].value = -0x1p31, s.operand[1].stride[0] = 0;
    expect(&s, TN_OK, "a row that is repeated");
    s.alias[0] = 1;
    expect(&s, TN_EUNSUPPORTED, "written over a row that is repeated");
    s.alias[0] = 0;
    expect(&s, TN_OK, "in place");
}

static void test_attributes_that_make_no_sense(void **state)
{
    (void)state;
    sample s;
    make(&s, "reduce");
    s.attrs.reduce.kind = "median";
    expect(&s, TN_EUNSUPPORTED, "an unknown kind");
    s.attrs.reduce.kind = "sum", s.attrs.reduce.axes = 4;
    expect(&s, TN_ESHAPE, "an axis that is not there");
    s.attrs.reduce.axes = 1, s.attrs.reduce.map = NULL;
    expect(&s, TN_EINVAL, "no map");
    make(&s, "transpose");
    s.attrs.transpose.perm[1] = 2;
    expect(&s, TN_ESHAPE, "a dimension twice");
    make(&s, "slice");
    s.attrs.slice.step[0] = 0;
    expect(&s, TN_ESHAPE, "a step of 0");
    make(&s, "unslice");
    s.attrs.slice.start[1] = INT64_MAX;
    expect(&s, TN_ESHAPE, "places outside");
    for (int i = 0; i < SAMPLES; i++) {
        sample_make(&s, i);
        if (!strncmp(s.desc.name, "conv2d", 6)) s.attrs.conv.stride[1] = 0;
        if (strstr(s.desc.name, "pool2d")) s.attrs.pool.window[0] = 0;
        if (!strncmp(s.desc.name, "conv2d", 6) || strstr(s.desc.name, "pool2d"))
            expect(&s, TN_EUNSUPPORTED, "a stride or a window of 0");
        sample_make(&s, i);
        if (strncmp(s.desc.name, "conv2d", 6)) continue;
        s.attrs.conv.groups = 4;
        expect(&s, TN_ESHAPE, "groups that do not divide");
        s.attrs.conv.groups = 2, s.attrs.conv.dilation[0] = INT32_MAX;
        expect(&s, TN_EUNSUPPORTED, "windows that reach beyond all numbers");
    }
}

static void test_places_of_slices(void **state)
{
    (void)state;
    assert_true(tn_slice_fits(3, 7, 5, -2)), assert_false(tn_slice_fits(4, 7, 5, -2));
    assert_true(tn_slice_fits(1, 7, 6, INT64_MIN)), assert_false(tn_slice_fits(2, 7, 6, INT64_MIN));
    assert_false(tn_slice_fits(2, INT64_MAX, 1, INT64_MAX)), assert_true(tn_slice_fits(2, INT64_MAX, 0, INT64_MAX - 1));
    assert_true(tn_slice_fits(0, 0, -5, 1)), assert_false(tn_slice_fits(-1, 7, 0, 1));
    assert_false(tn_slice_fits(1, 7, 7, 1)), assert_false(tn_slice_fits(1, 7, -1, 1));
}

static void test_numbers_of_options(void **state)
{
    static const struct {
        const char *text;
        double number; /* below 0: it is none */
    } cases[] = {{"0", 0},  {"1", 1},   {"0.5", 0.5}, {"12.25", 12.25}, {".5", 0.5}, {"3.", 3},  {"", -1},
                 {".", -1}, {"-1", -1}, {"0,5", -1},  {"1.2.3", -1},    {"x", -1},   {"1x", -1}, {" 1", -1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double number = -1;
        assert_int_equal(tn_check_number(cases[i].text, &number), cases[i].number >= 0);
        assert_true(number == cases[i].number);
    }
}

static void test_messages_fit(void **state)
{
    (void)state;
    sample s;
    make(&s, "matmul");
    s.operand[0].rank = 2;
    for (uint64_t room = 0; room < 40; room++) {
        char line[48];
        memset(line, '#', sizeof line);
        assert_int_equal(tn_check_op(&s.desc, &facts, &(tn_msg){line, room}), TN_ESHAPE);
        for (uint64_t i = room; i < sizeof line; i++) assert_int_equal(line[i], '#');
        assert_true(!room || memchr(line, 0, room));
    }
    assert_int_equal(ask(&s), TN_ESHAPE);
    assert_string_equal(text, "matmul: input 0 has rank 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_operator_passes),
        cmocka_unit_test(test_facts_of_products_and_pictures),
        cmocka_unit_test(test_channels_last),
        cmocka_unit_test(test_facts_of_reductions),
        cmocka_unit_test(test_element_types_have_a_size_and_a_type_they_are_computed_in),
        cmocka_unit_test(test_rows_and_instructions_by_name),
        cmocka_unit_test(test_descriptions),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_reserved_fields),
        cmocka_unit_test(test_operands),
        cmocka_unit_test(test_numbers_that_overflow),
        cmocka_unit_test(test_products_of_sizes_that_overflow),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_programs),
        cmocka_unit_test(test_attributes_that_make_no_sense),
        cmocka_unit_test(test_places_of_slices),
        cmocka_unit_test(test_numbers_of_options),
        cmocka_unit_test(test_messages_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
