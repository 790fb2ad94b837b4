/* shrink.c: see shrink.h. Each way to make a recipe smaller is tried at every place, over and over, until none helps.
 */
#include "shrink.h"

#include <string.h>

#include "build.h"

/* What a step makes. */
typedef struct result {
    int makes;
    int32_t dtype;
    tn_shape shape;
} result;

typedef struct shrinker {
    tn_recipe *best, trial;
    int (*fails)(void *arg, const tn_recipe *recipe);
    void *arg;
    uint32_t left; /* questions that may still be asked */
} shrinker;

/* Whether it can be built, which tells shapes as well. */
static int is_sound(const tn_recipe *recipe, result type[])
{
    tn_tensor *made[TN_MOST_STEPS] = {NULL};
    for (uint32_t i = 0; i < recipe->count; i++)
        for (int k = 0; k < TN_STEP_OPERANDS; k++)
            if (recipe->step[i].in[k] >= (int32_t)i) return 0;
    tn_graph *graph = tn_recipe_build(recipe, made);
    int sound = graph && !tn_graph_status(graph) && graph->sinks;
    for (uint32_t i = 0; sound && i < recipe->count; i++)
        type[i] = (result){made[i] != NULL, made[i] ? tn_dtype_of(made[i]) : 0, tn_shape_of(made[i])};
    tn_graph_free(graph);
    return sound;
}

/* Takes the trial if it fails still. */
static int keep(shrinker *s)
{
    result type[TN_MOST_STEPS];
    if (!s->left || !is_sound(&s->trial, type)) return 0;
    s->left--;
    if (!s->fails(s->arg, &s->trial)) return 0;
    *s->best = s->trial;
    return 1;
}

/* ---- ways to make it smaller: each returns whether one was found ---- */

/* Without a stretch of steps that nothing after it needs. */
static int drop_steps(shrinker *s)
{
    int found = 0;
    for (uint32_t size = s->best->count / 2 + 1; size; size /= 2)
        for (uint32_t end = s->best->count; end > 0; end = end > size ? end - size : 0) {
            s->trial = *s->best;
            uint32_t gone = 0;
            for (uint32_t i = end; i-- > 0 && i + size >= end;)
                if (i < s->trial.count && !tn_recipe_uses(&s->trial, i)) tn_recipe_drop(&s->trial, i), gone++;
            if (gone && keep(s)) found = 1;
            if (end > s->best->count) end = s->best->count + size;
        }
    return found;
}

static int is_leaf(const tn_call *step)
{
    return step->in[0] < 0 && step->in[1] < 0 && step->in[2] < 0;
}

/* An input in place of a result. */
static int cut_off(shrinker *s)
{
    static const char letters[] = "xkp";
    result type[TN_MOST_STEPS];
    int found = 0;
    for (uint32_t i = s->best->count; i-- > 0;)
        for (int k = 0; k < 3; k++) {
            if (i >= s->best->count || is_leaf(&s->best->step[i]) || !is_sound(s->best, type) || !type[i].makes) break;
            s->trial = *s->best;
            s->trial.step[i] = (tn_call){.rule = tn_rule_named("input"),
                                         .in = {-1, -1, -1},
                                         .letter = letters[k],
                                         .label = s->best->step[i].label,
                                         .dtype = type[i].dtype,
                                         .shape = type[i].shape};
            if (keep(s)) found = 1;
        }
    return found;
}

/* An operand of the same type in place of a result. */
static int skip(shrinker *s)
{
    int found = 0;
    for (uint32_t i = s->best->count; i-- > 0;)
        for (int k = 0; k < TN_STEP_OPERANDS && i < s->best->count; k++) {
            int32_t by = s->best->step[i].in[k];
            if (by < 0 || !tn_recipe_uses(s->best, i)) continue;
            s->trial = *s->best;
            for (uint32_t n = i + 1; n < s->trial.count; n++)
                for (int j = 0; j < TN_STEP_OPERANDS; j++)
                    if (s->trial.step[n].in[j] == (int32_t)i) s->trial.step[n].in[j] = by;
            tn_recipe_drop(&s->trial, i);
            if (keep(s)) found = 1;
        }
    return found;
}

/* One size in place of another, in all shapes; and in numbers, if asked for. */
static void resize(tn_recipe *r, int64_t from, int64_t to, int numbers)
{
    for (uint32_t i = 0; i < r->count; i++) {
        tn_call *step = &r->step[i];
        for (int32_t d = 0; d < step->shape.rank; d++)
            if (step->shape.dim[d] == from) step->shape.dim[d] = to;
        for (int k = 0; numbers && k < TN_STEP_NUMBERS; k++)
            if (step->p[k] == from) step->p[k] = to;
    }
}

static int shrink_sizes(shrinker *s)
{
    int found = 0;
    for (int64_t from = 40; from > 1; from--)
        for (int way = 0; way < 8; way++) {
            const int64_t to[] = {1, 2, from / 2, from - 1};
            s->trial = *s->best;
            resize(&s->trial, from, to[way / 2], way % 2);
            if (memcmp(&s->trial, s->best, sizeof s->trial) && to[way / 2] < from && keep(s)) found = 1;
        }
    return found;
}

/* Each number of a step by itself. */
static int shrink_numbers(shrinker *s)
{
    int found = 0;
    for (uint32_t i = 0; i < s->best->count; i++)
        for (int k = 0; k < TN_STEP_NUMBERS + TN_MAX_RANK + 2; k++)
            for (int64_t to = 0; to < 2; to++) {
                s->trial = *s->best;
                tn_call *step = &s->trial.step[i];
                int dim = k - TN_STEP_NUMBERS, real = dim - TN_MAX_RANK;
                if (k < TN_STEP_NUMBERS && (step->p[k] > to || step->p[k] < 0)) step->p[k] = to;
                if (dim >= 0 && dim < step->shape.rank && step->shape.dim[dim] > to) step->shape.dim[dim] = to;
                if (real >= 0 && step->f[real] != 0 && step->f[real] != 1) step->f[real] = (double)to;
                if (memcmp(&s->trial, s->best, sizeof s->trial) && keep(s)) found = 1;
            }
    return found;
}

void tn_shrink(tn_recipe *recipe, int (*fails)(void *arg, const tn_recipe *recipe), void *arg, uint32_t most)
{
    static int (*const ways[])(shrinker *) = {drop_steps, cut_off, skip, drop_steps, shrink_sizes, shrink_numbers};
    shrinker s = {.best = recipe, .fails = fails, .arg = arg, .left = most};
    for (int found = 1; found && s.left;) {
        found = 0;
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) found |= ways[i](&s);
    }
}
