/* readers.h: everything that reads what others wrote, each as one function from a file's path, and files to begin
 * with: fuzz.c changes those at random, target.c gives them to libFuzzer. */
#ifndef TN_TEST_READERS_H
#define TN_TEST_READERS_H

#include <stddef.h>

#include "tenon/status.h"

#define FUZZ_ROOM 8192

typedef struct fuzz_sample {
    unsigned char byte[FUZZ_ROOM];
    size_t size;
} fuzz_sample;

/* What a refusal must leave: nothing, a line, a line with the path. */
enum { FUZZ_NOTHING, FUZZ_LINE, FUZZ_PATH };

typedef struct fuzz_reader {
    const char *name;
    tn_status (*read)(const char *path);
    int says;
} fuzz_reader;

/* A file that its reader takes; a reader may have several. */
typedef struct fuzz_seed {
    const char *name;
    const char *reader;
    void (*make)(fuzz_sample *s);
} fuzz_seed;

/* Past the last: NULL. */
const fuzz_reader *fuzz_reader_at(size_t index);
const fuzz_seed *fuzz_seed_at(size_t index);
const fuzz_reader *fuzz_reader_named(const char *name);

/* Whether the reader takes the file. Ends the program with a line if it refuses without one good line of its own. */
int fuzz_try(const fuzz_reader *reader, const char *path);

/* A file in memory of these bytes; it lasts as long as the program. Returns its descriptor. */
int fuzz_file(char path[64], const void *bytes, size_t size);
void fuzz_rewrite(int file, const void *bytes, size_t size);

/* A PNG whose checksums are wrong is hardly read: puts them right. Other bytes are left alone. */
void fuzz_mend(unsigned char *byte, size_t size);

#endif
