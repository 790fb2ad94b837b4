/* exchange.c: what it costs to add a vector up over workers, by size: under mpirun, or alone.
 *
 *   mpirun -n 4 exchange_bench [MOST_MIB [messages]]
 *
 * `messages`: as between hosts, though all are on one.
 * One shard a worker. Prints a line of JSON for each size from 1 KiB on: the workers, the bytes of a vector, and the
 * median seconds from the start until the sum is there, by rank 0's clock. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sum.h"
#include "tenon/tenon.h"

enum { ROUNDS = 41, FEW = 11 };
static int messages;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static tn_status once(tn_team *team, tn_shard_sum *sum, uint64_t count, double *seconds)
{
    uint64_t ticket = 0;
    tn_status s = tn_team_barrier(team);
    double begun = now();
    if (!s) s = tn_shard_sum_start(sum, 0, count, &ticket);
    if (!s) s = tn_shard_sum_wait(sum, ticket);
    *seconds = now() - begun;
    return s;
}

static tn_status measure(tn_team *team, const uint32_t *first, float *vector, uint64_t count, double *middle)
{
    void *node[1] = {vector};
    tn_shard_sum *sum = NULL;
    tn_share *share = NULL;
    double seconds[ROUNDS];
    int rounds = count < 1 << 20 ? ROUNDS : FEW;
    tn_status s = messages ? TN_OK : tn_share_open(team, 1, count * sizeof *vector, &share);
    const tn_shard_sum_options options = {.dtype = TN_F32,
                                          .shards = tn_team_size(team),
                                          .count = count,
                                          .first = first,
                                          .node = node,
                                          .total = vector,
                                          .share = share};
    if (!s) s = tn_shard_sum_open(team, &options, &sum);
    memset(vector, 0, count * sizeof *vector);
    for (int i = 0; !s && i < rounds; i++) s = once(team, sum, count, &seconds[i]);
    if (s) return s;
    tn_shard_sum_close(sum);
    tn_share_close(share);
    qsort(seconds, (size_t)rounds, sizeof *seconds, ascending);
    *middle = seconds[rounds / 2];
    return TN_OK;
}

static tn_status measure_all(tn_team *team, uint64_t most)
{
    uint32_t workers = tn_team_size(team);
    uint32_t *first = malloc((workers + 1) * sizeof *first);
    float *vector = malloc(most);
    tn_status s = first && vector ? TN_OK : TN_ENOMEM;
    for (uint32_t i = 0; !s && i <= workers; i++) first[i] = i;
    for (uint64_t bytes = 1024; !s && bytes <= most; bytes *= 4) {
        double seconds = 0;
        s = measure(team, first, vector, bytes / sizeof *vector, &seconds);
        if (!s && !tn_team_rank(team))
            printf("{\"bench\": \"exchange\", \"workers\": %u, \"bytes\": %llu, \"seconds\": %.9f}\n", workers,
                   (unsigned long long)bytes, seconds);
    }
    free(first);
    tn_team_close(team); /* before the vector goes, into which others may write until then */
    free(vector);
    return s;
}

int main(int argc, char **argv)
{
    tn_team *team = NULL;
    uint64_t most = argc > 1 ? strtoull(argv[1], NULL, 10) : 64;
    messages = argc > 2 && !strcmp(argv[2], "messages");
    tn_status s = tn_team_open(NULL, &team);
    if (!s) s = measure_all(team, most << 20);
    if (s) fprintf(stderr, "exchange: %s: %s\n", tn_status_name(s), tn_message());
    return s != TN_OK;
}
