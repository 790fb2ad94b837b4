/* zip_place.h: where a member of a zip archive lies in its file, which libzip does not tell. */
#ifndef TN_DATA_ZIP_PLACE_H
#define TN_DATA_ZIP_PLACE_H

#include "tenon/status.h"

/* The place of the first of the `bytes` bytes of a member that is stored as it is, in an archive that libzip could
 * read. TN_EFORMAT if it is not found where it should be. */
TN_MUST_USE tn_status tn_zip_place(int fd, const char *path, const char *member, uint64_t bytes, uint64_t *place);

#endif
