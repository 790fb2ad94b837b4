/* dump.c: with the option `opencl.sources=FOLDER` each kernel's source is a file there, whether it is built or was kept
 * on disk, to be compiled elsewhere: for devices that are not at hand, or by a vendor's tools. Its first line says the
 * rest:
 *
 *     // tn_matmul 16x16x1 of 128x128x1: -w -cl-denorms-are-zero
 *
 * the kernel, the work-items of a group and of all groups where it was launched first, and the options of its build. */
#include "opencl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH 4096

int ocl_may_dump(const char *folder)
{
    struct stat info;
    return !stat(folder, &info) && S_ISDIR(info.st_mode) && !access(folder, W_OK);
}

/* "16x16x1" */
static void put_range(FILE *file, const size_t *range, cl_uint rank)
{
    for (cl_uint d = 0; d < 3; d++) fprintf(file, "%s%zu", d ? "x" : "", d < rank ? range[d] : 1);
}

static int put_source(FILE *file, const ocl_launch *launch, const ocl_text *source, const char *options)
{
    fprintf(file, "// %s ", launch->name);
    put_range(file, launch->local, launch->rank);
    fprintf(file, " of ");
    put_range(file, launch->global, launch->rank);
    fprintf(file, ": %s\n%s\n", options, source->s);
    return ferror(file);
}

int32_t ocl_dump(tn_context *context, const ocl_launch *launch, const ocl_text *source, int flushes, tn_msg *msg)
{
    char path[PATH];
    if (!context->sources) return TN_OK;
    const uint64_t hash =
        ocl_hash(ocl_hash((uint64_t)flushes, launch->name, strlen(launch->name)), source->s, source->length);
    const int length =
        snprintf(path, sizeof path, "%s/%s-%016llx.cl", context->sources, launch->name, (unsigned long long)hash);
    if (length >= PATH) return ocl_fail(msg, TN_EINVAL, "option opencl.sources: the folder's name is too long");
    FILE *file = fopen(path, "wx");
    if (!file && errno == EEXIST) return TN_OK;
    int failed = !file || put_source(file, launch, source, ocl_build_options(context, flushes));
    if (file && fclose(file)) failed = 1;
    return failed ? ocl_fail(msg, TN_EIO, "option opencl.sources: %s: %s", path, strerror(errno)) : TN_OK;
}
