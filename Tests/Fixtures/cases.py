"""The cases of make_fixtures.py: small graphs around one operation each, and whole networks.

The operation under test stands between a 1^3 convolution, whose weight gradient shows the gradient that the
operation passes down, and a 1^3 convolution to the logits. Sizes are odd and no multiples of the dilations. The loss
is that with uniform weights: with the others the bias of the logits has a gradient of large terms that cancel.
"""

from description import (
    add, batch_norm, between, case, concatenate, convolution, convolution_case, crop, group_norm, instance_norm,
    max_pool, maxout, prelu, relu, subsample, transposed_convolution, upsample,
)  # fmt: skip

def convolutions():
    for dilation, inputs, outputs in [
        (1, 5, 7), (1, 16, 32), (1, 40, 30), (2, 5, 7), (2, 16, 32), (2, 64, 64), (4, 5, 7), (4, 32, 16), (4, 40, 30),
    ]:  # fmt: skip
        yield convolution_case(f"convolution 3 d{dilation} {inputs}-{outputs}", inputs, outputs, dilation=dilation)
    for inputs, outputs in [(1, 16), (3, 16), (4, 32)]:
        first = convolution("input", "first", outputs)
        logits = convolution("first", "logits", 2, kernel=1)
        yield case(f"convolution of the image {inputs}-{outputs}", [first, logits], channels=inputs, size=(13, 10, 11))
    yield convolution_case("convolution 1 64-80", 64, 80, kernel=1)
    yield convolution_case("convolution 1 with bias 5-7", 5, 7, kernel=1, bias=True)
    yield convolution_case("convolution 3 with bias 16-16", 16, 16, bias=True)
    yield convolution_case("convolution 3 valid 16-30", 16, 30, padding="valid")
    yield convolution_case("convolution 3 valid d2 8-16", 8, 16, padding="valid", dilation=2)
    yield convolution_case("convolution 1x3x3 6-10", 6, 10, kernel=[1, 3, 3], size=(5, 10, 11))
    yield convolution_case("convolution 3x1x1 d2 6-10", 6, 10, kernel=[3, 1, 1], dilation=2, size=(11, 6, 7))
    yield convolution_case("convolution 5 4-6", 4, 6, kernel=5, size=(9, 10, 7))
    yield convolution_case("convolution 3 d4 on less than its reach", 16, 16, dilation=4, size=(5, 3, 6))
    yield convolution_case("convolution in two dimensions 16-32", 16, 32, kernel=[1, 3, 3], size=(1, 19, 14))
    yield convolution_case(
        "convolution in two dimensions d4 5-7", 5, 7, kernel=[1, 3, 3], dilation=4, size=(1, 19, 14)
    )
    for edge, inputs, outputs in [(7, 3, 16), (5, 12, 16), (13, 3, 20), (19, 10, 2)]:
        yield convolution_case(
            f"convolution {edge}x{edge} valid in two dimensions {inputs}-{outputs}", inputs, outputs,
            kernel=[1, edge, edge], padding="valid", size=(1, 24, 26),
        )  # fmt: skip
    yield convolution_case("convolution 5x5 in two dimensions 12-16", 12, 16, kernel=[1, 5, 5], size=(1, 13, 15))


def normalisations():
    three = ("mixed", "mixed", "mixed")
    sizes = [("", 16, (7, 9, 8)), (" of 5 channels", 5, (5, 6, 7)), (" of 40 channels", 40, (4, 5, 3))]
    for suffix, inputs, size in sizes:
        yield case(f"batch norm{suffix}", between(inputs, batch_norm("before", "y")), references=three, size=size)
    for kind, operation in [("relu", relu), ("prelu", prelu)]:
        pair = [batch_norm("before", "norm"), operation("norm", "y")]
        yield case(f"batch norm and {kind}", between(16, *pair), references=three)
        yield case(f"{kind} alone", between(5, operation("before", "y")))
        yield case(f"batch norm and {kind} in inference", between(20, *pair), inference=True)
    yield case("batch norm alone in inference", between(7, batch_norm("before", "y")), inference=True)
    yield case(
        "prelu after a dilated convolution",
        between(12, convolution("before", "c", 24, dilation=2), batch_norm("c", "n"), prelu("n", "y")),
        size=(9, 7, 8),
    )
    yield case("batch norm in one slot", between(16, batch_norm("before", "y")), references=("mixed",))
    yield case(
        "batch norm on the logits",
        [convolution("input", "before", 2), batch_norm("before", "logits")],
        references=three,
    )


def normalisations_of_a_slot():
    three = ("mixed", "mixed", "mixed")
    for inputs, size in [(16, (7, 9, 8)), (5, (5, 6, 7)), (40, (1, 9, 8))]:
        operations = between(inputs, instance_norm("before", "y"))
        yield case(f"instance norm of {inputs} channels", operations, references=three, size=size)
    for inputs, groups in [(16, 4), (12, 3), (10, 2)]:
        operations = between(inputs, group_norm("before", "y", groups))
        yield case(f"group norm of {inputs} channels, {groups} groups", operations, references=three)
    for kind, operation in [("relu", relu), ("prelu", prelu)]:
        for norm, first in [("instance", instance_norm("before", "n")), ("group", group_norm("before", "n", 6))]:
            pair = between(24, first, operation("n", "y"))
            yield case(f"{norm} norm and {kind}", pair, references=three)
            yield case(f"{norm} norm and {kind} in inference", pair, inference=True)


def block(x, name, channels, dilation=1):
    return [
        batch_norm(x, f"{name}n1"), relu(f"{name}n1", f"{name}r1"),
        convolution(f"{name}r1", f"{name}c1", channels, dilation=dilation),
        batch_norm(f"{name}c1", f"{name}n2"), relu(f"{name}n2", f"{name}r2"),
        convolution(f"{name}r2", f"{name}c2", channels, dilation=dilation),
        add(f"{name}c2", x, name),
    ]  # fmt: skip


def sums_and_crops():
    for inputs, outputs in [(16, 32), (5, 12), (16, 16), (8, 11)]:
        pair = [convolution("before", "c", outputs), add("c", "before", "y")]
        yield case(f"shortcut {inputs}-{outputs}", between(inputs, *pair))
    yield case("sum of a value with itself", between(6, add("before", "before", "y")))
    yield case("sum of activations", between(16, relu("before", "a"), prelu("before", "b"), add("a", "b", "y")))
    yield case(
        "value with three readers",
        between(
            16, convolution("before", "a", 16), convolution("before", "b", 16, dilation=2), add("a", "b", "c"),
            add("c", "before", "y"),
        ),
    )  # fmt: skip
    yield case("block 16-32 d2", between(16, *block("before", "y", 32, dilation=2)), size=(9, 7, 10))
    yield case(
        "blocks 16-16 d1, 16-32 d2, 32-32 d4",
        between(16, *block("before", "a", 16), *block("a", "b", 32, 2), *block("b", "y", 32, 4)),
        size=(9, 7, 10), pooling="batch",
    )  # fmt: skip
    yield case("crop by 2", between(16, convolution("before", "c", 16), crop("c", "y", 2)))
    yield case("crop after dilation 4", between(5, convolution("before", "c", 7, dilation=4), crop("c", "y", 1)))
    yield case(
        "crop in two dimensions", between(5, convolution("before", "c", 7, [1, 3, 3]), crop("c", "y", 3)),
        size=(1, 13, 12),
    )  # fmt: skip
    yield case(
        "crop of a shortcut",
        between(16, crop("before", "a", 1), convolution("before", "b", 32, padding="valid"), add("b", "a", "y")),
    )
    for border, after in [(0, 1), (2, 1)]:
        yield case(
            f"crop by {border} in front, {after} behind",
            between(16, convolution("before", "c", 16), crop("c", "y", border, after)),
        )  # fmt: skip
    yield case("crop by 1 in front, 3 behind in two dimensions",
               between(5, convolution("before", "c", 7, [1, 3, 3]), crop("c", "y", 1, 3)), size=(1, 13, 12))


def maxima():
    plane = "in two dimensions"
    for edge, stride, inputs, size in [(2, 2, 16, (6, 8, 10)), (4, 1, 5, (7, 9, 8)), (2, 1, 20, (6, 7, 5))]:
        pool = max_pool("before", "y", edge, stride)
        yield case(f"max pool {edge} stride {stride}", between(inputs, pool), size=size)
    for edge, stride, inputs, size in [(2, 2, 20, (1, 10, 12)), (4, 1, 16, (1, 13, 12)), (2, 1, 5, (1, 11, 14))]:
        window = [1, edge, edge]
        pool = max_pool("before", "y", window, stride)
        yield case(f"max pool {edge} stride {stride} {plane}", between(inputs, pool), size=size)
        # The zeros of a ReLU tie.
        norm, rectified, pool = batch_norm("before", "n"), relu("n", "r"), max_pool("r", "y", window, stride)
        yield case(f"max pool {edge} stride {stride} {plane} of batch norm and relu",
                   between(inputs, norm, rectified, pool), size=size)
    yield case(
        "max pool beside its input",
        between(16, convolution("before", "c", 16), max_pool("c", "p", 2, 1), crop("c", "i", 0, 1), add("p", "i", "y")),
    )
    for pieces, outputs in [(2, 16), (2, 5), (3, 6)]:
        operations = between(pieces * outputs, maxout("before", "y", pieces))
        yield case(f"maxout of {pieces} pieces to {outputs} channels", operations)
    pair = between(24, batch_norm("before", "n"), maxout("n", "y"))
    yield case("maxout of batch norm", pair, references=("mixed", "mixed", "mixed"))
    yield case("maxout of batch norm in inference", pair, inference=True)


def grids():
    for channels in ((30, 20), (5, 3), (8, 16)):
        yield case(
            f"concatenation of {channels[0]} and {channels[1]} channels",
            between(channels[0], convolution("before", "a", channels[1], kernel=1), concatenate("before", "a", "y")),
        )  # fmt: skip
    yield case("every third voxel", between(6, subsample("before", "y", 3)), size=(6, 9, 12))
    yield case("every third voxel in two dimensions", between(6, subsample("before", "y", 3)), size=(1, 9, 12))
    yield case("each voxel three times", between(6, upsample("before", "y", 3)), size=(3, 4, 5))
    yield case("each voxel twice in two dimensions", between(6, upsample("before", "y", 2)), size=(1, 4, 5))
    for factor, inputs, outputs, size in [
        (2, 16, 8, (1, 5, 7)), (2, 5, 7, (1, 6, 5)), (2, 8, 16, (3, 5, 4)), (2, 5, 7, (4, 3, 5)), (3, 6, 10, (2, 4, 3)),
    ]:  # fmt: skip
        yield case(
            f"transposed convolution {factor} {inputs}-{outputs}" + " in two dimensions" * (size[0] == 1),
            between(inputs, transposed_convolution("before", "y", outputs, factor)), size=size,
        )  # fmt: skip
    yield case(
        "a coarse path beside a fine one",
        between(4, convolution("before", "a", 10, padding="valid"), crop("before", "inner", 2),
                convolution("inner", "fine", 8, padding="valid"), subsample("before", "small", 3),
                convolution("small", "coarse", 12, padding="valid"), upsample("coarse", "large", 3),
                crop("a", "b", 2), add("b", "fine", "sum"), concatenate("sum", "large", "y")),
        size=(15, 15, 15),
    )  # fmt: skip


def losses():
    def logits(classes):
        return [convolution("input", "logits", classes, kernel=1)]

    for classes in (2, 4):
        for weights in ("square", "simple", "uniform"):
            for pooling in ("image", "batch"):
                yield case(
                    f"loss {weights} {pooling} of {classes} classes", logits(classes), classes=classes,
                    references=("mixed", "mixed", "mixed"), weights=weights, pooling=pooling, size=(5, 7, 6),
                )  # fmt: skip
    for pooling in ("image", "batch"):
        for classes in (2, 4):
            yield case(
                f"loss of extreme references {pooling} of {classes} classes", logits(classes), classes=classes,
                references=("empty", "one", "full", "mixed"), weights="square", pooling=pooling,
                size=(5, 7, 6),
            )  # fmt: skip
    for loss in ("wce", "dl2", "ss"):
        for classes in (2, 4):
            for pooling in ("image", "batch"):
                yield case(
                    f"loss {loss} {pooling} of {classes} classes", logits(classes), classes=classes, loss=loss,
                    references=("mixed", "one", "mixed"), pooling=pooling, size=(5, 7, 6),
                )  # fmt: skip
        yield case(f"loss {loss} of extreme references", logits(2), loss=loss, references=("empty", "one", "full"),
                   size=(5, 7, 6))
    yield case("loss of an empty batch", logits(2), references=("empty", "empty"), weights="square",
               pooling="batch", size=(5, 7, 6))
    yield case("loss of many classes", logits(19), classes=19, weights="square", size=(11, 10, 9))


def network_case(name, logits, activation, border, network="highres3dnet", shape=None, **options):
    """`shape` holds the widths and the like that are not the network's own."""
    network = dict(name=network, logits=logits, activation=activation, border=border, **(shape or {}))
    return case(name, [], network=network, **options)


# A unit of a ReLU that lies within rounding of 0 may flip, as may the larger of two values, and one flip moves
# gradients by 1e-3; a gradient that is a sum of cancelling terms has few digits. The salts avoid both
# (make_fixtures.py --find-salt).


def networks():
    narrow = dict(widths=[2, 2, 3, 3, 3, 3, 4, 4], hidden=9)
    yield network_case(
        "highres3dnet", "bias", "relu", 3, channels=2, size=(12, 13, 11), weights="square", salt=7,
    )  # fmt: skip
    yield network_case(
        "highres3dnet of 4 classes, prelu, batch norm on the logits", "batch_norm", "prelu", 3, channels=3,
        classes=4, size=(11, 12, 13), weights="simple", pooling="batch", salt=2,
    )  # fmt: skip
    yield network_case(
        "highres3dnet with the crop of the paper, forward", "bias", "relu", 18, channels=2, size=(41, 41, 42),
        references=("mixed",), weights="square", gradients=False,
    )  # fmt: skip
    yield network_case(
        "highres3dnet in inference", "bias", "relu", 0, channels=1, size=(17, 14, 15), references=("mixed",),
        inference=True,
    )  # fmt: skip
    yield network_case(
        "deepmedic, forward", "bias", "prelu", 24, network="deepmedic", channels=2, size=(57, 54, 57),
        weights="square", pooling="batch", gradients=False,
    )  # fmt: skip
    yield network_case(
        "narrow deepmedic", "bias", "prelu", 24, network="deepmedic", channels=2, size=(57, 57, 57),
        shape=narrow, weights="square", pooling="batch", salt=1,
    )  # fmt: skip
    yield network_case(
        "narrow deepmedic with relu, batch norm on the logits", "batch_norm", "relu", 24, network="deepmedic",
        channels=1, size=(57, 60, 57), shape=narrow, weights="simple", salt=17,
    )  # fmt: skip
    yield network_case(
        "narrow highres3dnet with instance norm", "bias", "relu", 3, channels=2, size=(12, 13, 11),
        shape=dict(widths=[4, 6, 9], hidden=10, normalisation="instance"), weights="square", pooling="batch", salt=10,
    )  # fmt: skip
    yield network_case(
        "narrow deepmedic with group norm", "bias", "prelu", 24, network="deepmedic", channels=1, size=(57, 57, 60),
        shape=dict(widths=[2, 2, 4, 4, 4, 4, 6, 6], hidden=10, normalisation="group", groups=2), weights="square",
        pooling="batch", salt=32,
    )  # fmt: skip


def planar_networks():
    narrow = dict(widths=[4, 6, 8])
    yield network_case(
        "unet, forward", "bias", "relu", 20, network="unet", channels=3, size=(1, 56, 60), weights="square",
        gradients=False,
    )  # fmt: skip
    yield network_case(
        "narrow unet", "bias", "relu", 20, network="unet", channels=2, size=(1, 48, 52), shape=narrow,
        weights="square", pooling="batch",
    )  # fmt: skip
    yield network_case(
        "narrow unet of 3 classes, prelu, batch norm on the logits", "batch_norm", "prelu", 20, network="unet",
        channels=1, classes=3, size=(1, 52, 48), shape=narrow, weights="simple", salt=18,
    )  # fmt: skip
    yield network_case(
        "narrow unet without normalisation", "bias", "prelu", 20, network="unet", channels=2, size=(1, 48, 48),
        shape=dict(**narrow, normalisation="none"), weights="simple", salt=1,
    )  # fmt: skip
    yield network_case(
        "twopathcnn, forward", "bias", "relu", 16, network="twopathcnn", channels=3, size=(1, 41, 44),
        weights="square", gradients=False,
    )  # fmt: skip
    narrow = dict(widths=[4, 4, 6])
    yield network_case(
        "narrow twopathcnn", "bias", "relu", 16, network="twopathcnn", channels=2, size=(1, 37, 40), shape=narrow,
        weights="square", pooling="batch", salt=6,
    )  # fmt: skip
    yield network_case(
        "narrow twopathcnn without normalisation, batch norm on the logits", "batch_norm", "relu", 16,
        network="twopathcnn", channels=1, size=(1, 40, 37), shape=dict(**narrow, normalisation="none"),
        weights="simple", salt=9,
    )  # fmt: skip


CASES = [
    *convolutions(), *normalisations(), *normalisations_of_a_slot(), *sums_and_crops(), *maxima(), *grids(), *losses(),
    *networks(), *planar_networks(),
]  # fmt: skip
