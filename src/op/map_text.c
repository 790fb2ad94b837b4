/* map_text.c: the program of a map as a text for people. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "map_internal.h"
#include "plain.h"
#include "tenon/backend_check.h"

typedef struct writer {
    const tn_map_attrs *attrs;
    char *text;
    size_t used, capacity;
} writer;

static void TN_PRINTF(2, 3) print(writer *w, const char *format, ...)
{
    va_list args;
    if (w->used >= w->capacity) return;
    va_start(args, format);
    int length = tn_vsnprintf(w->text + w->used, w->capacity - w->used, format, args);
    va_end(args);
    w->used += length > 0 ? (size_t)length : 0;
}

/* Instructions that are written otherwise than as op(arg, arg). */
static int special(writer *w, const tn_map_instr *instr)
{
    const int which = tn_special_find(instr->op);
    const char *text = which < 0 ? "" : tn_special_at(which)->text;
    for (const char *at = text; *at; at++)
        if (*at == '%')
            print(w, "%g", instr->value);
        else if (*at == '@')
            print(w, "%d", instr->arg[0]);
        else
            print(w, "%c", *at);
    return *text != 0;
}

/* A value that is used again is written again, which may be long: the text ends where it is full. */
static void value(writer *w, int32_t number)
{
    if (w->used >= w->capacity) return;
    if (number < (int32_t)w->attrs->n_in) {
        print(w, "%d", number);
        return;
    }
    const tn_map_instr *instr = &w->attrs->instr[number - (int32_t)w->attrs->n_in];
    if (special(w, instr)) return;
    const char *separator = "(";
    print(w, "%s", strcmp(instr->op, "cast") ? instr->op : tn_dtype_name(instr->dtype));
    for (int k = 0; k < 4; k++) {
        if (instr->arg[k] < 0) continue;
        print(w, "%s", separator);
        value(w, instr->arg[k]);
        separator = ", ";
    }
    print(w, ")");
}

char *tn_map_text(const tn_map_attrs *attrs, char *text, size_t capacity)
{
    writer w = {attrs, text, 0, capacity};
    if (capacity) *text = 0;
    for (uint32_t i = 0; i < attrs->n_out; i++) {
        if (i) print(&w, "; ");
        value(&w, attrs->out[i]);
    }
    return text;
}
