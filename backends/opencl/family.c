/* family.c: families of kernels (families.def) and choices among them, as values and as texts: "tile u=16 v=8 rows=4
 * cols=4 deep=16 parts=1". */
#include "opencl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const ocl_family families[] = {
#define PARAMETER(name, ...) {#name, {__VA_ARGS__}},
#define FAMILY(name, ...)    {#name, {__VA_ARGS__}},
#include "families.def"
#undef FAMILY
#undef PARAMETER
};

const ocl_family *ocl_family_named(const char *name)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (!strcmp(families[i].name, name)) return &families[i];
    return NULL;
}

const ocl_family *ocl_family_at(size_t index)
{
    return index < sizeof families / sizeof *families ? &families[index] : NULL;
}

uint32_t ocl_family_parameters(const ocl_family *family)
{
    uint32_t n = 0;
    while (n < OCL_PARAMETERS && family->parameter[n].name) n++;
    return n;
}

int ocl_is_of(const ocl_choice *choice, const char *family)
{
    return choice && choice->family && !strcmp(choice->family->name, family);
}

static uint32_t find_parameter(const ocl_family *family, const char *name)
{
    uint32_t i = 0;
    while (i < ocl_family_parameters(family) && strcmp(family->parameter[i].name, name)) i++;
    return i;
}

int32_t ocl_value(const ocl_choice *choice, const char *parameter)
{
    const uint32_t i = find_parameter(choice->family, parameter);
    return i < ocl_family_parameters(choice->family) ? choice->value[i] : 0;
}

void ocl_set_value(ocl_choice *choice, const char *parameter, int64_t value)
{
    const uint32_t i = find_parameter(choice->family, parameter);
    if (i < ocl_family_parameters(choice->family)) choice->value[i] = (int32_t)value;
}

void ocl_choice_write(const ocl_choice *choice, char *text, size_t room)
{
    size_t used = (size_t)snprintf(text, room, "%s", choice->family ? choice->family->name : "");
    for (uint32_t i = 0; choice->family && i < ocl_family_parameters(choice->family) && used < room; i++)
        used += (size_t)snprintf(text + used, room - used, " %s=%d", choice->family->parameter[i].name,
                                 (int)choice->value[i]);
}

static int may_be(const int32_t value[OCL_VALUES], int32_t number)
{
    for (int i = 0; i < OCL_VALUES && value[i]; i++)
        if (value[i] == number) return 1;
    return 0;
}

/* As choice_write has it, each parameter once and in order, and nothing else. */
int ocl_choice_read(const char *text, ocl_choice *choice)
{
    char again[OCL_CHOICE_TEXT], name[32];
    int length = 0;
    *choice = (ocl_choice){.family = NULL};
    if (sscanf(text, "%31s%n", name, &length) != 1 || !(choice->family = ocl_family_named(name))) return 0;
    for (uint32_t i = 0; i < ocl_family_parameters(choice->family); i++) {
        const char *at = strchr(text + length, '=');
        if (!at) return 0;
        choice->value[i] = (int32_t)strtol(at + 1, NULL, 10);
        if (!may_be(choice->family->parameter[i].value, choice->value[i])) return 0;
        length = (int)(at + 1 - text);
    }
    ocl_choice_write(choice, again, sizeof again);
    return !strcmp(again, text);
}

int ocl_choice_next(ocl_choice *choice)
{
    for (uint32_t i = ocl_family_parameters(choice->family); i--;) {
        const int32_t *value = choice->family->parameter[i].value;
        int at = 0;
        while (value[at] != choice->value[i]) at++;
        const int is_last = at + 1 == OCL_VALUES || !value[at + 1];
        choice->value[i] = value[is_last ? 0 : at + 1];
        if (!is_last) return 1;
    }
    return 0;
}

ocl_choice ocl_choice_first(const ocl_family *family)
{
    ocl_choice first = {.family = family};
    for (uint32_t i = 0; i < ocl_family_parameters(family); i++) first.value[i] = family->parameter[i].value[0];
    return first;
}
