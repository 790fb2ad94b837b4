# Weights to PyTorch and back: what was trained here is what its load_state_dict takes, strictly, and computes the same;
# what its models were saved as, with names tied and prefixed, is all taken here. Skipped where there is no PyTorch.
. "$(dirname "$0")/common.sh"
python3 -c 'import torch, safetensors.torch, numpy' 2>/dev/null || { echo "no PyTorch here"; exit 77; }

# A net with everything that has a state of its own beside its parameters, and an optimizer with two moments.
"$tenon" train --data digits:240 --net "conv 4 3x3, batch_norm, relu, maxpool 2, flatten, linear 16, relu, linear 10" --batch 20 \
    --epochs 2 --optimizer nadam --device "$device" --save m.safetensors --weights w.safetensors 2>stderr || fail "$(cat stderr)"
python3 - <<'PY' || fail "PyTorch takes them otherwise"
import numpy, torch
from safetensors.torch import load_file, save_model
torch.manual_seed(1)

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = torch.nn.Conv2d(1, 4, 3, bias=False), torch.nn.BatchNorm2d(4)
        self.fc1, self.fc2 = torch.nn.Linear(676, 16), torch.nn.Linear(16, 10)
    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 2)
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))

net = Net()
net.load_state_dict(load_file("w.safetensors"))
x = torch.randint(0, 256, (7, 28, 28), dtype=torch.uint8)
numpy.save("x.npy", x.numpy())
with torch.no_grad():
    y = net.eval()(x[:, None] / 255.0)
numpy.save("y.npy", y.numpy())

class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = torch.nn.Linear(784, 16), torch.nn.Linear(16, 16)
        self.fc3, self.fc4 = torch.nn.Linear(16, 16), torch.nn.Linear(16, 10)
        self.fc3.weight, self.fc3.bias = self.fc2.weight, self.fc2.bias

save_model(Tied(), "tied.safetensors")
save_model(torch.nn.DataParallel(Tied()), "prefixed.safetensors")
PY
"$tenon" predict --model m.safetensors --device "$device" --out here.npy x.npy >predicted 2>stderr || fail "predict: $(cat stderr)"
python3 - <<'PY' || fail "the outputs differ: $(cat predicted)"
import numpy
here, there = numpy.load("here.npy"), numpy.load("y.npy")
there = numpy.exp(there - there.max(1, keepdims=True))
there /= there.sum(1, keepdims=True)
assert here.shape == there.shape and abs(here - there).max() < 1e-5, (here, there)
PY

deep() {
    "$tenon" train --data digits:100 --net "linear 16, relu, linear 16, relu, linear 16, relu, linear 10" --epochs 1 \
        --device "$device" "$@" 2>stderr
}
deep --load tied.safetensors || fail "tied: $(cat stderr)"
grep -q '^8 tensors taken from tied.safetensors, 0 of it not used' stderr || fail "tied: $(cat stderr)"
deep --load prefixed.safetensors --rename module.= || fail "prefixed: $(cat stderr)"
grep -q '^8 tensors taken from prefixed.safetensors, 0 of it not used' stderr || fail "prefixed: $(cat stderr)"
deep --load tied.safetensors --rename "fc1=fc9" || fail "renamed: $(cat stderr)"
grep -q "not there: 'fc1.weight'" stderr || fail "renamed: $(cat stderr)"
deep --load tied.safetensors --rename "fd1=fc9" && fail "a rule that fits nothing is taken"
grep -q "no tensor is called 'fd1'" stderr || fail "a rule that fits nothing: $(cat stderr)"
deep --rename module.= && fail "--rename without --load is taken"
finish
