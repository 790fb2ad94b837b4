"""c.py: the C interface as ctypes sees it: constants, structs, and a table of the functions.

Made by python/generate.py from the headers: don't edit."""
# fmt: off
from ctypes import (CFUNCTYPE, Structure, c_char, c_char_p, c_double, c_int, c_int32, c_int64, c_size_t,
                    c_uint32, c_uint64, c_void_p)
TN_MAX_RANK = 8
TN_MAX_OPERANDS = 24
TN_MAX_INSTRS = 96
TN_MAX_SCALARS = 24
TN_ABI_MAJOR = 1
TN_ABI_MINOR = 1
TN_OK = 0
TN_EINVAL = 1
TN_ESHAPE = 2
TN_EDTYPE = 3
TN_EUNSUPPORTED = 4
TN_ENOMEM = 5
TN_EIO = 6
TN_EFORMAT = 7
TN_EDEVICE = 8
TN_EMISSING = 9
TN_ESTATE = 10
TN_F32 = 1
TN_I32 = 2
TN_U8 = 3
TN_F16 = 4
TN_BF16 = 5
TN_F64 = 6
TN_I8 = 7
TN_PRECISION_F32 = 0
TN_PRECISION_F32_FAST = 1
TN_PRECISION_BF16 = 2
TN_DEVICE_CPU = 1
TN_DEVICE_GPU = 2
TN_DEVICE_ACCELERATOR = 3
TN_DEVICE_OTHER = 4
TN_LOG_DEBUG = 0
TN_LOG_INFO = 1
TN_LOG_WARNING = 2
TN_LOG_ERROR = 3
TN_CHECK_PASSED = 0
TN_CHECK_FAILED = 1
TN_CHECK_UNSUPPORTED = 2
TN_CHECK_LISTED = 3
TN_CLASSIFY_NO = 0
TN_CLASSIFY_YES = 1
TN_CLASSIFY_AUTO = 2
TN_HEADER_AUTO = 0
TN_HEADER_YES = 1
TN_HEADER_NO = 2
TN_STREAM_NO = 0
TN_STREAM_YES = 1
TN_STREAM_AUTO = 2
TN_RESIDENT_AUTO = 0
TN_RESIDENT_DEVICE = 1
TN_RESIDENT_HOST = 2
TN_FRAMING_TEXT = 128
TN_DOUBT_NO_INK = 1
TN_DOUBT_SMALL = 2
TN_DOUBT_CUT = 8
TN_DOUBT_LITTLE = 16
TN_DOUBT_MUCH = 32
TN_DOUBT_PAPER = 64
TN_ZERO = -1e-300
TN_INIT_ZERO = 0
TN_INIT_CONSTANT = 1
TN_INIT_NORMAL = 2
TN_INIT_UNIFORM = 3
TN_INIT_XAVIER = 4
TN_INIT_HE = 5
TN_INIT_LECUN = 6
TN_INIT_XAVIER_NORMAL = 7
TN_INIT_HE_UNIFORM = 8
TN_INIT_LECUN_NORMAL = 9
TN_INIT_TRUNCATED = 10
TN_INIT_ORTHOGONAL = 11
TN_TRAINABLE = 1
TN_TRANSIENT = 2
TN_OF_CLASSES = 1
TN_OF_MARKS = 2
TN_OF_NUMBERS = 4
TN_RNN = 0
TN_LSTM = 1
TN_GRU = 2
TN_GRU_BEFORE = 3
TN_LOSS_MEAN = 0
TN_LOSS_SUM = 1
TN_LOSS_NONE = 2
TN_SUPPORT_NONE = 0
TN_SUPPORT_NO = 1
TN_SUPPORT_PART = 2
TN_SUPPORT_LOWERED = 3
TN_SUPPORT_YES = 4
TN_ROUND_HALF_DOWN = 0
TN_ROUND_HALF_UP = 1
TN_ROUND_DOWN = 2
TN_ROUND_UP = 3
TN_LINEAR = 0
TN_NEAREST = 1
TN_CUBIC = 2
TN_OUTSIDE_ZEROS = 0
TN_OUTSIDE_BORDER = 1
TN_OUTSIDE_REFLECTION = 2
TN_SCATTER_SET = 0
TN_SCATTER_ADD = 1
TN_SCATTER_MUL = 2
TN_SCATTER_MAX = 3
TN_SCATTER_MIN = 4
TN_MILESTONES = 10
TN_LAYOUT_TUNED = 0
TN_LAYOUT_USUAL = 1
TN_LAYOUT_LAST = 2
TN_LAYOUT_TRY = 3
TN_PEAK_LEVELS = 4
TN_PLACE_HOST = 1
TN_PLACE_OPENCL = 2
TN_LOAD_TAKEN = 0
TN_LOAD_SHAPE = 1
TN_LOAD_DTYPE = 2
TN_LOAD_MISSING = 3
TN_LOAD_UNUSED = 4
TN_SCALE_NONE = 0
TN_SCALE_MINMAX = 1
TN_SCALE_STANDARD = 2
TN_SCALE_UNIT = 3


class tn_msg(Structure):
    """Where a message goes: at most `capacity` bytes, the closing zero included. Frozen."""

    _fields_ = [
        ("text", c_char_p),
        ("capacity", c_uint64),
    ]
class tn_device_info(Structure):
    """Filled by device_info. Texts are closed by a zero.

    name: for people
    driver: name and version of the driver
    id: the same device keeps its id when others come and go; the backend's own id ("cpu") says that there is only ever
    this one device, which is then named without an index
    units: compute units or cores
    memory: bytes; 0: not known
    max_buffer: bytes of the largest buffer; 0: no limit
    alignment: bytes, a power of two: where a tensor of its own should begin
    max_in: operands
    max_out: operands
    max_instr: instructions of a map
    max_scalar: run-time scalars of a map"""

    _fields_ = [
        ("size", c_uint64),
        ("name", c_char * 128),
        ("vendor", c_char * 64),
        ("driver", c_char * 128),
        ("id", c_char * 64),
        ("kind", c_uint32),
        ("units", c_uint32),
        ("memory", c_uint64),
        ("max_buffer", c_uint64),
        ("alignment", c_uint64),
        ("max_in", c_uint32),
        ("max_out", c_uint32),
        ("max_instr", c_uint32),
        ("max_scalar", c_uint32),
    ]
class tn_check_options(Structure):
    """What is tried, and how.

    only: cases whose name "group/case" has one of these in it, or fits it: "abi/,q*"; NULL: all
    chat: lines with this text that a case's process prints are not held against it; NULL: none
    seed: of the random numbers in each case
    time_limit: seconds of processor time for each case; 0: 120
    list: names alone
    perf: measures speed instead of correctness
    first: the number of the first random program of the group graphs,
    cases: and how many there are (0: 200); at most as many of each operator's cases (0: all), spread over their list, and
    others with another seed"""

    _fields_ = [
        ("only", c_char_p),
        ("chat", c_char_p),
        ("seed", c_uint64),
        ("time_limit", c_double),
        ("list", c_uint32),
        ("perf", c_uint32),
        ("first", c_uint64),
        ("cases", c_uint64),
        ("spare", c_uint64 * 4),
    ]
class tn_check_row(Structure):
    """What became of one case. Texts live until the callback returns.

    name: "group/case"
    doc: what the case asks for, or NULL
    op: of a case of one operator, else NULL
    detail: of a failure: what was expected and found; else a remark or ""
    outcome: TN_CHECK_
    dtype: with op
    backward: with op: its gradient
    checks: things that were compared
    refused: operations that the backend declared unsupported
    worst: the largest error, in parts of what is allowed
    source: of a random program that failed: the smallest one found that fails, as C; else NULL"""

    _fields_ = [
        ("name", c_char_p),
        ("doc", c_char_p),
        ("op", c_char_p),
        ("detail", c_char_p),
        ("outcome", c_int32),
        ("dtype", c_int32),
        ("backward", c_uint32),
        ("checks", c_uint32),
        ("refused", c_uint32),
        ("worst", c_double),
        ("seconds", c_double),
        ("source", c_char_p),
        ("spare", c_uint64 * 4),
    ]
class tn_check_target(Structure):
    """What was checked: the backend and the device."""

    _fields_ = [
        ("device", c_char * 96),
        ("name", c_char * 128),
        ("driver", c_char * 128),
        ("backend", c_char * 32),
        ("version", c_char * 64),
        ("spare", c_uint64 * 4),
    ]
class tn_check_operator(Structure):
    """One operator of a graph, or all of them together. Texts live until the callback returns.

    name: of the operator
    repeat: what it takes to see it again: types and shapes of operands and result, and the seed
    detail: of a failure: what was expected and found; else ""
    outcome: TN_CHECK_PASSED or TN_CHECK_FAILED
    worst: the largest error, in parts of what is allowed"""

    _fields_ = [
        ("name", c_char_p),
        ("repeat", c_char_p),
        ("detail", c_char_p),
        ("outcome", c_int32),
        ("worst", c_double),
        ("spare", c_uint64 * 4),
    ]
class tn_check_exchange(Structure):
    """What became of one case. Texts live until the callback returns.

    name: what the case is about, and what it asks for
    doc: what the case is about, and what it asks for
    ranks: that took part
    outcome: TN_CHECK_; UNSUPPORTED: it is not between threads, and is to be tried by its launcher
    detail: of a failure; else "" """

    _fields_ = [
        ("name", c_char_p),
        ("doc", c_char_p),
        ("ranks", c_uint32),
        ("outcome", c_int32),
        ("detail", c_char_p),
        ("spare", c_uint64 * 4),
    ]
class tn_source(Structure):
    """A source of samples of your own. `fill` writes sample number `index`, from 0, to `x`: dense, of the data set's shape
    and type; and, unless `target` is NULL, its label (one i32) or its targets (f32) there. It is called by several
    threads at once, for samples in any order, some of them more than once, and gives the same bytes each time. A failure
    is a status other than TN_OK and one line, with no newline, in `msg`; a line left empty is that of the last function
    of this library that failed in this thread. The library's line then names the data set and the sample.

    close: called once, when no data set has the loader any more; or NULL
    arg: passed on to all of them
    name: what the sample is called, such as its file; or NULL"""

    _fields_ = [
        ("fill", CFUNCTYPE(c_int32, c_void_p, c_int64, c_void_p, c_void_p, c_void_p)),
        ("close", CFUNCTYPE(None, c_void_p)),
        ("arg", c_void_p),
        ("name", CFUNCTYPE(c_char_p, c_void_p, c_int64)),
        ("spare", c_uint64 * 3),
    ]
class tn_shape(Structure):
    """The size of each dimension, outermost first. Rank 0 is a single number."""

    _fields_ = [
        ("rank", c_int32),
        ("dim", c_int64 * TN_MAX_RANK),
    ]
class tn_dataset(Structure):
    """Samples and their targets. `x` is dense, (count, the sample's shape), of type x_dtype: u8 images (0..255, to be
    divided by 255) or f32 numbers. Either `label` (i32, count) with `classes`, or `target` (f32, count x targets). With
    `loader`, `x` is NULL; and where label and target are NULL too, they come with the samples, by `classes` or else
    `targets`.

    sample: (1, 28, 28) for MNIST, (columns) for a table
    class_names: of classes that are texts: in order, each closed by a line break; else NULL. A line break inside a name
    is written as a backslash and n, a carriage return as one and r, a backslash as two
    column_names: of a table's features, likewise; NULL: it has no header
    target_names: of what a table predicts, likewise; "column 5" where it has no header
    target_numbers: the same columns by their numbers, from 1: "5", or "1,3"
    no_header: the table's first line is data
    no_channel: 1: an array (n, h, w) became samples (1, h, w), a channel that the file has not
    notice: what the header's absence was seen by, or what else should be said of it, or of images of many sizes; or NULL
    why: with TN_CLASSIFY_AUTO: what shows that there are classes, or numbers; or NULL
    source: for messages: the file or "digits"
    loader: where samples come from that are not in x; or NULL
    row: sample i is number row[i] of the loader, or of the source; NULL: number i
    images: 1: samples are files of images, as tn_image_read has them
    separator: what stands between a table's cells: ',', ';', '|', ' ' or a tab; 0: it is no table
    origin: where samples that are in x now came from, which knows their names; or NULL
    categories: of a table whose columns to predict from are not all numbers: of each that holds texts a line "3 one-hot
    2", for the third column's two texts, which are a number each, 1 where it stands and else 0; or "3 index 2", whose
    texts are the numbers 0 and 1; and then these texts, as class_names has them. A sample then has more numbers than the
    table columns. "" where all are numbers; NULL: it is no table
    labels: above 1: of each sample, such as one for each step of a sequence: `label` is (count, labels), and what a model
    makes of a sample (labels, classes)
    weight: (count): how many times each sample counts in losses and accuracy, 0 or from 1e-18 to 1e18, which sums in f32
    bear, and not all 0; in memory even where samples have a loader. NULL: each counts once"""

    _fields_ = [
        ("count", c_int64),
        ("sample", tn_shape),
        ("x_dtype", c_int32),
        ("x", c_void_p),
        ("label", c_void_p),
        ("classes", c_int64),
        ("target", c_void_p),
        ("targets", c_int64),
        ("class_names", c_char_p),
        ("column_names", c_char_p),
        ("target_names", c_char_p),
        ("target_numbers", c_char_p),
        ("no_header", c_uint32),
        ("no_channel", c_uint32),
        ("notice", c_char_p),
        ("why", c_char_p),
        ("source", c_char_p),
        ("loader", c_void_p),
        ("row", c_void_p),
        ("images", c_uint32),
        ("separator", c_uint32),
        ("origin", c_void_p),
        ("categories", c_char_p),
        ("labels", c_int64),
        ("weight", c_void_p),
        ("spare", c_uint64 * 4),
    ]
class tn_category(Structure):
    """A column of `categories`.

    column: among those to predict from, from 0
    count: of its texts
    one_hot: 1: a number each; 0: the column is one number, of the text
    texts: a line each, in `categories`"""

    _fields_ = [
        ("column", c_int64),
        ("count", c_int64),
        ("one_hot", c_uint32),
        ("texts", c_char_p),
        ("spare", c_uint64 * 4),
    ]
class tn_csv_options(Structure):
    """A table (RFC 4180: quotes, commas and line breaks inside them), or one whose cells are separated by semicolons,
    beside which numbers may have decimal commas, tabs, bars or any number of spaces, as its first two rows show; plain
    or packed by gzip. The path "-" is standard input, which is read once and kept. The column `target` (NULL:
    the last) is what to predict: with `classify` text or whole numbers 0..n-1 (texts are numbered in alphabetical order,
    and in a column of numbers alone equal ones are one class however they are written), any number else. Several
    columns, "rent, size" or lines, are always numbers; without a header columns are named by numbers from 1. A missing
    value (nothing, "NA", "N/A", "#N/A", "<NA>", "null", "nan", "-nan", "?") becomes the column's mean, or with
    `keep_missing` NaN; in the target it is an error. A column to predict from that holds texts, few of which are
    numbers, and at most 50 different ones that come again, becomes a number for each text, 1 where it stands and else 0,
    and all 0 where the value is missing; dates and other texts are errors that name the cell. Spaces around a value
    don't count, nor do empty lines; but one of blanks is a row of one missing value. Names of columns are compared
    without regard to case and spaces, and one that is the same to the letter comes first; a name that two columns have,
    or that two others are like, is an error unless neither is read, or the order decides. What becomes a name must be
    UTF-8. Errors name file, line and column. A column that numbers the rows, as other programs write it, is warned of.
    `options` may be NULL.

    classify: TN_CLASSIFY_...
    features: not 0: a table to predict from. It has so many columns, and maybe those of the targets too, which are not
    read: no labels and no targets come of it
    columns: another table's column_names: the features are the columns of these names, in that order, and what is neither
    these nor a target is not read; one that is not there is an error that lists both sides. NULL: all that are no
    targets. A table without a header is taken in its own order, and must have as many
    target_numbers: another table's: where the targets are if it goes by order. Without `columns` that table had no header
    by_position: take the features by their order, whatever the names in `columns`, and the targets by `target_numbers`
    where these are given
    header: TN_HEADER_...
    ignore: columns that are not read, named as `target` names them; of a table to predict from by order, if it has them;
    or NULL. Not looked at with `columns` or by_position
    one_hot: columns to predict from, named likewise, whose values are kinds even if they are numbers, or more than 50
    texts: each is a number of the sample, 1 or 0; or NULL
    index: those that become one whole number, from 0 in alphabetical order; or NULL
    categories: another table's: which columns have texts, and what these become; another text counts as missing, which a
    warning says. NULL: they are found
    weights: the column that becomes the samples' weights, named as `target` names it, and is neither predicted nor
    predicted from: 0 or from 1e-18 to 1e18, none missing; or NULL. tn_dataset_open takes it of archives too: the array of
    that name, or, where they have x_train and x_test, those of NAME_train and NAME_test"""

    _fields_ = [
        ("target", c_char_p),
        ("classify", c_uint32),
        ("features", c_int64),
        ("keep_missing", c_uint32),
        ("columns", c_char_p),
        ("target_numbers", c_char_p),
        ("by_position", c_uint32),
        ("header", c_uint32),
        ("ignore", c_char_p),
        ("one_hot", c_char_p),
        ("index", c_char_p),
        ("categories", c_char_p),
        ("weights", c_char_p),
        ("spare", c_uint64 * 4),
    ]
class tn_array(Structure):
    """An array in host memory, dense and row-major."""

    _fields_ = [
        ("dtype", c_int32),
        ("shape", tn_shape),
        ("data", c_void_p),
        ("spare", c_uint64 * 4),
    ]
class tn_open_options(Structure):
    """How to open a data set; what is 0 is as usual.

    stream: TN_STREAM_...
    image: of a folder's images, as tn_dataset_images has it; rank 0: as NULL there
    context: not 0: the file is a text, as tn_dataset_text has it; its last tenth is for testing
    folds: not 0: the samples are cut into so many parts by the seed, of each class its share, and part number `fold`,
    from 0, is for testing: each sample in one of them. For cross-validation; an error with fewer samples, or where there
    is a part for testing already
    alphabet: with `context`: samples are characters instead of bytes, numbered by it: "" finds those of the training
    part, which become class_names, the first standing for all others; else such class_names, of another text. NULL: bytes"""

    _fields_ = [
        ("seed", c_uint64),
        ("csv", tn_csv_options),
        ("stream", c_uint32),
        ("image", tn_shape),
        ("context", c_int64),
        ("folds", c_int64),
        ("fold", c_int64),
        ("alphabet", c_char_p),
        ("spare", c_uint64 * 4),
    ]
class tn_backend_report(Structure):
    """One line for each backend that was found: its id, its file ("built in" for the reference), and why it was skipped
    (NULL if it was not). `devices` is how many it has. Texts live as long as the library. Returns 0 past the last; the
    reference is always there, so that 0 for the first means that memory was short.

    status: that goes with the problem: TN_ENOMEM where it may work another time"""

    _fields_ = [
        ("id", c_char_p),
        ("version", c_char_p),
        ("doc", c_char_p),
        ("file", c_char_p),
        ("problem", c_char_p),
        ("devices", c_uint32),
        ("status", c_int32),
        ("spare", c_uint64 * 4),
    ]
class tn_device_entry(Structure):
    """The devices of all backends, the reference last. Returns 0 past the last. `name` is the backend's id and the device's
    index ("opencl:0"); the id alone ("cpu", "reference") where the device declares itself the only one that its backend
    can ever have, which it does by a stable id equal to the backend's. So a name doesn't change as devices come and go."""

    _fields_ = [
        ("name", c_char * 96),
        ("info", tn_device_info),
        ("spare", c_uint64 * 4),
    ]
class tn_residence(Structure):
    """What is said of that; zeroed, as it fits.

    where: TN_RESIDENT_...
    threads: that bring batches together; 0: one for samples in memory, else one for each processor
    memory: with AUTO: bytes of the device that they may take; 0: as many as there are"""

    _fields_ = [
        ("where", c_uint32),
        ("threads", c_uint32),
        ("memory", c_uint64),
        ("spare", c_uint64 * 4),
    ]
class tn_compile_options(Structure):
    """What compiling is told; all zero is the usual.

    strict: an operator that the device doesn't support is an error instead of a fallback
    unfused: one kernel an operator, for comparison
    f64: compute f32 tensors in f64: for checking gradients. Its state has f64 in their place, and tn_feed and tn_fetch
    numbers of 8 bytes; tn_fit and its kin convert
    storage: TN_F16 or TN_BF16: what passes between kernels is stored so where the device's kernels take it; sums and
    products are in f32 all the same. Variables and what becomes one (gradients of parameters, and all that an optimizer
    makes of them), losses, inputs, outputs and tensors of under 1024 elements stay f32. 0: everything does
    precision: TN_PRECISION_F32_FAST or TN_PRECISION_BF16: matrix products and convolutions may round their factors so
    where that makes the device faster; they add up in f32, and all else, variables and optimizers among it, is f32 as
    ever. 0: nothing is rounded
    tune: seconds that may be spent on choosing kernels for operators that were not tuned before (tune.h), and how images
    lie; 0: none
    layout: TN_LAYOUT_"""

    _fields_ = [
        ("strict", c_uint32),
        ("unfused", c_uint32),
        ("f64", c_uint32),
        ("storage", c_int32),
        ("precision", c_uint32),
        ("tune", c_double),
        ("layout", c_uint32),
        ("unused", c_uint32),
        ("spare", c_uint64 * 2),
    ]
class tn_model(Structure):
    """`build` makes the network's output, as the loss takes it, from a batch of samples x: (batch, the sample's shape),
    f32, where bytes have been divided by 255; i32 samples come as they are. It is called several times, for batches of
    several sizes; `training` is 0 where the model is only measured or used.

    `cost`, unless NULL, takes the place of `loss`: it makes a loss of rank 0, the batch's mean, from what `build` gave
    and the data set's targets, f32 (batch, targets), or labels, i32 (batch). Then nothing is counted as right. A network
    of several inputs and heads has its inputs side by side in a sample and its heads side by side in its output, as
    their targets are: tn_dataset_beside makes such data of one set for each, and build and cost take them apart by
    tn_apart: examples/s17_two_inputs.c, s18_two_heads.c.

    loss: a name that tn_loss knows; with `cost` it is not looked at
    arg: passed on to `build`
    compile: of all its programs
    data: of the samples that it is used with"""

    _fields_ = [
        ("build", CFUNCTYPE(c_void_p, c_void_p, c_int, c_void_p)),
        ("loss", c_char_p),
        ("arg", c_void_p),
        ("compile", tn_compile_options),
        ("data", tn_residence),
        ("cost", CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_int, c_void_p)),
        ("spare", c_uint64 * 3),
    ]
class tn_score(Structure):
    """Means over the samples. Accuracy is the share of samples that are wholly right, as tn_count_correct counts; NaN where
    neither the data has classes nor the loss is made for them, or where outputs are no numbers.

    Where the data has weights of samples, each sample counts as often as its weight says, in both, and in the loss of a
    batch that is made small: the sum of weighted losses divided by the sum of the batch's weights, as scikit-learn's
    sample_weight does it (Pedregosa and others, 2011), and PyTorch's means with weights of classes, by which these are
    multiplied. A batch in which all weights are 0 has a loss of 0, and moves the weights no more than decay does."""

    _fields_ = [
        ("loss", c_double),
        ("accuracy", c_double),
    ]
class tn_epoch(Structure):
    """What came of an epoch.

    number: from 1
    train: of the batches as they were trained on
    test: of the test set after the epoch; NaN without one
    seconds: that the epoch took, measuring not counted
    validation: of the validation set, as of the test set
    rate: the learning rate of its last step; 0 in the middle of it
    weight: of data with weights: the sum of those that the epoch's batches had so far; else 0
    total: what the sum of their losses was divided by: that, or with weights of classes another"""

    _fields_ = [
        ("number", c_int64),
        ("train", tn_score),
        ("test", tn_score),
        ("seconds", c_double),
        ("validation", tn_score),
        ("rate", c_double),
        ("weight", c_double),
        ("total", c_double),
        ("spare", c_uint64 * 4),
    ]
class tn_optim_options(Structure):
    """Zero means the usual value; TN_ZERO (graph.h) in momentum, beta1, beta2, epsilon, alpha and weight_decay means 0
    itself: AdamW without decay is .weight_decay = TN_ZERO. The learning rate is the scalar input "lr", so that tn_set
    changes it at any time.

    lr: learning rate: as tn_optimizer_at says
    momentum: momentum and nesterov: 0.9; rmsprop: 0
    beta1: Adam and its kin: 0.9
    beta2: 0.999; lion: 0.99
    epsilon: 1e-8; adagrad: 1e-10, adadelta: 1e-6
    alpha: rmsprop: 0.99; adadelta: 0.9
    weight_decay: adds that share of the parameter to its gradient: 0; adamw: 0.01, see there
    clip_norm: largest norm of all gradients together; 0: no limit
    clip_value: largest size of each value of the gradients, after that; 0: no limit
    amsgrad: adam and adamw divide by the largest second moment so far: Reddi, Kale and Kumar, 2018
    centered: rmsprop divides by the gradient's deviation: Graves, 2013
    no_decay: parameters without weight decay, by names or patterns as for tn_freeze, such as "*bias, bn*"; "vectors"
    stands for all of fewer than two dimensions. NULL: none
    rates: factors on the learning rate of parameters: a pattern and a number each, "conv* 0.1, fc2 2"; the first that
    fits counts. NULL: none
    decays: weight decays of parameters, likewise: "*bias 0, norm* 0, fc* 0.01"; weight_decay is that of all others. NULL:
    none
    only: the parameters that it updates, by names or patterns as in no_decay. NULL: all that are trainable
    name: its learning rate is the scalar input "NAME.lr". NULL: "lr" """

    _fields_ = [
        ("lr", c_double),
        ("momentum", c_double),
        ("beta1", c_double),
        ("beta2", c_double),
        ("epsilon", c_double),
        ("alpha", c_double),
        ("weight_decay", c_double),
        ("clip_norm", c_double),
        ("clip_value", c_double),
        ("amsgrad", c_uint32),
        ("centered", c_uint32),
        ("no_decay", c_char_p),
        ("rates", c_char_p),
        ("decays", c_char_p),
        ("only", c_char_p),
        ("name", c_char_p),
        ("spare", c_uint64 * 4),
    ]
class tn_fit_options(Structure):
    """How to train; what is 0 is as usual.

    epochs: at most; required
    batch: samples a step; 0, or more than there are: all. The last of an epoch may be smaller
    optimizer: NULL: "sgd"
    schedule: of the learning rate, as tn_schedule_parse takes it, in steps of this call; or NULL
    test: measured after each epoch; or NULL
    patience: ends after that many epochs in a row without a new lowest loss; 0: never. Epochs, for this and for a
    "plateau", are judged by the loss of validation, or else of the test, or else of training; a loss that is no number is
    never the lowest
    least_fall: share of the lowest loss by which a new one must be lower to count
    each: called after each epoch, unless NULL; ends the training by not returning 0
    validation: measured after each epoch; or NULL
    smoothing: as tn_loss_options has it; in training alone, as the next
    class_weights: of each class, in the training loss: 0 or more, and not all 0; or NULL
    step_loss: keep each step's own loss for tn_training_step_loss
    shards: equal parts into which a batch is cut, and whose gradients are computed one by one and then added up: for less
    memory, or by several workers. A divisor of `batch`; 0: 1, or as tn_usual_shards says of a team. Batch normalisation,
    unless it is to be over all of them (tn_batch_norm_options.sync: then a worker's shards are in memory at once), and a
    loss that is a mean weighted by classes alone, take each for itself. Part of what comes out, to the last bit
    team: whose workers make the same calls, and share the shards; or NULL. It outlives the training
    devices: that take shards beside the state's own, each with a thread, a state and the samples for itself; the
    caller's, as the team is, of which they are the ranks from 1 on: then there is no other team. What the caller writes
    into the state after the first step does not reach them
    shares: of the batch, one for each worker, in the order of their ranks: 5 and 3, say. NULL: alike on devices of one
    kind, else in proportion to the speeds that they measure. Of unlike devices part of what comes out, to the last bit
    trace: a file that gets what happened when in the first steps, as Chrome's trace events; or NULL
    bucket: bytes of the gradient that are exchanged at once, while the rest is computed; 0: 512 KiB"""

    _fields_ = [
        ("epochs", c_int64),
        ("batch", c_int64),
        ("optimizer", c_char_p),
        ("optim", tn_optim_options),
        ("schedule", c_char_p),
        ("test", c_void_p),
        ("patience", c_int64),
        ("least_fall", c_double),
        ("each", CFUNCTYPE(c_int, c_void_p, c_void_p)),
        ("arg", c_void_p),
        ("validation", c_void_p),
        ("smoothing", c_double),
        ("class_weights", c_void_p),
        ("step_loss", c_uint32),
        ("shards", c_uint32),
        ("team", c_void_p),
        ("devices", c_void_p),
        ("n_devices", c_uint32),
        ("shares", c_void_p),
        ("trace", c_char_p),
        ("bucket", c_uint64),
        ("spare", c_uint64 * 4),
    ]
class tn_training_place(Structure):
    """Where a training stands.

    epochs: done
    step: steps done in the next one
    steps: in an epoch
    samples: that those steps took
    best: number of the epoch with the lowest loss, as for `patience`; 0: there is none
    stalled: epochs done since that one
    finished: all epochs are done, or patience is at its end
    diverged: the epoch's loss is not finite any more; the state has what the steps made of it
    asked: a worker had called tn_training_ask by the last step; all of them see it after the same step"""

    _fields_ = [
        ("epochs", c_int64),
        ("step", c_int64),
        ("steps", c_int64),
        ("samples", c_int64),
        ("best", c_int64),
        ("stalled", c_int64),
        ("finished", c_int32),
        ("diverged", c_int32),
        ("asked", c_int32),
        ("spare", c_uint64 * 4),
    ]
class tn_feeding(Structure):
    """How samples came to the device so far.

    fed: 0: they are on the device; 1: they are fed to it,
    threads: by so many threads
    bytes: of all data sets, as they are on the device or would be
    waited: seconds that steps waited for samples to be read
    begun: times that reading ahead began: once an epoch
    pinned: bytes of the host's memory that batches are read to and the device copies from by itself"""

    _fields_ = [
        ("fed", c_uint32),
        ("threads", c_uint32),
        ("bytes", c_uint64),
        ("waited", c_double),
        ("begun", c_uint64),
        ("pinned", c_uint64),
        ("spare", c_uint64 * 3),
    ]
class tn_exchange(Structure):
    """What workers exchanged of their gradients so far.

    buckets: in which a step's gradient is exchanged; 0: there is one worker
    seconds: spent on it, waiting for slower workers included;
    waited: and those that steps waited for it, after computing: the rest was hidden behind that"""

    _fields_ = [
        ("buckets", c_uint32),
        ("seconds", c_double),
        ("waited", c_double),
        ("spare", c_uint64 * 4),
    ]
class tn_training_share(Structure):
    """What a worker takes of each batch, once the first epoch has begun. `index` is its rank, or 0 for the state's device
    and then one for each of `devices`. Returns 0 past the last. Texts and programs are the training's own.

    kind: the same text: shards may change hands, and no bit changes
    program: of a shard, for reports; NULL in other processes"""

    _fields_ = [
        ("device", c_char_p),
        ("kind", c_char_p),
        ("shards", c_uint32),
        ("program", c_void_p),
        ("spare", c_uint64 * 4),
    ]
class tn_framing(Structure):
    """How the images of a set are framed. Levels are 0..255; x, y and size are shares of an image's width and height.

    framed: whether they are framed alike at all; if not, the rest tells little
    by_mass: what lies at (x, y): 1 the ink's centre of mass, 0 the middle of its box
    x: (0.5, 0.5) is the middle of the image
    y: (0.5, 0.5) is the middle of the image
    size: of the ink's box: its width or height, whichever is the larger share
    paper: levels: ink above paper is light on dark
    ink: levels: ink above paper is light on dark
    least: how much of the image is ink: between these for 98 images in 100
    most: how much of the image is ink: between these for 98 images in 100
    thin: strokes are so wide, in pixels of the set's: between these for 80 in 100
    thick: strokes are so wide, in pixels of the set's: between these for 80 in 100"""

    _fields_ = [
        ("framed", c_int32),
        ("by_mass", c_int32),
        ("x", c_double),
        ("y", c_double),
        ("size", c_double),
        ("paper", c_double),
        ("ink", c_double),
        ("least", c_double),
        ("most", c_double),
        ("thin", c_double),
        ("thick", c_double),
        ("spare", c_uint64 * 4),
    ]
class tn_ink(Structure):
    """What was found in an image: the ink's box in its pixels, the levels (0..255) of the paper there and of the ink."""

    _fields_ = [
        ("left", c_int64),
        ("top", c_int64),
        ("width", c_int64),
        ("height", c_int64),
        ("paper", c_double),
        ("ink", c_double),
        ("doubts", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_value_of(Structure):
    """The value of an input: dense, row-major, of the input's type and size."""

    _fields_ = [
        ("input", c_char_p),
        ("data", c_void_p),
    ]
class tn_gradient_options(Structure):
    """Zeros mean: on the reference, with the variables' first values by seed 0, all elements.

    device: which computes the gradients, and must do f64; the losses are always the reference's
    state: values of variables, for those that it has
    seed: of the other variables, and of random operators
    elements: tried in each variable, evenly spread; 0: all"""

    _fields_ = [
        ("device", c_void_p),
        ("state", c_void_p),
        ("seed", c_uint64),
        ("elements", c_int64),
        ("spare", c_uint64 * 4),
    ]
class tn_gradient_error(Structure):
    """How right the gradient of one variable is.

    name: the variable's; lives as long as the graph
    compared: elements; one where the loss has a kink, as relu has at 0, is left out
    element: the worst of them
    gradient: there, by tn_grad
    difference: there, by central differences, extrapolated from steps of 1e-4 and 5e-5 times max(1, |x|)
    error: |gradient - difference| / max(|gradient|, |difference|, 0.001) there; a right one has < 1e-6"""

    _fields_ = [
        ("name", c_char_p),
        ("compared", c_int64),
        ("element", c_int64),
        ("gradient", c_double),
        ("difference", c_double),
        ("error", c_double),
        ("spare", c_uint64 * 4),
    ]
class tn_init(Structure):
    """First values of a variable.

    a: see there; of those by fans, and orthogonal ones, a factor; 0: 1
    zero_row: of the first dimension, counted from 1: its values are 0 whatever the kind; 0: none is"""

    _fields_ = [
        ("kind", c_int32),
        ("a", c_double),
        ("fan_in", c_int64),
        ("fan_out", c_int64),
        ("zero_row", c_int64),
    ]
class tn_measured_samples(Structure):
    """The same of samples that count as often as their weights say, as with scikit-learn's sample_weight; confusions and
    support count samples.

    kind: TN_OF_...
    weight: of each sample, as a tn_dataset has them; NULL: 1
    count: parts: classes or targets
    parts: parts: classes or targets
    threshold: of marks"""

    _fields_ = [
        ("kind", c_uint32),
        ("label", c_void_p),
        ("target", c_void_p),
        ("output", c_void_p),
        ("weight", c_void_p),
        ("count", c_int64),
        ("parts", c_int64),
        ("threshold", c_double),
        ("spare", c_uint64 * 4),
    ]
class tn_measure_entry(Structure):
    """The measures there are. Returns 0 past the last.

    name: "balanced_accuracy"
    of: what it is of: TN_OF_... added up
    all: there is one of all,
    each: and one of each class or target
    lower: lower is better; such a one is in the target's own units"""

    _fields_ = [
        ("name", c_char_p),
        ("doc", c_char_p),
        ("of", c_uint32),
        ("all", c_uint32),
        ("each", c_uint32),
        ("lower", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_linear_options(Structure):
    """y = x W' + b over the last dimension: (..., in) -> (..., units). tn_linear(x, "fc1", .units = 100)

    units: required, at least 1
    init: of the weight; NULL: TN_INIT_LECUN. The bias begins at zero"""

    _fields_ = [
        ("units", c_int64),
        ("no_bias", c_uint32),
        ("init", c_void_p),
        ("spare", c_uint64 * 4),
    ]
class tn_conv2d_options(Structure):
    """Convolution of (batch, channels, height, width), with parameters "conv1.weight" (filters, channels / groups, kernel)
    and "conv1.bias" (filters). tn_conv2d(x, "conv1", .filters = 32, .kernel = {5, 5})

    filters: required, at least 1
    kernel: required; a width of 0 is the height
    stride: 0: 1; a width of 0 is the height
    pad: of zeros on all sides; a width of 0 is none, for a kernel of one column wants that
    dilation: as the stride
    groups: 0: 1
    same: instead of `pad`: y is as large as x, divided by the stride and rounded up
    init: of the weight; NULL: TN_INIT_LECUN. The bias begins at zero"""

    _fields_ = [
        ("filters", c_int64),
        ("kernel", c_uint32 * 2),
        ("stride", c_uint32 * 2),
        ("pad", c_uint32 * 2),
        ("dilation", c_uint32 * 2),
        ("groups", c_uint32),
        ("same", c_uint32),
        ("no_bias", c_uint32),
        ("init", c_void_p),
        ("spare", c_uint64 * 4),
    ]
class tn_conv2d_transpose_options(Structure):
    """What tn_conv2d_transpose takes.

    filters: channels of y; required, at least 1
    kernel: required; a width of 0 is the height, as of stride and dilation
    stride: 0: 1
    pad: rows and columns that are left out on both sides of y; a width of 0 is none
    more: rows and columns added at the end of y: PyTorch's output_padding
    groups: 0: 1
    init: as in tn_conv2d"""

    _fields_ = [
        ("filters", c_int64),
        ("kernel", c_uint32 * 2),
        ("stride", c_uint32 * 2),
        ("pad", c_uint32 * 2),
        ("more", c_uint32 * 2),
        ("dilation", c_uint32 * 2),
        ("groups", c_uint32),
        ("no_bias", c_uint32),
        ("init", c_void_p),
        ("spare", c_uint64 * 4),
    ]
class tn_conv1d_options(Structure):
    """Along one dimension: (batch, channels, length), with parameters "NAME.weight" (filters, channels / groups, kernel),
    transposed (channels, filters / groups, kernel), and "NAME.bias" (filters). Options are as in two dimensions.
    tn_conv1d(x, "conv1", .filters = 32, .kernel = 5)

    filters: required, at least 1
    kernel: required
    stride: 0: 1
    more: transposed alone
    dilation: 0: 1
    groups: 0: 1
    same: not transposed"""

    _fields_ = [
        ("filters", c_int64),
        ("kernel", c_uint32),
        ("stride", c_uint32),
        ("pad", c_uint32),
        ("more", c_uint32),
        ("dilation", c_uint32),
        ("groups", c_uint32),
        ("same", c_uint32),
        ("no_bias", c_uint32),
        ("init", c_void_p),
        ("spare", c_uint64 * 4),
    ]
class tn_pool1d_options(Structure):
    """Pooling of (batch, channels, length); the window is required. tn_maxpool1d(x, .window = 2)

    stride: 0: as the window
    ceil_mode: these two as in tn_pool_options"""

    _fields_ = [
        ("window", c_uint32),
        ("stride", c_uint32),
        ("pad", c_uint32),
        ("ceil_mode", c_uint32),
        ("count_pad", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_batch_norm_options(Structure):
    """Normalisation, with PyTorch's names, shapes and semantics; x is (batch, channels, ...) where channels count. Zero
    options mean the usual value, and TN_ZERO as an epsilon 0. Batch normalisation (Ioffe and Szegedy, 2015) takes the
    batch's own mean and variance in training, and moves "running_mean" and "running_var" (unbiased) towards them, each
    use of the layer in turn where a graph has several; otherwise it takes these. Where a training cuts its batches into
    shards (fit.h), each shard is a batch of its own, unless `sync` asks for the whole batch's mean and variance.

    momentum: share of the new batch in the running statistics: 0.1
    epsilon: 1e-5
    sync: over all shards of the batch, as PyTorch's SyncBatchNorm; no difference where there are none"""

    _fields_ = [
        ("training", c_uint32),
        ("momentum", c_double),
        ("epsilon", c_double),
        ("sync", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_norm_options(Structure):
    """Over the last dimension (Ba, Kiros and Hinton, 2016); without mean and bias (Zhang and Sennrich, 2019).
    tn_layer_norm(x, "ln1") or tn_layer_norm(x, "ln1", .epsilon = 1e-6)

    epsilon: added to the variance, or the mean square: 1e-5; rms_norm: 2^-23, the distance of 1 from the next f32"""

    _fields_ = [
        ("name", c_char_p),
        ("epsilon", c_double),
        ("spare", c_uint64 * 4),
    ]
class tn_group_norm_options(Structure):
    """Over each of some groups of channels (Wu and He, 2018). tn_group_norm(x, "gn1", 8)

    groups: required; they divide the channels
    epsilon: 1e-5"""

    _fields_ = [
        ("groups", c_int64),
        ("epsilon", c_double),
        ("spare", c_uint64 * 4),
    ]
class tn_recurrent_options(Structure):
    """Recurrent layers: x (batch, steps, features) -> (batch, steps, units), unrolled over the steps. Parameters are named
    as PyTorch does it: "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"; the gates of an LSTM are in the order
    in, forget, content, out, those of a GRU reset, update, content. Of several layers each takes the results of the one
    before ("weight_ih_l1", ...). With `bidirectional` each also goes through the steps from the last
    ("weight_ih_l0_reverse", ...), and the results of both stand side by side: (batch, steps, 2 units). All layers' steps
    together are at most 2^20.
    `lengths`, i32 (batch), says where each sample ends: what comes after is 0 and leaves its state alone.

    units: required, at least 1
    layers: 0: 1
    dropout: rate for the results of each layer but the last; leave it 0 in a graph that evaluates"""

    _fields_ = [
        ("kind", c_int32),
        ("units", c_int64),
        ("lengths", c_void_p),
        ("layers", c_int64),
        ("bidirectional", c_uint32),
        ("dropout", c_double),
        ("spare", c_uint64 * 4),
    ]
class tn_recurrent_state(Structure):
    """(batch, units) each; c for LSTM alone. NULL stands for zeros. To carry a state from one piece of a long sequence to
    the next, keep it in variables."""

    _fields_ = [
        ("h", c_void_p),
        ("c", c_void_p),
    ]
class tn_attention_options(Structure):
    """Attention with several heads of x (batch, steps, width) to itself or to a memory, with PyTorch's names:
    "NAME.in_proj_weight" (3 width, width) and "in_proj_bias" for queries, keys and values, "NAME.out_proj.weight" and
    ".bias". tn_multihead_attention(x, "attention", .heads = 4, .causal = 1)

    heads: required; they divide the width
    memory: (batch, keys, width): what to look at; NULL: x
    mask: (batch, keys): not 0 where there is a key, 0 for padding; NULL: all. A query that sees no key gets zeros
    causal: step i sees the keys 0..i alone
    dropout: rate for the weights of keys; leave it 0 in a graph that evaluates"""

    _fields_ = [
        ("heads", c_int64),
        ("memory", c_void_p),
        ("mask", c_void_p),
        ("causal", c_uint32),
        ("dropout", c_double),
        ("spare", c_uint64 * 4),
    ]
class tn_transformer_options(Structure):
    """A transformer's layer over x (batch, steps, width): attention to itself; to a memory, if there is one; and two linear
    layers. Names are those of PyTorch's TransformerEncoderLayer and, with a memory, TransformerDecoderLayer:
    "self_attn", "multihead_attn", "linear1", "linear2", "norm1" and so on. Normalisation stands before each part (Xiong
    and others, 2020) and the activation is gelu, unless told otherwise.

    heads: required
    hidden: units between the linear layers; 0: 4 width
    memory: (batch, keys, width), of an encoder; NULL: none
    mask: as of tn_attention_options: of x, and of the memory
    memory_mask: as of tn_attention_options: of x, and of the memory
    causal: for x
    norm_last: after each part, as in Vaswani and others, 2017, and PyTorch's norm_first=False
    relu: instead of gelu
    dropout: rate, where PyTorch has it; leave it 0 in a graph that evaluates
    epsilon: of the normalisations, as in tn_norm_options"""

    _fields_ = [
        ("heads", c_int64),
        ("hidden", c_int64),
        ("memory", c_void_p),
        ("mask", c_void_p),
        ("memory_mask", c_void_p),
        ("causal", c_uint32),
        ("norm_last", c_uint32),
        ("relu", c_uint32),
        ("dropout", c_double),
        ("epsilon", c_double),
        ("spare", c_uint64 * 4),
    ]
class tn_net_options(Structure):
    """Builds a network from a named one ("mlp", "perceptron", ...) or from layers in order:
    "linear 100, sigmoid, linear 40, sigmoid, linear 10". Layers are named by kind and number: "conv1", "fc2". The first
    dimension is the batch; `linear` flattens what has more than two. `outputs` is how many numbers the network gives
    for a sample: a spec writes "linear outputs" for it, and so do the named networks.
    `training` switches dropout on. `init` names the initialisation of the weights: "auto" (he before relu and its like,
    xavier before all else) or another that tn_net_init_at lists; NULL: "auto". `scale` is the deviation of "normal" and
    "truncated", the end of "uniform", the value of "constant", and a factor for others; 0: the usual. `freeze`, unless
    NULL, is as for tn_freeze; frozen batch normalisation takes the running statistics in training too. `sync_norm` makes
    every batch normalisation one over all shards of the batch (tn_batch_norm_options.sync). `each`, unless NULL, is
    called with `arg` after each layer, as it is written, and what came out of it. Errors name the layer."""

    _fields_ = [
        ("training", c_uint32),
        ("outputs", c_int64),
        ("init", c_char_p),
        ("scale", c_double),
        ("freeze", c_char_p),
        ("sync_norm", c_uint32),
        ("each", CFUNCTYPE(None, c_void_p, c_char_p, c_void_p)),
        ("arg", c_void_p),
        ("spare", c_uint64 * 2),
    ]
class tn_net_word(Structure):
    """The layers and named networks that tn_net knows, for help texts. Returns 0 past the last.

    usage: "linear UNITS"; of a named network its layers"""

    _fields_ = [
        ("name", c_char_p),
        ("usage", c_char_p),
        ("doc", c_char_p),
        ("spare", c_uint64 * 4),
    ]
class tn_loss_options(Structure):
    """How the losses of elements or samples become one: the mean that belongs to the loss, their sum, or not at all.

    weight: of each class, f32 (classes), for losses of labels; a mean is then a weighted one, and 0 where all weights are
    smoothing: share of the target that is spread over all classes: Szegedy and others, 2016
    ignores: samples of the label `ignored`, such as padding, which may be outside the classes, have no loss and no part
    in the mean; which is 0 where all are ignored
    positive: binary_cross_entropy, binary_focal: weight of a target of 1, f32, broadcast to the outputs
    delta: huber, smooth_l1: where the square ends: 1
    margin: hinge, multi_margin: 1
    gamma: focal, binary_focal (Lin and others, 2017): 2, at least 1
    sample_weight: of each sample, f32 (batch), 0 or more: its losses count that many times, so that a whole number does
    what as many equal samples do. A mean is then a weighted one, and 0 where all weights are, as with `weight`, by which
    these are multiplied"""

    _fields_ = [
        ("reduction", c_int32),
        ("weight", c_void_p),
        ("smoothing", c_double),
        ("ignores", c_uint32),
        ("ignored", c_int32),
        ("positive", c_void_p),
        ("delta", c_double),
        ("margin", c_double),
        ("gamma", c_double),
        ("sample_weight", c_void_p),
        ("spare", c_uint64 * 3),
    ]
class tn_loss_entry(Structure):
    """What a loss takes. Returns 0 past the last.

    labels: it needs class labels
    classes: its outputs stand for classes, so that counting the right ones makes sense for targets too
    errors: it depends on output less target alone, so that both may be shifted and scaled
    probabilities: tn_loss_readable makes probabilities of its outputs, of classes or of yes"""

    _fields_ = [
        ("name", c_char_p),
        ("doc", c_char_p),
        ("labels", c_uint32),
        ("classes", c_uint32),
        ("errors", c_uint32),
        ("probabilities", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_onnx_port(Structure):
    """An input or output as the file declares it. Texts live as long as the model.

    element: the type's name in ONNX, "int64"
    dtype: what it is in a graph; 0: it is no tensor of numbers
    rank: 1: not said
    dim: 1: not said, or
    symbol: the name that stands for it; else NULL
    needed: the last build needed its numbers, not only its shape: see tn_onnx_given
    rows: its numbers choose among so many rows, of a table of weights; 0: they do not"""

    _fields_ = [
        ("name", c_char_p),
        ("element", c_char_p),
        ("dtype", c_int32),
        ("rank", c_int32),
        ("dim", c_int64 * TN_MAX_RANK),
        ("symbol", c_char_p * TN_MAX_RANK),
        ("needed", c_uint32),
        ("rows", c_int64),
        ("spare", c_uint64 * 3),
    ]
class tn_onnx_operator(Structure):
    """The file's operators, each kind once, in the order of their first use; and how many numbers its weights are.

    domain: "" for ONNX's own
    opset: of the domain
    count: nodes
    is_known: there is a rule for it
    quantised: nodes whose weights are whole numbers, which are no parameters"""

    _fields_ = [
        ("name", c_char_p),
        ("domain", c_char_p),
        ("opset", c_int64),
        ("count", c_uint32),
        ("is_known", c_uint32),
        ("quantised", c_uint64),
        ("spare", c_uint64 * 3),
    ]
class tn_onnx_given(Structure):
    """What an input is in a graph. With `data`, dense and of the port's dtype, it is a constant: for those whose numbers
    the shapes depend on (`needed`)."""

    _fields_ = [
        ("name", c_char_p),
        ("shape", tn_shape),
        ("data", c_void_p),
        ("spare", c_uint64 * 4),
    ]
class tn_onnx_options(Structure):
    """How to build; all zero is for inference.

    trainable: weights, f32 or f64, are parameters of their names, and running statistics variables; else constants. What
    QuantizeLinear and then DequantizeLinear make of numbers has their gradient where these are in range, else 0
    training: dropout drops, and batch normalisation goes by the batch. With `trainable` a network that was quantised,
    weights of which are whole numbers (tn_onnx_operator.quantised), is TN_EUNSUPPORTED, unless all others are frozen
    bare: output 0 is without the softmax or sigmoid that it ends in (tn_onnx_end_of)
    sync_norm: in training, batch normalisation is over all shards of a batch (tn_across)
    outputs: the last layer has so many outputs and begins anew; 0: as in the file
    most: places that NonZero and NonMaxSuppression find in what is fed, and elements or slices that Compress and Unique
    take of it: there is room for so many, and the rest is -1, of elements and their counts 0. 0: they are to be known
    when the graph is built, and are as many as there are"""

    _fields_ = [
        ("trainable", c_uint32),
        ("training", c_uint32),
        ("bare", c_uint32),
        ("sync_norm", c_uint32),
        ("outputs", c_int64),
        ("most", c_int64),
        ("spare", c_uint64 * 4),
    ]
class tn_onnx_end(Structure):
    """How output 0 comes about at its end, for those who train the network on something else, or by a loss that has the
    softmax itself. Texts live as long as the model; NULL: there is none such.

    activation: "Softmax", "LogSoftmax" or "Sigmoid", of which nothing else is made
    weight: of the last layer: a product or convolution with weights that nothing else uses
    outputs: of that layer; 0: there is none such"""

    _fields_ = [
        ("activation", c_char_p),
        ("weight", c_char_p),
        ("bias", c_char_p),
        ("outputs", c_int64),
        ("spare", c_uint64 * 4),
    ]
class tn_onnx_problem(Structure):
    """What the last build could not do, each kind of thing once. Texts live until the next build.

    op: its name
    why: what of it, an attribute for instance
    node: the first such node's name, or its first output's
    input: the input whose numbers would be needed, or NULL"""

    _fields_ = [
        ("op", c_char_p),
        ("domain", c_char_p),
        ("opset", c_int64),
        ("why", c_char_p),
        ("node", c_char_p),
        ("input", c_char_p),
        ("count", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_onnx_save_options(Structure):
    """All zero is usual.

    opset: 18 to 23; 0: 18
    other: the same network for another batch: see there; NULL: all sizes are fixed
    name: of the network; NULL: "tenon"
    notes: the file's metadata
    external: weights of so many bytes or more go to a file beside it, PATH with ".data" behind; 0: where all of it would
    have 2 GiB or more, those of a KiB"""

    _fields_ = [
        ("opset", c_int64),
        ("other", c_void_p),
        ("name", c_char_p),
        ("notes", c_void_p),
        ("n_notes", c_uint64),
        ("external", c_uint64),
        ("spare", c_uint64 * 3),
    ]
class tn_op_entry(Structure):
    """What is known of an operator.

    kind: "leaf", "element-wise", "view", "kernel" or "composite"
    doc: one line
    operands: how many; -1: any number from 1 on
    attributes: what else it is told, by the names that a graph's file has, with what each may be: "axis: axis, exclusive:
    flag", "kind: sum|prod|max"; "" where it is nothing"""

    _fields_ = [
        ("name", c_char_p),
        ("kind", c_char_p),
        ("doc", c_char_p),
        ("differentiable", c_int),
        ("operands", c_int32),
        ("attributes", c_char_p),
        ("spare", c_uint64 * 3),
    ]
class tn_conv_options(Structure):
    """Of convolutions; all zero is a plain one.

    stride: 0: 1; a width of 0 is the height
    pad: zeros at the beginning, and as many at the end unless `size` asks for other; a width of 0 is none, for a kernel
    of one column wants that
    dilation: as the stride
    groups: 0 means 1: output channels see only the input channels of their group
    size: of the result; 0: what whole windows give"""

    _fields_ = [
        ("stride", c_uint32 * 2),
        ("pad", c_uint32 * 2),
        ("dilation", c_uint32 * 2),
        ("groups", c_uint32),
        ("size", c_int64 * 2),
        ("spare", c_uint64 * 4),
    ]
class tn_pool_options(Structure):
    """Of pooling; the window is required.

    window: a width of 0 is the height: {2} is 2 x 2
    stride: the same; both 0: as the window
    pad: on both sides, smaller than the window; a width of 0 is none
    ceil_mode: the last window may reach over the end
    count_pad: averages count the padding as zeros"""

    _fields_ = [
        ("window", c_uint32 * 2),
        ("stride", c_uint32 * 2),
        ("pad", c_uint32 * 2),
        ("ceil_mode", c_uint32),
        ("count_pad", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_interpolate_options(Structure):
    """x at `count` places along an axis: start, start + step, ..., which need not be whole.

    mode: TN_LINEAR, TN_NEAREST or TN_CUBIC, below
    round: for the nearest
    cubic: Keys' a; 0: -0.75
    antialias: a width above 1 takes all elements in its reach into account
    exclude: what would lie outside counts for nothing; else it is the outermost element again
    width: for antialias: of how many elements one of the result stands for; 0: the step"""

    _fields_ = [
        ("mode", c_int32),
        ("round", c_int32),
        ("cubic", c_double),
        ("antialias", c_uint32),
        ("exclude", c_uint32),
        ("width", c_double),
        ("spare", c_uint64 * 3),
    ]
class tn_resize_options(Structure):
    """(b, c, any sizes...) -> (b, c, sizes...), as PyTorch's interpolate: linear, or, by mode, nearest or cubic, of several
    dimensions one after another. With `align_corners` and `antialias` together the outer centres meet, which in PyTorch
    they do not.

    align_corners: the outer elements' centres meet, else their edges
    antialias: as above; cubic with a = -0.5
    exact: nearest by centres, PyTorch's "nearest-exact"; else by edges"""

    _fields_ = [
        ("mode", c_int32),
        ("align_corners", c_uint32),
        ("antialias", c_uint32),
        ("exact", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_grid_options(Structure):
    """What lies outside: zeros; the outermost elements again; or x mirrored at its edges, at the outer elements' centres
    with `align_corners`.

    align_corners: 1 and 1 are the centres of the outer elements, else their edges"""

    _fields_ = [
        ("mode", c_int32),
        ("outside", c_int32),
        ("align_corners", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_conv_nd_options(Structure):
    """Numbers for each of these dimensions, in order.

    stride: 0: 1
    dilation: 0: 1
    begin: zeros before x, or places left out at the beginning of what is transposed
    end: the same after it
    more: places added at the end of what is transposed
    groups: 0: 1"""

    _fields_ = [
        ("stride", c_uint32 * 3),
        ("dilation", c_uint32 * 3),
        ("begin", c_uint32 * 3),
        ("end", c_uint32 * 3),
        ("more", c_uint32 * 3),
        ("groups", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_pool_nd_options(Structure):
    """Of pooling; numbers for each of these dimensions, in order.

    window: required for each dimension
    stride: 0: as the window
    dilation: 0: 1
    begin: padding before, smaller than the window's reach
    end: and after
    ceil_mode: as in tn_pool_options, these two"""

    _fields_ = [
        ("window", c_uint32 * 3),
        ("stride", c_uint32 * 3),
        ("dilation", c_uint32 * 3),
        ("begin", c_uint32 * 3),
        ("end", c_uint32 * 3),
        ("ceil_mode", c_uint32),
        ("count_pad", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_layer_normalize_options(Structure):
    """The same of x's last dimensions, whose shape weight has: tn_normalize(x, them, epsilon) weight + bias. It is one
    operator where the device has it. Ba and others, 2016.

    bias: of weight's shape; NULL: none
    keep_mean: tn_rms_normalize(x, them, epsilon) weight + bias: Zhang and Sennrich, 2019"""

    _fields_ = [
        ("bias", c_void_p),
        ("keep_mean", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_attend_options(Structure):
    """Attention with more to say: q (..., heads, queries, d), k (..., groups, keys, d), v (..., groups, keys, e) ->
    (..., heads, queries, e). Where there are fewer groups than heads, heads / groups heads in a row share keys and
    values (Ainslie and others, 2023). To go on with what came before, put its keys and values in front of the new ones
    and give their number as `first`. A query that sees no key gets zeros.

    mask: of any type, broadcast to (..., heads, queries, keys): not 0 where a key is seen; NULL: all
    bias: added to the scores, broadcast likewise; NULL: none
    scale: of the scores; 0: 1 / sqrt(d)
    cap: scores become cap tanh(score / cap) before a bias is added; 0: they stay
    first: the number of the first query among the keys
    reach: a query sees but so many keys up to its own; 0: all
    causal: none after its own"""

    _fields_ = [
        ("mask", c_void_p),
        ("bias", c_void_p),
        ("scale", c_double),
        ("cap", c_double),
        ("first", c_int64),
        ("reach", c_int64),
        ("causal", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_quantize_options(Structure):
    """Whole numbers for x: round(x / scale) + zero, of two the even one, kept within low..high, as i32. Scale and zero are
    one number each, or along an axis one for each place or for each of equal blocks of places: (parts), or of x's rank.
    The zero, of any type, may be NULL: none. No gradient."""

    _fields_ = [
        ("axis", c_int32),
        ("low", c_int32),
        ("high", c_int32),
        ("spare", c_uint64 * 4),
    ]
class tn_response_options(Structure):
    """x / (k + alpha mean)^beta, where the mean is that of the squares of so many channels before, those at the place
    itself and so many after; channels that are not there count as 0. x (batch, channels, ...). Krizhevsky and others,
    2012."""

    _fields_ = [
        ("before", c_uint32),
        ("after", c_uint32),
        ("alpha", c_double),
        ("beta", c_double),
        ("k", c_double),
        ("spare", c_uint64 * 4),
    ]
class tn_dft_options(Structure):
    """The discrete Fourier transform along the last axis by a matrix product: returns the real part, and writes the
    imaginary one to *out_im. A NULL im is 0. Zeros follow, or elements are left out at the end, up to `size`, at most
    46340. The inverse is divided by the size.

    size: 0: that of the axis
    half: the first size / 2 + 1 alone, which are all there is to know of a real signal"""

    _fields_ = [
        ("size", c_int64),
        ("inverse", c_uint32),
        ("half", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_unique_result(Structure):
    """The elements of x in order, each once, with room for all: (n). Of each the place of the first in x and how many, i32
    (n); of each of x the place among those, in x's shape; and how many there are."""

    _fields_ = [
        ("first", c_void_p),
        ("counts", c_void_p),
        ("inverse", c_void_p),
        ("count", c_void_p),
        ("spare", c_uint64 * 4),
    ]
class tn_nms_options(Structure):
    """Non-maximum suppression: boxes (batch, n, 4), scores (batch, classes, n) -> i32 (batch, classes, most): the boxes
    with the best scores, best first, of which no two share more than `overlap` of their common area. A step for each of
    them; `most` is 1 to 4096.

    least_score: only what is above it counts
    centres: boxes are centre and size, else two opposite corners"""

    _fields_ = [
        ("overlap", c_double),
        ("least_score", c_double),
        ("centres", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_optimizer_entry(Structure):
    """The optimizers, with their usual learning rate. Returns 0 past the last.

    options: which of momentum, beta1, beta2, epsilon, alpha, amsgrad and centered it takes"""

    _fields_ = [
        ("name", c_char_p),
        ("doc", c_char_p),
        ("lr", c_double),
        ("options", c_char_p),
        ("spare", c_uint64 * 4),
    ]
class tn_schedule(Structure):
    """A learning rate over time, parsed from a text: the name and numbers of a kind that tn_schedule_kind_at lists, such as
    "step 1000 0.5", "milestones 0.1 32000 48000", "cosine 10000" (Loshchilov and Hutter, 2017, whose warm restarts are
    "restarts 1000 2"), "onecycle 5000" (Smith and Topin, 2019), or "plateau 3 0.5" (times 0.5 after each 3 losses in a
    row that are no lower than the lowest before); each after an optional "warmup 100," (1/100, 2/100, ... over 100
    steps, from which the other then counts its own)."""

    _fields_ = [
        ("kind", c_int32),
        ("milestones", c_int32),
        ("steps", c_double),
        ("factor", c_double),
        ("warmup", c_double),
        ("end", c_double),
        ("milestone", c_double * TN_MILESTONES),
        ("spare", c_uint64 * 4),
    ]
class tn_schedule_kind(Structure):
    """The kinds, for help texts. Returns 0 past the last.

    usage: "step STEPS FACTOR" """

    _fields_ = [
        ("name", c_char_p),
        ("usage", c_char_p),
        ("doc", c_char_p),
        ("spare", c_uint64 * 4),
    ]
class tn_plateau(Structure):
    """What a "plateau" has seen of the losses, usually one an epoch; zeroed: nothing. Its factor is multiplied with that of
    the step. Other schedules look at no losses: their factor here is 1.

    losses: seen so far
    stalled: how many of them since the lowest or the last reduction
    factor: 0: 1"""

    _fields_ = [
        ("losses", c_int64),
        ("stalled", c_int64),
        ("lowest", c_double),
        ("factor", c_double),
        ("spare", c_uint64 * 4),
    ]
class tn_port(Structure):
    """An input or output: its name, which is the program's, and what tn_feed and tn_fetch take. Of number `index`, inputs
    in the order in which the graph had them, outputs as they were asked for; returns 0 past the last.

    unused: an input on which nothing depends that the program computes"""

    _fields_ = [
        ("name", c_char_p),
        ("dtype", c_int32),
        ("shape", tn_shape),
        ("unused", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_piece(Structure):
    """Inputs that are filled while the device computes: neither waits for the other, nor does the host, unless it is two
    turns ahead. tn_upload_next enqueues copies of pieces of inputs: the runs that are enqueued after it see them. It
    begins a turn: its pieces may lie where those of the turn before the last did, and nowhere that the last turn's runs
    read. The pieces' data has to stay until the next call but one returns, or tn_upload_wait does. A piece of an
    input that the program has no use for is passed over; TN_EMISSING if no piece is of an input of the graph. Failures
    of the device may come at a later call, or at tn_upload_wait, which waits for the copies. Free it before the program;
    NULL is fine.

    offset: in the input, in bytes"""

    _fields_ = [
        ("input", c_char_p),
        ("offset", c_uint64),
        ("data", c_void_p),
        ("bytes", c_uint64),
    ]
class tn_program_report(Structure):
    """What compiling and running came to. Counts since the program was compiled where not said otherwise.

    nodes: prepared kernels in one run
    launches: kernels enqueued by one run, as the backend counts them
    fallback_nodes: of the nodes, those that run elsewhere
    fallback_bytes: copied across devices in one run
    fallback_first: the operator of the first such node
    fallback_why: and why the program's device does not do it, in its backend's words
    arena_planned: bytes of temporary memory, by the plan
    arena_actual: bytes allocated for it
    state_bytes: bytes of the state on the device
    flops: floating-point operations of one run, by the operators' own count
    run_allocations: heap allocations of the library and backends inside tn_program_run, all runs together
    run_host_waits: times that it waited for a device, all runs together
    bytes_to_device: moved by runs, tn_feed and tn_fetch, all together
    narrow_values: values that are stored in 16 bits, if tn_compile_options.storage asks for it
    narrow_refused: those that the device did not take so
    narrow_why: and why not, in its backend's words: of the last one
    coarse_products: products and convolutions whose factors may be rounded, as `precision` asks
    coarse_refused: those that the device does in f32 all the same
    coarse_why: and why, in its backend's words: of the last one
    channels_last: convolutions whose images have their channels last"""

    _fields_ = [
        ("nodes", c_uint32),
        ("launches", c_uint32),
        ("fallback_nodes", c_uint32),
        ("fallback_bytes", c_uint64),
        ("fallback_first", c_char * 64),
        ("fallback_why", c_char * 200),
        ("arena_planned", c_uint64),
        ("arena_actual", c_uint64),
        ("state_bytes", c_uint64),
        ("flops", c_double),
        ("runs", c_uint64),
        ("run_allocations", c_uint64),
        ("run_host_waits", c_uint64),
        ("bytes_to_device", c_uint64),
        ("bytes_from_device", c_uint64),
        ("narrow_values", c_uint32),
        ("narrow_refused", c_uint32),
        ("narrow_why", c_char * 200),
        ("coarse_products", c_uint32),
        ("coarse_refused", c_uint32),
        ("coarse_why", c_char * 200),
        ("channels_last", c_uint32),
        ("unused", c_uint32),
        ("spare", c_uint64 * 3),
    ]
class tn_launch_profile(Structure):
    """One kernel of a program, in the order of running. Texts are the program's.

    op: "matmul"
    result: what it makes, "f32 (128, 100)", and how many tensors besides, " +1"
    runs: that were measured
    seconds: of all of them
    flops: of one run: operations, and bytes read and written at the least
    bytes: of one run: operations, and bytes read and written at the least
    by_host: the host measured it, from enqueueing to having waited
    choice: which of several kernels it is, in the backend's words: "tile u=16 v=16 ..., tuned"; or "" """

    _fields_ = [
        ("op", c_char_p),
        ("device", c_char_p),
        ("result", c_char * 120),
        ("runs", c_uint64),
        ("seconds", c_double),
        ("flops", c_double),
        ("bytes", c_double),
        ("by_host", c_uint32),
        ("choice", c_char_p),
        ("spare", c_uint64 * 3),
    ]
class tn_peaks(Structure):
    """What a device was seen to do at its best.

    flops: f32 operations a second, in a matrix product
    launch: seconds that a kernel of a few elements takes, among many
    reach: bytes that an element-wise kernel touches, again and again; growing
    bandwidth: and how many of them a second"""

    _fields_ = [
        ("flops", c_double),
        ("launch", c_double),
        ("reach", c_uint64 * TN_PEAK_LEVELS),
        ("bandwidth", c_double * TN_PEAK_LEVELS),
        ("spare", c_uint64 * 4),
    ]
class tn_state_entry(Structure):
    """Tensor number `index` in the order of their making; returns 0 past the last. The name lives as long as the state."""

    _fields_ = [
        ("name", c_char_p),
        ("dtype", c_int32),
        ("shape", tn_shape),
        ("flags", c_uint32),
        ("spare", c_uint64 * 4),
    ]
class tn_state_place(Structure):
    """Where a tensor lies, for those who show it elsewhere without a copy or work on it themselves: the address of its
    first element in the host's memory, dense and row-major, or a cl_mem and the offset in it.

    handle: of HOST the tensor's own address, of OPENCL the buffer's cl_mem,
    offset: in which the tensor begins at this byte; of HOST 0
    bytes: of the tensor"""

    _fields_ = [
        ("kind", c_uint32),
        ("handle", c_void_p),
        ("offset", c_uint64),
        ("bytes", c_uint64),
    ]
class tn_note(Structure):
    """Texts that go with a state in its file: net, data, epoch..."""

    _fields_ = [
        ("key", c_char_p),
        ("value", c_char_p),
    ]
class tn_save_options(Structure):
    """How to save; what is 0 is as usual.

    not_finite: save numbers that are not finite, too
    weights_only: leave out the moments of optimizers, which are named after their parameter, the seed and the step: what
    PyTorch's load_state_dict takes
    without: leave these tensors out: names or patterns as tn_freeze takes; or NULL"""

    _fields_ = [
        ("not_finite", c_uint32),
        ("weights_only", c_uint32),
        ("without", c_char_p),
        ("spare", c_uint64 * 4),
    ]
class tn_column(Structure):
    """`count` numbers, each `stride` after the last (0: 1): column c of a table x of (rows, columns) is
    (tn_column){x + c, rows, columns}. An x that is NULL has no values: all are missing."""

    _fields_ = [
        ("x", c_void_p),
        ("count", c_int64),
        ("stride", c_int64),
    ]
class tn_scaler(Structure):
    """What was learnt from a table, to be applied to others: fit it on the training part alone. Column c is
    base + (x - centre[c]) / spread[c]. A column that is constant becomes the base: 0, or `low`.

    centre: NULL where the kind needs none
    spread: NULL where the kind needs none
    mean: takes the place of missing values; 0 for a column without values"""

    _fields_ = [
        ("kind", c_int32),
        ("columns", c_int64),
        ("base", c_double),
        ("centre", c_void_p),
        ("spread", c_void_p),
        ("mean", c_void_p),
        ("spare", c_uint64 * 4),
    ]
class tn_team_options(Structure):
    """Zero is default.

    communicator: a name or a file with its path; NULL: that of the launcher which started this process (mpirun); if there
    was none, the team is one rank alone
    group: of threads in one process: a number that is theirs alone
    ranks: as in tn_comm_place: 0 and 0 for what the launcher says
    rank: as in tn_comm_place: 0 and 0 for what the launcher says
    silence: seconds after which a rank that does not answer is given up: 10
    patience: the same until it has answered once: 60"""

    _fields_ = [
        ("communicator", c_char_p),
        ("group", c_uint64),
        ("ranks", c_uint32),
        ("rank", c_uint32),
        ("silence", c_double),
        ("patience", c_double),
        ("spare", c_uint64 * 4),
    ]
class tn_communicator_report(Structure):
    """A communicator that was found: beside the library, or by TENON_COMM_PATH.

    problem: why it can't be loaded; NULL: it was, and all is well"""

    _fields_ = [
        ("name", c_char_p),
        ("version", c_char_p),
        ("doc", c_char_p),
        ("problem", c_char_p),
        ("spare", c_uint64 * 4),
    ]
class tn_axes(Structure):
    """A set of axes, each there once; negative ones count from the last. TN_ALL is every axis.

    count: 1: all"""

    _fields_ = [
        ("count", c_int32),
        ("axis", c_int32 * TN_MAX_RANK),
    ]
class tn_tuned_operator(Structure):
    """What became of one operator, as a line of the tuner's log. Texts live during the call.

    key: the operator and its sizes, in the backend's words
    choice: of the kernel that it has from now on; "": the one that the backend would have chosen
    candidates: that there are
    tried: this time; those that an interrupted tuning tried are not tried again
    wrong: whose results differ from the reference's, by more than rounding can do
    failed: that the device did not compile or run
    known: it had been tuned before, and nothing was tried
    skipped: 0, or TN_TUNE_NO_TIME, TN_TUNE_TOO_SLOW: nothing is changed
    usual: seconds of the kernel that the backend would have chosen; 0: it was wrong, or failed
    seconds: of the one that was chosen; 0: none was right, and nothing is changed
    error: the largest difference from the reference in it, in parts of what is allowed
    spent: seconds that all this took"""

    _fields_ = [
        ("key", c_char_p),
        ("choice", c_char_p),
        ("candidates", c_uint32),
        ("tried", c_uint32),
        ("wrong", c_uint32),
        ("failed", c_uint32),
        ("known", c_uint32),
        ("skipped", c_uint32),
        ("usual", c_double),
        ("seconds", c_double),
        ("error", c_double),
        ("spent", c_double),
        ("spare", c_uint64 * 4),
    ]
class tn_tune_options(Structure):
    """How long to look; all zero is the usual.

    seconds: for all operators together; 0: 60. Only a trial under way and a comparison end later
    tries: candidates of each operator at most; 0: as many as there is time for
    again: operators that have been tuned are tuned once more
    tell: for each operator when done, may see the table; or NULL
    small_first: the operators with the least work come first, not those with the most
    stops: asked between trials: not 0: no time is left; or NULL
    is_fresh: of `again`: not 0: this one was just tuned, and is not; or NULL"""

    _fields_ = [
        ("seconds", c_double),
        ("tries", c_uint32),
        ("again", c_uint32),
        ("tell", CFUNCTYPE(None, c_void_p, c_void_p)),
        ("arg", c_void_p),
        ("small_first", c_uint32),
        ("stops", CFUNCTYPE(c_int, c_void_p)),
        ("is_fresh", CFUNCTYPE(c_int, c_void_p, c_char_p)),
        ("spare", c_uint64 * 1),
    ]
class tn_tuned_choice(Structure):
    """A kernel that was chosen on a device, in a table.

    seconds: as above
    usual: as above
    error: as above
    unchecked: it was taken from elsewhere, and is compared here when it is first wanted
    unkept: the cache does not have the table as it is now: only this process does"""

    _fields_ = [
        ("key", c_char_p),
        ("choice", c_char_p),
        ("seconds", c_double),
        ("usual", c_double),
        ("error", c_double),
        ("unchecked", c_uint32),
        ("unkept", c_uint32),
        ("spare", c_uint64 * 4),
    ]
tn_load_report = CFUNCTYPE(None, c_void_p, c_int32, c_void_p, c_void_p)
tn_log_sink = CFUNCTYPE(None, c_void_p, c_int32, c_char_p)

# name: (result, parameters, whether it is quick, its declaration, what the header says)
FUNCTIONS = {
    "tn_check": (c_int32, (c_char_p, c_void_p, c_void_p, CFUNCTYPE(None, c_void_p, c_void_p), c_void_p,), False,
        "tn_status tn_check(const char *target, const tn_check_options *options, tn_check_target *about, function row, void *arg)",
        """Checks a device by its name, or a backend's file if `target` contains a '/' (its first device). Calls `row` with each
        case's result. Fails if there is no such device or file, not because a case failed. `about` may be NULL."""),
    "tn_check_graph": (c_int32, (c_void_p, c_void_p, CFUNCTYPE(None, c_void_p, c_void_p), c_void_p,), False,
        "tn_status tn_check_graph(tn_graph *graph, tn_state *state, function row, void *arg)",
        """Tries each operator of a graph, backward ones too if there are gradients, on the state's device: each alone on the
        values that an interpreter in double precision has for it, in the order of the graph and equal ones once, then the
        whole graph as it is compiled for use. Variables must be in the state, whose seed is also that of the inputs: numbers
        from 0.1 to 1 if their name begins with "p", else from -2 to 2; whole numbers from -2 to 5. Calls `row` with each
        result, the first wrong operator first. A result that should be NaN throughout is a failure: nothing was compared.
        Fails if the graph is broken, a variable has a NaN, or there is no memory."""),
    "tn_check_communicator": (c_int32, (c_char_p, CFUNCTYPE(None, c_void_p, c_void_p), c_void_p,), False,
        "tn_status tn_check_communicator(const char *name, function row, void *arg)",
        """Puts a communicator, by its name or its file's path, through what teams ask of it: between 1 to 4 threads, each case
        in a process of its own; or, in a process that a launcher started (mpirun), between all of its ranks, each of which
        calls it: rank 0 gets what passed, each what it found wrong. Fails if it can't be loaded, not because a case failed."""),
    "tn_loader_new": (c_int32, (c_void_p, c_void_p,), False,
        "tn_status tn_loader_new(const tn_source *source, tn_loader **loader)",
        """A loader of that source, copied. Data sets share it: each lets go of it in tn_dataset_free."""),
    "tn_loader_free": (None, (c_void_p,), False,
        "void tn_loader_free(tn_loader *loader)",
        """Lets go of one that no data set has got; NULL is fine. Any thread may."""),
    "tn_dataset_free": (None, (c_void_p,), False,
        "void tn_dataset_free(tn_dataset *data)",
        """Frees what the struct points to, which is malloc's memory, and zeroes it. A zeroed struct is fine, and so is NULL."""),
    "tn_next_category": (c_char_p, (c_char_p, c_void_p,), False,
        "const char * tn_next_category(const char *categories, tn_category *category)",
        """Reads the first column of `categories`, and returns where the next stands. NULL: there is none, or what stands there
        makes no sense; `category` is as it was."""),
    "tn_dataset_sample": (c_int32, (c_void_p, c_int64, c_void_p, c_void_p,), False,
        "tn_status tn_dataset_sample(const tn_dataset *data, int64_t index, void *x, void *target)",
        """Copies sample number `index` to `x`, and, unless NULL, its label or targets to `target`, wherever they are. Any
        threads may at once."""),
    "tn_dataset_name": (c_char_p, (c_void_p, c_int64, c_char_p, c_uint64,), False,
        "char * tn_dataset_name(const tn_dataset *data, int64_t index, char *text, uint64_t capacity)",
        """What sample number `index` is called: its file, or its source and its number there, from 0: "rents.csv 17". Written
        to `text`, of `capacity` bytes, which is returned."""),
    "tn_dataset_idx": (c_int32, (c_char_p, c_char_p, c_void_p,), False,
        "tn_status tn_dataset_idx(const char *images, const char *labels, tn_dataset *data)",
        """A pair of IDX files of bytes, plain or gzip (http://yann.lecun.com/exdb/mnist): images and labels. Their counts
        must agree. Images (n, h, w) become samples of shape (1, h, w); `classes` is the largest label plus 1. `labels` may
        be NULL: then there are no labels, and no classes."""),
    "tn_dataset_csv": (c_int32, (c_char_p, c_void_p, c_void_p,), False,
        "tn_status tn_dataset_csv(const char *path, const tn_csv_options *options, tn_dataset *data)",
        """A table (RFC 4180: quotes, commas and line breaks inside them), or one whose cells are separated by semicolons,
        beside which numbers may have decimal commas, tabs, bars or any number of spaces, as its first two rows show; plain
        or packed by gzip. The path "-" is standard input, which is read once and kept. The column `target` (NULL:
        the last) is what to predict: with `classify` text or whole numbers 0..n-1 (texts are numbered in alphabetical order,
        and in a column of numbers alone equal ones are one class however they are written), any number else. Several
        columns, "rent, size" or lines, are always numbers; without a header columns are named by numbers from 1. A missing
        value (nothing, "NA", "N/A", "#N/A", "<NA>", "null", "nan", "-nan", "?") becomes the column's mean, or with
        `keep_missing` NaN; in the target it is an error. A column to predict from that holds texts, few of which are
        numbers, and at most 50 different ones that come again, becomes a number for each text, 1 where it stands and else 0,
        and all 0 where the value is missing; dates and other texts are errors that name the cell. Spaces around a value
        don't count, nor do empty lines; but one of blanks is a row of one missing value. Names of columns are compared
        without regard to case and spaces, and one that is the same to the letter comes first; a name that two columns have,
        or that two others are like, is an error unless neither is read, or the order decides. What becomes a name must be
        UTF-8. Errors name file, line and column. A column that numbers the rows, as other programs write it, is warned of.
        `options` may be NULL."""),
    "tn_array_read": (c_int32, (c_char_p, c_char_p, c_void_p,), False,
        "tn_status tn_array_read(const char *path, const char *member, tn_array *array)",
        """An array of a file: of NumPy's .npy (`member` NULL), or the one of that name in an .npz archive or a safetensors file
        (NULL: its only one).
        Bytes stay u8; truth values and other integers become i32, f2 and f8 become f32: a number beyond their range is an
        error.
        Either order of bytes and of dimensions is read. Free it in the end; a zeroed struct is fine, and so is NULL."""),
    "tn_array_free": (None, (c_void_p,), False,
        "void tn_array_free(tn_array *array)",
        """An array of a file: of NumPy's .npy (`member` NULL), or the one of that name in an .npz archive or a safetensors file
        (NULL: its only one).
        Bytes stay u8; truth values and other integers become i32, f2 and f8 become f32: a number beyond their range is an
        error.
        Either order of bytes and of dimensions is read. Free it in the end; a zeroed struct is fine, and so is NULL."""),
    "tn_file_replace": (c_int32, (c_char_p, c_void_p, c_uint64,), False,
        "tn_status tn_file_replace(const char *path, const void *data, uint64_t bytes)",
        """Writes a whole file, as tn_state_save does: beside its place and renamed, flushed, with the owner and the mode of the
        file that it replaces."""),
    "tn_array_write": (c_int32, (c_char_p, c_int32, tn_shape, c_void_p,), False,
        "tn_status tn_array_write(const char *path, int32_t dtype, tn_shape shape, const void *data)",
        """Writes a .npy file like that: f32, f64, f16, i32 or u8."""),
    "tn_dataset_arrays": (c_int32, (c_char_p, c_char_p, c_char_p, c_int, c_void_p,), False,
        "tn_status tn_dataset_arrays(const char *path, const char *x, const char *y, int classify, tn_dataset *data)",
        """Samples and what belongs to them from such a file: the arrays named `x` and `y`, whose first dimension is the sample.
        u8 samples are images, (n, h, w), (n, channels, h, w), or (n, h, w, channels): with 1 or 3 channels, or up to 4
        where h is above 4; all others become f32. With `x` NULL they are the array "x" or the file's only one; with `y` NULL
        nothing belongs to them. One number for each sample is its class with `classify` (TN_CLASSIFY_...), else it is what
        to predict, as several numbers always are."""),
    "tn_dataset_images": (c_int32, (c_char_p, c_void_p, c_void_p,), False,
        "tn_status tn_dataset_images(const char *folder, const tn_shape *image, tn_dataset *data)",
        """Images in folders, FOLDER/class/image: .png, .jpg and .jpeg files in any depth. The classes are the folders, in order
        of their names, which are UTF-8; the images of each come in order of theirs. Samples are u8, (channels, height,
        width), read as they are needed. `image` is their shape, or (height, width) with 1 channel if all are grey and 3 if
        any has colours, of which up to 64 are looked at; NULL: so many channels, and the first image's size. A folder
        without images is TN_EFORMAT."""),
    "tn_image_read": (c_int32, (c_char_p, c_void_p, c_void_p,), False,
        "tn_status tn_image_read(const char *path, const tn_shape *sample, uint8_t *out)",
        """One image as such a sample, (channels, height, width): PNG or JPEG, grey or in colour as the sample is; transparency
        is left out, and what a camera took on its side (EXIF) stands upright. One of another size is scaled until it covers
        the sample, and its middle is taken."""),
    "tn_dataset_load": (c_int32, (c_void_p,), False,
        "tn_status tn_dataset_load(tn_dataset *data)",
        """Reads all samples of a loader into memory, by several threads; a set in memory stays as it is."""),
    "tn_dataset_tokens": (c_int32, (c_void_p, c_int64,), False,
        "tn_status tn_dataset_tokens(tn_dataset *data, int64_t count)",
        """Samples are tokens, whole numbers from 0 to count - 1, as tn_embedding reads them: bytes become numbers, f32, instead
        of levels to be divided by 255. A number that is none is TN_EFORMAT and named: here, or where samples have a loader,
        when one is read that has it."""),
    "tn_dataset_text": (c_int32, (c_char_p, c_int64, c_void_p,), False,
        "tn_status tn_dataset_text(const char *path, int64_t context, tn_dataset *data)",
        """A text, in UTF-8, plain or packed by gzip, as samples to learn from which byte comes next: each is `context` bytes of
        it, as tokens of 256, and its labels are the bytes one further on, of 256 classes. The next sample begins where one
        ends, and what is left at the end, less than a sample, is not used. Line ends of Windows become one byte, and a mark
        of the byte order goes. Another encoding is TN_EFORMAT. Samples are made as they are needed."""),
    "tn_dataset_digits": (c_int32, (c_int64, c_uint64, c_void_p,), False,
        "tn_status tn_dataset_digits(int64_t count, uint64_t seed, tn_dataset *data)",
        """The built-in digits: drawn by the program: 28x28 grey, ten classes, `count` of them, always the same for a seed."""),
    "tn_dataset_digits_rgb": (c_int32, (c_int64, c_uint64, c_void_p,), False,
        "tn_status tn_dataset_digits_rgb(int64_t count, uint64_t seed, tn_dataset *data)",
        """The same in colour, on textured backgrounds: (3, 32, 32), red, green and blue."""),
    "tn_dataset_open": (c_int32, (c_char_p, c_uint64, c_void_p, c_void_p, c_void_p,), False,
        "tn_status tn_dataset_open(const char *name, uint64_t seed, const tn_csv_options *csv, tn_dataset *train, tn_dataset *test)",
        """A training and a test set by a name: "digits" or "digits-rgb" (10000 and 2000 samples), either followed by ":N" (N
        and a fifth of it), a folder with MNIST's four files (plain or .gz), a folder of images (tn_dataset_images), or of
        two such folders, `train` and `test` or `val`, an .npz archive or a safetensors file with x_train, y_train, x_test
        and y_test, or one with x and y, or a CSV file, of which one sample in five, chosen by the seed, is for testing, of
        each class its share, and none that is the only one of its class; less than 10 are used whole for both. With `train`
        or `test` NULL the other one gets all samples of what has no parts of its own. Missing values in both become the
        means of the training set, unless `csv` keeps them; a column that has no value there is an error. Free both sets, or
        neither after a failure."""),
    "tn_dataset_samples": (c_int32, (c_char_p, c_uint32, c_void_p,), False,
        "tn_status tn_dataset_samples(const char *path, uint32_t stream, tn_dataset *data)",
        """The samples of one file, without what belongs to them: an IDX file, .npy, or the array "x", or the only one, of an
        archive. `stream` is TN_STREAM_..."""),
    "tn_dataset_open_with": (c_int32, (c_char_p, c_void_p, c_void_p, c_void_p,), False,
        "tn_status tn_dataset_open_with(const char *name, const tn_open_options *options, tn_dataset *train, tn_dataset *test)",
        """The same, as the options say."""),
    "tn_dataset_limit": (None, (c_void_p, c_int64,), False,
        "void tn_dataset_limit(tn_dataset *data, int64_t count)",
        """Keeps only the first `count` samples."""),
    "tn_dataset_split": (c_int32, (c_void_p, c_double, c_uint64, c_void_p,), False,
        "tn_status tn_dataset_split(tn_dataset *data, double share, uint64_t seed, tn_dataset *part)",
        """Takes a share (0..1) of the samples out of the data, chosen by the seed, as a set of its own, of each class its
        share: at least one goes and one stays. Both are as they were after a failure."""),
    "tn_dataset_check_columns": (c_int32, (c_void_p,), False,
        "tn_status tn_dataset_check_columns(const tn_dataset *data)",
        """That each column of samples in f32 has a value to learn from: TN_EFORMAT names the first that has none. For a
        training set whose missing values were kept. Samples with a loader are not looked at: learning from them does."""),
    "tn_dataset_check_weights": (c_int32, (c_void_p,), False,
        "tn_status tn_dataset_check_weights(const tn_dataset *data)",
        """That each sample's weight, if there are some, is 0 or from 1e-18 to 1e18: TN_EINVAL names the first that is not, as
        tn_fit and tn_evaluate do."""),
    "tn_dataset_beside": (c_int32, (c_void_p, c_uint32, c_void_p,), False,
        "tn_status tn_dataset_beside(const tn_dataset *parts[], uint32_t count, tn_dataset *data)",
        """Samples of several data sets side by side, as a network of several inputs takes them: sample i is the numbers of all
        their samples i, the first set's first, in f32, with bytes divided by 255; tn_apart takes them apart in the network.
        What belongs to them lies side by side too: where one set alone has labels, these; else what each has becomes
        targets, labels their numbers, as several heads want them. A set may have labels or targets alone, its `x` and
        `loader` NULL. Weights are the first that a set has. All have as many samples; whole numbers are no larger than
        f32's, 2^24. The result is in memory, and has nothing of the sets'."""),
    "tn_dataset_common": (c_int32, (c_void_p, c_void_p, c_void_p,), False,
        "tn_status tn_dataset_common(const tn_dataset *data, const tn_dataset *other, int64_t *count)",
        """How many samples of `data` stand in `other` too, with the same numbers and the same label or targets. TN_EUNSUPPORTED
        if either has a loader."""),
    "tn_image_read_scaled": (c_int32, (c_char_p, c_void_p, c_void_p,), False,
        "tn_status tn_image_read_scaled(const char *path, const tn_shape *sample, float *out)",
        """One image for prediction, from PNG, JPEG or PGM, scaled to the sample's shape, (1, height, width) or (height, width),
        by area averaging: as large as fits, in the middle, the rest 0. `out`, as many elements as the sample has, gets grey
        levels 0..255, drawn light on dark as MNIST is: an image whose border is bright is inverted. With a sample of
        (3, height, width) it gets the red, green and blue planes as they are. What is transparent shows white or black,
        whichever differs more from the image. framing.h has the same for a thing that lies anywhere in its image."""),
    "tn_shuffle": (None, (c_void_p, c_int64, c_uint64, c_uint64,), False,
        "void tn_shuffle(int32_t *order, int64_t count, uint64_t seed, uint64_t epoch)",
        """A random order of 0..count-1 (count < 2^31) by seed and epoch: the same on every machine (Fisher and Yates, driven by
        Philox)."""),
    "tn_backend_load": (c_int32, (c_char_p,), False,
        "tn_status tn_backend_load(const char *path)",
        """Loads one more backend from a file. Loading the same file or id twice is fine and does nothing."""),
    "tn_backend_at": (c_int, (c_size_t, c_void_p,), False,
        "int tn_backend_at(size_t index, tn_backend_report *report)",
        """One line for each backend that was found: its id, its file ("built in" for the reference), and why it was skipped
        (NULL if it was not). `devices` is how many it has. Texts live as long as the library. Returns 0 past the last; the
        reference is always there, so that 0 for the first means that memory was short."""),
    "tn_backend_option": (c_int32, (c_char_p, c_char_p, c_char_p,), False,
        "tn_status tn_backend_option(const char *backend, const char *key, const char *value)",
        """Sets an option of a backend ("opencl", "platform", "pocl") before the first device is used. Copies the texts. Opening
        a device fails with TN_EINVAL if an option was set for a backend that there is not, or if the device's own backend
        does not know the option or its value.
        Options of "tenon" are the library's own. "probe": before a backend is used it is tried in a process of its own, and
        the verdict is kept; "again" tries it whatever was kept, "off" does not try. "probe_seconds": how long that may take,
        30 if not set."""),
    "tn_backend_options": (c_int32, (c_char_p,), False,
        "tn_status tn_backend_options(const char *text)",
        """Several, as the environment variable TENON_OPTIONS has them, which counts for what a program does not set itself:
        "cpu.isa=avx2,opencl.platform=pocl". TN_EINVAL for another text; options before the culprit are set."""),
    "tn_device_at": (c_int, (c_size_t, c_void_p,), False,
        "int tn_device_at(size_t index, tn_device_entry *entry)",
        """The devices of all backends, the reference last. Returns 0 past the last. `name` is the backend's id and the device's
        index ("opencl:0"); the id alone ("cpu", "reference") where the device declares itself the only one that its backend
        can ever have, which it does by a stable id equal to the backend's. So a name doesn't change as devices come and go."""),
    "tn_device_memory": (c_int, (c_size_t, c_void_p, c_void_p,), False,
        "int tn_device_memory(size_t index, uint64_t *total, uint64_t *left)",
        """The bytes of memory that device number `index` has, and how many of them can still be had now. Returns 1; or 0 past
        the last and where the backend never tells, -1 where it failed to (tn_message), and leaves both as they are."""),
    "tn_device_open": (c_int32, (c_char_p, c_void_p,), False,
        "tn_status tn_device_open(const char *name, tn_device **device)",
        """Opens a device by its name ("opencl:0"; "cpu" and "cpu:0" are the same, as are "opencl" and "opencl:0" where there
        is but one), its stable id, a part of its human name if only one has it, or "auto": the fastest, by a short
        measurement that is kept in the cache, where of two that are the host's processor the second has to be twice as
        fast; the reference only if nothing else can be measured. Opening it again gives the same device; each open is
        closed once. `device` is unchanged on failure."""),
    "tn_device_close": (None, (c_void_p,), False,
        "void tn_device_close(tn_device *device)",
        """NULL is fine"""),
    "tn_device_name": (c_char_p, (c_void_p,), False,
        "const char * tn_device_name(const tn_device *device)",
        """The name that opens it ("cpu", "opencl:0"), and what its backend says of it. Both belong to the device."""),
    "tn_device_get_info": (c_void_p, (c_void_p,), False,
        "const tn_device_info * tn_device_get_info(const tn_device *device)",
        """The name that opens it ("cpu", "opencl:0"), and what its backend says of it. Both belong to the device."""),
    "tn_device_measure": (c_int32, (c_void_p, c_void_p,), False,
        "tn_status tn_device_measure(tn_device *device, double *flops)",
        """The device's own kernels measured on a 512 x 512 x 512 matrix product, in f32 operations a second."""),
    "tn_device_measure_together": (c_int32, (c_void_p, c_uint32, c_void_p,), False,
        "tn_status tn_device_measure_together(tn_device *devices[], uint32_t count, double flops[])",
        """The same for several devices while all of them compute, each in a thread of its own: less than alone where they share
        processors."""),
    "tn_cache_folder": (c_int32, (c_char_p, c_uint64,), False,
        "tn_status tn_cache_folder(char *path, uint64_t room)",
        """The folder of the disk cache, in which backends keep compiled kernels: TENON_CACHE if that is an absolute path, else
        tenon in XDG_CACHE_HOME or in ~/.cache. It need not exist yet. Fails where there is none, and the message says why:
        switched off, no place for it, or a folder that other users can write to."""),
    "tn_cache_check": (c_int32, (), False,
        "tn_status tn_cache_check()",
        """Whether what is kept there will be found again: the folder is made and can be written. Fails where it can't, or where
        tn_cache_folder does, and the message says why."""),
    "tn_fit": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p,), False,
        "tn_status tn_fit(tn_state *state, const tn_model *model, const tn_dataset *data, const tn_fit_options *options, tn_epoch *last)",
        """Trains the model's parameters, which are in the state or are made there, on samples that are shuffled for every epoch
        by the state's seed and step. `last`, unless NULL, gets the last epoch. Fails without training if the model, the data
        and the loss don't fit each other, and as programs do."""),
    "tn_fit_check": (c_int32, (c_void_p, c_void_p, c_void_p,), False,
        "tn_status tn_fit_check(const tn_model *model, const tn_dataset *data, const tn_fit_options *options)",
        """Only builds the graph of a training step: what is wrong with the model, the data or the options shows here, before
        any device is used."""),
    "tn_usual_shards": (c_uint32, (c_int64, c_uint32,), False,
        "uint32_t tn_usual_shards(int64_t batch, uint32_t workers)",
        """The shards of a batch for so many workers: 1 for one, else the largest divisor of the batch up to 8, if there are as
        many as workers; else 0, and `shards` has to be given."""),
    "tn_training_new": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p,), False,
        "tn_status tn_training_new(tn_state *state, const tn_model *model, const tn_dataset *data, const tn_fit_options *options, tn_training **training)",
        """Compiles, and trains nothing yet. What the arguments point to has to stay, model and options themselves aside;
        `each` is not called. Free it before the state; NULL is fine."""),
    "tn_training_free": (None, (c_void_p,), False,
        "void tn_training_free(tn_training *training)",
        """Compiles, and trains nothing yet. What the arguments point to has to stay, model and options themselves aside;
        `each` is not called. Free it before the state; NULL is fine."""),
    "tn_training_where": (tn_training_place, (c_void_p,), False,
        "tn_training_place tn_training_where(const tn_training *training)",
        """Where a training stands."""),
    "tn_training_get_feeding": (None, (c_void_p, c_void_p,), False,
        "void tn_training_get_feeding(const tn_training *training, tn_feeding *feeding)",
        """How samples came to the device so far."""),
    "tn_training_get_exchange": (None, (c_void_p, c_void_p,), False,
        "void tn_training_get_exchange(const tn_training *training, tn_exchange *exchange)",
        """What workers exchanged of their gradients so far."""),
    "tn_training_share_at": (c_int, (c_void_p, c_uint32, c_void_p,), False,
        "int tn_training_share_at(const tn_training *training, uint32_t index, tn_training_share *share)",
        """What a worker takes of each batch, once the first epoch has begun. `index` is its rank, or 0 for the state's device
        and then one for each of `devices`. Returns 0 past the last. Texts and programs are the training's own."""),
    "tn_training_ask": (None, (c_void_p,), False,
        "void tn_training_ask(tn_training *training)",
        """Asks all workers to stop, which they see in `asked` after their next step. What that means is theirs."""),
    "tn_training_go_on": (c_int32, (c_void_p, c_void_p, c_int64, c_int64, c_void_p,), False,
        "tn_status tn_training_go_on(tn_training *training, const tn_epoch past[], int64_t count, int64_t step, const tn_epoch *begun)",
        """Goes on where another training with the same data and options stood: after `count` epochs, as they came out, and
        `step` steps of the next one, in which tn_training_so_far gave `begun` (NULL where `step` is 0). The state is to be
        that of then, from a checkpoint. All that follows comes out as it would have there."""),
    "tn_training_begin": (c_int32, (c_void_p,), False,
        "tn_status tn_training_begin(tn_training *training)",
        """Does what else an epoch's first step does by itself: workers meet, and deal the shards out."""),
    "tn_training_step": (c_int32, (c_void_p,), False,
        "tn_status tn_training_step(tn_training *training)",
        """Enqueues the next step of the epoch. TN_EINVAL if the epoch is at its end; TN_ESTATE, and no step, once a look at the
        loss has found that the training diverged: the device's sum is looked at every 32 steps, as it was 32 steps before,
        so that neither waits for the other. Several workers share their losses with each step: all of them see it after the
        same one, and it is no failure of their team. tn_training_end_epoch and tn_fit fail like that too."""),
    "tn_training_step_loss": (c_int32, (c_void_p, c_void_p,), False,
        "tn_status tn_training_step_loss(tn_training *training, double *loss)",
        """Waits for the device, and reads the last step's loss, which has to be asked for by `step_loss`; or the epoch so far,
        without test and validation."""),
    "tn_training_so_far": (c_int32, (c_void_p, c_void_p,), False,
        "tn_status tn_training_so_far(tn_training *training, tn_epoch *epoch)",
        """Waits for the device, and reads the last step's loss, which has to be asked for by `step_loss`; or the epoch so far,
        without test and validation."""),
    "tn_training_glance": (c_int32, (c_void_p, c_void_p,), False,
        "tn_status tn_training_glance(tn_training *training, tn_epoch *epoch)",
        """The same, with test and validation as the first batch of each shows them: whether the weights as they stand give
        numbers still, which the losses of the steps on the way to them don't tell. Of several workers rank 0 measures."""),
    "tn_training_end_epoch": (c_int32, (c_void_p, c_void_p,), False,
        "tn_status tn_training_end_epoch(tn_training *training, tn_epoch *epoch)",
        """Measures and judges an epoch whose steps are done; the next step is the next epoch's first."""),
    "tn_training_end_trace": (c_int32, (c_void_p,), False,
        "tn_status tn_training_end_trace(tn_training *training)",
        """Ends the file of `trace`, if there is one. TN_EIO if it could not be written as a whole, by which the training is
        none the worse; one that nobody ended is ended by tn_training_free, which logs that."""),
    "tn_training_program": (c_void_p, (c_void_p,), False,
        "tn_program * tn_training_program(const tn_training *training)",
        """The program of a step, for reports. It is the training's own."""),
    "tn_evaluate": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p,), False,
        "tn_status tn_evaluate(tn_state *state, const tn_model *model, const tn_dataset *data, tn_score *score)",
        """Measures the model on all samples, 1000 at once, or fewer large ones, or, of those that are fed, as many as the
        device has room for."""),
    "tn_predict": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_uint64,), False,
        "tn_status tn_predict(tn_state *state, const tn_model *model, const tn_dataset *data, float *out, uint64_t bytes)",
        """The model's outputs for all samples, f32, (count, the output's shape without the batch) in `bytes` bytes. Targets are
        not looked at."""),
    "tn_framing_measure": (c_int32, (c_void_p, c_void_p,), False,
        "tn_status tn_framing_measure(const tn_dataset *data, tn_framing *framing)",
        """Measures a set, by 1000 of its samples at most, 100 where they are large. A set without grey images of bytes, such
        as a table or one in colour, is not framed."""),
    "tn_framing_text": (None, (c_void_p, c_void_p,), False,
        "void tn_framing_text(const tn_framing *framing, char text[TN_FRAMING_TEXT])",
        """As a line of text, to be kept in a model's notes, and back: to thousandths. TN_EFORMAT if the text is none such."""),
    "tn_framing_parse": (c_int32, (c_char_p, c_void_p,), False,
        "tn_status tn_framing_parse(const char *text, tn_framing *framing)",
        """As a line of text, to be kept in a model's notes, and back: to thousandths. TN_EFORMAT if the text is none such."""),
    "tn_ink_doubts": (c_char_p, (c_void_p, c_char_p, c_size_t,), False,
        "const char * tn_ink_doubts(const tn_ink *ink, char *text, size_t capacity)",
        """The doubts in words, as "too small, ink cut off at the edge"; "" for none. Returns `text`."""),
    "tn_image_frame": (c_int32, (c_void_p, c_int64, c_int64, c_void_p, c_void_p, c_void_p, c_void_p,), False,
        "tn_status tn_image_frame(const float *level, int64_t height, int64_t width, const tn_framing *framing, const tn_shape *sample, float *out, tn_ink *ink)",
        """Brings a grey image, (height, width) levels 0..255, to a set's framing: `out` gets as many levels as a sample has,
        (1, height, width) or (height, width), of the set's own polarity; `ink`, unless NULL, what was found."""),
    "tn_image_read_framed": (c_int32, (c_char_p, c_void_p, c_void_p, c_void_p, c_void_p,), False,
        "tn_status tn_image_read_framed(const char *path, const tn_framing *framing, const tn_shape *sample, float *out, tn_ink *ink)",
        """The same with a file, PNG, JPEG or PGM, in the place of tn_image_read_scaled."""),
    "tn_check_gradients": (c_int32, (c_void_p, c_void_p, c_size_t, c_void_p, c_void_p, c_size_t, c_void_p,), False,
        "tn_status tn_check_gradients(tn_tensor *loss, const tn_value_of in[], size_t n_in, const tn_gradient_options *options, tn_gradient_error result[], size_t capacity, size_t *count)",
        """Checks d(loss)/d(variable) for each trainable variable of the loss's graph, in the order of tn_variables: up to
        `capacity` results are written, *count, unless NULL, is how many there are. `loss` has one element. Assignments in the
        graph, an
        optimizer's too, don't count: every loss is computed with the variables' given values. Adds outputs to the graph,
        so that a graph can be checked once. What tn_stop_gradient holds back moves with the variables: such a gradient is no
        difference of the loss. Fails as tn_compile and tn_feed do; a wrong gradient is a result, no failure."""),
    "tn_graph_new": (c_void_p, (), True,
        "tn_graph * tn_graph_new()",
        """An empty graph, or NULL when there is no memory. The caller frees it; compiled programs do not need it any more."""),
    "tn_graph_free": (None, (c_void_p,), True,
        "void tn_graph_free(tn_graph *graph)",
        """An empty graph, or NULL when there is no memory. The caller frees it; compiled programs do not need it any more."""),
    "tn_graph_status": (c_int32, (c_void_p,), True,
        "tn_status tn_graph_status(const tn_graph *graph)",
        """The graph's first error, TN_OK if none; tn_message then has its text."""),
    "tn_graph_fail": (None, (c_void_p, c_int32, c_char_p,), True,
        "void tn_graph_fail(tn_graph *graph, tn_status status, const char *format)",
        """Marks the graph as failed, if it has not failed yet. For layers and losses that check their own arguments."""),
    "tn_graph_of": (c_void_p, (c_void_p,), True,
        "tn_graph * tn_graph_of(const tn_tensor *x)",
        """What a tensor is. The shape of a tensor of a failed graph is (0)."""),
    "tn_shape_of": (tn_shape, (c_void_p,), True,
        "tn_shape tn_shape_of(const tn_tensor *x)",
        """What a tensor is. The shape of a tensor of a failed graph is (0)."""),
    "tn_dtype_of": (c_int32, (c_void_p,), True,
        "int32_t tn_dtype_of(const tn_tensor *x)",
        """What a tensor is. The shape of a tensor of a failed graph is (0)."""),
    "tn_scope_push": (None, (c_void_p, c_char_p,), True,
        "void tn_scope_push(tn_graph *graph, const char *name)",
        """Between tn_scope_push and the tn_scope_pop that belongs to it, names of variables, inputs and outputs begin with that
        of the scope and a '.', unless it ends in one: in "encoder" and then "0" tn_linear(x, "fc") has
        "encoder.0.fc.weight". Errors say in which scope the node is. Scopes lie within each other, belong to the graph, as
        the copy of `name` does, and last until they are popped: compiling a graph with an open one is an error, and so is
        popping when none is open. Scalar inputs are left as they are, for they belong to a run as a whole. NULL leads out of
        all scopes, until the pop: for names that are whole already."""),
    "tn_scope_pop": (None, (c_void_p,), True,
        "void tn_scope_pop(tn_graph *graph)",
        """Between tn_scope_push and the tn_scope_pop that belongs to it, names of variables, inputs and outputs begin with that
        of the scope and a '.', unless it ends in one: in "encoder" and then "0" tn_linear(x, "fc") has
        "encoder.0.fc.weight". Errors say in which scope the node is. Scopes lie within each other, belong to the graph, as
        the copy of `name` does, and last until they are popped: compiling a graph with an open one is an error, and so is
        popping when none is open. Scalar inputs are left as they are, for they belong to a run as a whole. NULL leads out of
        all scopes, until the pop: for names that are whole already."""),
    "tn_scope_of": (c_char_p, (c_void_p,), True,
        "const char * tn_scope_of(const tn_graph *graph)",
        """What names begin with now, as "encoder.0."; "" outside of all scopes. Valid until the graph is freed."""),
    "tn_input": (c_void_p, (c_void_p, c_char_p, c_int32, tn_shape,), True,
        "tn_tensor * tn_input(tn_graph *graph, const char *name, int32_t dtype, tn_shape shape)",
        """A tensor that the user fills before a run (tn_feed). Asking again for a name gives the same input; another shape or
        type is an error."""),
    "tn_full": (c_void_p, (c_void_p, c_int32, tn_shape, c_double,), True,
        "tn_tensor * tn_full(tn_graph *graph, int32_t dtype, tn_shape shape, double value)",
        """The number `value` in every element, as the element type keeps it."""),
    "tn_constant": (c_void_p, (c_void_p, c_int32, tn_shape, c_void_p,), True,
        "tn_tensor * tn_constant(tn_graph *graph, int32_t dtype, tn_shape shape, const void *data)",
        """Numbers that are known now, dense and row-major: `data` is copied. They are brought to the device when the graph is
        compiled, and are no part of the state."""),
    "tn_constant_at": (c_void_p, (c_void_p, c_int32, tn_shape, c_void_p,), True,
        "tn_tensor * tn_constant_at(tn_graph *graph, int32_t dtype, tn_shape shape, const void *data)",
        """The same without a copy: `data`, aligned for its type, stays as it is until the graph is freed. For what is large and
        lies in memory, or a mapped file, anyway."""),
    "tn_scalar_input": (c_void_p, (c_void_p, c_char_p, c_int32, c_double,), True,
        "tn_tensor * tn_scalar_input(tn_graph *graph, const char *name, int32_t dtype, double value)",
        """A number that may change at each run without compiling again (tn_set): learning rate, slope. Of rank 0. The names
        "seed" and "step" are the state's own seed and step count, and "step:1", "step:2"... the steps of the graph's
        optimizers; `start` values of windows are i32. Asking again for a name with another value is an error."""),
    "tn_variable": (c_void_p, (c_void_p, c_char_p, c_int32, tn_shape, tn_init, c_uint32,), True,
        "tn_tensor * tn_variable(tn_graph *graph, const char *name, int32_t dtype, tn_shape shape, tn_init init, uint32_t flags)",
        """A named tensor that lives in the state and keeps its value between runs. Asking again for a name gives the same
        variable; another shape or type is an error."""),
    "tn_param": (c_void_p, (c_void_p, c_char_p, tn_shape, tn_init,), True,
        "tn_tensor * tn_param(tn_graph *graph, const char *name, tn_shape shape, tn_init init)",
        """A trainable f32 variable."""),
    "tn_output": (None, (c_void_p, c_char_p,), True,
        "void tn_output(tn_tensor *x, const char *name)",
        """Keeps x readable after each run under that name (tn_fetch)."""),
    "tn_assign": (None, (c_void_p, c_void_p,), True,
        "void tn_assign(tn_tensor *variable, tn_tensor *value)",
        """At the end of a run the variable takes the value; everything else in the run sees the old one. Of a pack of variables
        each takes its part."""),
    "tn_assigned": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_assigned(tn_tensor *variable)",
        """What the variable will be at the end of a run, as far as the graph has been built: what was assigned to it, or the
        variable. And the assignment of what was made of that, in place of the one before: for what several layers change in
        turn, as running statistics."""),
    "tn_assign_again": (None, (c_void_p, c_void_p,), True,
        "void tn_assign_again(tn_tensor *variable, tn_tensor *value)",
        """What the variable will be at the end of a run, as far as the graph has been built: what was assigned to it, or the
        variable. And the assignment of what was made of that, in place of the one before: for what several layers change in
        turn, as running statistics."""),
    "tn_unassign": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_unassign(tn_tensor *variable)",
        """Takes an assignment back: returns the value, and the variable stays as it is; or the variable if there was none."""),
    "tn_freeze": (None, (c_void_p, c_char_p,), True,
        "void tn_freeze(tn_graph *graph, const char *patterns)",
        """Makes variables stay as they are: optimizers leave them alone, their gradients are not computed, and assignments to
        them, as of running statistics, are dropped. `patterns` are names separated by commas, in which '*' is any text and
        '?' any character; a name up to a dot is enough: "conv*, fc1.bias". Call it after the model has been built and before
        tn_minimize. A pattern that names no variable is an error."""),
    "tn_pack": (c_void_p, (c_void_p, c_size_t,), True,
        "tn_tensor * tn_pack(tn_tensor *part[], size_t count)",
        """Tensors of one element type side by side in a vector: the elements of each in order, from the next multiple of 32 on,
        with zeros in between. Of variables it is a view: a state keeps them in one piece, and what is done to the pack is
        done to all of them by one kernel; a value that is assigned to it is assigned to each by its part. So optimizers
        treat parameters that have their rate and decay in common, their gradients and their moments."""),
    "tn_unpack": (c_void_p, (c_void_p, c_void_p, c_size_t,), True,
        "tn_tensor * tn_unpack(tn_tensor *x, const tn_tensor *pack, size_t number)",
        """What part `number` of the pack is in x, a vector that is laid out as the pack, in that part's shape."""),
    "tn_count_steps": (c_void_p, (c_void_p, c_void_p, c_size_t,), True,
        "tn_tensor * tn_count_steps(tn_graph *graph, tn_tensor *param[], size_t count)",
        """The steps that the optimizer of these parameters has done before a run, an f32 scalar: one more after each, like the
        state's step count, which then grows, too. The state keeps it with each of them (tn_state_param_step); where they
        differ, the most counts. A parameter has one optimizer in a graph. Called by optimizers."""),
    "tn_graph_shard": (None, (c_void_p,), True,
        "void tn_graph_shard(tn_graph *graph)",
        """Says that the graph has one of several shards of a batch, before it is built: its program is in parts wherever it
        adds up something over all of them (tn_across, tn_program_run_part)."""),
    "tn_graph_is_shard": (c_int, (c_void_p,), True,
        "int tn_graph_is_shard(const tn_graph *graph)",
        """Says that the graph has one of several shards of a batch, before it is built: its program is in parts wherever it
        adds up something over all of them (tn_across, tn_program_run_part)."""),
    "tn_grad": (None, (c_void_p, c_void_p, c_size_t, c_void_p,), True,
        "void tn_grad(tn_tensor *loss, tn_tensor *wrt[], size_t count, tn_tensor *grad[])",
        """d(loss)/d(wrt[i]) into grad[i], for a loss of one element; reverse mode, by adding operators to the graph. A tensor
        that the loss does not depend on gets zeros. Gradients have gradients, to any order: a gradient penalty, or the
        product of the Hessian and a vector, is the gradient of a loss that is made of gradients. That of tn_maxpool2d has
        one for windows of up to 1024 elements; others fail with TN_EUNSUPPORTED."""),
    "tn_variables": (c_size_t, (c_void_p, c_uint32, c_void_p, c_size_t,), True,
        "size_t tn_variables(tn_graph *graph, uint32_t flags, tn_tensor *out[], size_t capacity)",
        """The graph's variables that have all of `flags`, in the order in which they were made: up to `capacity` are written;
        returns how many there are."""),
    "tn_name_of": (c_char_p, (c_void_p,), True,
        "const char * tn_name_of(const tn_tensor *x)",
        """The graph's variables that have all of `flags`, in the order in which they were made: up to `capacity` are written;
        returns how many there are."""),
    "tn_graph_save": (c_int32, (c_void_p, c_char_p,), True,
        "tn_status tn_graph_save(const tn_graph *graph, const char *path)",
        """Writes the graph as JSON that people can read: all that it is made of, and no values of variables. The file is
        replaced as a whole or not at all."""),
    "tn_graph_load": (c_int32, (c_char_p, c_void_p,), True,
        "tn_status tn_graph_load(const char *path, tn_graph **graph)",
        """The graph of such a file, which the caller frees; it compiles to what the saved one does, and gives the same bits.
        What this library does not know (an operator, an attribute, a later version) is TN_EUNSUPPORTED and named; a file
        that contradicts itself is TN_EFORMAT, or what the operator says of such operands. *graph is untouched on failure."""),
    "tn_measures_of_classes": (c_int32, (c_void_p, c_void_p, c_int64, c_int64, c_void_p,), False,
        "tn_status tn_measures_of_classes(const int32_t *label, const float *output, int64_t count, int64_t classes, tn_measures **measures)",
        """Measures `count` samples, 1 or more. Outputs are dense, (count, classes) or (count, targets). Of classes the largest
        output is what was predicted, the first of equal ones; a sample with an output that is NaN has no class, and counts
        as wrong. Of marks what lies above `threshold` is a yes, in the targets what lies above 0.5; NaN is a no. The caller
        frees it. TN_EINVAL for a label that is none of the classes."""),
    "tn_measures_of_marks": (c_int32, (c_void_p, c_void_p, c_int64, c_int64, c_double, c_void_p,), False,
        "tn_status tn_measures_of_marks(const float *target, const float *output, int64_t count, int64_t targets, double threshold, tn_measures **measures)",
        """Measures `count` samples, 1 or more. Outputs are dense, (count, classes) or (count, targets). Of classes the largest
        output is what was predicted, the first of equal ones; a sample with an output that is NaN has no class, and counts
        as wrong. Of marks what lies above `threshold` is a yes, in the targets what lies above 0.5; NaN is a no. The caller
        frees it. TN_EINVAL for a label that is none of the classes."""),
    "tn_measures_of_numbers": (c_int32, (c_void_p, c_void_p, c_int64, c_int64, c_void_p,), False,
        "tn_status tn_measures_of_numbers(const float *target, const float *output, int64_t count, int64_t targets, tn_measures **measures)",
        """Measures `count` samples, 1 or more. Outputs are dense, (count, classes) or (count, targets). Of classes the largest
        output is what was predicted, the first of equal ones; a sample with an output that is NaN has no class, and counts
        as wrong. Of marks what lies above `threshold` is a yes, in the targets what lies above 0.5; NaN is a no. The caller
        frees it. TN_EINVAL for a label that is none of the classes."""),
    "tn_measures_of": (c_int32, (c_void_p, c_void_p,), False,
        "tn_status tn_measures_of(const tn_measured_samples *samples, tn_measures **measures)",
        """The same of samples that count as often as their weights say, as with scikit-learn's sample_weight; confusions and
        support count samples."""),
    "tn_class_of": (c_int64, (c_void_p, c_int64,), False,
        "int64_t tn_class_of(const float *output, int64_t classes)",
        """The class that `classes` outputs predict, by that rule; -1: none."""),
    "tn_measures_free": (None, (c_void_p,), False,
        "void tn_measures_free(tn_measures *measures)",
        """NULL is fine"""),
    "tn_measures_kind": (c_uint32, (c_void_p,), False,
        "uint32_t tn_measures_kind(const tn_measures *measures)",
        """TN_OF_..., and the number of classes or targets."""),
    "tn_measures_parts": (c_int64, (c_void_p,), False,
        "int64_t tn_measures_parts(const tn_measures *measures)",
        """TN_OF_..., and the number of classes or targets."""),
    "tn_measures_get": (c_double, (c_void_p, c_char_p, c_int64,), False,
        "double tn_measures_get(const tn_measures *measures, const char *name, int64_t index)",
        """A measure. `index` below 0 asks for that of all. Of precision, recall and f1 it is the plain mean over the classes
        that are there or were predicted, or over the targets; of r2, mae and rmse the mean over the targets. Of accuracy it
        is the share of samples that are wholly right: of several marks those with every one right, while mean_accuracy is
        the targets' mean. Of roc_auc it is that of two classes, by what the second output is above the first, or the mean
        of the targets of which there are both. Else it is that of a class or target, where the measure has such. NaN where
        there is no answer, and of a name that is none."""),
    "tn_measures_confused": (c_int64, (c_void_p, c_int64, c_int64,), False,
        "int64_t tn_measures_confused(const tn_measures *measures, int64_t truth, int64_t found)",
        """Of classes, 4096 at most: how many samples of the class `truth` were taken for the class `found`. -1 beyond them."""),
    "tn_measure_at": (c_int, (c_size_t, c_void_p,), False,
        "int tn_measure_at(size_t index, tn_measure_entry *entry)",
        """The measures there are. Returns 0 past the last."""),
    "tn_linear_layer": (c_void_p, (c_void_p, c_char_p, tn_linear_options,), True,
        "tn_tensor * tn_linear_layer(tn_tensor *x, const char *name, tn_linear_options options)",
        """y = x W' + b over the last dimension: (..., in) -> (..., units). tn_linear(x, "fc1", .units = 100)"""),
    "tn_conv2d_layer": (c_void_p, (c_void_p, c_char_p, tn_conv2d_options,), True,
        "tn_tensor * tn_conv2d_layer(tn_tensor *x, const char *name, tn_conv2d_options options)",
        """Convolution of (batch, channels, height, width), with parameters "conv1.weight" (filters, channels / groups, kernel)
        and "conv1.bias" (filters). tn_conv2d(x, "conv1", .filters = 32, .kernel = {5, 5})"""),
    "tn_conv2d_transpose_layer": (c_void_p, (c_void_p, c_char_p, tn_conv2d_transpose_options,), True,
        "tn_tensor * tn_conv2d_transpose_layer(tn_tensor *x, const char *name, tn_conv2d_transpose_options options)",
        """Transposed convolution (Zeiler and others, 2010), which leads back from the size of a convolution's result to that of
        its operand, with parameters "NAME.weight" (channels of x, filters / groups, kernel) and "NAME.bias" (filters).
        tn_conv2d_transpose(x, "up1", .filters = 32, .kernel = {2}, .stride = {2}) doubles height and width."""),
    "tn_conv1d_layer": (c_void_p, (c_void_p, c_char_p, tn_conv1d_options,), True,
        "tn_tensor * tn_conv1d_layer(tn_tensor *x, const char *name, tn_conv1d_options options)",
        """Along one dimension: (batch, channels, length), with parameters "NAME.weight" (filters, channels / groups, kernel),
        transposed (channels, filters / groups, kernel), and "NAME.bias" (filters). Options are as in two dimensions.
        tn_conv1d(x, "conv1", .filters = 32, .kernel = 5)"""),
    "tn_conv1d_transpose_layer": (c_void_p, (c_void_p, c_char_p, tn_conv1d_options,), True,
        "tn_tensor * tn_conv1d_transpose_layer(tn_tensor *x, const char *name, tn_conv1d_options options)",
        """Along one dimension: (batch, channels, length), with parameters "NAME.weight" (filters, channels / groups, kernel),
        transposed (channels, filters / groups, kernel), and "NAME.bias" (filters). Options are as in two dimensions.
        tn_conv1d(x, "conv1", .filters = 32, .kernel = 5)"""),
    "tn_maxpool1d_with": (c_void_p, (c_void_p, tn_pool1d_options,), True,
        "tn_tensor * tn_maxpool1d_with(tn_tensor *x, tn_pool1d_options options)",
        """Pooling of (batch, channels, length); the window is required. tn_maxpool1d(x, .window = 2)"""),
    "tn_avgpool1d_with": (c_void_p, (c_void_p, tn_pool1d_options,), True,
        "tn_tensor * tn_avgpool1d_with(tn_tensor *x, tn_pool1d_options options)",
        """Pooling of (batch, channels, length); the window is required. tn_maxpool1d(x, .window = 2)"""),
    "tn_adaptive_avgpool1d": (c_void_p, (c_void_p, c_int64,), True,
        "tn_tensor * tn_adaptive_avgpool1d(tn_tensor *x, int64_t length)",
        """Pooling of (batch, channels, length); the window is required. tn_maxpool1d(x, .window = 2)"""),
    "tn_batch_norm_layer": (c_void_p, (c_void_p, c_char_p, tn_batch_norm_options,), True,
        "tn_tensor * tn_batch_norm_layer(tn_tensor *x, const char *name, tn_batch_norm_options options)",
        """Normalisation, with PyTorch's names, shapes and semantics; x is (batch, channels, ...) where channels count. Zero
        options mean the usual value, and TN_ZERO as an epsilon 0. Batch normalisation (Ioffe and Szegedy, 2015) takes the
        batch's own mean and variance in training, and moves "running_mean" and "running_var" (unbiased) towards them, each
        use of the layer in turn where a graph has several; otherwise it takes these. Where a training cuts its batches into
        shards (fit.h), each shard is a batch of its own, unless `sync` asks for the whole batch's mean and variance."""),
    "tn_layer_norm_layer": (c_void_p, (c_void_p, tn_norm_options,), True,
        "tn_tensor * tn_layer_norm_layer(tn_tensor *x, tn_norm_options options)",
        """Over the last dimension (Ba, Kiros and Hinton, 2016); without mean and bias (Zhang and Sennrich, 2019).
        tn_layer_norm(x, "ln1") or tn_layer_norm(x, "ln1", .epsilon = 1e-6)"""),
    "tn_rms_norm_layer": (c_void_p, (c_void_p, tn_norm_options,), True,
        "tn_tensor * tn_rms_norm_layer(tn_tensor *x, tn_norm_options options)",
        """Over the last dimension (Ba, Kiros and Hinton, 2016); without mean and bias (Zhang and Sennrich, 2019).
        tn_layer_norm(x, "ln1") or tn_layer_norm(x, "ln1", .epsilon = 1e-6)"""),
    "tn_instance_norm_layer": (c_void_p, (c_void_p, tn_norm_options,), True,
        "tn_tensor * tn_instance_norm_layer(tn_tensor *x, tn_norm_options options)",
        """Each channel of each sample by itself (Ulyanov, Vedaldi and Lempitsky, 2016); a NULL name means without scale and
        shift, as PyTorch does it unless told otherwise."""),
    "tn_group_norm_layer": (c_void_p, (c_void_p, c_char_p, tn_group_norm_options,), True,
        "tn_tensor * tn_group_norm_layer(tn_tensor *x, const char *name, tn_group_norm_options options)",
        """Over each of some groups of channels (Wu and He, 2018). tn_group_norm(x, "gn1", 8)"""),
    "tn_prelu": (c_void_p, (c_void_p, c_char_p, c_int,), True,
        "tn_tensor * tn_prelu(tn_tensor *x, const char *name, int each_channel)",
        """x, or x times a trainable slope, "NAME.weight" (1), when negative; with `each_channel` (channels). It begins at 0.25.
        He, Zhang, Ren and Sun, 2015."""),
    "tn_dropout_channels": (c_void_p, (c_void_p, c_double,), True,
        "tn_tensor * tn_dropout_channels(tn_tensor *x, double rate)",
        """Dropout of whole channels of each sample, (batch, channels, ...): Tompson and others, 2015. 0 <= rate < 1."""),
    "tn_random_flip": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_random_flip(tn_tensor *x)",
        """Images (batch, channels, height, width), half of them mirrored left to right; and shifted by -pad..pad rows and
        columns, zeros coming in, which is to pad them on all sides and crop them to their size again. pad <= 2^20."""),
    "tn_random_crop": (c_void_p, (c_void_p, c_int64,), True,
        "tn_tensor * tn_random_crop(tn_tensor *x, int64_t pad)",
        """Images (batch, channels, height, width), half of them mirrored left to right; and shifted by -pad..pad rows and
        columns, zeros coming in, which is to pad them on all sides and crop them to their size again. pad <= 2^20."""),
    "tn_embedding": (c_void_p, (c_void_p, c_char_p, c_int64, c_int64,), True,
        "tn_tensor * tn_embedding(tn_tensor *index, const char *name, int64_t count, int64_t units)",
        """Rows of a trainable table, "NAME.weight" (count, units), from N(0, 1): i32 (...) -> (..., units). A number outside
        gives zeros."""),
    "tn_embedding_padded": (c_void_p, (c_void_p, c_char_p, c_int64, c_int64, c_int32,), True,
        "tn_tensor * tn_embedding_padded(tn_tensor *index, const char *name, int64_t count, int64_t units, int32_t padding)",
        """The same, but row `padding`, one of them, begins with zeros and gets no gradient: PyTorch's padding_idx. What a file
        has in that row is kept and given as it is, as PyTorch does it."""),
    "tn_recurrent_layer": (c_void_p, (c_void_p, c_char_p, tn_recurrent_options, c_void_p,), True,
        "tn_tensor * tn_recurrent_layer(tn_tensor *x, const char *name, tn_recurrent_options options, tn_recurrent_state *state)",
        """`state`, unless NULL, is where to begin, and gets the last state: one for each layer, or, with `bidirectional`, two,
        forward and backward, for each."""),
    "tn_multihead_attention_layer": (c_void_p, (c_void_p, c_char_p, tn_attention_options,), True,
        "tn_tensor * tn_multihead_attention_layer(tn_tensor *x, const char *name, tn_attention_options options)",
        """Attention with several heads of x (batch, steps, width) to itself or to a memory, with PyTorch's names:
        "NAME.in_proj_weight" (3 width, width) and "in_proj_bias" for queries, keys and values, "NAME.out_proj.weight" and
        ".bias". tn_multihead_attention(x, "attention", .heads = 4, .causal = 1)"""),
    "tn_self_attention": (c_void_p, (c_void_p, c_char_p, c_int64, c_int,), True,
        "tn_tensor * tn_self_attention(tn_tensor *x, const char *name, int64_t heads, int causal)",
        """Attention with several heads of x (batch, steps, width) to itself or to a memory, with PyTorch's names:
        "NAME.in_proj_weight" (3 width, width) and "in_proj_bias" for queries, keys and values, "NAME.out_proj.weight" and
        ".bias". tn_multihead_attention(x, "attention", .heads = 4, .causal = 1)"""),
    "tn_transformer_layer": (c_void_p, (c_void_p, c_char_p, tn_transformer_options,), True,
        "tn_tensor * tn_transformer_layer(tn_tensor *x, const char *name, tn_transformer_options options)",
        """A transformer's layer over x (batch, steps, width): attention to itself; to a memory, if there is one; and two linear
        layers. Names are those of PyTorch's TransformerEncoderLayer and, with a memory, TransformerDecoderLayer:
        "self_attn", "multihead_attn", "linear1", "linear2", "norm1" and so on. Normalisation stands before each part (Xiong
        and others, 2020) and the activation is gelu, unless told otherwise."""),
    "tn_sinusoids": (c_void_p, (c_void_p, c_int64, c_int64,), True,
        "tn_tensor * tn_sinusoids(tn_graph *graph, int64_t steps, int64_t width)",
        """The positions of that paper, f32 (steps, width), to be added to each sample: sin(p / 10000^(i / width)) in each even
        column i, and the cosine in the next."""),
    "tn_net": (c_void_p, (c_void_p, c_char_p, tn_net_options,), True,
        "tn_tensor * tn_net(tn_tensor *x, const char *spec, tn_net_options options)",
        """Builds a network from a named one ("mlp", "perceptron", ...) or from layers in order:
        "linear 100, sigmoid, linear 40, sigmoid, linear 10". Layers are named by kind and number: "conv1", "fc2". The first
        dimension is the batch; `linear` flattens what has more than two. `outputs` is how many numbers the network gives
        for a sample: a spec writes "linear outputs" for it, and so do the named networks.
        `training` switches dropout on. `init` names the initialisation of the weights: "auto" (he before relu and its like,
        xavier before all else) or another that tn_net_init_at lists; NULL: "auto". `scale` is the deviation of "normal" and
        "truncated", the end of "uniform", the value of "constant", and a factor for others; 0: the usual. `freeze`, unless
        NULL, is as for tn_freeze; frozen batch normalisation takes the running statistics in training too. `sync_norm` makes
        every batch normalisation one over all shards of the batch (tn_batch_norm_options.sync). `each`, unless NULL, is
        called with `arg` after each layer, as it is written, and what came out of it. Errors name the layer."""),
    "tn_net_layer_at": (c_int, (c_size_t, c_void_p,), True,
        "int tn_net_layer_at(size_t index, tn_net_word *word)",
        """The layers and named networks that tn_net knows, for help texts. Returns 0 past the last."""),
    "tn_net_named_at": (c_int, (c_size_t, c_void_p,), True,
        "int tn_net_named_at(size_t index, tn_net_word *word)",
        """The layers and named networks that tn_net knows, for help texts. Returns 0 past the last."""),
    "tn_net_init_at": (c_int, (c_size_t, c_void_p,), True,
        "int tn_net_init_at(size_t index, tn_net_word *word)",
        """The layers and named networks that tn_net knows, for help texts. Returns 0 past the last."""),
    "tn_mean_squared_error": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_mean_squared_error(tn_tensor *prediction, tn_tensor *target)",
        """Mean of (prediction - target)^2 over all elements."""),
    "tn_half_squared_error": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_half_squared_error(tn_tensor *prediction, tn_tensor *target)",
        """Sum over the outputs of (prediction - target)^2 / 2, mean over the batch: the classic quadratic cost."""),
    "tn_binary_cross_entropy": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_binary_cross_entropy(tn_tensor *logits, tn_tensor *target)",
        """Mean of -(t log s + (1 - t) log(1 - s)) with s = sigmoid(logits); stable for any logits."""),
    "tn_cross_entropy": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_cross_entropy(tn_tensor *logits, tn_tensor *label)",
        """Mean of -log softmax(logits)[label]: logits (..., classes), two or more, label i32 (...); stable for any logits."""),
    "tn_loss": (c_void_p, (c_char_p, c_void_p, c_void_p,), True,
        "tn_tensor * tn_loss(const char *name, tn_tensor *output, tn_tensor *target)",
        """A loss by its name. A loss for targets of the output's shape can be given i32 labels (n): they are made one-hot, or
        0 and 1 for a network of one output."""),
    "tn_loss_with": (c_void_p, (c_char_p, c_void_p, c_void_p, tn_loss_options,), True,
        "tn_tensor * tn_loss_with(const char *name, tn_tensor *output, tn_tensor *target, tn_loss_options options)",
        """How the losses of elements or samples become one: the mean that belongs to the loss, their sum, or not at all."""),
    "tn_loss_total": (c_void_p, (c_char_p, c_void_p, c_void_p, tn_loss_options,), True,
        "tn_tensor * tn_loss_total(const char *name, tn_tensor *output, tn_tensor *target, tn_loss_options options)",
        """What the mean of such a loss is divided by, of rank 0: the number of its elements or samples, or the sum of their
        weights; of a loss that is a sum anyway, the samples or their weights. For means over several batches."""),
    "tn_loss_readable": (c_void_p, (c_char_p, c_void_p,), True,
        "tn_tensor * tn_loss_readable(const char *name, tn_tensor *output)",
        """The outputs as people read them: probabilities where the loss takes logits or logarithms of those, the mean for
        "poisson", else as they are."""),
    "tn_loss_check_targets": (c_int32, (c_char_p, c_int32, c_void_p, c_int64, c_int64,), True,
        "tn_status tn_loss_check_targets(const char *loss, int32_t dtype, const void *data, int64_t count, int64_t classes)",
        """Finds targets that the loss cannot take, before training begins: i32 labels outside 0..classes-1, or any for "mape",
        which they would give zeros; f32 targets that are no number, 0 for "mape", no probability for "binary_cross_entropy",
        "binary_focal", "hinge" and "kl_divergence", negative for "poisson", -1 or less for "msle"."""),
    "tn_loss_at": (c_int, (c_size_t, c_void_p,), True,
        "int tn_loss_at(size_t index, tn_loss_entry *entry)",
        """What a loss takes. Returns 0 past the last."""),
    "tn_triplet_margin": (c_void_p, (c_void_p, c_void_p, c_void_p, c_double,), True,
        "tn_tensor * tn_triplet_margin(tn_tensor *anchor, tn_tensor *positive, tn_tensor *negative, double margin)",
        """max(0, |anchor - positive| - |anchor - negative| + margin): Schroff, Kalenichenko and Philbin, "FaceNet", 2015."""),
    "tn_contrastive": (c_void_p, (c_void_p, c_void_p, c_void_p, c_double,), True,
        "tn_tensor * tn_contrastive(tn_tensor *a, tn_tensor *b, tn_tensor *same, double margin)",
        """d^2 / 2 of pairs that are the same (above 0), max(0, margin - d)^2 / 2 of others, d = |a - b|: a and b (..., width),
        same (...). Hadsell, Chopra and LeCun, 2006."""),
    "tn_margin_ranking": (c_void_p, (c_void_p, c_void_p, c_void_p, c_double,), True,
        "tn_tensor * tn_margin_ranking(tn_tensor *a, tn_tensor *b, tn_tensor *order, double margin)",
        """max(0, margin - order (a - b)): a should be above b where the order is 1, below where it is -1."""),
    "tn_cosine_embedding": (c_void_p, (c_void_p, c_void_p, c_void_p, c_double,), True,
        "tn_tensor * tn_cosine_embedding(tn_tensor *a, tn_tensor *b, tn_tensor *same, double margin)",
        """1 - cos of pairs that are the same (above 0), max(0, cos - margin) of others: a and b (..., width), same (...)."""),
    "tn_gaussian_likelihood": (c_void_p, (c_void_p, c_void_p, c_void_p,), True,
        "tn_tensor * tn_gaussian_likelihood(tn_tensor *mean, tn_tensor *variance, tn_tensor *target)",
        """(log(variance) + (mean - target)^2 / variance) / 2 with a variance of 1e-6 or more: Nix and Weigend, 1994."""),
    "tn_root_mean_squared_error": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_root_mean_squared_error(tn_tensor *prediction, tn_tensor *target)",
        """Root of the mean of the squared errors, of rank 0."""),
    "tn_count_correct": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_count_correct(tn_tensor *output, tn_tensor *target)",
        """How many of the batch are right, as f32 of rank 0: arg-max against i32 labels (...) of outputs (..., classes); for
        one output or for targets of the outputs' shape, the sign of the logit against a target of 0 or 1."""),
    "tn_is_correct": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_is_correct(tn_tensor *output, tn_tensor *target)",
        """1 for each of the batch that is right by that rule, and 0 for others: f32 (batch), of several labels each (batch x
        labels)."""),
    "tn_onnx_load": (c_int32, (c_char_p, c_void_p,), False,
        "tn_status tn_onnx_load(const char *path, tn_onnx **model)",
        """Reads a model; its file, and those beside it that weights lie in, stay mapped as long as it lives, and are not to be
        written into then (a new file in their place is fine). The caller frees it, after the graphs that were built from it:
        these use its weights where they are. TN_EFORMAT if it is damaged."""),
    "tn_onnx_free": (None, (c_void_p,), False,
        "void tn_onnx_free(tn_onnx *model)",
        """NULL is fine"""),
    "tn_onnx_input_at": (c_int, (c_void_p, c_size_t, c_void_p,), False,
        "int tn_onnx_input_at(const tn_onnx *model, size_t index, tn_onnx_port *port)",
        """Number `index`; returns 0 past the last. Inputs with an initializer, a default, are none of these but the others':
        tn_onnx_build has constants of them, or weights, unless they are given."""),
    "tn_onnx_default_at": (c_int, (c_void_p, c_size_t, c_void_p,), False,
        "int tn_onnx_default_at(const tn_onnx *model, size_t index, tn_onnx_port *port)",
        """Number `index`; returns 0 past the last. Inputs with an initializer, a default, are none of these but the others':
        tn_onnx_build has constants of them, or weights, unless they are given."""),
    "tn_onnx_output_at": (c_int, (c_void_p, c_size_t, c_void_p,), False,
        "int tn_onnx_output_at(const tn_onnx *model, size_t index, tn_onnx_port *port)",
        """Number `index`; returns 0 past the last. Inputs with an initializer, a default, are none of these but the others':
        tn_onnx_build has constants of them, or weights, unless they are given."""),
    "tn_onnx_operator_at": (c_int, (c_void_p, c_size_t, c_void_p,), False,
        "int tn_onnx_operator_at(const tn_onnx *model, size_t index, tn_onnx_operator *op)",
        """The file's operators, each kind once, in the order of their first use; and how many numbers its weights are."""),
    "tn_onnx_weights": (c_int64, (c_void_p,), False,
        "int64_t tn_onnx_weights(const tn_onnx *model)",
        """The file's operators, each kind once, in the order of their first use; and how many numbers its weights are."""),
    "tn_onnx_file_at": (c_int, (c_void_p, c_size_t, c_void_p,), False,
        "int tn_onnx_file_at(tn_onnx *model, size_t index, const char **path)",
        """The files beside the model's that weights lie in, which are mapped as long as it lives: number `index`; returns 0
        past the last. The path lives as long as the model."""),
    "tn_onnx_freeze": (c_int32, (c_void_p, c_char_p,), False,
        "tn_status tn_onnx_freeze(tn_onnx *model, const char *patterns)",
        """Weights of these names in the file, or patterns as tn_freeze takes them, stay as they are in graphs that are built
        from now on: they are no parameters, and batch normalisation whose running mean is one of them goes by its running
        statistics in training too. NULL: none. TN_EMISSING, and no change, if a pattern names no weight."""),
    "tn_onnx_end_of": (None, (c_void_p, c_void_p,), False,
        "void tn_onnx_end_of(const tn_onnx *model, tn_onnx_end *end)",
        """How output 0 comes about at its end, for those who train the network on something else, or by a loss that has the
        softmax itself. Texts live as long as the model; NULL: there is none such."""),
    "tn_onnx_build": (c_int32, (c_void_p, c_void_p, c_void_p, c_size_t, c_void_p,), False,
        "tn_status tn_onnx_build(tn_onnx *model, tn_graph *graph, const tn_onnx_given given[], size_t count, const tn_onnx_options *options)",
        """Adds the model to the graph: inputs, outputs and variables have the file's names, as all names of a graph behind
        those of the scopes that are open: "enc.x" (tn_scope_push). Inputs that are not given have the declared shape, and it
        is TN_ESHAPE if that is not wholly said. Where something in the file has no rule here, all of it is found first
        (tn_onnx_problem_at), and it is TN_EUNSUPPORTED. `options` may be NULL."""),
    "tn_onnx_apply": (c_int32, (c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_void_p,), False,
        "tn_status tn_onnx_apply(tn_onnx *model, tn_tensor *x[], size_t n_x, tn_tensor *y[], size_t n_y, const tn_onnx_options *options)",
        """The same as a part of a network: x[i] in place of input i, y[i] becomes output i; neither gets a name. Behind those
        of the inputs may be some for those that have a default, in the order of tn_onnx_default_at; NULL leaves one to it."""),
    "tn_onnx_weight_at": (c_int, (c_void_p, c_size_t, c_void_p, c_void_p, c_void_p,), False,
        "int tn_onnx_weight_at(tn_onnx *model, size_t index, const char **name, tn_shape *shape, const float **data)",
        """The weights that are variables of graphs that were built with `trainable`: number `index` by its name, dense; returns
        0 past the last. Numbers that do not lie in the file so, f64 as f32 among them, are made once, and live as long as
        the model; `data` may be NULL, then none are. Those that do are seen in the file: where others may cut it meanwhile,
        which ends a process that looks, tn_onnx_put_weight reads them. They are the first values that a state wants
        (tn_state_put), but for those of a last layer that begins anew: these have another shape there.

        Weights are initializers of floating point, but for scalars, that layers use as such: as factors, filters, biases,
        scales, tables of embeddings, or through what only moves numbers. Others, such as a mask or an exponent, are
        constants, as are all in nodes `Constant`. An initializer that several things use, some by a node `Identity`, is a
        weight of its own for each such node, under the name of its output."""),
    "tn_onnx_put": (c_int32, (c_void_p, c_void_p, c_char_p,), False,
        "tn_status tn_onnx_put(tn_onnx *model, tn_state *state, const char *scope)",
        """Puts all of them into a state, where it has no variable of that name and shape yet or has one, whose value they then
        are; one of another shape, of a last layer that begins anew, stays. Names in the file are what tn_onnx_weight_at
        says; `scope`, or NULL, is that in which the model was built: with "enc" the file's "fc.weight" is "enc.fc.weight"."""),
    "tn_onnx_put_weight": (c_int32, (c_void_p, c_size_t, c_void_p, c_char_p,), False,
        "tn_status tn_onnx_put_weight(tn_onnx *model, size_t index, tn_state *state, const char *name)",
        """Puts one of them under that name, or NULL: that in the file. TN_EMISSING past the last."""),
    "tn_onnx_text": (c_int32, (c_void_p, c_void_p, c_void_p,), False,
        "tn_status tn_onnx_text(tn_onnx *model, const tn_onnx_options *options, const char **text)",
        """The network without the numbers of its weights, as letters and digits: with `trainable` it is built from that (and a
        state) as from the file. `options` has the `outputs` that are then those of the file, and the `most` that is then
        what options without one mean, or is NULL. What the graphs
        that were built so far needed to know is part of it: build those that are wanted first. The text lives as long as the
        model, or until the next call."""),
    "tn_onnx_of_text": (c_int32, (c_char_p, c_void_p,), False,
        "tn_status tn_onnx_of_text(const char *text, tn_onnx **model)",
        """The network without the numbers of its weights, as letters and digits: with `trainable` it is built from that (and a
        state) as from the file. `options` has the `outputs` that are then those of the file, and the `most` that is then
        what options without one mean, or is NULL. What the graphs
        that were built so far needed to know is part of it: build those that are wanted first. The text lives as long as the
        model, or until the next call."""),
    "tn_onnx_problem_at": (c_int, (c_void_p, c_size_t, c_void_p,), False,
        "int tn_onnx_problem_at(const tn_onnx *model, size_t index, tn_onnx_problem *problem)",
        """What the last build could not do, each kind of thing once. Texts live until the next build."""),
    "tn_onnx_save": (c_int32, (c_void_p, c_void_p, c_char_p, c_void_p,), False,
        "tn_status tn_onnx_save(tn_graph *graph, tn_state *state, const char *path, const tn_onnx_save_options *options)",
        """Writes the graph's inputs and outputs (tn_input, tn_output), by their names, and all between them, with the values
        that its variables have in the state. `options` may be NULL.

        With `other`, built as the graph was but for the number of samples, the file has a network for any number: sizes in
        which the two differ are the dimension "batch", or a multiple of it. Numbers in which they differ (tn_full,
        tn_constant) are multiples of it, or shares, or the same for each sample; others are refused. Both graphs may be
        added to, and mean the same afterwards; what fails may leave them failed.

        TN_EUNSUPPORTED names the operator that ONNX doesn't have, and the node; a graph that assigns, as one that trains
        does, is refused too. The file is written as a whole or not at all, and so, before it, is the one beside it. The
        format allows 2 GiB for what is not in that."""),
    "tn_op_at": (c_int, (c_size_t, c_void_p,), False,
        "int tn_op_at(size_t index, tn_op_entry *entry)",
        """Operator number `index`, the rows of unary.def and binary.def included; texts live as long as the library. Returns 0
        past the last."""),
    "tn_op_support": (c_int, (c_void_p, c_size_t, c_int32, c_int,), False,
        "int tn_op_support(tn_device *device, size_t index, int32_t dtype, int backward)",
        """Of operator number `index` on operands of type `dtype`: itself, or (`backward`) its gradient."""),
    "tn_neg": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_neg(tn_tensor *x)",
        """-x"""),
    "tn_abs": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_abs(tn_tensor *x)",
        """absolute value; the derivative at 0 is 0"""),
    "tn_sign": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_sign(tn_tensor *x)",
        """-1, 0 or 1"""),
    "tn_square": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_square(tn_tensor *x)",
        """x squared"""),
    "tn_sqrt": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_sqrt(tn_tensor *x)",
        """square root"""),
    "tn_rsqrt": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_rsqrt(tn_tensor *x)",
        """1 / sqrt(x)"""),
    "tn_reciprocal": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_reciprocal(tn_tensor *x)",
        """1 / x"""),
    "tn_exp": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_exp(tn_tensor *x)",
        """e to the x"""),
    "tn_exp2": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_exp2(tn_tensor *x)",
        """2 to the x"""),
    "tn_expm1": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_expm1(tn_tensor *x)",
        """exp(x) - 1, exact for small x"""),
    "tn_log": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_log(tn_tensor *x)",
        """natural logarithm"""),
    "tn_log2": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_log2(tn_tensor *x)",
        """logarithm to the base of 2"""),
    "tn_log10": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_log10(tn_tensor *x)",
        """logarithm to the base of 10"""),
    "tn_log1p": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_log1p(tn_tensor *x)",
        """log(1 + x), exact for small x"""),
    "tn_sin": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_sin(tn_tensor *x)",
        """sine of x radians"""),
    "tn_cos": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_cos(tn_tensor *x)",
        """cosine of x radians"""),
    "tn_tan": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_tan(tn_tensor *x)",
        """tangent of x radians"""),
    "tn_asin": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_asin(tn_tensor *x)",
        """the angle from -pi/2 to pi/2 whose sine is x"""),
    "tn_acos": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_acos(tn_tensor *x)",
        """the angle from 0 to pi whose cosine is x"""),
    "tn_atan": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_atan(tn_tensor *x)",
        """the angle from -pi/2 to pi/2 whose tangent is x"""),
    "tn_sinh": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_sinh(tn_tensor *x)",
        """hyperbolic sine"""),
    "tn_cosh": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_cosh(tn_tensor *x)",
        """hyperbolic cosine"""),
    "tn_asinh": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_asinh(tn_tensor *x)",
        """the number whose hyperbolic sine is x"""),
    "tn_acosh": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_acosh(tn_tensor *x)",
        """the number from 0 on whose hyperbolic cosine is x"""),
    "tn_atanh": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_atanh(tn_tensor *x)",
        """the number whose hyperbolic tangent is x"""),
    "tn_erf": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_erf(tn_tensor *x)",
        """error function"""),
    "tn_floor": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_floor(tn_tensor *x)",
        """largest integer not above x"""),
    "tn_ceil": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_ceil(tn_tensor *x)",
        """smallest integer not below x"""),
    "tn_trunc": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_trunc(tn_tensor *x)",
        """x without what follows the point"""),
    "tn_round": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_round(tn_tensor *x)",
        """nearest integer; of two the even one"""),
    "tn_isnan": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_isnan(tn_tensor *x)",
        """1 if x is not a number, else 0"""),
    "tn_isinf": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_isinf(tn_tensor *x)",
        """1 if x is an infinity, else 0"""),
    "tn_isfinite": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_isfinite(tn_tensor *x)",
        """1 if x is neither infinite nor NaN, else 0"""),
    "tn_step": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_step(tn_tensor *x)",
        """Heaviside step: 1 from 0 on, else 0"""),
    "tn_relu": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_relu(tn_tensor *x)",
        """x, or 0 when x is negative"""),
    "tn_relu6": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_relu6(tn_tensor *x)",
        """x within 0..6"""),
    "tn_hard_tanh": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_hard_tanh(tn_tensor *x)",
        """x within -1..1"""),
    "tn_softsign": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_softsign(tn_tensor *x)",
        """x / (1 + |x|)"""),
    "tn_tanh_shrink": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_tanh_shrink(tn_tensor *x)",
        """x - tanh(x)"""),
    "tn_sigmoid": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_sigmoid(tn_tensor *x)",
        """logistic function"""),
    "tn_tanh": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_tanh(tn_tensor *x)",
        """hyperbolic tangent"""),
    "tn_softplus": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_softplus(tn_tensor *x)",
        """log(1 + exp(x)), for any x"""),
    "tn_log_sigmoid": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_log_sigmoid(tn_tensor *x)",
        """log(sigmoid(x)), for any x"""),
    "tn_gelu": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_gelu(tn_tensor *x)",
        """x times the normal distribution's share below x"""),
    "tn_gelu_tanh": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_gelu_tanh(tn_tensor *x)",
        """gelu by tanh"""),
    "tn_silu": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_silu(tn_tensor *x)",
        """x sigmoid(x)"""),
    "tn_selu": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_selu(tn_tensor *x)",
        """scaled elu: keeps mean 0 and variance 1 from layer to layer"""),
    "tn_hard_sigmoid": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_hard_sigmoid(tn_tensor *x)",
        """x / 6 + 1/2 within 0..1"""),
    "tn_hard_swish": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_hard_swish(tn_tensor *x)",
        """x hard_sigmoid(x)"""),
    "tn_mish": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_mish(tn_tensor *x)",
        """x tanh(softplus(x))"""),
    "tn_add": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_add(tn_tensor *a, tn_tensor *b)",
        """a + b"""),
    "tn_sub": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_sub(tn_tensor *a, tn_tensor *b)",
        """a - b"""),
    "tn_mul": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_mul(tn_tensor *a, tn_tensor *b)",
        """a b"""),
    "tn_div": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_div(tn_tensor *a, tn_tensor *b)",
        """a / b; of integers towards zero, and 0 where b is 0"""),
    "tn_min": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_min(tn_tensor *a, tn_tensor *b)",
        """the smaller; NaN wins; a takes the gradient of a tie"""),
    "tn_max": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_max(tn_tensor *a, tn_tensor *b)",
        """the larger; NaN wins; a takes the gradient of a tie"""),
    "tn_pow": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_pow(tn_tensor *a, tn_tensor *b)",
        """a to the b"""),
    "tn_fmod": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_fmod(tn_tensor *a, tn_tensor *b)",
        """the rest of a by b, of a's sign"""),
    "tn_remainder": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_remainder(tn_tensor *a, tn_tensor *b)",
        """the rest of a by b, of b's sign"""),
    "tn_atan2": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_atan2(tn_tensor *a, tn_tensor *b)",
        """the angle from -pi to pi of the point (b, a)"""),
    "tn_eq": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_eq(tn_tensor *a, tn_tensor *b)",
        """1 if a = b, else 0"""),
    "tn_ne": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_ne(tn_tensor *a, tn_tensor *b)",
        """1 if a differs from b, else 0"""),
    "tn_lt": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_lt(tn_tensor *a, tn_tensor *b)",
        """1 if a < b, else 0"""),
    "tn_le": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_le(tn_tensor *a, tn_tensor *b)",
        """1 if a <= b, else 0"""),
    "tn_gt": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_gt(tn_tensor *a, tn_tensor *b)",
        """1 if a > b, else 0"""),
    "tn_ge": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_ge(tn_tensor *a, tn_tensor *b)",
        """1 if a >= b, else 0"""),
    "tn_logical_and": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_logical_and(tn_tensor *a, tn_tensor *b)",
        """1 if neither is 0, else 0"""),
    "tn_logical_or": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_logical_or(tn_tensor *a, tn_tensor *b)",
        """1 if one or both are not 0, else 0"""),
    "tn_logical_xor": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_logical_xor(tn_tensor *a, tn_tensor *b)",
        """1 if just one is not 0, else 0"""),
    "tn_leaky_relu": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_leaky_relu(tn_tensor *a, tn_tensor *b)",
        """a, or a b when a is negative: b is the slope"""),
    "tn_elu": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_elu(tn_tensor *a, tn_tensor *b)",
        """a, or b (exp(a) - 1) when a is negative"""),
    "tn_number": (c_void_p, (c_void_p, c_double,), True,
        "tn_tensor * tn_number(tn_tensor *like, double value)",
        """The same with a number as second operand: tn_add(x, tn_number(x, 2)). A rank-0 tensor of x's type."""),
    "tn_where": (c_void_p, (c_void_p, c_void_p, c_void_p,), True,
        "tn_tensor * tn_where(tn_tensor *condition, tn_tensor *a, tn_tensor *b)",
        """condition is not 0 ? a : b"""),
    "tn_logistic": (c_void_p, (c_void_p, c_double, c_double, c_double,), True,
        "tn_tensor * tn_logistic(tn_tensor *x, double L, double k, double x0)",
        """The general logistic function L / (1 + exp(-k (x - x0)))."""),
    "tn_clamp": (c_void_p, (c_void_p, c_double, c_double,), True,
        "tn_tensor * tn_clamp(tn_tensor *x, double low, double high)",
        """x kept within low..high; at a bound the gradient flows."""),
    "tn_celu": (c_void_p, (c_void_p, c_double,), True,
        "tn_tensor * tn_celu(tn_tensor *x, double alpha)",
        """x, or alpha (exp(x / alpha) - 1) when x is negative; alpha > 0. Barron, 2017."""),
    "tn_hard_shrink": (c_void_p, (c_void_p, c_double,), True,
        "tn_tensor * tn_hard_shrink(tn_tensor *x, double lambda)",
        """0 from -lambda to lambda, else x; and what x has beyond that range. lambda >= 0."""),
    "tn_soft_shrink": (c_void_p, (c_void_p, c_double,), True,
        "tn_tensor * tn_soft_shrink(tn_tensor *x, double lambda)",
        """0 from -lambda to lambda, else x; and what x has beyond that range. lambda >= 0."""),
    "tn_threshold": (c_void_p, (c_void_p, c_double, c_double,), True,
        "tn_tensor * tn_threshold(tn_tensor *x, double threshold, double value)",
        """x above the threshold, else a value."""),
    "tn_glu": (c_void_p, (c_void_p, c_int32,), True,
        "tn_tensor * tn_glu(tn_tensor *x, int32_t axis)",
        """The first half along an axis times the sigmoid of the second. Dauphin and others, 2017."""),
    "tn_masked_fill": (c_void_p, (c_void_p, c_void_p, c_double,), True,
        "tn_tensor * tn_masked_fill(tn_tensor *x, tn_tensor *mask, double value)",
        """A value where the mask, of any type and broadcast with x, is not 0; else x."""),
    "tn_logical_not": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_logical_not(tn_tensor *x)",
        """1 where x is 0, else 0."""),
    "tn_cast": (c_void_p, (c_void_p, c_int32,), True,
        "tn_tensor * tn_cast(tn_tensor *x, int32_t dtype)",
        """x as another element type; to an integer: towards zero."""),
    "tn_stop_gradient": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_stop_gradient(tn_tensor *x)",
        """x as it is, as a constant to tn_grad: no gradient flows to what x depends on. Costs nothing."""),
    "tn_broadcast": (c_void_p, (c_void_p, tn_shape,), True,
        "tn_tensor * tn_broadcast(tn_tensor *x, tn_shape shape)",
        """x stretched to a shape."""),
    "tn_iota": (c_void_p, (c_void_p, tn_shape, c_int32,), True,
        "tn_tensor * tn_iota(tn_graph *graph, tn_shape shape, int32_t axis)",
        """The coordinate along an axis, as i32."""),
    "tn_arange": (c_void_p, (c_void_p, c_double, c_double, c_int64,), True,
        "tn_tensor * tn_arange(tn_graph *graph, double start, double step, int64_t count)",
        """f32: start, start + step, ...; and `count` numbers at even distances, of which first and last are exact."""),
    "tn_linspace": (c_void_p, (c_void_p, c_double, c_double, c_int64,), True,
        "tn_tensor * tn_linspace(tn_graph *graph, double first, double last, int64_t count)",
        """f32: start, start + step, ...; and `count` numbers at even distances, of which first and last are exact."""),
    "tn_eye": (c_void_p, (c_void_p, c_int64,), True,
        "tn_tensor * tn_eye(tn_graph *graph, int64_t n)",
        """The unit matrix (n, n), f32."""),
    "tn_random_uniform": (c_void_p, (c_void_p, tn_shape,), True,
        "tn_tensor * tn_random_uniform(tn_graph *graph, tn_shape shape)",
        """[0, 1)"""),
    "tn_random_normal": (c_void_p, (c_void_p, tn_shape,), True,
        "tn_tensor * tn_random_normal(tn_graph *graph, tn_shape shape)",
        """mean 0, variance 1"""),
    "tn_dropout": (c_void_p, (c_void_p, c_double,), True,
        "tn_tensor * tn_dropout(tn_tensor *x, double rate)",
        """x / (1 - rate) or, with probability `rate`, 0. Srivastava and others, 2014. 0 <= rate < 1."""),
    "tn_reshape": (c_void_p, (c_void_p, tn_shape,), True,
        "tn_tensor * tn_reshape(tn_tensor *x, tn_shape shape)",
        """one dimension may be -1; costs nothing"""),
    "tn_flatten": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_flatten(tn_tensor *x)",
        """(n, ...) -> (n, the rest)"""),
    "tn_transpose": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_transpose(tn_tensor *x, const int32_t *perm)",
        """Dimension d of the result is dimension perm[d] of x; NULL reverses them."""),
    "tn_slice": (c_void_p, (c_void_p, c_int32, c_int64, c_int64, c_int64,), True,
        "tn_tensor * tn_slice(tn_tensor *x, int32_t axis, int64_t start, int64_t count, int64_t step)",
        """`count` elements of an axis: start, start + step, ...; a negative start counts from the end, a step may be negative
        but not 0. All of them must be there."""),
    "tn_flip": (c_void_p, (c_void_p, c_int32,), True,
        "tn_tensor * tn_flip(tn_tensor *x, int32_t axis)",
        """`count` elements of an axis: start, start + step, ...; a negative start counts from the end, a step may be negative
        but not 0. All of them must be there."""),
    "tn_unslice": (c_void_p, (c_void_p, c_int32, c_int64, c_int64, c_int64,), True,
        "tn_tensor * tn_unslice(tn_tensor *x, int32_t axis, int64_t start, int64_t step, int64_t size)",
        """The inverse: x's elements at start, start + step, ... of an axis of `size` elements, the rest zeros."""),
    "tn_pad": (c_void_p, (c_void_p, c_int32, c_int64, c_int64,), True,
        "tn_tensor * tn_pad(tn_tensor *x, int32_t axis, int64_t before, int64_t after)",
        """Zeros before and after x along an axis; or another number."""),
    "tn_pad_value": (c_void_p, (c_void_p, c_int32, c_int64, c_int64, c_double,), True,
        "tn_tensor * tn_pad_value(tn_tensor *x, int32_t axis, int64_t before, int64_t after, double value)",
        """Zeros before and after x along an axis; or another number."""),
    "tn_concat": (c_void_p, (c_void_p, c_uint32, c_int32,), True,
        "tn_tensor * tn_concat(tn_tensor *in[], uint32_t n_in, int32_t axis)",
        """One after another along an axis; all other dimensions are equal."""),
    "tn_stack": (c_void_p, (c_void_p, c_uint32, c_int32,), True,
        "tn_tensor * tn_stack(tn_tensor *in[], uint32_t n_in, int32_t axis)",
        """Tensors of one shape along a new axis, which is given by its place in the result."""),
    "tn_tile": (c_void_p, (c_void_p, c_int32, c_int64,), True,
        "tn_tensor * tn_tile(tn_tensor *x, int32_t axis, int64_t count)",
        """x as a whole, or each of its elements, `count` times along an axis: abab and aabb."""),
    "tn_repeat": (c_void_p, (c_void_p, c_int32, c_int64,), True,
        "tn_tensor * tn_repeat(tn_tensor *x, int32_t axis, int64_t count)",
        """x as a whole, or each of its elements, `count` times along an axis: abab and aabb."""),
    "tn_unsqueeze": (c_void_p, (c_void_p, c_int32,), True,
        "tn_tensor * tn_unsqueeze(tn_tensor *x, int32_t axis)",
        """A new dimension of 1, by its place in the result; without a dimension of 1; two dimensions for each other."""),
    "tn_squeeze": (c_void_p, (c_void_p, c_int32,), True,
        "tn_tensor * tn_squeeze(tn_tensor *x, int32_t axis)",
        """A new dimension of 1, by its place in the result; without a dimension of 1; two dimensions for each other."""),
    "tn_swap_axes": (c_void_p, (c_void_p, c_int32, c_int32,), True,
        "tn_tensor * tn_swap_axes(tn_tensor *x, int32_t first, int32_t second)",
        """A new dimension of 1, by its place in the result; without a dimension of 1; two dimensions for each other."""),
    "tn_roll": (c_void_p, (c_void_p, c_int32, c_int64,), True,
        "tn_tensor * tn_roll(tn_tensor *x, int32_t axis, int64_t shift)",
        """Element i goes to place i + shift of an axis, and from its end to its beginning."""),
    "tn_split": (None, (c_void_p, c_int32, c_uint32, c_void_p,), True,
        "void tn_split(tn_tensor *x, int32_t axis, uint32_t parts, tn_tensor *out[])",
        """As many equal parts along an axis, into out[0..parts-1]."""),
    "tn_apart": (None, (c_void_p, c_void_p, c_uint32, c_void_p,), True,
        "void tn_apart(tn_tensor *x, const tn_shape shapes[], uint32_t parts, tn_tensor *out[])",
        """What lies side by side in x, (n, numbers) or of a higher rank with as many: (n) and each shape, into
        out[0..parts-1], such as the inputs of a network (tn_dataset_beside) or its heads."""),
    "tn_pad_edge": (c_void_p, (c_void_p, c_int32, c_int64, c_int64,), True,
        "tn_tensor * tn_pad_edge(tn_tensor *x, int32_t axis, int64_t before, int64_t after)",
        """Before and after x along an axis: its first and last element again; its elements mirrored at these (c b a b c b a);
        or those of its other end (b c a b c a b). The last two take no more elements than there are."""),
    "tn_pad_reflect": (c_void_p, (c_void_p, c_int32, c_int64, c_int64,), True,
        "tn_tensor * tn_pad_reflect(tn_tensor *x, int32_t axis, int64_t before, int64_t after)",
        """Before and after x along an axis: its first and last element again; its elements mirrored at these (c b a b c b a);
        or those of its other end (b c a b c a b). The last two take no more elements than there are."""),
    "tn_pad_wrap": (c_void_p, (c_void_p, c_int32, c_int64, c_int64,), True,
        "tn_tensor * tn_pad_wrap(tn_tensor *x, int32_t axis, int64_t before, int64_t after)",
        """Before and after x along an axis: its first and last element again; its elements mirrored at these (c b a b c b a);
        or those of its other end (b c a b c a b). The last two take no more elements than there are."""),
    "tn_diag": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_diag(tn_tensor *x)",
        """(n) -> (n, n), x on the diagonal, else 0; (m, n) -> its diagonal."""),
    "tn_tril": (c_void_p, (c_void_p, c_int64,), True,
        "tn_tensor * tn_tril(tn_tensor *x, int64_t diagonal)",
        """The lower or upper triangle of the last two dimensions, up to or from that diagonal (0: the main one, 1: the one
        above it); the rest becomes 0."""),
    "tn_triu": (c_void_p, (c_void_p, c_int64,), True,
        "tn_tensor * tn_triu(tn_tensor *x, int64_t diagonal)",
        """The lower or upper triangle of the last two dimensions, up to or from that diagonal (0: the main one, 1: the one
        above it); the rest becomes 0."""),
    "tn_matmul": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_matmul(tn_tensor *a, tn_tensor *b)",
        """(..., m, k)(..., k, n) -> (..., m, n), as NumPy's matmul: leading dimensions are a batch, and broadcast. A vector is
        a row on the left and a column on the right, and the result lacks that dimension."""),
    "tn_matmul_t": (c_void_p, (c_void_p, c_void_p, c_int, c_int,), True,
        "tn_tensor * tn_matmul_t(tn_tensor *a, tn_tensor *b, int transpose_a, int transpose_b)",
        """The same with the last two dimensions of a or b swapped first."""),
    "tn_outer": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_outer(tn_tensor *a, tn_tensor *b)",
        """(m...), (n) -> (m..., n): each element of a times each of b, for vectors."""),
    "tn_einsum": (c_void_p, (c_char_p, c_void_p, c_uint32,), True,
        "tn_tensor * tn_einsum(const char *equation, tn_tensor *in[], uint32_t n_in)",
        """Sums of products, as NumPy's einsum: "bij,bjk->bik", "ii->i", "...i,i" of 1 to 16 operands of one element type. What
        "..." stands for stretches; a letter has one size."""),
    "tn_det": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_det(tn_tensor *x)",
        """The determinants of matrices (..., n, n), n from 1 to 256."""),
    "tn_convolve2d": (c_void_p, (c_void_p, c_void_p, tn_conv_options,), True,
        "tn_tensor * tn_convolve2d(tn_tensor *x, tn_tensor *weight, tn_conv_options options)",
        """x (b, c, h, w), weight (k, c / groups, r, s) -> (b, k, p, q). A row of data is an image of height 1."""),
    "tn_convolve2d_transposed": (c_void_p, (c_void_p, c_void_p, tn_conv_options,), True,
        "tn_tensor * tn_convolve2d_transposed(tn_tensor *x, tn_tensor *weight, tn_conv_options options)",
        """The transposed convolution: x (b, k, p, q), weight (k, c / groups, r, s) -> (b, c, h, w), such that tn_convolve2d by
        the same options leads from (h, w) to (p, q)."""),
    "tn_maxpool2d_with": (c_void_p, (c_void_p, tn_pool_options,), True,
        "tn_tensor * tn_maxpool2d_with(tn_tensor *x, tn_pool_options options)",
        """The largest of each window; padding never is, a NaN always. tn_maxpool2d(x, .window = {2, 2})"""),
    "tn_avgpool2d_with": (c_void_p, (c_void_p, tn_pool_options,), True,
        "tn_tensor * tn_avgpool2d_with(tn_tensor *x, tn_pool_options options)",
        """The mean of each window. tn_avgpool2d(x, .window = {2, 2})"""),
    "tn_adaptive_avgpool2d": (c_void_p, (c_void_p, c_int64, c_int64,), True,
        "tn_tensor * tn_adaptive_avgpool2d(tn_tensor *x, int64_t height, int64_t width)",
        """(b, c, h, w) -> (b, c, height, width): element i is the mean from floor(i h / height) to ceil((i + 1) h / height). An
        infinity or NaN may make others of its image NaN."""),
    "tn_global_avgpool2d": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_global_avgpool2d(tn_tensor *x)",
        """The mean of each channel, or the largest: (b, c, h, w) -> (b, c)."""),
    "tn_global_maxpool2d": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_global_maxpool2d(tn_tensor *x)",
        """The mean of each channel, or the largest: (b, c, h, w) -> (b, c)."""),
    "tn_resize_nearest": (c_void_p, (c_void_p, c_int64, c_int64,), True,
        "tn_tensor * tn_resize_nearest(tn_tensor *x, int64_t height, int64_t width)",
        """(b, c, h, w) -> (b, c, height, width): row i is row floor(i h / height), as PyTorch's "nearest"; or the two rows
        around it by their distance, where the outer pixels' centres (`align_corners`) or edges meet. An infinity or NaN then
        makes others of its row and column NaN. height x h is at most 2^29, and width x w."""),
    "tn_resize_bilinear": (c_void_p, (c_void_p, c_int64, c_int64, c_int,), True,
        "tn_tensor * tn_resize_bilinear(tn_tensor *x, int64_t height, int64_t width, int align_corners)",
        """(b, c, h, w) -> (b, c, height, width): row i is row floor(i h / height), as PyTorch's "nearest"; or the two rows
        around it by their distance, where the outer pixels' centres (`align_corners`) or edges meet. An infinity or NaN then
        makes others of its row and column NaN. height x h is at most 2^29, and width x w."""),
    "tn_interpolate": (c_void_p, (c_void_p, c_int32, c_int64, c_double, c_double, tn_interpolate_options,), True,
        "tn_tensor * tn_interpolate(tn_tensor *x, int32_t axis, int64_t count, double start, double step, tn_interpolate_options options)",
        """x at `count` places along an axis: start, start + step, ..., which need not be whole."""),
    "tn_resize": (c_void_p, (c_void_p, tn_shape, tn_resize_options,), True,
        "tn_tensor * tn_resize(tn_tensor *x, tn_shape sizes, tn_resize_options options)",
        """(b, c, any sizes...) -> (b, c, sizes...), as PyTorch's interpolate: linear, or, by mode, nearest or cubic, of several
        dimensions one after another. With `align_corners` and `antialias` together the outer centres meet, which in PyTorch
        they do not."""),
    "tn_pixel_shuffle": (c_void_p, (c_void_p, c_int64,), True,
        "tn_tensor * tn_pixel_shuffle(tn_tensor *x, int64_t factor)",
        """(b, c r r, h, w) -> (b, c, h r, w r) for a factor r: channels become pixels; and back. Shi and others, 2016."""),
    "tn_pixel_unshuffle": (c_void_p, (c_void_p, c_int64,), True,
        "tn_tensor * tn_pixel_unshuffle(tn_tensor *x, int64_t factor)",
        """(b, c r r, h, w) -> (b, c, h r, w r) for a factor r: channels become pixels; and back. Shi and others, 2016."""),
    "tn_depth_to_space": (c_void_p, (c_void_p, c_int64,), True,
        "tn_tensor * tn_depth_to_space(tn_tensor *x, int64_t factor)",
        """The same, but channel number (i r + j) c + k, not (k r + i) r + j, is pixel (i, j) of channel k: TensorFlow's order."""),
    "tn_space_to_depth": (c_void_p, (c_void_p, c_int64,), True,
        "tn_tensor * tn_space_to_depth(tn_tensor *x, int64_t factor)",
        """The same, but channel number (i r + j) c + k, not (k r + i) r + j, is pixel (i, j) of channel k: TensorFlow's order."""),
    "tn_grid_sample": (c_void_p, (c_void_p, c_void_p, tn_grid_options,), True,
        "tn_tensor * tn_grid_sample(tn_tensor *x, tn_tensor *grid, tn_grid_options options)",
        """x (b, c, sizes...) of one to three dimensions at the places of a grid (b, points..., dimensions), whose numbers are
        from -1 to 1, that of the last dimension first -> (b, c, points...). Jaderberg and others, 2015."""),
    "tn_affine_grid": (c_void_p, (c_void_p, tn_shape, c_int,), True,
        "tn_tensor * tn_affine_grid(tn_tensor *theta, tn_shape sizes, int align_corners)",
        """The grid of so many points along each dimension, moved by affine maps (b, n, n + 1) -> (b, sizes..., n)."""),
    "tn_conv_nd": (c_void_p, (c_void_p, c_void_p, tn_conv_nd_options,), True,
        "tn_tensor * tn_conv_nd(tn_tensor *x, tn_tensor *weight, tn_conv_nd_options options)",
        """x (b, c, sizes...), weight (k, c / groups, kernel...) -> (b, k, as many whole windows as there are...)."""),
    "tn_conv_nd_transposed": (c_void_p, (c_void_p, c_void_p, tn_conv_nd_options,), True,
        "tn_tensor * tn_conv_nd_transposed(tn_tensor *x, tn_tensor *weight, tn_conv_nd_options options)",
        """The transposed: x (b, k, sizes...), weight (k, c / groups, kernel...) -> (b, c, ...), each size
        (size - 1) stride + (kernel - 1) dilation + 1 + more - begin - end."""),
    "tn_maxpool_nd": (c_void_p, (c_void_p, tn_pool_nd_options,), True,
        "tn_tensor * tn_maxpool_nd(tn_tensor *x, tn_pool_nd_options options)",
        """The largest of each window, of u8 too; padding never is, a NaN always."""),
    "tn_avgpool_nd": (c_void_p, (c_void_p, tn_pool_nd_options,), True,
        "tn_tensor * tn_avgpool_nd(tn_tensor *x, tn_pool_nd_options options)",
        """The mean of each window; and (sum |x|^p)^(1/p), p > 0, whose gradient is 0 where it is 0."""),
    "tn_lppool_nd": (c_void_p, (c_void_p, c_double, tn_pool_nd_options,), True,
        "tn_tensor * tn_lppool_nd(tn_tensor *x, double p, tn_pool_nd_options options)",
        """The mean of each window; and (sum |x|^p)^(1/p), p > 0, whose gradient is 0 where it is 0."""),
    "tn_maxpool_nd_places": (c_void_p, (c_void_p, tn_pool_nd_options, c_int, c_void_p,), True,
        "tn_tensor * tn_maxpool_nd_places(tn_tensor *x, tn_pool_nd_options options, int columns, tn_tensor **values)",
        """Where in x, as i32, the first largest of each window lies, row by row: the number of its element in row-major order,
        or, with `columns`, one where the order of the last one to three dimensions is reversed. The elements go to *values,
        unless it is NULL. x has less than 2^31 elements."""),
    "tn_max_unpool_nd": (c_void_p, (c_void_p, c_void_p, tn_shape,), True,
        "tn_tensor * tn_max_unpool_nd(tn_tensor *values, tn_tensor *places, tn_shape shape)",
        """The inverse: values at their places, as tn_maxpool_nd_places numbers the elements of a tensor of that shape, the rest
        zeros. Of several at one place their mean."""),
    "tn_sum": (c_void_p, (c_void_p, tn_axes, c_int,), True,
        "tn_tensor * tn_sum(tn_tensor *x, tn_axes axes, int keep)",
        """Sum, product, mean, largest, smallest element over some axes; with `keep` these stay, as 1, else they go. A NaN is
        largest and smallest. Over no elements a sum is 0, a product 1, a mean NaN; the other two fail. Where elements are 0,
        the gradients of a product are right up to the second order."""),
    "tn_prod": (c_void_p, (c_void_p, tn_axes, c_int,), True,
        "tn_tensor * tn_prod(tn_tensor *x, tn_axes axes, int keep)",
        """Sum, product, mean, largest, smallest element over some axes; with `keep` these stay, as 1, else they go. A NaN is
        largest and smallest. Over no elements a sum is 0, a product 1, a mean NaN; the other two fail. Where elements are 0,
        the gradients of a product are right up to the second order."""),
    "tn_mean": (c_void_p, (c_void_p, tn_axes, c_int,), True,
        "tn_tensor * tn_mean(tn_tensor *x, tn_axes axes, int keep)",
        """Sum, product, mean, largest, smallest element over some axes; with `keep` these stay, as 1, else they go. A NaN is
        largest and smallest. Over no elements a sum is 0, a product 1, a mean NaN; the other two fail. Where elements are 0,
        the gradients of a product are right up to the second order."""),
    "tn_amax": (c_void_p, (c_void_p, tn_axes, c_int,), True,
        "tn_tensor * tn_amax(tn_tensor *x, tn_axes axes, int keep)",
        """Sum, product, mean, largest, smallest element over some axes; with `keep` these stay, as 1, else they go. A NaN is
        largest and smallest. Over no elements a sum is 0, a product 1, a mean NaN; the other two fail. Where elements are 0,
        the gradients of a product are right up to the second order."""),
    "tn_amin": (c_void_p, (c_void_p, tn_axes, c_int,), True,
        "tn_tensor * tn_amin(tn_tensor *x, tn_axes axes, int keep)",
        """Sum, product, mean, largest, smallest element over some axes; with `keep` these stay, as 1, else they go. A NaN is
        largest and smallest. Over no elements a sum is 0, a product 1, a mean NaN; the other two fail. Where elements are 0,
        the gradients of a product are right up to the second order."""),
    "tn_any": (c_void_p, (c_void_p, tn_axes, c_int,), True,
        "tn_tensor * tn_any(tn_tensor *x, tn_axes axes, int keep)",
        """1 if any, or all, elements over some axes are not 0, else 0."""),
    "tn_all": (c_void_p, (c_void_p, tn_axes, c_int,), True,
        "tn_tensor * tn_all(tn_tensor *x, tn_axes axes, int keep)",
        """1 if any, or all, elements over some axes are not 0, else 0."""),
    "tn_variance": (c_void_p, (c_void_p, tn_axes, c_int64, c_int,), True,
        "tn_tensor * tn_variance(tn_tensor *x, tn_axes axes, int64_t correction, int keep)",
        """The sum of squared distances from the mean, divided by n - correction: 0 for the variance of what is there, 1 for the
        unbiased estimate; NaN if that is not above 0. And its root, whose gradient is 0 where it is 0."""),
    "tn_std": (c_void_p, (c_void_p, tn_axes, c_int64, c_int,), True,
        "tn_tensor * tn_std(tn_tensor *x, tn_axes axes, int64_t correction, int keep)",
        """The sum of squared distances from the mean, divided by n - correction: 0 for the variance of what is there, 1 for the
        unbiased estimate; NaN if that is not above 0. And its root, whose gradient is 0 where it is 0."""),
    "tn_norm": (c_void_p, (c_void_p, c_double, tn_axes, c_int,), True,
        "tn_tensor * tn_norm(tn_tensor *x, double p, tn_axes axes, int keep)",
        """(sum |x|^p)^(1/p); p = INFINITY: the largest |x|, -INFINITY: the smallest, 0: how many are not 0. The gradient is 0
        where the norm is 0."""),
    "tn_l2_normalize": (c_void_p, (c_void_p, tn_axes, c_double,), True,
        "tn_tensor * tn_l2_normalize(tn_tensor *x, tn_axes axes, double epsilon)",
        """x / max(its 2-norm, epsilon)."""),
    "tn_argmax": (c_void_p, (c_void_p, c_int32,), True,
        "tn_tensor * tn_argmax(tn_tensor *x, int32_t axis)",
        """The place, i32, of the first largest or smallest element along an axis, which goes."""),
    "tn_argmin": (c_void_p, (c_void_p, c_int32,), True,
        "tn_tensor * tn_argmin(tn_tensor *x, int32_t axis)",
        """The place, i32, of the first largest or smallest element along an axis, which goes."""),
    "tn_softmax": (c_void_p, (c_void_p, c_int32,), True,
        "tn_tensor * tn_softmax(tn_tensor *x, int32_t axis)",
        """exp(x) divided by its sum along an axis, and the logarithm of that; neither overflows for any x."""),
    "tn_log_softmax": (c_void_p, (c_void_p, c_int32,), True,
        "tn_tensor * tn_log_softmax(tn_tensor *x, int32_t axis)",
        """exp(x) divided by its sum along an axis, and the logarithm of that; neither overflows for any x."""),
    "tn_logsumexp": (c_void_p, (c_void_p, tn_axes, c_int,), True,
        "tn_tensor * tn_logsumexp(tn_tensor *x, tn_axes axes, int keep)",
        """log(sum(exp(x))) over some axes, which stay, as 1, with `keep`; it does not overflow for any x. Over no elements it
        is minus infinity."""),
    "tn_masked_softmax": (c_void_p, (c_void_p, c_void_p, c_int32,), True,
        "tn_tensor * tn_masked_softmax(tn_tensor *x, tn_tensor *mask, int32_t axis)",
        """Softmax over the elements whose mask, of any type and broadcast to x, is not 0; the others are 0, and so are all
        where none of those is above minus infinity."""),
    "tn_normalize": (c_void_p, (c_void_p, tn_axes, c_double,), True,
        "tn_tensor * tn_normalize(tn_tensor *x, tn_axes axes, double epsilon)",
        """(x - mean) / sqrt(variance + epsilon) over some axes; and x / sqrt(mean square + epsilon)."""),
    "tn_rms_normalize": (c_void_p, (c_void_p, tn_axes, c_double,), True,
        "tn_tensor * tn_rms_normalize(tn_tensor *x, tn_axes axes, double epsilon)",
        """(x - mean) / sqrt(variance + epsilon) over some axes; and x / sqrt(mean square + epsilon)."""),
    "tn_batch_normalize": (c_void_p, (c_void_p, c_void_p, c_void_p, tn_axes, c_double,), True,
        "tn_tensor * tn_batch_normalize(tn_tensor *x, tn_tensor *weight, tn_tensor *bias, tn_axes axes, double epsilon)",
        """tn_normalize(x, axes, epsilon) weight + bias; both have x's shape with 1 for each of the axes."""),
    "tn_layer_normalize": (c_void_p, (c_void_p, c_void_p, c_double, tn_layer_normalize_options,), True,
        "tn_tensor * tn_layer_normalize(tn_tensor *x, tn_tensor *weight, double epsilon, tn_layer_normalize_options options)",
        """The same of x's last dimensions, whose shape weight has: tn_normalize(x, them, epsilon) weight + bias. It is one
        operator where the device has it. Ba and others, 2016."""),
    "tn_across": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_across(tn_tensor *x)",
        """Where a training cuts its batches into shards (fit.h), a graph has one of them. tn_across is the sum of an f32 or f64
        x over all shards, which is the same for each, and tn_batch_share the part of the batch's samples that are in this
        one, of x's type: tn_across(tn_mul(mean, tn_batch_share(mean))) is the mean over the batch. In graphs of whole
        batches they are x itself, and 1. tn_batch_normalize_across is tn_batch_normalize over the whole batch."""),
    "tn_batch_share": (c_void_p, (c_void_p,), True,
        "tn_tensor * tn_batch_share(tn_tensor *like)",
        """Where a training cuts its batches into shards (fit.h), a graph has one of them. tn_across is the sum of an f32 or f64
        x over all shards, which is the same for each, and tn_batch_share the part of the batch's samples that are in this
        one, of x's type: tn_across(tn_mul(mean, tn_batch_share(mean))) is the mean over the batch. In graphs of whole
        batches they are x itself, and 1. tn_batch_normalize_across is tn_batch_normalize over the whole batch."""),
    "tn_batch_normalize_across": (c_void_p, (c_void_p, c_void_p, c_void_p, tn_axes, c_double,), True,
        "tn_tensor * tn_batch_normalize_across(tn_tensor *x, tn_tensor *weight, tn_tensor *bias, tn_axes axes, double epsilon)",
        """Where a training cuts its batches into shards (fit.h), a graph has one of them. tn_across is the sum of an f32 or f64
        x over all shards, which is the same for each, and tn_batch_share the part of the batch's samples that are in this
        one, of x's type: tn_across(tn_mul(mean, tn_batch_share(mean))) is the mean over the batch. In graphs of whole
        batches they are x itself, and 1. tn_batch_normalize_across is tn_batch_normalize over the whole batch."""),
    "tn_attention": (c_void_p, (c_void_p, c_void_p, c_void_p, c_int,), True,
        "tn_tensor * tn_attention(tn_tensor *q, tn_tensor *k, tn_tensor *v, int causal)",
        """Scaled dot-product attention, softmax(q k' / sqrt(d)) v: q (..., m, d), k (..., n, d), v (..., n, e) -> (..., m, e).
        With `causal` query i sees the keys 0..i alone. Vaswani and others, 2017."""),
    "tn_attend": (c_void_p, (c_void_p, c_void_p, c_void_p, tn_attend_options,), True,
        "tn_tensor * tn_attend(tn_tensor *q, tn_tensor *k, tn_tensor *v, tn_attend_options options)",
        """Attention with more to say: q (..., heads, queries, d), k (..., groups, keys, d), v (..., groups, keys, e) ->
        (..., heads, queries, e). Where there are fewer groups than heads, heads / groups heads in a row share keys and
        values (Ainslie and others, 2023). To go on with what came before, put its keys and values in front of the new ones
        and give their number as `first`. A query that sees no key gets zeros."""),
    "tn_rotary": (c_void_p, (c_void_p, c_void_p, c_void_p, c_int,), True,
        "tn_tensor * tn_rotary(tn_tensor *x, tn_tensor *cosine, tn_tensor *sine, int interleaved)",
        """Positions by rotation (Su and others, 2021): of the last dimension's first elements, as many as twice the last
        dimension of cosine and sine, element i and the one half of them later, or, `interleaved`, elements 2 i and 2 i + 1,
        are turned by the angle of pair i. Cosine and sine are broadcast with (..., pairs)."""),
    "tn_rotary_table": (c_void_p, (c_void_p, c_int64, c_int64, c_int64, c_double, c_void_p,), True,
        "tn_tensor * tn_rotary_table(tn_graph *graph, int64_t first, int64_t steps, int64_t pairs, double base, tn_tensor **sine)",
        """Their cosine, and *sine, f32 (steps, pairs), for steps from `first` on: the angle is step / base^(pair / pairs); the
        usual base is 10000."""),
    "tn_quantize": (c_void_p, (c_void_p, c_void_p, c_void_p, tn_quantize_options,), True,
        "tn_tensor * tn_quantize(tn_tensor *x, tn_tensor *scale, tn_tensor *zero, tn_quantize_options options)",
        """Whole numbers for x: round(x / scale) + zero, of two the even one, kept within low..high, as i32. Scale and zero are
        one number each, or along an axis one for each place or for each of equal blocks of places: (parts), or of x's rank.
        The zero, of any type, may be NULL: none. No gradient."""),
    "tn_dequantize": (c_void_p, (c_void_p, c_void_p, c_void_p, c_int32,), True,
        "tn_tensor * tn_dequantize(tn_tensor *x, tn_tensor *scale, tn_tensor *zero, int32_t axis)",
        """And back: (x - zero) scale, of the scale's type; x i32 or u8."""),
    "tn_quantize_range": (c_void_p, (c_void_p, c_int32, c_int32, c_void_p,), True,
        "tn_tensor * tn_quantize_range(tn_tensor *x, int32_t low, int32_t high, tn_tensor **zero)",
        """The scale, and *zero, i32, by which x's range, 0 included, becomes low..high."""),
    "tn_cumsum": (c_void_p, (c_void_p, c_int32, c_int, c_int,), True,
        "tn_tensor * tn_cumsum(tn_tensor *x, int32_t axis, int reverse, int exclusive)",
        """Running sums along an axis; with `reverse` from its end, with `exclusive` without the element itself."""),
    "tn_cumprod": (c_void_p, (c_void_p, c_int32, c_int, c_int,), True,
        "tn_tensor * tn_cumprod(tn_tensor *x, int32_t axis, int reverse, int exclusive)",
        """Running products, likewise."""),
    "tn_local_response_norm": (c_void_p, (c_void_p, tn_response_options,), True,
        "tn_tensor * tn_local_response_norm(tn_tensor *x, tn_response_options options)",
        """x / (k + alpha mean)^beta, where the mean is that of the squares of so many channels before, those at the place
        itself and so many after; channels that are not there count as 0. x (batch, channels, ...). Krizhevsky and others,
        2012."""),
    "tn_reverse_sequence": (c_void_p, (c_void_p, c_void_p, c_int32, c_int32,), True,
        "tn_tensor * tn_reverse_sequence(tn_tensor *x, tn_tensor *lengths, int32_t axis, int32_t batch_axis)",
        """The first elements of each sample along an axis in reverse, as many as `lengths`, i32 (batch), says."""),
    "tn_hann": (c_void_p, (c_void_p, c_int64, c_int,), True,
        "tn_tensor * tn_hann(tn_graph *graph, int64_t count, int symmetric)",
        """Windows of signals, f32 (count): of a period of `count`, or `symmetric`, where the last number is the first."""),
    "tn_hamming": (c_void_p, (c_void_p, c_int64, c_int,), True,
        "tn_tensor * tn_hamming(tn_graph *graph, int64_t count, int symmetric)",
        """Windows of signals, f32 (count): of a period of `count`, or `symmetric`, where the last number is the first."""),
    "tn_blackman": (c_void_p, (c_void_p, c_int64, c_int,), True,
        "tn_tensor * tn_blackman(tn_graph *graph, int64_t count, int symmetric)",
        """Windows of signals, f32 (count): of a period of `count`, or `symmetric`, where the last number is the first."""),
    "tn_dft": (c_void_p, (c_void_p, c_void_p, tn_dft_options, c_void_p,), True,
        "tn_tensor * tn_dft(tn_tensor *re, tn_tensor *im, tn_dft_options options, tn_tensor **out_im)",
        """The discrete Fourier transform along the last axis by a matrix product: returns the real part, and writes the
        imaginary one to *out_im. A NULL im is 0. Zeros follow, or elements are left out at the end, up to `size`, at most
        46340. The inverse is divided by the size."""),
    "tn_topk": (c_void_p, (c_void_p, c_int64, c_int32, c_int, c_void_p,), True,
        "tn_tensor * tn_topk(tn_tensor *x, int64_t k, int32_t axis, int smallest, tn_tensor **values)",
        """The places, i32, of the k largest (or smallest) elements along an axis, best first: of equal ones the first comes
        first, and a NaN counts as larger than all. The elements themselves go to *values, unless it is NULL."""),
    "tn_sort": (c_void_p, (c_void_p, c_int32, c_int,), True,
        "tn_tensor * tn_sort(tn_tensor *x, int32_t axis, int descending)",
        """All of them: smallest first, or largest. Equal ones stay in order. For long lines it is slow: they are inserted."""),
    "tn_argsort": (c_void_p, (c_void_p, c_int32, c_int,), True,
        "tn_tensor * tn_argsort(tn_tensor *x, int32_t axis, int descending)",
        """All of them: smallest first, or largest. Equal ones stay in order. For long lines it is slow: they are inserted."""),
    "tn_searchsorted": (c_void_p, (c_void_p, c_void_p, c_int,), True,
        "tn_tensor * tn_searchsorted(tn_tensor *sorted, tn_tensor *values, int right)",
        """Where values belong in sorted lines, i32: how many elements of the line are smaller or, with `right`, not larger. A
        NaN is larger than all. Lines (..., n) and values (..., m), or one line (n) for values of any shape -> the shape of
        the values. What is not sorted gives any places from 0 to n. No gradient."""),
    "tn_gather": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_gather(tn_tensor *table, tn_tensor *index)",
        """Rows of a table: (n, ...), i32 (m...) -> (m..., ...). An index outside 0..n-1 gives zeros."""),
    "tn_scatter_add": (c_void_p, (c_void_p, c_void_p, c_int64,), True,
        "tn_tensor * tn_scatter_add(tn_tensor *index, tn_tensor *x, int64_t rows)",
        """Sums of rows by their numbers: i32 (m...), (m..., ...) -> (rows, ...). An index outside 0..rows-1 is left out."""),
    "tn_index_select": (c_void_p, (c_void_p, c_int32, c_void_p,), True,
        "tn_tensor * tn_index_select(tn_tensor *x, int32_t axis, tn_tensor *index)",
        """The same along any axis, by an index i32 (m): (..., n, ...) -> (..., m, ...)."""),
    "tn_take": (c_void_p, (c_void_p, c_void_p, c_int32,), True,
        "tn_tensor * tn_take(tn_tensor *x, tn_tensor *index, int32_t axis)",
        """Elements along an axis by their places: the index, i32, has x's shape but for the axis, and so has the result. A
        place outside gives 0."""),
    "tn_put": (c_void_p, (c_void_p, c_void_p, c_int32, c_int64,), True,
        "tn_tensor * tn_put(tn_tensor *index, tn_tensor *values, int32_t axis, int64_t size)",
        """The inverse: sums of values by their places along an axis, which gets `size` elements. Index and values have one
        shape; a place outside is left out."""),
    "tn_scatter": (c_void_p, (c_void_p, c_void_p, c_void_p, c_int32, c_int32,), True,
        "tn_tensor * tn_scatter(tn_tensor *x, tn_tensor *index, tn_tensor *updates, int32_t axis, int32_t how)",
        """x with updates at places along an axis: index, i32, and updates have one shape, which is x's but for the axis. All
        but sums sort the places: for long lines they are slow. A place outside is left out."""),
    "tn_scatter_nd": (c_void_p, (c_void_p, c_void_p, c_void_p, c_int32,), True,
        "tn_tensor * tn_scatter_nd(tn_tensor *x, tn_tensor *index, tn_tensor *updates, int32_t how)",
        """x with updates (points..., the rest of x's dimensions) where index, i32 (points..., k), says: the place in each of
        the first k dimensions of x."""),
    "tn_gather_nd": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_gather_nd(tn_tensor *x, tn_tensor *index)",
        """What is at such places: -> (points..., the rest). A place outside gives zeros."""),
    "tn_pick": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_pick(tn_tensor *x, tn_tensor *label)",
        """x[i, label[i]]: (n, classes), i32 (n) -> (n). A label outside the classes gives 0."""),
    "tn_one_hot": (c_void_p, (c_void_p, c_int64,), True,
        "tn_tensor * tn_one_hot(tn_tensor *index, int64_t classes)",
        """1 at the index, else 0: i32 (m...) -> f32 (m..., classes)."""),
    "tn_dynamic_slice": (c_void_p, (c_void_p, c_void_p, c_int64,), True,
        "tn_tensor * tn_dynamic_slice(tn_tensor *x, tn_tensor *start, int64_t count)",
        """`count` rows of x from row `start` on, which is a scalar input of type i32. No gradient."""),
    "tn_nonzero": (c_void_p, (c_void_p, c_int64, c_void_p,), True,
        "tn_tensor * tn_nonzero(tn_tensor *x, int64_t most, tn_tensor **count)",
        """The coordinates of what is not 0, in row-major order: i32 (rank, or 1, most); and how many there are, i32, unless
        NULL."""),
    "tn_compress": (c_void_p, (c_void_p, c_void_p, c_int32, c_int64, c_void_p,), True,
        "tn_tensor * tn_compress(tn_tensor *x, tn_tensor *condition, int32_t axis, int64_t most, tn_tensor **count)",
        """The slices along an axis whose condition, of any type (at most as many as slices), is not 0."""),
    "tn_unique": (c_void_p, (c_void_p, c_void_p,), True,
        "tn_tensor * tn_unique(tn_tensor *x, tn_unique_result *more)",
        """The elements of x in order, each once, with room for all: (n). Of each the place of the first in x and how many, i32
        (n); of each of x the place among those, in x's shape; and how many there are."""),
    "tn_nms": (c_void_p, (c_void_p, c_void_p, c_int64, tn_nms_options,), True,
        "tn_tensor * tn_nms(tn_tensor *boxes, tn_tensor *scores, int64_t most, tn_nms_options options)",
        """Non-maximum suppression: boxes (batch, n, 4), scores (batch, classes, n) -> i32 (batch, classes, most): the boxes
        with the best scores, best first, of which no two share more than `overlap` of their common area. A step for each of
        them; `most` is 1 to 4096."""),
    "tn_minimize": (None, (c_void_p, c_char_p, tn_optim_options,), True,
        "void tn_minimize(tn_tensor *loss, const char *optimizer, tn_optim_options options)",
        """sgd:      p -= lr g
        momentum: v = momentum v + g, p -= lr v (Polyak, 1964, as PyTorch writes it)
        adam:     Kingma and Ba, "Adam", 2015, algorithm 1
        adamw:    the same, and p -= lr decay p apart from it (Loshchilov and Hutter, 2019)
        nesterov: v = momentum v + g, p -= lr (g + momentum v) (Nesterov, 1983, as PyTorch writes it)
        adagrad:  s += g^2, p -= lr g / (sqrt(s) + epsilon) (Duchi, Hazan and Singer, 2011)
        rmsprop:  s = alpha s + (1 - alpha) g^2, p -= lr g / (sqrt(s) + epsilon) (Tieleman and Hinton, 2012); with momentum
                  v = momentum v + g / (sqrt(s) + epsilon), p -= lr v
        adadelta: Zeiler, "ADADELTA", 2012, times lr
        adamax:   Kingma and Ba, algorithm 2, with epsilon added to |g|
        nadam:    Dozat, "Incorporating Nesterov momentum into Adam", 2016, with its growing beta1
        radam:    Liu and others, "On the variance of the adaptive learning rate and beyond", 2020
        lion:     p -= lr (sign(beta1 m + (1 - beta1) g) + decay p), m = beta2 m + (1 - beta2) g (Chen and others, 2023)
        The state of an optimizer is named after the parameter: "fc1.weight.momentum", ".exp_avg", ".exp_avg_sq", ".sum",
        ".square_avg" and the like. Parameters of the same decay and rate are updated by one kernel.

        Several optimizers may share a state, in programs of their own or in one, as those of a generative adversarial net:
            tn_minimize(loss_d, "adam", (tn_optim_options){.only = "d.*", .name = "d"});
            tn_minimize(loss_g, "adam", (tn_optim_options){.only = "g.*", .name = "g"});
        Each counts its own steps (tn_state_param_step), as those of PyTorch do. In one program all of them see the values
        from before the run. A parameter has one optimizer in a program."""),
    "tn_apply_gradients": (None, (c_void_p, c_void_p, c_size_t, c_char_p, tn_optim_options,), True,
        "void tn_apply_gradients(tn_tensor *param[], tn_tensor *grad[], size_t count, const char *optimizer, tn_optim_options options)",
        """The updates alone, by gradients that the caller brings: grad[i], of param[i]'s type and shape, from wherever: summed
        over several batches or devices, changed, or made by hand."""),
    "tn_optimizer_at": (c_int, (c_size_t, c_void_p,), True,
        "int tn_optimizer_at(size_t index, tn_optimizer_entry *entry)",
        """The optimizers, with their usual learning rate. Returns 0 past the last."""),
    "tn_schedule_parse": (c_int32, (c_char_p, c_void_p,), True,
        "tn_status tn_schedule_parse(const char *text, tn_schedule *schedule)",
        """A learning rate over time, parsed from a text: the name and numbers of a kind that tn_schedule_kind_at lists, such as
        "step 1000 0.5", "milestones 0.1 32000 48000", "cosine 10000" (Loshchilov and Hutter, 2017, whose warm restarts are
        "restarts 1000 2"), "onecycle 5000" (Smith and Topin, 2019), or "plateau 3 0.5" (times 0.5 after each 3 losses in a
        row that are no lower than the lowest before); each after an optional "warmup 100," (1/100, 2/100, ... over 100
        steps, from which the other then counts its own)."""),
    "tn_schedule_at": (c_double, (c_void_p, c_uint64,), True,
        "double tn_schedule_at(const tn_schedule *schedule, uint64_t step)",
        """The factor on the learning rate at a step, counted from 0."""),
    "tn_schedule_kind_at": (c_int, (c_size_t, c_void_p,), True,
        "int tn_schedule_kind_at(size_t index, tn_schedule_kind *kind)",
        """The kinds, for help texts. Returns 0 past the last."""),
    "tn_schedule_see": (None, (c_void_p, c_void_p, c_double,), True,
        "void tn_schedule_see(const tn_schedule *schedule, tn_plateau *plateau, double loss)",
        """What a "plateau" has seen of the losses, usually one an epoch; zeroed: nothing. Its factor is multiplied with that of
        the step. Other schedules look at no losses: their factor here is 1."""),
    "tn_plateau_factor": (c_double, (c_void_p,), True,
        "double tn_plateau_factor(const tn_plateau *plateau)",
        """What a "plateau" has seen of the losses, usually one an epoch; zeroed: nothing. Its factor is multiplied with that of
        the step. Other schedules look at no losses: their factor here is 1."""),
    "tn_precision_name": (c_char_p, (c_uint32,), False,
        "const char * tn_precision_name(uint32_t precision)",
        """"f32", "f32-fast", "bf16"; NULL for what is no TN_PRECISION_."""),
    "tn_compile": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p,), False,
        "tn_status tn_compile(tn_graph *graph, tn_state *state, const tn_compile_options *options, tn_program **program)",
        """Compiles a graph for the state's device: simplify, lower, fuse, place, plan memory, prepare. The graph's variables
        are made in the state where they are missing. What cannot fit the device's memory is refused, TN_ENOMEM, before any
        of it is allocated; on failure the state is as it was. `options` may be NULL. The caller frees the program."""),
    "tn_program_free": (None, (c_void_p,), False,
        "void tn_program_free(tn_program *program)",
        """Compiles a graph for the state's device: simplify, lower, fuse, place, plan memory, prepare. The graph's variables
        are made in the state where they are missing. What cannot fit the device's memory is refused, TN_ENOMEM, before any
        of it is allocated; on failure the state is as it was. `options` may be NULL. The caller frees the program."""),
    "tn_program_input_at": (c_int, (c_void_p, c_size_t, c_void_p,), False,
        "int tn_program_input_at(const tn_program *program, size_t index, tn_port *port)",
        """An input or output: its name, which is the program's, and what tn_feed and tn_fetch take. Of number `index`, inputs
        in the order in which the graph had them, outputs as they were asked for; returns 0 past the last."""),
    "tn_program_output_at": (c_int, (c_void_p, c_size_t, c_void_p,), False,
        "int tn_program_output_at(const tn_program *program, size_t index, tn_port *port)",
        """An input or output: its name, which is the program's, and what tn_feed and tn_fetch take. Of number `index`, inputs
        in the order in which the graph had them, outputs as they were asked for; returns 0 past the last."""),
    "tn_set": (c_int32, (c_void_p, c_char_p, c_double,), False,
        "tn_status tn_set(tn_program *program, const char *scalar, double value)",
        """Sets a scalar input for the runs that follow."""),
    "tn_feed": (c_int32, (c_void_p, c_char_p, c_void_p, c_uint64,), False,
        "tn_status tn_feed(tn_program *program, const char *input, const void *data, uint64_t bytes)",
        """Copies a value into an input: dense, row-major, the input's whole size in bytes. Waits until it is copied.
        A program compiled with `f64` has its f32 inputs and outputs as f64: numbers of 8 bytes, here and in tn_fetch.
        An input on which nothing depends that the program computes is left out: it is no error to fill it. TN_EMISSING for a
        name that no input of the graph has."""),
    "tn_upload_new": (c_int32, (c_void_p, c_void_p,), False,
        "tn_status tn_upload_new(tn_program *program, tn_upload **upload)",
        """Inputs that are filled while the device computes: neither waits for the other, nor does the host, unless it is two
        turns ahead. tn_upload_next enqueues copies of pieces of inputs: the runs that are enqueued after it see them. It
        begins a turn: its pieces may lie where those of the turn before the last did, and nowhere that the last turn's runs
        read. The pieces' data has to stay until the next call but one returns, or tn_upload_wait does. A piece of an
        input that the program has no use for is passed over; TN_EMISSING if no piece is of an input of the graph. Failures
        of the device may come at a later call, or at tn_upload_wait, which waits for the copies. Free it before the program;
        NULL is fine."""),
    "tn_upload_next": (c_int32, (c_void_p, c_void_p, c_size_t,), False,
        "tn_status tn_upload_next(tn_upload *upload, const tn_piece pieces[], size_t count)",
        """Inputs that are filled while the device computes: neither waits for the other, nor does the host, unless it is two
        turns ahead. tn_upload_next enqueues copies of pieces of inputs: the runs that are enqueued after it see them. It
        begins a turn: its pieces may lie where those of the turn before the last did, and nowhere that the last turn's runs
        read. The pieces' data has to stay until the next call but one returns, or tn_upload_wait does. A piece of an
        input that the program has no use for is passed over; TN_EMISSING if no piece is of an input of the graph. Failures
        of the device may come at a later call, or at tn_upload_wait, which waits for the copies. Free it before the program;
        NULL is fine."""),
    "tn_upload_wait": (c_int32, (c_void_p,), False,
        "tn_status tn_upload_wait(tn_upload *upload)",
        """Inputs that are filled while the device computes: neither waits for the other, nor does the host, unless it is two
        turns ahead. tn_upload_next enqueues copies of pieces of inputs: the runs that are enqueued after it see them. It
        begins a turn: its pieces may lie where those of the turn before the last did, and nowhere that the last turn's runs
        read. The pieces' data has to stay until the next call but one returns, or tn_upload_wait does. A piece of an
        input that the program has no use for is passed over; TN_EMISSING if no piece is of an input of the graph. Failures
        of the device may come at a later call, or at tn_upload_wait, which waits for the copies. Free it before the program;
        NULL is fine."""),
    "tn_upload_free": (None, (c_void_p,), False,
        "void tn_upload_free(tn_upload *upload)",
        """Inputs that are filled while the device computes: neither waits for the other, nor does the host, unless it is two
        turns ahead. tn_upload_next enqueues copies of pieces of inputs: the runs that are enqueued after it see them. It
        begins a turn: its pieces may lie where those of the turn before the last did, and nowhere that the last turn's runs
        read. The pieces' data has to stay until the next call but one returns, or tn_upload_wait does. A piece of an
        input that the program has no use for is passed over; TN_EMISSING if no piece is of an input of the graph. Failures
        of the device may come at a later call, or at tn_upload_wait, which waits for the copies. Free it before the program;
        NULL is fine."""),
    "tn_program_run": (c_int32, (c_void_p,), False,
        "tn_status tn_program_run(tn_program *program)",
        """Enqueues one run. TN_ESTATE if an input was never filled. Errors of the device appear here or at the next call that
        waits."""),
    "tn_program_parts": (c_uint32, (c_void_p,), False,
        "uint32_t tn_program_parts(const tn_program *program)",
        """A program of a shard of a batch (tn_graph_shard) is in as many parts as there are sums over all shards in it
        (tn_across), and one more: the number of parts, 1 for other programs. After part i, so many bytes of that type
        (unless NULL) cross: 0 past the last. Runs in parts are tn_program_run_part for one part after another, and between
        two of them tn_program_crossed, which waits for what the shard gives, and tn_program_cross, which enqueues what
        becomes of the sum: `data` has to stay until something later of the program was waited for. A run as a whole takes
        its own shard for the sum."""),
    "tn_program_crossing": (c_uint64, (c_void_p, c_uint32, c_void_p,), False,
        "uint64_t tn_program_crossing(const tn_program *program, uint32_t part, int32_t *dtype)",
        """A program of a shard of a batch (tn_graph_shard) is in as many parts as there are sums over all shards in it
        (tn_across), and one more: the number of parts, 1 for other programs. After part i, so many bytes of that type
        (unless NULL) cross: 0 past the last. Runs in parts are tn_program_run_part for one part after another, and between
        two of them tn_program_crossed, which waits for what the shard gives, and tn_program_cross, which enqueues what
        becomes of the sum: `data` has to stay until something later of the program was waited for. A run as a whole takes
        its own shard for the sum."""),
    "tn_program_run_part": (c_int32, (c_void_p, c_uint32,), False,
        "tn_status tn_program_run_part(tn_program *program, uint32_t part)",
        """A program of a shard of a batch (tn_graph_shard) is in as many parts as there are sums over all shards in it
        (tn_across), and one more: the number of parts, 1 for other programs. After part i, so many bytes of that type
        (unless NULL) cross: 0 past the last. Runs in parts are tn_program_run_part for one part after another, and between
        two of them tn_program_crossed, which waits for what the shard gives, and tn_program_cross, which enqueues what
        becomes of the sum: `data` has to stay until something later of the program was waited for. A run as a whole takes
        its own shard for the sum."""),
    "tn_program_crossed": (c_int32, (c_void_p, c_uint32, c_void_p, c_uint64,), False,
        "tn_status tn_program_crossed(tn_program *program, uint32_t part, void *data, uint64_t bytes)",
        """A program of a shard of a batch (tn_graph_shard) is in as many parts as there are sums over all shards in it
        (tn_across), and one more: the number of parts, 1 for other programs. After part i, so many bytes of that type
        (unless NULL) cross: 0 past the last. Runs in parts are tn_program_run_part for one part after another, and between
        two of them tn_program_crossed, which waits for what the shard gives, and tn_program_cross, which enqueues what
        becomes of the sum: `data` has to stay until something later of the program was waited for. A run as a whole takes
        its own shard for the sum."""),
    "tn_program_cross": (c_int32, (c_void_p, c_uint32, c_void_p, c_uint64,), False,
        "tn_status tn_program_cross(tn_program *program, uint32_t part, const void *data, uint64_t bytes)",
        """A program of a shard of a batch (tn_graph_shard) is in as many parts as there are sums over all shards in it
        (tn_across), and one more: the number of parts, 1 for other programs. After part i, so many bytes of that type
        (unless NULL) cross: 0 past the last. Runs in parts are tn_program_run_part for one part after another, and between
        two of them tn_program_crossed, which waits for what the shard gives, and tn_program_cross, which enqueues what
        becomes of the sum: `data` has to stay until something later of the program was waited for. A run as a whole takes
        its own shard for the sum."""),
    "tn_program_lanes": (c_int32, (c_void_p, c_uint32,), False,
        "tn_status tn_program_lanes(tn_program *program, uint32_t lanes)",
        """Lanes let several runs in parts be under way at once, each with temporary memory and scalars of its own: inputs,
        kernels and the state's variables, which no part but the last writes, are shared. tn_program_lanes sees to it that
        there are so many; tn_program_lane says which one the following calls are about: 0 in the beginning."""),
    "tn_program_lane": (c_int32, (c_void_p, c_uint32,), False,
        "tn_status tn_program_lane(tn_program *program, uint32_t lane)",
        """Lanes let several runs in parts be under way at once, each with temporary memory and scalars of its own: inputs,
        kernels and the state's variables, which no part but the last writes, are shared. tn_program_lanes sees to it that
        there are so many; tn_program_lane says which one the following calls are about: 0 in the beginning."""),
    "tn_wait": (c_int32, (c_void_p,), False,
        "tn_status tn_wait(tn_program *program)",
        """Waits for what was enqueued."""),
    "tn_fetch": (c_int32, (c_void_p, c_char_p, c_void_p, c_uint64,), False,
        "tn_status tn_fetch(tn_program *program, const char *output, void *data, uint64_t bytes)",
        """Waits and copies an output to the host: dense, row-major, the output's whole size in bytes. TN_ESTATE before the
        first run."""),
    "tn_program_explain": (None, (c_void_p, CFUNCTYPE(None, c_void_p, c_char_p), c_void_p,), False,
        "void tn_program_explain(const tn_program *program, function line, void *arg)",
        """The compiled program as a table for people: kernels, backend, shapes, bytes, what was fused into what. Calls `line`
        with each line, without its newline."""),
    "tn_program_get_report": (None, (c_void_p, c_void_p,), False,
        "void tn_program_get_report(const tn_program *program, tn_program_report *report)",
        """What compiling and running came to. Counts since the program was compiled where not said otherwise."""),
    "tn_program_profile": (c_int32, (c_void_p, c_uint32,), False,
        "tn_status tn_program_profile(tn_program *program, uint32_t on)",
        """Begins to measure each kernel of the program's runs, or ends it; either forgets what was measured. A run that is
        measured waits for the device before and after, and, where the device's backend does not tell how long its work takes
        (tenon.observe/1), after each kernel. What it computes is the same. What moves values between devices is left out."""),
    "tn_program_profile_at": (c_int, (c_void_p, c_uint32, c_void_p,), False,
        "int tn_program_profile_at(const tn_program *program, uint32_t index, tn_launch_profile *launch)",
        """Returns 0 past the last, and where nothing is measured."""),
    "tn_device_peaks": (c_int32, (c_void_p, c_uint32, c_void_p,), False,
        "tn_status tn_device_peaks(tn_device *device, uint32_t precision, tn_peaks *peaks)",
        """Measures that, products as `precision` (tn_compile_options) allows them, within about half a second on a processor,
        and keeps the best figures that it found so far in the disk cache. Leaves `peaks` alone on failure."""),
    "tn_peaks_floor": (c_double, (c_void_p, c_double, c_double,), False,
        "double tn_peaks_floor(const tn_peaks *peaks, double flops, double bytes)",
        """The seconds that so many operations on so many bytes take at the least by such peaks."""),
    "tn_state_new": (c_int32, (c_void_p, c_uint64, c_void_p,), False,
        "tn_status tn_state_new(tn_device *device, uint64_t seed, tn_state **state)",
        """An empty state on the device, which must stay open as long. Free its programs first."""),
    "tn_state_free": (None, (c_void_p,), False,
        "void tn_state_free(tn_state *state)",
        """An empty state on the device, which must stay open as long. Free its programs first."""),
    "tn_state_device": (c_void_p, (c_void_p,), False,
        "tn_device * tn_state_device(const tn_state *state)",
        """The device that it was made on."""),
    "tn_state_seed": (c_uint64, (c_void_p,), False,
        "uint64_t tn_state_seed(const tn_state *state)",
        """The seed of first values and of random numbers, and the training steps done. A checkpoint has both."""),
    "tn_state_set_seed": (None, (c_void_p, c_uint64,), False,
        "void tn_state_set_seed(tn_state *state, uint64_t seed)",
        """The seed of first values and of random numbers, and the training steps done. A checkpoint has both."""),
    "tn_state_step": (c_uint64, (c_void_p,), False,
        "uint64_t tn_state_step(const tn_state *state)",
        """The seed of first values and of random numbers, and the training steps done. A checkpoint has both."""),
    "tn_state_set_step": (None, (c_void_p, c_uint64,), False,
        "void tn_state_set_step(tn_state *state, uint64_t step)",
        """The seed of first values and of random numbers, and the training steps done. A checkpoint has both."""),
    "tn_state_param_step": (c_int, (c_void_p, c_char_p, c_void_p,), False,
        "int tn_state_param_step(const tn_state *state, const char *param, uint64_t *step)",
        """The training steps that a parameter's optimizer has done; returns 0 if it has none. Where several optimizers share a
        state, as those of a generator and a discriminator do, each counts its own, which is what its schedule goes by; the
        state's step is the number of runs that trained, whoever did. A checkpoint has them."""),
    "tn_state_set_param_step": (c_int32, (c_void_p, c_char_p, c_uint64,), False,
        "tn_status tn_state_set_param_step(tn_state *state, const char *param, uint64_t step)",
        """Sets it; with NULL that of all parameters, those to come included, as tn_state_set_step does."""),
    "tn_state_at": (c_int, (c_void_p, c_size_t, c_void_p,), False,
        "int tn_state_at(const tn_state *state, size_t index, tn_state_entry *entry)",
        """Tensor number `index` in the order of their making; returns 0 past the last. The name lives as long as the state."""),
    "tn_state_find": (c_int, (c_void_p, c_char_p, c_void_p,), False,
        "int tn_state_find(const tn_state *state, const char *name, tn_state_entry *entry)",
        """Tensor number `index` in the order of their making; returns 0 past the last. The name lives as long as the state."""),
    "tn_state_put": (c_int32, (c_void_p, c_char_p, c_int32, tn_shape, c_uint32, c_void_p,), False,
        "tn_status tn_state_put(tn_state *state, const char *name, int32_t dtype, tn_shape shape, uint32_t flags, const void *data)",
        """Makes a tensor and fills it from `data`, dense and row-major, or with zeros if NULL. Fails if the name is taken by
        another shape or type; the same shape and type is overwritten.
        Tensors are spread over as many buffers of the device as it takes; one that is larger than the largest is refused."""),
    "tn_state_write": (c_int32, (c_void_p, c_char_p, c_void_p, c_uint64,), False,
        "tn_status tn_state_write(tn_state *state, const char *name, const void *data, uint64_t bytes)",
        """Copies a tensor's whole value from or to the device; `bytes` must be its size. Waits for the device."""),
    "tn_state_read": (c_int32, (c_void_p, c_char_p, c_void_p, c_uint64,), False,
        "tn_status tn_state_read(tn_state *state, const char *name, void *data, uint64_t bytes)",
        """Copies a tensor's whole value from or to the device; `bytes` must be its size. Waits for the device."""),
    "tn_state_write_part": (c_int32, (c_void_p, c_char_p, c_uint64, c_void_p, c_uint64,), False,
        "tn_status tn_state_write_part(tn_state *state, const char *name, uint64_t at, const void *data, uint64_t bytes)",
        """The same of a part, `bytes` from byte `at` on, which has to lie in the tensor: for those that are large."""),
    "tn_state_read_part": (c_int32, (c_void_p, c_char_p, c_uint64, c_void_p, c_uint64,), False,
        "tn_status tn_state_read_part(tn_state *state, const char *name, uint64_t at, void *data, uint64_t bytes)",
        """The same of a part, `bytes` from byte `at` on, which has to lie in the tensor: for those that are large."""),
    "tn_state_where": (c_int32, (c_void_p, c_char_p, c_void_p,), False,
        "tn_status tn_state_where(tn_state *state, const char *name, tn_state_place *place)",
        """Waits for the device. TN_EUNSUPPORTED where the backend does not tell (tenon.native/1). The memory is the state's,
        and stays as long as it does; what runs later is seen there once it was waited for. A program that is compiled for
        the state may give the tensor another place, for which one asks again."""),
    "tn_peek_new": (c_int32, (c_void_p, c_char_p, c_void_p,), False,
        "tn_status tn_peek_new(tn_state *state, const char *name, tn_peek **peek)",
        """A tensor watched while the device works: reading that neither waits for the work before it nor holds up what comes
        after. Each call of tn_peek_next enqueues a read of the tensor as it is then in the order of the work, and gives what
        the call before asked for: its bytes, which stay until the next call, or NULL at the first call. It waits only where
        the device has not come as far as that call yet, and so keeps the host from running more than that ahead; it
        allocates nothing. Free it before the state; NULL is fine."""),
    "tn_peek_next": (c_int32, (c_void_p, c_void_p,), False,
        "tn_status tn_peek_next(tn_peek *peek, const void **data)",
        """A tensor watched while the device works: reading that neither waits for the work before it nor holds up what comes
        after. Each call of tn_peek_next enqueues a read of the tensor as it is then in the order of the work, and gives what
        the call before asked for: its bytes, which stay until the next call, or NULL at the first call. It waits only where
        the device has not come as far as that call yet, and so keeps the host from running more than that ahead; it
        allocates nothing. Free it before the state; NULL is fine."""),
    "tn_peek_free": (None, (c_void_p,), False,
        "void tn_peek_free(tn_peek *peek)",
        """A tensor watched while the device works: reading that neither waits for the work before it nor holds up what comes
        after. Each call of tn_peek_next enqueues a read of the tensor as it is then in the order of the work, and gives what
        the call before asked for: its bytes, which stay until the next call, or NULL at the first call. It waits only where
        the device has not come as far as that call yet, and so keeps the host from running more than that ahead; it
        allocates nothing. Free it before the state; NULL is fine."""),
    "tn_state_save": (c_int32, (c_void_p, c_char_p, c_void_p, c_size_t,), False,
        "tn_status tn_state_save(tn_state *state, const char *path, const tn_note notes[], size_t count)",
        """Saves every tensor that is not transient, the seed and the step, and the notes, which are UTF-8 and whose keys differ
        from each other and don't begin with "tenon.". Written to a temporary file beside `path` (which may be a symbolic
        link), flushed to the disk and renamed, so that `path` is always the old file or the new one, whole, and of the same
        owner and mode. What is no regular file, a device for example, is written straight to. Fails with TN_EMISSING if the
        folder isn't there, and with TN_ESTATE if a tensor has a number that is not finite, which a training that diverged
        leaves behind: a good file is never replaced by such."""),
    "tn_state_save_with": (c_int32, (c_void_p, c_char_p, c_void_p, c_void_p, c_size_t,), False,
        "tn_status tn_state_save_with(tn_state *state, const char *path, const tn_save_options *options, const tn_note notes[], size_t count)",
        """How to save; what is 0 is as usual."""),
    "tn_checkpoint_open": (c_int32, (c_char_p, c_void_p,), False,
        "tn_status tn_checkpoint_open(const char *path, tn_checkpoint **checkpoint)",
        """A file that was read whole and checked: ours or any other safetensors file. Weights that safetensors' save_model
        found tied, and wrote once, have all their names: tn_checkpoint_find knows them, and loading does; notes of our own
        files never stand for tensors. Truth values and whole numbers of other types become i32, as PyTorch's
        "num_batches_tracked"; a tensor that has one beyond i32's range, or is of a type that is not read (F8), is left out
        with a warning. The caller closes it. TN_EFORMAT if it is damaged. Not changed once it is open: any thread may read
        it."""),
    "tn_checkpoint_close": (None, (c_void_p,), False,
        "void tn_checkpoint_close(tn_checkpoint *checkpoint)",
        """NULL is fine"""),
    "tn_checkpoint_note": (c_char_p, (c_void_p, c_char_p,), False,
        "const char * tn_checkpoint_note(const tn_checkpoint *checkpoint, const char *key)",
        """The note's text, or NULL. Lives as long as the checkpoint. "tenon.seed", "tenon.step", "tenon.steps" and
        "tenon.version" are what tn_state_save added."""),
    "tn_checkpoint_rename": (c_int32, (c_void_p, c_char_p,), False,
        "tn_status tn_checkpoint_rename(tn_checkpoint *checkpoint, const char *rules)",
        """Gives tensors other names, for a file whose model is put together otherwise. `rules` are "OLD=NEW", separated by
        commas: what is named OLD up to a dot, or wholly, is named NEW there, and "module.=" takes a prefix away. The first
        rule that fits counts; one that fits no tensor is TN_EMISSING. Nothing is changed if a name would be empty or there
        twice (TN_EINVAL). Of a checkpoint that no other thread uses; notes stay as they are."""),
    "tn_checkpoint_at": (c_int, (c_void_p, c_size_t, c_void_p, c_void_p,), False,
        "int tn_checkpoint_at(const tn_checkpoint *checkpoint, size_t index, tn_state_entry *entry, const void **data)",
        """Tensor number `index` in the file's order; `data` is dense and row-major, aligned for its type, and lives as long as
        the checkpoint, as the name does. `flags` are 0: a file has none. Returns 0 past the last. `data` may be NULL."""),
    "tn_checkpoint_find": (c_int, (c_void_p, c_char_p, c_void_p, c_void_p,), False,
        "int tn_checkpoint_find(const tn_checkpoint *checkpoint, const char *name, tn_state_entry *entry, const void **data)",
        """Tensor number `index` in the file's order; `data` is dense and row-major, aligned for its type, and lives as long as
        the checkpoint, as the name does. `flags` are 0: a file has none. Returns 0 past the last. `data` may be NULL."""),
    "tn_checkpoint_load": (c_int32, (c_void_p, c_void_p,), False,
        "tn_status tn_checkpoint_load(const tn_checkpoint *checkpoint, tn_state *state)",
        """Fills every tensor of the state from the file, transient ones aside, and the seed and the step if the file has them.
        Tensors that only the file has are put into the state as well, with flags 0: the moments of an optimizer whose graph
        is yet to be compiled. Nothing is changed if a tensor is not in the file (TN_EMISSING) or has another shape
        (TN_ESHAPE) or type (TN_EDTYPE) there."""),
    "tn_checkpoint_move": (c_int32, (c_void_p, c_void_p,), False,
        "tn_status tn_checkpoint_move(tn_checkpoint *checkpoint, tn_state *state)",
        """The same, and the tensors' data leave memory as they go: one at a time is there twice. From then on, also if it
        fails, data may be NULL, and loading once more is TN_EMISSING."""),
    "tn_checkpoint_load_fitting": (c_int32, (c_void_p, c_void_p, tn_load_report, c_void_p, c_void_p,), False,
        "tn_status tn_checkpoint_load_fitting(const tn_checkpoint *checkpoint, tn_state *state, tn_load_report *report, void *arg, size_t *taken)",
        """For transfer learning: fills the tensors of the state that the file has by name, shape and type, where f64, f16 and
        bf16 become f32 and a number beyond its range is TN_EDTYPE, and leaves the others as they are, and seed and step too.
        Transient tensors and the moments of optimizers, which are named after their parameter, are left out on both sides.
        `report`, unless NULL, is told of every other tensor, those of the state first; `taken`, unless NULL, gets how many
        were filled."""),
    "tn_stat_count": (c_int64, (tn_column,), False,
        "int64_t tn_stat_count(tn_column x)",
        """How many values are there: all that are not NaN."""),
    "tn_stat_mean": (c_double, (tn_column,), False,
        "double tn_stat_mean(tn_column x)",
        """Their sum divided by their count."""),
    "tn_stat_variance": (c_double, (tn_column, c_int,), False,
        "double tn_stat_variance(tn_column x, int sample)",
        """The mean of the squared distances from the mean; with `sample` divided by count - 1 instead, which estimates the
        variance of what the values were drawn from. The standard deviation is its root."""),
    "tn_stat_deviation": (c_double, (tn_column, c_int,), False,
        "double tn_stat_deviation(tn_column x, int sample)",
        """The mean of the squared distances from the mean; with `sample` divided by count - 1 instead, which estimates the
        variance of what the values were drawn from. The standard deviation is its root."""),
    "tn_stat_mean_absolute_deviation": (c_double, (tn_column,), False,
        "double tn_stat_mean_absolute_deviation(tn_column x)",
        """The mean distance from the mean."""),
    "tn_stat_least": (c_double, (tn_column,), False,
        "double tn_stat_least(tn_column x)",
        """The smallest and the largest value, and the second minus the first."""),
    "tn_stat_largest": (c_double, (tn_column,), False,
        "double tn_stat_largest(tn_column x)",
        """The smallest and the largest value, and the second minus the first."""),
    "tn_stat_range": (c_double, (tn_column,), False,
        "double tn_stat_range(tn_column x)",
        """The smallest and the largest value, and the second minus the first."""),
    "tn_stat_percentile": (c_double, (tn_column, c_double,), False,
        "double tn_stat_percentile(tn_column x, double percent)",
        """The value below which `percent` (0..100) of the others lie. The sorted values are numbered from 0 to count - 1; what
        lies at percent / 100 (count - 1) is interpolated between its neighbours: definition 7 of Hyndman and Fan, "Sample
        quantiles in statistical packages", 1996, the usual one of NumPy and R."""),
    "tn_stat_median": (c_double, (tn_column,), False,
        "double tn_stat_median(tn_column x)",
        """the 50th percentile"""),
    "tn_stat_interquartile_range": (c_double, (tn_column,), False,
        "double tn_stat_interquartile_range(tn_column x)",
        """from the 25th to the 75th"""),
    "tn_stat_weighted_mean": (c_double, (tn_column, c_void_p,), False,
        "double tn_stat_weighted_mean(tn_column x, const float *weight)",
        """Value i counts weight[i] times; the weights are dense, `count` of them, none negative and not all 0: else NaN. A
        missing value takes its weight with it; a missing weight counts as negative. The median is where half of the weight
        is reached; if it is reached exactly between two values, it is their mean."""),
    "tn_stat_weighted_median": (c_double, (tn_column, c_void_p,), False,
        "double tn_stat_weighted_median(tn_column x, const float *weight)",
        """Value i counts weight[i] times; the weights are dense, `count` of them, none negative and not all 0: else NaN. A
        missing value takes its weight with it; a missing weight counts as negative. The median is where half of the weight
        is reached; if it is reached exactly between two values, it is their mean."""),
    "tn_stat_outliers": (c_int64, (tn_column, c_double, c_void_p,), False,
        "int64_t tn_stat_outliers(tn_column x, double factor, uint8_t outlier[])",
        """Marks what lies more than `factor` (0: 1.5) inter-quartile ranges below the lower or above the upper quartile (Tukey,
        "Exploratory data analysis", 1977): outlier[i] becomes 1 or 0; NULL is fine. Returns how many there are."""),
    "tn_scale_kind": (c_int32, (c_char_p,), False,
        "int32_t tn_scale_kind(const char *name)",
        """The number of a kind by its name, "none", "minmax", "standard" or "unit", and back; -1 and NULL for what is none."""),
    "tn_scale_name": (c_char_p, (c_int32,), False,
        "const char * tn_scale_name(int32_t kind)",
        """The number of a kind by its name, "none", "minmax", "standard" or "unit", and back; -1 and NULL for what is none."""),
    "tn_scaler_fit": (c_int32, (c_void_p, c_int32, c_double, c_double, c_void_p, c_int64, c_int64,), False,
        "tn_status tn_scaler_fit(tn_scaler *scaler, int32_t kind, double low, double high, const float *x, int64_t rows, int64_t columns)",
        """Learns from x, dense (rows, columns), how to scale. `low` < `high` are for TN_SCALE_MINMAX alone. Infinite values are
        an error. Free the scaler in the end."""),
    "tn_scaler_free": (None, (c_void_p,), False,
        "void tn_scaler_free(tn_scaler *scaler)",
        """a zeroed struct is fine, and so is NULL"""),
    "tn_scaler_learn": (c_int32, (c_void_p, c_int32, c_double, c_double, c_void_p,), False,
        "tn_status tn_scaler_learn(tn_scaler *scaler, int32_t kind, double low, double high, const tn_dataset *data)",
        """Learns from all samples of a data set, f32, in two passes if they have a loader. A column without any value is
        TN_EFORMAT."""),
    "tn_dataset_scale": (c_int32, (c_void_p, c_void_p,), False,
        "tn_status tn_dataset_scale(tn_dataset *data, const tn_scaler *scaler)",
        """Fills and scales all samples of a data set: those in memory now, those with a loader whenever they are read."""),
    "tn_scaler_fill": (None, (c_void_p, c_void_p, c_int64,), False,
        "void tn_scaler_fill(const tn_scaler *scaler, float *x, int64_t rows)",
        """Puts the columns' means in the place of missing values, in x itself."""),
    "tn_scaler_apply": (None, (c_void_p, c_void_p, c_int64,), False,
        "void tn_scaler_apply(const tn_scaler *scaler, float *x, int64_t rows)",
        """Scales x itself, dense (rows, scaler->columns), and back. A missing value stays missing; a row of zeros stays zeros.
        Rows that were brought to length 1 have lost their length: TN_EUNSUPPORTED."""),
    "tn_scaler_invert": (c_int32, (c_void_p, c_void_p, c_int64,), False,
        "tn_status tn_scaler_invert(const tn_scaler *scaler, float *x, int64_t rows)",
        """Scales x itself, dense (rows, scaler->columns), and back. A missing value stays missing; a row of zeros stays zeros.
        Rows that were brought to length 1 have lost their length: TN_EUNSUPPORTED."""),
    "tn_scaler_put": (c_int32, (c_void_p, c_void_p, c_char_p,), False,
        "tn_status tn_scaler_put(const tn_scaler *scaler, tn_state *state, const char *name)",
        """Keeps a scaler in a state, to be saved with it: as the tensor `name`, (3, columns) in f64, which are mean, centre and
        spread, and "NAME.kind", (2), which are kind and base. And back from a file: the caller frees it. TN_EMISSING if the
        file has none of that name, TN_EFORMAT if it makes no sense."""),
    "tn_scaler_read": (c_int32, (c_void_p, c_void_p, c_char_p,), False,
        "tn_status tn_scaler_read(tn_scaler *scaler, const tn_checkpoint *checkpoint, const char *name)",
        """Keeps a scaler in a state, to be saved with it: as the tensor `name`, (3, columns) in f64, which are mean, centre and
        spread, and "NAME.kind", (2), which are kind and base. And back from a file: the caller frees it. TN_EMISSING if the
        file has none of that name, TN_EFORMAT if it makes no sense."""),
    "tn_message": (c_char_p, (), True,
        "const char * tn_message()",
        """The line that goes with this thread's last failure; "" before the first. Valid until this thread's next failure."""),
    "tn_status_name": (c_char_p, (c_int32,), True,
        "const char * tn_status_name(tn_status status)",
        """"TN_ESHAPE" and so on; "unknown status" for a number that is none."""),
    "tn_log_to": (None, (tn_log_sink, c_void_p, c_int32,), True,
        "void tn_log_to(tn_log_sink *sink, void *arg, int32_t least_level)",
        """Where the library's log lines go. By default warnings and errors go nowhere: the library never prints unasked.
        `sink` may be called from any thread; NULL silences it again."""),
    "tn_version": (c_char_p, (), True,
        "const char * tn_version()",
        """The version of the library, "0.1.0"."""),
    "tn_allocations": (c_uint64, (), True,
        "uint64_t tn_allocations()",
        """Heap allocations made by the library and, through the host's services, by the backends, since the program began."""),
    "tn_team_open": (c_int32, (c_void_p, c_void_p,), False,
        "tn_status tn_team_open(const tn_team_options *options, tn_team **team)",
        """Waits for all ranks to come, and refuses one that has another version of the library."""),
    "tn_team_close": (None, (c_void_p,), False,
        "void tn_team_close(tn_team *team)",
        """All ranks close: without a failure they wait for each other. After one nobody is waited for, but everybody stays for
        a second in which the news travels; processes that a launcher started are then all ended when the first of them ends.
        NULL is fine."""),
    "tn_team_rank": (c_uint32, (c_void_p,), False,
        "uint32_t tn_team_rank(const tn_team *team)",
        """Of NULL: rank 0 of 1."""),
    "tn_team_size": (c_uint32, (c_void_p,), False,
        "uint32_t tn_team_size(const tn_team *team)",
        """Of NULL: rank 0 of 1."""),
    "tn_team_communicator": (c_char_p, (c_void_p,), False,
        "const char * tn_team_communicator(const tn_team *team)",
        """How they reach each other: "openmpi"; NULL: they don't, this is one rank alone."""),
    "tn_communicators": (c_int32, (CFUNCTYPE(None, c_void_p, c_void_p), c_void_p,), False,
        "tn_status tn_communicators(function each, void *arg)",
        """Loads each that there is, and tells of it; the texts live until the callback returns."""),
    "tn_team_fail": (None, (c_void_p, c_int32, c_char_p,), False,
        "void tn_team_fail(tn_team *team, tn_status status, const char *why)",
        """For a failure of one's own, which others can't see: a file that can't be read, a device that was lost."""),
    "tn_team_check": (c_int32, (c_void_p,), False,
        "tn_status tn_team_check(tn_team *team)",
        """The failure that ended the team, as status and tn_message; TN_OK: none yet."""),
    "tn_shape_count": (c_int64, (c_void_p,), True,
        "int64_t tn_shape_count(const tn_shape *shape)",
        """The number of elements."""),
    "tn_shape_equal": (c_int, (c_void_p, c_void_p,), True,
        "int tn_shape_equal(const tn_shape *a, const tn_shape *b)",
        """The number of elements."""),
    "tn_shape_text": (c_char_p, (c_void_p, c_char_p, c_size_t,), True,
        "char * tn_shape_text(const tn_shape *shape, char *text, size_t capacity)",
        """"(128, 784)" in `text`, cut if it does not fit; returns `text`. 160 bytes hold any shape."""),
    "tn_dtype_name": (c_char_p, (c_int32,), True,
        "const char * tn_dtype_name(int32_t dtype)",
        """"f32" and so on; "?" for a number that is no type."""),
    "tn_program_tune": (c_int32, (c_void_p, c_void_p,), False,
        "tn_status tn_program_tune(tn_program *program, const tn_tune_options *options)",
        """Tunes the operators that a program has on its state's device. Programs that are compiled later use what was found;
        this one stays as it is. Leaves what it has found so far in the cache, candidate by candidate, so that a tuning which
        is interrupted goes on where it was. TN_EUNSUPPORTED if the device's backend has nothing to choose from. One thread
        at a time tunes a device, which should do nothing else meanwhile, and holds the lock of its table until it is done:
        other threads that compile for the device, or call the functions below, wait. `options` may be NULL."""),
    "tn_tuned_at": (c_int, (c_void_p, c_size_t, c_void_p,), False,
        "int tn_tuned_at(const tn_device *device, size_t index, tn_tuned_choice *choice)",
        """Number `index` of the device's. Texts live until the table is changed, by whichever thread: by tuning, by compiling a
        program that tunes or for which a choice from elsewhere is compared, by tn_tuned_import and tn_tuned_forget; and
        until the device is closed. Returns 0 past the last."""),
    "tn_tuned_export": (c_int32, (c_void_p, c_char_p, c_uint64, c_void_p,), False,
        "tn_status tn_tuned_export(const tn_device *device, char *text, uint64_t room, uint64_t *bytes)",
        """The device's choices as a text, to be kept or given to others who have the same device and driver: copied if it fits
        in `room` bytes; `bytes` are what it has."""),
    "tn_tuned_import": (c_int32, (c_void_p, c_char_p, c_uint64, c_void_p,), False,
        "tn_status tn_tuned_import(tn_device *device, const char *text, uint64_t bytes, uint32_t *count)",
        """Takes the choices of such a text, of which there are `count` (unless NULL) that the device did not have. Each is
        compared with the reference on this device when a program is first compiled that wants it, and not used if it is
        wrong, fails, or has ended the process twice; one for which there was no memory is compared another time. A text that
        is damaged or cut, or of another device, driver or version of the kernels: TN_EINVAL, and nothing is taken."""),
    "tn_tuned_forget": (c_int32, (c_void_p,), False,
        "tn_status tn_tuned_forget(tn_device *device)",
        """Forgets all choices of the device, in the cache too; TN_EIO: a cache that can't be written has them still."""),
    "tn_op_at": (c_int, (c_size_t, c_void_p,), False,
        "int tn_op_at(size_t index, tn_op_entry *entry)",
        """Operator number `index`, the rows of unary.def and binary.def included; texts live as long as the library. Returns 0
        past the last."""),
    "tn_op_support": (c_int, (c_void_p, c_size_t, c_int32, c_int,), False,
        "int tn_op_support(tn_device *device, size_t index, int32_t dtype, int backward)",
        """Of operator number `index` on operands of type `dtype`: itself, or (`backward`) its gradient."""),
}
