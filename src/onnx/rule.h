/* rule.h: what a rule sees of a node while it is built: operands, attributes, results. A rule that cannot says why
 * (onnx_cannot) and returns; the node's results are then missing, which is nobody else's fault. */
#ifndef TN_ONNX_RULE_H
#define TN_ONNX_RULE_H

#include "model.h"

enum {
    ONNX_FLOAT = 1,
    ONNX_UINT8,
    ONNX_INT8,
    ONNX_UINT16,
    ONNX_INT16,
    ONNX_INT32,
    ONNX_INT64,
    ONNX_STRING,
    ONNX_BOOL,
    ONNX_FLOAT16,
    ONNX_DOUBLE,
    ONNX_UINT32,
    ONNX_UINT64,
    ONNX_BFLOAT16 = 16,
    ONNX_FLOAT8E4M3FN,
    ONNX_FLOAT8E4M3FNUZ,
    ONNX_FLOAT8E5M2,
    ONNX_FLOAT8E5M2FNUZ,
    ONNX_UINT4,
    ONNX_INT4,
    ONNX_FLOAT4E2M1,
    ONNX_FLOAT8E8M0,
    ONNX_UINT2 = 25,
    ONNX_INT2 = 26
};

/* A value of the file: a tensor and what ONNX takes its elements for. Without one: left out, or a failed node's. */
typedef struct onnx_value {
    tn_tensor *x;
    int32_t type;
    uint32_t is_missing;     /* a node that makes it has failed */
    const onnx_proto *proto; /* an initializer or constant */
    tn_tensor *straight;     /* of what QuantizeLinear made for training: x where it is in range, else 0; or NULL */
} onnx_value;

typedef struct onnx_build onnx_build;
typedef struct onnx_scope onnx_scope;

/* A Reshape by its output's name. */
typedef struct onnx_reshaped {
    const char *name;
    tn_shape from, asked, to;
} onnx_reshaped;

/* The number of samples that the file declares, and another that is built: rebatch.c. */
typedef struct onnx_batch {
    int64_t was, is; /* 0: as declared */
    int is_noting;   /* the declared graph is built, and its Reshapes are noted */
    int was_fast;    /* samples became the fast part of a dimension somewhere */
    onnx_reshaped *noted;
    const onnx_reshaped *declared; /* what was noted then */
    uint32_t count, room, declared_count;
    tn_shape output; /* the first, as declared */
} onnx_batch;

/* What a build has. Values and scopes live in its region. */
struct onnx_build {
    tn_onnx *model;
    tn_graph *graph;
    tn_onnx_options options;
    onnx_batch batch;
    tn_shape *given; /* of each input */
    size_t n_given;
    onnx_end end; /* where the options ask for what is there */
    tn_region region;
    double **known; /* by a tensor's number: what it is whatever is fed, once somebody asked */
    uint32_t known_capacity;
    uint32_t depth;   /* of subgraphs and functions */
    tn_status status; /* what ends it at once: no memory, a file that changed */
};

typedef struct onnx_node {
    onnx_build *build;
    onnx_scope *scope;
    const onnx_node_proto *proto;
    int64_t opset;
    tn_graph *graph;
    onnx_value **in; /* NULL: left out */
    onnx_value *out;
    uint32_t n_in, n_out;
    uint32_t failed;
    unsigned char *read; /* by attribute: the rule has asked for it */
    const char *blamed;  /* the input whose numbers it would need */
} onnx_node;

typedef void onnx_rule(onnx_node *n);

/* The tensor of a value, made from what the file has where that was not needed before; NULL: there is none, and the
 * node has failed unless it was left out. */
tn_tensor *onnx_tensor(onnx_node *n, onnx_value *value);
/* The numbers of a tensor; NULL: they depend on what is fed, on *input if that is an input's name. */
const double *onnx_evaluate(onnx_build *b, tn_tensor *x, const char **input);

/* The rule for an operator; NULL: there is none. */
onnx_rule *onnx_find_rule(const char *domain, const char *name);

void onnx_cannot(onnx_node *n, const char *format, ...) TN_PRINTF(2, 3);

/* Operand i, or NULL if it is left out; its type; its rank and its size along an axis, which may count from the end. */
tn_tensor *onnx_in(const onnx_node *n, uint32_t i);
/* The name in the file, if the operand is an initializer; else NULL. */
const char *onnx_initializer_name(const onnx_node *n, uint32_t i);
int32_t onnx_type(const onnx_node *n, uint32_t i);
int32_t onnx_rank(const onnx_node *n, uint32_t i);
int64_t onnx_dim(const tn_tensor *x, int32_t axis);
/* An axis as it is counted from the front; a failure if there is none such. */
int32_t onnx_axis(onnx_node *n, int64_t axis, int32_t rank);

/* Results: of operand 0's type, of another; those that nobody wants are dropped. */
void onnx_out(onnx_node *n, uint32_t i, tn_tensor *y);
void onnx_out_as(onnx_node *n, uint32_t i, tn_tensor *y, int32_t type);
int onnx_wants(const onnx_node *n, uint32_t i); /* of those behind the first, only what is used */

/* Attributes, or what stands for one that is not there. */
const onnx_attribute *onnx_attr(const onnx_node *n, const char *name);
/* An attribute that changes nothing here. */
void onnx_heeded(const onnx_node *n, const char *name);
int64_t onnx_int(const onnx_node *n, const char *name, int64_t otherwise);
double onnx_float(const onnx_node *n, const char *name, double otherwise);
/* The number that is meant, to which a float can only be near: the shortest decimal that is that float. */
double onnx_decimal(const onnx_node *n, const char *name, double otherwise);
/* Whether a text attribute, or what it is otherwise, is this. */
int onnx_text_is(const onnx_node *n, const char *name, const char *otherwise, const char *text);
/* Up to `capacity` numbers, which keep their value where there are less; returns how many there are. */
int64_t onnx_ints(const onnx_node *n, const char *name, int64_t value[], int64_t capacity);
int64_t onnx_floats(const onnx_node *n, const char *name, double value[], int64_t capacity);
/* The attribute, as older opsets have it, or operand i, as newer ones: whole numbers. -1: neither is there, or the node
 * has failed. */
int64_t onnx_ints_of(onnx_node *n, const char *name, uint32_t i, int64_t value[], int64_t capacity);

/* Dimensions `first` and those behind it normalised, times scale plus bias, of which the latter may be NULL. */
tn_tensor *onnx_norm(tn_tensor *x, int32_t first, tn_tensor *scale, tn_tensor *bias, double epsilon, int keeps_mean);

/* What operand i is whatever is fed: its numbers, which last as long as the build, or NULL and the node has failed. */
const double *onnx_known(onnx_node *n, uint32_t i);
/* The same of an operand that has to be `count` numbers. */
const double *onnx_known_line(onnx_node *n, uint32_t i, int64_t count);
/* The same as whole numbers; returns how many, -1 on failure. */
int64_t onnx_known_ints(onnx_node *n, uint32_t i, int64_t value[], int64_t capacity);
/* One number. */
double onnx_known_number(onnx_node *n, uint32_t i, double otherwise);
/* Whether it is known, without a failure if not. */
int onnx_is_known(onnx_node *n, uint32_t i);

/* A tensor of the type that the result has in a graph. */
tn_tensor *onnx_kept(tn_tensor *x, int32_t type);
/* Whole numbers within the range of their type: those that are beyond begin again at its other end. */
tn_tensor *onnx_wrapped(tn_tensor *x, int32_t type);
int onnx_is_whole(int32_t type);
/* Floating point of eight bits and fewer (small.c): the number of a code, and x as the nearest number of the type, in
 * f32. Beyond the largest comes the largest, or without `saturate` what the type has: infinity or NaN. Exponents alone
 * are rounded as is asked, all others to nearest, ties to even. */
typedef enum onnx_small_round { ONNX_SMALL_NEAREST, ONNX_SMALL_UP, ONNX_SMALL_DOWN } onnx_small_round;
int onnx_is_small(int32_t type);
double onnx_small_number(int32_t type, uint32_t code);
tn_tensor *onnx_small_rounded(tn_tensor *x, int32_t type, int saturate, onnx_small_round how);
/* The least and the largest number of a type of whole numbers. */
void onnx_range(int32_t type, double *least, double *most);
tn_tensor *onnx_constant_ints(onnx_node *n, const int64_t value[], tn_shape shape);

/* x with a number before and after it along an axis. */
tn_tensor *onnx_pad_number(tn_tensor *x, int32_t axis, int64_t before, int64_t after, double value);

/* The slices of x along an axis, n of them and at least one, none of them empty, in lexical order: i32 (n), 0 for the
 * first and for those that equal it, and so on. A NaN equals nothing. */
tn_tensor *onnx_row_ranks(tn_tensor *x, int32_t axis);

/* (b, t, heads d) -> (b, heads, t, d), where four dimensions stay; and back. */
tn_tensor *onnx_heads_of(tn_tensor *x, int64_t heads);
tn_tensor *onnx_whole_of(tn_tensor *x);
/* x (b, heads, t, d) turned by angles (b or 1, t, d / 2 or more), as the node's attributes say. */
tn_tensor *onnx_rotated(onnx_node *n, tn_tensor *x, tn_tensor *cosine, tn_tensor *sine);

/* Another batch than the declared one: which it is; a Reshape, noted or scaled; an operand of a Concat
 * that there is once for all samples; and which input differs from what was declared, for messages. */
void onnx_find_batch(const tn_onnx *model, const tn_shape given[], size_t count, onnx_batch *batch);
tn_tensor *onnx_rebatched_reshape(onnx_node *n, tn_tensor *x, tn_shape asked);
tn_tensor *onnx_rebatch_part(const onnx_node *n, tn_tensor *x, int32_t axis);
const char *onnx_differing_input(tn_onnx *model, const tn_shape given[], size_t count);

/* A part of the graph that is an attribute, built in a scope of its own with values for its inputs. Returns how many
 * outputs it has; -1 on failure. */
int64_t onnx_subgraph(onnx_node *n, const onnx_graph_proto *graph, const onnx_value in[], uint32_t n_in,
                      onnx_value out[], uint32_t capacity);

#define RULE(name, since, operands, rule) void onnx_rule_##rule(onnx_node *n);
#define TABLE                             RULE
#define RUNTIME                           RULE
#define UNARY(name, since, function)
#define BINARY(name, since, function)
#define COMPARE(name, since, function)
#define REDUCE(name, since, function)
#include "rules.def"
#undef RULE
#undef TABLE
#undef RUNTIME
#undef UNARY
#undef BINARY
#undef COMPARE
#undef REDUCE

#endif
