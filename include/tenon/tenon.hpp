/* tenon.hpp: the C interface for C++17: what owns something frees it, options have names, and a failure is an exception
 * with the library's own text. Nothing else: each call is one of the C interface, whose headers say what it does, and a
 * Tensor goes wherever a tn_tensor * does, and back, so that tn_... functions stand beside these.
 *
 *     tenon::Device device("cpu");
 *     tenon::Graph graph;
 *     tenon::Tensor x = graph.input("x", {4, 2});
 *     tenon::Tensor y = tenon::linear(tenon::tanh(tenon::linear(x, "fc1", with::units = 8)), "fc2", with::units = 1);
 *
 * `with::NAME = value` sets the field of that name in the options that the C function takes; one that has no such field
 * does not compile. What is not set is as usual. Handles (Device, Graph, State, Program, Onnx) are shared when they are
 * copied, and keep alive what they stand on; threads are as in C. Needs libtenon and no other library. */
#ifndef TENON_TENON_HPP
#define TENON_TENON_HPP

#include "tenon/handles.hpp"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <utility>

namespace tenon
{

class Dataset
{
  public:
    Dataset() = default;
    Dataset(Dataset &&other) noexcept : data_(std::exchange(other.data_, tn_dataset()))
    {
    }
    Dataset &operator=(Dataset &&other) noexcept
    {
        return std::swap(data_, other.data_), *this;
    }
    Dataset(const Dataset &) = delete;
    Dataset &operator=(const Dataset &) = delete;
    ~Dataset()
    {
        tn_dataset_free(&data_);
    }
    tn_dataset *get() noexcept
    {
        return &data_;
    }
    const tn_dataset *get() const noexcept
    {
        return &data_;
    }
    int64_t count() const noexcept
    {
        return data_.count;
    }
    /* How often each sample counts in losses and accuracy, 0 or from 1e-18 to 1e18; copied. */
    Dataset &weigh(const std::vector<float> &weights)
    {
        if (static_cast<int64_t>(weights.size()) != count()) throw Error(TN_ESHAPE, "not one weight a sample");
        tn_dataset tried = data_;
        tried.weight = const_cast<float *>(weights.data());
        check(tn_dataset_check_weights(&tried));
        float *made = copy(weights);
        std::free(data_.weight);
        data_.weight = made;
        return *this;
    }

    /* Samples of a shape, one behind the other, with a class each or with `targets` numbers each; copied. Without
     * either they are to predict from. */
    static Dataset of(std::initializer_list<int64_t> sample, const std::vector<float> &x)
    {
        Dataset set;
        set.data_.sample = tenon::shape(sample);
        set.data_.x_dtype = TN_F32;
        const int64_t each = tn_shape_count(&set.data_.sample), all = static_cast<int64_t>(x.size());
        if (each < 1 || all % each) throw Error(TN_ESHAPE, "the numbers are not whole samples");
        set.data_.count = all / each;
        set.data_.x = copy(x);
        return set;
    }
    static Dataset of(std::initializer_list<int64_t> sample, const std::vector<float> &x,
                      const std::vector<int32_t> &labels, int64_t classes)
    {
        Dataset set = of(sample, x);
        if (static_cast<int64_t>(labels.size()) != set.count()) throw Error(TN_ESHAPE, "not one label a sample");
        set.data_.label = copy(labels);
        set.data_.classes = classes;
        return set;
    }
    static Dataset of(std::initializer_list<int64_t> sample, const std::vector<float> &x,
                      const std::vector<float> &targets, int64_t each)
    {
        Dataset set = of(sample, x);
        if (each < 1 || static_cast<int64_t>(targets.size()) != set.count() * each)
            throw Error(TN_ESHAPE, "not as many targets as asked for, for each sample");
        set.data_.target = copy(targets);
        set.data_.targets = each;
        return set;
    }
    /* Training and test set by a name, as tn_dataset_open takes it: "digits", a folder, a table ... */
    template <class... Set>
    static std::pair<Dataset, Dataset> open(const std::string &name, uint64_t seed = 1, const Set &...set)
    {
        std::pair<Dataset, Dataset> sets;
        const tn_csv_options csv = options_of<tn_csv_options>(set...);
        check(tn_dataset_open(name.c_str(), seed, &csv, sets.first.get(), sets.second.get()));
        return sets;
    }

  private:
    template <class T> static T *copy(const std::vector<T> &values)
    {
        void *to = std::malloc(values.size() * sizeof(T) + 1);
        if (!to) throw Error(TN_ENOMEM, "out of memory");
        if (!values.empty()) std::memcpy(to, values.data(), values.size() * sizeof(T));
        return static_cast<T *>(to);
    }
    tn_dataset data_ = {};
};

inline void with::assign(const tn_dataset *&to, const Dataset *value)
{
    to = value->get();
}
inline void with::assign(const tn_dataset *&to, Dataset *value)
{
    to = value->get();
}

/* A network that is trained, measured and used: its parameters are in the state. */
class Model
{
  public:
    using Build = std::function<Tensor(Tensor x, bool training)>;
    using Cost = std::function<Tensor(Tensor y, Tensor target, bool training)>;
    /* `build` makes the outputs, as the loss takes them, from a batch. What it throws comes out of the call that built.
     */
    Model(const State &state, Build build, const std::string &loss)
        : state_(state), parts_(std::make_shared<Parts>(Parts{std::move(build), loss, nullptr, nullptr, nullptr, {}}))
    {
        parts_->model.build = call;
        parts_->model.loss = parts_->loss.c_str();
        parts_->model.arg = parts_.get();
    }
    /* With a loss of one's own: `cost` makes a tensor of rank 0, the batch's mean, from the outputs and from targets,
     * f32 (batch, targets), or labels, i32 (batch). Nothing is counted as right then. */
    Model(const State &state, Build build, Cost cost) : Model(state, std::move(build), std::string())
    {
        parts_->cost = std::move(cost);
        parts_->model.cost = call_cost;
    }
    /* A named network, or layers in words: "linear 100, relu, linear outputs". */
    Model(const State &state, const std::string &words, int64_t outputs, const std::string &loss)
        : Model(state, in_words(words, outputs), loss)
    {
    }
    const State &state() const noexcept
    {
        return state_;
    }
    tn_model *get() const
    {
        return &parts().model;
    }

    /* Called after each epoch of fit; ends the training by returning false. */
    void on_epoch(std::function<bool(const tn_epoch &)> each) const
    {
        parts().each = std::move(each);
    }
    template <class... Set> tn_epoch fit(const Dataset &data, const Set &...set) const
    {
        tn_fit_options options = options_of<tn_fit_options>(set...);
        tn_epoch last = {};
        if (parts().each) options.each = tell, options.arg = parts_.get();
        finish(tn_fit(state_, get(), data.get(), &options, &last));
        return last;
    }
    tn_score evaluate(const Dataset &data) const
    {
        tn_score score = {};
        finish(tn_evaluate(state_, get(), data.get(), &score));
        return score;
    }
    /* The outputs for all samples, one behind the other. */
    std::vector<float> predict(const Dataset &data) const
    {
        std::vector<float> out(static_cast<size_t>(outputs(data.get()->sample) * data.count()));
        finish(tn_predict(state_, get(), data.get(), out.data(), out.size() * sizeof(float)));
        return out;
    }

  private:
    struct Parts {
        Build build;
        std::string loss;
        Cost cost;
        std::function<bool(const tn_epoch &)> each;
        std::exception_ptr thrown;
        tn_model model;
    };
    /* Throws if it was moved away. */
    Parts &parts() const
    {
        if (!parts_) throw Error(TN_EINVAL, "this model was moved to another");
        return *parts_;
    }
    static Build in_words(const std::string &words, int64_t outputs)
    {
        return [words, outputs](Tensor x, bool training) {
            tn_net_options options = {};
            options.training = training;
            options.outputs = outputs;
            return Tensor(tn_net(x, words.c_str(), options));
        };
    }
    /* No exception may leave through the library: it waits in `thrown`. */
    static tn_tensor *call(tn_tensor *x, int training, const void *arg)
    {
        Parts *parts = const_cast<Parts *>(static_cast<const Parts *>(arg));
        return guard(parts, x, [&] { return parts->build(x, training != 0); });
    }
    static tn_tensor *call_cost(tn_tensor *y, tn_tensor *target, int training, const void *arg)
    {
        Parts *parts = const_cast<Parts *>(static_cast<const Parts *>(arg));
        return guard(parts, y, [&] { return parts->cost(y, target, training != 0); });
    }
    template <class Make> static tn_tensor *guard(Parts *parts, tn_tensor *x, Make make)
    {
        try {
            return make();
        } catch (...) {
            parts->thrown = std::current_exception();
            tn_graph_fail(tn_graph_of(x), TN_EINVAL, "the network's function threw an exception");
            return x;
        }
    }
    static int tell(void *arg, const tn_epoch *epoch)
    {
        Parts *parts = static_cast<Parts *>(arg);
        try {
            return !parts->each(*epoch);
        } catch (...) {
            parts->thrown = std::current_exception();
            return 1;
        }
    }
    void finish(tn_status status) const
    {
        if (parts_->thrown) std::rethrow_exception(std::exchange(parts_->thrown, nullptr));
        check(status);
    }
    int64_t outputs(tn_shape sample) const
    {
        const Graph graph;
        if (sample.rank >= TN_MAX_RANK) throw Error(TN_ESHAPE, "a sample has too many dimensions");
        std::copy_backward(sample.dim, sample.dim + sample.rank, sample.dim + sample.rank + 1);
        sample.dim[0] = 1;
        sample.rank++;
        const Tensor y = call(tn_input(graph, "x", TN_F32, sample), 0, &parts());
        finish(tn_graph_status(graph));
        const tn_shape all = y.shape();
        return tn_shape_count(&all);
    }
    State state_;
    std::shared_ptr<Parts> parts_;
};

/* A network in an ONNX file. Graphs that were built from it need it as long as they are compiled. */
class Onnx : public Handle<tn_onnx>
{
  public:
    explicit Onnx(const std::string &path)
    {
        tn_onnx *model = nullptr;
        check(tn_onnx_load(path.c_str(), &model));
        pointer_.reset(model, tn_onnx_free);
    }
    /* Adds it to a graph, with the file's names; `shapes` are of inputs whose sizes the file leaves open. */
    void build(const Graph &graph, const std::map<std::string, tn_shape> &shapes = {}) const
    {
        std::vector<tn_onnx_given> given;
        for (const auto &input : shapes) {
            given.push_back({});
            given.back().name = input.first.c_str();
            given.back().shape = input.second;
        }
        check(tn_onnx_build(get(), graph, given.data(), given.size(), nullptr));
    }
};

} // namespace tenon
#endif
