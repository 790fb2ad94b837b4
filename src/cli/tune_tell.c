/* tune_tell.c: what `tenon tune` says of operators: lines, or JSON. */
#include "interrupt.h"
#include "tune.h"

#include <stdlib.h>
#include <string.h>

/* unchecked: -1: it is no row of the table */
static void put_json(tuner *t, const tn_tuned_operator *row, int unchecked)
{
    cli_json_begin(&t->json, NULL, '{');
    cli_json_text(&t->json, "operator", row->key);
    cli_json_text(&t->json, "choice", row->choice);
    cli_json_whole(&t->json, "candidates", row->candidates);
    cli_json_whole(&t->json, "tried", row->tried);
    cli_json_whole(&t->json, "wrong", row->wrong);
    cli_json_whole(&t->json, "failed", row->failed);
    cli_json_bool(&t->json, "known", (int)row->known);
    if (row->skipped) cli_json_text(&t->json, "skipped", row->skipped == TN_TUNE_NO_TIME ? "no time" : "too slow");
    cli_json_number(&t->json, "usual", row->usual);
    cli_json_number(&t->json, "seconds", row->seconds);
    cli_json_number(&t->json, "error", row->error);
    cli_json_number(&t->json, "spent", row->spent);
    if (unchecked >= 0) cli_json_bool(&t->json, "unchecked", unchecked);
    cli_json_end(&t->json, '}');
}

/* "12.3 us, 1.42 times as fast, by tile u=16 v=16 ..." */
static void print_choice(const tn_tuned_operator *row)
{
    if (row->skipped == TN_TUNE_NO_TIME) {
        printf("    there was no time for more\n");
        return;
    }
    if (row->skipped) {
        printf("    a run takes %.3g s: too long for its share of the time\n", row->usual);
        return;
    }
    if (row->seconds <= 0) {
        printf("    none was right: it stays as it was\n");
        return;
    }
    printf("    %.4g us", row->seconds * 1e6);
    if (*row->choice && row->usual > 0) printf(", %.2f times as fast", row->usual / row->seconds);
    printf(", %s%s; the error is %.2g of what is allowed\n", *row->choice ? "by " : "by the usual kernel", row->choice,
           row->error);
}

static tune_operator *find(const tuner *t, const char *key)
{
    for (uint32_t i = 0; i < t->operators; i++)
        if (!strcmp(t->row[i].key, key)) return &t->row[i];
    return NULL;
}

int tune_is_fresh(void *arg, const char *key)
{
    const tune_operator *o = find(arg, key);
    return o && !o->skipped;
}

/* NULL: there is no memory. */
static tune_operator *add(tuner *t, const tn_tuned_operator *row)
{
    tune_operator *more = realloc(t->row, (t->operators + 1) * sizeof *more);
    if (more) t->row = more;
    char *key = more ? strdup(row->key) : NULL;
    t->is_short |= !key;
    if (!key) return NULL;
    more[t->operators] = (tune_operator){.key = key, .known = row->known};
    return &more[t->operators++];
}

/* Returns 0 for one that the network's other layout has, too, and that is told of. */
static int count(tuner *t, const tn_tuned_operator *row)
{
    tune_operator *o = find(t, row->key);
    if (o && (row->known || row->skipped)) return 0;
    if (!o) o = add(t, row);
    if (!o) return 0;
    o->skipped = row->skipped;
    o->usual = row->usual > 0 ? row->usual : row->seconds;
    o->seconds = row->seconds;
    return 1;
}

void tune_tell(void *arg, const tn_tuned_operator *row)
{
    tuner *t = arg;
    t->tried += row->tried, t->wrong += row->wrong, t->failed += row->failed;
    t->spent += row->spent;
    if (!count(t, row)) return;
    if (t->b.s.json) {
        put_json(t, row, -1);
        return;
    }
    if (row->skipped == TN_TUNE_NO_TIME && !row->tried) return; /* they are counted */
    printf("%s\n", cli_shown(row->key));
    if (row->known)
        printf("    tuned before\n");
    else
        printf("    %u of %u candidates in %.1f s, %u wrong, %u failed\n", row->tried, row->candidates, row->spent,
               row->wrong, row->failed);
    print_choice(row);
    fflush(stdout);
}

/* Of all operators. */
typedef struct sums {
    uint32_t known, late, slow;
    double usual, seconds;
} sums;

static sums add_up(const tuner *t)
{
    sums all = {0};
    for (uint32_t i = 0; i < t->operators; i++) {
        const tune_operator *o = &t->row[i];
        all.known += o->known;
        all.late += o->skipped == TN_TUNE_NO_TIME;
        all.slow += o->skipped == TN_TUNE_TOO_SLOW;
        all.usual += o->usual;
        all.seconds += o->seconds;
    }
    return all;
}

static void print_all(const tuner *t, const sums *all)
{
    printf("%u operators, %u of them tuned before; %u candidates tried, %u wrong, %u failed, in %.1f s\n", t->operators,
           all->known, t->tried, t->wrong, t->failed, t->spent);
    if (all->seconds > 0) printf("one run of each: %.4g us, which was %.4g\n", all->seconds * 1e6, all->usual * 1e6);
    if (cli_interrupted() || tune_is_lost(t)) return;
    if (all->slow) printf("%u operators take too long to be tuned in that time; --minutes gives more\n", all->slow);
    if (all->late)
        printf("there was no time for %u operators: the same command once more goes on with them\n", all->late);
}

void tune_tell_all(tuner *t)
{
    const sums all = add_up(t);
    if (!t->b.s.json) {
        print_all(t, &all);
        return;
    }
    cli_json_begin(&t->json, NULL, '{');
    cli_json_bool(&t->json, "done", !cli_interrupted() && !tune_is_lost(t));
    cli_json_text(&t->json, "device", tn_device_name(t->device));
    cli_json_whole(&t->json, "operators", t->operators);
    cli_json_whole(&t->json, "known", all.known);
    cli_json_whole(&t->json, "tried", t->tried);
    cli_json_whole(&t->json, "wrong", t->wrong);
    cli_json_whole(&t->json, "failed", t->failed);
    cli_json_whole(&t->json, "no_time", all.late);
    cli_json_whole(&t->json, "too_slow", all.slow);
    cli_json_number(&t->json, "usual", all.usual);
    cli_json_number(&t->json, "seconds", all.seconds);
    cli_json_number(&t->json, "spent", t->spent);
    cli_json_end(&t->json, '}');
}

void tune_tell_layout(const tuner *t, int is_last)
{
    if (!t->b.s.json) printf("the network is %s with channels last\n", is_last ? "faster, and will be," : "no faster");
}

void tune_list(tuner *t)
{
    tn_tuned_choice c;
    if (!t->b.s.json && !tn_tuned_at(t->device, 0, &c))
        printf("nothing was chosen yet for %s; 'tenon tune %s' does\n", tn_device_name(t->device), t->b.s.device);
    for (size_t i = 0; tn_tuned_at(t->device, i, &c); i++) {
        const tn_tuned_operator row = {
            .key = c.key, .choice = c.choice, .known = 1, .usual = c.usual, .seconds = c.seconds, .error = c.error};
        if (t->b.s.json) {
            put_json(t, &row, c.unchecked != 0);
            continue;
        }
        printf("%s\n", cli_shown(c.key));
        if (c.unchecked) printf("    from elsewhere, and not compared yet\n");
        print_choice(&row);
    }
}
