#!/bin/sh
# header.sh INCLUDE c|c++: backend.h with its extensions, its checks and its floating-point environment, comm.h, and a use of them all, compile without a warning in every version of the
# language that it promises. Exit status 77: there is no compiler for it.
include=$1 language=$2
case $language in
c) compilers="cc gcc clang" versions="c11 c17" ;;
c++) compilers="c++ g++ clang++" versions="c++11 c++14 c++17 c++20" ;;
esac
work=$(mktemp -d) || exit 1
trap 'rm -r "$work"' EXIT
cat >"$work/use.x" <<'END'
#include "tenon/backend_ext.h"
#include "tenon/backend_check.h"
#include "tenon/backend_float.h"
#include "tenon/comm.h"
int32_t check(const tn_op_desc *desc, tn_op_facts *facts);
int32_t check(const tn_op_desc *desc, tn_op_facts *facts)
{
    const int32_t status = tn_check_op(desc, facts, NULL);
    return status ? status : tn_check_not_in_place(desc, NULL) + (int32_t)tn_desc_extent(desc->out);
}
tn_float_mode plain(void);
tn_float_mode plain(void)
{
    const tn_float_mode mode = tn_float_begin();
    tn_float_end(mode);
    return mode;
}
int32_t join(const tn_communicator *table, tn_comm_place *place);
int32_t join(const tn_communicator *table, tn_comm_place *place)
{
    return TN_HAS(tn_communicator, table, close) ? table->open(NULL, place, NULL, NULL) : TN_ESTATE;
}
uint64_t use(const tn_tensor_desc *desc, tn_kernel_info *info);
uint64_t use(const tn_tensor_desc *desc, tn_kernel_info *info)
{
    const tn_matmul_attrs attrs = {sizeof attrs, NULL, 0, 0, 0, 0};
    tn_answer(info, &attrs, sizeof attrs);
    return TN_HAS(tn_kernel_info, info, launches) + tn_dtype_size(desc->dtype) * (uint64_t)tn_desc_count(desc) + (uint64_t)tn_attrs_known(&attrs, 8);
}
END
tried=0
for compiler in $compilers; do
    command -v "$compiler" >/dev/null || continue
    for version in $versions; do
        tried=$((tried + 1))
        echo "$compiler -std=$version"
        "$compiler" -x "$language" -std="$version" -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow \
            -Wundef -Werror -fsyntax-only -I"$include" "$work/use.x" || exit 1
    done
done
[ $tried -gt 0 ] || { echo "no compiler for $language"; exit 77; }
