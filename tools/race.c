/* race.c: shows that the thread sanitizer sees what it should: 'race clean' synchronises by OpenMP alone and must give
 * no report, 'race' has a data race and must give one. */
#include <stdio.h>
#include <string.h>

enum { N = 1000 };

int main(int argc, char **argv)
{
    int clean = argc > 1 && !strcmp(argv[1], "clean"), sum = 0, part[N] = {0};
#pragma omp parallel num_threads(4)
    {
#pragma omp for
        for (int i = 0; i < N; i++) part[i] = i;
#pragma omp for
        for (int i = 0; i < N; i++) part[i] += clean ? 0 : part[(i + N / 2) % N];
#pragma omp single
        for (int i = 0; i < N; i++) sum += part[i];
    }
    printf("%d\n", sum);
    return 0;
}
