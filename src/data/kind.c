/* kind.c: see kind.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "kind.h"
#include "plain.h"

#define LEAST_EACH 5                  /* rows that a class has in the mean */
#define MOST_KINDS 20                 /* classes that a table has */
#define WIDEST     10                 /* a quantity's numbers lie so far apart in the mean */
#define EXACT      9007199254740992.0 /* 2^53: larger whole numbers may become one in double precision */

typedef struct facts {
    int64_t count, distinct;
    double least, largest, fraction; /* one with a fraction; NAN: there is none */
} facts;

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static facts collect(double *value, int64_t count)
{
    facts f = {.count = count, .fraction = NAN};
    qsort(value, (size_t)count, sizeof *value, ascending);
    for (int64_t i = 0; i < count; i++) {
        f.distinct += !i || value[i] > value[i - 1];
        if (value[i] != floor(value[i])) f.fraction = value[i];
    }
    f.least = count ? value[0] : 0;
    f.largest = count ? value[count - 1] : 0;
    return f;
}

int tn_kind_is_classes(double *value, int64_t count, int pictures, char why[TN_KIND_TEXT])
{
    const facts f = collect(value, count);
    const double each = f.distinct ? (double)count / (double)f.distinct : 0, range = f.largest - f.least + 1;
    if (!isnan(f.fraction)) {
        tn_snprintf(why, TN_KIND_TEXT, "has numbers with fractions, such as %.6g: a quantity", f.fraction);
        return 0;
    }
    int few = each < LEAST_EACH;
    int many = f.distinct > MOST_KINDS;
    int wide = range > WIDEST * (double)f.distinct;
    int pair = f.distinct == 2 && range <= 3; /* 0 and 1, -1 and 1, 1 and 2 */
    int classes = pictures || pair || !(few || many || wide || f.distinct == 1);
    if (f.distinct == 1) {
        tn_snprintf(why, TN_KIND_TEXT, "has one whole number alone, %.15g, in %lld row%s: %s", f.least,
                    (long long)count, count == 1 ? "" : "s", classes ? "classes" : "a quantity");
        return classes;
    }
    int exact = f.least > -EXACT && f.largest < EXACT;
    tn_snprintf(why, TN_KIND_TEXT,
                "has %s%lld different whole numbers from %.15g to %.15g in %lld row%s, %s%.*g each: %s",
                exact ? "" : "at least ", (long long)f.distinct, f.least, f.largest, (long long)count,
                count == 1 ? "" : "s", exact ? "" : "at most ", each < 999.5 ? 3 : 15,
                each < 999.5 ? each : floor(each + 0.5), classes ? "classes" : "a quantity");
    return classes;
}
