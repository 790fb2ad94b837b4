/* workers.c: one training by several processes, on one host or on many.
 *
 *     workers FILE
 *     mpirun -n 4 workers FILE
 *
 * Each process is a worker. A batch is cut into 8 shards, which they share; whatever their number is, FILE gets the same
 * bytes. All of them make the same calls. One prints and writes. */
#include <stdio.h>

#include <tenon/tenon.h>

static tn_tensor *net(tn_tensor *x, int training, const void *arg)
{
    (void)arg;
    x = tn_relu(tn_linear(tn_flatten(x), "hidden", .units = 32));
    if (training) x = tn_dropout(x, 0.1);
    return tn_linear(x, "out", .units = 10);
}

static int each(void *arg, const tn_epoch *epoch)
{
    if (!tn_team_rank(arg))
        printf("epoch %lld  loss %.4f  test %.1f %%\n", (long long)epoch->number, epoch->train.loss,
               100 * epoch->test.accuracy);
    return 0;
}

static tn_status train(tn_team *team, const char *file)
{
    tn_dataset data = {0}, test = {0};
    tn_device *device = NULL;
    tn_state *state = NULL;
    const tn_model model = {.build = net, .loss = "cross_entropy"};
    tn_fit_options how = {.epochs = 3, .batch = 64, .shards = 8, .optimizer = "adam"};
    how.team = team;
    how.test = &test;
    how.each = each;
    how.arg = team;
    tn_status s = tn_dataset_open("digits:2000", 1, NULL, &data, &test);
    if (!s) s = tn_device_open("cpu", &device);
    if (!s) s = tn_state_new(device, 7, &state);
    if (!s) s = tn_fit(state, &model, &data, &how, NULL);
    if (!s && !tn_team_rank(team)) s = tn_state_save(state, file, NULL, 0);
    tn_state_free(state);
    tn_device_close(device);
    tn_dataset_free(&data);
    tn_dataset_free(&test);
    return s;
}

int main(int argc, char **argv)
{
    tn_team *team = NULL;
    tn_status s = tn_team_open(NULL, &team);
    if (!s && !tn_team_rank(team)) printf("%u of us train\n", tn_team_size(team));
    if (!s) s = train(team, argc > 1 ? argv[1] : "workers.safetensors");
    if (s) fprintf(stderr, "%s\n", tn_message());
    if (s && team && !tn_team_check(team)) tn_team_fail(team, s, tn_message()); /* nobody is left waiting */
    tn_team_close(team);
    return s != TN_OK;
}
