/* graphs.c: random programs on the device, against the interpreter; and one that fails made as small as it can be. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "generate.h"
#include "judge.h"
#include "kit.h"
#include "shrink.h"
#include "slope.h"

enum { MOST_QUESTIONS = 1500, SHRINKING = 60, ONE_QUESTION = 40 }; /* the last two: seconds */

/* Judges the recipe in the shared memory. */
static void judge(tn_kit *kit, const char *what)
{
    tn_verdict verdict = {0};
    tn_graph *graph = tn_recipe_build(&kit->result->recipe, NULL);
    tn_status s = tn_judge(graph, kit->device, kit->result->seed, &verdict);
    if (!s && !verdict.wrong) s = tn_judge_slopes(&kit->result->recipe, kit->result->seed, &verdict);
    tn_kit_expect(kit, !s, "%s: the oracle cannot do it: %.300s", what, tn_message());
    tn_kit_expect(kit, !verdict.wrong, "%s: %s", what, verdict.text);
    if (!verdict.wrong && verdict.worst > kit->result->worst) kit->result->worst = verdict.worst;
    tn_graph_free(graph);
}

void tn_kit_random_graphs(tn_kit *kit)
{
    char what[60];
    if (!tn_kit_device(kit)) return;
    for (uint64_t i = 0; i < kit->now->count && !kit->result->failed; i++) {
        uint64_t number = kit->now->first + i;
        snprintf(what, sizeof what, "program %llu", (unsigned long long)number);
        kit->result->seed = tn_generated_seed(kit->seed, number);
        tn_status s = tn_generate(kit->seed, number, &kit->result->recipe);
        if (tn_kit_expect(kit, !s, "%s: the oracle cannot make it: %.300s", what, tn_message())) judge(kit, what);
    }
    tn_device_close(kit->device);
}

/* ---- making it small ---- */

/* In a process of its own, for it may die of it. */
static void ask(const tn_kit *kit, const tn_recipe *recipe)
{
    tn_kit_result own = {.recipe = *recipe, .seed = kit->result->seed};
    tn_kit one = *kit;
    one.result = &own;
    alarm(ONE_QUESTION);
    if (tn_kit_device(&one)) judge(&one, "made small");
    if (own.failed) snprintf(kit->result->detail, sizeof kit->result->detail, "%s", own.detail);
    _exit(own.failed);
}

static int still_fails(void *arg, const tn_recipe *recipe)
{
    static double end; /* what is small by then is small enough */
    tn_kit *kit = arg;
    int status = 0;
    if (end == 0) end = tn_kit_now() + SHRINKING;
    if (tn_kit_now() > end) return 0;
    pid_t pid = fork();
    if (!pid) ask(kit, recipe);
    if (pid < 0 || waitpid(pid, &status, 0) < 0) return 0;
    if (WIFSIGNALED(status))
        snprintf(kit->result->detail, sizeof kit->result->detail, "made small: it dies of %s",
                 strsignal(WTERMSIG(status)));
    return WIFSIGNALED(status) || WEXITSTATUS(status);
}

void tn_kit_shrink_graph(tn_kit *kit)
{
    tn_shrink(&kit->result->recipe, still_fails, kit, MOST_QUESTIONS);
}
