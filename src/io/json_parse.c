/* json_parse.c: reading JSON that others wrote. */
#include <cjson/cJSON.h>
#include <string.h>

#include "error.h"
#include "json.h"
#include "utf8.h"

/* What cJSON would let pass: bytes that are not UTF-8, and an escaped zero byte, which would end a name early. */
static tn_status check_text(const char *path, const tn_json_kind *kind, const char *text, uint64_t bytes)
{
    for (const char *at = text; at < text + bytes;) {
        const long long place = (long long)kind->begin + (at - text);
        size_t length = tn_utf8_length(at);
        TN_REQUIRE(length, TN_EFORMAT, "%s: %s is not UTF-8 at byte %lld", path, kind->part, place);
        TN_REQUIRE(strncmp(at, "\\u0000", 6), TN_EFORMAT, "%s: has a zero byte in a name or text at byte %lld", path,
                   place);
        at += *at == '\\' && at[1] > 0 ? 2 : length;
    }
    return TN_OK;
}

tn_status tn_json_parse(const char *path, const tn_json_kind *kind, const char *text, uint64_t bytes,
                        struct cJSON **root)
{
    const char *end = NULL;
    TN_REQUIRE(*text == '{' && !memchr(text, 0, bytes), TN_EFORMAT, "%s: is no %s: %s is not JSON", path, kind->file,
               kind->part);
    TN_TRY(check_text(path, kind, text, bytes));
    cJSON *made = cJSON_ParseWithLengthOpts(text, bytes, &end, 0);
    TN_REQUIRE(made, TN_EFORMAT, "%s: is no %s: %s is not JSON at byte %lld", path, kind->file, kind->part,
               (long long)kind->begin + (end ? end - text : 0));
    end += strspn(end, " \t\r\n");
    if (end != text + bytes) {
        cJSON_Delete(made);
        return tn_fail(TN_EFORMAT, "%s: something follows the JSON of %s at byte %lld", path, kind->part,
                       (long long)kind->begin + (end - text));
    }
    *root = made;
    return TN_OK;
}
