/* no_npz.c: what stands in the place of npz.c in a build without libzip: archives are refused. */
#include "error.h"
#include "npy.h"
#include "rows.h"

static tn_status refuse(const char *path)
{
    return tn_fail(TN_EUNSUPPORTED, "%s: archives are not read: this library was built without libzip", path);
}

tn_status tn_npz_read(const char *path, const char *member, tn_array *array)
{
    (void)member, (void)array;
    return refuse(path);
}

tn_status tn_npz_has(const char *path, const char *member, int *has)
{
    (void)member, (void)has;
    return refuse(path);
}

tn_status tn_npz_rows(tn_rows *rows, const char *member)
{
    (void)member;
    return refuse(rows->path);
}
