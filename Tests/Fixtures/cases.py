"""The cases of make_fixtures.py: small graphs around one operation each, and whole networks.

The operation under test stands between a 1^3 convolution, whose weight gradient shows the gradient that the
operation passes down, and a 1^3 convolution to the logits. Sizes are odd and no multiples of the dilations. The loss
is that with uniform weights: with the others the bias of the logits has a gradient of large terms that cancel.
"""


def convolution(x, y, channels, kernel=3, dilation=1, padding="same", bias=False):
    kernel = [kernel] * 3 if isinstance(kernel, int) else kernel
    return dict(
        kind="convolution", x=x, y=y, channels=channels, kernel=kernel, dilation=dilation, padding=padding, bias=bias
    )


def batch_norm(x, y):
    return dict(kind="batch_norm", x=x, y=y)


def relu(x, y):
    return dict(kind="relu", x=x, y=y)


def prelu(x, y):
    return dict(kind="prelu", x=x, y=y)


def add(x, shortcut, y):
    return dict(kind="add", x=x, shortcut=shortcut, y=y)


def crop(x, y, border):
    return dict(kind="crop", x=x, y=y, border=border)


def subsample(x, y, step):
    return dict(kind="subsample", x=x, y=y, border=step)


def upsample(x, y, factor):
    return dict(kind="upsample", x=x, y=y, border=factor)


def concatenate(x, other, y):
    return dict(kind="concatenate", x=x, shortcut=other, y=y)


def case(
    name, operations, channels=3, size=(7, 9, 8), classes=2, references=("mixed", "mixed"),
    weights="uniform", pooling="image", inference=False, gradients=True, salt=0, **more
):  # fmt: skip
    """A case as fixtures.json has it; `references` are one a slot, `salt` changes everything that is drawn."""
    return dict(
        name=name, salt=salt, channels=channels, size=size, classes=classes, references=references,
        weights=weights, pooling=pooling, inference=inference, gradients=gradients, operations=operations, **more,
    )  # fmt: skip


def between(inputs, *operations):
    """A 1^3 convolution of the image to `inputs` channels, "before"; the operations, the last one "y"; logits."""
    logits = convolution("y", "logits", 2, kernel=1, bias=True)
    return [convolution("input", "before", inputs, kernel=1), *operations, logits]


def convolution_case(name, inputs, outputs, size=(13, 10, 11), **options):
    return case(name, between(inputs, convolution("before", "y", outputs, **options)), size=size)


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
    yield case("crop of a shortcut", between(16, crop("before", "a", 1), convolution("before", "b", 32, padding="valid"),
                                             add("b", "a", "y")))  # fmt: skip


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


def network_case(name, logits, activation, border, network="highres3dnet", widths=None, **options):
    network = dict(name=network, logits=logits, activation=activation, border=border)
    if widths:
        network.update(widths=widths[:-1], hidden=widths[-1])
    return case(name, [], network=network, **options)


def networks():
    # A unit of a ReLU that lies within rounding of 0 may flip, and one flip moves gradients by 1e-3; a gradient that is
    # a sum of cancelling terms has few digits. The salts avoid both (make_fixtures.py --find-salt).
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
        widths=[2, 2, 3, 3, 3, 3, 4, 4, 9], weights="square", pooling="batch", salt=1,
    )  # fmt: skip
    yield network_case(
        "narrow deepmedic with relu, batch norm on the logits", "batch_norm", "relu", 24, network="deepmedic",
        channels=1, size=(57, 60, 57), widths=[2, 2, 3, 3, 3, 3, 4, 4, 9], weights="simple", salt=17,
    )  # fmt: skip


CASES = [*convolutions(), *normalisations(), *sums_and_crops(), *grids(), *losses(), *networks()]
