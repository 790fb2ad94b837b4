/* course.h: which batches of an order somebody takes: of every round of several batches a block of neighbours, and of
 * what is left of a round at the order's end another one. Pure. */
#ifndef TN_DATA_COURSE_H
#define TN_DATA_COURSE_H

#include <stdint.h>

typedef struct tn_course {
    int64_t round, rounds;        /* batches in one; how many whole ones there are */
    int64_t begin, end;           /* those begin .. end - 1 of each are taken, */
    int64_t last_begin, last_end; /* and these of what is left */
} tn_course;

/* All of so many batches. */
tn_course tn_course_of_all(int64_t batches);

/* How many are taken; which is the one that is taken after `number` others; and after how many the batch is taken, -1
 * if it is not. */
int64_t tn_course_length(const tn_course *course);
int64_t tn_course_batch(const tn_course *course, int64_t number);
int64_t tn_course_find(const tn_course *course, int64_t batch);

#endif
