/* library.c: puts the layers together where one needs what stands above it. */
#include "reference.h"
#include "registry.h"

const tn_backend *(*const tn_built_in)(void) = tn_reference_backend;
