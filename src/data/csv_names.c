/* csv_names.c: see csv_names.h. */
#include "csv_names.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

static int plain_case(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

static size_t skip_spaces(const char *text, size_t length)
{
    size_t n = 0;
    while (n < length && (text[n] == ' ' || text[n] == '\t')) n++;
    return n;
}

/* The order of two names of so many bytes; 0: they are alike. */
static int compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
    for (;;) {
        size_t i = skip_spaces(a, a_length), j = skip_spaces(b, b_length);
        a += i, a_length -= i;
        b += j, b_length -= j;
        if (!a_length || !b_length) return (a_length != 0) - (b_length != 0);
        int order = plain_case(*a) - plain_case(*b);
        if (order) return order;
        a++, a_length--;
        b++, b_length--;
    }
}

static int by_name(const void *a, const void *b)
{
    const struct named *p = a, *q = b;
    int order = compare(p->name, strlen(p->name), q->name, strlen(q->name));
    if (!order) order = strcmp(p->name, q->name);
    return order ? order : (p->column > q->column) - (p->column < q->column);
}

tn_status tn_directory_make(const tn_table *table, tn_directory *d)
{
    char *at = d->text = tn_table_lines(table->name, (size_t)table->columns);
    d->sorted = tn_alloc((size_t)table->columns * sizeof *d->sorted);
    if (!d->text || !d->sorted) return TN_ENOMEM;
    for (int64_t c = 0; c < table->columns; c++) {
        d->sorted[c] = (struct named){at, c};
        at += strcspn(at, "\n");
        *at++ = 0;
    }
    qsort(d->sorted, (size_t)table->columns, sizeof *d->sorted, by_name);
    return TN_OK;
}

void tn_directory_free(tn_directory *d)
{
    tn_free(d->text);
    tn_free(d->sorted);
}

tn_match tn_directory_find(const tn_table *table, const tn_directory *d, const char *name, size_t length, int how)
{
    int64_t low = 0, high = table->columns;
    tn_match found = {0, {-1, -1}};
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        const char *other = d->sorted[middle].name;
        if (compare(other, strlen(other), name, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < table->columns; low++) {
        const struct named *other = &d->sorted[low];
        size_t other_length = strlen(other->name);
        if (compare(other->name, other_length, name, length)) break;
        if ((how & TN_NAME_EXACT) && (other_length != length || memcmp(other->name, name, length))) continue;
        if ((how & TN_NAME_FREE) && table->place[other->column] != TN_NOT_READ) continue;
        if (found.count < 2) found.column[found.count] = other->column;
        found.count++;
        if (how & TN_NAME_EXACT) break;
    }
    return found;
}

tn_status tn_match_check(const tn_table *table, const tn_match *found, const char *name, size_t length)
{
    const int64_t p = found->column[0], q = found->column[1], a = p < q ? p : q, b = p < q ? q : p;
    TN_REQUIRE(found->count < 2, TN_EFORMAT,
               "%s: columns %lld and %lld, '%s' and '%s', are both named like '%.*s': rename one of them", table->path,
               (long long)a + 1, (long long)b + 1, table->name[a], table->name[b], (int)length, name);
    return TN_OK;
}
