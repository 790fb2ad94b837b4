/* template.h: the template backend with its query renamed, for plugins that change a thing or two in its table. */
#define tn_backend_query template_query
#include "../../backends/null/null.c"
#undef tn_backend_query

TN_BACKEND_EXPORT const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor);

/* A table of its own, with an id of its own. */
static tn_backend table;
static inline const tn_backend *start_from_template(const char *id)
{
    table = *template_query(TN_ABI_MAJOR, TN_ABI_MINOR);
    table.id = id;
    return &table;
}

/* The plugin answers the template's table after `change`, a few statements about `table`. */
#define PLUGIN(name, change)                                                                                           \
    const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor)                                       \
    {                                                                                                                  \
        (void)host_major;                                                                                              \
        (void)host_minor;                                                                                              \
        start_from_template(name);                                                                                     \
        change;                                                                                                        \
        return &table;                                                                                                 \
    }
