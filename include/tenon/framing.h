/* framing.h: images that are to be read as a training set has them: one thing in ink on paper, all of about one size
 * and in the same place, as MNIST's digits are.
 *
 * A network that learned from such images reads others badly: it never saw a digit in a corner, on grey paper, or
 * half as large. So the set is measured, what was measured is kept with the network, and an image to predict from is
 * brought to it: the ink is found, cut out and scaled with its proportions kept, strokes far too thin or too thick are
 * mended, the contrast is stretched, and it is put in its place. Any thread may call these functions. */
#ifndef TENON_FRAMING_H
#define TENON_FRAMING_H

#include "tenon/data.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the images of a set are framed. Levels are 0..255; x, y and size are shares of an image's width and height. */
typedef struct tn_framing {
    int32_t framed;     /* whether they are framed alike at all; if not, the rest tells little */
    int32_t by_mass;    /* what lies at (x, y): 1 the ink's centre of mass, 0 the middle of its box */
    double x, y;        /* (0.5, 0.5) is the middle of the image */
    double size;        /* of the ink's box: its width or height, whichever is the larger share */
    double paper, ink;  /* levels: ink above paper is light on dark */
    double least, most; /* how much of the image is ink: between these for 98 images in 100 */
    double thin, thick; /* strokes are so wide, in pixels of the set's: between these for 80 in 100 */
    uint64_t spare[4];
} tn_framing;

/* Measures a set, by 1000 of its samples at most, 100 where they are large. A set without grey images of bytes, such
 * as a table or one in colour, is not framed. */
TN_API TN_MUST_USE tn_status tn_framing_measure(const tn_dataset *data, tn_framing *framing);

/* As a line of text, to be kept in a model's notes, and back: to thousandths. TN_EFORMAT if the text is none such. */
#define TN_FRAMING_TEXT 128
TN_API void tn_framing_text(const tn_framing *framing, char text[TN_FRAMING_TEXT]);
TN_API TN_MUST_USE tn_status tn_framing_parse(const char *text, tn_framing *framing);

/* What makes it doubtful that an image is of the kind that a set has: bits. */
#define TN_DOUBT_NO_INK 1u /* nothing stands out from the paper: the result is empty */
#define TN_DOUBT_SMALL  2u /* the ink has less than half of the set's pixels each way */
#define TN_DOUBT_PIECES                                                                                                \
    4u                      /* there are other pieces of ink, as large as the one that was taken, or beside each other \
                             */
#define TN_DOUBT_CUT    8u  /* the ink goes on beyond the image's edge */
#define TN_DOUBT_LITTLE 16u /* less ink than the set's images have */
#define TN_DOUBT_MUCH   32u /* more ink than they have */
#define TN_DOUBT_PAPER  64u /* the image's border is no even paper: what is light and what is dark may be mistaken */

/* What was found in an image: the ink's box in its pixels, the levels (0..255) of the paper there and of the ink. */
typedef struct tn_ink {
    int64_t left, top, width, height;
    double paper, ink;
    uint32_t doubts;
    uint64_t spare[4];
} tn_ink;

/* The doubts in words, as "too small, ink cut off at the edge"; "" for none. Returns `text`. */
TN_API const char *tn_ink_doubts(const tn_ink *ink, char *text, size_t capacity);

/* Brings a grey image, (height, width) levels 0..255, to a set's framing: `out` gets as many levels as a sample has,
 * (1, height, width) or (height, width), of the set's own polarity; `ink`, unless NULL, what was found. */
TN_API TN_MUST_USE tn_status tn_image_frame(const float *level, int64_t height, int64_t width,
                                            const tn_framing *framing, const tn_shape *sample, float *out, tn_ink *ink);

/* The same with a file, PNG, JPEG or PGM, in the place of tn_image_read_scaled. */
TN_API TN_MUST_USE tn_status tn_image_read_framed(const char *path, const tn_framing *framing, const tn_shape *sample,
                                                  float *out, tn_ink *ink);

/* ---- names of earlier versions ---- */

/* Now tn_image_frame and tn_image_read_framed. */
TN_OLD("tn_image_frame")
TN_MUST_USE tn_status tn_picture_frame(const float *level, int64_t height, int64_t width, const tn_framing *framing,
                                       const tn_shape *sample, float *out, tn_ink *ink);
TN_OLD("tn_image_read_framed")
TN_MUST_USE tn_status tn_picture_read_framed(const char *path, const tn_framing *framing, const tn_shape *sample,
                                             float *out, tn_ink *ink);

#ifdef __cplusplus
}
#endif
#endif
