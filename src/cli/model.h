/* model.h: what a network is trained on and how it is built: the part that training, evaluation, prediction and the
 * benchmark share. A model is a value; the texts belong to the options that they came from. */
#ifndef TN_CLI_MODEL_H
#define TN_CLI_MODEL_H

#include "options.h"

typedef struct cli_model {
    const char *net, *loss, *init;
    tn_onnx *onnx;                             /* the network, where it isn't words: see network.h; else NULL */
    const char *onnx_path;                     /* for messages */
    int bare;                                  /* without the softmax that it ends in */
    int64_t most;                              /* room for what is found in what is fed: tn_onnx_options */
    int64_t head;                              /* outputs of a new last layer; 0: it is the file's */
    const char *freeze;                        /* names of what training leaves alone, or NULL */
    int sync_norm;                             /* batch normalisation is over all shards of a batch */
    double scale;                              /* of the initialisation */
    double x_scale;                            /* what raw numbers are multiplied by: 1/255 for pictures */
    tn_shape sample;                           /* of one sample */
    int no_channel;                            /* its first dimension, 1, is not in the data: as in tn_dataset */
    int32_t x_dtype;                           /* of the raw numbers */
    int64_t classes;                           /* 0: the targets are numbers */
    int64_t targets;                           /* numbers to predict for a sample; 0: labels */
    int64_t labels;                            /* of a sample, of a text one for each of its bytes; else 0 or 1 */
    int images;                                /* they are taken as they are, as a folder's are */
    tn_framing framing;                        /* of its pictures; size 0: there are none, or it was not measured */
    const char *class_names;                   /* as in tn_dataset; NULL: numbers are their names */
    const char *column_names;                  /* of a table's features; NULL: there are none */
    const char *categories;                    /* of a table's texts, as in tn_dataset; NULL: not known */
    const char *target_names, *target_numbers; /* of a table, as in tn_dataset; NULL: not known */
    const char *data;                          /* for messages */
} cli_model;

/* Takes over what the data says; the rest is set already. */
void cli_model_of_data(cli_model *model, const tn_dataset *data);

/* The same from a checkpoint, for use without data. Returns CLI_GO_ON or an exit status. */
int cli_model_of_notes(cli_model *model, const tn_checkpoint *checkpoint, const char *path);

/* Writes the notes that cli_model_of_notes reads: exactly CLI_MODEL_NOTES. `text` holds their values. */
#define CLI_MODEL_NOTES 14
void cli_model_notes(const cli_model *model, tn_note notes[CLI_MODEL_NOTES], char text[CLI_MODEL_NOTES][160]);

/* The size of images, "64x48" or "3x64x48", as a shape. Returns 0 if the text is none. */
int cli_image_of(const char *text, tn_shape *image);

/* The first name of a list of such: its length; and what follows it. */
size_t cli_name_length(const char *names);
const char *cli_next_name(const char *names);

#define CLI_CLASS_NAME 1024 /* bytes of a class's name that are shown */

/* The first name of a list of classes, as it was read: with its line breaks and backslashes. */
char *cli_read_class(const char *names, char *text, size_t capacity);

/* The class's name, in `text`. */
const char *cli_class_name(const cli_model *model, int64_t index, char *text, size_t capacity);

/* The names of so many outputs, as a list; NULL: numbers are their names. */
const char *cli_output_names(const cli_model *model, int64_t outputs);

/* Output number k by the first of these names, which goes, or without any by its number. */
void cli_next_output(const cli_model *model, const char **names, int64_t k, char name[CLI_CLASS_NAME]);

/* Whether an output is called as one of the first `count` columns of a table of predictions: input, index, class and
 * probability. */
int cli_outputs_clash(const cli_model *model, int64_t outputs, int count);

/* Whether the model writes texts: it says which byte comes next. */
int cli_model_writes(const cli_model *model);

/* What the share of samples that are wholly right is called: of several targets "all right". */
const char *cli_accuracy_name(const cli_model *model);

/* How many tokens a network tells apart whose first layer is an embedding; 0: it is another. */
int64_t cli_net_tokens(const char *net);

/* Whether the loss counts right answers, and whether it wants class labels rather than numbers as a table's target. */
int cli_loss_counts(const cli_model *model);
int cli_loss_classifies(const char *loss);

/* Whether predictions are probabilities, of classes or of yes; others say yes above 0. */
int cli_loss_tells_probabilities(const char *loss);

/* Whether the loss depends on errors alone, output less target, so that targets may be scaled. */
int cli_loss_of_errors(const char *loss);

/* That the loss can be used on such data at all. Returns CLI_GO_ON or CLI_USAGE. */
int cli_check_loss(const cli_model *model);

/* How many numbers the network should give for a sample. */
int64_t cli_model_outputs(const cli_model *model);

/* The output of a network in words; `each` and `arg` as in tn_net_options, or NULL. */
tn_tensor *cli_model_words(const cli_model *model, tn_tensor *x, int training,
                           void (*each)(void *arg, const char *layer, tn_tensor *y), void *arg);

/* As the library trains, measures and uses it; `compile` may be NULL. The graph fails if the network's output does not
 * fit the data. */
tn_model cli_model_of(const cli_model *model, const tn_compile_options *compile);

#endif
