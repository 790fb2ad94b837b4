/* handles.hpp: devices, graphs, states and programs for C++17: the part of tenon.hpp, which has the rest and says how
 * all of it is used, that owns and runs what the library opens. */
#ifndef TENON_HANDLES_HPP
#define TENON_HANDLES_HPP

#include "tenon/layers.hpp"

#include <map>
#include <memory>
#include <utility>

namespace tenon
{

/* What opens: the library's handle, freed when its last owner goes. */
template <class T> class Handle
{
  public:
    T *get() const noexcept
    {
        return pointer_.get();
    }
    operator T *() const noexcept
    {
        return pointer_.get();
    }

  protected:
    /* The same, for what would read through it: throws if it was moved away. */
    T *held() const
    {
        if (!pointer_) throw Error(TN_EINVAL, "this was moved to another");
        return get();
    }
    Handle() = default;
    explicit Handle(std::shared_ptr<T> pointer) : pointer_(std::move(pointer))
    {
    }
    std::shared_ptr<T> pointer_;
};

class Device : public Handle<tn_device>
{
  public:
    explicit Device(const std::string &name = "auto")
    {
        tn_device *device = nullptr;
        check(tn_device_open(name.c_str(), &device));
        pointer_.reset(device, tn_device_close);
    }
    std::string name() const
    {
        return tn_device_name(held());
    }
    const tn_device_info &info() const
    {
        return *tn_device_get_info(held());
    }
    /* The names of all devices, the reference last. */
    static std::vector<std::string> all()
    {
        std::vector<std::string> names;
        tn_device_entry entry = {};
        for (size_t i = 0; tn_device_at(i, &entry); i++) names.push_back(entry.name);
        return names;
    }
};

class Graph : public Handle<tn_graph>
{
  public:
    Graph() : Handle(std::shared_ptr<tn_graph>(tn_graph_new(), tn_graph_free))
    {
        if (!get()) throw Error(TN_ENOMEM, "out of memory");
    }
    /* Throws the first error of the calls that built it; compiling does so, too. */
    void verify() const
    {
        check(tn_graph_status(get()));
    }
    Tensor input(const std::string &name, std::initializer_list<int64_t> sizes, int32_t dtype = TN_F32) const
    {
        return tn_input(get(), name.c_str(), dtype, shape(sizes));
    }
    Tensor parameter(const std::string &name, std::initializer_list<int64_t> sizes, tn_init init = {}) const
    {
        return tn_param(get(), name.c_str(), shape(sizes), init);
    }
    Tensor scalar(const std::string &name, double value) const
    {
        return tn_scalar_input(get(), name.c_str(), TN_F32, value);
    }
    template <class T> Tensor constant(std::initializer_list<int64_t> sizes, const std::vector<T> &values) const
    {
        const tn_shape all = shape(sizes);
        if (static_cast<int64_t>(values.size()) != tn_shape_count(&all))
            throw Error(TN_ESHAPE, "a constant has another number of values than its shape");
        return tn_constant(get(), Type<T>::dtype, all, values.data());
    }
};

using Notes = std::map<std::string, std::string>;

/* That what has this name has numbers of type T. */
template <class T> void require(const std::string &name, int32_t dtype)
{
    if (dtype != Type<T>::dtype)
        throw Error(TN_EDTYPE, "'" + name + "' is " + tn_dtype_name(dtype) + ", not " + tn_dtype_name(Type<T>::dtype));
}

class State : public Handle<tn_state>
{
  public:
    explicit State(const Device &device, uint64_t seed = 1)
    {
        tn_state *state = nullptr;
        check(tn_state_new(device, seed, &state));
        pointer_.reset(state, [device](tn_state *s) { tn_state_free(s); });
    }
    uint64_t step() const
    {
        return tn_state_step(held());
    }
    /* A tensor's numbers, row by row, of the type that it has: another is an error. */
    template <class T = float> std::vector<T> read(const std::string &name) const
    {
        const tn_state_entry entry = find<T>(name);
        std::vector<T> values(static_cast<size_t>(tn_shape_count(&entry.shape)));
        check(tn_state_read(get(), name.c_str(), values.data(), values.size() * sizeof(T)));
        return values;
    }
    template <class T = float> void write(const std::string &name, const std::vector<T> &values) const
    {
        find<T>(name);
        check(tn_state_write(get(), name.c_str(), values.data(), values.size() * sizeof(T)));
    }
    template <class... Set> void save(const std::string &path, const Notes &notes, const Set &...set) const
    {
        const tn_save_options options = options_of<tn_save_options>(set...);
        std::vector<tn_note> list;
        for (const auto &note : notes) list.push_back({note.first.c_str(), note.second.c_str()});
        check(tn_state_save_with(get(), path.c_str(), &options, list.data(), list.size()));
    }
    void save(const std::string &path) const
    {
        save(path, Notes());
    }
    /* All tensors from a file, ours or another safetensors file; returns the notes for the keys that were asked for. */
    Notes load(const std::string &path, std::initializer_list<const char *> keys = {}) const
    {
        tn_checkpoint *file = nullptr;
        check(tn_checkpoint_open(path.c_str(), &file));
        const std::unique_ptr<tn_checkpoint, void (*)(tn_checkpoint *)> owner(file, tn_checkpoint_close);
        check(tn_checkpoint_load(file, get()));
        Notes notes;
        for (const char *key : keys)
            if (const char *text = tn_checkpoint_note(file, key)) notes[key] = text;
        return notes;
    }

  private:
    template <class T> tn_state_entry find(const std::string &name) const
    {
        tn_state_entry entry = {};
        if (!tn_state_find(get(), name.c_str(), &entry)) throw Error(TN_EMISSING, "the state has no '" + name + "'");
        require<T>(name, entry.dtype);
        return entry;
    }
};

class Program : public Handle<tn_program>
{
  public:
    template <class... Set> Program(const Graph &graph, const State &state, const Set &...set)
    {
        const tn_compile_options options = options_of<tn_compile_options>(set...);
        tn_program *program = nullptr;
        check(tn_compile(graph, state, &options, &program));
        pointer_.reset(program, [state](tn_program *p) { tn_program_free(p); });
    }
    void set(const std::string &scalar, double value) const
    {
        check(tn_set(get(), scalar.c_str(), value));
    }
    template <class T> void feed(const std::string &input, const std::vector<T> &values) const
    {
        require<T>(input, find(tn_program_input_at, input).dtype);
        check(tn_feed(get(), input.c_str(), values.data(), values.size() * sizeof(T)));
    }
    void run() const
    {
        check(tn_program_run(get()));
    }
    void wait() const
    {
        check(tn_wait(get()));
    }
    /* An output's numbers, row by row, after waiting for them. */
    template <class T = float> std::vector<T> fetch(const std::string &output) const
    {
        const tn_port port = find(tn_program_output_at, output);
        require<T>(output, port.dtype);
        std::vector<T> values(static_cast<size_t>(tn_shape_count(&port.shape)));
        check(tn_fetch(get(), output.c_str(), values.data(), values.size() * sizeof(T)));
        return values;
    }

  private:
    tn_port find(int (*at)(const tn_program *, size_t, tn_port *), const std::string &name) const
    {
        tn_port port = {};
        for (size_t i = 0; at(get(), i, &port); i++)
            if (name == port.name) return port;
        throw Error(TN_EMISSING, "the program has no '" + name + "'");
    }
};

} // namespace tenon

#endif
