/* generate.h: random programs over the whole public interface, each made from a seed and a number alone. */
#ifndef TN_ORACLE_GENERATE_H
#define TN_ORACLE_GENERATE_H

#include "recipe.h"

/* Random program `number` of a seed. Each step is in the recipe before it is built, so that whoever dies of one, with
 * the recipe in shared memory, has left word of it. Fails only if the oracle cannot work. */
TN_MUST_USE tn_status tn_generate(uint64_t seed, uint64_t number, tn_recipe *recipe);

/* The seed of what its inputs are fed. */
uint64_t tn_generated_seed(uint64_t seed, uint64_t number);

#endif
