/* broken.c: a driver or a device of OpenCL that fails while devices are listed is left out with a warning, and the
 * others are listed; but where memory is short none is. The calls of OpenCL that list are this program's own: two
 * platforms with a device each, "Good" and "Broken", of which the second fails at one question.
 *
 * usage: broken good|platform_name|devices|available|name|driver|memory */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <stdio.h>
#include <string.h>

#include "tenon/tenon.h"

/* What fails, how, how many devices are left, and what the warning, or the problem, says. */
static const struct {
    const char *name;
    cl_uint question; /* 0: clGetDeviceIDs */
    cl_int code;
    uint32_t devices;
    const char *says;
} cases[] = {
    {"good", 0, CL_SUCCESS, 2, ""},
    {"platform_name", CL_PLATFORM_NAME, CL_INVALID_PLATFORM, 1, "platform 1 left out: clGetPlatformInfo"},
    {"devices", 0, CL_INVALID_PLATFORM, 1, "platform 'Broken' left out: clGetDeviceIDs"},
    {"available", CL_DEVICE_AVAILABLE, CL_INVALID_DEVICE, 1, "device 0 of platform 'Broken' left out: clGetDeviceInfo"},
    {"name", CL_DEVICE_NAME, CL_DEVICE_NOT_AVAILABLE, 1, "device 0 of platform 'Broken' left out: clGetDeviceInfo"},
    {"driver", CL_DRIVER_VERSION, CL_INVALID_VALUE, 1, "device 0 of platform 'Broken' left out: clGetDeviceInfo"},
    {"memory", CL_DEVICE_NAME, CL_OUT_OF_HOST_MEMORY, 0, "out of memory"},
};

static size_t number;
static int things[2];
static char said[4096];

static int is_broken(const void *thing, cl_uint question)
{
    return thing == &things[1] && cases[number].question == question && cases[number].code;
}

static cl_int answer(const void *value, size_t size, size_t room, void *to, size_t *needed)
{
    if (needed) *needed = size;
    if (to) memcpy(to, value, size < room ? size : room);
    return CL_SUCCESS;
}

static cl_int answer_text(const char *text, size_t room, void *to, size_t *needed)
{
    return answer(text, strlen(text) + 1, room, to, needed);
}

#define OURS __attribute__((visibility("default"))) /* so that others find them */

OURS cl_int clGetPlatformIDs(cl_uint n, cl_platform_id *platforms, cl_uint *count)
{
    for (cl_uint i = 0; platforms && i < n && i < 2; i++) platforms[i] = (cl_platform_id)&things[i];
    if (count) *count = 2;
    return CL_SUCCESS;
}

OURS cl_int clGetPlatformInfo(cl_platform_id platform, cl_platform_info what, size_t room, void *to, size_t *needed)
{
    if (is_broken(platform, what)) return cases[number].code;
    return answer_text((void *)platform == &things[0] ? "Good" : "Broken", room, to, needed);
}

OURS cl_int clGetDeviceIDs(cl_platform_id platform, cl_device_type type, cl_uint n, cl_device_id *devices,
                           cl_uint *count)
{
    (void)type;
    if (is_broken(platform, 0)) return cases[number].code;
    if (devices && n) devices[0] = (cl_device_id)(void *)platform;
    if (count) *count = 1;
    return CL_SUCCESS;
}

OURS cl_int clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t room, void *to, size_t *needed)
{
    const cl_ulong many = 1 << 20;
    const cl_uint one = 1;
    if (is_broken(device, what)) return cases[number].code;
    switch (what) {
    case CL_DEVICE_NAME:
    case CL_DEVICE_VENDOR:
    case CL_DRIVER_VERSION:
        return answer_text("thing", room, to, needed);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
    case CL_DEVICE_MAX_PARAMETER_SIZE:
        return answer(&many, sizeof many, room, to, needed);
    default:
        return answer(&one, sizeof one, room, to, needed);
    }
}

static void keep(void *arg, int32_t level, const char *line)
{
    (void)arg, (void)level;
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", line);
}

/* The backend's devices, with its problem in `said`. */
static uint32_t count_devices(void)
{
    tn_backend_report report;
    for (size_t i = 0; tn_backend_at(i, &report); i++)
        if (!strcmp(report.id, "opencl")) {
            if (report.problem) keep(NULL, 0, report.problem);
            return report.devices;
        }
    return 99;
}

int main(int argc, char **argv)
{
    const size_t n = sizeof cases / sizeof *cases;
    while (number < n && argc == 2 && strcmp(argv[1], cases[number].name)) number++;
    if (argc != 2 || number == n) return puts("usage: broken CASE"), 2;
    tn_log_to(keep, NULL, TN_LOG_WARNING);
    if (tn_backend_option("tenon", "probe", "off")) return puts(tn_message()), 1;
    uint32_t devices = count_devices();
    int right = devices == cases[number].devices && strstr(said, cases[number].says) && (cases[number].code || !*said);
    printf("%s: %u devices, expected %u; said: %s; expected: %s\n", argv[1], devices, cases[number].devices, said,
           cases[number].says);
    return !right;
}
