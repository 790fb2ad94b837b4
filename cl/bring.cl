/* bring.cl: which elements of a block of rows a work-item brings from memory, so that neighbours read neighbours.
 * Given: ITEMS of a work-group, `lane`: a work-item's number in it; powers of two, as are a block's sizes. */

/* The elements of a block of `size` rows of `deep` values of k that a work-item brings, number t of its own: neighbours
 * go along k, or, with `turned`, along the rows, as they lie in memory. PLACE_K: which value; PLACE_I: which row. */
#define MANY(along)    ((along) > ITEMS ? (along) / ITEMS : 1)
#define FAST(along, t) ((along) > ITEMS ? (int)lane + (t) % MANY(along) * ITEMS : (int)(lane % (along)))
#define SLOW(along, t) ((along) > ITEMS ? (t) / MANY(along) : (int)(lane / (along)) + (t) * (ITEMS / (along)))
#define PLACE_K(deep, size, turned, t) ((turned) ? SLOW(size, t) : FAST(deep, t))
#define PLACE_I(deep, size, turned, t) ((turned) ? FAST(size, t) : SLOW(deep, t))

/* For each of them, number t at row i and number k of `deep`: BODY. */
#define EACH_OF(deep, count, size, turned, BODY)                                                                       \
    _Pragma("unroll") for (int t = 0; t < (count); t++)                                                                \
    {                                                                                                                  \
        const int k = PLACE_K(deep, size, turned, t), i = PLACE_I(deep, size, turned, t);                              \
        BODY                                                                                                           \
    }
#define EACH_BROUGHT(count, size, turned, BODY) EACH_OF(DEEP, count, size, turned, BODY)
