/* clock.h: the time that passes, whatever is done to the calendar. */
#ifndef TN_CORE_CLOCK_H
#define TN_CORE_CLOCK_H

/* Seconds since some moment. */
double tn_now(void);

#endif
