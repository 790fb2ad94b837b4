/* safetensors.h: what reading and writing the format share. A file is: the header's length (8 bytes, little endian);
 * the header, JSON padded by spaces: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...,
 * "__metadata__": {"key": "text", ...}}; the data, without holes. Numbers are little endian. */
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

/* 8 bytes, lowest first. */
void tn_put_u64(uint8_t byte[8], uint64_t value);
uint64_t tn_get_u64(const uint8_t byte[8]);

#endif
