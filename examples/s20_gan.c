/* S20: a generative adversarial net (Goodfellow and others, 2014) that learns to draw points on a circle.
 *
 *     noise (8) ── generator ── point (2)
 *     point (2) ── discriminator ── is it a real one?
 *
 * Two networks and two optimizers share a state. The discriminator's program makes it tell real points from drawn ones;
 * the generator's makes the drawn ones look real to it. Each program trains the parameters of its own network alone. */
#include <math.h>

#include "common.h"

enum { BATCH = 128, NOISE = 8, DRAWN = 2000 };

static tn_tensor *generator(tn_tensor *z)
{
    z = tn_leaky_relu(tn_linear(z, "g.fc1", .units = 32), tn_number(z, 0.2));
    z = tn_leaky_relu(tn_linear(z, "g.fc2", .units = 32), tn_number(z, 0.2));
    return tn_linear(z, "g.fc3", .units = 2);
}

static tn_tensor *discriminator(tn_tensor *x)
{
    x = tn_leaky_relu(tn_linear(x, "d.fc1", .units = 32), tn_number(x, 0.2));
    x = tn_leaky_relu(tn_linear(x, "d.fc2", .units = 32), tn_number(x, 0.2));
    return tn_linear(x, "d.fc3", .units = 1);
}

/* How far the discriminator is from saying `answer` of all points. */
static tn_tensor *says(tn_tensor *points, double answer)
{
    tn_tensor *logit = discriminator(points);
    return tn_binary_cross_entropy(logit, tn_full(tn_graph_of(points), TN_F32, tn_shape_of(logit), answer));
}

static tn_tensor *drawn(tn_graph *graph, int64_t count)
{
    return generator(tn_random_normal(graph, TN_SHAPE(count, NOISE)));
}

/* Points at a distance of 1 from the origin, or hardly more or less. */
static tn_tensor *real(tn_graph *graph)
{
    tn_tensor *angle = tn_random_uniform(graph, TN_SHAPE(BATCH, 1)), *off = tn_random_normal(graph, TN_SHAPE(BATCH, 1));
    angle = tn_mul(angle, tn_number(angle, 6.283185307));
    tn_tensor *radius = tn_add(tn_mul(off, tn_number(off, 0.02)), tn_number(off, 1));
    return tn_mul(tn_concat((tn_tensor *[]){tn_cos(angle), tn_sin(angle)}, 2, 1), radius);
}

static tn_program *critic(tn_state *state)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *loss = tn_add(says(real(graph), 1), says(tn_stop_gradient(drawn(graph, BATCH)), 0));
    tn_minimize(loss, "adam", (tn_optim_options){.lr = 0.002, .beta1 = 0.5, .only = "d.*", .name = "d"});
    tn_output(loss, "loss");
    return example_compile(graph, state);
}

static tn_program *forger(tn_state *state)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *loss = says(drawn(graph, BATCH), 1);
    tn_minimize(loss, "adam", (tn_optim_options){.lr = 0.001, .beta1 = 0.5, .only = "g.*", .name = "g"});
    tn_output(loss, "loss");
    return example_compile(graph, state);
}

/* The share of drawn points that lie at a distance from 0.8 to 1.2, and the smallest share of an eighth of the circle.
 */
static void judge(tn_state *state, const char *when, double *near, double *least)
{
    static float point[DRAWN][2];
    int eighth[8] = {0}, count = 0;
    tn_graph *graph = tn_graph_new();
    tn_output(drawn(graph, DRAWN), "points");
    tn_program *program = example_compile(graph, state);
    TRY(tn_program_run(program));
    TRY(tn_fetch(program, "points", point, sizeof point));
    tn_program_free(program);
    for (int i = 0; i < DRAWN; i++) {
        const double distance = hypot(point[i][0], point[i][1]), angle = atan2(point[i][1], point[i][0]);
        if (i < 400) example_note(when, "drawn", point[i][0], point[i][1]);
        count += distance > 0.8 && distance < 1.2;
        eighth[(int)(8 * (angle / 6.283185307 + 0.5)) % 8]++;
    }
    *near = (double)count / DRAWN;
    *least = 1;
    for (int k = 0; k < 8; k++)
        if (eighth[k] < *least * DRAWN) *least = (double)eighth[k] / DRAWN;
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    const int steps = e.small ? 2500 : 8000;
    tn_state *state = NULL;
    double near = 0, least = 0, before;
    char claim[120];
    TRY(tn_state_new(e.device, 1, &state));
    tn_program *d = critic(state), *g = forger(state);
    judge(state, "before", &before, &least);
    for (int step = 1; step <= steps; step++) {
        float loss[2];
        TRY(tn_program_run(d));
        TRY(tn_program_run(g));
        if (step % (steps / 5)) continue;
        TRY(tn_fetch(d, "loss", &loss[0], sizeof(float)));
        TRY(tn_fetch(g, "loss", &loss[1], sizeof(float)));
        snprintf(claim, sizeof claim, "after %d steps", step);
        judge(state, claim, &near, &least);
        printf("step %4d  losses %.3f and %.3f  on the circle %5.1f %%, least in an eighth %4.1f %%\n", step, loss[0],
               loss[1], 100 * near, 100 * least);
    }
    tn_program_free(d);
    tn_program_free(g);
    tn_state_free(state);
    snprintf(claim, sizeof claim, "from %.0f %% to %.0f %% of the drawn points lie on the circle, all around it",
             100 * before, 100 * near);
    return example_end(&e, near > 0.8 && before < 0.5 && least > 0.04, claim);
}
