/* save.h: what the files that write ONNX share: the model as it grows, and how a rule says a node.
 *
 * Failure sticks in the saver: after the first, nothing more is added, and texts that are returned are "". */
#ifndef TN_ONNX_SAVE_H
#define TN_ONNX_SAVE_H

#include "alloc.h"
#include "file.h"
#include "graph.h"
#include "leaf.h"
#include "onnx.pb-c.h"
#include "tenon/onnx_save.h"

enum { EXPORT_TYPE_FLOAT = 1, EXPORT_TYPE_INT32 = 6, EXPORT_TYPE_INT64 = 7, EXPORT_TYPE_BOOL = 9 };

typedef struct export_list {
    void **item;
    uint32_t count, room;
} export_list;

/* An initializer: its message without its numbers, and these, which are written when the file is. */
typedef struct export_weight {
    Onnx__TensorProto *proto;
    const void *data;     /* as the file has them; or those of */
    const char *variable; /* that of the state, whose elements have */
    size_t size;          /* bytes each */
    uint64_t bytes;       /* in all */
} export_weight;

typedef struct export_saver {
    tn_graph *graph, *other; /* the same for another batch, or NULL */
    tn_state *state;
    int64_t opset;
    int64_t batch[2];                             /* in both graphs; 0: nothing differs */
    tn_region region;                             /* all of the model */
    export_list node, initializer, input, output; /* messages, and of initializers export_weight */
    const char **value; /* by a tensor's number: its value's name; NULL: it is not there yet */
    tn_tensor **made;   /* by a tensor's number: what it is made of, where that was needed */
    uint32_t *uses;     /* the same: operands that it is */
    uint32_t value_room, made_room, use_room, counted;
    tn_index names, node_names, constants;
    uint32_t *tries, try_room, taken; /* of each name: how many were made of it */
    tn_tensor *bias, *result;         /* of a convolution that is just being said: what follows it; else NULL */
    const char *batch_value;          /* of one int64: how many samples there are */
    tn_status status;
} export_saver;

/* An attribute; a list of them ends with {0}. */
typedef struct export_at {
    const char *name;
    const char *text;    /* this, */
    const int64_t *ints; /* these, */
    size_t count;
    int is_real;
    double real;   /* this */
    int64_t whole; /* or this */
} export_at;
#define EXPORT_INT(name, number)                                                                                       \
    {                                                                                                                  \
        name, NULL, NULL, 0, 0, 0, number                                                                              \
    }
#define EXPORT_REAL(name, number)                                                                                      \
    {                                                                                                                  \
        name, NULL, NULL, 0, 1, number, 0                                                                              \
    }
#define EXPORT_INTS(name, array, count)                                                                                \
    {                                                                                                                  \
        name, NULL, array, count, 0, 0, 0                                                                              \
    }
#define EXPORT_TEXT(name, text)                                                                                        \
    {                                                                                                                  \
        name, text, NULL, 0, 0, 0, 0                                                                                   \
    }
#define EXPORT_AT(...) ((const export_at[]){__VA_ARGS__, {0}})
#define EXPORT_OF(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- saying: save_graph.c ---- */

/* A node; returns its first output's name. `base` is what the node is called, or NULL: after its operator. `more`,
 * unless NULL, gets the name of a second output. "" stands for an operand that is left out. */
const char *export_say(export_saver *s, const char *base, const char *op, const char *const in[], const export_at at[]);
/* The node whose result is y: under y's name if it is an output, else under that of its weights' layer. */
const char *export_result(export_saver *s, const tn_tensor *y, const char *op, const char *const in[],
                          const export_at at[]);
/* The same value under an output's name. */
void export_rename(export_saver *s, const char *value, const char *name);
/* y is the value of that name, which is there already. */
void export_is(export_saver *s, const tn_tensor *y, const char *value);
/* What a layer's nodes are called, "fc1", or NULL: y has no weights. */
const char *export_scope(export_saver *s, const tn_tensor *y);
/* The value of an operand, which is there. */
const char *export_value(const export_saver *s, const tn_tensor *x);
/* The second output of the node that was said last, made now. */
const char *export_second(export_saver *s);

/* A value's or node's name is taken; the text stays. */
void export_take_name(export_saver *s, tn_index *names, const char *name);

/* Constants: int64 (n), and a number of rank 0 or 1. */
const char *export_ints(export_saver *s, const int64_t value[], size_t count);
const char *export_int(export_saver *s, int64_t value);
const char *export_number(export_saver *s, int32_t dtype, double value);
/* `count` times the same. */
const char *export_repeated(export_saver *s, int32_t dtype, double value, int64_t count);
/* The variable's values as an initializer. */
const char *export_initializer(export_saver *s, const tn_tensor *variable);

/* Data of x's type and shape as one, which stays where it is. */
const char *export_data(export_saver *s, const tn_tensor *x, const char *name, const void *data);

/* The same of another shape, under that name or one made of it. */
const char *export_tensor(export_saver *s, const char *name, int32_t dtype, const int64_t dim[], size_t rank,
                          void *data, size_t bytes);

/* x as another type of ONNX, by a node. */
const char *export_as(export_saver *s, const char *x, int64_t type);
int64_t export_type_of(int32_t dtype);

/* Fails: y cannot be said. */
void export_refuse(export_saver *s, const tn_tensor *y, const char *why);

/* Inputs and outputs. */
void export_declare(export_saver *s, export_list *where, const tn_tensor *x, const char *name);
tn_status export_write(export_saver *s, const char *path, const tn_onnx_save_options *options); /* save_file.c */
tn_status export_write_numbers(const export_saver *s, const export_weight *w, tn_file *file);
/* A note, or one of the pairs that say where numbers are; NULL: no memory. */
Onnx__StringStringEntryProto *export_pair(export_saver *s, const char *key, const char *value);
/* Initializers of so many bytes or more go to a file beside it, written now, which the caller ends, unless it fails:
 * save_external.c. */
tn_status export_move_data(export_saver *s, const char *path, uint64_t least, tn_file *data);

/* ---- the batch: save_batch.c ---- */

/* Finds it in the inputs; that both graphs are alike in all else. */
void export_find_batch(export_saver *s);
const tn_tensor *export_other(const export_saver *s, const tn_tensor *x);
/* How many numbers dimension d of x has for each sample; 0: it does not depend on the batch. */
int64_t export_per_sample(export_saver *s, const tn_tensor *x, int32_t d);
/* x's shape as a value; `keep` says which dimensions (a bit each) become 1. */
const char *export_shape(export_saver *s, const tn_tensor *x, uint32_t ones);
/* How many samples there are (1). */
const char *export_batch(export_saver *s);
/* One size of x as a value (1). */
const char *export_size(export_saver *s, const tn_tensor *x, int32_t d);

/* ---- numbers: save_number.c ---- */

/* Whether a full's or constant's numbers, or how many there are, depend on the batch. */
int export_number_varies(const export_saver *s, const tn_tensor *x);
/* The number of a full (rank 0). */
const char *export_number_of(export_saver *s, const tn_tensor *full);
/* A constant whose numbers vary. */
const char *export_varying(export_saver *s, const tn_tensor *x);

/* ---- rules: save_rules.c, save_kernel.c, save_shape.c, save_pattern.c ---- */

/* How a tensor is said, and of which others: all of them are said first. */
typedef struct export_plan {
    void (*say)(export_saver *s, tn_tensor *y, tn_tensor *const in[]);
    const char *op; /* of ONNX, for rules of many rows */
    uint32_t n_in;
    tn_tensor *own[8];
    tn_tensor *const *in; /* `own`, or the tensor's operands */
} export_plan;

/* Room for what was added to the graph, and who uses it. */
void export_count(export_saver *s);
/* A plan for y, after it was lowered if it must be; `say` NULL: it was refused. */
void export_make_plan(export_saver *s, tn_tensor *y, export_plan *plan);
/* Several operators that are one in ONNX; returns 0 if y ends none. */
int export_find_pattern(export_saver *s, tn_tensor *y, export_plan *plan);
/* One of them, in save_recurrent.c: the steps of a recurrent layer. */
int export_find_recurrent(export_saver *s, tn_tensor *y, export_plan *plan);

/* Attributes by their rows: element i, and a real number. */
int64_t export_whole(const tn_tensor *y, const char *field, uint32_t i);
double export_real(const tn_tensor *y, const char *field);
/* The axes of a mask as a list; returns how many. */
size_t export_axes(uint32_t mask, int64_t axes[TN_MAX_RANK]);
/* x is a number that is known and the same for all batches: of rank 0, or all elements alike. */
int export_is_number(const export_saver *s, const tn_tensor *x, double *value);

#define RULE(ours, rule) void export_rule_##rule(export_saver *s, tn_tensor *y, tn_tensor *const in[]);
#define DIRECT(ours, onnx)
#define SINCE(ours, onnx, opset)
#define COMPARE(ours, onnx)
#define AS(ours, what)
#define NONE(ours, why)
#include "saved.def"
#undef RULE
#undef DIRECT
#undef SINCE
#undef COMPARE
#undef AS
#undef NONE

#endif
