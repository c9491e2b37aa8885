/// Voxels of an image from `lower` to before `upper`, an axis.
struct Box: Hashable {
    var lower: Size3
    var upper: Size3

    /// All voxels of an image.
    init(_ size: Size3) { (lower, upper) = (Size3(0, 0, 0), size) }

    init(lower: Size3, upper: Size3) { (self.lower, self.upper) = (lower, upper) }

    func range(_ axis: Int) -> Range<Int> { lower[axis]..<max(lower[axis], upper[axis]) }

    /// The smallest box around both.
    func union(_ other: Box) -> Box {
        Box(
            lower: lower.map { min(lower[$0], other.lower[$0]) },
            upper: upper.map { max(upper[$0], other.upper[$0]) })
    }
}
