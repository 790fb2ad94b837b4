/* resident.c: see resident.h. */
#include "resident.h"

#include <stdlib.h>
#include <string.h>

uint64_t cli_bytes_of(const char *text)
{
    static const char units[] = "KMG";
    char *end;
    if (!text) return 0;
    const double number = strtod(text, &end);
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (end == text || !(number > 0 && number < 1e9) || (*end && (!unit || end[1]))) return 0;
    return (uint64_t)(number * (unit ? (double)(1 << 10 * (unit - units + 1)) : 1));
}

static const struct {
    const char *name;
    uint32_t where, stream;
} places[] = {{"auto", TN_RESIDENT_AUTO, TN_STREAM_AUTO},
              {"device", TN_RESIDENT_DEVICE, TN_STREAM_NO},
              {"host", TN_RESIDENT_HOST, TN_STREAM_NO},
              {"stream", TN_RESIDENT_HOST, TN_STREAM_YES}};

#define PLACES (sizeof places / sizeof *places)

/* Where in `places` the setting is; PLACES if it is none. */
static size_t find_place(const cli_settings *s)
{
    size_t i = 0;
    while (i < PLACES && strcmp(places[i].name, s->resident)) i++;
    return i;
}

static int check_bytes(const char *option, const char *text)
{
    if (!text || cli_bytes_of(text)) return CLI_GO_ON;
    return cli_usage("--%s '%s' is not a number of bytes, such as 500K, 64M or 1.5G", option, text);
}

int cli_check_residence(const cli_settings *s)
{
    if (find_place(s) == PLACES) return cli_usage("--resident '%s' is not device, host, stream or auto", s->resident);
    if (check_bytes("memory", s->memory) != CLI_GO_ON) return CLI_USAGE;
    return check_bytes("bucket", s->bucket);
}

uint32_t cli_stream(const cli_settings *s)
{
    return places[find_place(s)].stream;
}

tn_residence cli_residence(const cli_settings *s)
{
    return (tn_residence){
        .where = places[find_place(s)].where, .threads = (uint32_t)s->loaders, .memory = cli_bytes_of(s->memory)};
}

const char *cli_where(const tn_dataset *data, const tn_feeding *feeding)
{
    if (!feeding->fed) return "on the device";
    return data->loader ? "read as they are needed" : "in the host's memory";
}
