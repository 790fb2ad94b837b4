/* load.c: which communicators are loaded, and what becomes of those that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load.h"
#include "team.h"

static void expect(tn_status got, tn_status want, const char *text)
{
    if (got != want || !strstr(tn_message(), text))
        fail_msg("%s '%s' is not %s with '%s'", tn_status_name(got), tn_message(), tn_status_name(want), text);
    assert_null(strpbrk(tn_message(), "\n\033"));
}

static void each_villain_is_refused_with_its_reason(void **state)
{
    static const struct {
        const char *name;
        tn_status status;
        const char *text;
    } cases[] = {
        {"wrong_major", TN_EUNSUPPORTED, "is made for ABI version 9.0; this library has 1.0"},
        {"tiny", TN_EFORMAT, "has a table of 8 bytes"},
        {"short", TN_EFORMAT, "has a table of"},
        {"no_post", TN_EFORMAT, "lacks a function"},
        {"no_id", TN_EFORMAT, "has an id that is none"},
        {"other_name", TN_EFORMAT, "calls itself somebody"},
        {"null", TN_EUNSUPPORTED, "cannot work with ABI version 1.0"},
        {"open_fails", TN_EDEVICE, "communicator open_fails: no"},
        {"open_odd_status", TN_EDEVICE, "what?"},
        {"open_claims", TN_EDEVICE, "it claims to be rank 5 of 2"},
        {"open_crowd", TN_EDEVICE, "it claims to be rank 0 of 4000000000"},
        {"open_nothing", TN_EDEVICE, "it opened, and gave nothing back"},
        {"post_fails", TN_ENOMEM, "no room"},
        {"progress_fails", TN_EDEVICE, "the cable was cut"},
        {"never_done", TN_EDEVICE, "rank 1 has not answered"},
    };
    (void)state;
    setenv("TENON_COMM_PATH", TEST_COMMUNICATORS, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_team *team = NULL;
        const tn_team_options options = {cases[i].name, 1, 2, 0, 0.1, 0.2};
        expect(tn_team_open(&options, &team), cases[i].status, cases[i].text);
        assert_null(team);
    }
}

static void a_name_that_nobody_has_says_where_it_was_looked_for(void **state)
{
    const tn_communicator *table = NULL;
    (void)state;
    unsetenv("TENON_COMM_PATH");
    expect(tn_comm_load("nobody", &table), TN_EMISSING, "there is no nobody.so in tenon/comm-1");
    expect(tn_comm_load("null", &table), TN_EMISSING, "there is no null.so");
    expect(tn_comm_load("../local", &table), TN_EINVAL, "is no name");
    expect(tn_comm_load("/nowhere/x.so", &table), TN_EMISSING, "no such file");
    setenv("TENON_COMM_PATH", "relative:/nowhere:", 1);
    expect(tn_comm_load("nobody", &table), TN_EMISSING, "there is no nobody.so");
    expect(tn_comm_load(TEST_BACKEND, &table), TN_EFORMAT, "exports no tn_comm_query: it is no communicator");
}

static void files_are_found_by_name_and_by_path(void **state)
{
    const tn_communicator *table = NULL, *again = NULL;
    (void)state;
    unsetenv("TENON_COMM_PATH");
    assert_int_equal(tn_comm_load("local", &table), TN_OK);
    assert_string_equal(table->id, "local");
    assert_int_equal(tn_comm_load(TEST_LOCAL, &again), TN_OK);
    assert_ptr_equal(table, again);
    setenv("TENON_COMM_PATH", "/nowhere:" TEST_COMMUNICATORS "/never_done.so", 1);
    assert_int_equal(tn_comm_load("never_done", &table), TN_OK);
}

/* As in tests/plugin/trust.c, which has all cases of whose files are loaded. */
static void what_others_can_change_is_refused(void **state)
{
    enum { OTHER = 23456 };
    char folder[] = "/tmp/tenon-comm-XXXXXX", command[2048], path[1024];
    const tn_communicator *table = NULL;
    (void)state;
    if (geteuid()) {
        print_message("not root: files of others cannot be made here\n");
        return;
    }
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/never_done.so", folder);
    snprintf(command, sizeof command, "cp " TEST_COMMUNICATORS "/never_done.so %s", path);
    assert_int_equal(system(command), 0);
    assert_int_equal(chown(path, OTHER, OTHER), 0);
    assert_int_equal(chmod(path, 0666), 0);
    setenv("TENON_COMM_PATH", folder, 1);
    expect(tn_comm_load("never_done", &table), TN_EINVAL, "belongs to user 23456");
    expect(tn_comm_load(path, &table), TN_EINVAL, "can be changed by everybody");
    unlink(path);
    rmdir(folder);
}

static void the_launcher_is_known_by_what_it_left(void **state)
{
    (void)state;
    unsetenv("OMPI_COMM_WORLD_SIZE");
    unsetenv("PMI_SIZE");
    assert_null(tn_comm_launched());
    setenv("PMI_SIZE", "2", 1);
    assert_string_equal(tn_comm_launched(), "mpich");
    setenv("OMPI_COMM_WORLD_SIZE", "2", 1);
    assert_string_equal(tn_comm_launched(), "openmpi");
    unsetenv("OMPI_COMM_WORLD_SIZE");
    unsetenv("PMI_SIZE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_villain_is_refused_with_its_reason),
        cmocka_unit_test(a_name_that_nobody_has_says_where_it_was_looked_for),
        cmocka_unit_test(files_are_found_by_name_and_by_path),
        cmocka_unit_test(what_others_can_change_is_refused),
        cmocka_unit_test(the_launcher_is_known_by_what_it_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
