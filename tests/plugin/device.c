/* device.c: naming, opening and closing devices, and the choice of `auto`. */
#include "harness.h"

#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cache.h"
#include "device_internal.h"
#include "registry.h"

static void assert_opens(const char *name, const char *printed)
{
    tn_device *device = NULL;
    if (tn_device_open(name, &device)) fail_msg("%s: %s", name, tn_message());
    assert_string_equal(tn_device_name(device), printed);
    tn_device_close(device);
}

static void assert_refused(const char *name, tn_status status, const char *message)
{
    tn_device *device = (tn_device *)&device, *before = device;
    assert_int_equal(tn_device_open(name, &device), status);
    if (!strstr(tn_message(), message)) fail_msg("'%s' does not say '%s'", tn_message(), message);
    assert_ptr_equal(device, before);
}

static void devices_are_listed_by_backend_with_the_reference_last(void **state)
{
    static const char *const want[] = {"null",        "several:0",    "several:1", "several:4",
                                       "matmul_only", "nan_matmul:0", "reference"};
    tn_device_entry entry;
    (void)state;
    use("null several matmul_only nan_matmul");
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(tn_device_at(i, &entry), 1);
        assert_string_equal(entry.name, want[i]);
    }
    assert_int_equal(tn_device_at(7, &entry), 0);
    assert_int_equal(tn_device_at((size_t)-1, &entry), 0);
}

static void what_a_backend_says_of_a_device_is_checked_and_cleaned(void **state)
{
    tn_device_entry entry;
    (void)state;
    use("several");
    assert_int_equal(tn_device_at(0, &entry), 1);
    assert_string_equal(entry.info.name, "Alpha Graphics ");
    assert_int_equal(tn_device_at(2, &entry), 1);
    assert_string_equal(entry.name, "several:4");
    assert_int_equal(strlen(entry.info.name), sizeof entry.info.name - 1);
    assert_int_equal(entry.info.kind, TN_DEVICE_OTHER);
    assert_true(logged("device several:2 left out: fell off the bus"));
    assert_true(logged("device several:3 left out: its alignment, 48, is no power of two"));
}

static void what_one_operator_may_have_is_the_abis_limit_unless_the_device_says_less(void **state)
{
    tn_device_entry entry;
    (void)state;
    use("several");
    assert_int_equal(tn_device_at(0, &entry), 1); /* says nothing */
    assert_int_equal(entry.info.max_in, TN_MAX_OPERANDS);
    assert_int_equal(entry.info.max_out, TN_MAX_OPERANDS);
    assert_int_equal(entry.info.max_instr, TN_MAX_INSTRS);
    assert_int_equal(entry.info.max_scalar, TN_MAX_SCALARS);
    assert_int_equal(tn_device_at(1, &entry), 1); /* 3 outputs, and more inputs than anyone asks for */
    assert_int_equal(entry.info.max_in, TN_MAX_OPERANDS);
    assert_int_equal(entry.info.max_out, 3);
}

static void a_device_opens_by_each_of_its_names(void **state)
{
    (void)state;
    use("null several nan_matmul");
    assert_opens("null", "null");
    assert_opens("null:0", "null");
    assert_opens("nan_matmul", "nan_matmul:0");
    assert_opens("nan_matmul:0", "nan_matmul:0");
    assert_opens("several:1", "several:1");
    assert_opens("several:4", "several:4");
    assert_opens("pci-1", "several:1");
    assert_opens("alpha", "several:0");
    assert_opens("BETA graph", "several:1");
    assert_opens("reference", "reference");
    assert_opens("reference:0", "reference");
}

static void a_name_that_fits_nothing_or_several_is_refused_with_what_there_is(void **state)
{
    (void)state;
    use("several context_fails");
    assert_refused("graphics", TN_EMISSING, "'graphics' fits several devices: several:0, several:1");
    assert_refused("several", TN_EMISSING, "'several' has several devices: several:0, several:1, several:4");
    assert_refused("several:2", TN_EMISSING, "no device 'several:2': several has several:0, several:1, several:4");
    assert_refused("several:-1", TN_EMISSING, "no device 'several:-1'");
    assert_refused("several:", TN_EMISSING, "no device 'several:'");
    assert_refused("several:18446744073709551616", TN_EMISSING, "no device");
    assert_refused("several:4294967297", TN_EMISSING, "no device");
    assert_refused("nope", TN_EMISSING,
                   "no device 'nope'; devices: several:0, several:1, several:4, context_fails:0, ");
    assert_refused("", TN_EMISSING, "is empty");
    assert_refused(NULL, TN_EINVAL, "name is NULL");
    assert_refused("context_fails", TN_EDEVICE, "context_fails:0: the device is gone");
}

static void opening_again_gives_the_same_device_until_the_last_close(void **state)
{
    tn_device *first = NULL, *second = NULL, *other = NULL;
    (void)state;
    use("null several");
    assert_int_equal(tn_device_open("null", &first), TN_OK);
    assert_int_equal(tn_device_open("null:0", &second), TN_OK);
    assert_int_equal(tn_device_open("several:1", &other), TN_OK);
    assert_ptr_equal(first, second);
    assert_int_equal(other->index, 1);
    assert_int_equal(tn_device_get_info(first)->alignment, 64);
    tn_device_close(first);
    assert_string_equal(tn_device_name(second), "null");
    assert_int_equal(tn_registry_close(), 2); /* refuses: two are open */
    tn_device_close(second);
    tn_device_close(other);
    tn_device_close(NULL);
    assert_int_equal(tn_registry_close(), 0);
}

/* Never before in this process: what was loaded once stays. */
static int is_loaded(const char *plugin)
{
    void *library = dlopen(built(plugin), RTLD_LAZY | RTLD_NOLOAD);
    if (library) dlclose(library);
    return library != NULL;
}

static void naming_a_device_loads_and_starts_no_other_backend(void **state)
{
    (void)state;
    use("liar init_fails null");
    assert_false(is_loaded("liar"));
    assert_opens("null", "null");
    assert_opens("null:0", "null");
    assert_opens("reference", "reference");
    assert_false(is_loaded("liar"));
    assert_false(logged("init failed"));
    assert_refused("no such device", TN_EMISSING, "devices: liar:0, liar:1, liar:2, null, reference");
    assert_true(is_loaded("liar"));
    assert_true(logged("init failed"));
}

static void a_backend_is_found_by_its_id_whatever_its_file_is_called(void **state)
{
    (void)state;
    copy_plugin("null", "several.so", 0);
    copy_plugin("several", "null.so", 0);
    copy_plugin("newer", "other.so", 0);
    setenv("TENON_BACKEND_PATH", in_folder(""), 1);
    forget();
    assert_opens("null", "null");
    assert_opens("several:1", "several:1");
    assert_opens("newer", "newer");
}

static void a_file_that_is_called_as_its_id_comes_first_in_whatever_order_they_are_loaded(void **state)
{
    char problem[512];
    (void)state;
    copy_plugin("null", "a.so", 0);
    copy_plugin("null", "null.so", 0);
    setenv("TENON_BACKEND_PATH", in_folder(""), 1);
    snprintf(problem, sizeof problem, "has the id 'null', as %s, which comes first", in_folder("null.so"));
    for (int named_first = 0; named_first < 2; named_first++) {
        forget();
        if (named_first) assert_opens("null", "null");
        assert_null(report_on("/null.so").problem);
        assert_string_equal(report_on("/a.so").problem, problem);
    }
}

static void extensions_are_found_only_where_the_table_reaches_that_far(void **state)
{
    tn_device *device = NULL;
    (void)state;
    use("newer oldest null");
    assert_int_equal(tn_device_open("newer", &device), TN_OK);
    assert_non_null(tn_backend_extension(device->backend, "newer.extension/1"));
    assert_null(tn_backend_extension(device->backend, "tenon.graph/1"));
    tn_device_close(device);
    assert_int_equal(tn_device_open("oldest", &device), TN_OK);
    assert_null(tn_backend_extension(device->backend, "tenon.graph/1"));
    tn_device_close(device);
    assert_int_equal(tn_device_open("null", &device), TN_OK);
    assert_null(tn_backend_extension(device->backend, "tenon.graph/1"));
    tn_device_close(device);
}

static void auto_takes_the_device_that_can_be_measured(void **state)
{
    (void)state;
    use("null nan_matmul context_fails matmul_only init_fails");
    assert_opens("auto", "matmul_only");
    assert_true(logged("auto passes over null: null: matmul is not supported"));
    assert_true(logged("auto passes over nan_matmul:0: nan_matmul:0: its matrix product is wrong: element (0, 0) is "));
    assert_true(logged("auto passes over context_fails:0: context_fails:0: the device is gone"));
}

static void auto_falls_back_to_the_reference(void **state)
{
    (void)state;
    assert_opens("auto", "reference");
    use("null nan_matmul context_fails init_fails wrong_major");
    assert_opens("auto", "reference");
}

/* The key is what tn_device_speed makes of the device; a wrong one would make this test fail. */
static void put_speed(double flops)
{
    char key[512];
    tn_device *device = NULL;
    assert_int_equal(tn_device_open("matmul_only", &device), TN_OK);
    snprintf(key, sizeof key, "speed\nmatmul_only 1\nmatmul_only\n%s\n%s\n%s", device->info.name, device->info.driver,
             tn_version());
    tn_cache_put("tenon", key, &flops, sizeof flops, TN_CACHE_LIMIT);
    tn_device_close(device);
}

static void a_measurement_is_kept_and_one_that_makes_no_sense_is_repeated(void **state)
{
    static const double nonsense[] = {NAN, -1, 1e30};
    tn_device *device = NULL;
    double flops = 0, again = 0;
    (void)state;
    use("matmul_only null");
    put_speed(12345);
    assert_int_equal(tn_device_open("matmul_only", &device), TN_OK);
    assert_int_equal(tn_device_speed(device, &flops), TN_OK);
    assert_true(flops == 12345);
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        put_speed(nonsense[i]);
        assert_int_equal(tn_device_speed(device, &flops), TN_OK);
        assert_true(flops > 1e6 && flops < 1e13);
        assert_int_equal(tn_device_speed(device, &again), TN_OK);
        assert_true(flops == again);
    }
    tn_device_close(device);
    assert_int_equal(tn_device_open("null", &device), TN_OK);
    again = 7;
    assert_int_equal(tn_device_measure(device, &again), TN_EUNSUPPORTED);
    assert_true(again == 7);
    assert_string_equal(tn_message(), "null: matmul is not supported");
    tn_device_close(device);
}

/* Fails each allocation in turn, from nothing loaded on; then once more without forgetting in between. */
static void fail_each_allocation(const char *name, int from_scratch)
{
    tn_status status = TN_ENOMEM;
    int64_t calls = 0;
    for (; status; calls++) {
        tn_device *device = NULL;
        if (from_scratch) forget();
        tn_alloc_fail_after(calls);
        status = tn_device_open(name, &device);
        tn_alloc_fail_after(-1);
        if (status) assert_int_equal(status, TN_ENOMEM);
        assert_true(!status == (device != NULL));
        tn_device_close(device);
        assert_true(calls < 2000);
    }
    assert_true(calls > 3); /* some failed */
}

static void every_allocation_may_fail(void **state)
{
    tn_device_entry entry;
    size_t devices = 0;
    (void)state;
    use("several null wrong_major newer");
    fail_each_allocation("null", 1);
    forget();
    fail_each_allocation("beta", 1);
    forget();
    fail_each_allocation("null", 0);
    while (tn_device_at(devices, &entry)) devices++;
    assert_int_equal(devices, 6);
    assert_non_null(report_on("/wrong_major.so").problem);
}

/* To list fewer than there are would say that the others don't exist. */
static void a_device_that_memory_is_too_short_for_is_no_device_less(void **state)
{
    tn_device *device = NULL;
    (void)state;
    use("hungry null");
    tn_backend_report report = report_on("/hungry.so");
    assert_int_equal(report.status, TN_ENOMEM);
    assert_string_equal(report.problem, "device_info failed: out of memory for a text");
    assert_int_equal(report.devices, 0);
    assert_int_equal(report_on("/null.so").status, TN_OK);
    assert_int_equal(tn_device_open("hungry:0", &device), TN_ENOMEM);
}

/* Without memory `auto` may end with another device, or none, but never with something half open. */
static void auto_survives_every_failing_allocation(void **state)
{
    (void)state;
    use("matmul_only");
    assert_opens("auto", "matmul_only"); /* measured, and kept */
    for (int64_t calls = 0; calls < 60; calls++) {
        tn_device *device = NULL;
        forget();
        tn_alloc_fail_after(calls);
        tn_status status = tn_device_open("auto", &device);
        tn_alloc_fail_after(-1);
        assert_true(status == TN_OK || status == TN_ENOMEM);
        tn_device_close(device);
    }
}

static void *open_and_close(void *arg)
{
    static const char *const names[] = {"null", "several:0", "beta", "reference", "no such device"};
    tn_device_entry entry;
    (void)arg;
    for (size_t i = 0; i < 200; i++) {
        tn_device *device = NULL;
        tn_status status = tn_device_open(names[i % 5], &device);
        if ((status != TN_OK) != (i % 5 == 4) || !tn_device_at(i % 3, &entry)) return "failed";
        tn_device_close(device);
    }
    return NULL;
}

static void many_threads_open_and_close_devices_at_once(void **state)
{
    pthread_t threads[8];
    (void)state;
    use("null several");
    for (int i = 0; i < 8; i++) assert_int_equal(pthread_create(&threads[i], NULL, open_and_close, NULL), 0);
    for (int i = 0; i < 8; i++) {
        void *problem = NULL;
        pthread_join(threads[i], &problem);
        assert_null(problem);
    }
    forget();
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(devices_are_listed_by_backend_with_the_reference_last),
        CASE(what_a_backend_says_of_a_device_is_checked_and_cleaned),
        CASE(what_one_operator_may_have_is_the_abis_limit_unless_the_device_says_less),
        CASE(a_device_opens_by_each_of_its_names),
        CASE(a_name_that_fits_nothing_or_several_is_refused_with_what_there_is),
        CASE(opening_again_gives_the_same_device_until_the_last_close),
        CASE(naming_a_device_loads_and_starts_no_other_backend),
        CASE(a_backend_is_found_by_its_id_whatever_its_file_is_called),
        CASE(a_file_that_is_called_as_its_id_comes_first_in_whatever_order_they_are_loaded),
        CASE(extensions_are_found_only_where_the_table_reaches_that_far),
        CASE(auto_takes_the_device_that_can_be_measured),
        CASE(auto_falls_back_to_the_reference),
        CASE(a_measurement_is_kept_and_one_that_makes_no_sense_is_repeated),
        CASE(every_allocation_may_fail),
        CASE(a_device_that_memory_is_too_short_for_is_no_device_less),
        CASE(auto_survives_every_failing_allocation),
        CASE(many_threads_open_and_close_devices_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
