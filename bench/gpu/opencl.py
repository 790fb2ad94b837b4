"""A little of OpenCL by ctypes: enough to build a source on a device, run a kernel on buffers of numbers, and read what
it wrote. And where a machine keeps drivers that its loader does not know."""
import ctypes
import glob
import os
import re
import shutil
import struct

GPU, ALL = 1 << 2, 0xffffffff
NAME, VENDOR, VERSION, EXTENSIONS, UNITS = 0x102b, 0x102c, 0x102d, 0x1030, 0x1002
LOADERS = ["libOpenCL.so.1", "libOpenCL.so", *sorted(glob.glob("/usr/local/cuda*/**/libOpenCL.so.1", recursive=True))]
DRIVERS = ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/nvidia/lib64", "/usr/local/nvidia/lib",
           "/usr/local/cuda/compat", "/run/opengl-driver/lib", "/usr/lib/wsl/lib"]


class Error(Exception):
    pass


def drivers_by_hand(folder):
    """What the environment needs for NVIDIA's driver where the loader would not find it, as in containers: an .icd file
    beside those that there are, where none names it, and the folder that it lies in; {} where nothing is to be done."""
    vendors = os.environ.get("OCL_ICD_VENDORS") or "/etc/OpenCL/vendors"
    known = glob.glob(os.path.join(vendors, "*.icd")) if os.path.isdir(vendors) else [vendors]
    said = " ".join(open(path, encoding="utf-8", errors="replace").read() for path in known if os.path.exists(path))
    before = os.environ.get("LD_LIBRARY_PATH", "")
    found = [path for place in [*before.split(":"), *DRIVERS] if place
             for path in sorted(glob.glob(f"{place}/libnvidia-opencl.so.*"))]
    if not found:
        return {}
    beside = os.path.dirname(found[0])  # the driver's other files, which it loads by name
    env = {} if beside in DRIVERS[:3] else {"LD_LIBRARY_PATH": ":".join(p for p in (before, beside) if p)}
    if "nvidia" in said:
        return env
    os.makedirs(folder, exist_ok=True)
    for number, path in enumerate(known):
        if os.path.exists(path):
            shutil.copy(path, f"{folder}/{number}.icd")
    with open(f"{folder}/nvidia.icd", "w", encoding="utf-8") as file:
        file.write(f"{found[0]}\n")
    return {**env, "OCL_ICD_VENDORS": folder + "/", "OCL_ICD_FILENAMES": found[0]}


def loader():
    """The library, and its path or name."""
    for name in LOADERS:
        try:
            return ctypes.CDLL(name), name
        except OSError:
            continue
    raise Error("there is no libOpenCL.so.1")


class Device:
    """One device, with a context and a queue."""

    def __init__(self, number):
        self.cl = loader()[0]
        self.cl.clCreateContext.restype = self.cl.clCreateCommandQueue.restype = ctypes.c_void_p
        self.cl.clCreateProgramWithSource.restype = self.cl.clCreateKernel.restype = ctypes.c_void_p
        self.cl.clCreateBuffer.restype = ctypes.c_void_p
        found = [device for platform in self.ids("clGetPlatformIDs") for device in self.devices(platform)]
        if number >= len(found):
            raise Error(f"there are {len(found)} OpenCL devices")
        self.id, code = found[number], ctypes.c_int()
        self.context = ctypes.c_void_p(self.cl.clCreateContext(None, 1, ctypes.byref(self.id), None, None,
                                                                ctypes.byref(code)))
        self.check(code.value, "clCreateContext")
        self.queue = ctypes.c_void_p(self.cl.clCreateCommandQueue(self.context, self.id, ctypes.c_uint64(0),
                                                                   ctypes.byref(code)))
        self.check(code.value, "clCreateCommandQueue")

    @staticmethod
    def check(code, call):
        if code:
            raise Error(f"{call}: error {code}")

    def ids(self, call, *before):
        count = ctypes.c_uint(0)
        getattr(self.cl, call)(*before, 0, None, ctypes.byref(count))
        found = (ctypes.c_void_p * max(1, count.value))()
        if count.value:
            self.check(getattr(self.cl, call)(*before, count, found, None), call)
        return [ctypes.c_void_p(one) for one in found[:count.value]]

    def devices(self, platform):
        return self.ids("clGetDeviceIDs", platform, ctypes.c_uint64(ALL))

    def bytes_of(self, what):
        size = ctypes.c_size_t(0)
        self.check(self.cl.clGetDeviceInfo(self.id, what, ctypes.c_size_t(0), None, ctypes.byref(size)), "clGetDeviceInfo")
        data = ctypes.create_string_buffer(size.value + 1)
        self.check(self.cl.clGetDeviceInfo(self.id, what, size, data, None), "clGetDeviceInfo")
        return data.raw[:size.value]

    def text(self, what):
        return self.bytes_of(what).rstrip(b"\0").decode(errors="replace").strip()

    def number(self, what):
        return int.from_bytes(self.bytes_of(what), "little")

    def build(self, source, options=""):
        """A program; the driver's words, if it doesn't take the source."""
        text, code = source.encode(), ctypes.c_int()
        pointer, length = ctypes.c_char_p(text), ctypes.c_size_t(len(text))
        program = ctypes.c_void_p(self.cl.clCreateProgramWithSource(self.context, 1, ctypes.byref(pointer),
                                                                     ctypes.byref(length), ctypes.byref(code)))
        self.check(code.value, "clCreateProgramWithSource")
        status = self.cl.clBuildProgram(program, 1, ctypes.byref(self.id), options.encode(), None, None)
        if status:
            size, log = ctypes.c_size_t(0), ctypes.create_string_buffer(65536)
            self.cl.clGetProgramBuildInfo(program, self.id, 0x1183, ctypes.c_size_t(len(log)), log, ctypes.byref(size))
            lines = [line for line in log.value.decode(errors="replace").splitlines() if re.search("error|unsupp", line)]
            line = re.sub(r"/\S*?([^/\s]+:\d)", r"\1", (lines or [f"clBuildProgram: error {status}"])[0])
            raise Error(line.strip()[:200])
        return program

    def run(self, program, name, inputs, count, items, group):
        """Runs a kernel of (inputs..., output), all of 32 bits: what it wrote, as `count` bytes times 4."""
        code, held = ctypes.c_int(), []
        kernel = ctypes.c_void_p(self.cl.clCreateKernel(program, name.encode(), ctypes.byref(code)))
        self.check(code.value, "clCreateKernel")
        for data in [*inputs, bytes(4 * count)]:
            text = ctypes.create_string_buffer(data, len(data))
            mem = ctypes.c_void_p(self.cl.clCreateBuffer(self.context, ctypes.c_uint64(1 | 1 << 5),
                                                          ctypes.c_size_t(len(data)), text, ctypes.byref(code)))
            self.check(code.value, "clCreateBuffer")
            self.check(self.cl.clSetKernelArg(kernel, len(held), ctypes.c_size_t(8), ctypes.byref(mem)), "clSetKernelArg")
            held.append(mem)
        sizes = (ctypes.c_size_t * 1)(items), (ctypes.c_size_t * 1)(group)
        self.check(self.cl.clEnqueueNDRangeKernel(self.queue, kernel, 1, None, *sizes, 0, None, None),
                   "clEnqueueNDRangeKernel")
        self.check(self.cl.clFinish(self.queue), "clFinish")
        result = ctypes.create_string_buffer(4 * count)
        self.check(self.cl.clEnqueueReadBuffer(self.queue, held[-1], 1, ctypes.c_size_t(0), ctypes.c_size_t(4 * count),
                                               result, 0, None, None), "clEnqueueReadBuffer")
        for mem in held:
            self.cl.clReleaseMemObject(mem)
        return result.raw


def floats(numbers):
    return struct.pack(f"{len(numbers)}f", *numbers)


def halves(numbers, kind):
    """As pairs in 32 bits: of f16, or of bf16 that are exact."""
    if kind == "f16":
        return struct.pack(f"{len(numbers)}e", *numbers)
    return b"".join(struct.pack("f", n)[2:] for n in numbers)
