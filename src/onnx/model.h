/* model.h: a file that was read, and what the last build made of it. */
#ifndef TN_ONNX_MODEL_H
#define TN_ONNX_MODEL_H

#include "build.h"
#include "onnx.pb-c.h"
#include "tenon/onnx.h"

typedef Onnx__TensorProto onnx_proto;
typedef Onnx__NodeProto onnx_node_proto;
typedef Onnx__AttributeProto onnx_attribute;
typedef Onnx__GraphProto onnx_graph_proto;

/* A file beside the model's, mapped. */
typedef struct onnx_mapped {
    const char *name;
    void *data;
    uint64_t bytes;
} onnx_mapped;

struct tn_onnx {
    Onnx__ModelProto *proto;
    char *folder; /* of the file: "" or with a slash at its end */
    onnx_mapped *mapped;
    uint32_t files, file_capacity;
    tn_onnx_operator *op;
    uint32_t ops, op_capacity;
    tn_region problems; /* texts of */
    tn_onnx_problem *problem;
    uint32_t n_problem, problem_capacity;
    unsigned char *needed; /* by input of the graph, initializers among them */
    tn_region weights;     /* f32 that were made of other forms */
};

/* The opset of a domain in the model or, for the body of a function, in its own list; 0: none. */
int64_t onnx_opset(const tn_onnx *model, const char *domain);
/* NULL and "" and "ai.onnx" are one. */
const char *onnx_domain(const char *domain);

/* A message within another no deeper than a reader that calls itself can stand. */
TN_MUST_USE tn_status onnx_check_nesting(const unsigned char *data, uint64_t bytes);

/* ---- tensors: tensor.c ---- */

/* What the element type is in a graph; 0: it is none there. And its name in ONNX, "?" for what is none. */
int32_t onnx_kept_type(int32_t type);
const char *onnx_type_name(int32_t type);

/* The tensor's numbers as a graph has them: in the model's memory or in the region. f16 and bf16 stay as they are:
 * *dtype says what the data is. Whole numbers beyond i32 are TN_EUNSUPPORTED, but for the largest and smallest of
 * int64, which become those of i32. */
TN_MUST_USE tn_status onnx_tensor_data(tn_onnx *model, const onnx_proto *t, tn_region *region, tn_shape *shape,
                                       int32_t *dtype, const void **data);
/* Whole numbers as they are, up to `capacity`; returns how many there are, -1 if it has none. */
int64_t onnx_tensor_ints(tn_onnx *model, const onnx_proto *t, int64_t value[], int64_t capacity);

/* ---- problems ---- */

/* A node that could not be built: all of one kind are one problem. `input` may be NULL. */
void onnx_problem(tn_onnx *model, const onnx_node_proto *node, const char *why, const char *input);
void onnx_problems_clear(tn_onnx *model);

#endif
