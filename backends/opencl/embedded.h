/* embedded.h: the files of cl/ as texts, each by its name (cmake/embed.cmake). */
#ifndef TENON_OPENCL_EMBEDDED_H
#define TENON_OPENCL_EMBEDDED_H

extern const char ocl_cl_index[], ocl_cl_types[], ocl_cl_math[], ocl_cl_names[], ocl_cl_random[], ocl_cl_map[],
    ocl_cl_reduce[], ocl_cl_softmax[], ocl_cl_move[], ocl_cl_tile_cpu[], ocl_cl_turn[], ocl_cl_matmul_pack[],
    ocl_cl_matmul_tile[], ocl_cl_matmul_cpu[], ocl_cl_matmul_direct[], ocl_cl_tile_gpu[], ocl_cl_bring[],
    ocl_cl_matrix[], ocl_cl_matrix_block[], ocl_cl_matrix_parts[], ocl_cl_matrix_staged[], ocl_cl_ptx_model[],
    ocl_cl_matmul_matrix[], ocl_cl_conv_matrix[], ocl_cl_matmul_gpu[], ocl_cl_conv[], ocl_cl_conv_along[],
    ocl_cl_conv_lay[], ocl_cl_conv_channels[], ocl_cl_conv_cpu[], ocl_cl_conv_gpu[], ocl_cl_conv_places[],
    ocl_cl_conv_winograd[], ocl_cl_conv_last[], ocl_cl_attend_block[], ocl_cl_attend[], ocl_cl_attend_grad[],
    ocl_cl_layer_norm_row[], ocl_cl_layer_norm[], ocl_cl_layer_norm_grad[], ocl_cl_pool[], ocl_cl_step[], ocl_cl_team[];

#endif
