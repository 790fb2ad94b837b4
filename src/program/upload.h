/* upload.h: uploads to programs beside the one that they were made for. */
#ifndef TN_PROGRAM_UPLOAD_H
#define TN_PROGRAM_UPLOAD_H

#include "tenon/program.h"

/* As tn_upload_next, into inputs of a program of the same state, which have one place: the copies come after all runs
 * that are enqueued so far. */
TN_MUST_USE tn_status tn_upload_after(tn_upload *upload, tn_program *program, const tn_piece pieces[], size_t count);

#endif
