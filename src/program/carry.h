/* carry.h: bytes that another thread carries between a device and host memory while the state's thread goes on: in a
 * queue of its own, after marks in the state's queue. */
#ifndef TN_PROGRAM_CARRY_H
#define TN_PROGRAM_CARRY_H

#include "state.h"

typedef struct tn_carry tn_carry;

/* With room for so many marks. tn_carry_free, by the state's thread and before the state, waits for what is under way;
 * NULL is fine. */
TN_MUST_USE tn_status tn_carry_new(tn_state *state, uint32_t marks, tn_carry **carry);
void tn_carry_free(tn_carry *carry);

/* 1 if the device does all work in the thread that asks for it: then nothing goes on meanwhile, and the state's thread
 * may as well carry. */
int tn_carry_is_here(const tn_carry *carry);

/* 1 if the state's device can compute in memory of the host's. Then the tensor lies in that memory, at a multiple of
 * 4096 bytes, until tn_carry_free. Two tensors at most, by the state's thread while nothing is under way. */
int tn_carry_can_adopt(const tn_state *state);
TN_MUST_USE tn_status tn_carry_adopt(tn_carry *carry, const char *tensor, void *memory);

/* By the state's thread: mark number i stands for all that is enqueued so far. And where a tensor lies now. */
TN_MUST_USE tn_status tn_carry_mark(tn_carry *carry, uint32_t i);
TN_MUST_USE tn_status tn_carry_place(const tn_carry *carry, const char *tensor, tn_ref *place);

/* By the one thread that carries: waits until what mark i stands for is done. What it then asks for is done when
 * tn_carry_wait returns. */
TN_MUST_USE tn_status tn_carry_await(tn_carry *carry, uint32_t i);
TN_MUST_USE tn_status tn_carry_read(tn_carry *carry, void *to, tn_ref from, uint64_t bytes);
TN_MUST_USE tn_status tn_carry_write(tn_carry *carry, tn_ref to, const void *from, uint64_t bytes);
TN_MUST_USE tn_status tn_carry_wait(tn_carry *carry);

#endif
