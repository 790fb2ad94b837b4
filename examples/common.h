/* common.h: what all examples share: the command line, giving up with the library's message, and the last line.
 *
 *     PROGRAM [--device NAME] [--small] [--table FILE] [FILE]
 *
 * `--small` asks for a size that is done in seconds, where the full one takes minutes. `--table` writes what came out
 * as numbers, of which tools/examples.py draws the pictures of docs/examples. */
#ifndef EXAMPLES_COMMON_H
#define EXAMPLES_COMMON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tenon/tenon.h>

#ifndef SOURCE_DIR
#define SOURCE_DIR "." /* the project's folder */
#endif

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

static FILE *example_table; /* of --table; else NULL */

/* A point of a series, in a panel of the example's picture. */
static inline void example_note(const char *panel, const char *series, double x, double y)
{
    if (example_table) fprintf(example_table, "\"%s\",\"%s\",%.5g,%.5g\n", panel, series, x, y);
}

static inline void example_open_table(const char *path)
{
    if (!(example_table = fopen(path, "w"))) {
        perror(path);
        exit(1);
    }
    fprintf(example_table, "panel,series,x,y\n");
}

/* Opens the device. Without it the exit status is 77, by which a test knows that there was nothing to test. */
static inline example example_begin(int argc, char **argv)
{
    example e = {0};
    const char *name = "cpu";
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--device") && i + 1 < argc)
            name = argv[++i];
        else if (!strcmp(argv[i], "--table") && i + 1 < argc)
            example_open_table(argv[++i]);
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

/* A number from 0 to 1: a small generator of our own, so that drawn data is the same everywhere. */
static inline double chance(void)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 8) / 16777216.0;
}

/* Digits: MNIST, from the folder on the command line or in TENON_MNIST; with --small as many as asked for that the
 * library draws itself. Without MNIST there is nothing to do: status 77. */
static inline void example_digits(const example *e, const char *small, tn_dataset *train, tn_dataset *test)
{
    const char *name = e->small ? small : e->file ? e->file : getenv("TENON_MNIST");
    if (!name) {
        fprintf(stderr, "give the folder of MNIST's four files, or --small\n");
        exit(77);
    }
    TRY(tn_dataset_open(name, 1, NULL, train, test));
    printf("%lld samples from %s, %lld for testing\n", (long long)train->count, train->source, (long long)test->count);
}

/* For tn_fit: notes the loss of each epoch as a series; or, with a test set, what is right of that. */
typedef struct example_curve {
    const char *panel, *series;
} example_curve;

static inline int example_follow(void *arg, const tn_epoch *epoch)
{
    const example_curve *curve = arg;
    const int tested = epoch->test.accuracy >= 0;
    example_note(curve->panel, curve->series, (double)epoch->number,
                 tested ? 100 * epoch->test.accuracy : epoch->train.loss);
    return 0;
}

/* The same, and a line for each. */
static inline int example_epoch(void *arg, const tn_epoch *epoch)
{
    example_follow(arg, epoch);
    printf("epoch %2lld  loss %.4f  accuracy %5.2f %%  test %5.2f %%  %.1f s\n", (long long)epoch->number,
           epoch->train.loss, 100 * epoch->train.accuracy, 100 * epoch->test.accuracy, epoch->seconds);
    fflush(stdout);
    return 0;
}

static inline int64_t example_parameters(const tn_state *state)
{
    int64_t count = 0;
    tn_state_entry entry;
    for (size_t i = 0; tn_state_at(state, i, &entry); i++)
        if (entry.flags & TN_TRAINABLE) count += tn_shape_count(&entry.shape);
    return count;
}

/* The last line: whether what the example claims came true; and the exit status. */
static inline int example_end(example *e, int holds, const char *claim)
{
    printf("%s: %s\n", holds ? "shown" : "NOT SHOWN", claim);
    tn_device_close(e->device);
    if (example_table && (ferror(example_table) | fclose(example_table))) {
        fprintf(stderr, "the table could not be written\n");
        holds = 0;
    }
    return !holds;
}

#endif
