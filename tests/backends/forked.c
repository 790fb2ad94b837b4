/* forked.c: a process that has used a device is forked. The child gets errors from what it inherited and from the
 * device, works on the reference, and ends; the parent works on.
 *
 *     forked DEVICE
 *
 * Prints what went otherwise; exit status 1 if anything did, 77 if there is no such device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenon/tenon.h>

enum { SIDE = 300, PATIENCE = 60 }; /* large enough for all threads; seconds */

typedef struct bed {
    tn_device *device;
    tn_state *state;
    tn_program *program;
} bed;

static int wrong;

static void expect(int right, const char *who, const char *what)
{
    if (!right) wrong = 1, printf("%s: %s: %s\n", who, what, tn_message());
}

/* A product with a weight, which gets an update. */
static tn_status begin(bed *b, const char *device)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *x = tn_full(graph, TN_F32, TN_SHAPE(SIDE, SIDE), 1);
    tn_tensor *y = tn_linear(tn_mul(x, tn_scalar_input(graph, "s", TN_F32, 2)), "fc", .units = SIDE);
    tn_minimize(tn_mean(tn_square(y), TN_AXES(0, 1), 0), "sgd", (tn_optim_options){.lr = 0.1});
    *b = (bed){0};
    tn_status s = tn_device_open(device, &b->device);
    if (!s) s = tn_state_new(b->device, 1, &b->state);
    if (!s) s = tn_compile(graph, b->state, NULL, &b->program);
    tn_graph_free(graph);
    return s;
}

static void end(bed *b)
{
    tn_program_free(b->program);
    tn_state_free(b->state);
    tn_device_close(b->device);
}

static tn_status step(bed *b)
{
    float bias[SIDE];
    tn_status s = tn_program_run(b->program);
    if (!s) s = tn_wait(b->program);
    return s ? s : tn_state_read(b->state, "fc.bias", bias, sizeof bias);
}

static int refused(tn_status s)
{
    return s == TN_ESTATE && strstr(tn_message(), "forked");
}

static int child(bed *inherited, const char *device)
{
    bed fresh, reference;
    float bias[SIDE] = {0};
    alarm(PATIENCE);
    expect(refused(tn_program_run(inherited->program)), "child", "runs what it inherited");
    expect(refused(tn_wait(inherited->program)), "child", "waits for what it inherited");
    expect(refused(tn_state_read(inherited->state, "fc.bias", bias, sizeof bias)), "child", "reads what it inherited");
    expect(refused(tn_state_save(inherited->state, "forked.safetensors", NULL, 0)), "child", "saves what it inherited");
    end(inherited);
    expect(refused(begin(&fresh, device)), "child", "opens the device");
    end(&fresh);
    expect(!begin(&reference, "reference") && !step(&reference), "child", "cannot use the reference");
    end(&reference);
    return wrong;
}

/* What the backend and its driver had made is left in the child, so that a leak is no mistake there. */
static void leave(int status)
{
#ifdef __SANITIZE_ADDRESS__
    fflush(stdout);
    _exit(status);
#else
    exit(status); /* with all that is done then */
#endif
}

int main(int argc, char **argv)
{
    bed b;
    int status = 0;
    const char *device = argc > 1 ? argv[1] : "cpu";
    if (begin(&b, device)) return printf("%s\n", tn_message()), 77;
    expect(!step(&b), "parent", "does not work");
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) leave(child(&b, device));
    expect(!step(&b), "parent", "does not work on");
    expect(waitpid(pid, &status, 0) == pid, "parent", "lost its child");
    if (WIFSIGNALED(status)) printf("the child was ended by signal %d\n", WTERMSIG(status));
    end(&b);
    return wrong || status;
}
