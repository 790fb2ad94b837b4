/* tenon.h: the whole library. */
#ifndef TENON_H
#define TENON_H

#include "tenon/check.h"
#include "tenon/data.h"
#include "tenon/device.h"
#include "tenon/fit.h"
#include "tenon/framing.h"
#include "tenon/gradients.h"
#include "tenon/graph.h"
#include "tenon/measures.h"
#include "tenon/nn.h"
#include "tenon/onnx.h"
#include "tenon/onnx_save.h"
#include "tenon/op_info.h"
#include "tenon/ops.h"
#include "tenon/optim.h"
#include "tenon/program.h"
#include "tenon/state.h"
#include "tenon/stats.h"
#include "tenon/status.h"
#include "tenon/team.h"
#include "tenon/tensor.h"
#include "tenon/tune.h"

#endif
