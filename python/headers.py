"""headers.py: reads the public headers in include/tenon: their constants, structs and functions, with what the
comments say of them. generate.py makes Python of it.

It knows the form that our headers have (clang-format keeps it), not C: a declaration at a time, each after the comment
that tells of it. What it does not understand is an error."""
import re

BEFORE_TENON_H = ["backend_ops.h", "backend.h"]  # of which only constants and the device's description are of use here
AFTER_TENON_H = ["op_info.h"]
FROM_BACKEND_H = ("tn_msg", "tn_device_info")
OPAQUE = ("void", "tn_backend")


class Parameter:
    """A parameter, or a field of a struct: its C type without its name, how often it stands there, and its comment."""

    def __init__(self, ctype, name, length="", doc=""):
        self.ctype, self.name, self.length, self.doc = ctype, name, length, doc


class Function:
    """A function, or the type of a callback."""

    def __init__(self, result, name, parameters, doc):
        self.result, self.name, self.parameters, self.doc = result, name, parameters, doc


class Struct:
    """A struct with its fields."""

    def __init__(self, name, fields, doc):
        self.name, self.fields, self.doc = name, fields, doc
        self.options = [f for f in fields if f.name != "spare"]  # what a caller has a choice of


class Headers:
    """All that was read: constants {name: value}, structs, callbacks and functions in the order of the headers."""

    def __init__(self, folder):
        self.folder = folder
        self.constants, self.structs, self.callbacks, self.functions = {}, [], [], []
        self.of_header = {}
        main = (folder / "tenon.h").read_text()
        for name in BEFORE_TENON_H + re.findall(r'#include "tenon/(\w+\.h)"', main) + AFTER_TENON_H:
            before = len(self.functions)
            _Reader(self, name).read()
            self.of_header[name] = self.functions[before:]


def text_of(comment):
    """What a comment says, without its stars; paragraphs and list lines stay lines."""
    lines = [re.sub(r"^\s*\*? ?", "", line).rstrip() for line in comment[2:-2].strip("\n").split("\n")]
    return "\n".join(lines).strip().strip("-").strip()


def join(text):
    """The same in one line."""
    return " ".join(text.split())


def parameter(text, doc=""):
    """A declaration such as `const tn_shape *shape` or `tn_tensor *const in[]`."""
    text = join(re.sub(r"/\*.*?\*/", "", text, flags=re.S))
    callback = re.match(r"(.+?)\(\*(\w+)\)\((.*)\)$", text)
    if callback:
        return Parameter(("callback", callback[1].strip(), callback[3]), callback[2], doc=doc)
    found = re.match(r"(.*?)(\w+)((?:\[\w*\])*)$", text)
    if not found:
        raise ValueError("not understood: " + text)
    ctype, name, length = found[1].strip(), found[2], found[3]
    ctype = re.sub(r"\*\s*const$", "*", ctype)
    return Parameter(ctype, name, length, doc)


def split_parameters(text):
    """`text` at the commas that are in no brackets."""
    parts, depth = [""], 0
    for c in text:
        depth += (c == "(") - (c == ")")
        if c == "," and not depth:
            parts.append("")
        else:
            parts[-1] += c
    return [] if parts == [""] or parts == ["void"] else parts


class _Reader:
    """Reads one header, declaration by declaration."""

    def __init__(self, headers, name):
        self.to, self.name = headers, name
        self.text = (headers.folder / name).read_text().replace("\\'", "'")
        self.doc, self.previous, self.on_line = "", None, False

    def read(self):
        rest = re.sub(r'#ifdef __cplusplus\n.*?#endif\n', "", self.text, flags=re.S)
        while rest.strip():
            rest = self.step(rest)

    def step(self, rest):
        blank = re.match(r"\s*\n\s*\n|\s+", rest)
        if blank:
            self.doc = "" if blank[0].count("\n") > 1 else self.doc
            self.on_line = self.on_line and "\n" not in blank[0]
            return rest[blank.end():]
        if rest.startswith("/*"):
            return self.comment(rest)
        if rest.startswith("#"):
            return self.directive(rest)
        return self.declaration(rest)

    def comment(self, rest):
        end = rest.index("*/") + 2
        said = text_of(rest[:end])
        if self.previous and not rest[end:].split("\n", 1)[0].strip() and self.on_line:
            self.previous.doc = said
        elif not rest.startswith("/* ----"):
            self.doc = said
        return rest[end:]

    def directive(self, rest):
        line = re.match(r"(?:[^\n\\]|\\.|\\\n)*\n", rest, flags=re.S)[0]
        self.on_line = False
        found = re.match(r"#define X\((.*?)\)\s+(TN_API.*;)", line)
        if found:
            self.rows, self.pattern = found[1].split(", "), found[2]
        found = re.match(r'#include "tenon/(\w+\.def)"', line)
        if found:
            self.table(found[1])
        found = re.match(r"#define (TN_\w+)\s+(\(?-?[\w.+-]+\)?)\s*(?:/\*.*)?$", line.strip(), flags=re.S)
        if found and re.search(r"\d", found[2]):
            self.to.constants[found[1]] = found[2].strip("()").rstrip("u")
        if "/*" in line and "*/" not in line:  # its comment goes on
            return rest[rest.index("*/") + 2:]
        return rest[len(line):]

    def table(self, name):
        """A function for each row of a .def."""
        source = re.sub(r"/\*.*?\*/", "", (self.to.folder / name).read_text(), flags=re.S)
        for row in re.findall(r'^X\((.*)\)$', source, flags=re.M):
            doc = re.search(r'"([^"]*)"$', row)[1]
            self.function(self.pattern.replace("##", "").replace("tn_name", "tn_" + row.split(",")[0].strip()), doc)

    def declaration(self, rest):
        found = re.match(r"typedef struct (tn_\w+) \{\n(.*?)\n\} \1;", rest, flags=re.S)
        if found:
            self.struct(found)
            return rest[found.end():]
        found = re.match(r"(?:[^;{]|\n)*?[;{]", rest)
        head = found[0]
        if head.endswith("{"):  # a function with a body, a struct that is of no use here
            return rest[self.closing(rest):]
        self.on_line = True
        if "TN_API" in head:
            self.function(head, self.doc)
        elif re.match(r"typedef [^(]*\*?\w+\(", head) and self.name not in BEFORE_TENON_H:
            self.callback(head)
        return rest[found.end():]

    @staticmethod
    def closing(rest):
        return re.search(r"^(?:[^\n]*\{[^\n]*)?\}.*$", rest, flags=re.M).end()

    def function(self, head, doc):
        head = join(re.sub(r"TN_API|TN_MUST_USE|TN_PRINTF\(.*?\)", "", head)).replace(", ...)", ")")
        found = re.match(r"(.*?)\b(tn_\w+)\((.*)\) ?;", head)
        if not found:
            raise ValueError(f"{self.name}: not understood: {head}")
        made = Function(found[1].strip(), found[2], [parameter(p) for p in split_parameters(found[3])], doc)
        self.to.functions.append(made)
        self.previous = made

    def callback(self, head):
        found = re.match(r"typedef (.*?)(tn_\w+)\((.*)\);", join(head))
        if found:
            parts = [parameter(p) for p in split_parameters(found[3])]
            self.to.callbacks.append(Function(found[1].strip(), found[2], parts, self.doc))

    def struct(self, found):
        self.on_line = False
        if self.name in BEFORE_TENON_H and found[1] not in FROM_BACKEND_H:
            return
        fields = []
        text = re.sub(r"^\s*/\*.*?\*/$", "", found[2], flags=re.M)
        for declared in re.finditer(r"((?:[^;/]|/(?!\*))+);[ \t]*(/\*.*?\*/)?", text, flags=re.S):
            doc = join(text_of(declared[2])) if declared[2] else ""
            fields += self.fields(declared[1], doc)
        self.to.structs.append(Struct(found[1], fields, self.doc))

    @staticmethod
    def fields(text, doc):
        """`double flops, bytes` is two fields; a function pointer is one."""
        if "(*" in text:
            return [parameter(text, doc)]
        first, *others = split_parameters(text)
        first = parameter(first, doc)
        base = first.ctype.rstrip("* ")
        made = [first]
        for other in others:
            stars = other.count("*")
            made.append(parameter(f"{base} {'*' * stars}{other.strip().lstrip('*')}", doc))
        return made
