/* target.c: one of the readers for libFuzzer: fuzz_target --reader=NAME [OPTION of libFuzzer...] [CORPUS...].
 * `--seeds=FOLDER` writes the files that it begins with there, and ends. tools/fuzz.sh calls it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "readers.h"

static const fuzz_reader *reader;

static void write_seeds(const char *folder)
{
    const fuzz_seed *seed;
    for (size_t i = 0; (seed = fuzz_seed_at(i)); i++) {
        static fuzz_sample s;
        char path[512];
        if (strcmp(seed->reader, reader->name)) continue;
        memset(&s, 0, sizeof s);
        seed->make(&s);
        snprintf(path, sizeof path, "%s/%s", folder, seed->name);
        FILE *file = fopen(path, "wb");
        if (!file || fwrite(s.byte, 1, s.size, file) != s.size || fclose(file)) exit(1);
    }
}

static const char *option(int argc, char **argv, const char *name)
{
    const size_t length = strlen(name);
    for (int i = 1; i < argc; i++)
        if (!strncmp(argv[i], name, length)) return argv[i] + length;
    return NULL;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = option(*argc, *argv, "--reader="), *folder = option(*argc, *argv, "--seeds=");
    reader = name ? fuzz_reader_named(name) : NULL;
    if (!reader) {
        for (size_t i = 0; fuzz_reader_at(i); i++) printf("%s\n", fuzz_reader_at(i)->name);
        exit(name != NULL);
    }
    if (folder) write_seeds(folder), exit(0);
    return 0;
}

/* Every other picture with its checksums mended, so that what lies behind them is read too. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, max_size);
    if (seed & 1) fuzz_mend(data, size);
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    static int file = -1;
    if (file < 0) file = fuzz_file(path, "", 0);
    fuzz_rewrite(file, data, size);
    fuzz_try(reader, path);
    return 0;
}
