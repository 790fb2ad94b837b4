/* tuned_text.c: the table of what was tuned on a device as a text, and a text as such a table (tuned.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "hash.h"
#include "tuned.h"

static const char title[] = "tenon tuned 1";
static const char *const kinds[TN_ROW_KINDS] = {"chosen", "given", "right", "wrong", "failed", "trying"};
static const char *const endings[TN_TUNE_DEATHS + 1] = {"", "+1", "+2"}; /* by deaths */

enum { NUMBERS = 96 }; /* bytes of a line besides its texts, and of the sum */

static size_t most_bytes(const tn_tuned *table)
{
    size_t bytes = sizeof title + sizeof table->of + 3 * NUMBERS;
    for (uint32_t i = 0; i < table->count; i++)
        bytes += NUMBERS + strlen(table->row[i].key) + strlen(table->row[i].choice);
    return bytes;
}

char *tn_tuned_text(const tn_tuned *table, int all)
{
    const size_t room = most_bytes(table);
    char *text = tn_alloc(room);
    if (!text) return NULL;
    size_t used = (size_t)snprintf(text, room, "%s\ndevice %s\ndriver %s\n", title, table->of.device, table->of.driver);
    for (uint32_t i = 0; i < table->count; i++) {
        const tn_row *row = &table->row[i];
        if (row->kind == TN_ROW_GONE || (!all && !tn_tuned_is_lasting(row))) continue;
        used += (size_t)snprintf(text + used, room - used, "%s%s %llu %llu %llu %s | %s\n", kinds[row->kind],
                                 all ? endings[row->deaths] : "", (unsigned long long)row->nanoseconds,
                                 (unsigned long long)row->usual, (unsigned long long)row->error, row->key, row->choice);
    }
    snprintf(text + used, room - used, "sum %016llx\n", (unsigned long long)tn_hash_bytes(TN_HASH_EMPTY, text, used));
    return text;
}

/* The line's beginning, if it is `word` and a blank, is passed over; or NULL. */
static char *after(char *line, const char *word)
{
    const size_t length = strlen(word);
    return line && !strncmp(line, word, length) && line[length] == ' ' ? line + length + 1 : NULL;
}

/* The line behind its first word, which is this kind's; or NULL. */
static char *after_kind(char *line, int32_t kind, uint32_t *deaths)
{
    char word[16], *rest = NULL;
    for (uint32_t n = 0; n <= TN_TUNE_DEATHS && !rest; n++) {
        snprintf(word, sizeof word, "%s%s", kinds[kind], endings[n]);
        if ((rest = after(line, word))) *deaths = n;
    }
    return rest;
}

static int read_number(char **at, uint64_t *number)
{
    char *end = *at;
    if (**at < '0' || **at > '9') return 0;
    *number = strtoull(*at, &end, 10);
    if (*end != ' ') return 0;
    *at = end + 1;
    return 1;
}

static tn_status damaged(uint32_t line)
{
    return tn_fail(TN_EINVAL, "the table of tuned kernels is damaged: line %u is none of its lines", line);
}

static tn_status read_row(tn_tuned *table, char *line, uint32_t number)
{
    tn_row row = {.kind = -1};
    char *at = NULL;
    for (int32_t k = 0; k < TN_ROW_KINDS && !at; k++)
        if ((at = after_kind(line, k, &row.deaths))) row.kind = k;
    if (!at || !read_number(&at, &row.nanoseconds) || !read_number(&at, &row.usual) || !read_number(&at, &row.error))
        return damaged(number);
    char *bar = strstr(at, " | ");
    if (!bar || bar == at || bar - at >= TN_TUNE_KEY || strlen(bar + 3) >= TN_TUNE_CHOICE) return damaged(number);
    *bar = 0;
    row.key = at, row.choice = bar + 3;
    if (tn_tuned_find(table, row.key, row.choice)) return damaged(number);
    return tn_tuned_put(table, &row);
}

static tn_status read_word(char *line, uint32_t number, const char *word, char *to, size_t room)
{
    const char *text = after(line, word);
    if (!text || strlen(text) >= room) return damaged(number);
    strcpy(to, text);
    return TN_OK;
}

/* The next line of a text, closed; NULL past the last. */
static char *cut_line(char **rest)
{
    char *line = *rest, *end = line ? strchr(line, '\n') : NULL;
    *rest = end ? end + 1 : NULL;
    if (end) *end = 0;
    return line;
}

/* A closed text whose checksum was right, and is cut off. */
static tn_status read_lines(tn_tuned *table, char *text)
{
    char *rest = text, *line = cut_line(&rest);
    if (!line || strcmp(line, title)) return damaged(1);
    TN_TRY(read_word(cut_line(&rest), 2, "device", table->of.device, sizeof table->of.device));
    TN_TRY(read_word(cut_line(&rest), 3, "driver", table->of.driver, sizeof table->of.driver));
    for (uint32_t n = 4; (line = cut_line(&rest)) && *line; n++) TN_TRY(read_row(table, line, n));
    return TN_OK;
}

/* What is before the line of the sum, which is right: its bytes; 0: it is damaged. */
static uint64_t check_sum(const char *text, uint64_t bytes)
{
    char end[NUMBERS];
    const uint64_t last = sizeof "sum 0123456789abcdef" /* and a line's end, no zero */;
    if (bytes <= last) return 0;
    snprintf(end, sizeof end, "sum %016llx\n", (unsigned long long)tn_hash_bytes(TN_HASH_EMPTY, text, bytes - last));
    return memcmp(text + bytes - last, end, last) || memchr(text, 0, bytes) ? 0 : bytes - last;
}

tn_status tn_tuned_read(const char *text, uint64_t bytes, tn_tuned *table)
{
    const uint64_t body = check_sum(text, bytes);
    TN_REQUIRE(body, TN_EINVAL, "this is no table of tuned kernels, or it is damaged or cut");
    tn_tuned made = {.count = 0};
    char *copy = tn_alloc(body + 1);
    if (!copy) return TN_ENOMEM;
    memcpy(copy, text, body);
    tn_status s = read_lines(&made, copy);
    tn_free(copy);
    if (s) {
        tn_tuned_clear(&made);
        return s;
    }
    table->of = made.of;
    tn_tuned_move(table, &made);
    return TN_OK;
}
