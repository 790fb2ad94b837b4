/* data.h: the data sets of a training or of a saved model: how they are opened, how a table's columns and classes are
 * brought to those that a model knows, and what is to be said of them. Functions return CLI_GO_ON or an exit status. */
#ifndef TN_CLI_DATA_H
#define TN_CLI_DATA_H

#include "settings.h"

#include <sys/types.h>
#include <time.h>

/* Kinds of data, which some options are for alone. */
enum { CLI_TABLE = 1, CLI_IMAGES = 2, CLI_PICTURE = 4, CLI_OTHER = 8, CLI_WRITING = 16, CLI_ARRAYS = 32 };
unsigned cli_kind_of(const tn_dataset *data);

/* That each option that was given is for one of those kinds, if it is for some alone. */
int cli_check_kinds(cli_option *options, unsigned kinds);

/* How the settings say that a table has a header: TN_HEADER_...; -1: they don't. */
int cli_header_kind(const char *header);

/* Whether the name means standard input, which only a table comes by. */
int cli_is_standard(const char *name);
/* Whether a file's name ends as a table's does. */
int cli_names_table(const char *path);

/* How a table is read: for a model that knows its columns, or, with NULL, as the settings say. */
tn_csv_options cli_csv_options(const cli_settings *settings, const cli_model *model);

/* Says why a table that was read so could not be opened; returns CLI_FAILED. */
int cli_cannot_open(const tn_csv_options *csv, const char *name, tn_status status);

/* Opens `data` of the settings for training, and its part for testing unless `test` of the settings names another; then
 * `test` stays empty. `model` as above; with it, classes get the model's numbers. `noted` is the saved model that
 * the data's name comes from; NULL: it was typed. */
int cli_open_data(const cli_settings *settings, const cli_model *model, const char *noted, tn_dataset *train,
                  tn_dataset *test);

/* Opens what `data` of the settings has to test on, for no model. */
int cli_open_measured(const cli_settings *settings, tn_dataset *test);

/* Leaves of what was opened for training the samples that are trained on: the first `limit`, less the share for
 * `validation`, which go there. */
int cli_keep_training(const cli_settings *settings, tn_dataset *train, tn_dataset *validation);

/* Opens all that `name` has to test on, for a model; `noted` likewise. */
int cli_open_test(const cli_settings *settings, const cli_model *model, const char *name, const char *noted,
                  tn_dataset *test);

/* Where the network's first layer is an embedding, samples are tokens: bytes are whole numbers, and what the embedding
 * has no row for is an error. `model` as above: one of before that was so reads bytes as it did. */
int cli_take_tokens(const char *net, const cli_model *model, tn_dataset *data);

/* That samples to test on are such as the model is for, which stands in messages by its `data`. */
int cli_check_data(const cli_model *model, tn_dataset *data);

/* A hash as text: of a file's bytes, of a large file's of some of them; of the files in a folder, and of the names and
 * sizes of what is in folders within, such as classes of images. "" for what is neither or cannot be read. */
#define CLI_FINGERPRINT 20
void cli_fingerprint(const char *path, char text[CLI_FINGERPRINT]);
/* Which file it is, and when it was last written to; zeros for what is none. */
typedef struct cli_file_stamp {
    dev_t device;
    ino_t number;
    struct timespec written;
} cli_file_stamp;
cli_file_stamp cli_stamp(const char *path);

/* Prints what there is to say of how a table was read, if anything: that it has no header, or that a model's had none;
 * `model` may be NULL; then `ignored`, or NULL, are the columns that were left out. */
void cli_tell_reading(const tn_dataset *data, const cli_model *model, const char *ignored);

/* Warns of classes that nothing can be learnt of, since no sample has them. */
void cli_warn_of_classes(const tn_dataset *train);

/* Warns of test samples that are few, or that were trained on. */
#define CLI_FEW 10
void cli_warn_of_test(const tn_dataset *train, const tn_dataset *test);

#endif
