/* map_text.c: the program of a map as a text for people. */
#include <string.h>

#include "map_internal.h"
#include "plain.h"
#include "tenon/backend_check.h"

typedef struct writer {
    const tn_map_attrs *attrs;
    tn_text out;
} writer;

/* Instructions that are written otherwise than as op(arg, arg). */
static int special(writer *w, const tn_map_instr *instr)
{
    const int which = tn_special_find(instr->op);
    const char *text = which < 0 ? "" : tn_special_at(which)->text;
    for (const char *at = text; *at; at++)
        if (*at == '%')
            tn_text_add(&w->out, "%g", instr->value);
        else if (*at == '@')
            tn_text_add(&w->out, "%d", instr->arg[0]);
        else
            tn_text_add(&w->out, "%c", *at);
    return *text != 0;
}

/* A value that is used again is written again, which may be long: the text ends where it is full. */
static void value(writer *w, int32_t number)
{
    if (w->out.used >= w->out.room) return;
    if (number < (int32_t)w->attrs->n_in) {
        tn_text_add(&w->out, "%d", number);
        return;
    }
    const tn_map_instr *instr = &w->attrs->instr[number - (int32_t)w->attrs->n_in];
    if (special(w, instr)) return;
    const char *separator = "(";
    tn_text_add(&w->out, "%s", strcmp(instr->op, "cast") ? instr->op : tn_dtype_name(instr->dtype));
    for (int k = 0; k < 4; k++) {
        if (instr->arg[k] < 0) continue;
        tn_text_add(&w->out, "%s", separator);
        value(w, instr->arg[k]);
        separator = ", ";
    }
    tn_text_add(&w->out, ")");
}

char *tn_map_text(const tn_map_attrs *attrs, char *text, size_t capacity)
{
    writer w = {attrs, tn_text_in(text, capacity)};
    for (uint32_t i = 0; i < attrs->n_out; i++) {
        if (i) tn_text_add(&w.out, "; ");
        value(&w, attrs->out[i]);
    }
    return text;
}
