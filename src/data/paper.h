/* paper.h: the paper of a picture: what lies along its border. */
#ifndef TN_DATA_PAPER_H
#define TN_DATA_PAPER_H

#include "tenon/status.h"

typedef struct tn_paper {
    double level[3]; /* in the middle, and what it gains to the right and downwards over the whole picture */
    double clear;    /* levels from which a pixel that differs is no noise of the paper */
    double uneven;   /* share of the border that differs so */
} tn_paper;

/* `level` is (height, width), 0..255. TN_ENOMEM is all that can go wrong. */
tn_status tn_paper_fit(const float *level, int64_t height, int64_t width, tn_paper *paper);

/* Its level at a place, -0.5..0.5 each way. */
double tn_paper_at(const tn_paper *paper, double x, double y);

#endif
