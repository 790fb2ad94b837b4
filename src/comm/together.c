/* together.c: barrier, broadcast, small records to all, and the check that all ranks want the same. */
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "given.h"
#include "team_internal.h"
#include "text.h"

enum {
    LINE = 320,           /* bytes of a verdict */
    MOST_FACTS = 1 << 20, /* bytes of all of them */
    CHUNK = 1 << 20       /* bytes that are broadcast at once */
};

/* ---- gather and barrier ----------------------------------------------------------------------------------------- */

typedef struct records {
    unsigned char *data; /* by rank */
    uint64_t bytes;      /* of each */
} records;

/* Records are doubled: with those of `have` ranks from its own on, a rank gives them to the one that stands so many
 * places before it, and gets the next from the one that stands so many after it. */
static tn_status gather(tn_team *team, const void *args)
{
    const records *r = args;
    const uint32_t ranks = team->ranks, me = team->rank;
    unsigned char *mine = r->bytes ? tn_team_scratch(team, r->bytes * ranks) : NULL; /* from my own on */
    if (r->bytes && !mine) return TN_ENOMEM;
    if (r->bytes) memcpy(mine, r->data + me * r->bytes, r->bytes);
    for (uint32_t have = 1; have < ranks; have *= 2) {
        const uint32_t more = have < ranks - have ? have : ranks - have;
        TN_TRY(tn_team_send(team, (me + ranks - have) % ranks, mine, more * r->bytes));
        TN_TRY(tn_team_receive(team, (me + have) % ranks, r->bytes ? mine + have * r->bytes : NULL, more * r->bytes));
        TN_TRY(tn_team_exchange(team));
    }
    for (uint32_t i = 0; i < ranks && r->bytes; i++)
        memcpy(r->data + (me + i) % ranks * r->bytes, mine + i * r->bytes, r->bytes);
    return TN_OK;
}

tn_status tn_team_gather(tn_team *team, void *data, uint64_t bytes)
{
    TN_GIVEN_AS("team, records", team, data);
    return tn_team_do(team, gather, &(records){data, bytes}, sizeof(records));
}

/* Who has heard from all has waited for all. */
tn_status tn_team_barrier(tn_team *team)
{
    TN_GIVEN(team);
    return tn_team_do(team, gather, &(records){NULL, 0}, sizeof(records));
}

/* ---- broadcast -------------------------------------------------------------------------------------------------- */

typedef struct message {
    unsigned char *data;
    uint64_t bytes;
    uint32_t root;
} message;

/* Down a binomial tree: the place p (counted from the root) hears from p without its lowest bit, and tells the places
 * that differ from it in one bit below that. */
static tn_status pass_on(tn_team *team, uint32_t root, void *data, uint64_t bytes)
{
    const uint32_t ranks = team->ranks, place = (team->rank + ranks - root) % ranks;
    uint32_t bit = 1;
    while (bit < ranks && !(place & bit)) bit *= 2;
    if (place) {
        TN_TRY(tn_team_receive(team, (place - bit + root) % ranks, data, bytes));
        TN_TRY(tn_team_exchange(team));
    }
    while (bit /= 2)
        if (place + bit < ranks) TN_TRY(tn_team_send(team, (place + bit + root) % ranks, data, bytes));
    return tn_team_exchange(team);
}

/* By way of the team's own memory: after a failure others may still write there. */
static tn_status broadcast(tn_team *team, const void *args)
{
    const message *m = args;
    for (uint64_t at = 0; at < m->bytes; at += CHUNK) {
        const uint64_t bytes = m->bytes - at < CHUNK ? m->bytes - at : CHUNK;
        void *chunk = tn_team_scratch(team, bytes);
        if (!chunk) return TN_ENOMEM;
        if (team->rank == m->root) memcpy(chunk, m->data + at, bytes);
        TN_TRY(pass_on(team, m->root, chunk, bytes));
        memcpy(m->data + at, chunk, bytes);
    }
    return TN_OK;
}

tn_status tn_team_broadcast(tn_team *team, uint32_t root, void *data, uint64_t bytes)
{
    TN_GIVEN(team, data);
    TN_REQUIRE(root < team->ranks, TN_EINVAL, "broadcast: there is no rank %u", root);
    return tn_team_do(team, broadcast, &(message){data, bytes, root}, sizeof(message));
}

/* ---- agreement -------------------------------------------------------------------------------------------------- */

/* Names and values in turn, each closed by a zero; texts that go from rank to rank. */
static uint64_t write_facts(const tn_fact facts[], uint32_t count, char *text)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < 2 * count; i++) {
        const char *word = i % 2 ? facts[i / 2].value : facts[i / 2].name;
        const size_t length = strlen(word) + 1;
        if (text) memcpy(text + bytes, word, length);
        bytes += length;
    }
    return bytes;
}

/* The next text of what came from rank 0; "" past its end. */
static const char *read_word(const char **at, const char *end)
{
    const char *word = *at < end ? *at : "";
    if (*at < end) *at += strlen(*at) + 1;
    return word;
}

/* Long texts are told from where they differ, two words before it: "momentum 0.9". */
static size_t differ_from(const char *a, const char *b)
{
    enum { SHORT = 72, WORDS = 2 };
    size_t at = 0;
    if (strlen(a) < SHORT && strlen(b) < SHORT) return 0;
    while (a[at] && a[at] == b[at]) at++;
    for (int words = 0; at && words < WORDS;) words += a[--at] == ' ';
    return at + (a[at] == ' ');
}

/* What differs first, as a line; empty if nothing does. */
static void compare(const tn_fact facts[], uint32_t count, const char *theirs, uint64_t bytes, uint32_t rank,
                    char line[LINE])
{
    const char *at = theirs, *end = theirs + bytes;
    line[0] = 0;
    for (uint32_t i = 0; (i < count || at < end) && !line[0]; i++) {
        const char *name = read_word(&at, end), *value = read_word(&at, end);
        const tn_fact mine = i < count ? facts[i] : (tn_fact){"", ""};
        const size_t from = differ_from(value, mine.value);
        if (strcmp(name, mine.name))
            snprintf(line, LINE, "rank 0 goes by '%.80s', rank %u by '%.80s'", name, rank, mine.name);
        else if (strcmp(value, mine.value))
            snprintf(line, LINE, "%.80s: '%.80s' on rank 0, '%.80s' on rank %u", name, value + from, mine.value + from,
                     rank);
    }
}

/* Rank 0's facts to all; each compares; the verdicts to all. `text` has room for both lists. */
static tn_status agree(tn_team *team, const tn_fact facts[], uint32_t count, char *text, uint64_t bytes, char *verdicts)
{
    char *line = verdicts + (uint64_t)team->rank * LINE;
    if (!team->rank) write_facts(facts, count, text);
    TN_TRY(tn_team_broadcast(team, 0, text, bytes));
    text[bytes] = 0;
    compare(facts, count, text, bytes, team->rank, line);
    TN_TRY(tn_team_gather(team, verdicts, LINE));
    for (uint32_t r = 0; r < team->ranks; r++) {
        const char *found = tn_text_clean(verdicts + (uint64_t)r * LINE, LINE);
        TN_REQUIRE(!found[0], TN_EINVAL, "the workers do not fit together: %s", found);
    }
    return TN_OK;
}

/* Where there is no memory, the others must not wait for this rank. */
tn_status tn_team_agree(tn_team *team, const tn_fact facts[], uint32_t count)
{
    TN_GIVEN(team, facts);
    uint64_t bytes = write_facts(facts, count, NULL);
    TN_TRY(tn_team_broadcast(team, 0, &bytes, sizeof bytes));
    TN_REQUIRE(bytes < MOST_FACTS, TN_EDEVICE, "rank 0 has too much to agree on");
    char *text = tn_alloc(bytes + 1), *verdicts = tn_alloc((uint64_t)team->ranks * LINE);
    tn_status status = text && verdicts ? TN_OK : TN_ENOMEM;
    if (status)
        tn_team_fail(team, status, tn_message());
    else
        status = agree(team, facts, count, text, bytes, verdicts);
    tn_free(text);
    tn_free(verdicts);
    return status;
}
