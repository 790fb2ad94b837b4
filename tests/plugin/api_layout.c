/* api_layout.c: the structs of the public interface keep their sizes, so that programs compiled earlier go on working:
 * new fields are taken from `spare`, which is the last one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tenon/check.h"
#include "tenon/op_info.h"
#include "tenon/tenon.h"

typedef struct row {
    const char *type;
    size_t size, golden, end; /* end: of its spare fields; 0 if it has none */
} row;

#define GROWS(type, golden)  {#type, sizeof(type), golden, offsetof(type, spare) + sizeof(((type *)0)->spare)},
#define FROZEN(type, golden) {#type, sizeof(type), golden, 0},
static const row rows[] = {
#include "api_layout.def"
};
#define ROWS (sizeof rows / sizeof *rows)

static void every_size_is_the_golden_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].size != rows[i].golden)
            fail_msg("%s has %zu bytes, not %zu", rows[i].type, rows[i].size, rows[i].golden);
}

static void spare_fields_come_last(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].end && rows[i].end != rows[i].size)
            fail_msg("something follows the spare fields of %s", rows[i].type);
}

static int is_listed(const char *type)
{
    for (size_t i = 0; i < ROWS; i++)
        if (!strcmp(rows[i].type, type)) return 1;
    return 0;
}

/* Structs that people see the inside of end with a line "} tn_...;". */
static void look_through(const char *header)
{
    char path[1024], line[256], type[128];
    snprintf(path, sizeof path, "%s/%s", TEST_INCLUDE, header);
    FILE *file = fopen(path, "r");
    if (!file) fail_msg("%s can't be read", path);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "} %127[a-z0-9_];", type) == 1 && !is_listed(type)) {
            fclose(file);
            fail_msg("%s of %s is not in api_layout.def", type, header);
        }
    fclose(file);
}

static void every_public_struct_is_listed(void **state)
{
    static const char *const headers[] = {TEST_HEADERS};
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (strncmp(headers[i], "backend", 7) && strcmp(headers[i], "comm.h")) look_through(headers[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_is_the_golden_one),
        cmocka_unit_test(spare_fields_come_last),
        cmocka_unit_test(every_public_struct_is_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
