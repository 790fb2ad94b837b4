/* attrs.c: see attrs.h. */
#include "attrs.h"

#include <string.h>

#include "map.h"
#include "plain.h"
#include "tenon/backend_check.h"

static const tn_field *rows_of(const char *name)
{
    static const tn_field none[] = {{0}};
    const tn_op_def *op = tn_op_named(name);
    return op && op->crosses ? op->crosses : none;
}

static void *field_in(const tn_field *field, void *attrs)
{
    return (char *)attrs + field->offset;
}

/* ---- programs ---- */

const tn_map_attrs *tn_attrs_program(const tn_op_desc *desc)
{
    const tn_map_attrs *map = NULL;
    for (const tn_field *f = rows_of(desc->name); f->name && desc->attrs; f++)
        if (f->holds == TN_HOLDS_PROGRAM)
            return desc->attrs;
        else if (f->holds == TN_HOLDS_MAP)
            memcpy(&map, (const char *)desc->attrs + f->offset, sizeof map);
    return map;
}

void tn_attrs_set_program(const char *name, tn_any_attrs *attrs, const tn_map_attrs *map)
{
    for (const tn_field *f = rows_of(name); f->name; f++)
        if (f->holds == TN_HOLDS_PROGRAM)
            attrs->map = *map;
        else if (f->holds == TN_HOLDS_MAP)
            memcpy(field_in(f, attrs), &map, sizeof map);
}

uint32_t tn_attrs_scalars(const tn_op_desc *desc)
{
    const tn_map_attrs *map = tn_attrs_program(desc);
    uint32_t count = map ? map->n_scalar : 0;
    for (const tn_field *f = rows_of(desc->name); f->name && desc->attrs; f++)
        if (f->holds == TN_HOLDS_SCALAR) count = (uint32_t)tn_field_whole(f, desc->attrs, 0) + 1;
    return count;
}

/* ---- copying ---- */

static void *copy(tn_region *region, const void *from, size_t bytes)
{
    void *to = tn_region_alloc(region, bytes);
    return to && bytes ? memcpy(to, from, bytes) : to;
}

/* Fills *map, which is a copy of *from so far. */
static tn_status copy_program(tn_region *region, tn_map_attrs *map, const tn_map_attrs *from)
{
    tn_map_instr *instr = copy(region, from->instr, from->n_instr * sizeof *instr);
    map->out = copy(region, from->out, from->n_out * sizeof *from->out);
    map->instr = instr;
    for (uint32_t i = 0; instr && i < from->n_instr; i++)
        if (!(instr[i].op = tn_region_print(region, "%s", from->instr[i].op))) return TN_ENOMEM;
    return instr && map->out ? TN_OK : TN_ENOMEM;
}

static tn_status copy_map(tn_region *region, void *field)
{
    const tn_map_attrs *from;
    memcpy(&from, field, sizeof from);
    tn_map_attrs *map = from ? copy(region, from, from->size) : NULL;
    memcpy(field, &map, sizeof map);
    return !from ? TN_OK : map ? copy_program(region, map, from) : TN_ENOMEM;
}

static tn_status copy_text(tn_region *region, void *field)
{
    const char *text;
    memcpy(&text, field, sizeof text);
    text = tn_region_print(region, "%s", text);
    memcpy(field, &text, sizeof text);
    return text ? TN_OK : TN_ENOMEM;
}

void *tn_attrs_copy(tn_region *region, const tn_op_desc *desc)
{
    void *to = copy(region, desc->attrs, *(const uint64_t *)desc->attrs);
    tn_status s = to ? TN_OK : TN_ENOMEM;
    for (const tn_field *f = rows_of(desc->name); f->name && !s; f++)
        if (f->holds == TN_HOLDS_PROGRAM)
            s = copy_program(region, to, desc->attrs);
        else if (f->holds == TN_HOLDS_MAP)
            s = copy_map(region, field_in(f, to));
        else if (f->holds == TN_HOLDS_TEXT)
            s = copy_text(region, field_in(f, to));
    return s ? NULL : to;
}

/* ---- for people ---- */

typedef struct writer {
    const tn_op_desc *desc;
    tn_text out;
} writer;

/* All of it is what it mostly is: of factors 1, else 0. */
static int is_usual(const tn_field *field, const void *attrs)
{
    for (uint32_t i = 0; i < field->count; i++)
        if (tn_field_whole(field, attrs, i) != (field->holds == TN_HOLDS_FACTOR)) return 0;
    return 1;
}

static void print_numbers(writer *w, const tn_field *field)
{
    const uint32_t n = tn_field_length(field, w->desc->attrs, w->desc->in[0].rank);
    tn_text_add(&w->out, "%s", field->name);
    for (uint32_t i = 0; i < n; i++) tn_text_add(&w->out, " %lld", (long long)tn_field_whole(field, w->desc->attrs, i));
}

static void print_program(writer *w, const tn_field *field)
{
    const tn_map_attrs *map = tn_attrs_program(w->desc);
    tn_text_add(&w->out, "%s%s", field->name, *field->name ? " " : "");
    tn_text *out = &w->out;
    if (out->used < out->room) out->used += strlen(tn_map_text(map, out->text + out->used, out->room - out->used));
}

static int is_shown(const tn_field *field, const tn_op_desc *desc)
{
    if (field->holds == TN_HOLDS_MAP || field->holds == TN_HOLDS_PROGRAM) return tn_attrs_program(desc) != NULL;
    if (field->holds == TN_HOLDS_TEXT || field->holds == TN_HOLDS_SCALAR) return 1;
    return field->holds != TN_HOLDS_NOTHING && field->holds != TN_HOLDS_HIDDEN && !is_usual(field, desc->attrs);
}

/* One field, as it is read. */
static void print_field(writer *w, const tn_field *field)
{
    const char *text;
    if (field->holds == TN_HOLDS_MAP || field->holds == TN_HOLDS_PROGRAM) {
        print_program(w, field);
    } else if (field->holds == TN_HOLDS_TEXT) {
        memcpy(&text, (const char *)w->desc->attrs + field->offset, sizeof text);
        tn_text_add(&w->out, "%s", text);
    } else if (field->holds == TN_HOLDS_SCALAR) {
        tn_text_add(&w->out, "%s $%lld", field->name, (long long)tn_field_whole(field, w->desc->attrs, 0));
    } else if (field->holds == TN_HOLDS_FLAG) {
        tn_text_add(&w->out, "%s", field->name);
    } else {
        print_numbers(w, field);
    }
}

char *tn_attrs_text(const tn_op_desc *desc, char *text, size_t capacity)
{
    writer w = {desc, tn_text_in(text, capacity)};
    const char *between = "";
    for (const tn_field *f = rows_of(desc->name); f->name && desc->attrs; f++) {
        if (!is_shown(f, desc)) continue;
        tn_text_add(&w.out, "%s", between);
        print_field(&w, f);
        between = f->holds == TN_HOLDS_TEXT ? " " : ", "; /* "sum of", but "stride 2 2, then" */
    }
    return text;
}
