"""What cases.py says its cases with: an operation a function, from the value `x` to the value `y`.

`border` is the number of an operation that has but one: voxels, a step, a factor, channel groups or pieces.
"""


def whole(edge):
    return [edge] * 3 if isinstance(edge, int) else edge


def convolution(x, y, channels, kernel=3, dilation=1, padding="same", bias=False):
    return dict(
        kind="convolution", x=x, y=y, channels=channels, kernel=whole(kernel), dilation=dilation, padding=padding,
        bias=bias,
    )  # fmt: skip


def transposed_convolution(x, y, channels, factor):
    """Kernel and stride are the factor, along axes of more than one voxel; weight [channels of x, channels, kernel]."""
    return dict(kind="transposed_convolution", x=x, y=y, channels=channels, border=factor)


def batch_norm(x, y):
    return dict(kind="batch_norm", x=x, y=y)


def instance_norm(x, y):
    return dict(kind="instance_norm", x=x, y=y)


def group_norm(x, y, groups):
    return dict(kind="group_norm", x=x, y=y, border=groups)


def relu(x, y):
    return dict(kind="relu", x=x, y=y)


def prelu(x, y):
    return dict(kind="prelu", x=x, y=y)


def maxout(x, y, pieces=2):
    """y[c] = max(x[c], x[c + C], …) of C channels."""
    return dict(kind="maxout", x=x, y=y, border=pieces)


def max_pool(x, y, kernel, stride):
    """The stride is that of the axes along which the kernel is longer than 1."""
    return dict(kind="max_pool", x=x, y=y, kernel=whole(kernel), border=stride)


def add(x, shortcut, y):
    return dict(kind="add", x=x, shortcut=shortcut, y=y)


def crop(x, y, border, after=None):
    """Without `border` voxels in front and `after` behind, as many where it is None."""
    return dict(kind="crop", x=x, y=y, border=border, **({} if after is None else {"after": after}))


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
