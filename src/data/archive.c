/* archive.c: files that hold several arrays by name, each kind by its reader. */
#include "archive.h"

#include "npy.h"
#include "tensors.h"

static const struct kind {
    int (*is)(const char *path);
    tn_status (*has)(const char *path, const char *member, int *has);
    tn_status (*read)(const char *path, const char *member, tn_array *array);
} kinds[] = {{tn_npz_is, tn_npz_has, tn_npz_read}, {tn_tensors_is, tn_tensors_has, tn_tensors_read}};

static const struct kind *kind_of(const char *path)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].is(path)) return kinds + i;
    return NULL;
}

int tn_archive_is(const char *path)
{
    return kind_of(path) != NULL;
}

tn_status tn_archive_has(const char *path, const char *member, int *has)
{
    return kind_of(path)->has(path, member, has);
}

tn_status tn_archive_read(const char *path, const char *member, tn_array *array)
{
    return kind_of(path)->read(path, member, array);
}
