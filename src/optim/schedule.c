/* schedule.c: how the learning rate changes with the steps. A new schedule is a function and a row. */
#include "tenon/optim.h"

#include "error.h"
#include "given.h"
#include "nearest.h"
#include "word.h"

#include <math.h>
#include <stdio.h>
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

static double milestones(const tn_schedule *s, double step)
{
    int32_t passed = 0;
    while (passed < s->milestones && step >= s->milestone[passed]) passed++;
    return pow(s->factor, passed);
}

/* How much of the way is done, at most 1. */
static double done(const tn_schedule *s, double step)
{
    return step >= s->steps ? 1 : step / s->steps;
}

static double linear(const tn_schedule *s, double step)
{
    return 1 - (1 - s->end) * done(s, step);
}

static double polynomial(const tn_schedule *s, double step)
{
    return pow(1 - done(s, step), s->factor);
}

/* From a to b by half a cosine. */
static double swing(double a, double b, double share)
{
    return share >= 1 ? b : b + (a - b) * 0.5 * (1 + cos(3.14159265358979323846 * share));
}

static double cosine(const tn_schedule *s, double step)
{
    return swing(1, s->end, done(s, step));
}

/* Each cycle is as many times longer than the one before as the factor says, a whole number. */
static double restarts(const tn_schedule *s, double step)
{
    double length = s->steps;
    if (s->factor == 1) return swing(1, 0, fmod(step, length) / length);
    for (; step >= length; length *= s->factor) step -= length;
    return swing(1, 0, step / length);
}

/* Up from 1/25 in three tenths of the steps, and down to 1/250000 in the others: PyTorch's numbers. */
static double one_cycle(const tn_schedule *s, double step)
{
    double peak = 0.3 * s->steps - 1, last = s->steps - 1;
    return step <= peak ? swing(0.04, 1, step / peak) : swing(1, 4e-6, (step - peak) / (last - peak));
}

/* The numbers that follow the name, a letter each: s steps, f a factor, t a whole number of times, e the end if it is
 * not 0, m milestones. */
static const struct {
    const char *name, *usage, *doc;
    double (*at)(const tn_schedule *s, double step);
    const char *numbers;
    int least; /* steps */
} kinds[] = {
    {"constant", "constant", "as it is", constant, "", 0},
    {"step", "step STEPS FACTOR", "times FACTOR every so many steps", steps, "sf", 1},
    {"milestones", "milestones FACTOR STEP...", "times FACTOR at each of these steps", milestones, "fm", 0},
    {"exponential", "exponential FACTOR", "times FACTOR each step", exponential, "f", 0},
    {"linear", "linear STEPS [END]", "straight to END (0) times the rate", linear, "se", 1},
    {"polynomial", "polynomial STEPS POWER", "the share of steps left to that power", polynomial, "sf", 1},
    {"cosine", "cosine STEPS [END]", "by half a cosine to END (0) times the rate", cosine, "se", 1},
    {"restarts", "restarts STEPS TIMES", "cosine to 0 again and again, each TIMES as long", restarts, "st", 1},
    {"onecycle", "onecycle STEPS", "up from 1/25 in 0.3 of the steps, down to 1/250000", one_cycle, "s", 4},
    {"plateau", "plateau LOSSES FACTOR", "times FACTOR after so many losses no lower", constant, "sf", 1},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

int tn_schedule_kind_at(size_t index, tn_schedule_kind *kind)
{
    if (!kind) return 0;
    if (index >= KINDS) return 0;
    *kind = (tn_schedule_kind){kinds[index].name, kinds[index].usage, kinds[index].doc};
    return 1;
}

/* ---- reading ---- */

static int read_steps(const char *word, int64_t least, double *steps_out)
{
    int64_t whole;
    if (!tn_word_whole(word, &whole) || whole < least) return 0;
    *steps_out = (double)whole;
    return 1;
}

static tn_status read_milestones(const tn_item *item, size_t first, tn_schedule *schedule)
{
    TN_REQUIRE(item->words - first <= TN_MILESTONES, TN_EINVAL, "schedule '%s': more than %d milestones", item->text,
               TN_MILESTONES);
    for (size_t i = first; i < item->words; i++) {
        double *to = &schedule->milestone[schedule->milestones];
        TN_REQUIRE(read_steps(item->word[i], 1, to) && (i == first || to[0] > to[-1]), TN_EINVAL,
                   "schedule '%s': STEP '%s' is not a whole number above the one before", item->text, item->word[i]);
        schedule->milestones++;
    }
    return TN_OK;
}

static tn_status read_number(char letter, const tn_item *item, size_t i, size_t kind, tn_schedule *schedule)
{
    const char *word = item->word[i];
    if (letter == 's') {
        TN_REQUIRE(read_steps(word, kinds[kind].least, &schedule->steps), TN_EINVAL,
                   "schedule '%s': '%s' is not a whole number of at least %d", item->text, word, kinds[kind].least);
    } else if (letter == 't') {
        TN_REQUIRE(read_steps(word, 1, &schedule->factor), TN_EINVAL,
                   "schedule '%s': TIMES '%s' is not a whole number of at least 1", item->text, word);
    } else if (letter == 'e') {
        TN_REQUIRE(tn_word_number(word, &schedule->end) && schedule->end >= 0, TN_EINVAL,
                   "schedule '%s': END '%s' is not a number of 0 or more", item->text, word);
    } else {
        TN_REQUIRE(tn_word_number(word, &schedule->factor) && schedule->factor > 0, TN_EINVAL,
                   "schedule '%s': '%s' is not a number above 0", item->text, word);
    }
    return TN_OK;
}

/* "constant, step, ... or plateau" */
static const char *all_kinds(char text[160])
{
    size_t used = 0;
    for (size_t k = 0; k < KINDS; k++)
        used +=
            (size_t)snprintf(text + used, 160 - used, "%s%s", k ? k + 1 < KINDS ? ", " : " or " : "", kinds[k].name);
    return text;
}

static tn_status read_kind(const tn_item *item, tn_schedule *schedule)
{
    tn_nearest nearest = {.word = item->words ? item->word[0] : ""};
    char hint[80], all[160];
    size_t k = 0, given = item->words ? item->words - 1 : 0;
    for (; k < KINDS && strcmp(nearest.word, kinds[k].name); k++) tn_nearest_offer(&nearest, kinds[k].name);
    TN_REQUIRE(k < KINDS, TN_EINVAL, "schedule '%s': it is %s%s", item->text, all_kinds(all),
               tn_nearest_text(&nearest, hint, sizeof hint));
    const char *numbers = kinds[k].numbers;
    size_t most = strlen(numbers), list = strchr(numbers, 'm') != NULL, optional = strchr(numbers, 'e') != NULL;
    TN_REQUIRE(given + optional >= most && (given <= most || list), TN_EINVAL, "schedule '%s': it is written '%s'",
               item->text, kinds[k].usage);
    for (size_t i = 0; i < given && i < most - list; i++) TN_TRY(read_number(numbers[i], item, i + 1, k, schedule));
    if (list) TN_TRY(read_milestones(item, most, schedule));
    schedule->kind = (int32_t)k;
    return TN_OK;
}

tn_status tn_schedule_parse(const char *text, tn_schedule *schedule)
{
    TN_GIVEN(text, schedule);
    const char *cursor = text;
    tn_schedule result = {0};
    tn_item item;
    TN_REQUIRE(tn_item_next(&cursor, &item), TN_EINVAL, "schedule '%s...' is too long", item.text);
    if (item.words && !strcmp(item.word[0], "warmup")) {
        TN_REQUIRE(item.words == 2 && read_steps(item.word[1], 1, &result.warmup), TN_EINVAL,
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
    if (!schedule || !plateau) return;
    if (strcmp(kinds[schedule->kind].name, "plateau")) return;
    if (!plateau->losses++ || loss < plateau->lowest || (isnan(plateau->lowest) && !isnan(loss))) {
        plateau->lowest = loss;
        plateau->stalled = 0;
    } else if ((double)++plateau->stalled >= schedule->steps) {
        plateau->factor = tn_plateau_factor(plateau) * schedule->factor;
        plateau->stalled = 0;
    }
}

double tn_plateau_factor(const tn_plateau *plateau)
{
    if (!plateau) return NAN;
    return plateau->factor != 0 ? plateau->factor : 1;
}

double tn_schedule_at(const tn_schedule *schedule, uint64_t step)
{
    if (!schedule) return NAN;
    double at = (double)step;
    if (at < schedule->warmup) return (at + 1) / schedule->warmup;
    return kinds[schedule->kind].at(schedule, at - schedule->warmup);
}
