/* json_lines KEY...: every line of standard input is JSON, in strict syntax, and an object that has the keys. Needs at
 * least one line. */
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

int main(int argc, char **argv)
{
    static char line[1 << 20];
    int lines = 0, bad = 0;
    while (fgets(line, sizeof line, stdin)) {
        cJSON *value = cJSON_ParseWithOpts(line, NULL, 1);
        lines++;
        if (!value) bad = fprintf(stderr, "no JSON: %s", line);
        for (int i = 1; value && i < argc; i++)
            if (!cJSON_GetObjectItemCaseSensitive(value, argv[i])) bad = fprintf(stderr, "no %s: %s", argv[i], line);
        cJSON_Delete(value);
    }
    return bad || !lines;
}
