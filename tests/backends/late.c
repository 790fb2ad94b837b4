/* late.c: a read that is still under way when its queue fails must be over before the failure is told: the memory that
 * it goes to is its owner's again. The calls of OpenCL that matter are this program's own: a read that waits for a
 * gate, which somebody else opens after a while, and a clFinish that fails and waits for nothing. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tenon/tenon.h"

enum { COUNT = 1000, BYTES = COUNT * 4, GATE_MS = 150, LATER_MS = 400 };

static int armed;
static pthread_t opener;

static void *real(const char *name)
{
    void *library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
    return library ? dlsym(library, name) : NULL;
}

static void *open_gate(void *gate)
{
    usleep(GATE_MS * 1000);
    clSetUserEventStatus(gate, CL_COMPLETE);
    clReleaseEvent(gate);
    return NULL;
}

#define OURS __attribute__((visibility("default"))) /* so that others find them */

OURS cl_int clEnqueueReadBuffer(cl_command_queue queue, cl_mem mem, cl_bool blocks, size_t offset, size_t bytes,
                                void *to, cl_uint n, const cl_event *before, cl_event *event)
{
    cl_int (*call)(cl_command_queue, cl_mem, cl_bool, size_t, size_t, void *, cl_uint, const cl_event *, cl_event *);
    cl_context context;
    *(void **)&call = real("clEnqueueReadBuffer");
    if (!armed || clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof context, &context, NULL))
        return call(queue, mem, blocks, offset, bytes, to, n, before, event);
    cl_event gate = clCreateUserEvent(context, NULL);
    cl_int code = call(queue, mem, blocks, offset, bytes, to, 1, &gate, event);
    pthread_create(&opener, NULL, open_gate, gate);
    return code;
}

OURS cl_int clFinish(cl_command_queue queue)
{
    cl_int (*call)(cl_command_queue);
    *(void **)&call = real("clFinish");
    return armed ? CL_OUT_OF_RESOURCES : call(queue);
}

static int fail(const char *what)
{
    printf("FAILED: %s: %s\n", what, tn_message());
    return 1;
}

int main(void)
{
    static unsigned char got[BYTES], mine[BYTES];
    tn_device *device = NULL;
    tn_state *state = NULL;
    if (tn_device_open("opencl:0", &device)) return puts(tn_message()), 77;
    if (tn_state_new(device, 1, &state)) return fail("a state");
    if (tn_state_put(state, "w", TN_F32, TN_SHAPE(COUNT), 0, NULL)) return fail("a tensor");
    memset(mine, 0xee, BYTES);
    armed = 1;
    tn_status status = tn_state_read(state, "w", got, BYTES);
    if (!status) return puts("FAILED: clFinish fails, and the read says that all is well"), 1;
    memcpy(got, mine, BYTES);
    pthread_join(opener, NULL);
    usleep(LATER_MS * 1000);
    if (memcmp(got, mine, BYTES)) return fail("memory was written after the read had failed");
    armed = 0;
    tn_state_free(state);
    tn_device_close(device);
    puts("all well");
    return 0;
}
