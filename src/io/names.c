/* names.c: the names of a file's tensors: those that stand for another tensor, finding, and renaming. */
#include <stdlib.h>
#include <string.h>

#include "checkpoint.h"
#include "error.h"
#include "given.h"
#include "pattern.h"
#include "safetensors.h"

static tn_file_tensor *at(const tn_checkpoint *c, size_t i)
{
    return i < c->count ? &c->tensor[i] : &c->tied[i - c->count];
}

/* ---- finding ---- */

static int compare(const void *a, const void *b)
{
    return strcmp((*(tn_file_tensor *const *)a)->name, (*(tn_file_tensor *const *)b)->name);
}

static void sort(tn_checkpoint *c)
{
    for (size_t i = 0; i < c->count + c->ties; i++) c->by_name[i] = at(c, i);
    qsort(c->by_name, c->count + c->ties, sizeof *c->by_name, compare);
}

const tn_file_tensor *tn_names_find(const tn_checkpoint *c, const char *name)
{
    const tn_file_tensor key = {.name = name}, *pointer = &key;
    tn_file_tensor *const *found = bsearch(&pointer, c->by_name, c->count + c->ties, sizeof *c->by_name, compare);
    return found ? *found : NULL;
}

/* ---- ties ---- */

/* Of weights that a PyTorch model uses in several places, safetensors' save_model writes one, and for each other name a
 * note whose text is the name that was written. Our own files have no such notes, whatever their texts are. */
tn_status tn_names_list(tn_checkpoint *c)
{
    const cJSON *note = NULL;
    size_t notes = (size_t)cJSON_GetArraySize(c->notes), ties = 0;
    c->tied = tn_alloc(notes * sizeof *c->tied);
    c->by_name = tn_alloc((c->count + notes) * sizeof *c->by_name);
    if (!c->tied || !c->by_name) return TN_ENOMEM;
    sort(c);
    if (tn_checkpoint_note(c, TN_NOTE_VERSION)) return TN_OK;
    cJSON_ArrayForEach(note, c->notes)
    {
        const tn_file_tensor *same = tn_names_find(c, note->valuestring);
        if (!same || !*note->string || tn_names_find(c, note->string)) continue;
        c->tied[ties] = *same;
        c->tied[ties++].name = note->string;
    }
    c->ties = ties;
    sort(c);
    return TN_OK;
}

/* ---- renaming ---- */

/* "OLD=NEW" of a list, without dots at the end of either. */
typedef struct rule {
    const char *old, *new;
    size_t old_length, new_length;
} rule;

static tn_status read_rule(const char **cursor, rule *r)
{
    size_t length = 0;
    r->old = tn_pattern_next(cursor, &length);
    const char *equals = memchr(r->old, '=', length);
    TN_REQUIRE(equals && equals > r->old, TN_EINVAL, "rename: '%.*s' is not OLD=NEW", (int)length, r->old);
    r->new = equals + 1;
    r->old_length = (size_t)(equals - r->old);
    r->new_length = length - r->old_length - 1;
    if (r->old[r->old_length - 1] == '.') r->old_length--;
    if (r->new_length && r->new[r->new_length - 1] == '.') r->new_length--;
    return TN_OK;
}

/* A name up to a dot, or all of it. */
static int fits(const rule *r, const char *name)
{
    return !strncmp(name, r->old, r->old_length) && (!name[r->old_length] || name[r->old_length] == '.');
}

static const char *apply(tn_checkpoint *c, const rule *r, const char *name)
{
    const char *rest = name + r->old_length;
    if (!r->new_length && *rest) rest++;
    return tn_region_print(&c->region, "%.*s%s", (int)r->new_length, r->new, rest);
}

/* The new names of all tensors, in the order of by_name; a rule goes by the names that the file has. */
static tn_status make_names(tn_checkpoint *c, const char *rules, const char **name)
{
    for (const char *cursor = rules; cursor;) {
        rule r = {0};
        size_t used = 0;
        TN_TRY(read_rule(&cursor, &r));
        for (size_t i = 0; i < c->count + c->ties; i++) {
            if (!fits(&r, c->by_name[i]->name)) continue;
            used++;
            if (name[i]) continue;
            name[i] = apply(c, &r, c->by_name[i]->name);
            if (!name[i]) return TN_ENOMEM;
            TN_REQUIRE(*name[i], TN_EINVAL, "rename: '%s' would have no name left", c->by_name[i]->name);
        }
        TN_REQUIRE(used, TN_EMISSING, "rename: no tensor is called '%.*s' up to a dot", (int)r.old_length, r.old);
    }
    return TN_OK;
}

static void exchange(tn_checkpoint *c, const char **name)
{
    for (size_t i = 0; i < c->count + c->ties; i++) {
        const char *before = c->by_name[i]->name;
        if (name[i]) c->by_name[i]->name = name[i];
        name[i] = before;
    }
}

/* Names that are taken are found when they are in order; then all becomes as it was. */
static tn_status rename_all(tn_checkpoint *c, const char **name, tn_file_tensor **before)
{
    size_t count = c->count + c->ties, i = 1;
    memcpy(before, c->by_name, count * sizeof *before);
    exchange(c, name);
    sort(c);
    while (i < count && compare(&c->by_name[i - 1], &c->by_name[i])) i++;
    if (i >= count) return TN_OK;
    const char *twice = c->by_name[i]->name;
    memcpy(c->by_name, before, count * sizeof *before);
    exchange(c, name);
    return tn_fail(TN_EINVAL, "rename: two tensors would be named '%s'", twice);
}

tn_status tn_checkpoint_rename(tn_checkpoint *c, const char *rules)
{
    TN_GIVEN_AS("checkpoint, rules", c, rules);
    size_t count = c->count + c->ties;
    const char **name = tn_alloc(count * sizeof *name);
    tn_file_tensor **before = tn_alloc(count * sizeof *before);
    tn_status status = name && before ? make_names(c, rules, name) : TN_ENOMEM;
    if (!status) status = rename_all(c, name, before);
    tn_free(name);
    tn_free(before);
    return status;
}
