/* fuzz.c: files with a few bytes changed, cut, doubled or swapped, and those of the corpus, read by every reader: each
 * must answer TN_OK or an error with one line, and the sanitizers see the rest. The same seed does the same:
 * fuzz [MUTATIONS [SEED]]. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "philox.h"
#include "readers.h"
#include "tenon/status.h"

/* ---- mutation ---- */

typedef struct chance {
    uint64_t seed, at;
} chance;

static size_t below(chance *c, size_t n)
{
    return (size_t)(tn_philox_uniform(c->seed, 0, 0, c->at++) * (double)n);
}

static void change_byte(fuzz_sample *s, chance *c)
{
    static const char telling[] = "\0\xFF\x7F\x80\"{}[]:,-019e.\n\r \\";
    size_t at = below(c, s->size);
    s->byte[at] = (unsigned char)(below(c, 2) ? telling[below(c, sizeof telling)] : (char)below(c, 256));
}

static void flip_bit(fuzz_sample *s, chance *c)
{
    s->byte[below(c, s->size)] ^= (unsigned char)(1u << below(c, 8));
}

static void cut(fuzz_sample *s, chance *c)
{
    s->size = 1 + below(c, s->size);
}

static void drop(fuzz_sample *s, chance *c)
{
    size_t at = below(c, s->size), count = 1 + below(c, 8);
    if (at + count >= s->size) return;
    memmove(s->byte + at, s->byte + at + count, s->size - at - count);
    s->size -= count;
}

static void repeat(fuzz_sample *s, chance *c)
{
    size_t at = below(c, s->size), count = 1 + below(c, s->size - at);
    if (s->size + count > FUZZ_ROOM) return;
    memmove(s->byte + at + count, s->byte + at, s->size - at);
    s->size += count;
}

static void mutate(fuzz_sample *s, chance *c)
{
    static void (*const ways[])(fuzz_sample *, chance *) = {change_byte, change_byte, change_byte, flip_bit,
                                                            cut,         drop,        repeat};
    for (size_t times = 1 + below(c, 4); times; times--) ways[below(c, sizeof ways / sizeof *ways)](s, c);
    if (below(c, 2)) fuzz_mend(s->byte, s->size);
}

/* ---- running ---- */

/* What the command says goes nowhere while it is not our turn to speak. */
static void silence(int on)
{
    static int out = -1, err = -1;
    fflush(stdout);
    if (out < 0) out = dup(1), err = dup(2);
    const int nowhere = on ? open("/dev/null", O_WRONLY) : -1;
    if (dup2(on ? nowhere : out, 1) < 0 || dup2(on ? nowhere : err, 2) < 0) abort();
    if (on) close(nowhere);
}

/* How many of the mutants the reader takes. */
static long mutants_of(const fuzz_sample *original, const fuzz_reader *reader, long mutations, chance c)
{
    static fuzz_sample mutant;
    char path[64];
    long accepted = 0;
    int file = fuzz_file(path, "", 0);
    silence(reader->says == FUZZ_NOTHING);
    for (long i = 0; i < mutations; i++) {
        mutant = *original;
        mutate(&mutant, &c);
        fuzz_rewrite(file, mutant.byte, mutant.size);
        accepted += fuzz_try(reader, path);
    }
    silence(0);
    close(file);
    return accepted;
}

static int takes(const fuzz_sample *s, const fuzz_reader *reader)
{
    char path[64];
    int file = fuzz_file(path, s->byte, s->size);
    int taken = fuzz_try(reader, path);
    close(file);
    return taken;
}

/* Whether the file is there and small enough. */
static int load(const char *folder, const char *name, fuzz_sample *s)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    s->size = fread(s->byte, 1, sizeof s->byte, file);
    const int whole = !ferror(file) && feof(file);
    fclose(file);
    return whole;
}

/* What libFuzzer found for this reader. Returns how many files there are. */
static long read_corpus(const fuzz_reader *reader)
{
    static fuzz_sample s;
    char folder[512];
    struct dirent *entry;
    long count = 0, taken = 0;
    snprintf(folder, sizeof folder, "%s/%s", TEST_CORPUS, reader->name);
    DIR *all = opendir(folder);
    silence(reader->says == FUZZ_NOTHING);
    while (all && (entry = readdir(all)))
        if (*entry->d_name != '.' && load(folder, entry->d_name, &s)) count++, taken += takes(&s, reader);
    silence(0);
    if (all) closedir(all);
    printf("corpus of %-16s %ld accepted, %ld refused in one line\n", reader->name, taken, count - taken);
    return count;
}

int main(int argc, char **argv)
{
    const fuzz_seed *seed;
    const fuzz_reader *reader;
    long mutations = argc > 1 ? atol(argv[1]) : 3000;
    uint64_t number = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    printf("%ld mutations of each file, seed %llu\n", mutations, (unsigned long long)number);
    for (size_t i = 0; (seed = fuzz_seed_at(i)); i++) {
        static fuzz_sample original;
        reader = fuzz_reader_named(seed->reader);
        memset(&original, 0, sizeof original);
        seed->make(&original);
        if (!takes(&original, reader)) {
            printf("%s: the file before all mutations is refused: %s\n", seed->name, tn_message());
            return 1;
        }
        long accepted = mutants_of(&original, reader, mutations, (chance){number * 1000 + i, 0});
        printf("%-26s %ld accepted, %ld refused in one line\n", seed->name, accepted, mutations - accepted);
    }
    for (size_t i = 0; (reader = fuzz_reader_at(i)); i++)
        if (!read_corpus(reader)) return 1;
    return 0;
}
