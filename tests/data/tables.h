/* tables.h: what the tests of tables compare with. */
#ifndef TESTS_DATA_TABLES_H
#define TESTS_DATA_TABLES_H

#include "near.h"
#include "scratch.h"
#include "tenon/data.h"

static const tn_csv_options classify = {.classify = 1};

static inline void expect_table(const char *text, const tn_csv_options *options, int64_t rows, int64_t columns,
                                const float *x, tn_dataset *data)
{
    expect_ok(tn_dataset_csv(scratch_text("table.csv", text), options, data));
    assert_int_equal(data->count, rows);
    assert_int_equal(data->x_dtype, TN_F32);
    assert_int_equal(data->sample.rank, 1);
    assert_int_equal(data->sample.dim[0], columns);
    for (int64_t i = 0; i < rows * columns; i++) assert_near(((float *)data->x)[i], x[i], 0);
}

#endif
