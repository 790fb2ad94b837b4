#!/bin/sh
# plain.sh SOURCE: real numbers become text, and text becomes real numbers, by src/core/plain.h alone: what the standard
# library does depends on the language that the program has set. The command has set its own for good (src/cli/main.c).
set -u
probe=$(mktemp -d) || exit 1
trap 'rm -r "$probe"' EXIT
cd "$1" || exit 1

real='"[^"]*%[-+ 0#]*[0-9*]*(\.[0-9*]*)?[lL]?[aefgAEFG][^"]*"'
reading='(^|[^_a-z])(strto(d|f|ld)(_l)?|atof|localeconv) *\('
writing="(^|[^_a-z])(s?n?printf|fprintf|dprintf) *\(.*$real"
passing='(^|[^_a-z])v(s?n?|f|d)printf *\(' # formats of others

# suspects PATTERN FOLDER...: statements, the name of the file before each, that have it in them.
suspects()
{
    pattern=$1
    shift
    find "$@" -name '*.[ch]' ! -path 'src/cli/*' ! -path src/core/plain.c | while read -r file; do
        tr '\n' ' ' <"$file" | tr ';' '\n' | sed "s|^|$file: |"
    done | grep -E "$pattern"
}

printf 'int f(char *t)\n{\n    return snprintf(t, 9,\n "%%5.1f", 1.0) + g();\n}\nint g(void) { return (int)strtod("1", 0); }\n' \
    >"$probe/wrong.c"
[ "$(suspects "$reading|$writing" "$probe" | wc -l)" -eq 2 ] || { echo "FAILED: what is wrong on purpose is not found"; exit 1; }
# A backend passes its own formats on, in which no real number may be.
found=$(suspects "$reading|$writing|$passing" src; suspects "$reading" include; suspects "$reading|$real" backends)
[ -z "$found" ] || { echo "FAILED: use src/core/plain.h, or no text:"; echo "$found" | cut -c1-300; exit 1; }
