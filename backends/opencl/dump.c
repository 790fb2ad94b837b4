/* dump.c: with the option `opencl.sources=FOLDER` each kernel's source is a file there, whether it is built or was kept
 * on disk, to be compiled elsewhere: for devices that are not at hand, or by a vendor's tools. Its first line says the
 * rest:
 *
 *     // tn_matmul 16x16x1 of 128x128x1: -w -cl-denorms-are-zero
 *
 * the kernel, the work-items of a group and of all groups where it was launched first, and the options of its build.
 * Each launch that is prepared is a line of launches.txt there, for models of its cost: the file, both ranges, and the
 * whole numbers that the kernel is given:
 *
 *     tn_matmul-0123456789abcdef.cl 16x16x1 128x128x1 32 100 784 */
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

static int put_launch(FILE *file, const ocl_launch *launch, const char *name)
{
    fprintf(file, "%s ", name);
    put_range(file, launch->local, launch->rank);
    fprintf(file, " ");
    put_range(file, launch->global, launch->rank);
    for (uint32_t i = 0; i < launch->n_arg; i++)
        if (launch->arg[i].kind == OCL_ARG_VALUE && launch->arg[i].bytes == sizeof(int32_t))
            fprintf(file, " %d", (int)(int32_t)(uint32_t)launch->arg[i].value);
    fprintf(file, "\n");
    return ferror(file);
}

static int32_t fail(const char *path, tn_msg *msg)
{
    return ocl_fail(msg, TN_EIO, "option opencl.sources: %s: %s", path, strerror(errno));
}

static int32_t close_file(FILE *file, int failed, const char *path, tn_msg *msg)
{
    if (fclose(file)) failed = 1;
    return failed ? fail(path, msg) : TN_OK;
}

int32_t ocl_dump(tn_context *context, const ocl_launch *launch, const ocl_text *source, int flushes, tn_msg *msg)
{
    char path[PATH], list[PATH], name[80];
    if (!context->sources) return TN_OK;
    const uint64_t hash =
        ocl_hash(ocl_hash((uint64_t)flushes, launch->name, strlen(launch->name)), source->s, source->length);
    snprintf(name, sizeof name, "%s-%016llx.cl", launch->name, (unsigned long long)hash);
    if (snprintf(path, sizeof path, "%s/%s", context->sources, name) >= PATH ||
        snprintf(list, sizeof list, "%s/launches.txt", context->sources) >= PATH)
        return ocl_fail(msg, TN_EINVAL, "option opencl.sources: the folder's name is too long");
    FILE *file = fopen(path, "wx");
    if (!file && errno != EEXIST) return fail(path, msg);
    int32_t s = file
                    ? close_file(file, put_source(file, launch, source, ocl_build_options(context, flushes)), path, msg)
                    : TN_OK;
    if (!s && !(file = fopen(list, "a"))) return fail(list, msg);
    return s ? s : close_file(file, put_launch(file, launch, name), list, msg);
}
