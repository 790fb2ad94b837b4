/* leak.c: a program for LeakSanitizer: without an argument it loses memory that an OpenMP thread allocated, with one it
 * does not. */
#include <stdlib.h>

static char *volatile kept[64];

int main(int argc, char **argv)
{
    (void)argv;
#pragma omp parallel for num_threads(4)
    for (int i = 0; i < 64; i++) kept[i] = malloc(100);
    for (int i = 0; i < 64; i++) free(kept[i]);
#pragma omp parallel for num_threads(4)
    for (int i = 0; i < 64; i++) kept[i] = malloc(100);
    for (int i = 0; argc < 2 && i < 64; i++) kept[i] = NULL;
    return 0;
}
