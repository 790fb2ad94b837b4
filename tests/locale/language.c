/* language.c: what the library reads and writes, in the language that the environment sets; results as bits, one a
 * line. usage: language DEVICE FILE.csv. Its first line is the decimal point. */
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tenon/tenon.h"

static void line(void *arg, const char *text)
{
    (void)arg;
    puts(text);
}

static void log_line(void *arg, int32_t level, const char *text)
{
    (void)level;
    line(arg, text);
}

static void bits(const char *what, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t number;
        memcpy(&number, &x[i], sizeof number);
        printf("%s %zu: %08x\n", what, i, (unsigned)number);
    }
}

static int failed(tn_status s)
{
    if (s) printf("%s: %s\n", tn_status_name(s), tn_message());
    return s != TN_OK;
}

/* Constants of all kinds in maps, a net and a schedule as texts, and the compiler's table. */
static tn_graph *model(void)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_add(tn_mul(tn_full(g, TN_F32, TN_SHAPE(4, 3), 1.5), tn_full(g, TN_F32, TN_SHAPE(4, 3), 1e-30)),
                          tn_random_normal(g, TN_SHAPE(4, 3)));
    tn_tensor *y =
        tn_net(tn_mul(x, tn_number(x, 0.3)), "linear 5, dropout 0.25, tanh, linear 1", (tn_net_options){.training = 1});
    tn_output(y, "y");
    tn_minimize(tn_mean(tn_square(y), TN_ALL, 0), "adam", (tn_optim_options){.lr = 0.01, .rates = "*.weight 0.5"});
    return g;
}

static int train(const char *name)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_program *p = NULL;
    float y[4];
    tn_graph *g = model();
    tn_status s = tn_device_open(name, &device);
    if (!s) s = tn_state_new(device, 5, &state);
    if (!s) s = tn_compile(g, state, NULL, &p);
    if (!s) tn_program_explain(p, line, NULL);
    for (int i = 0; !s && i < 3; i++) {
        s = tn_program_run(p);
        if (!s) s = tn_fetch(p, "y", y, sizeof y);
        if (!s) bits("y", y, 4);
    }
    tn_program_free(p);
    tn_state_free(state);
    tn_device_close(device);
    tn_graph_free(g);
    return failed(s);
}

static int table(const char *path)
{
    tn_dataset data = {0};
    if (failed(tn_dataset_csv(path, NULL, &data))) return 1;
    bits("x", data.x, (size_t)data.count);
    tn_dataset_free(&data);
    return 0;
}

/* Numbers in messages. */
static void complain(void)
{
    tn_graph *g = tn_graph_new();
    tn_dropout(tn_full(g, TN_F32, TN_SHAPE(2), 0), 1.5);
    failed(tn_graph_status(g));
    tn_graph_free(g);
    g = tn_graph_new();
    tn_net(tn_full(g, TN_F32, TN_SHAPE(2, 2), 0), "dropout 0.5, dropout 2.5", (tn_net_options){.training = 1});
    failed(tn_graph_status(g));
    tn_graph_free(g);
}

int main(int argc, char **argv)
{
    if (argc != 3 || !setlocale(LC_ALL, "")) return 77;
    puts(localeconv()->decimal_point);
    tn_log_to(log_line, NULL, TN_LOG_INFO);
    int wrong = failed(tn_backend_option("cpu", "grain", "0.5")) + failed(tn_backend_option("opencl", "grain", "0.5")) +
                failed(tn_backend_option("tenon", "probe_seconds", "29.5"));
    complain();
    return wrong + table(argv[2]) + train(argv[1]) != 0;
}
