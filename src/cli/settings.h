/* settings.h: what can be said about a training, as options and as notes in its checkpoints. */
#ifndef TN_CLI_SETTINGS_H
#define TN_CLI_SETTINGS_H

#include "model.h"

#define CLI_TRAIN_OPTIONS 78

typedef struct cli_settings {
    const char *data, *test, *header, *target, *ignore, *one_hot, *index, *net, *loss, *optimizer, *schedule, *init,
        *fold;
    const char *class_weights, *sample_weights, *scale, *image;
    tn_optim_options optim; /* its learning rate is `lr` of the optimizer where none is given */
    double smoothing, validation;
    int64_t batch, shards, epochs, limit, seed, early_stop, loaders;
    int64_t most;    /* of a network of ONNX, as in tn_onnx_options */
    int64_t context; /* bytes of a text that a sample is; 0: the data is no text */
    const char *resident, *memory, *bucket;
    const char *storage, *precision, *layout, *device, *shares, *save, *best, *weights, *diverged, *resume, *load,
        *rename, *freeze, *curve, *log, *report;
    const char *trace;
    int by_position, sync_norm, characters;
    int64_t every;                                    /* epochs; 0: as the report sees fit */
    int quiet, json, explain, stats, strict, unfused; /* json: 1 per epoch, 2 per step too */
    cli_option options[CLI_TRAIN_OPTIONS];
} cli_settings;

/* The defaults, and the options that change them. `settings` must not move afterwards. */
void cli_settings_init(cli_settings *settings);
void cli_settings_free(cli_settings *settings);

/* Says which networks, layers, losses, optimizers and schedules there are. */
void cli_settings_help(const cli_scribe *scribe);

/* The weights of classes that were asked for: allocated with malloc, or NULL for none. Returns CLI_GO_ON or an exit
 * status. */
int cli_settings_class_weights(const cli_settings *settings, const tn_dataset *data, float **weights);

/* Checks what can be checked without data and without a device, and fills in the learning rate. Returns CLI_GO_ON or
 * an exit status. */
int cli_settings_check(cli_settings *settings);

/* The files that a training writes, number `i`: the option's name and the path, or NULL if it was not given. Returns 0
 * past the last. */
int cli_output_at(const cli_settings *settings, size_t i, const char **name, const char **path);

/* "2/5": number 1, from 0, of 5. Returns 0 if the text is none. */
int cli_fold_of(const char *text, int64_t *fold, int64_t *folds);

/* That numbers can be stored and multiplied as the settings say; a part of that. */
int cli_check_types(const cli_settings *settings);

/* What compiling is told; after cli_check_types. */
tn_compile_options cli_compile_options(const cli_settings *settings);
/* Warns of those, of --storage, --precision and --layout, that changed nothing of what was compiled. */
void cli_warn_of_no_change(const cli_settings *s, const tn_device *device, const tn_program_report *report);

/* The parts of `--init`: a name, and after a space the deviation. `name` holds the name. */
void cli_settings_init_of(const cli_settings *settings, char name[32], double *scale);

#endif
