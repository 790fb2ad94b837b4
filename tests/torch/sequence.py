"""The networks of sequence.c."""
import torch
from torch import nn
from torch.nn import functional as F

from net import Net, lengths, mask_of, n, whole


def through(layer, x, counts):
    """Samples of different lengths: zeros after their end."""
    packed = nn.utils.rnn.pack_padded_sequence(x, counts, batch_first=True, enforce_sorted=False)
    y, state = layer(packed)
    return nn.utils.rnn.pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])[0], state


class Tcn(Net):
    def __init__(self):
        super().__init__()
        self.conv0, self.conv1 = nn.Conv1d(2, 6, 3), nn.Conv1d(6, 6, 3)
        self.conv2, self.conv3 = nn.Conv1d(6, 6, 3, dilation=2), nn.Conv1d(6, 6, 3, dilation=2)
        self.match, self.head = nn.Conv1d(2, 6, 1), nn.Linear(6, 1)

    def inputs():
        return dict(x=n(3, 2, 10), target=n(3, 1))

    def run(self, phase, x, target):
        causal = lambda conv, x: conv(F.pad(x, (2 * conv.dilation[0], 0))).relu()
        x = (causal(self.conv1, causal(self.conv0, x)) + self.match(x)).relu()
        x = (causal(self.conv3, causal(self.conv2, x)) + x).relu()
        y = self.head(x[:, :, -1])
        return y, F.mse_loss(y, target)


class Seq2seq(Net):
    def __init__(self):
        super().__init__()
        self.source, self.given = nn.Embedding(9, 6, padding_idx=0), nn.Embedding(8, 6, padding_idx=0)
        self.enc, self.dec = nn.GRU(6, 7, batch_first=True), nn.GRU(6, 7, batch_first=True)
        self.out = nn.Linear(7, 8)

    def inputs():
        counts = [6, 3, 5, 1]
        source = whole(9, 4, 6, low=1) * mask_of(counts, 6)
        target = whole(8, 4, 6, low=1) * mask_of([6, 4, 2, 5], 6)
        return dict(source=source, lengths=lengths(*counts), given=target[:, :-1], wanted=target[:, 1:])

    def run(self, phase, source, lengths, given, wanted):
        state = through(self.enc, self.source(source), lengths)[1]
        y = self.out(self.dec(self.given(given), state)[0])
        return y, F.cross_entropy(y.flatten(0, 1), wanted.flatten().long(), ignore_index=0)


class TiedLm(Net):
    def __init__(self):
        super().__init__()
        self.words, self.lstm, self.bias = nn.Embedding(9, 6), nn.LSTM(6, 6, batch_first=True), self.number(9)

    def inputs():
        words = whole(9, 3, 7)
        return dict(given=words[:, :-1], wanted=words[:, 1:])

    def run(self, phase, given, wanted):
        y = self.lstm(self.words(given))[0] @ self.words.weight.T + self.bias
        return y, F.cross_entropy(y.flatten(0, 1), wanted.flatten())


class GruLm(Net):
    def __init__(self):
        super().__init__()
        self.words, self.gru = nn.Embedding(9, 5), nn.GRU(5, 6, 2, batch_first=True)
        self.out = nn.Linear(6, 9)

    inputs = TiedLm.inputs

    def run(self, phase, given, wanted):
        y = self.out(self.gru(self.words(given))[0])
        return y, F.cross_entropy(y.flatten(0, 1), wanted.flatten())


class BilstmTagger(Net):
    def __init__(self):
        super().__init__()
        self.words, self.tag = nn.Embedding(9, 5, padding_idx=0), nn.Linear(8, 5)
        self.lstm = nn.LSTM(5, 4, batch_first=True, bidirectional=True)

    def inputs():
        counts = [6, 2, 4]
        there = mask_of(counts, 6)
        return dict(words=whole(9, 3, 6, low=1) * there, tags=whole(5, 3, 6, low=1) * there, lengths=lengths(*counts))

    def run(self, phase, words, tags, lengths):
        y = self.tag(through(self.lstm, self.words(words), lengths)[0])
        return y, F.cross_entropy(y.flatten(0, 1), tags.flatten().long(), ignore_index=0)


class AttentionPooling(Net):
    def __init__(self):
        super().__init__()
        self.key, self.score, self.head = nn.Linear(5, 6), nn.Linear(6, 1, bias=False), nn.Linear(5, 3)

    def inputs():
        return dict(x=n(4, 6, 5), mask=mask_of([6, 1, 4, 5], 6), label=whole(3, 4))

    def run(self, phase, x, mask, label):
        score = self.score(self.key(x).tanh()).masked_fill(mask[:, :, None] == 0, float("-inf"))
        y = self.head((score.softmax(1) * x).sum(1))
        return y, F.cross_entropy(y, label)


def sinusoids(steps, width):
    place, column = torch.arange(steps)[:, None].double(), torch.arange(0, width, 2).double()
    angle = place / 10000 ** (column / width)
    return torch.stack([angle.sin(), angle.cos()], 2).flatten(1)


class Encoder(Net):
    optimizer, lr = "momentum", 0.02

    def __init__(self):
        super().__init__()
        self.words, self.head = nn.Embedding(9, 8), nn.Linear(8, 3)
        self.layers = nn.ModuleList(nn.TransformerEncoderLayer(8, 2, 12, 0, batch_first=True) for _ in range(2))

    def inputs():
        return dict(words=whole(9, 4, 5), mask=mask_of([5, 2, 4, 3], 5), label=whole(3, 4))

    def run(self, phase, words, mask, label):
        x = self.words(words) + sinusoids(5, 8)
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=mask == 0)
        there = mask[:, :, None]
        y = self.head((x * there).sum(1) / there.sum(1))
        return y, F.cross_entropy(y, label)


class Decoder(Net):
    optimizer, lr = "momentum", 0.02

    def __init__(self):
        super().__init__()
        usual = dict(activation="gelu", batch_first=True, norm_first=True)
        self.enc = nn.TransformerEncoderLayer(8, 2, 12, 0, **usual)
        self.dec = nn.TransformerDecoderLayer(8, 2, 12, 0, layer_norm_eps=1e-3, **usual)
        self.words, self.out = nn.Embedding(7, 8), nn.Linear(8, 7)

    def inputs():
        words = whole(7, 3, 6, low=1) * mask_of([6, 3, 5], 6)
        return dict(x=n(3, 4, 8), mask=mask_of([4, 2, 3], 4), given=words[:, :-1], wanted=words[:, 1:])

    def run(self, phase, x, mask, given, wanted):
        memory = self.enc(x, src_key_padding_mask=mask == 0)
        later = torch.triu(torch.ones(5, 5), 1).bool()
        y = self.out(self.dec(self.words(given), memory, later, memory_key_padding_mask=mask == 0))
        return y, F.cross_entropy(y.flatten(0, 1), wanted.flatten().long(), ignore_index=0)


class Llama(Net):
    optimizer, lr = "momentum", 0.02

    def __init__(self):
        super().__init__()
        self.words, self.attention = nn.Embedding(9, 8), nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm1, self.norm2, self.norm3 = nn.RMSNorm(8), nn.RMSNorm(8, 1e-3), nn.RMSNorm(8)
        self.gate, self.up = nn.Linear(8, 12, bias=False), nn.Linear(8, 12, bias=False)
        self.down, self.out = nn.Linear(12, 8, bias=False), nn.Linear(8, 9, bias=False)

    inputs = TiedLm.inputs

    def run(self, phase, given, wanted):
        x, later = self.words(given), torch.triu(torch.ones(6, 6), 1).bool()
        a = self.norm1(x)
        x = x + self.attention(a, a, a, attn_mask=later)[0]
        h = self.norm2(x)
        y = self.out(self.norm3(x + self.down(F.silu(self.gate(h)) * self.up(h))))
        return y, F.cross_entropy(y.flatten(0, 1), wanted.flatten())
