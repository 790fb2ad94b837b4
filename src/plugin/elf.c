/* elf.c: is this file a whole shared library? Reads the file's headers and nothing else. */
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_at(int file, void *to, size_t bytes, uint64_t offset)
{
    return pread(file, to, bytes, (off_t)offset) == (ssize_t)bytes;
}

/* Each part of the file that will be mapped must lie in it. */
static tn_status check_segments(int file, const ElfW(Ehdr) * head, uint64_t size, tn_reason *reason)
{
    for (uint64_t i = 0; i < head->e_phnum; i++) {
        ElfW(Phdr) part;
        if (!read_at(file, &part, sizeof part, head->e_phoff + i * sizeof part))
            return tn_because(reason, TN_EFORMAT, "is cut short: its headers end after the file");
        if (part.p_type == PT_LOAD && (part.p_offset > size || part.p_filesz > size - part.p_offset))
            return tn_because(reason, TN_EFORMAT, "is cut short: it has %llu bytes of at least %llu",
                              (unsigned long long)size, (unsigned long long)(part.p_offset + part.p_filesz));
    }
    return TN_OK;
}

static tn_status check(int file, tn_reason *reason)
{
    ElfW(Ehdr) head;
    struct stat info;
    if (fstat(file, &info)) return tn_because(reason, TN_EIO, "cannot be read: %s", strerror(errno));
    if (!read_at(file, &head, sizeof head, 0) || memcmp(head.e_ident, ELFMAG, SELFMAG) || head.e_type != ET_DYN)
        return tn_because(reason, TN_EFORMAT, "is not a shared library");
    if (head.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
        head.e_phentsize != sizeof(ElfW(Phdr)))
        return tn_because(reason, TN_EFORMAT, "is a shared library for another kind of machine");
    return check_segments(file, &head, (uint64_t)info.st_size, reason);
}

tn_status tn_elf_check(const char *file, tn_reason *reason)
{
    struct stat info;
    if (stat(file, &info)) return tn_because(reason, TN_EIO, "cannot be read: %s", strerror(errno));
    if (!S_ISREG(info.st_mode)) return tn_because(reason, TN_EFORMAT, "is not a shared library: it is no file");
    int opened = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (opened < 0) return tn_because(reason, TN_EIO, "cannot be read: %s", strerror(errno));
    tn_status status = check(opened, reason);
    close(opened);
    return status;
}
