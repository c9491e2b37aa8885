import Geometry

extension Size3 {
    /// Depth, height and width as the kernels take them.
    var kernelView: (Int64, Int64, Int64) { (Int64(depth), Int64(height), Int64(width)) }
}
