/* attrs.h: the attributes of operators at the plugin boundary, by their rows: the operator's `crosses`. All of it is
 * for descriptions that tn_check_op has passed. */
#ifndef TN_OP_ATTRS_H
#define TN_OP_ATTRS_H

#include "alloc.h"
#include "op.h"

/* The program in them: a map's own, what a reduction folds, an epilogue; NULL: there is none. */
const tn_map_attrs *tn_attrs_program(const tn_op_desc *desc);

/* Puts another program in its place; nothing happens where the operator `name` takes none. Of a map *map becomes its
 * attributes. */
void tn_attrs_set_program(const char *name, tn_any_attrs *attrs, const tn_map_attrs *map);

/* A copy of all that they point to, or NULL. */
void *tn_attrs_copy(tn_region *region, const tn_op_desc *desc);

/* How many run-time scalars a run must be given. */
uint32_t tn_attrs_scalars(const tn_op_desc *desc);

/* What is not as usual, for people: "stride 2 2, pad 1 1, then relu(add(0, 1))". Returns `text`. */
char *tn_attrs_text(const tn_op_desc *desc, char *text, size_t capacity);

#endif
