/* common.h: what all examples share: the command line, giving up with the library's message, and the last line.
 *
 *     PROGRAM [--device NAME] [--small] [FILE]
 *
 * `--small` asks for a size that is done in seconds, where the full one takes minutes. */
#ifndef EXAMPLES_COMMON_H
#define EXAMPLES_COMMON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tenon/tenon.h>

/* Ends the program if a call of the library failed. */
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        if (call) {                                                                                                    \
            fprintf(stderr, "error: %s\n", tn_message());                                                              \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

typedef struct example {
    tn_device *device;
    int small;
    const char *file; /* NULL: none was given */
} example;

/* Opens the device. Without it the exit status is 77, by which a test knows that there was nothing to test. */
static inline example example_begin(int argc, char **argv)
{
    example e = {0};
    const char *name = "cpu";
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--device") && i + 1 < argc)
            name = argv[++i];
        else if (!strcmp(argv[i], "--small"))
            e.small = 1;
        else
            e.file = argv[i];
    }
    if (tn_device_open(name, &e.device)) {
        fprintf(stderr, "error: %s\n", tn_message());
        exit(77);
    }
    return e;
}

/* Compiles a graph and frees it: the program does not need it any more. */
static inline tn_program *example_compile(tn_graph *graph, tn_state *state)
{
    tn_program *program = NULL;
    TRY(tn_compile(graph, state, NULL, &program));
    tn_graph_free(graph);
    return program;
}

/* The last line: whether what the example claims came true; and the exit status. */
static inline int example_end(example *e, int holds, const char *claim)
{
    printf("%s: %s\n", holds ? "shown" : "NOT SHOWN", claim);
    tn_device_close(e->device);
    return !holds;
}

#endif
