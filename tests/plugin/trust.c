/* trust.c: whose files are loaded: what other users could change is refused with the reason. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_root(void)
{
    if (!geteuid()) return 1;
    print_message("not root: files of others cannot be made here\n");
    return 0;
}

/* The problem of the file, or NULL, with `place` in TENON_BACKEND_PATH, as that user sees it. */
static const char *problem_for(uid_t user, const char *place, const char *file)
{
    uid_t me = geteuid();
    setenv("TENON_BACKEND_PATH", in_folder(place), 1);
    forget();
    assert_int_equal(seteuid(user), 0);
    const char *problem = report_on(file).problem;
    assert_int_equal(seteuid(me), 0);
    return problem;
}

static void give(const char *name, uid_t user, mode_t mode)
{
    assert_int_equal(chown(in_folder(name), user, user), 0);
    assert_int_equal(chmod(in_folder(name), mode), 0);
}

static void assert_refused(const char *problem, const char *text)
{
    if (!problem || !strstr(problem, text)) fail_msg("'%s' does not say '%s'", problem ? problem : "none", text);
}

static void what_is_one_s_own_may_be_named_whoever_can_write_it(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("mine"), 0777), 0);
    assert_int_equal(chmod(in_folder("mine"), 0777), 0);
    copy_plugin("null", "mine/null.so", 0);
    assert_int_equal(chmod(in_folder("mine/null.so"), 0666), 0);
    assert_null(problem_for(geteuid(), "mine/null.so", "/null.so"));
    assert_null(problem_for(geteuid(), "mine", "/null.so"));
}

static void what_belongs_to_another_user_is_refused(void **state)
{
    enum { USER = 12345, OTHER = 23456 };
    (void)state;
    if (!is_root()) return;
    assert_int_equal(chmod(in_folder(""), 0755), 0);
    assert_int_equal(mkdir(in_folder("theirs"), 0755), 0);
    copy_plugin("null", "theirs/null.so", 0);
    give("theirs/null.so", OTHER, 0644);
    assert_refused(problem_for(USER, "theirs/null.so", "/null.so"),
                   "belongs to user 23456, who is neither you nor root");
    assert_refused(problem_for(USER, "theirs", "/null.so"), "belongs to user 23456");
    give("theirs", OTHER, 0755);
    assert_refused(problem_for(USER, "theirs", "/theirs"), "belongs to user 23456");
    assert_null(problem_for(OTHER, "theirs", "/null.so"));
    give("theirs", 0, 0755);
    give("theirs/null.so", 0, 0644);
    assert_null(problem_for(USER, "theirs", "/null.so"));
}

static void what_others_can_write_is_refused(void **state)
{
    enum { USER = 12345 };
    (void)state;
    if (!is_root()) return;
    assert_int_equal(chmod(in_folder(""), 0755), 0);
    assert_int_equal(mkdir(in_folder("open"), 0755), 0);
    copy_plugin("null", "open/null.so", 0);
    give("open/null.so", 0, 0646);
    assert_refused(problem_for(USER, "open/null.so", "/null.so"), "can be changed by everybody (its mode is 0646)");
    assert_int_equal(chown(in_folder("open/null.so"), 0, USER), 0);
    assert_int_equal(chmod(in_folder("open/null.so"), 0664), 0);
    assert_refused(problem_for(USER, "open", "/null.so"), "can be changed by its group (its mode is 0664)");
    give("open/null.so", 0, 0664); /* a group of the owner's own */
    assert_null(problem_for(USER, "open", "/null.so"));
    give("open", 0, 01777); /* like /tmp */
    assert_refused(problem_for(USER, "open", "/open"), "can be changed by everybody (its mode is 1777)");
    give("open/null.so", USER, 0644);
    assert_null(problem_for(USER, "open/null.so", "/null.so"));
}

/* As in a container, where a user's checkout is mounted. */
static void root_may_name_what_belongs_to_a_user(void **state)
{
    enum { USER = 12345, OTHER = 23456 };
    (void)state;
    if (!is_root()) return;
    assert_int_equal(mkdir(in_folder("theirs"), 0755), 0);
    copy_plugin("null", "theirs/null.so", 0);
    give("theirs/null.so", USER, 0664);
    assert_null(problem_for(0, "theirs/null.so", "/null.so"));
    assert_refused(problem_for(0, "theirs", "/null.so"), "belongs to user 12345");
    give("theirs", USER, 0775);
    assert_null(problem_for(0, "theirs", "/null.so"));
    give("theirs/null.so", OTHER, 0644);
    assert_refused(problem_for(0, "theirs", "/null.so"), "belongs to user 23456");
    give("theirs/null.so", USER, 0666);
    assert_refused(problem_for(0, "theirs", "/null.so"), "can be changed by everybody");
}

static void a_file_that_a_program_names_is_held_to_the_same(void **state)
{
    (void)state;
    if (!is_root()) return;
    copy_plugin("null", "null.so", 0);
    give("null.so", 12345, 0666);
    assert_int_equal(tn_backend_load(in_folder("null.so")), TN_EINVAL);
    assert_refused(tn_message(), "null.so: can be changed by everybody");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_one_s_own_may_be_named_whoever_can_write_it),
        CASE(what_belongs_to_another_user_is_refused),
        CASE(what_others_can_write_is_refused),
        CASE(root_may_name_what_belongs_to_a_user),
        CASE(a_file_that_a_program_names_is_held_to_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
