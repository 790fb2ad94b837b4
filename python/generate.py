"""generate.py: makes the parts of the package that follow from the C headers: tenon/c.py, which is the interface as
ctypes sees it, and tenon/ops.py and tenon/nn.py, which are the operators and the layers as Python functions.

usage: python3 python/generate.py [--check]     --check writes nothing, and fails where a file is not what it would be
"""
import pathlib
import re
import sys
import textwrap

from headers import Headers, join

HERE = pathlib.Path(__file__).resolve().parent
SCALARS = {
    "int": "c_int", "int32_t": "c_int32", "uint32_t": "c_uint32", "int64_t": "c_int64", "uint64_t": "c_uint64",
    "size_t": "c_size_t", "double": "c_double", "float": "c_float", "char": "c_char", "tn_status": "c_int32",
}
# Headers whose functions only build graphs or look something up: they are called without letting other threads go on.
QUICK = ("status.h", "tensor.h", "graph.h", "ops.h", "nn.h", "optim.h")
MADE = "Made by python/generate.py from the headers: don't edit."


# ---- c.py ----


def ctype(text):
    """The ctypes type of a C type: all pointers but texts are addresses."""
    if isinstance(text, tuple):
        return callback_type(text[1], [p.ctype for p in _parameters(text[2])])
    bare = join(text.replace("const", ""))
    if bare == "char *":
        return "c_char_p"
    if bare.endswith("*"):
        return "c_void_p"
    return SCALARS.get(bare, "None" if bare == "void" else bare)


def _parameters(text):
    from headers import parameter, split_parameters
    return [parameter(p) for p in split_parameters(text)]


def callback_type(result, parameters):
    return f"CFUNCTYPE({', '.join([ctype(result)] + [ctype(p) for p in parameters])})"


def argument(p, callbacks):
    """The type of a parameter; an array is an address."""
    bare = join(str(p.ctype).replace("const", "")).rstrip("* ")
    if bare in callbacks:
        return bare
    return "c_void_p" if p.length else ctype(p.ctype)


def field(p):
    length = re.sub(r"[\[\]]", "", p.length)
    return f'("{p.name}", {ctype(p.ctype)}{" * " + length if length else ""})'


def docstring(text, indent="    "):
    text = text.replace("\\", "\\\\").replace('"""', "'''")
    text = "\n".join(textwrap.fill(line, 118) for line in text.split("\n"))
    lines = ('"""' + text + ("" if not text.endswith('"') else " ") + '"""').split("\n")
    return "\n".join((indent + line).rstrip() for line in lines)


def struct_text(struct):
    told = "\n".join(f"{f.name}: {f.doc}" for f in struct.fields if f.doc)
    doc = "\n\n".join(t for t in (struct.doc, told) if t) or f"{struct.name} of the C interface."
    fields = ",\n".join("        " + field(f) for f in struct.fields)
    return f"class {struct.name}(Structure):\n{docstring(doc)}\n\n    _fields_ = [\n{fields},\n    ]\n"


def in_order(structs):
    """A struct comes after those that it holds."""
    names, done, out = {s.name: s for s in structs}, set(), []

    def take(s):
        if s.name in done:
            return
        done.add(s.name)
        for f in s.fields:
            if isinstance(f.ctype, str) and f.ctype in names:
                take(names[f.ctype])
        out.append(s)

    for s in structs:
        take(s)
    return out


def c_file(headers):
    callbacks = [c.name for c in headers.callbacks]
    quick = {f.name for h in QUICK for f in headers.of_header[h]}
    title = "c.py: the C interface as ctypes sees it: constants, structs, and a table of the functions."
    out = [f'"""{title}\n\n{MADE}"""',
           "# fmt: off\n"
           "from ctypes import (CFUNCTYPE, Structure, c_char, c_char_p, c_double, c_int, c_int32, c_int64, c_size_t,\n"
           "                    c_uint32, c_uint64, c_void_p)\n"]
    out += [f"{name} = {value}" for name, value in headers.constants.items()]
    out += ["", ""]
    out += [struct_text(s) + "\n" for s in in_order(headers.structs)]
    for c in headers.callbacks:
        out.append(f"{c.name} = {callback_type(c.result, [p.ctype for p in c.parameters])}")
    out.append("\n# name: (result, parameters, whether it is quick, its declaration, what the header says)")
    out.append("FUNCTIONS = {")
    for f in headers.functions:
        types = ", ".join(argument(p, callbacks) for p in f.parameters)
        declared = ", ".join(f"{p.ctype if isinstance(p.ctype, str) else 'function'} {p.name}{p.length}"
                             for p in f.parameters).replace("* ", "*")
        out.append(f'    "{f.name}": ({ctype(f.result)}, ({types}{"," if types else ""}), {f.name in quick},\n'
                   f'        "{f.result} {f.name}({declared})",\n{docstring(f.doc, "        ")}),')
    out.append("}")
    return "\n".join(line.rstrip() for line in out) + "\n"


# ---- ops.py and nn.py ----

# Functions with results other than a tensor, or arguments that Python has better words for: tensor.py has them.
BY_HAND = {"tn_split", "tn_transpose", "tn_recurrent_layer", "tn_number", "tn_loss_check_targets",
           "tn_constant", "tn_loss"}
RENAMED = {"axes": "axis", "keep": "keepdims", "lambda": "lambd", "in": "tensors", "L": "top"}
NAMES = {"convolve2d": "conv2d", "convolve2d_transposed": "conv2d_transposed", "broadcast": "broadcast_to"}
OLD_NAMES = {"dynamic_slice": "window"}  # that functions had, and still have in this version
# What is usual where C has no options: by the parameter's name.
USUAL = {"axis": "-1", "keepdims": "False", "diagonal": "0", "step": "1", "epsilon": "1e-5", "correction": "0",
         "margin": "1.0", "lambd": "0.5", "alpha": "1.0", "causal": "False", "reverse": "False", "exclusive": "False",
         "descending": "False", "right": "False", "align_corners": "False", "transpose_a": "False",
         "transpose_b": "False", "each_channel": "False", "p": "2.0", "top": "1.0", "k": "1.0", "x0": "0.0",
         "low": "float('-inf')", "high": "float('inf')"}
FIRST_AXIS = ("concat", "stack")
FLAGS = ("keepdims", "causal", "reverse", "exclusive", "descending", "right", "align_corners", "transpose_a",
         "transpose_b", "each_channel")
ANNOTATION = {"t": "Operand", "g": "Graph", "s": "Shape", "a": "Axes", "i": "int", "f": "float", "b": "bool",
              "d": "Dtype", "z": "str", "l": "Sequence[Tensor]"}


class Argument:
    """A Python parameter: its name, the code of its conversion (_build.py), its default or None."""

    def __init__(self, name, code, default=None):
        self.name, self.code, self.default = name, code, default


def code_of(p):
    bare = join(str(p.ctype).replace("const", ""))
    if p.length:
        return "l"
    codes = {"tn_tensor *": "t", "tn_graph *": "g", "tn_shape": "s", "tn_axes": "a", "double": "f", "char *": "z"}
    if bare in codes:
        return codes[bare]
    return "d" if p.name == "dtype" else "b" if p.name in FLAGS or p.name == "keep" else "i"


def arguments(function, structs):
    """The Python parameters of a C function, and the codes of what C gets."""
    made, codes = [], ""
    for p in function.parameters:
        if p.name == "n_in":
            continue
        if p.ctype in structs:
            codes += "o"
            made += [option(f) for f in structs[p.ctype].options]
            continue
        name = RENAMED.get(p.name, p.name)
        made.append(Argument(name, code_of(p)))
        codes += made[-1].code
    defaults(function, made)
    return made, codes


def option(f):
    """A field of a struct of options is a keyword; what is left out is 0 there."""
    return Argument(f.name, "keyword", "None")


def defaults(function, made):
    """From the last one on, as long as each has a usual value."""
    for a in reversed([a for a in made if a.code != "keyword"]):
        if a.code == "a":
            a.default = "None"
        elif a.name == "axis" and any(function.name.endswith(n) for n in FIRST_AXIS):
            a.default = "0"
        elif a.name in USUAL:
            a.default = USUAL[a.name]
        else:
            return


def python_name(name):
    name = re.sub(r"^tn_", "", name)
    return NAMES.get(name, re.sub(r"_(?:with|layer)$", "", name))


def signature(made):
    parts, starred = [], False
    for a in made:
        if a.code == "keyword" and not starred:
            parts.append("*")
            starred = True
        kind = ANNOTATION.get(a.code, "Any")
        parts.append(f"{a.name}: {kind}" + (f" = {a.default}" if a.default is not None else ""))
    return ", ".join(parts)


def options_told(function, structs):
    told = []
    for p in function.parameters:
        if p.ctype in structs:
            told += [f"{f.name}: {f.doc}" for f in structs[p.ctype].options if f.doc]
    return "\n".join(told)


def function_text(function, structs):
    made, codes = arguments(function, structs)
    doc = "\n\n".join(t for t in (function.doc, options_told(function, structs)) if t)
    words = [word(p, structs) for p in function.parameters if p.name != "n_in"]
    head = f"def {python_name(function.name)}({signature(made)}) -> Tensor:"
    call = f'return op("{function.name}", "{codes}", {", ".join(words)})'
    return "\n\n" + wrapped(head, 4) + "\n" + docstring(as_python(doc)) + "\n" + wrapped("    " + call, 14)


def word(p, structs):
    """What stands for a parameter in the call."""
    if p.ctype not in structs:
        return RENAMED.get(p.name, p.name)
    given = ", ".join(f'"{f.name}": {f.name}' for f in structs[p.ctype].options)
    return f"(c.{p.ctype}, {{{given}}})"


def wrapped(line, indent):
    """The same in lines of at most 120 characters, broken behind commas."""
    lines = [""]
    for part in line.split(", "):
        if len(lines[-1]) + len(part) > 116:
            lines[-1] = lines[-1].rstrip()
            lines.append(" " * (indent + 4))
        lines[-1] += part + ", "
    return "\n".join(lines)[:-2]


def as_python(doc):
    """What the header says, in Python's words."""
    doc = re.sub(r"\btn_(\w+?)(?:_with|_layer)?\b", r"\1", doc).replace("NULL", "None")
    doc = re.sub(r"\.(\w+) = \{([^}]*)\}", r"\1=(\2)", doc)
    return re.sub(r"\.(\w+) = ", r"\1=", doc)


def wanted(headers, name):
    """Those whose result is a tensor, and nothing else."""
    return [f for f in headers.of_header[name] if f.result == "tn_tensor *" and f.name not in BY_HAND and
            not any("**" in str(p.ctype) for p in f.parameters)]


def functions_file(headers, header, title):
    structs = {s.name: s for s in headers.structs if s.name.endswith("_options")}
    functions = wanted(headers, header)
    out = [f'"""{title} {MADE}"""', "# fmt: off", "from __future__ import annotations\n",
           "from typing import TYPE_CHECKING, Any, Sequence\n", "from . import c", "from ._build import op\n",
           "if TYPE_CHECKING:", "    from ._build import Axes, Dtype, Operand, Shape",
           "    from .tensor import Graph, Tensor"]
    for f in functions:
        out.append(function_text(f, structs))
        if python_name(f.name) in OLD_NAMES:
            out.append(f"\n\n{OLD_NAMES[python_name(f.name)]} = {python_name(f.name)}  # its name before")
    kinds = {"Tensor": "t", "Graph": "g"}
    for kind, code in kinds.items():
        names = [python_name(f.name) for f in functions if arguments(f, structs)[1].startswith(code)]
        if names and header == "ops.h":
            names += [OLD_NAMES[n] for n in names if n in OLD_NAMES]
            lines = [f"    {n} = {n}" for n in names]
            doc = f'"""Functions that begin with a {kind.lower()}, as its methods."""'
            out.append(f"\n\nclass {kind}Methods:\n    {doc}\n")
            out += lines
    return "\n".join(out) + "\n"


def files(headers):
    return {
        "c.py": c_file(headers),
        "ops.py": functions_file(headers, "ops.h", "ops.py: the operators, as functions of tensors."),
        "nn.py": functions_file(headers, "nn.h", "nn.py: layers, losses and metrics, as functions that build graphs."),
    }


def main(words):
    stale = 0
    for name, text in files(Headers(HERE.parent / "include" / "tenon")).items():
        path = HERE / "tenon" / name
        if "--check" not in words:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            print(f"{path.relative_to(HERE.parent)} is not what the headers make: run python3 python/generate.py")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
