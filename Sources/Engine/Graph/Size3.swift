/// An extent in voxels along depth (slowest in memory), height and width (fastest). A 2D image has depth 1.
public struct Size3: Hashable, Sendable, CustomStringConvertible {
    public var depth, height, width: Int

    public init(_ depth: Int, _ height: Int, _ width: Int) {
        (self.depth, self.height, self.width) = (depth, height, width)
    }

    public init(cube side: Int) { self.init(side, side, side) }

    /// The number of voxels.
    public var count: Int { depth * height * width }

    public subscript(axis: Int) -> Int {
        get { axis == 0 ? depth : axis == 1 ? height : width }
        set {
            switch axis {
            case 0: depth = newValue
            case 1: height = newValue
            default: width = newValue
            }
        }
    }

    /// The size whose every axis is `body` of the axis's number.
    func map(_ body: (_ axis: Int) -> Int) -> Size3 { Size3(body(0), body(1), body(2)) }

    /// Depth, height and width as the kernels take them.
    var kernelView: (Int64, Int64, Int64) { (Int64(depth), Int64(height), Int64(width)) }

    public var description: String { "\(depth)x\(height)x\(width)" }
}
