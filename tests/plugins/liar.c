/* liar: answers TN_OK and gives nothing, or numbers that cannot be. Its option "lie" says which of them. */
#include "template.h"

static int lies(const char *what)
{
    const char *lie = host->option(host->self, "liar", "lie");
    return lie && !strcmp(lie, what);
}

static int32_t count_devices(uint32_t *count, tn_msg *msg)
{
    (void)msg;
    *count = lies("devices") ? 257 : 3;
    return TN_OK;
}

static int32_t describe(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    tn_device_info mine = {.size = sizeof mine};
    int32_t status = device_info(0, &mine, msg);
    snprintf(mine.id, sizeof mine.id, lies("twins") ? "pci-0" : "pci-%u", device);
    if (lies("alignment")) mine.alignment = (uint64_t)1 << 40;
    if (lies("max_buffer")) mine.max_buffer = 63;
    if (lies("texts")) snprintf(mine.name, sizeof mine.name, "\033[2J\x9b\302\233n\342\200\256 device");
    if (!status) tn_answer(info, &mine, sizeof mine);
    return status;
}

static int32_t open_device(uint32_t device, tn_context **context, tn_msg *msg)
{
    (void)device;
    return lies("context") ? TN_OK : context_create(0, context, msg);
}

static int32_t make_buffer(tn_context *context, uint64_t bytes, tn_buffer **buffer, tn_msg *msg)
{
    return lies("buffer") ? TN_OK : buffer_create(context, bytes, buffer, msg);
}

static int32_t make_queue(tn_context *context, tn_queue **queue, tn_msg *msg)
{
    return lies("queue") ? TN_OK : queue_create(context, queue, msg);
}

static int32_t prepare_nothing(tn_kernel *kernel, const tn_op_desc *desc, const tn_op_facts *facts, tn_msg *msg)
{
    (void)kernel, (void)desc, (void)facts, (void)msg;
    return TN_OK;
}

/* Everything is prepared, and nothing done. */
static int32_t prepare_this(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                            tn_msg *msg)
{
    (void)context;
    if (kernel && lies("kernel")) return TN_OK;
    int32_t status = prepare_row(&(operator_row){desc->name, prepare_nothing, 0}, desc, kernel, info, msg);
    if (!status && info && lies("scratch")) info->scratch = UINT64_MAX - 3;
    return status;
}

PLUGIN("liar", table.device_count = count_devices; table.device_info = describe; table.context_create = open_device;
       table.buffer_create = make_buffer; table.queue_create = make_queue; table.op_prepare = prepare_this)
