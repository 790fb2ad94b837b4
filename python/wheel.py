"""wheel.py: writes the wheel and the source distribution.

usage: python3 python/wheel.py INSTALLED FOLDER     INSTALLED is where cmake --install put the library

The wheel has the package, and in tenon/lib the library, its backends, the program that tries them, and those libraries
that they need and that are not of every system's base: found by their names, copied from this system, with their
licences. The source distribution has all files that git knows; its build runs tools/wheel.sh (backend.py)."""
import base64
import hashlib
import pathlib
import re
import subprocess
import sys
import tarfile
import time
import zipfile

TREE = pathlib.Path(__file__).resolve().parent.parent
TAG = "py3-none-manylinux_2_36_x86_64"
WHEEL = f"Wheel-Version: 1.0\nGenerator: python/wheel.py\nRoot-Is-Purelib: false\nTag: {TAG}\n"
# What manylinux takes as given: the C library and the loader; and OpenCL's loader, without which one backend is skipped.
GIVEN = re.compile(r"^(libc|libm|libdl|libpthread|librt|ld-linux-x86-64|libOpenCL)\.so")
LICENCES = pathlib.Path("/usr/share/doc")


def version():
    return re.search(r"project\(tenon VERSION ([\d.]+)", (TREE / "CMakeLists.txt").read_text())[1]


def metadata():
    text = (TREE / "README.md").read_text()
    head = ["Metadata-Version: 2.1", "Name: tenon", f"Version: {version()}",
            "Summary: Neural networks on whatever compute device is there", "License-File: LICENSE",
            "Requires-Python: >=3.9", "Provides-Extra: numpy", "Requires-Dist: numpy; extra == 'numpy'",
            "Classifier: Operating System :: POSIX :: Linux", "Classifier: Programming Language :: Python :: 3",
            "Classifier: Programming Language :: Python :: Implementation :: CPython",
            "Classifier: Programming Language :: Python :: Implementation :: PyPy",
            "Classifier: Typing :: Typed", "Description-Content-Type: text/markdown"]
    return "\n".join(head) + "\n\n" + text


def needed(path):
    """The libraries that a file names, and where the loader finds them."""
    listed = subprocess.run(["readelf", "-d", path], stdout=subprocess.PIPE, check=True, text=True).stdout
    names = [n for n in re.findall(r"\(NEEDED\).*\[(.*)\]", listed) if not GIVEN.match(n) and "libtenon" not in n]
    found = {}
    for name in names:
        line = subprocess.run(["ldconfig", "-p"], stdout=subprocess.PIPE, check=True, text=True,
                              env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"}).stdout
        found[name] = re.search(rf"^\s*{re.escape(name)} \(.*x86-64.*\) => (.*)$", line, flags=re.M)[1]
    return found


def licence(library):
    """The file that says under what terms a library of this system is."""
    target = pathlib.Path(library).resolve()
    for path in (library, str(target), str(target).replace("/usr/lib", "/lib", 1)):
        owner = subprocess.run(["dpkg", "-S", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if owner.returncode == 0:
            return LICENCES / owner.stdout.split(":")[0] / "copyright"
    return None


def contents(installed):
    """What goes into the wheel: {name there: file here}."""
    files = {f"tenon/{p.name}": p for p in sorted((TREE / "python" / "tenon").iterdir()) if p.suffix in (".py", ".typed")}
    info = f"tenon-{version()}.dist-info"
    files[f"{info}/licenses/LICENSE"] = TREE / "LICENSE"
    lib = installed / "lib"
    binaries = {"libtenon.so.0": lib / "libtenon.so.0"}
    for p in [lib / "tenon" / "tenon-probe", *sorted((lib / "tenon").glob("*-1/*.so"))]:
        binaries[str(p.relative_to(lib))] = p
    looked_at = list(binaries.values())
    for path in looked_at:
        for name, library in needed(path).items():
            if name not in binaries:
                looked_at.append(pathlib.Path(library))
            binaries[name] = pathlib.Path(library)
            files[f"{info}/licenses/{name.split('.so')[0]}.txt"] = licence(library)
    files.update({f"tenon/lib/{name}": path for name, path in binaries.items()})
    return {name: path for name, path in files.items() if path}


def put(archive, name, data, executable):
    entry = zipfile.ZipInfo(name, time.gmtime(315532800)[:6])  # always the same: 1980
    entry.external_attr = (0o100755 if executable else 0o100644) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data, compresslevel=9)
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}"


def write_wheel(installed, folder):
    """The wheel (https://packaging.python.org/specifications/binary-distribution-format)."""
    info = f"tenon-{version()}.dist-info"
    path = folder / f"tenon-{version()}-{TAG}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        record = [put(archive, name, file.read_bytes(), name.startswith("tenon/lib/"))
                  for name, file in contents(installed).items()]
        record.append(put(archive, f"{info}/METADATA", metadata().encode(), False))
        record.append(put(archive, f"{info}/WHEEL", WHEEL.encode(), False))
        put(archive, f"{info}/RECORD", ("\n".join(record + [f"{info}/RECORD,,"]) + "\n").encode(), False)
    return path


def write_sdist(folder):
    """All files of the tree, and PKG-INFO."""
    name = f"tenon-{version()}"
    path = folder / f"{name}.tar.gz"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TREE, stdout=subprocess.PIPE, check=True).stdout
    info = folder / "PKG-INFO"
    info.write_text(metadata())
    with tarfile.open(path, "w:gz") as archive:
        for file in sorted(listed.decode().rstrip("\0").split("\0")):
            archive.add(TREE / file, f"{name}/{file}", recursive=False)
        archive.add(info, f"{name}/PKG-INFO")
    info.unlink()
    return path


def main(installed, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    made = [write_wheel(pathlib.Path(installed), folder)]
    if (TREE / ".git").exists():
        made.append(write_sdist(folder))
    for path in made:
        print(f"{path}  {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
