/* data.h: data sets, in host memory or read as they are needed, and the files they come from. */
#ifndef TENON_DATA_H
#define TENON_DATA_H

#include "tenon/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- samples that are read as they are needed ----
 *
 * What does not fit into memory has a loader in place of an array: samples are read batch by batch, by threads of the
 * library, while the device computes. Trainings come to the same bits either way. */

/* A source of samples of your own. `fill` writes sample number `index`, from 0, to `x`: dense, of the data set's shape
 * and type; and, unless `target` is NULL, its label (one i32) or its targets (f32) there. It is called by several
 * threads at once, for samples in any order, some of them more than once, and gives the same bytes each time. A failure
 * is a status other than TN_OK and one line, with no newline, in `msg`; a line left empty is that of the last function
 * of this library that failed in this thread. The library's line then names the data set and the sample. */
typedef struct tn_source {
    tn_status (*fill)(void *arg, int64_t index, void *x, void *target, tn_msg *msg);
    void (*close)(void *arg);                      /* called once, when no data set has the loader any more; or NULL */
    void *arg;                                     /* passed on to all of them */
    const char *(*name)(void *arg, int64_t index); /* what the sample is called, such as its file; or NULL */
    uint64_t spare[3];
} tn_source;

/* A loader of that source, copied. Data sets share it: each lets go of it in tn_dataset_free. */
typedef struct tn_loader tn_loader;
TN_API TN_MUST_USE tn_status tn_loader_new(const tn_source *source, tn_loader **loader);
/* Lets go of one that no data set has got; NULL is fine. Any thread may. */
TN_API void tn_loader_free(tn_loader *loader);

/* ---- data sets ---- */

/* Samples and their targets. `x` is dense, (count, the sample's shape), of type x_dtype: u8 images (0..255, to be
 * divided by 255) or f32 numbers. Either `label` (i32, count) with `classes`, or `target` (f32, count x targets). With
 * `loader`, `x` is NULL; and where label and target are NULL too, they come with the samples, by `classes` or else
 * `targets`. */
typedef struct tn_dataset {
    int64_t count;
    tn_shape sample; /* (1, 28, 28) for MNIST, (columns) for a table */
    int32_t x_dtype;
    void *x;
    int32_t *label;
    int64_t classes;
    float *target;
    int64_t targets;
    char *class_names;    /* of classes that are texts: in order, each closed by a line break; else NULL. A line break
                             inside a name is written as a backslash and n, a carriage return as one and r, a backslash
                             as two */
    char *column_names;   /* of a table's features, likewise; NULL: it has no header */
    char *target_names;   /* of what a table predicts, likewise; "column 5" where it has no header */
    char *target_numbers; /* the same columns by their numbers, from 1: "5", or "1,3" */
    uint32_t no_header;   /* the table's first line is data */
    uint32_t no_channel;  /* 1: an array (n, h, w) became samples (1, h, w), a channel that the file has not */
    char *notice;         /* what the header's absence was seen by, or what else should be said of it,
                             or of images of many sizes; or NULL */
    char *why;            /* with TN_CLASSIFY_AUTO: what shows that there are classes, or numbers; or NULL */
    char *source;         /* for messages: the file or "digits" */
    tn_loader *loader;    /* where samples come from that are not in x; or NULL */
    int32_t *row;         /* sample i is number row[i] of the loader, or of the source; NULL: number i */
    uint32_t images;      /* 1: samples are files of images, as tn_image_read has them */
    uint32_t separator;   /* what stands between a table's cells: ',', ';', '|', ' ' or a tab; 0: it is no table */
    tn_loader *origin;    /* where samples that are in x now came from, which knows their names; or NULL */
    char *categories;     /* of a table whose columns to predict from are not all numbers: of each that holds texts a
                             line "3 one-hot 2", for the third column's two texts, which are a number each, 1 where it
                             stands and else 0; or "3 index 2", whose texts are the numbers 0 and 1; and then these
                             texts, as class_names has them. A sample then has more numbers than the table columns.
                             "" where all are numbers; NULL: it is no table */
    int64_t labels; /* above 1: of each sample, such as one for each step of a sequence: `label` is (count, labels),
                       and what a model makes of a sample (labels, classes) */
    float *weight;  /* (count): how many times each sample counts in losses and accuracy, 0 or from 1e-18 to 1e18,
                       which sums in f32 bear, and not all 0; in memory even where samples have a loader. NULL: each
                       counts once */
    uint64_t spare[4];
} tn_dataset;

/* Frees what the struct points to, which is malloc's memory, and zeroes it. A zeroed struct is fine, and so is NULL. */
TN_API void tn_dataset_free(tn_dataset *data);

/* A column of `categories`. */
typedef struct tn_category {
    int64_t column;    /* among those to predict from, from 0 */
    int64_t count;     /* of its texts */
    uint32_t one_hot;  /* 1: a number each; 0: the column is one number, of the text */
    const char *texts; /* a line each, in `categories` */
    uint64_t spare[4];
} tn_category;

/* Reads the first column of `categories`, and returns where the next stands. NULL: there is none, or what stands there
 * makes no sense; `category` is as it was. */
TN_API const char *tn_next_category(const char *categories, tn_category *category);

/* Copies sample number `index` to `x`, and, unless NULL, its label or targets to `target`, wherever they are. Any
 * threads may at once. */
TN_API TN_MUST_USE tn_status tn_dataset_sample(const tn_dataset *data, int64_t index, void *x, void *target);

/* What sample number `index` is called: its file, or its source and its number there, from 0: "rents.csv 17". Written
 * to `text`, of `capacity` bytes, which is returned. */
TN_API char *tn_dataset_name(const tn_dataset *data, int64_t index, char *text, uint64_t capacity);

/* A pair of IDX files of bytes, plain or gzip (http://yann.lecun.com/exdb/mnist): images and labels. Their counts
 * must agree. Images (n, h, w) become samples of shape (1, h, w); `classes` is the largest label plus 1. `labels` may
 * be NULL: then there are no labels, and no classes. */
TN_API TN_MUST_USE tn_status tn_dataset_idx(const char *images, const char *labels, tn_dataset *data);

/* Whether what is to be predicted are classes. AUTO decides by the values, where it is one column or array: texts are
 * classes; so are whole numbers unless there are few rows to each, more than 20 different ones, or far apart. Numbers
 * of images are classes if they are whole. */
#define TN_CLASSIFY_NO   0
#define TN_CLASSIFY_YES  1
#define TN_CLASSIFY_AUTO 2

/* Whether a table's first line has the names of its columns. AUTO takes it for data if numbers alone are in it, or
 * numbers beside texts that come again further down, or any number if another table had no header; names in `columns`
 * make it a header. */
#define TN_HEADER_AUTO 0
#define TN_HEADER_YES  1
#define TN_HEADER_NO   2

/* A table (RFC 4180: quotes, commas and line breaks inside them), or one whose cells are separated by semicolons,
 * beside which numbers may have decimal commas, tabs, bars or any number of spaces, as its first two rows show; plain
 * or packed by gzip. The path "-" is standard input, which is read once and kept. The column `target` (NULL:
 * the last) is what to predict: with `classify` text or whole numbers 0..n-1 (texts are numbered in alphabetical order,
 * and in a column of numbers alone equal ones are one class however they are written), any number else. Several
 * columns, "rent, size" or lines, are always numbers; without a header columns are named by numbers from 1. A missing
 * value (nothing, "NA", "N/A", "#N/A", "<NA>", "null", "nan", "-nan", "?") becomes the column's mean, or with
 * `keep_missing` NaN; in the target it is an error. A column to predict from that holds texts, few of which are
 * numbers, and at most 50 different ones that come again, becomes a number for each text, 1 where it stands and else 0,
 * and all 0 where the value is missing; dates and other texts are errors that name the cell. Spaces around a value
 * don't count, nor do empty lines; but one of blanks is a row of one missing value. Names of columns are compared
 * without regard to case and spaces, and one that is the same to the letter comes first; a name that two columns have,
 * or that two others are like, is an error unless neither is read, or the order decides. What becomes a name must be
 * UTF-8. Errors name file, line and column. A column that numbers the rows, as other programs write it, is warned of.
 * `options` may be NULL. */
typedef struct tn_csv_options {
    const char *target;
    uint32_t classify; /* TN_CLASSIFY_... */
    int64_t features;  /* not 0: a table to predict from. It has so many columns, and maybe those of the targets too,
                          which are not read: no labels and no targets come of it */
    uint32_t keep_missing;
    const char *columns;        /* another table's column_names: the features are the columns of these names, in that
                                   order, and what is neither these nor a target is not read; one that is not there is
                                   an error that lists both sides. NULL: all that are no targets. A table without a
                                   header is taken in its own order, and must have as many */
    const char *target_numbers; /* another table's: where the targets are if it goes by order. Without `columns` that
                                   table had no header */
    uint32_t by_position;       /* take the features by their order, whatever the names in `columns`, and the targets
                                   by `target_numbers` where these are given */
    uint32_t header;            /* TN_HEADER_... */
    const char *ignore;         /* columns that are not read, named as `target` names them; of a table to predict from
                                   by order, if it has them; or NULL. Not looked at with `columns` or by_position */
    const char *one_hot;        /* columns to predict from, named likewise, whose values are kinds even if they are
                                   numbers, or more than 50 texts: each is a number of the sample, 1 or 0; or NULL */
    const char *index;          /* those that become one whole number, from 0 in alphabetical order; or NULL */
    const char *categories;     /* another table's: which columns have texts, and what these become; another text counts
                                   as missing, which a warning says. NULL: they are found */
    const char *weights;        /* the column that becomes the samples' weights, named as `target` names it, and is
                                   neither predicted nor predicted from: 0 or from 1e-18 to 1e18, none missing; or
                                   NULL. tn_dataset_open takes it of archives too: the array of that name, or, where
                                   they have x_train and x_test, those of NAME_train and NAME_test */
    uint64_t spare[4];
} tn_csv_options;
TN_API TN_MUST_USE tn_status tn_dataset_csv(const char *path, const tn_csv_options *options, tn_dataset *data);

/* An array in host memory, dense and row-major. */
typedef struct tn_array {
    int32_t dtype;
    tn_shape shape;
    void *data;
    uint64_t spare[4];
} tn_array;

/* An array of a file: of NumPy's .npy (`member` NULL), or the one of that name in an .npz archive or a safetensors file
 * (NULL: its only one).
 * Bytes stay u8; truth values and other integers become i32, f2 and f8 become f32: a number beyond their range is an
 * error.
 * Either order of bytes and of dimensions is read. Free it in the end; a zeroed struct is fine, and so is NULL. */
TN_API TN_MUST_USE tn_status tn_array_read(const char *path, const char *member, tn_array *array);
TN_API void tn_array_free(tn_array *array);

/* Writes a whole file, as tn_state_save does: beside its place and renamed, flushed, with the owner and the mode of the
 * file that it replaces. */
TN_API TN_MUST_USE tn_status tn_file_replace(const char *path, const void *data, uint64_t bytes);

/* Writes a .npy file like that: f32, f64, f16, i32 or u8. */
TN_API TN_MUST_USE tn_status tn_array_write(const char *path, int32_t dtype, tn_shape shape, const void *data);

/* Samples and what belongs to them from such a file: the arrays named `x` and `y`, whose first dimension is the sample.
 * u8 samples are images, (n, h, w), (n, channels, h, w), or (n, h, w, channels): with 1 or 3 channels, or up to 4
 * where h is above 4; all others become f32. With `x` NULL they are the array "x" or the file's only one; with `y` NULL
 * nothing belongs to them. One number for each sample is its class with `classify` (TN_CLASSIFY_...), else it is what
 * to predict, as several numbers always are. */
TN_API TN_MUST_USE tn_status tn_dataset_arrays(const char *path, const char *x, const char *y, int classify,
                                               tn_dataset *data);

/* Images in folders, FOLDER/class/image: .png, .jpg and .jpeg files in any depth. The classes are the folders, in order
 * of their names, which are UTF-8; the images of each come in order of theirs. Samples are u8, (channels, height,
 * width), read as they are needed. `image` is their shape, or (height, width) with 1 channel if all are grey and 3 if
 * any has colours, of which up to 64 are looked at; NULL: so many channels, and the first image's size. A folder
 * without images is TN_EFORMAT. */
TN_API TN_MUST_USE tn_status tn_dataset_images(const char *folder, const tn_shape *image, tn_dataset *data);

/* One image as such a sample, (channels, height, width): PNG or JPEG, grey or in colour as the sample is; transparency
 * is left out, and what a camera took on its side (EXIF) stands upright. One of another size is scaled until it covers
 * the sample, and its middle is taken. */
TN_API TN_MUST_USE tn_status tn_image_read(const char *path, const tn_shape *sample, uint8_t *out);

/* Reads all samples of a loader into memory, by several threads; a set in memory stays as it is. */
TN_API TN_MUST_USE tn_status tn_dataset_load(tn_dataset *data);

/* Samples are tokens, whole numbers from 0 to count - 1, as tn_embedding reads them: bytes become numbers, f32, instead
 * of levels to be divided by 255. A number that is none is TN_EFORMAT and named: here, or where samples have a loader,
 * when one is read that has it. */
TN_API TN_MUST_USE tn_status tn_dataset_tokens(tn_dataset *data, int64_t count);

/* A text, in UTF-8, plain or packed by gzip, as samples to learn from which byte comes next: each is `context` bytes of
 * it, as tokens of 256, and its labels are the bytes one further on, of 256 classes. The next sample begins where one
 * ends, and what is left at the end, less than a sample, is not used. Line ends of Windows become one byte, and a mark
 * of the byte order goes. Another encoding is TN_EFORMAT. Samples are made as they are needed. */
TN_API TN_MUST_USE tn_status tn_dataset_text(const char *path, int64_t context, tn_dataset *data);

/* The built-in digits: drawn by the program: 28x28 grey, ten classes, `count` of them, always the same for a seed. */
TN_API TN_MUST_USE tn_status tn_dataset_digits(int64_t count, uint64_t seed, tn_dataset *data);

/* The same in colour, on textured backgrounds: (3, 32, 32), red, green and blue. */
TN_API TN_MUST_USE tn_status tn_dataset_digits_rgb(int64_t count, uint64_t seed, tn_dataset *data);

/* A training and a test set by a name: "digits" or "digits-rgb" (10000 and 2000 samples), either followed by ":N" (N
 * and a fifth of it), a folder with MNIST's four files (plain or .gz), a folder of images (tn_dataset_images), or of
 * two such folders, `train` and `test` or `val`, an .npz archive or a safetensors file with x_train, y_train, x_test
 * and y_test, or one with x and y, or a CSV file, of which one sample in five, chosen by the seed, is for testing, of
 * each class its share, and none that is the only one of its class; less than 10 are used whole for both. With `train`
 * or `test` NULL the other one gets all samples of what has no parts of its own. Missing values in both become the
 * means of the training set, unless `csv` keeps them; a column that has no value there is an error. Free both sets, or
 * neither after a failure. */
TN_API TN_MUST_USE tn_status tn_dataset_open(const char *name, uint64_t seed, const tn_csv_options *csv,
                                             tn_dataset *train, tn_dataset *test);

/* Whether samples stay in their file, and are read as they are needed. AUTO leaves them there if they would take half
 * of the host's free memory, and the file allows it. YES fails with TN_EUNSUPPORTED, and says why, where it does not:
 * what is compressed or drawn, or in Fortran's order. What belongs to the samples is read in any case. */
#define TN_STREAM_NO   0
#define TN_STREAM_YES  1
#define TN_STREAM_AUTO 2

/* The samples of one file, without what belongs to them: an IDX file, .npy, or the array "x", or the only one, of an
 * archive. `stream` is TN_STREAM_... */
TN_API TN_MUST_USE tn_status tn_dataset_samples(const char *path, uint32_t stream, tn_dataset *data);

/* How to open a data set; what is 0 is as usual. */
typedef struct tn_open_options {
    uint64_t seed;
    tn_csv_options csv;
    uint32_t stream; /* TN_STREAM_... */
    tn_shape image;  /* of a folder's images, as tn_dataset_images has it; rank 0: as NULL there */
    int64_t context; /* not 0: the file is a text, as tn_dataset_text has it; its last tenth is for testing */
    int64_t folds;   /* not 0: the samples are cut into so many parts by the seed, of each class its share, and part
                        number `fold`, from 0, is for testing: each sample in one of them. For cross-validation; an
                        error with fewer samples, or where there is a part for testing already */
    int64_t fold;
    const char *alphabet; /* with `context`: samples are characters instead of bytes, numbered by it: "" finds those of
                             the training part, which become class_names, the first standing for all others; else
                             such class_names, of another text. NULL: bytes */
    uint64_t spare[4];
} tn_open_options;

/* The same, as the options say. */
TN_API TN_MUST_USE tn_status tn_dataset_open_with(const char *name, const tn_open_options *options, tn_dataset *train,
                                                  tn_dataset *test);

/* Keeps only the first `count` samples. */
TN_API void tn_dataset_limit(tn_dataset *data, int64_t count);

/* Takes a share (0..1) of the samples out of the data, chosen by the seed, as a set of its own, of each class its
 * share: at least one goes and one stays. Both are as they were after a failure. */
TN_API TN_MUST_USE tn_status tn_dataset_split(tn_dataset *data, double share, uint64_t seed, tn_dataset *part);

/* That each column of samples in f32 has a value to learn from: TN_EFORMAT names the first that has none. For a
 * training set whose missing values were kept. Samples with a loader are not looked at: learning from them does. */
TN_API TN_MUST_USE tn_status tn_dataset_check_columns(const tn_dataset *data);

/* That each sample's weight, if there are some, is 0 or from 1e-18 to 1e18: TN_EINVAL names the first that is not, as
 * tn_fit and tn_evaluate do. */
TN_API TN_MUST_USE tn_status tn_dataset_check_weights(const tn_dataset *data);

/* Samples of several data sets side by side, as a network of several inputs takes them: sample i is the numbers of all
 * their samples i, the first set's first, in f32, with bytes divided by 255; tn_apart takes them apart in the network.
 * What belongs to them lies side by side too: where one set alone has labels, these; else what each has becomes
 * targets, labels their numbers, as several heads want them. A set may have labels or targets alone, its `x` and
 * `loader` NULL. Weights are the first that a set has. All have as many samples; whole numbers are no larger than
 * f32's, 2^24. The result is in memory, and has nothing of the sets'. */
TN_API TN_MUST_USE tn_status tn_dataset_beside(const tn_dataset *const parts[], uint32_t count, tn_dataset *data);

/* How many samples of `data` stand in `other` too, with the same numbers and the same label or targets. TN_EUNSUPPORTED
 * if either has a loader. */
TN_API TN_MUST_USE tn_status tn_dataset_common(const tn_dataset *data, const tn_dataset *other, int64_t *count);

/* One image for prediction, from PNG, JPEG or PGM, scaled to the sample's shape, (1, height, width) or (height, width),
 * by area averaging: as large as fits, in the middle, the rest 0. `out`, as many elements as the sample has, gets grey
 * levels 0..255, drawn light on dark as MNIST is: an image whose border is bright is inverted. With a sample of
 * (3, height, width) it gets the red, green and blue planes as they are. What is transparent shows white or black,
 * whichever differs more from the image. framing.h has the same for a thing that lies anywhere in its image. */
TN_API TN_MUST_USE tn_status tn_image_read_scaled(const char *path, const tn_shape *sample, float *out);

/* A random order of 0..count-1 (count < 2^31) by seed and epoch: the same on every machine (Fisher and Yates, driven by
 * Philox). */
TN_API void tn_shuffle(int32_t *order, int64_t count, uint64_t seed, uint64_t epoch);

/* ---- names of earlier versions ---- */

/* Now tn_image_read_scaled. */
TN_OLD("tn_image_read_scaled")
TN_MUST_USE tn_status tn_picture_read(const char *path, const tn_shape *sample, float *out);

#ifdef __cplusplus
}
#endif
#endif
