/* own_folder.c: the folders beside the library, or the program that it is linked into, come first. This program has a
 * place of its own, where it makes and removes them. */
#include "harness.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry.h"

static char beside[PATH_MAX + 64];

/* Makes `below` in the folder of this program and links a built plugin into it. */
static void install(const char *below, const char *plugin)
{
    char self[PATH_MAX] = "";
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    *strrchr(self, '/') = 0;
    snprintf(beside, sizeof beside, "%s/", self);
    for (const char *c = below; c; c = strchr(c + 1, '/')) {
        snprintf(beside, sizeof beside, "%s/%.*s", self, (int)(c - below), below);
        mkdir(beside, 0755);
    }
    snprintf(beside, sizeof beside, "%s/%s", self, below);
    mkdir(beside, 0755);
    snprintf(beside, sizeof beside, "%s/%s/own.so", self, below);
    unlink(beside);
    assert_int_equal(symlink(built(plugin), beside), 0);
}

static void check(const char *below)
{
    tn_backend_report report;
    install(below, "null");
    use("several");
    assert_int_equal(tn_backend_at(0, &report), 1);
    assert_string_equal(report.id, "null");
    assert_int_equal(tn_backend_at(1, &report), 1);
    assert_string_equal(report.id, "several");
    unlink(beside);
    forget();
    assert_int_equal(tn_backend_at(0, &report), 1);
    assert_string_equal(report.id, "several");
}

static void a_backend_beside_the_program_comes_before_the_path(void **state)
{
    (void)state;
    check("tenon/backends-1");
}

static void a_backend_in_the_lib_folder_beside_comes_before_the_path(void **state)
{
    (void)state;
    check("../lib/tenon/backends-1");
}

/* A folder that is more open than the program beside it: others may have put something there. */
static void a_folder_of_the_library_that_others_can_write_is_refused(void **state)
{
    char folder[PATH_MAX + 64];
    (void)state;
    install("tenon/backends-1", "null");
    snprintf(folder, sizeof folder, "%s", beside);
    *strrchr(folder, '/') = 0;
    assert_int_equal(chmod(folder, 0757), 0);
    forget();
    tn_backend_report report = report_on("/tenon/backends-1");
    assert_int_equal(chmod(folder, 0755), 0);
    unlink(beside);
    assert_non_null(report.problem);
    assert_non_null(strstr(report.problem, "can be changed by everybody"));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_backend_beside_the_program_comes_before_the_path),
        CASE(a_backend_in_the_lib_folder_beside_comes_before_the_path),
        CASE(a_folder_of_the_library_that_others_can_write_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
