/* probe.c: backends that crash, hang or end their process are named, whenever they do it, and everything else goes on.
 * This program has a place of its own, with tenon-probe where the library looks for it. */
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include "alloc.h"
#include "registry.h"

/* How often it was loaded, in whatever process: each adds a byte to a file. */
static long loads(void)
{
    struct stat info;
    return stat(in_folder("trace"), &info) ? 0 : (long)info.st_size;
}

static void trace(void)
{
    setenv("VILLAIN_TRACE", in_folder("trace"), 1);
}

static void assert_problem(const char *plugin, const char *problem)
{
    char file[64];
    snprintf(file, sizeof file, "/%s.so", plugin);
    tn_backend_report report = report_on(file);
    if (!report.problem || !strstr(report.problem, problem))
        fail_msg("%s: '%s' does not say '%s'", plugin, report.problem ? report.problem : "no problem", problem);
    assert_int_equal(report.devices, 0);
}

static void assert_opens(const char *name)
{
    tn_device *device = NULL;
    if (tn_device_open(name, &device)) fail_msg("%s: %s", name, tn_message());
    tn_device_close(device);
}

/* No child is left, not even one that has ended. */
static void assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void one_that_misbehaves_is_named_whenever_it_does(void **state)
{
    static const struct {
        const char *plugin, *problem;
    } cases[] = {
        {"villain_crash_load", "when it is loaded"},
        {"villain_leave_load", "ends the process (status 3) when it is loaded"},
        {"villain_hang_load", "hangs (for 3 s) when it is loaded"},
        {"villain_abort_query", "when it is asked for its table"},
        {"villain_leave_query", "ends the process (status 3) when it is asked for its table"},
        {"villain_crash_init", "when it is initialised"},
        {"villain_leave_init", "ends the process (status 3) when it is initialised"},
        {"villain_hang_init", "hangs (for 3 s) when it is initialised"},
        {"villain_abort_count", "when it counts its devices"},
        {"villain_crash_describe", "when it describes a device"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char list[64];
        tn_device *device = NULL;
        snprintf(list, sizeof list, "%s null", cases[i].plugin);
        use(list);
        assert_int_equal(tn_backend_option("tenon", "probe_seconds", strstr(list, "hang") ? "3" : "60"), TN_OK);
        assert_opens("null");
        assert_problem(cases[i].plugin, cases[i].problem);
        assert_int_equal(tn_device_open("villain", &device), TN_EMISSING);
        assert_int_equal(tn_device_open(cases[i].plugin, &device), TN_EDEVICE);
        assert_non_null(strstr(tn_message(), cases[i].problem));
        assert_opens("auto");
        assert_no_children();
    }
}

static void one_that_behaves_is_used(void **state)
{
    (void)state;
    use("villain_none_ever");
    assert_opens("villain");
    assert_no_children();
}

static void a_file_is_tried_once_until_it_changes_or_is_to_be_tried_again(void **state)
{
    const struct utimbuf later = {2000000000, 2000000000};
    (void)state;
    trace();
    copy_plugin("villain_crash_init", "v.so", 0);
    setenv("TENON_BACKEND_PATH", in_folder("v.so"), 1);
    forget();
    assert_problem("v", "when it is initialised");
    assert_int_equal(loads(), 1);
    forget();
    assert_problem("v", "when it is initialised");
    assert_int_equal(loads(), 1);
    forget();
    assert_int_equal(tn_backend_option("tenon", "probe", "again"), TN_OK);
    assert_problem("v", "when it is initialised");
    assert_int_equal(loads(), 2);
    assert_int_equal(utime(in_folder("v.so"), &later), 0);
    forget();
    assert_problem("v", "when it is initialised");
    assert_int_equal(loads(), 3);
    setenv("OCL_ICD_VENDORS", "/no/such/place", 1); /* other drivers */
    forget();
    assert_problem("v", "when it is initialised");
    assert_int_equal(loads(), 4);
    unsetenv("OCL_ICD_VENDORS");
    setenv("TENON_CACHE", "off", 1); /* nothing can be kept */
    forget();
    assert_problem("v", "when it is initialised");
    assert_int_equal(loads(), 5);
}

static void a_file_that_became_good_is_used_again(void **state)
{
    (void)state;
    copy_plugin("villain_crash_load", "v.so", 0);
    setenv("TENON_BACKEND_PATH", in_folder("v.so"), 1);
    forget();
    assert_problem("v", "when it is loaded");
    unlink(in_folder("v.so"));
    copy_plugin("villain_none_ever", "v.so", 0);
    forget();
    assert_opens("villain");
}

static void naming_another_device_tries_nothing(void **state)
{
    (void)state;
    trace();
    use("villain_hang_load null");
    assert_opens("null");
    assert_opens("reference");
    assert_int_equal(loads(), 0);
}

static void one_that_hangs_is_gone_when_its_time_is_up(void **state)
{
    (void)state;
    trace();
    use("villain_hang_load");
    assert_int_equal(tn_backend_option("tenon", "probe_seconds", "3"), TN_OK);
    assert_problem("villain_hang_load", "hangs");
    assert_int_equal(loads(), 1);
    assert_no_children(); /* nor any that is still running */
}

static void a_program_that_ignores_its_children_gets_the_same_verdicts(void **state)
{
    (void)state;
    signal(SIGCHLD, SIG_IGN);
    use("villain_none_ever villain_crash_init");
    assert_opens("villain");
    assert_problem("villain_crash_init", "when it is initialised");
    signal(SIGCHLD, SIG_DFL);
}

static void trials_can_be_switched_off(void **state)
{
    (void)state;
    trace();
    use("villain_none_ever");
    assert_int_equal(tn_backend_option("tenon", "probe", "off"), TN_OK);
    assert_opens("villain");
    assert_true(loads() <= 1); /* by this process, unless it was loaded before */
}

/* Were it run in this process, the test would end. */
static void nothing_runs_untried_for_lack_of_memory(void **state)
{
    (void)state;
    setenv("TENON_CACHE", "off", 1);
    use("villain_leave_init");
    for (int64_t calls = 0; calls < 60; calls++) {
        tn_device *device = NULL;
        forget();
        tn_alloc_fail_after(calls);
        tn_status status = tn_device_open("villain", &device);
        tn_alloc_fail_after(-1);
        assert_true(status == TN_ENOMEM || status == TN_EDEVICE);
        assert_null(device);
    }
}

static int begin_traceless(void **state)
{
    unsetenv("VILLAIN_TRACE");
    return begin(state);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin_traceless, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_that_misbehaves_is_named_whenever_it_does),
        CASE(one_that_behaves_is_used),
        CASE(a_file_is_tried_once_until_it_changes_or_is_to_be_tried_again),
        CASE(a_file_that_became_good_is_used_again),
        CASE(naming_another_device_tries_nothing),
        CASE(one_that_hangs_is_gone_when_its_time_is_up),
        CASE(a_program_that_ignores_its_children_gets_the_same_verdicts),
        CASE(trials_can_be_switched_off),
        CASE(nothing_runs_untried_for_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
