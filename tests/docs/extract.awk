# Takes apart a Markdown page: a block after '<!-- file: NAME -->' goes to that file in the folder `out`; blocks after
# '<!-- run -->' or '<!-- run, prints: PATTERN -->' go to 1.sh, 2.sh, ..., and their patterns to 1.prints, ...
/^<!-- file: .* -->$/ { target = $3; next }
/^<!-- run(, prints: .*)? -->$/ {
    number++
    target = number ".sh"
    pattern = $0
    if (sub(/^<!-- run, prints: /, "", pattern) && sub(/ -->$/, "", pattern)) print pattern >(out "/" number ".prints")
    next
}
/^```/ && inside { inside = 0; target = ""; next }
/^```/ { inside = target != ""; if (!inside) skip = !skip; next }
inside { print >(out "/" target) }
