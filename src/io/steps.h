/* steps.h: the steps that optimizers have done, in a note: {"fc1.weight": 100, ...}, a number for each parameter. */
#ifndef TN_IO_STEPS_H
#define TN_IO_STEPS_H

#include "json.h"
#include "tenon/state.h"

/* Adds the note behind others, if the state has an optimizer. */
void tn_steps_save(tn_json *json, const tn_state *state);

/* TN_EFORMAT if it is no such note. */
TN_MUST_USE tn_status tn_steps_check(const char *path, const char *note);

/* Sets the counts of what is in the state; what the note doesn't name has done none. */
TN_MUST_USE tn_status tn_steps_load(const char *note, tn_state *state);

#endif
