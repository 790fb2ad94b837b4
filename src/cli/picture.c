/* picture.c: see picture.h. */
#include "picture.h"

#include <stdio.h>
#include <string.h>

#define SURE 0.6 /* the least probability of the likeliest class that needs no word */

int cli_check_frame(const cli_saved *saved)
{
    const char *when = saved->frame;
    if (when && strcmp(when, "auto") && strcmp(when, "yes") && strcmp(when, "no"))
        return cli_usage("--frame '%s' is not auto, yes or no", when);
    if (when && !strcmp(when, "yes") && !(saved->model.framing.size > 0))
        return cli_fail("--frame yes: %s does not say how the pictures of its set are framed: it was trained on others "
                        "than grey ones, or saved by an older version",
                        saved->path);
    return CLI_GO_ON;
}

static int frames(const cli_saved *saved)
{
    if (!saved->frame || !strcmp(saved->frame, "auto")) return saved->model.framing.framed;
    return !strcmp(saved->frame, "yes");
}

int cli_read_picture(const cli_saved *saved, const char *path, float *x, char doubt[CLI_DOUBT])
{
    const cli_model *model = &saved->model;
    tn_ink ink = {0};
    tn_status status = frames(saved) ? tn_picture_read_framed(path, &model->framing, &model->sample, x, &ink)
                                     : tn_picture_read(path, &model->sample, x);
    if (status) return cli_failed();
    tn_ink_doubts(&ink, doubt, CLI_DOUBT);
    return CLI_GO_ON;
}

void cli_doubt_probability(double probability, char doubt[CLI_DOUBT])
{
    size_t used = strlen(doubt);
    if (probability < SURE) snprintf(doubt + used, CLI_DOUBT - used, "%sno class is likely", used ? ", " : "");
}
