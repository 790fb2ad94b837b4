/* schedule.c: how the learning rate changes with the steps. A new schedule is a function and a row. */
#include "tenon/optim.h"

#include "error.h"
#include "nearest.h"
#include "word.h"

#include <math.h>
#include <string.h>

static double constant(const tn_schedule *s, double step)
{
    (void)s, (void)step;
    return 1;
}

static double steps(const tn_schedule *s, double step)
{
    return pow(s->factor, floor(step / s->steps));
}

static double exponential(const tn_schedule *s, double step)
{
    return pow(s->factor, step);
}

static double cosine(const tn_schedule *s, double step)
{
    return step >= s->steps ? 0 : 0.5 * (1 + cos(3.14159265358979323846 * step / s->steps));
}

/* Which numbers follow the name. */
static const struct {
    const char *name, *usage;
    double (*at)(const tn_schedule *s, double step);
    int steps, factor;
} kinds[] = {
    {"constant", "constant", constant, 0, 0},
    {"step", "step STEPS FACTOR", steps, 1, 1},
    {"exponential", "exponential FACTOR", exponential, 0, 1},
    {"cosine", "cosine STEPS", cosine, 1, 0},
    {"plateau", "plateau LOSSES FACTOR", constant, 1, 1},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

static int read_steps(const char *word, double *steps_out)
{
    int64_t whole;
    if (!tn_word_whole(word, &whole) || whole < 1) return 0;
    *steps_out = (double)whole;
    return 1;
}

static tn_status read_kind(const tn_item *item, tn_schedule *schedule)
{
    tn_nearest nearest = {.word = item->words ? item->word[0] : ""};
    char hint[80];
    size_t k = 0;
    for (; k < KINDS && strcmp(nearest.word, kinds[k].name); k++) tn_nearest_offer(&nearest, kinds[k].name);
    TN_REQUIRE(k < KINDS, TN_EINVAL, "schedule '%s': it is constant, step, exponential, cosine or plateau%s",
               item->text, tn_nearest_text(&nearest, hint, sizeof hint));
    int want = kinds[k].steps + kinds[k].factor;
    TN_REQUIRE(item->words == (size_t)want + 1, TN_EINVAL, "schedule '%s': it is written '%s'", item->text,
               kinds[k].usage);
    TN_REQUIRE(!kinds[k].steps || read_steps(item->word[1], &schedule->steps), TN_EINVAL,
               "schedule '%s': '%s' is not a whole number of at least 1", item->text, item->word[1]);
    TN_REQUIRE(!kinds[k].factor || (tn_word_number(item->word[want], &schedule->factor) && schedule->factor > 0),
               TN_EINVAL, "schedule '%s': FACTOR '%s' is not a number above 0", item->text, item->word[want]);
    schedule->kind = (int32_t)k;
    return TN_OK;
}

tn_status tn_schedule_parse(const char *text, tn_schedule *schedule)
{
    const char *cursor = text;
    tn_schedule result = {0};
    tn_item item;
    TN_REQUIRE(tn_item_next(&cursor, &item), TN_EINVAL, "schedule '%s...' is too long", item.text);
    if (item.words && !strcmp(item.word[0], "warmup")) {
        TN_REQUIRE(item.words == 2 && read_steps(item.word[1], &result.warmup), TN_EINVAL,
                   "schedule '%s': it is written 'warmup STEPS, ...', with a whole number of at least 1", item.text);
        if (!cursor) return *schedule = result, TN_OK;
        TN_REQUIRE(tn_item_next(&cursor, &item), TN_EINVAL, "schedule '%s...' is too long", item.text);
    }
    TN_REQUIRE(!cursor, TN_EINVAL, "schedule '%s': nothing can follow '%s'", text, item.text);
    TN_TRY(read_kind(&item, &result));
    *schedule = result;
    return TN_OK;
}

void tn_schedule_see(const tn_schedule *schedule, tn_plateau *plateau, double loss)
{
    if (strcmp(kinds[schedule->kind].name, "plateau")) return;
    if (!plateau->losses++ || loss < plateau->lowest) {
        plateau->lowest = loss;
        plateau->stalled = 0;
    } else if ((double)++plateau->stalled >= schedule->steps) {
        plateau->factor = tn_plateau_factor(plateau) * schedule->factor;
        plateau->stalled = 0;
    }
}

double tn_plateau_factor(const tn_plateau *plateau)
{
    return plateau->factor != 0 ? plateau->factor : 1;
}

double tn_schedule_at(const tn_schedule *schedule, uint64_t step)
{
    double at = (double)step;
    if (at < schedule->warmup) return (at + 1) / schedule->warmup;
    return kinds[schedule->kind].at(schedule, at - schedule->warmup);
}
