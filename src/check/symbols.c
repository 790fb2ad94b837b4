/* symbols.c: see symbols.h. The file is not trusted: every place is looked at only if it lies inside. */
#include "symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct image {
    const unsigned char *at;
    size_t size;
} image;

static const void *part(const image *file, uint64_t offset, uint64_t bytes)
{
    return offset <= file->size && bytes <= file->size - offset ? file->at + offset : NULL;
}

static int walk(const image *file, const Elf64_Shdr *table, const Elf64_Shdr *strings,
                void (*symbol)(void *arg, const char *name, int has), void *arg)
{
    const Elf64_Sym *s = part(file, table->sh_offset, table->sh_size);
    const char *names = part(file, strings->sh_offset, strings->sh_size);
    int count = 0;
    if (!s || !names || !strings->sh_size || names[strings->sh_size - 1]) return -1;
    for (uint64_t i = 1; i < table->sh_size / sizeof *s; i++) {
        if (s[i].st_name >= strings->sh_size || !names[s[i].st_name]) continue;
        if (ELF64_ST_TYPE(s[i].st_info) == STT_SECTION || s[i].st_shndx == SHN_ABS) continue;
        symbol(arg, names + s[i].st_name, s[i].st_shndx != SHN_UNDEF);
        count++;
    }
    return count;
}

static int read_sections(const image *file, void (*symbol)(void *arg, const char *name, int has), void *arg)
{
    const Elf64_Ehdr *head = part(file, 0, sizeof *head);
    if (!head || memcmp(head->e_ident, ELFMAG, SELFMAG) || head->e_ident[EI_CLASS] != ELFCLASS64) return -1;
    const Elf64_Shdr *section = part(file, head->e_shoff, (uint64_t)head->e_shnum * sizeof *section);
    for (int i = 0; section && i < head->e_shnum; i++)
        if (section[i].sh_type == SHT_DYNSYM && section[i].sh_link < head->e_shnum)
            return walk(file, &section[i], &section[section[i].sh_link], symbol, arg);
    return -1;
}

int tn_symbols(const char *file, void (*symbol)(void *arg, const char *name, int has), void *arg)
{
    struct stat info;
    int count = -1, fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) || info.st_size <= 0) return fd < 0 ? -1 : (close(fd), -1);
    image i = {mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0), (size_t)info.st_size};
    if (i.at != MAP_FAILED) {
        count = read_sections(&i, symbol, arg);
        munmap((void *)(uintptr_t)i.at, i.size);
    }
    close(fd);
    return count;
}
