/* inflow.c: see inflow.h. zlib reads what it did not pack as it is. */
#include "inflow.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "alloc.h"
#include "error.h"
#include "read.h"

#define AT_ONCE (1u << 17)
#define MOST    (1u << 30) /* bytes of standard input */

/* What came by standard input, once it is read: it can't be asked twice, and tables are read more than once. */
static struct {
    pthread_mutex_t lock;
    char *text;
    uint64_t bytes;
} standard = {.lock = PTHREAD_MUTEX_INITIALIZER};

int tn_inflow_is_standard(const char *path)
{
    return !strcmp(path, "-");
}

static tn_status unpack(tn_inflow *in, int fd)
{
    in->gz = fd >= 0 ? gzdopen(fd, "rb") : NULL;
    if (!in->gz && fd >= 0) close(fd);
    TN_REQUIRE(in->gz, TN_ENOMEM, "%s: out of memory for the decompressor", in->path);
    (void)gzbuffer(in->gz, AT_ONCE);
    return TN_OK;
}

static tn_status read_packed(tn_inflow *in, char *to, uint64_t *bytes)
{
    uint64_t have = 0;
    int code = Z_OK;
    while (have < *bytes) {
        const uint64_t left = *bytes - have;
        const int count = gzread(in->gz, to + have, left < 1u << 30 ? (unsigned)left : 1u << 30);
        if (count <= 0) break;
        have += (uint64_t)count;
    }
    if (have == *bytes) return TN_OK;
    *bytes = have;
    const char *reason = gzerror(in->gz, &code);
    TN_REQUIRE(code != Z_BUF_ERROR, TN_EFORMAT, "%s: the gzip data is cut short", in->path);
    TN_REQUIRE(code != Z_MEM_ERROR, TN_ENOMEM, "%s: out of memory for the decompressor", in->path);
    TN_REQUIRE(code != Z_ERRNO, TN_EIO, "%s: cannot be read: %s", in->path, reason);
    TN_REQUIRE(code == Z_OK || code == Z_STREAM_END, TN_EFORMAT, "%s: the gzip data is damaged", in->path);
    return TN_OK;
}

/* ---- standard input ---- */

static tn_status read_to_end(tn_inflow *in, char **text, uint64_t *bytes)
{
    uint32_t room = 0;
    for (uint64_t got = AT_ONCE; got == AT_ONCE; *bytes += got) {
        TN_REQUIRE(*bytes < MOST, TN_EFORMAT,
                   "standard input has more than 1 GiB, and is kept in memory: give the name of a file");
        TN_TRY(tn_grow(text, &room, (uint32_t)*bytes + AT_ONCE, 1));
        TN_TRY(read_packed(in, *text + *bytes, &got));
    }
    return TN_OK;
}

static tn_status read_standard(void)
{
    tn_inflow in = {.path = "standard input"};
    char *text = NULL;
    uint64_t bytes = 0;
    TN_TRY(unpack(&in, dup(STDIN_FILENO)));
    tn_status status = read_to_end(&in, &text, &bytes);
    gzclose_r(in.gz);
    if (status) {
        tn_free(text);
        return status;
    }
    standard.text = text;
    standard.bytes = bytes;
    return TN_OK;
}

static tn_status open_standard(tn_inflow *in)
{
    pthread_mutex_lock(&standard.lock);
    tn_status status = standard.text ? TN_OK : read_standard();
    pthread_mutex_unlock(&standard.lock);
    in->kept = standard.text;
    in->bytes = standard.bytes;
    return status;
}

/* ---- either ---- */

tn_status tn_inflow_open(const char *path, tn_inflow *in)
{
    int fd = -1;
    tn_inflow opened = {.path = path};
    if (tn_inflow_is_standard(path)) {
        TN_TRY(open_standard(&opened));
    } else {
        TN_TRY(tn_open_regular(path, &fd, &opened.bytes));
        TN_TRY(unpack(&opened, fd));
        opened.in_place = gzdirect(opened.gz);
    }
    *in = opened;
    return TN_OK;
}

tn_status tn_inflow_read(tn_inflow *in, void *to, uint64_t *bytes)
{
    if (in->gz) return read_packed(in, to, bytes);
    const uint64_t left = in->bytes - in->at;
    if (*bytes > left) *bytes = left;
    memcpy(to, in->kept + in->at, *bytes);
    in->at += *bytes;
    return TN_OK;
}

void tn_inflow_close(tn_inflow *in)
{
    if (in->gz) gzclose_r(in->gz);
    *in = (tn_inflow){0};
}
