/* fingerprint.c: whether data is as it was: of a file its bytes; of a folder its files' bytes, and of what lies deeper,
 * as a folder of images by classes, names and sizes. */
#include "../core/hash.h"
#include "data.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HASHED_WHOLE ((int64_t)1 << 28) /* bytes; of a larger file one block in so many, that it takes no longer */

enum { DEEPEST = 32, PATH_ROOM = 4096 };

static int add_bytes(const char *path, const struct stat *info, uint64_t *hash)
{
    unsigned char block[1 << 14];
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    const off_t stride = (off_t)sizeof block * (1 + info->st_size / HASHED_WHOLE);
    off_t at = 0;
    for (size_t got; !fseeko(file, at, SEEK_SET) && (got = fread(block, 1, sizeof block, file)) > 0; at += stride)
        *hash = tn_hash_bytes(*hash, block, got);
    const int fine = !ferror(file);
    fclose(file);
    return fine;
}

static int is_visible(const struct dirent *entry)
{
    return *entry->d_name != '.';
}

/* In any language the same order. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(const char *path, int depth, uint64_t *hash);

/* What is neither file nor folder tells nothing. */
static int add_entry(const char *folder, const char *name, int depth, uint64_t *hash)
{
    char path[PATH_ROOM];
    struct stat info;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path || stat(path, &info)) return 0;
    *hash = tn_hash_bytes(*hash, name, strlen(name) + 1);
    if (S_ISDIR(info.st_mode)) return add_folder(path, depth + 1, hash);
    if (!S_ISREG(info.st_mode)) return 1;
    const uint64_t size = (uint64_t)info.st_size;
    *hash = tn_hash_bytes(*hash, &size, sizeof size);
    return depth || add_bytes(path, &info, hash);
}

static int add_folder(const char *path, int depth, uint64_t *hash)
{
    struct dirent **entry = NULL;
    const int count = depth < DEEPEST ? scandir(path, &entry, is_visible, by_name) : -1;
    int fine = count >= 0;
    for (int i = 0; i < count; i++) {
        fine = fine && add_entry(path, entry[i]->d_name, depth, hash);
        free(entry[i]);
    }
    free(entry);
    return fine;
}

cli_file_stamp cli_stamp(const char *path)
{
    struct stat info;
    if (stat(path, &info) || !S_ISREG(info.st_mode)) return (cli_file_stamp){0};
    return (cli_file_stamp){info.st_dev, info.st_ino, info.st_mtim};
}

void cli_fingerprint(const char *path, char text[CLI_FINGERPRINT])
{
    struct stat info;
    uint64_t hash = TN_HASH_EMPTY;
    int fine = !stat(path, &info);
    if (fine)
        fine =
            S_ISDIR(info.st_mode) ? add_folder(path, 0, &hash) : S_ISREG(info.st_mode) && add_bytes(path, &info, &hash);
    *text = 0;
    if (fine) snprintf(text, CLI_FINGERPRINT, "%016" PRIx64, hash);
}
