/* origin.c: errors that name their node. */
#include "origin.h"

#include "plain.h"

#include <string.h>

enum { TN_ORIGIN_TEXT = 400 }; /* bytes */

/* 1 if the line begins with the operator. */
static int says(const char *line, const char *op)
{
    size_t length = strlen(op);
    return !length || (!strncmp(line, op, length) && strchr(": ", line[length]));
}

/* A name has its scope in it. Where there is no node there may be a scope. */
static void describe(const tn_origin *o, const char *line, char text[TN_ORIGIN_TEXT])
{
    const char *op = o->op && (o->name || !says(line, o->op)) ? o->op : "",
               *scope = o->scope && !o->name ? o->scope : "";
    *text = 0;
    if (o->op)
        tn_snprintf(text, TN_ORIGIN_TEXT, " [node %u%s%s%s%s%s%s%s]", o->number, *op ? ", " : "", op,
                    o->name ? " '" : "", o->name ? o->name : "", o->name ? "'" : "", *scope ? ", in " : "", scope);
    else if (*scope)
        tn_snprintf(text, TN_ORIGIN_TEXT, " [in %s]", scope);
}

static int has_one(const char *text)
{
    const char *at = strrchr(text, '[');
    return at && text[strlen(text) - 1] == ']' && (!strncmp(at, "[node ", 6) || !strncmp(at, "[in ", 4));
}

void tn_origin_append(char *text, size_t room, const tn_origin *origin)
{
    char where[TN_ORIGIN_TEXT];
    describe(origin, text, where);
    if (!*where || has_one(text) || room <= strlen(where)) return;
    size_t most = room - 1 - strlen(where), used = strlen(text);
    strcpy(text + (used < most ? used : most), where);
}

tn_status tn_fail_at(tn_status status, const tn_origin *origin)
{
    char text[1024];
    if (!status) return status;
    tn_snprintf(text, sizeof text, "%s", tn_message());
    tn_origin_append(text, sizeof text, origin);
    return tn_fail(status, "%s", text);
}
