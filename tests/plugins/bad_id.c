/* bad_id: an id that could not be told from a path or an option. */
#include "template.h"

PLUGIN("Bad Id/..\n", )
