/* digits.cpp: in C++: a convolutional network learns to read the digits that the library draws, is saved, loaded into
 * another state, and says the same there.
 *
 * c++ -std=c++17 digits.cpp -o digits $(pkg-config --cflags --libs tenon); ./digits [--device NAME] [--small] */
#include <tenon/tenon.hpp>

#include <cstdio>

namespace with = tenon::with;
using tenon::Tensor;

static Tensor network(Tensor x, bool training)
{
    x = tenon::conv2d(x, "conv1", with::filters = 16, with::kernel = 5, with::stride = 2);
    x = tenon::relu(tenon::batch_norm(x, "bn1", with::training = training));
    x = tenon::maxpool2d(x, with::window = 2);
    x = tenon::relu(tenon::linear(tenon::flatten(x), "fc1", with::units = 64));
    return tenon::linear(x, "fc2", with::units = 10);
}

static tenon::Model model_on(const tenon::Device &device)
{
    return tenon::Model(tenon::State(device), network, "cross_entropy");
}

static bool learn(const std::string &name, bool small)
{
    const tenon::Device device(name);
    auto [train, test] = tenon::Dataset::open(small ? "digits:1000" : "digits");
    const tenon::Model model = model_on(device);
    model.on_epoch([](const tn_epoch &e) {
        std::printf("epoch %d  loss %.4f  test accuracy %.1f %%\n", static_cast<int>(e.number), e.train.loss,
                    100 * e.test.accuracy);
        return true; /* go on */
    });
    model.fit(train, with::epochs = small ? 5 : 3, with::batch = 32, with::optimizer = "adam", with::lr = 0.003,
              with::test = &test);
    model.state().save("digits.safetensors");

    const tenon::Model again = model_on(device);
    again.state().load("digits.safetensors");
    const tn_score score = again.evaluate(test);
    const bool same = again.predict(test) == model.predict(test);
    std::printf("on %s: %.1f %% of the test set are right; loaded anew it says %s\n", device.name().c_str(),
                100 * score.accuracy, same ? "the same" : "something else");
    return same && score.accuracy > (small ? 0.8 : 0.95);
}

int main(int argc, char **argv)
{
    std::string device = "cpu";
    bool small = false;
    for (int i = 1; i < argc; i++) {
        const std::string word = argv[i];
        if (word == "--small") small = true;
        if (word == "--device" && i + 1 < argc) device = argv[++i];
    }
    try {
        return learn(device, small) ? 0 : 1;
    } catch (const tenon::Error &error) {
        std::fprintf(stderr, "digits: %s\n", error.what());
        return 1;
    }
}
