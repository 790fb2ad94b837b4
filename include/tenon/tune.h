/* tune.h: kernels that are chosen by measuring them on the device.
 *
 * A backend that offers tenon.tune/1 has several kernels for some operators, or one with numbers of its own. For each
 * such operator of a program, the tuner has candidates compute on random operands, compares what they make with the
 * double-precision reference, and measures those that are right. The fastest is kept in a table in the disk cache,
 * which is of this device and this driver alone, and from then on every program that is compiled for the device uses
 * it. A table of another driver, or of another version of the kernels, is not used.
 */
#ifndef TENON_TUNE_H
#define TENON_TUNE_H

#include "tenon/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Why an operator was left as it is: there was no time for it, or not enough to come to an end, and another tuning goes
 * on with it; or a run of the kernel that it has takes too much of what time there is for it. */
enum { TN_TUNE_NO_TIME = 1, TN_TUNE_TOO_SLOW };

/* What became of one operator, as a line of the tuner's log. Texts live during the call. */
typedef struct tn_tuned_operator {
    const char *key;     /* the operator and its sizes, in the backend's words */
    const char *choice;  /* of the kernel that it has from now on; "": the one that the backend would have chosen */
    uint32_t candidates; /* that there are */
    uint32_t tried;      /* this time; those that an interrupted tuning tried are not tried again */
    uint32_t wrong;      /* whose results differ from the reference's, by more than rounding can do */
    uint32_t failed;     /* that the device did not compile or run */
    uint32_t known;      /* it had been tuned before, and nothing was tried */
    uint32_t skipped;    /* 0, or TN_TUNE_NO_TIME, TN_TUNE_TOO_SLOW: nothing is changed */
    double usual;        /* seconds of the kernel that the backend would have chosen; 0: it was wrong, or failed */
    double seconds;      /* of the one that was chosen; 0: none was right, and nothing is changed */
    double error;        /* the largest difference from the reference in it, in parts of what is allowed */
    double spent;        /* seconds that all this took */
    uint64_t spare[4];
} tn_tuned_operator;

/* How long to look; all zero is the usual. */
typedef struct tn_tune_options {
    double seconds; /* for all operators together; 0: 60. Only a trial under way and a comparison end later */
    uint32_t tries; /* candidates of each operator at most; 0: as many as there is time for */
    uint32_t again; /* operators that have been tuned are tuned once more */
    void (*tell)(void *arg, const tn_tuned_operator *row); /* for each operator when done, may see the table; or NULL */
    void *arg;
    uint32_t small_first;    /* the operators with the least work come first, not those with the most */
    int (*stops)(void *arg); /* asked between trials: not 0: no time is left; or NULL */
    int (*is_fresh)(void *arg, const char *key); /* of `again`: not 0: this one was just tuned, and is not; or NULL */
    uint64_t spare[1];
} tn_tune_options;

/* Tunes the operators that a program has on its state's device. Programs that are compiled later use what was found;
 * this one stays as it is. Leaves what it has found so far in the cache, candidate by candidate, so that a tuning which
 * is interrupted goes on where it was. TN_EUNSUPPORTED if the device's backend has nothing to choose from. One thread
 * at a time tunes a device, which should do nothing else meanwhile, and holds the lock of its table until it is done:
 * other threads that compile for the device, or call the functions below, wait. `options` may be NULL. */
TN_API TN_MUST_USE tn_status tn_program_tune(tn_program *program, const tn_tune_options *options);

/* A kernel that was chosen on a device, in a table. */
typedef struct tn_tuned_choice {
    const char *key, *choice;
    double seconds, usual, error; /* as above */
    uint32_t unchecked;           /* it was taken from elsewhere, and is compared here when it is first wanted */
    uint32_t unkept;              /* the cache does not have the table as it is now: only this process does */
    uint64_t spare[4];
} tn_tuned_choice;
/* Number `index` of the device's. Texts live until the table is changed, by whichever thread: by tuning, by compiling a
 * program that tunes or for which a choice from elsewhere is compared, by tn_tuned_import and tn_tuned_forget; and
 * until the device is closed. Returns 0 past the last. */
TN_API int tn_tuned_at(const tn_device *device, size_t index, tn_tuned_choice *choice);

/* The device's choices as a text, to be kept or given to others who have the same device and driver: copied if it fits
 * in `room` bytes; `bytes` are what it has. */
TN_API TN_MUST_USE tn_status tn_tuned_export(const tn_device *device, char *text, uint64_t room, uint64_t *bytes);

/* Takes the choices of such a text, of which there are `count` (unless NULL) that the device did not have. Each is
 * compared with the reference on this device when a program is first compiled that wants it, and not used if it is
 * wrong, fails, or has ended the process twice; one for which there was no memory is compared another time. A text that
 * is damaged or cut, or of another device, driver or version of the kernels: TN_EINVAL, and nothing is taken. */
TN_API TN_MUST_USE tn_status tn_tuned_import(tn_device *device, const char *text, uint64_t bytes, uint32_t *count);

/* Forgets all choices of the device, in the cache too; TN_EIO: a cache that can't be written has them still. */
TN_API TN_MUST_USE tn_status tn_tuned_forget(tn_device *device);

#ifdef __cplusplus
}
#endif
#endif
