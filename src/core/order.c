/* order.c: see order.h. */
#include "order.h"

void tn_bytes_turn(void *data, size_t size, uint64_t count)
{
    uint8_t *first = data;
    for (; count--; first += size)
        for (size_t i = 0; i < size / 2; i++) {
            const uint8_t low = first[i];
            first[i] = first[size - 1 - i];
            first[size - 1 - i] = low;
        }
}
