/* tile_cpu.cl: what products on CPU devices share: tiles have ROWS rows of the left operand and WIDE columns of the
 * right one, of which KEEP values of k are packed at a time, into a panel. Given: LANES, VECTORS, ROWS, T and V (its vector),
 * A_T, LOAD_A, TRANS_A. */
#define WIDE (LANES * VECTORS)
#define KEEP 256
#define TILES 16
#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)

/* Vectors wherever they lie in the operands' memory; of private memory they are aligned. Some drivers make vload and
 * vstore of pieces. */
typedef struct __attribute__((packed)) loose {
    V v;
} loose;
#define FROM(p, i) (((__global const loose *)(p))[i].v)
#define OWN(p, i)  (((V *)(p))[i])
