/* safetensors.h: what reading and writing the format share. A file is: the header's length (8 bytes, little endian);
 * the header, JSON padded by spaces: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...,
 * "__metadata__": {"key": "text", ...}}; the data, without holes. Numbers are little endian (order.h). */
#ifndef TN_IO_SAFETENSORS_H
#define TN_IO_SAFETENSORS_H

#include <stdint.h>

#define TN_MOST_HEADER 100000000u /* bytes: the format's own limit */

/* What a state keeps beside its tensors. */
#define TN_NOTE_OWN     "tenon."
#define TN_NOTE_SEED    "tenon.seed"
#define TN_NOTE_STEP    "tenon.step"
#define TN_NOTE_STEPS   "tenon.steps"
#define TN_NOTE_VERSION "tenon.version"

/* "F32" and so on; NULL for a number that is no type. */
const char *tn_safetensors_dtype(int32_t dtype);

/* Whether the name is that of an optimizer's moment: "fc1.weight.exp_avg" belongs to "fc1.weight", if there is such a
 * tensor. */
int tn_has_owner(const char *name, int (*is_there)(const void *arg, const char *name), const void *arg);
int tn_in_state(const void *state, const char *name);

#endif
