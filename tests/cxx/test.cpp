/* test.cpp: tenon.hpp: each class does what its C functions do, frees what it owns in whatever order, and failures are
 * exceptions with the library's text. usage: test DEVICE SCRATCH */
#include <tenon/tenon.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace with = tenon::with;
using tenon::Tensor;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) std::printf("FAILED: line %d: %s\n", __LINE__, #condition), std::exit(1);                    \
    } while (0)

/* What a call throws. */
template <class Call> static tenon::Error failure(Call call)
{
    try {
        call();
    } catch (const tenon::Error &error) {
        return error;
    }
    return tenon::Error(TN_OK, "nothing failed");
}

static bool has(const tenon::Error &error, const char *text)
{
    return std::string(error.what()).find(text) != std::string::npos;
}

/* y = 2 x w + 1 by operators and numbers; the program keeps what it stands on. */
static tenon::Program arithmetic(const std::string &device)
{
    const tenon::State state{tenon::Device(device)};
    const tenon::Graph graph;
    const Tensor x = graph.input("x", {2, 3}),
                 w = graph.parameter("w", {3, 1}, tn_init{TN_INIT_CONSTANT, 0.5, 0, 0, 0});
    (2.0 * tenon::matmul(x, w) + 1).output("y");
    const Tensor far = tenon::max(-x, graph.constant<float>({3}, {0, -1, 2})) / 4 - graph.scalar("s", 1);
    far.output("far");
    CHECK(far.shape().rank == 2 && far.shape().dim[1] == 3 && far.dtype() == TN_F32);
    graph.verify();
    return tenon::Program(graph, state, with::unfused = true);
}

static void programs(const std::string &device)
{
    const tenon::Program program = arithmetic(device);
    program.feed<float>("x", {1, 2, 3, -4, -5, -6});
    program.set("s", 10);
    program.run();
    CHECK(program.fetch("y") == std::vector<float>({7, -14}));
    CHECK(program.fetch("far") == std::vector<float>({-10, -10.25, -9.5, -9, -8.75, -8.5}));
    CHECK(has(failure([&] { program.fetch<int32_t>("y"); }), "'y' is f32, not i32"));
    CHECK(failure([&] { program.fetch("z"); }).status() == TN_EMISSING);
    CHECK(has(failure([&] { program.feed<float>("x", {1}); }), "x"));
}

/* Options arrive under their names, arrays too, and what is not set is as usual. */
static void layers(const std::string &device)
{
    const tenon::State state{tenon::Device(device)};
    const tenon::Graph graph;
    Tensor x = tenon::conv2d(graph.input("x", {1, 2, 8, 6}), "conv", with::filters = 4, with::kernel = {3, 5},
                             with::pad = {1, 2}, with::no_bias = true);
    CHECK(x.shape().dim[2] == 8 && x.shape().dim[3] == 6);
    x = tenon::batch_norm(tenon::maxpool2d(tenon::relu(x), with::window = 2), "bn", with::training = true);
    CHECK(x.shape().dim[2] == 4 && x.shape().dim[3] == 3);
    x = tenon::linear(tenon::flatten(x), "fc", with::units = 12, with::init = tn_init{TN_INIT_ZERO, 0, 0, 0, 0});
    x = tenon::recurrent(tn_reshape(x, tenon::shape({1, 4, 3})), "rnn", with::kind = TN_GRU, with::units = 8);
    x = tenon::transformer(tenon::layer_norm(x, "ln"), "block", with::heads = 2, with::causal = true);
    tenon::minimize(tn_mean(x, tenon::axes(), 0), "adamw", with::lr = 0.01, with::no_decay = "vectors");
    const tenon::Program program(graph, state);
    program.feed("x", std::vector<float>(96, 1));
    program.run();
    program.wait();
    CHECK(state.step() == 1 && state.read("conv.weight").size() == 120);
    CHECK(failure([&] { state.read("conv.bias"); }).status() == TN_EMISSING);
    state.write("bn.weight", {1, 2, 3, 4});
    CHECK(state.read("bn.weight")[2] == 3);
    tn_shape two = tenon::shape({2});
    const int32_t whole[] = {5, -7};
    const double wide[] = {0.1, 1e300};
    CHECK(!tn_state_put(state, "whole", TN_I32, two, 0, whole) && !tn_state_put(state, "wide", TN_F64, two, 0, wide));
    CHECK(state.read<int32_t>("whole") == std::vector<int32_t>({5, -7}));
    for (const char *name : {"whole", "wide"}) {
        CHECK(failure([&] { state.read(name); }).status() == TN_EDTYPE);
        CHECK(failure([&] { state.write(name, {1, 2}); }).status() == TN_EDTYPE);
    }
    CHECK(has(failure([&] { state.read("whole"); }), "'whole' is i32, not f32"));
    CHECK(has(failure([&] { state.read<int32_t>("bn.weight"); }), "'bn.weight' is f32, not i32"));
    state.write<int32_t>("whole", {8, 9});
    CHECK(state.read<int32_t>("whole")[1] == 9);
    CHECK(has(failure([&] {
                  tenon::Graph g;
                  tenon::linear(g.input("x", {2, 2}), "no");
                  g.verify();
              }),
              "linear"));
}

static tenon::Dataset exclusive_or()
{
    return tenon::Dataset::of({2}, {0, 0, 0, 1, 1, 0, 1, 1}, std::vector<float>{0, 1, 1, 0}, 1);
}

static void models(const std::string &device, const std::string &scratch)
{
    const tenon::Dataset data = exclusive_or();
    int epochs = 0;
    std::vector<float> said;
    {
        const tenon::Model model(tenon::State(tenon::Device(device)), "linear 8, tanh, linear outputs", 1,
                                 "binary_cross_entropy");
        model.on_epoch([&](const tn_epoch &epoch) { return epochs++, epoch.train.loss > 0.005; });
        const tn_epoch last = model.fit(data, with::epochs = 1000, with::optimizer = "adam", with::lr = 0.05);
        CHECK(epochs > 10 && epochs < 1000 && last.number == epochs && last.train.loss <= 0.005);
        CHECK(model.evaluate(data).accuracy == 1);
        said = model.predict(data);
        CHECK(said.size() == 4 && said[0] < 0 && said[1] > 0 && said[2] > 0 && said[3] < 0);
        model.state().save(scratch + "/xor.safetensors", {{"made", "here"}});
    }
    const tenon::State state{tenon::Device(device)};
    const tenon::Notes notes = state.load(scratch + "/xor.safetensors", {"made", "nothing"});
    CHECK(notes.size() == 1 && notes.at("made") == "here");
    const tenon::Model again(
        state,
        [](Tensor x, bool) {
            x = tenon::tanh(tenon::linear(x, "fc1", with::units = 8));
            return tenon::linear(x, "fc2", with::units = 1);
        },
        "binary_cross_entropy");
    CHECK(again.predict(data) == said);
    CHECK(has(failure([&] { state.load(scratch + "/none"); }), "none"));
    CHECK(has(failure([&] { again.fit(data); }), "epochs"));
}

/* A weight of 2 is as two equal samples; a loss of one's own does what the named one does. */
static void weights_and_costs(const std::string &device)
{
    const auto layer = [](Tensor x, bool) { return tenon::linear(x, "fc", with::units = 1); };
    const auto train = [&](const tenon::Model &model, const tenon::Dataset &data) {
        const tn_epoch last = model.fit(data, with::epochs = 5, with::lr = 0.1);
        CHECK(last.train.loss > 0);
        return model.state().read("fc.weight");
    };
    const auto state = [&] { return tenon::State(tenon::Device(device)); };
    tenon::Dataset heavy = tenon::Dataset::of({1}, {1, 2, 3}, std::vector<float>{1, 5, 2}, 1);
    const tenon::Dataset twice = tenon::Dataset::of({1}, {1, 2, 2}, std::vector<float>{1, 5, 5}, 1);
    const std::vector<float> plain = train(tenon::Model(state(), layer, "mse"), heavy);
    const tenon::Model own(state(), layer, [](Tensor y, Tensor target, bool) { return tn_loss("mse", y, target); });
    CHECK(train(own, heavy) == plain);
    heavy.weigh({1, 2, 0});
    const std::vector<float> weighted = train(tenon::Model(state(), layer, "mse"), heavy),
                             doubled = train(tenon::Model(state(), layer, "mse"), twice);
    CHECK(std::fabs(weighted[0] - doubled[0]) < 1e-5f && weighted != plain);
    CHECK(failure([&] { heavy.weigh({1}); }).status() == TN_ESHAPE);
    CHECK(has(failure([&] { heavy.weigh({1, -1, 1}); }), "sample 1 has the weight -1, not 0 or from 1e-18 to 1e18"));
    CHECK(train(tenon::Model(state(), layer, "mse"), heavy) == weighted);
    CHECK(has(failure([&] { own.fit(heavy, with::epochs = 1); }), "takes no weights"));
    const tenon::Model bad(state(), layer, [](Tensor, Tensor, bool) -> Tensor { throw 18; });
    int caught = 0;
    try {
        heavy.weigh({1, 1, 1});
        bad.fit(twice, with::epochs = 1);
    } catch (int number) {
        caught = number;
    }
    CHECK(caught == 18);
}

/* An exception of the caller's own passes through the library as it is. */
static void exceptions(const std::string &device)
{
    const tenon::Dataset data = exclusive_or();
    const tenon::Model model(
        tenon::State(tenon::Device(device)), [](Tensor, bool) -> Tensor { throw 17; }, "mse");
    for (int call = 0; call < 3; call++) {
        int caught = 0;
        try {
            call == 0   ? (void)model.fit(data, with::epochs = 1)
            : call == 1 ? (void)model.evaluate(data)
                        : (void)model.predict(data);
        } catch (int number) {
            caught = number;
        }
        CHECK(caught == 17);
    }
    CHECK(failure([] { tenon::Device("nothing"); }).status() == TN_EMISSING);
    CHECK(failure([] { tenon::Onnx("/nothing.onnx"); }).status() != TN_OK);
    CHECK(failure([] { tenon::Dataset::of({3}, {1, 2}); }).status() == TN_ESHAPE);
}

/* What was moved away has nothing to tell: it throws. */
static void moved(const std::string &device)
{
    tenon::Device first(device);
    const std::string name = first.name();
    const tenon::Device second = std::move(first);
    CHECK(second.name() == name && second.info().name[0]);
    CHECK(failure([&] { first.name(); }).status() == TN_EINVAL);
    CHECK(failure([&] { first.info(); }).status() == TN_EINVAL);
    tenon::State state(second);
    tenon::Model model(state, "linear outputs", 1, "mse");
    const tenon::State kept = std::move(state);
    CHECK(failure([&] { state.step(); }).status() == TN_EINVAL && kept.step() == 0);
    const tenon::Model other = std::move(model);
    CHECK(failure([&] { model.fit(exclusive_or()); }).status() == TN_EINVAL);
    CHECK(failure([&] { model.evaluate(exclusive_or()); }).status() == TN_EINVAL);
    CHECK(failure([&] { model.predict(exclusive_or()); }).status() == TN_EINVAL);
    CHECK(failure([&] { model.on_epoch({}); }).status() == TN_EINVAL && other.get());
}

/* Data sets move, and say the other's numbers. */
static void data()
{
    auto sets = tenon::Dataset::open("digits:50", 3);
    tenon::Dataset train = std::move(sets.first);
    CHECK(train.count() == 50 && sets.first.count() == 0 && sets.second.count() == 10);
    train = tenon::Dataset::of({1}, {1, 2, 3}, std::vector<int32_t>{0, 1, 0}, 2);
    CHECK(train.get()->classes == 2 && train.get()->label[1] == 1 && train.count() == 3);
    CHECK(!tenon::Device::all().empty() && tenon::Device::all().back() == "reference");
}

int main(int argc, char **argv)
{
    const std::string device = argc > 1 ? argv[1] : "reference", scratch = argc > 2 ? argv[2] : ".";
    programs(device);
    layers(device);
    models(device, scratch);
    exceptions(device);
    weights_and_costs(device);
    moved(device);
    data();
    std::puts("all well");
}
