/* model.h: a file that was read, and what the last build made of it. */
#ifndef TN_ONNX_MODEL_H
#define TN_ONNX_MODEL_H

#include "build.h"
#include "mapping.h"
#include "onnx.pb-c.h"
#include "tenon/onnx.h"

typedef Onnx__TensorProto onnx_proto;
typedef Onnx__NodeProto onnx_node_proto;
typedef Onnx__AttributeProto onnx_attribute;
typedef Onnx__GraphProto onnx_graph_proto;

/* A file beside the model's, mapped. */
typedef struct onnx_mapped {
    const char *name;
    const char *path; /* in the model's region of weights */
    tn_mapping *file;
} onnx_mapped;

struct tn_onnx {
    const unsigned char *data; /* the file's or, decoded, the text's; tensors' raw bytes are there */
    uint64_t bytes;
    tn_mapping *file;        /* NULL: it was text */
    ProtobufCAllocator heap; /* of `proto` */
    Onnx__ModelProto *proto;
    char *folder; /* of the file: "" or with a slash at its end; NULL: it was text */
    onnx_mapped *mapped;
    uint32_t files, file_capacity;
    tn_onnx_operator *op;
    uint32_t ops, op_capacity;
    tn_region problems; /* texts of */
    tn_onnx_problem *problem;
    uint32_t n_problem, problem_capacity;
    unsigned char *needed; /* by input of the graph, initializers among them */
    tn_region weights;     /* f32 that were made of other forms */
    tn_index initializers; /* the graph's, by name */
    unsigned char *role;   /* of each */
    const float **numbers; /* of each that tn_onnx_weight_at was asked for, else NULL */
    char *text;            /* of tn_onnx_text */
    char *freeze;          /* of tn_onnx_freeze, or NULL */
    int64_t most;          /* of a network that came as text: as in tn_onnx_options, where these say none */
    size_t untied;         /* the last initializers, which share their numbers with others: untie.c */
};

/* What an initializer is: trained, or followed by batch normalisation; and whether a build asked for its numbers. */
enum { ONNX_WEIGHT = 1, ONNX_STATISTIC = 2, ONNX_NUMBERS = 4 };

/* Finds it out for all. */
TN_MUST_USE tn_status onnx_find_roles(tn_onnx *model);
/* TN_EUNSUPPORTED if weights are whole numbers, which no gradient moves, and what else there is would be trained around
 * them. */
TN_MUST_USE tn_status onnx_require_trainable(const tn_onnx *model);
/* The initializer of that name, and its role unless that is NULL; or NULL. Those of floating point that are not scalars
 * alone are weights or statistics. */
const onnx_proto *onnx_initializer(const tn_onnx *model, const char *name, unsigned char **role);

/* Whether a weight of that name stays as it is. */
int onnx_is_frozen(const tn_onnx *model, const char *name);
/* Whether initializer i, a weight or a statistic, is no parameter. */
int onnx_stays(const tn_onnx *model, size_t i);

/* How output 0 ends: a node or NULL each, and the dimension of the weight that is the number of outputs. */
typedef struct onnx_end {
    const onnx_node_proto *activation;
    const onnx_proto *weight, *bias;
    int32_t axis;
} onnx_end;
onnx_end onnx_find_end(const tn_onnx *model);
/* The last layer's weight or bias with other outputs; returns 0 if it is another tensor. */
int onnx_resized(const onnx_end *end, const onnx_proto *t, int64_t outputs, tn_shape *shape);

/* The opset of a domain in the model or, if it names none, in one of its functions; 0: none. */
int64_t onnx_opset(const tn_onnx *model, const char *domain);
/* NULL and "" and "ai.onnx" are one. */
const char *onnx_domain(const char *domain);

/* Takes the model's bytes apart, which stay as they are as long as it lives. */
TN_MUST_USE tn_status onnx_unpack(tn_onnx *model);
/* The messages alone: raw bytes of tensors are in the data; the heap does not free those. Refuses messages within each
 * other deeper than a reader that calls itself can stand. */
TN_MUST_USE tn_status onnx_take_apart(const unsigned char *data, uint64_t bytes, ProtobufCAllocator *heap,
                                      Onnx__ModelProto **proto);

/* Has nodes, and those in parts of the graph within them, come behind those that make what they take. */
TN_MUST_USE tn_status onnx_sort(onnx_node_proto **node, size_t count);

/* Has initializers that others are an Identity of be several, as soon as the file is taken apart; and frees these. */
TN_MUST_USE tn_status onnx_untie(tn_onnx *model);
void onnx_untied_free(tn_onnx *model);
/* How often a value is used, in parts of the graph too, and as an output; and in all of a model, in functions too. */
size_t onnx_uses(const onnx_graph_proto *graph, const char *name);
size_t onnx_uses_in_all(const tn_onnx *model, const char *name);

/* ---- tensors: tensor.c ---- */

/* What the element type is in a graph; 0: it is none there. And its name in ONNX, "?" for what is none. */
int32_t onnx_kept_type(int32_t type);
int onnx_is_real(int32_t type); /* f32 or f64 in a graph */
const char *onnx_type_name(int32_t type);
uint32_t onnx_type_bits(int32_t type); /* of an element */

/* The tensor's numbers as a graph has them: in the model's memory or file, where they may lie at any address, or in the
 * region. f16, bf16 and, as raw bytes, u8 and i8 stay as they are: *dtype says what the data is. Whole numbers beyond
 * i32 are TN_EUNSUPPORTED, but for the largest and smallest of int64, which become those of i32. */
TN_MUST_USE tn_status onnx_tensor_data(tn_onnx *model, const onnx_proto *t, tn_region *region, tn_shape *shape,
                                       int32_t *dtype, const void **data);
/* That its numbers can be had: all of them are in the file or beside it, or none, as in a network that came as text. */
TN_MUST_USE tn_status onnx_tensor_check(tn_onnx *model, const onnx_proto *t);
/* Its shape alone. */
TN_MUST_USE tn_status onnx_tensor_shape(const onnx_proto *t, tn_shape *shape);
/* Whether its numbers are in the file or beside it; and their bytes where they are such, in *data, which is NULL where
 * they are listed. */
int onnx_tensor_is_there(const onnx_proto *t);
TN_MUST_USE tn_status onnx_tensor_bytes(tn_onnx *model, const onnx_proto *t, const unsigned char **data,
                                        uint64_t *bytes);
/* Whole numbers as they are, up to `capacity`; returns how many there are, -1 if it has none. */
int64_t onnx_tensor_ints(tn_onnx *model, const onnx_proto *t, int64_t value[], int64_t capacity);

/* ---- problems ---- */

/* A node that could not be built: all of one kind are one problem. `input` may be NULL. */
void onnx_problem(tn_onnx *model, const onnx_node_proto *node, const char *why, const char *input);
void onnx_problems_clear(tn_onnx *model);

#endif
