/* csv_categories.c: a table's texts to predict from, in words: as a data set has them, and a model keeps them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv_kinds.h"
#include "error.h"
#include "plain.h"

#define HEAD 64 /* bytes that a column's first line takes at most */

static const char *const hows[] = {[TN_KINDS_ONE_HOT] = "one-hot", [TN_KINDS_INDEX] = "index"};

/* ---- writing ---- */

/* The lines of each column that has some. NULL in `lines`: of another, or no memory, which it returns. */
static tn_status all_lines(const tn_table *table, char **lines, size_t *bytes)
{
    for (int64_t f = 0; f < table->features; f++) {
        const struct tn_kinds *k = &table->kinds[f];
        if (!k->how) continue;
        lines[f] = tn_class_lines(k->text, k->count);
        if (!lines[f]) return TN_ENOMEM;
        *bytes += strlen(lines[f]) + HEAD;
    }
    return TN_OK;
}

char *tn_kinds_lines(const tn_table *table)
{
    size_t bytes = 1;
    char **lines = tn_alloc(((size_t)table->features + 1) * sizeof *lines), *all = NULL;
    if (lines && !all_lines(table, lines, &bytes)) all = tn_alloc(bytes);
    tn_text text = tn_text_in(all, all ? bytes : 0);
    for (int64_t f = 0; lines && f < table->features; f++) {
        const struct tn_kinds *k = &table->kinds[f];
        if (lines[f]) tn_text_add(&text, "%lld %s %u\n%s", (long long)f + 1, hows[k->how], k->count, lines[f]);
        tn_free(lines[f]);
    }
    tn_free(lines);
    return all;
}

/* ---- reading ---- */

const char *tn_next_line(const char *at)
{
    at += strcspn(at, "\n");
    return at + (*at == '\n');
}

/* "3 one-hot 5". */
static int read_head(const char *at, tn_category *c)
{
    char word[16];
    long long number = 0, texts = -1;
    if (sscanf(at, "%lld %15s %lld", &number, word, &texts) != 3) return 0;
    c->column = number - 1;
    c->count = texts;
    c->one_hot = !strcmp(word, hows[TN_KINDS_ONE_HOT]);
    c->texts = tn_next_line(at);
    return number > 0 && texts >= 0 && texts <= TN_MOST_TEXTS && (c->one_hot || !strcmp(word, hows[TN_KINDS_INDEX]));
}

const char *tn_next_category(const char *categories, tn_category *category)
{
    tn_category c = {0};
    if (!category || !categories || !*categories || !read_head(categories, &c)) return NULL;
    const char *at = c.texts;
    for (int64_t i = 0; i < c.count; i++, at = tn_next_line(at))
        if (!*at) return NULL;
    *category = c;
    return at;
}

char *tn_read_line(tn_region *made, const char *line)
{
    char *text = tn_region_print(made, "%.*s", (int)strcspn(line, "\n"), line), *to = text;
    for (const char *from = text; from && *from; from++) {
        const char next = *from == '\\' ? from[1] : 0;
        const char meant = next == 'n' ? '\n' : next == 'r' ? '\r' : next == '\\' ? next : 0;
        from += meant != 0;
        *to++ = meant ? meant : *from;
    }
    if (to) *to = 0;
    return text;
}

/* ---- numbers of a sample, and columns ---- */

static int64_t more_of(const tn_category *c)
{
    return c->one_hot ? c->count - 1 : 0;
}

int64_t tn_kinds_more(const char *at)
{
    int64_t more = 0;
    tn_category c;
    while ((at = tn_next_category(at, &c))) more += more_of(&c);
    return more;
}

int64_t tn_kinds_column(const char *at, int64_t number)
{
    tn_category c;
    while ((at = tn_next_category(at, &c)) && number > c.column) {
        if (number <= c.column + more_of(&c)) return c.column;
        number -= more_of(&c);
    }
    return number;
}
