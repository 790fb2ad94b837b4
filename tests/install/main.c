/* main.c: a user's program, built against an installed Tenon: opens a device and adds up two numbers on it. */
#include <stdio.h>
#include <tenon/tenon.h>

int main(int argc, char **argv)
{
    const float x[2] = {1, 2};
    float y = 0;
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_program *program = NULL;

    tn_graph *graph = tn_graph_new();
    tn_output(tn_sum(tn_input(graph, "x", TN_F32, TN_SHAPE(2)), TN_ALL, 0), "y");
    tn_status s = tn_device_open(argc > 1 ? argv[1] : "reference", &device);
    if (!s) s = tn_state_new(device, 1, &state);
    if (!s) s = tn_compile(graph, state, &(tn_compile_options){.strict = 1}, &program);
    if (!s) s = tn_feed(program, "x", x, sizeof x);
    if (!s) s = tn_program_run(program);
    if (!s) s = tn_fetch(program, "y", &y, sizeof y);
    printf("%s\n", s ? tn_message() : y == 3 ? "the sum is 3" : "the sum is wrong");

    tn_program_free(program);
    tn_state_free(state);
    tn_device_close(device);
    tn_graph_free(graph);
    return s || y != 3;
}
