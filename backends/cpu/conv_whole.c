/* conv_whole.c: conv2d whose window is all of a picture, so that each filter makes one number of it: products of a row
 * by rows that lie side by side, as they are. Such are the small layers that weigh channels by their means. */
#include "conv.h"

enum { BLOCK = 256 << 10 /* bytes of filters that all pictures take in turn */, FEW = 40000 /* for one thread */ };

int cpu_conv_is_whole(const conv_kernel *k)
{
    return k->pixels == 1 && k->r == k->h && k->s == k->w && !k->staged && k->taps > 0;
}

/* The epilogue is a program's, over filters: a chain takes them one by one. */
void cpu_conv_set_whole(conv_kernel *k, double grain)
{
    const double flops = 2 * (double)k->b * (double)(k->groups * k->k) * (double)k->taps;
    if (flops <= FEW * grain) k->threads = 1;
    k->whole = 1;
    k->chain.links = 0;
}

/* Filters first..last of group g, for each picture. */
static void run_block(const conv_kernel *k, const cpu_run *run, const cpu_conv_epilogue *e, int64_t g, int64_t first,
                      int64_t last)
{
    const char *weight = run->in[1] + (g * k->k + first) * k->taps * k->size;
    for (int64_t b = 0; b < k->b; b++) {
        const int64_t item = b * k->groups + g;
        k->gemm->dots(last - first, k->taps, run->in[0] + item * k->taps * k->size, weight, k->taps,
                      run->out[0] + (item * k->k + first) * k->size);
        cpu_conv_run_epilogue(&(cpu_conv_tail){k, run, item, first, last}, e, 0, 1);
    }
}

void cpu_conv_forward_whole(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    const int64_t all = k->groups * k->k, end = all * (thread + 1) / threads;
    const int64_t most = 1 + BLOCK / (k->taps * k->size);
    cpu_conv_epilogue epilogue;
    cpu_conv_begin_epilogue(k, run, thread, &epilogue);
    for (int64_t f = all * thread / threads, n; f < end; f += n) {
        n = min_of(min_of(most, k->k - f % k->k), end - f);
        run_block(k, run, &epilogue, f / k->k, f % k->k, f % k->k + n);
    }
}
