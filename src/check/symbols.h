/* symbols.h: the dynamic symbols of a shared library, read from its file. */
#ifndef TN_CHECK_SYMBOLS_H
#define TN_CHECK_SYMBOLS_H

/* Calls `symbol` with each name and whether the library has it (1) or needs it (0). Returns how many there were, or -1
 * if the file is no 64-bit ELF library of this machine's byte order. */
int tn_symbols(const char *file, void (*symbol)(void *arg, const char *name, int has), void *arg);

#endif
