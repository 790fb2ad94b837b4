/* classes.c: see classes.h. */
#include "classes.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A class's name, closed by a line break, and its number. */
typedef struct named {
    const char *name;
    int32_t number;
    double value; /* of a name that is a number; else NAN */
} named;

static double value_of(const char *name)
{
    char *end;
    const double value = strtod(name, &end);
    const int number = end != name && (!*end || *end == '\n') && !memchr(name, 'x', (size_t)(end - name));
    return number ? value : NAN;
}

static int by_name(const void *a, const void *b)
{
    const char *x = ((const named *)a)->name, *y = ((const named *)b)->name;
    for (; *x == *y && *x && *x != '\n'; x++, y++) continue;
    int ended_x = !*x || *x == '\n', ended_y = !*y || *y == '\n';
    return ended_x || ended_y ? ended_y - ended_x : (unsigned char)*x - (unsigned char)*y;
}

/* Names of so many classes, each closed by a line break: those, or for NULL their numbers. NULL: no memory. */
static char *names_of(const char *names, int64_t classes)
{
    if (names) return strdup(names);
    char *text = malloc((size_t)classes * 21 + 1), *to = text;
    for (int64_t k = 0; text && k < classes; k++) to += sprintf(to, "%" PRId64 "\n", k);
    if (text) *to = 0;
    return text;
}

/* So many classes with the names, in order of these; NULL: no memory. */
static named *sort_names(const char *name, int64_t classes)
{
    named *all = calloc((size_t)classes + 1, sizeof *all);
    for (int32_t i = 0; all && i < classes; i++) {
        all[i] = (named){name, i, value_of(name)};
        name += strcspn(name, "\n");
        name += *name == '\n';
    }
    if (all) qsort(all, (size_t)classes, sizeof *all, by_name);
    return all;
}

/* The known class of that name, or that is the same number written otherwise, 1 for 1.0; NULL: there is none. */
static const named *find_class(const char *name, const named *known, int64_t n_known)
{
    const named want = {name, 0, value_of(name)};
    const named *found = bsearch(&want, known, (size_t)n_known, sizeof *known, by_name);
    for (int64_t i = 0; !found && !isnan(want.value) && i < n_known; i++)
        if (known[i].value == want.value) found = &known[i];
    return found;
}

/* number[k]: what the model calls the class that the data calls number k; -1: it does not know it. */
static void number_classes(const char *names, int64_t classes, const named *known, int64_t n_known, int32_t *number)
{
    for (int64_t k = 0; k < classes; k++) {
        const named *found = find_class(names, known, n_known);
        number[k] = found ? found->number : -1;
        names += strcspn(names, "\n");
        names += *names == '\n';
    }
}

static int unknown(const cli_model *model, const tn_dataset *data, int32_t label)
{
    const cli_model of_data = {.class_names = data->class_names};
    char name[CLI_CLASS_NAME];
    return cli_fail("%s has the class '%s', which %s does not know", data->source,
                    cli_class_name(&of_data, label, name, sizeof name), model->data);
}

/* The classes of the data are all that the model has, by its names. */
static int take_names(const cli_model *model, tn_dataset *data)
{
    char *names = model->class_names ? strdup(model->class_names) : NULL;
    if (model->class_names && !names) return cli_fail("out of memory");
    free(data->class_names);
    data->class_names = names;
    data->classes = model->classes;
    return CLI_GO_ON;
}

/* Numbers the labels anew; -1 is left alone, and the label that it stands for reported. */
static int renumber(const cli_model *model, const int32_t *number, tn_dataset *data)
{
    for (int64_t i = 0; i < data->count; i++) {
        if (number[data->label[i]] < 0) return unknown(model, data, data->label[i]);
        data->label[i] = number[data->label[i]];
    }
    return take_names(model, data);
}

int cli_match_classes(const cli_model *model, tn_dataset *data)
{
    if (!data->label || !model->classes || data->labels > 1) return CLI_GO_ON;
    if (!model->class_names && !data->class_names) {
        if (data->classes < model->classes) data->classes = model->classes;
        return CLI_GO_ON;
    }
    char *theirs = names_of(data->class_names, data->classes), *ours = names_of(model->class_names, model->classes);
    named *known = ours ? sort_names(ours, model->classes) : NULL;
    int32_t *number = calloc((size_t)data->classes + 1, sizeof *number);
    int status = CLI_GO_ON;
    if (theirs && known && number) {
        number_classes(theirs, data->classes, known, model->classes, number);
        status = renumber(model, number, data);
    } else {
        status = cli_fail("out of memory");
    }
    free(theirs);
    free(ours);
    free(known);
    free(number);
    return status;
}
