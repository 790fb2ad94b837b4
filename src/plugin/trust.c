/* trust.c: see trust.h. */
#include "trust.h"

#include <unistd.h>

#define OTHERS (S_IWGRP | S_IWOTH)

tn_trust tn_trust_own(const struct stat *library)
{
    return (tn_trust){.owner = library->st_uid, .open = library->st_mode & OTHERS};
}

tn_trust tn_trust_named(const struct stat *place)
{
    return (tn_trust){.owner = geteuid() ? 0 : place->st_uid, .named = 1};
}

tn_status tn_trust_check(const tn_trust *trust, const struct stat *info, tn_reason *reason)
{
    uid_t user = geteuid(), owner = info->st_uid;
    mode_t open = info->st_mode & OTHERS & ~trust->open;
    if (info->st_gid == owner) open &= ~(mode_t)S_IWGRP;
    if (owner && owner != user && owner != trust->owner)
        return tn_because(reason, TN_EINVAL, "belongs to user %u, who is neither you nor root: use a copy of your own",
                          owner);
    if (!open || (trust->named && owner == user)) return TN_OK;
    return tn_because(reason, TN_EINVAL, "can be changed by %s (its mode is %04o): chmod go-w it",
                      open & S_IWOTH ? "everybody" : "its group", info->st_mode & 07777);
}
