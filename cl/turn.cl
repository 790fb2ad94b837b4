/* turn.cl: square blocks of LANES vectors, rows to columns, where the compiler is clang and vectors have 8 lanes or 16:
 * then ZIP is defined, and TURN(x, y) turns the vectors x round; y is for what is between. */
#ifdef __clang__
/* x0 y0 x1 y1 .. of the first halves of two vectors, and of the second ones. Done to vectors i and i + LANES / 2, for
 * all i and log2(LANES) times, it turns rows into columns. */
#if LANES == 16
#define ZIP_LOW(x, y)  __builtin_shufflevector(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define ZIP_HIGH(x, y) __builtin_shufflevector(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define TURN(x, y)     ZIP(x, y) ZIP(y, x) ZIP(x, y) ZIP(y, x)
#elif LANES == 8
#define ZIP_LOW(x, y)  __builtin_shufflevector(x, y, 0, 8, 1, 9, 2, 10, 3, 11)
#define ZIP_HIGH(x, y) __builtin_shufflevector(x, y, 4, 12, 5, 13, 6, 14, 7, 15)
#define TURN(x, y)     ZIP(x, y) ZIP(y, x) ZIP(x, y) COPY(y, x)
#endif
#define COPY(from, to) _Pragma("unroll") for (int i_ = 0; i_ < LANES; i_++) to[i_] = from[i_];
#if LANES >= 8
#define ZIP(from, to)                                                                                                  \
    _Pragma("unroll") for (int i_ = 0; i_ < LANES / 2; i_++)                                                           \
    {                                                                                                                  \
        to[2 * i_] = ZIP_LOW(from[i_], from[i_ + LANES / 2]);                                                          \
        to[2 * i_ + 1] = ZIP_HIGH(from[i_], from[i_ + LANES / 2]);                                                     \
    }
#endif
#endif
