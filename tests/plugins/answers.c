/* answers: when asked about operators it declines maps with a line, and gives errors for some others: what a host makes
 * of each is its own affair. */
#include "template.h"

static int32_t answer(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                      tn_msg *msg)
{
    static const struct {
        const char *name;
        int32_t code;
        const char *line;
    } answers[] = {
        {"map", TN_EUNSUPPORTED, "maps are\nfor others"}, {"reduce", TN_EUNSUPPORTED, ""},
        {"matmul", TN_ENOMEM, "no room to think"},        {"softmax", TN_EDEVICE, "the device is gone"},
        {"cumsum", TN_EINVAL, "a sum of nonsense"},       {"topk", 99, "an answer of its own"},
    };
    (void)context, (void)kernel, (void)info;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (!strcmp(answers[i].name, desc->name)) return tn_refuse(msg, answers[i].code, "%s", answers[i].line);
    return tn_refuse(msg, TN_EUNSUPPORTED, "%s is not supported", desc->name);
}

static int32_t describe(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    tn_device_info mine = {.size = sizeof mine};
    int32_t status = device_info(device, &mine, msg);
    snprintf(mine.id, sizeof mine.id, "answers");
    if (!status) tn_answer(info, &mine, sizeof mine);
    return status;
}

PLUGIN("answers", table.op_prepare = answer; table.device_info = describe)
