/* transfer.c: begins a training with another one's weights, as far as they fit, if they can be learnt from. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "session.h"

/* What there is to say of what was not taken. */
typedef struct lines {
    FILE *file;
    char *text;
    size_t unused;
} lines;

static void tell(void *arg, int32_t fit, const tn_state_entry *state, const tn_state_entry *file)
{
    lines *said = arg;
    char a[160], b[160];
    said->unused += fit == TN_LOAD_UNUSED;
    if (fit == TN_LOAD_MISSING) fprintf(said->file, "  not there: '%s'\n", state->name);
    if (fit == TN_LOAD_SHAPE || fit == TN_LOAD_DTYPE)
        fprintf(said->file, "  does not fit: '%s' is %s %s there and %s %s in this network\n", state->name,
                tn_dtype_name(file->dtype), tn_shape_text(&file->shape, a, sizeof a), tn_dtype_name(state->dtype),
                tn_shape_text(&state->shape, b, sizeof b));
}

int cli_session_transfer(cli_session *s)
{
    lines said = {0};
    size_t taken = 0, size;
    const char *path = s->settings.load;
    int status = CLI_GO_ON;
    said.file = open_memstream(&said.text, &size);
    if (!said.file) return cli_fail("out of memory");
    if (tn_checkpoint_load_fitting(s->from, s->state, tell, &said, &taken))
        status = cli_fail("--load %s: %s", path, tn_message());
    fclose(said.file);
    if (status == CLI_GO_ON && !taken)
        status = cli_fail("--load %s: none of its tensors fits this network by name and shape", path);
    if (status == CLI_GO_ON)
        cli_tell("%zu tensors taken from %s, %zu of it not used\n%s", taken, path, said.unused, said.text);
    free(said.text);
    return status;
}

static int check_tensor(tn_state *state, const tn_state_entry *entry, const char *path)
{
    const int64_t count = tn_shape_count(&entry->shape);
    int status = CLI_GO_ON;
    float *value = malloc((size_t)count * sizeof *value + 1);
    if (!value) return cli_fail("out of memory");
    if (tn_state_read(state, entry->name, value, (uint64_t)count * sizeof *value)) status = cli_failed();
    for (int64_t i = 0; i < count && status == CLI_GO_ON; i++)
        if (!isfinite(value[i]))
            status = cli_fail("%s: tensor '%s' has numbers that are not finite, and nothing can be learnt from there",
                              path, entry->name);
    free(value);
    return status;
}

int cli_session_check_finite(cli_session *s, const char *path)
{
    tn_state_entry entry;
    int status = CLI_GO_ON;
    for (size_t i = 0; status == CLI_GO_ON && tn_state_at(s->state, i, &entry); i++)
        if (entry.dtype == TN_F32 && !(entry.flags & TN_TRANSIENT)) status = check_tensor(s->state, &entry, path);
    return status;
}
