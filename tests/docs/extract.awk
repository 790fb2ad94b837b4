# Takes apart a Markdown page: a block after '<!-- file: NAME -->' goes to that file in the folder `out`; blocks after
# '<!-- run -->' or '<!-- run, prints: PATTERN -->' go to 1.sh, 2.sh, ..., and their patterns to 1.prints, ...; a block
# after '<!-- run by: WHAT -->' is tried by something else. The first line of any other block of shell goes to
# `unmarked`.
/^<!-- file: .* -->$/ { target = $3; next }
/^<!-- run by: .* -->$/ { elsewhere = 1; print >(out "/marks"); next }
/^<!-- run(, prints: .*)? -->$/ {
    number++
    target = number ".sh"
    print >(out "/marks")
    pattern = $0
    if (sub(/^<!-- run, prints: /, "", pattern) && sub(/ -->$/, "", pattern)) print pattern >(out "/" number ".prints")
    next
}
/^```/ && open { open = 0; target = ""; elsewhere = 0; next }
/^```/ { open = 1; shell = /^```sh/ && target == "" && !elsewhere; next }
open && shell { print >(out "/unmarked"); shell = 0 }
open && target != "" { print >(out "/" target) }
