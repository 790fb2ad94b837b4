/* course.c: see course.h. */
#include "course.h"

tn_course tn_course_of_all(int64_t batches)
{
    return (tn_course){.round = 1, .rounds = batches, .begin = 0, .end = 1};
}

/* In whole rounds. */
static int64_t length_of_rounds(const tn_course *c)
{
    return c->rounds * (c->end - c->begin);
}

int64_t tn_course_length(const tn_course *c)
{
    return length_of_rounds(c) + c->last_end - c->last_begin;
}

int64_t tn_course_batch(const tn_course *c, int64_t number)
{
    const int64_t own = c->end - c->begin, left = number - length_of_rounds(c);
    if (left >= 0) return c->rounds * c->round + c->last_begin + left;
    return number / own * c->round + c->begin + number % own;
}

int64_t tn_course_find(const tn_course *c, int64_t batch)
{
    const int64_t round = batch / c->round, at = batch % c->round;
    const int is_whole = round < c->rounds;
    const int64_t begin = is_whole ? c->begin : c->last_begin, end = is_whole ? c->end : c->last_end;
    return round <= c->rounds && at >= begin && at < end ? round * (c->end - c->begin) + at - begin : -1;
}
