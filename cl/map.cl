/* map.cl: an element-wise program over an iteration space. What the generator gives, here and to the other families:
 *   IX                 the type of indices
 *   MAP_PARAMS         parameters: buffers and offsets, scalars, sizes, strides
 *   MAP_POINTERS       declares the pointers p<i> (inputs) and y<k> (outputs)
 *   MAP_N              size of the innermost dimension
 *   MAP_ROW(k, r)      declares where row number k of the kept and r of the reduced outer dimensions begins
 *   MAP_VALUES(j)      declares the program's values v<i> at place j of the row
 *   MAP_STORE(j)       stores the outputs
 *   MAP_FETCH(j)       asks for what MAP_VALUES will read at place j; MAP_FETCHES: that is something
 *   MAP_RESULT, MAP_T  the first output's value, and its type
 *
 * CPU: a work-item walks `chunk` neighbouring elements. GPU: neighbouring work-items take neighbouring elements. */
#ifdef CPU_SHAPE
__kernel ONE_ITEM void tn_map(ITEM_PARAM MAP_PARAMS IX total, IX chunk)
{
    MAP_POINTERS
    IX e = (IX)ITEM * chunk;
    const IX end = min(e + chunk, total);
    IX row = e / MAP_N, first = e - row * MAP_N;
    while (e < end) {
        const IX last = min((IX)MAP_N, first + (end - e));
        MAP_ROW(row, 0)
        LOOP_ROW
        for (IX j = first; j < last; j++) {
            MAP_VALUES(j)
            MAP_STORE(j)
        }
        e += last - first;
        first = 0;
        row++;
    }
}
#else
__kernel void tn_map(ITEM_PARAM MAP_PARAMS IX total, IX chunk)
{
    MAP_POINTERS
    for (IX e = (IX)ITEM; e < total; e += (IX)get_global_size(0)) {
        const IX row = e / MAP_N, j = e - row * MAP_N;
        MAP_ROW(row, 0)
        MAP_VALUES(j)
        MAP_STORE(j)
    }
}
#endif
