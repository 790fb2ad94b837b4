/* final.h: when what a program assigns is final: after which of its launches the bytes of a variable are what they will
 * be after the run. What is read from there on can leave the device while the rest is computed. */
#ifndef TN_PROGRAM_FINAL_H
#define TN_PROGRAM_FINAL_H

#include "program.h"

/* The launches of a run after which bytes begin .. end - 1 of a variable that it assigns are final: so many, from the
 * first on. And where these bytes are from then on until the next run: in the variable, or in the pack that the last
 * launches copy there. */
uint32_t tn_program_final(const tn_program *program, const char *variable, uint64_t begin, uint64_t end);
TN_MUST_USE tn_status tn_program_final_ref(const tn_program *program, const char *variable, tn_ref *ref);

/* Points in the list of a program's launches: after so many of them, in rising order, `reach` is called with the
 * point's number, once they are enqueued. It comes from tn_program_run_watched, whose thread it is on; what it fails
 * with ends the run. So does the last point if `ends` is set: nobody asks for what the launches behind it do. */
typedef struct tn_watch {
    const uint32_t *after;
    uint32_t count;
    tn_status (*reach)(void *arg, uint32_t point);
    void *arg;
    uint32_t part; /* of the program (tn_program_run_part), with which the run goes on to its end; 0: all of it */
    int ends;
} tn_watch;

/* As tn_program_run; NULL: nothing is watched. */
TN_MUST_USE tn_status tn_program_run_watched(tn_program *program, const tn_watch *watch);

#endif
