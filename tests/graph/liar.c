/* liar.c: a backend that answers TN_OK and gives nothing, or numbers that cannot be, is refused with a line that names
 * it: nothing crashes, and another device works beside it. A process a lie, for a backend is initialised once. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

static char log_lines[4096];

static void record(void *arg, int32_t level, const char *line)
{
    size_t length = strlen(log_lines);
    (void)arg, (void)level;
    snprintf(log_lines + length, sizeof log_lines - length, "%s\n", line);
}

/* A product, on the device or, if that is refused, nowhere. */
static tn_status multiply(tn_device *device)
{
    tn_state *state = NULL;
    tn_program *program = NULL;
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(4, 4));
    tn_output(tn_linear(x, "fc", .units = 3), "y");
    tn_status s = tn_state_new(device, 1, &state);
    if (!s) s = tn_compile(g, state, NULL, &program);
    tn_program_free(program);
    tn_state_free(state);
    tn_graph_free(g);
    return s;
}

static tn_status try(const char *device_name)
{
    tn_device *device = NULL;
    tn_status s = tn_device_open(device_name, &device);
    if (!s) s = multiply(device);
    tn_device_close(device);
    return s;
}

/* The lie, and the line that tells of it: as the message of what fails, else in the log. */
static const struct {
    const char *lie, *message, *log;
} lies[] = {
    {"context", "liar:0: its backend answers that it made a context, and gives none", NULL},
    {"buffer", "liar:0: its backend answers that it made a buffer, and gives none", NULL},
    {"queue", "liar:0: its backend answers that it made a queue, and gives none", NULL},
    {"kernel", "liar:0: its backend answers that it made a kernel, and gives none", NULL},
    {"scratch", "liar:0: matmul asks for 18446744073709551612 bytes of scratch memory", NULL},
    {"devices", "claims to have 257 devices; 256 are the most", NULL},
    {"twins", NULL, "device liar:1 left out: its id, 'pci-0', is that of liar:0"},
    {"alignment", "liar found no device", "device liar:0 left out: its alignment, 1099511627776, is more than 2097152"},
    {"max_buffer", "liar found no device", "its largest buffer, 63 bytes, is smaller than its alignment, 64"},
    {"texts", NULL, NULL},
};

static const char *lie;

static void what_cannot_be_is_refused_with_a_line_that_names_the_backend(void **state)
{
    size_t n = 0;
    (void)state;
    while (strcmp(lies[n].lie, lie)) n++;
    tn_log_to(record, NULL, TN_LOG_DEBUG);
    ok(tn_backend_option("liar", "lie", lie));
    ok(tn_backend_load(LIAR));
    tn_status s = try("liar:0");
    assert_int_equal(s != TN_OK, lies[n].message != NULL);
    if (s && !strstr(tn_message(), lies[n].message)) fail_msg("'%s'", tn_message());
    if (lies[n].log && !strstr(log_lines, lies[n].log)) fail_msg("the log: %s", log_lines);
    ok(try("reference"));
}

static void nothing_that_a_terminal_would_obey_is_left_in_a_name(void **state)
{
    tn_device_entry d;
    (void)state;
    ok(tn_backend_option("liar", "lie", "texts"));
    ok(tn_backend_load(LIAR));
    for (size_t i = 0; tn_device_at(i, &d); i++)
        if (!strcmp(d.name, "liar:0")) assert_string_equal(d.info.name, " [2J?  n    device");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest refused[] = {
        cmocka_unit_test(what_cannot_be_is_refused_with_a_line_that_names_the_backend),
    };
    const struct CMUnitTest cleaned[] = {
        cmocka_unit_test(nothing_that_a_terminal_would_obey_is_left_in_a_name),
    };
    lie = argc > 1 ? argv[1] : "";
    return strcmp(lie, "texts") ? cmocka_run_group_tests(refused, NULL, NULL)
                                : cmocka_run_group_tests(cleaned, NULL, NULL);
}
