/* onnx.h: a network of ONNX as the command has it, in a file of its own or in what 'tenon convert' wrote: shapes by
 * --shape or by what is fed, and a graph for these. */
#ifndef TN_CLI_ONNX_H
#define TN_CLI_ONNX_H

#include "options.h"
#include "tenon/onnx.h"
#include "tenon/tenon.h"

enum { CLI_ONNX_INPUTS = 64 };

typedef struct cli_onnx {
    const char *path;
    tn_onnx *model;
    tn_checkpoint *weights;               /* where the file is safetensors; else NULL */
    tn_onnx_given given[CLI_ONNX_INPUTS]; /* of each input, in order */
    void *data[CLI_ONNX_INPUTS];          /* what is fed to it, of the port's type; NULL: nothing yet */
    size_t inputs;
    int64_t most; /* as in tn_onnx_options */
} cli_onnx;

#define CLI_ONNX_MOST "room for what NonZero, NonMaxSuppression, Compress and Unique find in what is fed (all is known)"

/* Whether a file is one of ONNX, by its name; and whether it is that or a safetensors file that holds such a network as
 * it is, which was not trained on any data set. */
int cli_onnx_is(const char *path);
int cli_onnx_reads(const char *path); /* or by how it begins */
int cli_onnx_holds(const char *path);

/* Reads the file. cli_onnx_close follows in any case. Returns CLI_GO_ON or an exit status, as all that follow. */
int cli_onnx_open(cli_onnx *onnx, const char *path);
void cli_onnx_close(cli_onnx *onnx);

/* Input i; those that have a default come behind the others, when they were added by their names, which returns 0 if
 * there is none such. */
int cli_onnx_input(const cli_onnx *onnx, size_t i, tn_onnx_port *port);
int cli_onnx_add_default(cli_onnx *onnx, const char *name, size_t length);

/* Gives inputs their shapes: the data's; what `shapes` says, "x=1x3x224x224,N=4" with names of inputs and of dimensions
 * that the file leaves open; or what the file says. Dimensions that are open after all are `otherwise`, or an error if
 * that is 0; and so is another size than the file declares but for dimension 0, the batch. */
int cli_onnx_shapes(cli_onnx *onnx, const char *shapes, int64_t otherwise);

/* Whether the declared sizes, but for the batch, are these or open; the shape with a channel of 1 behind the batch, or
 * without it, where only that fits, else as it is; and the declaration as "(N, 3, 224, 224)". */
int cli_onnx_fits(const tn_onnx_port *port, const tn_shape *shape);
tn_shape cli_onnx_channel(const tn_onnx_port *port, tn_shape shape);
const char *cli_onnx_port_text(const tn_onnx_port *port, char *text, size_t capacity);

/* The whole numbers that an input takes: the range of its type within i32, or of the rows of the table that they choose
 * among, of which those below 0 count from its end; returns 0 for other types. And the number of a type, by its name,
 * that is nearest: f16 or bf16, infinite beyond the largest, where others stay as they are. */
int cli_onnx_range(const tn_onnx_port *port, double *least, double *most);
double cli_onnx_rounded(const char *element, double x);

/* Builds the graph. Inputs whose numbers the shapes depend on, and that have data, become constants of it. Weights are
 * constants too, or variables: of a safetensors file, and where it is asked for. Returns NULL where something is not
 * there: cli_onnx_problems says what. */
tn_graph *cli_onnx_build(cli_onnx *onnx, int variables);
/* Puts the weights into a state for graphs of variables; else does nothing. */
int cli_onnx_fill(cli_onnx *onnx, int variables, tn_state *state);
/* A line on that stream for each, from number `first` on: an error's message has the first already. */
void cli_onnx_problems(const cli_onnx *onnx, void *stream, size_t first);

/* Warns of an opset that is later than what is known here. */
void cli_onnx_warn(const tn_onnx *model, const char *path);

/* That an output is none of the files beside a network's that its weights lie in. NULL for either is fine. Returns
 * CLI_GO_ON or CLI_USAGE. */
int cli_onnx_spares(tn_onnx *model, const char *option, const char *path);

/* `tenon predict --model FILE.onnx`; `tenon eval`; `tenon convert FILE.onnx OUT`; `tenon info FILE.onnx`. */
int cli_predict_onnx(int argc, char **argv);
int cli_eval_onnx(int argc, char **argv);
int cli_convert_onnx(const char *from, const char *to, int64_t opset, const char *shapes, int64_t most);
/* The file of --model, if it is such a network; else NULL. */
const char *cli_onnx_of(int argc, char **argv);

#endif
