/* abi_layout.c: the structs that cross the plugin boundary lie in memory as they did when the version was fixed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "abi_1_0.h"
#include "tenon/backend_ext.h"
#include "tenon/comm.h"

#define TYPE(type, bytes)         _Static_assert(sizeof(type) == (bytes), #type " has another size");
#define FIELD(type, field, place) _Static_assert(offsetof(type, field) == (place), #type "." #field " has moved");
#define GREW(minor, type, size)
#include "abi_layout.def"
#undef TYPE
#undef FIELD

typedef struct row {
    const char *type, *field;
    size_t place, golden, bytes; /* offset or, of a whole type, size */
} row;

#define TYPE(type, golden)         {#type, NULL, sizeof(type), golden, sizeof(type)},
#define FIELD(type, field, golden) {#type, #field, offsetof(type, field), golden, sizeof(((type *)0)->field)},
static const row rows[] = {
#include "abi_layout.def"
};
#undef TYPE
#undef FIELD

#define ROWS (sizeof rows / sizeof *rows)

static void every_size_and_offset_is_the_golden_one(void **state)
{
    (void)state;
    for (const row *r = rows; r < rows + ROWS; r++)
        if (r->place != r->golden)
            fail_msg("%s%s%s: %zu, not %zu", r->type, r->field ? "." : "", r->field ? r->field : "", r->place,
                     r->golden);
}

/* Each field begins where the one before ends, and the last one ends with the struct. */
static void no_struct_has_padding(void **state)
{
    const row *type = NULL;
    size_t end = 0;
    (void)state;
    for (const row *r = rows; r < rows + ROWS; r++) {
        if (!r->field) {
            if (type && end != type->place) fail_msg("%s ends with padding", type->type);
            type = r;
            end = 0;
        } else if (!strcmp(r->type, "tn_scalar")) { /* the union */
            end = r->bytes;
        } else {
            if (r->place != end) fail_msg("padding before %s.%s", r->type, r->field);
            end += r->bytes;
        }
    }
    assert_int_equal(end, type->place);
}

static int is_listed(const char *type)
{
    for (const row *r = rows; r < rows + ROWS; r++)
        if (!r->field && !strcmp(r->type, type)) return 1;
    return 0;
}

static int check_structs(const char *name)
{
    char line[256], type[64];
    int types = 0;
    FILE *header = fopen(name, "r");
    assert_non_null(header);
    while (fgets(line, sizeof line, header)) {
        if (sscanf(line, "} %63[a-z0-9_];", type) != 1) continue;
        types++;
        if (!is_listed(type)) fail_msg("%s has no rows in abi_layout.def", type);
    }
    fclose(header);
    return types;
}

/* A new field makes a hole above until it has a row; new structs are found by the lines of the headers that end them.
 */
static void every_struct_is_listed(void **state)
{
    (void)state;
    assert_in_range(check_structs(TEST_INCLUDE "/backend.h"), 11, ROWS);
    assert_in_range(check_structs(TEST_INCLUDE "/backend_ops.h"), 14, ROWS);
    assert_in_range(check_structs(TEST_INCLUDE "/backend_ext.h"), 9, ROWS);
    assert_in_range(check_structs(TEST_INCLUDE "/comm.h"), 3, ROWS);
}

/* A row GREW. */
typedef struct growth {
    const char *type;
    size_t size;
    uint32_t minor;
} growth;

#define TYPE(type, golden)
#define FIELD(type, field, golden)
#undef GREW
#define GREW(minor, type, size) {#type, size, minor},
static const growth growths[] = {
#include "abi_layout.def"
    {0},
};
#undef TYPE
#undef FIELD
#undef GREW

/* The size that a struct must have by what is written down, 0 if nothing is. */
static size_t size_by_history(const char *type)
{
    const abi_size *first = abi_1_0;
    while (first->type && strcmp(first->type, type)) first++;
    size_t size = first->size;
    uint32_t minor = 0;
    for (const growth *g = growths; g->type; g++) {
        if (strcmp(g->type, type)) continue;
        if (g->minor <= minor || g->size <= size) fail_msg("%s grows again in 1.%u, or by nothing", type, g->minor);
        minor = g->minor, size = g->size;
    }
    return size;
}

static void a_struct_grows_only_with_a_new_minor_version(void **state)
{
    uint32_t newest = 0;
    (void)state;
    for (const row *r = rows; strcmp(r->type, "tn_ext_library"); r++)
        if (!r->field && r->place != size_by_history(r->type))
            fail_msg("%s has %zu bytes, not %zu: raise TN_ABI_MINOR, add a row GREW to abi_layout.def, and say in "
                     "docs/backend.md what is new",
                     r->type, r->place, size_by_history(r->type));
    for (const growth *g = growths; g->type; g++) newest = g->minor > newest ? g->minor : newest;
    assert_int_equal(TN_ABI_MINOR, newest);
}

static void the_docs_say_what_each_minor_version_added(void **state)
{
    char line[1024], want[16];
    unsigned found = 0;
    FILE *page = fopen(TEST_PAGE, "r");
    (void)state;
    assert_non_null(page);
    snprintf(want, sizeof want, "| 1.%u |", found);
    while (fgets(line, sizeof line, page))
        if (!strncmp(line, want, strlen(want))) snprintf(want, sizeof want, "| 1.%u |", ++found);
    fclose(page);
    if (found != TN_ABI_MINOR + 1) fail_msg("docs/backend.md has no row '%s'", want);
}

static void the_numbers_of_statuses_types_and_kinds_are_fixed(void **state)
{
    static const int codes[] = {TN_OK,  TN_EINVAL,  TN_ESHAPE,  TN_EDTYPE,   TN_EUNSUPPORTED, TN_ENOMEM,
                                TN_EIO, TN_EFORMAT, TN_EDEVICE, TN_EMISSING, TN_ESTATE};
    static const int types[] = {TN_F32, TN_I32, TN_U8, TN_F16, TN_BF16, TN_F64, TN_I8};
    static const unsigned kinds[] = {TN_DEVICE_CPU, TN_DEVICE_GPU, TN_DEVICE_ACCELERATOR, TN_DEVICE_OTHER};
    (void)state;
    for (int i = 0; i < (int)(sizeof codes / sizeof *codes); i++) assert_int_equal(codes[i], i);
    for (int i = 0; i < (int)(sizeof types / sizeof *types); i++) assert_int_equal(types[i], i + 1);
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) assert_int_equal(kinds[i], i + 1);
    assert_int_equal(TN_MAX_RANK, 8);
    assert_int_equal(TN_ABI_MAJOR, 1);
}

static void an_answer_fits_the_room_that_the_caller_has(void **state)
{
    const tn_queue_stats full = {40, 1, 2, 3, 4};
    tn_queue_stats room = {16, 9, 9, 9, 9}, more = {40, 9, 9, 9, 9};
    (void)state;
    tn_answer(&room, &full, sizeof full); /* an older caller */
    assert_int_equal(room.size, 16);
    assert_int_equal(room.launches, 1);
    assert_int_equal(room.host_waits, 9);
    tn_answer(&more, &full, 24); /* an older callee */
    assert_int_equal(more.size, 24);
    assert_int_equal(more.host_waits, 2);
    assert_int_equal(more.bytes_write, 9);
}

static void attributes_beyond_what_is_known_must_be_zero(void **state)
{
    uint64_t attrs[3] = {24, 0, 0};
    (void)state;
    assert_true(tn_attrs_known(attrs, 16));
    assert_true(tn_attrs_known(attrs, 64));
    assert_true(tn_attrs_known(NULL, 16));
    attrs[2] = (uint64_t)1 << 63;
    assert_false(tn_attrs_known(attrs, 16));
    assert_true(tn_attrs_known(attrs, 24));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_and_offset_is_the_golden_one),
        cmocka_unit_test(no_struct_has_padding),
        cmocka_unit_test(every_struct_is_listed),
        cmocka_unit_test(a_struct_grows_only_with_a_new_minor_version),
        cmocka_unit_test(the_docs_say_what_each_minor_version_added),
        cmocka_unit_test(the_numbers_of_statuses_types_and_kinds_are_fixed),
        cmocka_unit_test(an_answer_fits_the_room_that_the_caller_has),
        cmocka_unit_test(attributes_beyond_what_is_known_must_be_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
