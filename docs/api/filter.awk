# Makes Doxygen see the headers' comments: a comment above declarations belongs to each of them up to the next blank line
# or comment; one behind a member belongs to the member; the first says what the file is.

# Markup that a comment doesn't mean.
function plain(text)
{
    gsub(/[\\@<>#]/, "\\\\&", text)
    return text
}

FILENAME ~ /\.md$/ { print; next }
FNR == 1 { sub(/^\/\* [a-z_.]+: /, "/** \\file\n * "); print; is_head = !/\*\//; next }
is_head { print; is_head = !/\*\//; next }
is_section || /^\/\* ----/ { comment = ""; print; is_section = !/\*\//; next }
reading || /^\/\*/ {
    line = plain($0)
    comment = reading ? comment "\n" line : "/**" substr(line, 3)
    reading = !/\*\//
    next
}
/^[ \t]*$/ { comment = "" }
comment != "" && /^(TN_API|TN_BACKEND_EXPORT|static inline|typedef|#define)/ { print comment }
match($0, /[;,{] *\/\* /) && !/^#/ {
    at = RSTART + RLENGTH
    $0 = substr($0, 1, at - 4) "/**< " plain(substr($0, at))
}
{ print }
