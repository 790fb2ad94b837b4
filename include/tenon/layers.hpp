/* layers.hpp: tensors, named options and layers for C++17: the part of tenon.hpp, which has the rest and says how all
 * of it is used, that builds graphs. */
#ifndef TENON_LAYERS_HPP
#define TENON_LAYERS_HPP

#include "tenon/tenon.h"

#include <algorithm>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

namespace tenon
{

/* ---- failures ---- */

/* A call that failed: what() is tn_message's line. */
class Error : public std::runtime_error
{
  public:
    Error(tn_status status, const std::string &text) : std::runtime_error(text), status_(status)
    {
    }
    tn_status status() const noexcept
    {
        return status_;
    }

  private:
    tn_status status_;
};

/* Throws unless the status is TN_OK. */
inline void check(tn_status status)
{
    if (status != TN_OK) throw Error(status, tn_message());
}

/* ---- shapes ---- */

/* shape({128, 784}); {} is that of a single number. */
inline tn_shape shape(std::initializer_list<int64_t> sizes)
{
    tn_shape result = {};
    if (sizes.size() > TN_MAX_RANK) throw Error(TN_ESHAPE, "a shape has too many dimensions");
    result.rank = static_cast<int32_t>(sizes.size());
    std::copy(sizes.begin(), sizes.end(), result.dim);
    return result;
}

/* axes({0, -1}); without any: all. */
inline tn_axes axes(std::initializer_list<int32_t> numbers = {})
{
    tn_axes result = {};
    if (numbers.size() > TN_MAX_RANK) throw Error(TN_EINVAL, "too many axes");
    result.count = numbers.size() ? static_cast<int32_t>(numbers.size()) : -1;
    std::copy(numbers.begin(), numbers.end(), result.axis);
    return result;
}

/* The element type of a C++ type. */
template <class T> struct Type;
template <> struct Type<float> {
    static constexpr int32_t dtype = TN_F32;
};
template <> struct Type<double> {
    static constexpr int32_t dtype = TN_F64;
};
template <> struct Type<int32_t> {
    static constexpr int32_t dtype = TN_I32;
};
template <> struct Type<uint8_t> {
    static constexpr int32_t dtype = TN_U8;
};

/* ---- tensors ---- */

/* A tensor of a graph, which owns it. */
class Tensor
{
  public:
    Tensor(tn_tensor *tensor = nullptr) noexcept : tensor_(tensor)
    {
    }
    operator tn_tensor *() const noexcept
    {
        return tensor_;
    }
    tn_shape shape() const
    {
        return tn_shape_of(tensor_);
    }
    int32_t dtype() const
    {
        return tn_dtype_of(tensor_);
    }
    /* Keeps it readable after each run under that name. */
    Tensor output(const std::string &name) const
    {
        return tn_output(tensor_, name.c_str()), *this;
    }

  private:
    tn_tensor *tensor_;
};

#define TENON_OPERATOR(sign, name)                                                                                     \
    inline Tensor operator sign(Tensor a, Tensor b)                                                                    \
    {                                                                                                                  \
        return tn_##name(a, b);                                                                                        \
    }                                                                                                                  \
    inline Tensor operator sign(Tensor a, double b)                                                                    \
    {                                                                                                                  \
        return tn_##name(a, tn_number(a, b));                                                                          \
    }                                                                                                                  \
    inline Tensor operator sign(double a, Tensor b)                                                                    \
    {                                                                                                                  \
        return tn_##name(tn_number(b, a), b);                                                                          \
    }
TENON_OPERATOR(+, add)
TENON_OPERATOR(-, sub)
TENON_OPERATOR(*, mul)
TENON_OPERATOR(/, div)
#undef TENON_OPERATOR
inline Tensor operator-(Tensor x)
{
    return tn_neg(x);
}

/* relu(x), exp(x), pow(a, b) ...: a function for each row of the tables of element-wise operators. */
#define X(name, y, dx, doc)                                                                                            \
    inline Tensor name(Tensor x)                                                                                       \
    {                                                                                                                  \
        return tn_##name(x);                                                                                           \
    }
#include "tenon/unary.def"
#undef X
#define X(name, types, y, da, db, doc)                                                                                 \
    inline Tensor name(Tensor a, Tensor b)                                                                             \
    {                                                                                                                  \
        return tn_##name(a, b);                                                                                        \
    }
#include "tenon/binary.def"
#undef X

inline Tensor matmul(Tensor a, Tensor b)
{
    return tn_matmul(a, b);
}
inline Tensor flatten(Tensor x)
{
    return tn_flatten(x);
}

/* ---- named options ---- */

class Dataset;

namespace with
{

template <class T, class V> void assign(T &to, const V &value)
{
    to = static_cast<T>(value);
}
inline void assign(const char *&to, const std::string &value)
{
    to = value.c_str();
}
inline void assign(const tn_init *&to, const tn_init &value)
{
    to = &value;
}
void assign(const tn_dataset *&to, const Dataset *value);
void assign(const tn_dataset *&to, Dataset *value);
template <class V> void assign(uint32_t (&to)[2], const V &value)
{
    to[0] = static_cast<uint32_t>(value);
}
inline void assign(uint32_t (&to)[2], const std::vector<uint32_t> &value)
{
    if (value.size() > 2) throw Error(TN_EINVAL, "an option has two numbers at most");
    std::copy(value.begin(), value.end(), to);
}

/* An option with its value, which lives as long as the call that it is given to. */
template <class Name, class V> struct Value {
    V value;
    template <class Options> void operator()(Options &options) const
    {
        Name::put(options, value, 0);
    }
};

/* An option of a training that its optimizer takes is passed on to that. */
#define TENON_NAME(field)                                                                                              \
    inline constexpr struct Name_##field {                                                                             \
        template <class O, class V> static auto put(O &o, const V &v, int) -> decltype(void(o.field))                  \
        {                                                                                                              \
            assign(o.field, v);                                                                                        \
        }                                                                                                              \
        template <class O, class V> static auto put(O &o, const V &v, long) -> decltype(void(o.optim.field))           \
        {                                                                                                              \
            assign(o.optim.field, v);                                                                                  \
        }                                                                                                              \
        template <class V> auto operator=(const V &v) const                                                            \
        {                                                                                                              \
            return Value<Name_##field, V>{v};                                                                          \
        }                                                                                                              \
        auto operator=(const char *v) const                                                                            \
        {                                                                                                              \
            return Value<Name_##field, std::string>{v};                                                                \
        }                                                                                                              \
        auto operator=(std::initializer_list<uint32_t> v) const                                                        \
        {                                                                                                              \
            return Value<Name_##field, std::vector<uint32_t>>{v};                                                      \
        }                                                                                                              \
    } field{};
/* layers */
TENON_NAME(units)
TENON_NAME(no_bias) TENON_NAME(init) TENON_NAME(filters) TENON_NAME(kernel) TENON_NAME(stride) TENON_NAME(pad)
    TENON_NAME(more) TENON_NAME(dilation) TENON_NAME(groups) TENON_NAME(same) TENON_NAME(window) TENON_NAME(ceil_mode)
        TENON_NAME(count_pad) TENON_NAME(training) TENON_NAME(momentum) TENON_NAME(epsilon) TENON_NAME(sync)
            TENON_NAME(kind) TENON_NAME(lengths) TENON_NAME(layers) TENON_NAME(bidirectional) TENON_NAME(dropout)
                TENON_NAME(heads) TENON_NAME(memory) TENON_NAME(mask) TENON_NAME(memory_mask) TENON_NAME(causal)
                    TENON_NAME(hidden) TENON_NAME(norm_last) TENON_NAME(relu)
    /* optimizers */
    TENON_NAME(lr) TENON_NAME(beta1) TENON_NAME(beta2) TENON_NAME(alpha) TENON_NAME(weight_decay) TENON_NAME(clip_norm)
        TENON_NAME(clip_value) TENON_NAME(amsgrad) TENON_NAME(centered) TENON_NAME(no_decay) TENON_NAME(rates)
            TENON_NAME(decays) TENON_NAME(only) TENON_NAME(name)
    /* programs and trainings */
    TENON_NAME(strict) TENON_NAME(unfused) TENON_NAME(f64) TENON_NAME(storage) TENON_NAME(precision) TENON_NAME(epochs)
        TENON_NAME(batch) TENON_NAME(optimizer) TENON_NAME(schedule) TENON_NAME(test) TENON_NAME(validation)
            TENON_NAME(patience) TENON_NAME(least_fall) TENON_NAME(smoothing) TENON_NAME(shards) TENON_NAME(trace)
                TENON_NAME(weights_only)
    /* tables */
    TENON_NAME(target) TENON_NAME(classify) TENON_NAME(keep_missing) TENON_NAME(header) TENON_NAME(ignore)
        TENON_NAME(one_hot) TENON_NAME(index) TENON_NAME(weights)
#undef TENON_NAME

} // namespace with

/* Options of a C function from those that were named. */
template <class Options, class... Set> Options options_of(const Set &...set)
{
    Options options = {};
    (set(options), ...);
    return options;
}

/* ---- layers ---- */

#define TENON_LAYER(name, options)                                                                                     \
    template <class... Set> Tensor name(Tensor x, const std::string &called, const Set &...set)                        \
    {                                                                                                                  \
        return tn_##name##_layer(x, called.c_str(), options_of<options>(set...));                                      \
    }
TENON_LAYER(linear, tn_linear_options)
TENON_LAYER(conv1d, tn_conv1d_options)
TENON_LAYER(conv1d_transpose, tn_conv1d_options)
TENON_LAYER(conv2d, tn_conv2d_options)
TENON_LAYER(conv2d_transpose, tn_conv2d_transpose_options)
TENON_LAYER(batch_norm, tn_batch_norm_options)
TENON_LAYER(group_norm, tn_group_norm_options)
TENON_LAYER(multihead_attention, tn_attention_options)
TENON_LAYER(transformer, tn_transformer_options)
#undef TENON_LAYER

/* Unless it is given a place for the state, it begins with zeros. */
template <class... Set> Tensor recurrent(Tensor x, const std::string &called, const Set &...set)
{
    return tn_recurrent_layer(x, called.c_str(), options_of<tn_recurrent_options>(set...), nullptr);
}

#define TENON_POOL(name, options)                                                                                      \
    template <class... Set> Tensor name(Tensor x, const Set &...set)                                                   \
    {                                                                                                                  \
        return tn_##name##_with(x, options_of<options>(set...));                                                       \
    }
TENON_POOL(maxpool1d, tn_pool1d_options)
TENON_POOL(avgpool1d, tn_pool1d_options)
TENON_POOL(maxpool2d, tn_pool_options)
TENON_POOL(avgpool2d, tn_pool_options)
#undef TENON_POOL

inline Tensor layer_norm(Tensor x, const std::string &called, double epsilon = 0)
{
    tn_norm_options options = {};
    options.name = called.c_str();
    options.epsilon = epsilon;
    return tn_layer_norm_layer(x, options);
}

/* Adds the gradients of a loss, and an optimizer's updates of the parameters, to its graph. */
template <class... Set> void minimize(Tensor loss, const std::string &optimizer, const Set &...set)
{
    tn_minimize(loss, optimizer.c_str(), options_of<tn_optim_options>(set...));
}

} // namespace tenon
#endif
