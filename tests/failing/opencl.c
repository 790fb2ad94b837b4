/* opencl.c: see shim.h. The functions of OpenCL that the backend calls. */
#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_1_APIS
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "shim.h"

#define OURS __attribute__((visibility("default")))

/* The next function of that name; the loader is nobody's but the backend's, so that it is asked for by its file. */
static void *next(const char *name)
{
    static void *_Atomic library;
    if (!atomic_load(&library)) atomic_store(&library, dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL));
    void *found = dlsym(atomic_load(&library), name);
    if (!found) abort();
    return found;
}

#define BEGIN(type, name, parameters)                                                                                  \
    static type(*real) parameters;                                                                                     \
    if (!real) *(void **)&real = next(#name)

/* Calls that return a code, and calls that return an object and write a code. */
#define CALL(name, parameters, arguments)                                                                              \
    OURS cl_int name parameters                                                                                        \
    {                                                                                                                  \
        BEGIN(cl_int, name, parameters);                                                                               \
        return shim_kind() == SHIM_OPENCL && shim_turn() ? CL_OUT_OF_RESOURCES : real arguments;                       \
    }
#define MAKE(type, name, parameters, arguments)                                                                        \
    OURS type name parameters                                                                                          \
    {                                                                                                                  \
        BEGIN(type, name, parameters);                                                                                 \
        if (shim_kind() != SHIM_OPENCL || !shim_turn()) return real arguments;                                         \
        if (code) *code = CL_OUT_OF_HOST_MEMORY;                                                                       \
        return NULL;                                                                                                   \
    }

typedef void(CL_CALLBACK *told)(const char *, const void *, size_t, void *);
typedef void(CL_CALLBACK *built)(cl_program, void *);
typedef const size_t *sizes;
typedef const cl_event *events;

CALL(clGetPlatformIDs, (cl_uint n, cl_platform_id *p, cl_uint *m), (n, p, m))
CALL(clGetPlatformInfo, (cl_platform_id p, cl_platform_info i, size_t n, void *v, size_t *m), (p, i, n, v, m))
CALL(clGetDeviceIDs, (cl_platform_id p, cl_device_type t, cl_uint n, cl_device_id *d, cl_uint *m), (p, t, n, d, m))
CALL(clGetDeviceInfo, (cl_device_id d, cl_device_info i, size_t n, void *v, size_t *m), (d, i, n, v, m))
CALL(clGetProgramInfo, (cl_program p, cl_program_info i, size_t n, void *v, size_t *m), (p, i, n, v, m))
CALL(clGetProgramBuildInfo, (cl_program p, cl_device_id d, cl_program_build_info i, size_t n, void *v, size_t *m),
     (p, d, i, n, v, m))
CALL(clGetEventInfo, (cl_event e, cl_event_info i, size_t n, void *v, size_t *m), (e, i, n, v, m))
CALL(clBuildProgram, (cl_program p, cl_uint n, const cl_device_id *d, const char *o, built b, void *u),
     (p, n, d, o, b, u))
CALL(clSetKernelArg, (cl_kernel k, cl_uint i, size_t n, const void *v), (k, i, n, v))
CALL(clFlush, (cl_command_queue q), (q))
CALL(clFinish, (cl_command_queue q), (q))
CALL(clWaitForEvents, (cl_uint n, events e), (n, e))
CALL(clRetainEvent, (cl_event e), (e))
CALL(clEnqueueReadBuffer,
     (cl_command_queue q, cl_mem b, cl_bool w, size_t o, size_t n, void *to, cl_uint c, events l, cl_event *e),
     (q, b, w, o, n, to, c, l, e))
CALL(clEnqueueWriteBuffer,
     (cl_command_queue q, cl_mem b, cl_bool w, size_t o, size_t n, const void *v, cl_uint c, events l, cl_event *e),
     (q, b, w, o, n, v, c, l, e))
MAKE(void *, clEnqueueMapBuffer,
     (cl_command_queue q, cl_mem b, cl_bool w, cl_map_flags f, size_t o, size_t n, cl_uint c, events l, cl_event *e,
      cl_int *code),
     (q, b, w, f, o, n, c, l, e, code))
CALL(clEnqueueCopyBuffer,
     (cl_command_queue q, cl_mem a, cl_mem b, size_t i, size_t o, size_t n, cl_uint c, events l, cl_event *e),
     (q, a, b, i, o, n, c, l, e))
CALL(clEnqueueFillBuffer,
     (cl_command_queue q, cl_mem b, const void *v, size_t p, size_t o, size_t n, cl_uint c, events l, cl_event *e),
     (q, b, v, p, o, n, c, l, e))
CALL(clEnqueueMigrateMemObjects,
     (cl_command_queue q, cl_uint n, const cl_mem *b, cl_mem_migration_flags f, cl_uint c, events l, cl_event *e),
     (q, n, b, f, c, l, e))
CALL(clEnqueueMarkerWithWaitList, (cl_command_queue q, cl_uint c, events l, cl_event *e), (q, c, l, e))
CALL(clEnqueueBarrierWithWaitList, (cl_command_queue q, cl_uint c, events l, cl_event *e), (q, c, l, e))
CALL(clEnqueueNDRangeKernel,
     (cl_command_queue q, cl_kernel k, cl_uint d, sizes o, sizes g, sizes w, cl_uint c, events l, cl_event *e),
     (q, k, d, o, g, w, c, l, e))
MAKE(cl_context, clCreateContext,
     (const cl_context_properties *p, cl_uint n, const cl_device_id *d, told t, void *u, cl_int *code),
     (p, n, d, t, u, code))
MAKE(cl_command_queue, clCreateCommandQueue,
     (cl_context c, cl_device_id d, cl_command_queue_properties p, cl_int *code), (c, d, p, code))
MAKE(cl_mem, clCreateBuffer, (cl_context c, cl_mem_flags f, size_t n, void *v, cl_int *code), (c, f, n, v, code))
MAKE(cl_mem, clCreateSubBuffer, (cl_mem b, cl_mem_flags f, cl_buffer_create_type t, const void *i, cl_int *code),
     (b, f, t, i, code))
MAKE(cl_program, clCreateProgramWithSource, (cl_context c, cl_uint n, const char **t, sizes l, cl_int *code),
     (c, n, t, l, code))
MAKE(cl_program, clCreateProgramWithBinary,
     (cl_context c, cl_uint n, const cl_device_id *d, sizes l, const unsigned char **b, cl_int *s, cl_int *code),
     (c, n, d, l, b, s, code))
MAKE(cl_kernel, clCreateKernel, (cl_program p, const char *name, cl_int *code), (p, name, code))
