/* zip_place.c: see zip_place.h. The file ends with a record that says where its directory is; an entry there says where
 * the member's own header is, and the bytes follow that (PKWARE's APPNOTE, 4.3). Sizes and places of 4 GiB and more
 * stand elsewhere, and all ones in their stead. */
#include "zip_place.h"

#include <sys/stat.h>
#include <unistd.h>
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "npy.h"
#include "order.h"
#include "read.h"

#define END_BYTES       22 /* of the record at the end, without its comment */
#define MOST_COMMENT    65535
#define LOCATOR_BYTES   20
#define END64_BYTES     56
#define ENTRY_BYTES     46
#define HEADER_BYTES    30
#define ELSEWHERE       0xFFFFFFFFu
#define MOST_DIRECTORY  (1u << 28)
#define WIDE_NUMBERS_ID 1

typedef struct directory {
    uint64_t place, bytes, entries;
} directory;

static uint64_t number(const uint8_t *at, size_t bytes)
{
    return tn_bytes_get(at, bytes, 0);
}

static int read_at(int fd, uint64_t place, void *to, uint64_t bytes)
{
    uint64_t have = 0;
    for (ssize_t got = 1; have < bytes && got > 0; have += got > 0 ? (uint64_t)got : 0)
        got = pread(fd, (char *)to + have, bytes - have, (off_t)(place + have));
    return have == bytes;
}

/* The large record, by its locator before the end record. */
static int find_wide_directory(int fd, uint64_t end, directory *d)
{
    uint8_t locator[LOCATOR_BYTES], record[END64_BYTES];
    if (end < LOCATOR_BYTES || !read_at(fd, end - LOCATOR_BYTES, locator, sizeof locator) ||
        memcmp(locator, "PK\6\7", 4) || !read_at(fd, number(locator + 8, 8), record, sizeof record) ||
        memcmp(record, "PK\6\6", 4))
        return 0;
    *d = (directory){number(record + 48, 8), number(record + 40, 8), number(record + 32, 8)};
    return 1;
}

/* The end record is the last that fills the file with its comment. */
static int find_directory(int fd, uint64_t file_bytes, uint8_t *tail, directory *d)
{
    uint64_t bytes = file_bytes < END_BYTES + MOST_COMMENT ? file_bytes : END_BYTES + MOST_COMMENT;
    uint64_t from = file_bytes - bytes;
    if (!read_at(fd, from, tail, bytes)) return 0;
    for (uint64_t i = bytes + 1 - END_BYTES; bytes >= END_BYTES && i-- > 0;) {
        const uint8_t *at = tail + i;
        if (memcmp(at, "PK\5\6", 4) || number(at + 20, 2) != bytes - i - END_BYTES) continue;
        *d = (directory){number(at + 16, 4), number(at + 12, 4), number(at + 10, 2)};
        if (d->place == ELSEWHERE || d->bytes == ELSEWHERE || d->entries == 0xFFFF)
            return find_wide_directory(fd, from + i, d);
        return 1;
    }
    return 0;
}

/* The place of the member's header: of the wide numbers that the entry's extra field has in this order (the member's
 * size, its packed size, its place) those are there whose short form is all ones. */
static int place_of(const uint8_t *entry, uint64_t extra_bytes, uint64_t *place)
{
    const uint8_t *extra = entry + ENTRY_BYTES + number(entry + 28, 2), *end = extra + extra_bytes;
    *place = number(entry + 42, 4);
    if (*place != ELSEWHERE) return 1;
    uint64_t before = (number(entry + 24, 4) == ELSEWHERE) + (number(entry + 20, 4) == ELSEWHERE);
    for (; end - extra >= 4; extra += 4 + number(extra + 2, 2)) {
        uint64_t bytes = number(extra + 2, 2);
        if (bytes > (uint64_t)(end - extra) - 4) return 0;
        if (number(extra, 2) != WIDE_NUMBERS_ID) continue;
        if (bytes < 8 * before + 8) return 0;
        *place = number(extra + 4 + 8 * before, 8);
        return 1;
    }
    return 0;
}

static int find_header(const uint8_t *entries, const directory *d, const char *member, uint64_t *place)
{
    const uint64_t length = strlen(member);
    uint64_t at = 0;
    for (uint64_t i = 0; i < d->entries && d->bytes - at >= ENTRY_BYTES; i++) {
        const uint8_t *entry = entries + at;
        uint64_t name = number(entry + 28, 2), extra = number(entry + 30, 2), comment = number(entry + 32, 2);
        if (memcmp(entry, "PK\1\2", 4) || name + extra + comment > d->bytes - at - ENTRY_BYTES) return 0;
        if (name == length && !memcmp(entry + ENTRY_BYTES, member, length)) return place_of(entry, extra, place);
        at += ENTRY_BYTES + name + extra + comment;
    }
    return 0;
}

/* Past the member's own header, whose name and extra field have lengths of their own. */
static int find_data(int fd, uint64_t file_bytes, uint64_t bytes, uint64_t *place)
{
    uint8_t header[HEADER_BYTES];
    if (!read_at(fd, *place, header, sizeof header) || memcmp(header, "PK\3\4", 4)) return 0;
    *place += HEADER_BYTES + number(header + 26, 2) + number(header + 28, 2);
    return *place <= file_bytes && bytes <= file_bytes - *place;
}

static tn_status find(int fd, uint64_t file_bytes, const char *member, uint64_t bytes, uint64_t *place, int *found)
{
    directory d = {0};
    uint8_t *tail = tn_alloc(END_BYTES + MOST_COMMENT), *entries = NULL;
    if (!tail) return TN_ENOMEM;
    int there = find_directory(fd, file_bytes, tail, &d) && d.bytes <= MOST_DIRECTORY;
    if (there) entries = tn_alloc(d.bytes + 1);
    *found = there && entries && read_at(fd, d.place, entries, d.bytes) && find_header(entries, &d, member, place) &&
             find_data(fd, file_bytes, bytes, place);
    tn_free(entries);
    tn_free(tail);
    return there && !entries ? TN_ENOMEM : TN_OK;
}

tn_status tn_zip_place(int fd, const char *path, const char *member, uint64_t bytes, uint64_t *place)
{
    struct stat info;
    uint64_t at = 0;
    int found = 0;
    TN_REQUIRE(member && !fstat(fd, &info), TN_EIO, "%s: cannot be read", path);
    TN_TRY(find(fd, (uint64_t)info.st_size, member, bytes, &at, &found));
    TN_REQUIRE(found, TN_EFORMAT, "%s: %s: is not where the archive's directory says", path, member);
    *place = at;
    return TN_OK;
}

int tn_npz_is(const char *path)
{
    char head[4] = {0};
    int fd = -1;
    uint64_t bytes, got = sizeof head;
    if (tn_open_regular(path, &fd, &bytes)) return 0;
    tn_status status = tn_read_some(fd, path, head, &got);
    close(fd);
    return !status && got == 4 && (!memcmp(head, "PK\3\4", 4) || !memcmp(head, "PK\5\6", 4));
}
