/// A size in voxels along depth (z, slowest in memory), height (y) and width (x, fastest). A 2D image has
/// depth 1.
///
/// The same three numbers serve for what else has one value an axis: kernels, strides, margins.
public struct Size3: Hashable, Sendable, CustomStringConvertible {
    public var depth, height, width: Int

    public init(_ depth: Int, _ height: Int, _ width: Int) {
        (self.depth, self.height, self.width) = (depth, height, width)
    }

    public init(cube side: Int) { self.init(side, side, side) }

    /// The size whose every axis is `length` of the axis's number.
    public init(_ length: (_ axis: Int) -> Int) { self.init(length(0), length(1), length(2)) }

    /// The number of voxels.
    public var count: Int { depth * height * width }

    /// Axis 0 is depth, 1 height, 2 width.
    public subscript(axis: Int) -> Int {
        get {
            switch axis {
            case 0: depth
            case 1: height
            case 2: width
            default: preconditionFailure("axis \(axis) of a size with three axes")
            }
        }
        set {
            switch axis {
            case 0: depth = newValue
            case 1: height = newValue
            case 2: width = newValue
            default: preconditionFailure("axis \(axis) of a size with three axes")
            }
        }
    }

    /// Depth x height x width, the order of patches in configurations: `19x67x67`.
    public var description: String { "\(depth)x\(height)x\(width)" }

    /// Width x height x depth, the order in which NIfTI tools print a shape: `240 x 240 x 155`.
    public var xyz: String { "\(width) x \(height) x \(depth)" }
}
