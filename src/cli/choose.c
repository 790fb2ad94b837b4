/* choose.c: see choose.h. Classes are told by cross_entropy, numbers by mse, several of 0 and 1 by
 * binary_cross_entropy, as are two classes by a network that was made so. Columns of numbers are standardised;
 * pictures, sequences and the numbers of an embedding or of another network that takes whole ones are left as they are.
 * Tables are learnt from more often than pictures, of which there are more. */
#include "choose.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int is_auto(const char *text)
{
    return !strcmp(text, "auto");
}

/* Whether all targets are 0 or 1. */
static int are_yes_or_no(const tn_dataset *data)
{
    for (int64_t i = 0; i < data->count * data->targets; i++)
        if (data->target[i] != 0 && data->target[i] != 1) return 0;
    return data->targets > 1;
}

void cli_choose_loss(cli_settings *s, const tn_dataset *data, int says_yes_or_no, cli_choice *choice)
{
    choice->loss = is_auto(s->loss);
    if (!choice->loss) return;
    const int is_binary = data->classes ? data->classes == 2 && says_yes_or_no : are_yes_or_no(data);
    s->loss = is_binary ? "binary_cross_entropy" : data->classes ? "cross_entropy" : "mse";
}

void cli_choose_scale(cli_settings *s, const tn_dataset *data, int is_whole, cli_choice *choice)
{
    if (!is_auto(s->scale)) return;
    choice->scale = data->x_dtype == TN_F32 && data->sample.rank == 1 && data->labels < 2 && !is_whole &&
                    !strstr(s->net, "embedding");
    s->scale = choice->scale ? "standard" : "none";
}

#define TABLE_SAMPLES 1000000 /* that a table's training looks at in all epochs, */
#define CLASS_EPOCHS  200     /* or so many times at each, where there are classes; */
#define NUMBER_EPOCHS 50      /* or numbers, which are sooner learnt by heart */
#define TEXT_BATCH    16      /* samples in a step of a text's training, */
#define TEXT_STEPS    1500    /* which has at least so many */

/* What small tables are best learnt by, of what was tried: bench/README.md. */
void cli_choose_net(cli_settings *s, const tn_dataset *data)
{
    if (s->resume || cli_given(s->options, "net") || !data->separator) return;
    s->net = "linear 100, relu, linear outputs";
    if (!cli_given(s->options, "init")) s->init = "xavier";
}

/* Small batches, and as many steps as a small network needs to write words. */
static void choose_for_text(cli_settings *s, const tn_dataset *data, cli_choice *choice)
{
    if (!cli_given(s->options, "batch")) s->batch = data->count < TEXT_BATCH ? data->count : TEXT_BATCH;
    if (cli_given(s->options, "epochs")) return;
    const int64_t steps = (data->count + s->batch - 1) / s->batch;
    s->epochs = (TEXT_STEPS + steps - 1) / steps;
    choice->epochs = 1;
}

void cli_choose_epochs(cli_settings *s, const tn_dataset *data, cli_choice *choice)
{
    if (!s->resume && data->labels > 1 && data->count > 0) {
        choose_for_text(s, data, choice);
        return;
    }
    const int64_t count = s->limit && s->limit < data->count ? s->limit : data->count;
    if (s->resume || cli_given(s->options, "epochs") || !data->separator || count < 1) return;
    const int64_t most = data->classes ? CLASS_EPOCHS : NUMBER_EPOCHS;
    const int64_t times = TABLE_SAMPLES / count < most ? TABLE_SAMPLES / count : most;
    choice->epochs = times > s->epochs;
    if (choice->epochs) s->epochs = times;
}

/* ---- telling ---- */

static void tell_loss(const char *loss, const tn_dataset *data)
{
    cli_tell("loss %s: ", loss);
    if (data->labels > 1) {
        cli_tell("which of %" PRId64 " %s comes next\n", data->classes, data->class_names ? "characters" : "bytes");
        return;
    }
    if (data->why)
        cli_tell("%s\n", cli_shown(data->why));
    else if (data->classes)
        cli_tell("%" PRId64 " classes\n", data->classes);
    else
        cli_tell("%" PRId64 " %s to predict for a sample\n", data->targets,
                 are_yes_or_no(data) ? "times 0 or 1" : "numbers");
}

void cli_tell_choice(const cli_choice *choice, const cli_settings *s, const tn_dataset *data)
{
    if (choice->loss) tell_loss(s->loss, data);
    if (choice->epochs && data->labels > 1)
        cli_tell("epochs %" PRId64 ": %d steps or more; --epochs N is how often a text is read\n", s->epochs,
                 TEXT_STEPS);
    else if (choice->epochs)
        cli_tell("epochs %" PRId64 ": a table has few samples; --epochs N is how often each is learnt from\n",
                 s->epochs);
    if (!choice->scale) return;
    cli_tell("scale %s: columns of numbers get mean 0 and deviation 1%s\n", s->scale,
             data->targets && cli_loss_of_errors(s->loss) ? ", targets too: losses are of those" : "");
}
