/* loader.c: which files become backends, in which order, and why others are skipped. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"
#include "loader.h"
#include "registry.h"

/* The file has that problem, has no device, is in the log, and does not keep the others from working. */
static void assert_skipped(const char *file, const char *problem)
{
    tn_device *device = NULL;
    tn_backend_report report = report_on(file);
    if (!report.problem || !strstr(report.problem, problem))
        fail_msg("%s: '%s' does not say '%s'", file, report.problem ? report.problem : "no problem", problem);
    assert_null(strchr(report.problem, '\n'));
    assert_int_equal(report.devices, 0);
    assert_true(logged(report.problem));
    assert_true(logged(file));
    assert_int_equal(tn_device_open("reference", &device), TN_OK);
    tn_device_close(device);
}

static void each_misbehaving_plugin_is_skipped_with_its_reason(void **state)
{
    static const struct {
        const char *plugin, *problem;
    } cases[] = {
        {"wrong_major", "is made for ABI version 2.7; this library has 1.1"},
        {"tiny_table", "has a table of 232 bytes; 240 are the least"},
        {"bad_id", "has the id 'Bad Id/.. '"},
        {"no_function", "lacks the function op_run"},
        {"query_null", "cannot work with ABI version 1.1"},
        {"no_symbol", "exports no tn_backend_query"},
        {"unresolved", "undefined symbol: function_that_nobody_has"},
        {"init_fails", "init failed: no driver was found; install one"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char file[64];
        use(cases[i].plugin);
        snprintf(file, sizeof file, "/%s.so", cases[i].plugin);
        assert_skipped(file, cases[i].problem);
    }
}

static void a_file_that_is_no_library_is_skipped(void **state)
{
    (void)state;
    write_text("text.so", "this is not a library\n");
    write_text("empty.so", "");
    assert_int_equal(mkdir(in_folder("folder.so"), 0700), 0);
    assert_int_equal(mkfifo(in_folder("pipe.so"), 0600), 0);
    assert_int_equal(symlink("nowhere", in_folder("dangling.so")), 0);
    setenv("TENON_BACKEND_PATH", in_folder(""), 1);
    assert_skipped("/text.so", "is not a shared library");
    assert_skipped("/empty.so", "is not a shared library");
    assert_skipped("/folder.so", "is not a shared library");
    assert_skipped("/pipe.so", "is not a shared library");
    assert_skipped("/dangling.so", "No such file");
}

static void a_library_cut_short_anywhere_is_skipped(void **state)
{
    struct stat info;
    (void)state;
    assert_int_equal(stat(built("null"), &info), 0);
    for (long part = 1; part < 16; part++) {
        char name[32];
        tn_backend_report report;
        snprintf(name, sizeof name, "cut%ld.so", part);
        copy_plugin("null", name, info.st_size * part / 16);
        forget();
        setenv("TENON_BACKEND_PATH", in_folder(name), 1);
        report = report_on(name);
        if (report.problem && !strstr(report.problem, "is cut short"))
            assert_non_null(strstr(report.problem, "cannot be loaded"));
        if (part < 4) assert_non_null(report.problem); /* what lies behind the code is only for debuggers */
    }
}

static void a_table_may_be_longer_or_end_after_the_required_functions(void **state)
{
    tn_backend_report report;
    tn_device_entry entry;
    (void)state;
    use("newer oldest");
    report = report_on("/newer.so");
    assert_null(report.problem);
    assert_int_equal(report.devices, 1);
    assert_int_equal(tn_device_at(0, &entry), 1);
    assert_string_equal(entry.name, "newer");
    assert_int_equal(entry.info.size, sizeof entry.info);
    assert_null(report_on("/oldest.so").problem);
}

static void a_folder_is_read_in_the_order_of_names_and_the_reference_is_last(void **state)
{
    static const char *const want[] = {"newer", "null", "oldest", "reference"};
    tn_backend_report report;
    (void)state;
    copy_plugin("oldest", "c.so", 0);
    copy_plugin("newer", "a.so", 0);
    copy_plugin("null", "b.so", 0);
    copy_plugin("several", "ignored.so.bak", 0);
    copy_plugin("several", ".hidden.so", 0);
    setenv("TENON_BACKEND_PATH", in_folder(""), 1);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(tn_backend_at(i, &report), 1);
        assert_string_equal(report.id, want[i]);
        assert_null(report.problem);
    }
    assert_string_equal(report.file, "built in");
    assert_int_equal(tn_backend_at(4, &report), 0);
}

static void the_second_file_of_an_id_is_skipped_and_names_the_first(void **state)
{
    char problem[512];
    (void)state;
    copy_plugin("null", "a.so", 0);
    copy_plugin("null", "b.so", 0);
    setenv("TENON_BACKEND_PATH", in_folder(""), 1);
    snprintf(problem, sizeof problem, "has the id 'null', as %s, which comes first", in_folder("a.so"));
    assert_skipped("/b.so", problem);
    assert_null(report_on("/a.so").problem);
    assert_int_equal(tn_backend_load(in_folder("b.so")), TN_OK);
}

static void a_file_reached_by_several_ways_is_loaded_once(void **state)
{
    size_t reports = 0;
    tn_backend_report report;
    char list[1024];
    (void)state;
    copy_plugin("null", "a.so", 0);
    assert_int_equal(symlink("a.so", in_folder("b.so")), 0);
    assert_int_equal(link(in_folder("a.so"), in_folder("c.so")), 0);
    snprintf(list, sizeof list, "%s::%s:%s", in_folder("a.so"), in_folder(""), in_folder("./a.so"));
    setenv("TENON_BACKEND_PATH", list, 1);
    assert_int_equal(tn_backend_load(in_folder("b.so")), TN_OK);
    assert_int_equal(tn_backend_load(in_folder("a.so")), TN_OK);
    while (tn_backend_at(reports, &report)) reports++;
    assert_int_equal(reports, 2);
    assert_null(report_on("/a.so").problem);
}

static void relative_and_missing_places_in_the_path_are_refused(void **state)
{
    char here[1024];
    (void)state;
    copy_plugin("null", "a.so", 0);
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(in_folder("")), 0);
    setenv("TENON_BACKEND_PATH", "a.so:.:/no/such/place", 1);
    assert_skipped("a.so", "is not an absolute path");
    assert_skipped(".", "is not an absolute path");
    assert_skipped("/no/such/place", "No such file");
    assert_int_equal(chdir(here), 0);
}

static void nothing_is_loaded_from_the_working_directory(void **state)
{
    char here[1024];
    tn_backend_report report;
    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(mkdir(in_folder("tenon"), 0700), 0);
    assert_int_equal(mkdir(in_folder("tenon/backends-1"), 0700), 0);
    copy_plugin("null", "null.so", 0);
    copy_plugin("null", "tenon/backends-1/null.so", 0);
    assert_int_equal(chdir(in_folder("")), 0);
    assert_int_equal(tn_backend_at(0, &report), 1);
    assert_string_equal(report.id, "reference");
    assert_int_equal(tn_backend_at(1, &report), 0);
    assert_int_equal(chdir(here), 0);
}

static void an_explicit_file_is_loaded_or_refused_with_its_reason(void **state)
{
    (void)state;
    assert_int_equal(tn_backend_load(built("null")), TN_OK);
    assert_null(report_on("/null.so").problem);
    assert_int_equal(tn_backend_load(built("wrong_major")), TN_EUNSUPPORTED);
    assert_non_null(strstr(tn_message(), "wrong_major.so: is made for ABI version 2.7"));
    assert_int_equal(tn_backend_load(built("wrong_major")), TN_EUNSUPPORTED);
    assert_int_equal(tn_backend_load("/no/such/file.so"), TN_EMISSING);
    assert_int_equal(tn_backend_load(""), TN_EINVAL);
    assert_int_equal(tn_backend_load(NULL), TN_EINVAL);
}

static void a_skipped_backend_says_why_when_its_device_is_asked_for(void **state)
{
    tn_device *device = NULL;
    (void)state;
    use("init_fails unresolved");
    assert_int_equal(tn_device_open("init_fails:0", &device), TN_EDEVICE);
    assert_non_null(strstr(tn_message(), "init failed: no driver was found;"));
    assert_int_equal(tn_device_open("unresolved", &device), TN_EFORMAT);
    assert_non_null(strstr(tn_message(), "function_that_nobody_has"));
    assert_null(device);
}

/* As if a program had two copies of the library: both get the one table of the file. */
static void a_backend_that_another_copy_of_the_library_uses_is_listed_as_in_use(void **state)
{
    tn_device *device = NULL;
    const tn_backend *shared = NULL;
    const tn_host other = tn_host_for("null");
    tn_reason reason;
    (void)state;
    assert_int_equal(tn_load_table(built("null"), &shared, &reason), TN_OK);
    assert_int_equal(shared->init(&other, NULL), TN_OK);
    use("null");
    assert_skipped("/null.so", "init failed: in use by another copy of the library in this process");
    assert_int_equal(tn_device_open("null", &device), TN_ESTATE);
    assert_non_null(strstr(tn_message(), "in use by another copy"));
    shared->deinit();
    use("null");
    assert_int_equal(tn_device_open("null", &device), TN_OK);
    tn_device_close(device);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_misbehaving_plugin_is_skipped_with_its_reason),
        CASE(a_file_that_is_no_library_is_skipped),
        CASE(a_library_cut_short_anywhere_is_skipped),
        CASE(a_table_may_be_longer_or_end_after_the_required_functions),
        CASE(a_folder_is_read_in_the_order_of_names_and_the_reference_is_last),
        CASE(the_second_file_of_an_id_is_skipped_and_names_the_first),
        CASE(a_file_reached_by_several_ways_is_loaded_once),
        CASE(relative_and_missing_places_in_the_path_are_refused),
        CASE(nothing_is_loaded_from_the_working_directory),
        CASE(an_explicit_file_is_loaded_or_refused_with_its_reason),
        CASE(a_skipped_backend_says_why_when_its_device_is_asked_for),
        CASE(a_backend_that_another_copy_of_the_library_uses_is_listed_as_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
