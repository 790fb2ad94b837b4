/* team.h: how work-items of a GPU fold what they have together (team.c, cl/team.cl). */
#ifndef TENON_OPENCL_TEAM_H
#define TENON_OPENCL_TEAM_H

#include "opencl.h"

/* Looks how the device's work-items exchange registers, by its vendor, its extensions or the option
 * `opencl.subgroups`, and tries whether folds come out right so. */
int32_t ocl_team_find(tn_context *context, const char *vendor, const char *extensions, tn_msg *msg);
/* Work-items of a group, at most `most`; and of the team that folds a row of so many elements. */
size_t ocl_team_group(const tn_context *context, size_t most);
size_t ocl_team_size(const tn_context *context, size_t group, int64_t elements);
void ocl_team_write(ocl_text *text, const tn_context *context, size_t group, size_t team);

#endif
