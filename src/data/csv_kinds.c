/* csv_kinds.c: see csv_kinds.h. Only a table in which reading numbers met a text is read once more to find its kinds.
 */
#include "csv_kinds.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv_lines.h"
#include "error.h"
#include "plain.h"

#define MOST_ONE_HOT  50  /* texts that get a number each without being asked for */
#define ROWS_OF_THEIR 10  /* in so many rows texts that come once or twice are names of the rows; in fewer, once */
#define LISTED        300 /* bytes of a list of names in a message */

/* What was seen of a column. */
typedef struct seen {
    int64_t numbers, texts, line; /* line: of the first text */
    char *first;
} seen;

/* ---- the texts of a column ---- */

static tn_status add_text(tn_table *table, struct tn_kinds *k, const char *text)
{
    uint32_t number;
    if (tn_index_find(&k->numbers, NULL, text, &number)) return TN_OK;
    TN_TRY(tn_grow(&k->text, &k->room, k->count + 1, sizeof *k->text));
    char *kept = k->text[k->count] = tn_region_print(&table->kind_texts, "%s", text);
    return kept ? tn_index_add(&k->numbers, NULL, kept, k->count++) : TN_ENOMEM;
}

static void forget(struct tn_kinds *k)
{
    tn_index_free(&k->numbers);
    tn_free(k->text);
    k->text = NULL;
    k->count = k->room = 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static tn_status sort(struct tn_kinds *k)
{
    if (k->count) qsort(k->text, k->count, sizeof *k->text, by_text);
    tn_index_free(&k->numbers);
    for (uint32_t i = 0; i < k->count; i++) TN_TRY(tn_index_add(&k->numbers, NULL, k->text[i], i));
    return TN_OK;
}

int tn_kinds_put(const struct tn_kinds *k, const char *text, float *x)
{
    uint32_t number = 0;
    const int known = !tn_cell_missing(text) && tn_index_find(&k->numbers, NULL, text, &number);
    x += k->at;
    for (uint32_t i = 0; i < k->count && k->how == TN_KINDS_ONE_HOT; i++) x[i] = known && i == number;
    if (k->how == TN_KINDS_INDEX) *x = known ? (float)number : NAN;
    return known || tn_cell_missing(text);
}

/* ---- finding them ---- */

static tn_status look(tn_table *table, const tn_cell *cell, int64_t column, seen *s)
{
    struct tn_kinds *k = &table->kinds[table->place[column]];
    double number;
    if (tn_cell_missing(cell->text)) return TN_OK;
    if (tn_cell_number(cell->text, &number))
        s->numbers++;
    else if (!s->texts++) {
        s->line = cell->line;
        s->first = tn_region_print(&table->kind_texts, "%s", cell->text);
        if (!s->first) return TN_ENOMEM;
    }
    if (s->texts) TN_TRY(tn_table_check_text(table, s->first, s->line, column));
    return k->count > (k->how ? TN_MOST_TEXTS : MOST_ONE_HOT) ? TN_OK : add_text(table, k, cell->text);
}

static tn_status look_at_row(tn_table *table, tn_reader *row, seen *s)
{
    tn_cell cell = {0};
    for (int64_t c = 0; !cell.last; c++) {
        TN_TRY(tn_read_cell(row, &cell));
        if (c < table->columns && table->place[c] >= 0) TN_TRY(look(table, &cell, c, &s[c]));
    }
    return TN_OK;
}

static tn_status look_at_rows(tn_table *table, seen *s, int64_t *rows)
{
    tn_lines lines;
    tn_reader row = {0};
    tn_status status = tn_lines_open(&lines, table->path);
    if (!status && !table->no_header) status = tn_lines_next(&lines, &row, NULL);
    while (!status) {
        status = tn_lines_next(&lines, &row, NULL);
        if (status || row.at == row.end) break;
        status = look_at_row(table, &row, s);
        ++*rows;
    }
    tn_lines_close(&lines);
    return status;
}

/* ---- what can't be kinds ---- */

/* "2020-01-31", "31.1.20", "1/31/2020 10:00", "31-Jan-20", "10:00". */
static int is_date(const char *text)
{
    static const char digits[] = "0123456789";
    const size_t first = strspn(text, digits);
    const char between = text[first];
    if (!first || first > 4) return 0;
    text += first + (between != 0);
    if (between == ':') return strspn(text, digits) == 2;
    if (!between || !strchr("-/.", between)) return 0;
    const size_t second = isalpha((unsigned char)*text) ? strcspn(text, "-/. ") : strspn(text, digits);
    if (!second || text[second] != between || second > 9) return 0;
    const size_t third = strspn(text + second + 1, digits);
    return third && third <= 4;
}

/* "1,234.5", "12 %", "$5", "+1'000": of digits, with marks among them or around. */
static int is_marked_number(const char *text)
{
    static const char marks[] = ".,'%$ \xC2\xA0\xA3\xE2\x80\x82\xAC\xAF\x99"; /* also of euro, pound, narrow blanks */
    text += *text == '+' || *text == '-';
    const size_t length = strlen(text), before = strspn(text, marks);
    size_t of_these = before;
    while (text[of_these] && (isdigit((unsigned char)text[of_these]) || strchr(marks, text[of_these]))) of_these++;
    return of_these == length && before < length;
}

#define IN_WORDS(number)  IN_WORDS_(number)
#define IN_WORDS_(number) #number

/* Why a column's texts are not taken; NULL: they are. `k->how` is what was asked for. */
static const char *refuse(const struct tn_kinds *k, const seen *s, int64_t rows)
{
    if (k->count > TN_MOST_TEXTS) return "is one of more than " IN_WORDS(TN_MOST_TEXTS) " different texts";
    if (k->how || !s->texts) return NULL;
    if (is_date(s->first))
        return "is a date or a time, neither a number nor a kind: make numbers of it, as a year, a month, or days "
               "since";
    if (is_marked_number(s->first))
        return "is a number with marks that are not read: take those between thousands, of percent and of money away";
    if (s->numbers >= s->texts) return "is no number, as most in the column are";
    if (k->count > MOST_ONE_HOT)
        return "is one of more than " IN_WORDS(MOST_ONE_HOT) " different texts, too many for a number each";
    const int64_t most = rows < ROWS_OF_THEIR ? s->texts - 1 : s->texts / 2;
    if (k->count > most) return "is a text that hardly comes again in other rows";
    return NULL;
}

/* Names of columns between commas. */
static void add_name(char list[LISTED], const char *name)
{
    const size_t used = strlen(list);
    tn_snprintf(list + used, LISTED - used, "%s%.60s", used ? "," : "", name);
}

/* All that are refused, by the first of them. */
static tn_status check(const tn_table *table, const seen *s, int64_t rows)
{
    char names[LISTED] = "";
    const char *first_why = NULL;
    int64_t first = 0;
    for (int64_t c = 0; c < table->columns; c++) {
        const char *why = table->place[c] < 0 ? NULL : refuse(&table->kinds[table->place[c]], &s[c], rows);
        if (!why) continue;
        if (!first_why) first = c, first_why = why;
        if (table->no_header)
            tn_snprintf(names + strlen(names), LISTED - strlen(names), "%s%lld", *names ? "," : "", (long long)c + 1);
        else
            add_name(names, table->name[c]);
    }
    TN_REQUIRE(!first_why, TN_EFORMAT,
               "%s:%lld: column '%s': expected a number, found '%.60s', which %s; --ignore '%s' leaves out what is no "
               "number, --one-hot or --index NAMES make numbers of texts",
               table->path, (long long)s[first].line, table->name[first], s[first].first ? s[first].first : "",
               first_why, names);
    return TN_OK;
}

static tn_status decide(tn_table *table, const seen *s)
{
    for (int64_t c = 0; c < table->columns; c++) {
        if (table->place[c] < 0) continue;
        struct tn_kinds *k = &table->kinds[table->place[c]];
        if (!k->how && s[c].texts) k->how = TN_KINDS_ONE_HOT;
        if (!k->how)
            forget(k);
        else
            TN_TRY(sort(k));
    }
    return TN_OK;
}

static tn_status find(tn_table *table)
{
    int64_t rows = 0;
    seen *s = tn_alloc((size_t)table->columns * sizeof *s);
    if (!s) return TN_ENOMEM;
    tn_status status = look_at_rows(table, s, &rows);
    if (!status) status = check(table, s, rows);
    if (!status) status = decide(table, s);
    tn_free(s);
    return status;
}

/* ---- what another table's are ---- */

static tn_status take(tn_table *table, const char *at)
{
    tn_category c;
    const char *next;
    for (; (next = tn_next_category(at, &c)); at = next) {
        TN_REQUIRE(c.column < table->features && !table->kinds[c.column].how, TN_EFORMAT,
                   "%s: what is known of another table's texts is of other columns", table->path);
        struct tn_kinds *k = &table->kinds[c.column];
        k->how = c.one_hot ? TN_KINDS_ONE_HOT : TN_KINDS_INDEX;
        for (int64_t i = 0; i < c.count; i++, c.texts = tn_next_line(c.texts)) {
            char *text = tn_read_line(&table->kind_texts, c.texts);
            if (!text) return TN_ENOMEM;
            TN_TRY(add_text(table, k, text));
        }
    }
    TN_REQUIRE(!*at, TN_EFORMAT, "%s: what is known of another table's texts makes no sense: '%.60s'", table->path, at);
    return TN_OK;
}

/* ---- places ---- */

static tn_status give_places(tn_table *table)
{
    table->width = 0;
    for (int64_t f = 0; f < table->features; f++) {
        struct tn_kinds *k = &table->kinds[f];
        k->at = table->width;
        table->width += k->how == TN_KINDS_ONE_HOT ? k->count : 1;
    }
    TN_REQUIRE(table->width, TN_EFORMAT, "%s: has no value at all to predict from", table->path);
    return TN_OK;
}

tn_status tn_kinds_settle(tn_table *table, const tn_csv_options *options, int find_them)
{
    if (options->categories)
        TN_TRY(take(table, options->categories));
    else if (find_them)
        TN_TRY(find(table));
    return give_places(table);
}

void tn_kinds_free(tn_table *table)
{
    for (int64_t f = 0; table->kinds && f < table->features; f++) forget(&table->kinds[f]);
    tn_free(table->kinds);
    tn_region_free(&table->kind_texts);
    table->kinds = NULL;
}
