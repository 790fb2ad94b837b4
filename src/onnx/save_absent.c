/* save_absent.c: tn_onnx_save of a library that was built without protobuf-c: it says so. */
#include "error.h"
#include "tenon/onnx_save.h"

tn_status tn_onnx_save(tn_graph *graph, tn_state *state, const char *path, const tn_onnx_save_options *options)
{
    (void)graph, (void)state, (void)path, (void)options;
    return tn_fail(TN_EUNSUPPORTED, "this library was built without ONNX: protobuf-c was not there");
}
