/* names.c: finds devices by name. */
#include "names.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "error.h"
#include "loader.h"
#include "options.h"

/* A list of names in one line, cut off where it doesn't fit. */
typedef struct name_list {
    char text[512];
    size_t length;
} name_list;

static void add_name(name_list *list, const tn_slot *slot)
{
    const char *comma = list->length ? ", " : "";
    int n = snprintf(list->text + list->length, sizeof list->text - list->length, "%s%s", comma, slot->entry.name);
    if (n > 0) list->length += (size_t)n;
    if (list->length >= sizeof list->text) list->length = sizeof list->text - 1;
}

/* ---- by the backend's id ----------------------------------------------------------------------------------------- */

static int is_called(const tn_entry *e, const char *id, size_t length)
{
    return strlen(e->id) == length && !memcmp(e->id, id, length);
}

/* The backend of that id: first the files that are called so are loaded, then, if none of them has it, the others.
 * Failing that, a file that is called so and was skipped. */
static tn_status find_backend(const char *id, size_t length, tn_entry **found)
{
    tn_entry *e;
    for (int others = 0; others < 2; others++)
        for (size_t i = 0; (e = tn_registry_at(i)); i++) {
            if (!others && !is_called(e, id, length)) continue;
            TN_TRY(tn_registry_load(e));
            if (!is_called(e, id, length)) continue;
            if (!*found || !e->problem) *found = e;
            if (!e->problem) return TN_OK;
        }
    return TN_OK;
}

/* 1 and the number if the text is nothing but digits. */
static int read_index(const char *text, unsigned long *index)
{
    char *end = NULL;
    if (*text < '0' || *text > '9') return 0;
    *index = strtoul(text, &end, 10);
    return !*end;
}

static tn_slot *slot_of_index(tn_entry *e, unsigned long index)
{
    for (uint32_t i = 0; i < e->n_slots; i++)
        if (e->slots[i].index == index) return &e->slots[i];
    return NULL;
}

/* `which` is NULL ("cpu") or what stands behind the colon ("opencl:0"). */
static tn_status find_in_backend(tn_entry *e, const char *name, const char *which, tn_slot **slot)
{
    unsigned long index = 0;
    name_list list = {"", 0};
    TN_TRY(tn_registry_start(e));
    TN_REQUIRE(!e->problem, e->status ? e->status : TN_EMISSING, "no device '%s': backend %s was skipped: %s", name,
               e->file, e->problem);
    TN_REQUIRE(e->n_slots, TN_EMISSING, "no device '%s': %s found no device", name, e->id);
    for (uint32_t i = 0; i < e->n_slots; i++) add_name(&list, &e->slots[i]);
    TN_REQUIRE(which || e->n_slots == 1, TN_EMISSING, "'%s' has several devices: %s", name, list.text);
    *slot = which ? (read_index(which, &index) ? slot_of_index(e, index) : NULL) : &e->slots[0];
    TN_REQUIRE(*slot, TN_EMISSING, "no device '%s': %s has %s", name, e->id, list.text);
    return TN_OK;
}

/* ---- by the device's own names ----------------------------------------------------------------------------------- */

typedef int fits(const tn_slot *slot, const char *name);

static int has_id(const tn_slot *slot, const char *name)
{
    return !strcmp(slot->entry.info.id, name);
}

static int has_part(const tn_slot *slot, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = slot->entry.info.name; *at; at++)
        if (!strncasecmp(at, name, length)) return 1;
    return !length;
}

static int any(const tn_slot *slot, const char *name)
{
    (void)slot;
    (void)name;
    return 1;
}

/* How many devices fit; the first of them, and all their names. */
static size_t gather(fits *test, const char *name, tn_entry **entry, tn_slot **slot, name_list *list)
{
    tn_entry *e;
    size_t n = 0;
    *list = (name_list){"", 0};
    for (size_t i = 0; (e = tn_registry_at(i)); i++)
        for (uint32_t d = 0; d < e->n_slots; d++) {
            if (!test(&e->slots[d], name)) continue;
            if (!n++) {
                *entry = e;
                *slot = &e->slots[d];
            }
            add_name(list, &e->slots[d]);
        }
    return n;
}

static tn_status find_anywhere(const char *name, tn_entry **entry, tn_slot **slot)
{
    name_list list;
    char places[600];
    TN_TRY(tn_registry_start_all());
    size_t n = gather(has_id, name, entry, slot, &list);
    if (!n) n = gather(has_part, name, entry, slot, &list);
    if (n == 1) return TN_OK;
    TN_REQUIRE(!n, TN_EMISSING, "'%s' fits several devices: %s", name, list.text);
    gather(any, name, entry, slot, &list);
    return tn_fail(TN_EMISSING, "no device '%s'; devices: %s; backends were looked for in %s", name, list.text,
                   tn_search_places(places, sizeof places));
}

tn_status tn_find_device(const char *name, tn_entry **entry, tn_slot **slot)
{
    size_t length = strcspn(name, ":");
    const char *which = name[length] ? name + length + 1 : NULL;
    tn_entry *e = NULL, *found_entry = NULL;
    tn_slot *found_slot = NULL;
    TN_TRY(find_backend(name, length, &e));
    found_entry = e;
    TN_TRY(e ? find_in_backend(e, name, which, &found_slot) : find_anywhere(name, &found_entry, &found_slot));
    *entry = found_entry;
    *slot = found_slot;
    return TN_OK;
}

/* ---- the owners of options ---- */

static int has_file(const char *id)
{
    tn_entry *e;
    size_t i = 0;
    while ((e = tn_registry_at(i)) && strcmp(e->id, id)) i++;
    return e != NULL;
}

/* "cpu, opencl, reference", of those that can be used. */
static void list_backends(char *text, size_t room)
{
    const tn_entry *e;
    size_t n = 0;
    for (size_t i = 0; (e = tn_registry_at(i)); i++)
        if (!e->problem && n < room) n += (size_t)snprintf(text + n, room - n, "%s%s", n ? ", " : "", e->id);
}

static void find_owner(void *arg, const char *backend, const char *key, const char *value)
{
    char list[300] = "";
    tn_entry *e = NULL;
    tn_status *status = arg;
    (void)value;
    if (*status || !strcmp(backend, "tenon") || has_file(backend)) return;
    *status = find_backend(backend, strlen(backend), &e);
    if (*status || e) return;
    list_backends(list, sizeof list);
    *status = tn_fail(TN_EINVAL, "option %s.%s: there is no backend '%s'; there are %s", backend, key, backend, list);
}

tn_status tn_find_owners(void)
{
    tn_status status = TN_OK;
    tn_options_each(find_owner, &status);
    return status;
}
