/* stumbles: takes every product and fails when it is to run. */
#include "template.h"

static int32_t stumble(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    (void)queue, (void)kernel, (void)run;
    return tn_refuse(msg, TN_EDEVICE, "it stumbled");
}

static int32_t nothing(tn_kernel *kernel, const tn_op_desc *desc, const tn_op_facts *facts, tn_msg *msg)
{
    (void)kernel, (void)desc, (void)facts, (void)msg;
    return TN_OK;
}

static int32_t take(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info, tn_msg *msg)
{
    if (strcmp(desc->name, "matmul")) return op_prepare(context, desc, kernel, info, msg);
    return prepare_row(&(operator_row){"matmul", nothing, 0}, desc, kernel, info, msg);
}

static int32_t describe(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    tn_device_info mine = {.size = sizeof mine};
    int32_t status = device_info(device, &mine, msg);
    snprintf(mine.id, sizeof mine.id, "stumbles");
    if (!status) tn_answer(info, &mine, sizeof mine);
    return status;
}

PLUGIN("stumbles", table.op_prepare = take; table.op_run = stumble; table.device_info = describe)
