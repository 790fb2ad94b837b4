/* abi_1_0.c: the sizes of the structs of version 1.0, by the header of that day. */
#include "abi_1_0.h"

#include "../plugins/old/backend_1_0.h"

#define SIZE(type) #type, sizeof(type)

const abi_size abi_1_0[] = {
    {SIZE(tn_msg)},
    {SIZE(tn_tensor_desc)},
    {SIZE(tn_ref)},
    {SIZE(tn_scalar)},
    {SIZE(tn_map_instr)},
    {SIZE(tn_map_attrs)},
    {SIZE(tn_reduce_attrs)},
    {SIZE(tn_matmul_attrs)},
    {SIZE(tn_transpose_attrs)},
    {SIZE(tn_window_attrs)},
    {SIZE(tn_slice_attrs)},
    {SIZE(tn_cumsum_attrs)},
    {SIZE(tn_topk_attrs)},
    {SIZE(tn_searchsorted_attrs)},
    {SIZE(tn_conv_attrs)},
    {SIZE(tn_pool_attrs)},
    {SIZE(tn_op_desc)},
    {SIZE(tn_kernel_info)},
    {SIZE(tn_run)},
    {SIZE(tn_device_info)},
    {SIZE(tn_queue_stats)},
    {SIZE(tn_host)},
    {SIZE(tn_backend)},
    {0},
};
