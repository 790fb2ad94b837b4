/* samples.h: good files of each kind, which the fuzzers begin with. */
#ifndef TN_TEST_SAMPLES_H
#define TN_TEST_SAMPLES_H

#include "readers.h"

/* Bytes at its end. */
void fuzz_add(fuzz_sample *s, const void *bytes, size_t size);

void fuzz_make_idx(fuzz_sample *s);
void fuzz_make_gzip(fuzz_sample *s);
void fuzz_make_csv(fuzz_sample *s);
void fuzz_make_spaced(fuzz_sample *s);
void fuzz_make_kinds(fuzz_sample *s);
void fuzz_make_packed_csv(fuzz_sample *s);
void fuzz_make_safetensors(fuzz_sample *s);
void fuzz_make_tensors(fuzz_sample *s);
void fuzz_make_model(fuzz_sample *s);
void fuzz_make_net(fuzz_sample *s);
void fuzz_make_graph(fuzz_sample *s);
void fuzz_make_onnx(fuzz_sample *s);
void fuzz_make_schedule(fuzz_sample *s);
void fuzz_make_png(fuzz_sample *s);
void fuzz_make_palette_png(fuzz_sample *s);
void fuzz_make_jpeg(fuzz_sample *s);
void fuzz_make_pgm(fuzz_sample *s);
void fuzz_make_raw_pgm(fuzz_sample *s);
void fuzz_make_npy(fuzz_sample *s);
void fuzz_make_fortran_npy(fuzz_sample *s);
void fuzz_make_npz(fuzz_sample *s);
void fuzz_make_npz_of_parts(fuzz_sample *s);
void fuzz_make_stored_npz(fuzz_sample *s);

#endif
