/* picture.c: see picture.h. */
#include "picture.h"

#include <stdio.h>
#include <stdlib.h>
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

/* As the training set's own were read. */
static int read_image(const cli_model *model, const char *path, float *x)
{
    const int64_t count = tn_shape_count(&model->sample);
    uint8_t *level = malloc((size_t)count);
    if (!level) return cli_fail("out of memory");
    int status = tn_image_read(path, &model->sample, level) ? cli_failed() : CLI_GO_ON;
    for (int64_t i = 0; i < count && status == CLI_GO_ON; i++) x[i] = level[i];
    free(level);
    return status;
}

int cli_read_picture(const cli_saved *saved, const char *path, float *x, char doubt[CLI_DOUBT])
{
    const cli_model *model = &saved->model;
    *doubt = 0;
    if (model->images) return read_image(model, path, x);
    tn_ink ink = {0};
    tn_status status = frames(saved) ? tn_image_read_framed(path, &model->framing, &model->sample, x, &ink)
                                     : tn_image_read_scaled(path, &model->sample, x);
    if (status) return cli_failed();
    tn_ink_doubts(&ink, doubt, CLI_DOUBT);
    return CLI_GO_ON;
}

void cli_doubt_probability(double probability, char doubt[CLI_DOUBT])
{
    size_t used = strlen(doubt);
    if (probability < SURE) snprintf(doubt + used, CLI_DOUBT - used, "%sno class is likely", used ? ", " : "");
}
