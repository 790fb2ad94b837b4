"""The cards that model.py predicts for: what their makers say of them, and what is estimated."""
import collections

# units, which share local memory, and as many as the driver counts; whose they are; f32 multiply-adds of a unit in a
# clock; clocks a second; bytes a second of memory, and of the cache that all units share; bytes that a unit reads of
# local memory in a clock; work-items that run as one; registers of a unit; seconds of a launch. Of matrix units:
# operations a second in bf16 and f16, and as TF32 (0: not there, or not by our kernels); the part of that which the
# instructions of our kernels come to; work-items that make a product of 16 x 16 together. And where the figures are
# from. Bandwidths of caches and costs of launches are estimates; what drivers count was not seen on a card.
Card = collections.namedtuple("Card", "name units counted vendor lanes clock memory cache local warp registers launch "
                                      "bf16 tf32 reached wave source")
CARDS = {card.name: card for card in (
    Card("H100", 132, 132, "NVIDIA", 128, 1.98e9, 3.35e12, 5.5e12, 128, 32, 65536, 4e-6, 989.4e12, 494.7e12, 0.62, 32,
         "SXM5: 66.9 TFLOP/s f32, 3.35 TB/s, 989 TFLOP/s bf16 and 495 as TF32 without sparsity (NVIDIA's datasheet; "
         "glennklockwood.com/garden/processors/h100; pyptx.dev/performance), of which `mma.sync` comes to some 62 %, "
         "the rest being for `wgmma` alone (an estimate)"),
    Card("RX 7900 XTX", 96, 48, "Advanced Micro Devices", 128, 2.5e9, 9.6e11, 3.5e12, 128, 32, 98304, 6e-6, 122.8e12, 0,
         0.9, 32,
         "61.4 TFLOP/s f32, half of it by instructions in pairs, 960 GB/s, cache 3.5 TB/s (guru3d.com, review of the "
         "PowerColor RX 7900 XTX), 122.8 TFLOP/s f16 (en.wikipedia.org/wiki/RDNA_3), bf16 alike"),
    Card("Arc B580", 20, 160, "Intel", 128, 2.67e9, 4.56e11, 1.5e12, 128, 16, 65536, 6e-6, 116.5e12, 0, 0.9, 16,
         "13.67 TFLOP/s f32, 456 GB/s (comparegpus.com/gpu/arc-b580), matrix units 233 TOP/s of 8 bits (Intel's product "
         "page), half as many in bf16"),
)}
PAIRED = {"RX 7900 XTX": 0.6}  # of the rate, for instructions that find no second one to go with
REACHED = 0.8  # of the bandwidth of memory
HIDING = 8  # warps of a unit that hide how long others wait
OVERHEAD = 4  # instructions beside multiply-adds and loads, in a turn of the innermost loop
REGISTERS = 128  # of a work-item in a product
F32 = 4  # bytes


def rate(card):
    """Multiply-adds of a unit in a second, one by one."""
    return card.lanes * card.clock * PAIRED.get(card.name, 1)


def hidden(card, turns, items):
    """The part of a unit's rate that so many work-items of a group reach, of which so many groups are to come."""
    warps = min(turns, card.registers // (REGISTERS * items)) * items / card.warp
    return min(1, warps / HIDING)


def peak(card):
    return 2 * card.lanes * card.clock * card.units
