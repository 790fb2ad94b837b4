/* scratch.c: a folder for a test's files. */
#include "scratch.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

static char folder[64];

int scratch_begin(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/tenon-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

/* Visits all files; returns their number. */
static int each_file(void (*visit)(const char *path))
{
    int count = 0;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (entry->d_name[0] == '.') continue;
        if (visit) visit(scratch_path(entry->d_name));
        count++;
    }
    if (entries) closedir(entries);
    return count;
}

static void forget(const char *path)
{
    if (unlink(path)) rmdir(path);
}

int scratch_end(void **state)
{
    (void)state;
    each_file(forget);
    return rmdir(folder);
}

int scratch_files(void)
{
    return each_file(NULL);
}

const char *scratch_path(const char *name)
{
    static char path[8][512];
    static int turn;
    turn = (turn + 1) % 8;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

const char *scratch_write(const char *name, const void *bytes, size_t count)
{
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
    return path;
}

const char *scratch_text(const char *name, const char *text)
{
    return scratch_write(name, text, strlen(text));
}

const char *scratch_gzip(const char *name, const void *bytes, size_t count)
{
    const char *path = scratch_path(name);
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)count), count);
    assert_int_equal(gzclose(file), Z_OK);
    return path;
}

char *scratch_read(const char *path, size_t *count)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &info), 0);
    char *bytes = calloc(1, (size_t)info.st_size + 1);
    assert_non_null(bytes);
    *count = fread(bytes, 1, (size_t)info.st_size, file);
    assert_int_equal(*count, info.st_size);
    fclose(file);
    return bytes;
}

void expect_failure(tn_status status, tn_status expected, const char *part)
{
    const char *message = tn_message();
    if (status != expected)
        fail_msg("expected %s, got %s: %s", tn_status_name(expected), tn_status_name(status), message);
    if (!strstr(message, part) || strpbrk(message, "\n\r")) fail_msg("expected '%s' in: %s", part, message);
}

void expect_ok_at(tn_status status, const char *call, int line)
{
    if (status) fail_msg("line %d: %s: %s: %s", line, call, tn_status_name(status), tn_message());
}

const char *scratch_tensors(const char *header, const void *bytes, size_t size)
{
    unsigned char file[1024] = {0};
    size_t length = strlen(header);
    assert_true(8 + length + size <= sizeof file);
    file[0] = (unsigned char)length, file[1] = (unsigned char)(length >> 8);
    memcpy(file + 8, header, length);
    memcpy(file + 8 + length, bytes, size);
    return scratch_write("made.safetensors", file, 8 + length + size);
}
