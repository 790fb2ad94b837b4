/* host.c: the services that backends get: memory, log, options, threads. The disk cache has cache.c. */
#include "harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "cache.h"
#include "host.h"
#include "tenon/backend_ext.h"

static void options_reach_their_backend_until_it_is_in_use(void **state)
{
    tn_device *device = NULL;
    tn_host host = tn_host_for("null");
    const char *old;
    (void)state;
    use("null");
    assert_null(host.option(host.self, "null", "threads"));
    assert_int_equal(tn_backend_option("null", "threads", "3"), TN_OK);
    old = host.option(host.self, "null", "threads");
    assert_string_equal(old, "3");
    assert_int_equal(tn_backend_option("null", "threads", "4"), TN_OK);
    assert_string_equal(host.option(host.self, "null", "threads"), "4");
    assert_string_equal(old, "3"); /* texts live as long as the host */
    assert_null(host.option(host.self, "nul", "threads"));
    assert_null(host.option(host.self, "null", "thread"));
    assert_int_equal(tn_device_open("null", &device), TN_OK);
    assert_int_equal(tn_backend_option("null", "threads", "5"), TN_ESTATE);
    assert_non_null(strstr(tn_message(), "'threads' of null comes too late"));
    assert_int_equal(tn_backend_option("cpu", "threads", "5"), TN_OK);
    assert_int_equal(tn_backend_option("cpu", "", "5"), TN_EINVAL);
    assert_int_equal(tn_backend_option("cpu", "threads", NULL), TN_EINVAL);
    tn_device_close(device);
}

static void assert_not_opened(const char *name, const char *why)
{
    tn_device *device = NULL;
    assert_int_equal(tn_device_open(name, &device), TN_EINVAL);
    assert_null(device);
    if (!strstr(tn_message(), why)) fail_msg("'%s' does not say '%s'", tn_message(), why);
    forget();
}

static void an_option_that_nobody_has_keeps_a_device_from_opening(void **state)
{
    tn_device *device = NULL;
    (void)state;
    use("null");
    assert_int_equal(tn_backend_option("null", "threads", "3"), TN_OK);
    assert_not_opened("null", "option null.threads: null has no such option; it has none");
    assert_int_equal(tn_backend_option("nul", "threads", "3"), TN_OK);
    assert_not_opened("null", "option nul.threads: there is no backend 'nul'; there are null, reference");
    assert_int_equal(tn_backend_option("null", "threads", "3"), TN_OK); /* of another backend, which is not used */
    assert_int_equal(tn_device_open("reference", &device), TN_OK);
    tn_device_close(device);
    forget();
    use("liar");
    assert_int_equal(tn_backend_option("liar", "lies", "kernel"), TN_OK);
    assert_not_opened("liar:0", "option liar.lies: liar has no such option; it has lie");
}

static void options_of_the_environment_count_for_what_a_program_does_not_set(void **state)
{
    static const char *const wrong[] = {"cpu", "cpu.=3", ".a=3", "cpu.a=", "cpu=a.b", "cpu.a=1,b", ",cpu.a=1"};
    tn_device *device = NULL;
    (void)state;
    use("liar");
    setenv("TENON_OPTIONS", "liar.lies=kernel", 1);
    assert_not_opened("liar:0", "option liar.lies: liar has no such option");
    use("null");
    setenv("TENON_OPTIONS", "null.threads=3,null.name=a=b.c,", 1);
    tn_host host = tn_host_for("null");
    assert_int_equal(tn_backend_options("null.more=1,null.threads=7"), TN_OK);
    assert_int_equal(tn_device_open("reference", &device), TN_OK);
    assert_string_equal(host.option(host.self, "null", "name"), "a=b.c");
    assert_string_equal(host.option(host.self, "null", "threads"), "7");
    assert_string_equal(host.option(host.self, "null", "more"), "1");
    tn_device_close(device);
    forget();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv("TENON_OPTIONS", wrong[i], 1);
        assert_not_opened("reference", "TENON_OPTIONS: expected BACKEND.KEY=VALUE,..., not");
        assert_int_equal(tn_backend_options(wrong[i]), TN_EINVAL);
    }
    setenv("TENON_OPTIONS", "cpu.a=1,null.a=1,cpu.a=1", 1);
    assert_not_opened("reference", "TENON_OPTIONS: cpu.a is given twice");
    unsetenv("TENON_OPTIONS");
    forget();
}

static void a_wrong_option_of_the_library_is_refused_at_once(void **state)
{
    (void)state;
    assert_int_equal(tn_backend_option("tenon", "prob", "off"), TN_EINVAL);
    assert_non_null(strstr(tn_message(), "option tenon.prob: the library has no such option; it has probe and"));
    assert_int_equal(tn_backend_option("tenon", "probe", "never"), TN_EINVAL);
    assert_int_equal(tn_backend_option("tenon", "probe_seconds", "soon"), TN_EINVAL);
    assert_non_null(strstr(tn_message(), "'soon' is not a number above 0"));
}

static void memory_is_counted_aligned_and_may_run_out(void **state)
{
    tn_host host = tn_host_for("null");
    uint64_t before = tn_allocations();
    (void)state;
    for (uint64_t alignment = 1; alignment <= 4096; alignment *= 2) {
        void *memory = host.allocate(host.self, 100, alignment);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % alignment, 0);
        host.release(host.self, memory);
    }
    assert_int_equal(tn_allocations() - before, 13);
    host.release(host.self, NULL);
    assert_null(host.allocate(host.self, 100, 48));
    assert_null(host.allocate(host.self, UINT64_MAX / 4, 64));
    tn_alloc_fail_after(0);
    assert_null(host.allocate(host.self, 1, 64));
}

static void log_lines_name_the_backend(void **state)
{
    tn_host host = tn_host_for("null");
    (void)state;
    host.log(host.self, TN_LOG_WARNING, "100% fine");
    host.log(host.self, TN_LOG_WARNING, NULL);
    assert_true(logged("null: 100% fine\n"));
}

/* ---- the cache --------------------------------------------------------------------------------------------------- */

static void mark(void *arg, int64_t begin, int64_t end)
{
    atomic_int *marks = arg;
    for (int64_t i = begin; i < end; i++) atomic_fetch_add(&marks[i], 1);
}

static void parallel_for_covers_each_index_once(void **state)
{
    static const int64_t sizes[] = {0, 1, 2, 3, 64, 65, 1000};
    atomic_int marks[1001];
    tn_host host = tn_host_for("null");
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int i = 0; i < 1001; i++) atomic_init(&marks[i], 0);
        host.parallel_for(host.self, sizes[s], mark, marks);
        for (int i = 0; i < 1001; i++) assert_int_equal(atomic_load(&marks[i]), i < sizes[s]);
    }
    host.parallel_for(host.self, -5, mark, NULL);
}

static void the_hosts_extensions_are_found_by_their_ids(void **state)
{
    const tn_host host = tn_host_for("test");
    const tn_ext_library *library = host.get_ext(host.self, TN_EXT_LIBRARY);
    (void)state;
    assert_non_null(library);
    assert_int_equal(library->size, sizeof *library);
    assert_string_equal(library->version, tn_version());
    assert_int_equal(library->abi_major, TN_ABI_MAJOR);
    assert_int_equal(library->abi_minor, TN_ABI_MINOR);
    assert_null(host.get_ext(host.self, TN_EXT_GRAPH));
    assert_null(host.get_ext(host.self, "no.such.table/1"));
    assert_null(host.get_ext(host.self, NULL));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(options_reach_their_backend_until_it_is_in_use),
        CASE(an_option_that_nobody_has_keeps_a_device_from_opening),
        CASE(options_of_the_environment_count_for_what_a_program_does_not_set),
        CASE(a_wrong_option_of_the_library_is_refused_at_once),
        CASE(memory_is_counted_aligned_and_may_run_out),
        CASE(log_lines_name_the_backend),
        CASE(parallel_for_covers_each_index_once),
        CASE(the_hosts_extensions_are_found_by_their_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
