/* family.h: families of kernels, which are alike but for numbers, and choices among them (family.c, families.def). */
#ifndef TENON_OPENCL_FAMILY_H
#define TENON_OPENCL_FAMILY_H

#include <stddef.h>
#include <stdint.h>

#define OCL_PARAMETERS  8
#define OCL_VALUES      8   /* of a parameter, at most */
#define OCL_CHOICE_TEXT 160 /* bytes that any choice takes as a text */

/* Kernels that are alike but for numbers. */
typedef struct ocl_family {
    const char *name;
    struct {
        const char *name;
        int32_t value[OCL_VALUES]; /* up to the first 0 */
    } parameter[OCL_PARAMETERS];   /* up to the first without a name */
} ocl_family;

/* One of them. */
typedef struct ocl_choice {
    const ocl_family *family; /* NULL: none was made */
    int32_t value[OCL_PARAMETERS];
} ocl_choice;

const ocl_family *ocl_family_named(const char *name);
const ocl_family *ocl_family_at(size_t index); /* NULL past the last */
uint32_t ocl_family_parameters(const ocl_family *family);
int ocl_is_of(const ocl_choice *choice, const char *family); /* NULL is of none */
int32_t ocl_value(const ocl_choice *choice, const char *parameter);
void ocl_set_value(ocl_choice *choice, const char *parameter, int64_t value);
void ocl_choice_write(const ocl_choice *choice, char *text, size_t room);
int ocl_choice_read(const char *text, ocl_choice *choice); /* 0: it is none */
/* All of a family, one after the other: 0 behind the last. */
ocl_choice ocl_choice_first(const ocl_family *family);
int ocl_choice_next(ocl_choice *choice);

#endif
