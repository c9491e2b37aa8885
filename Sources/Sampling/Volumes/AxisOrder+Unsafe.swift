import Geometry

extension AxisOrder {
    /// Values in this order.
    /// - Parameters:
    ///   - values: [image][z][y][x] as in the file, any number of images.
    ///   - stored: The size of an image in the file.
    public func reordered<Element: BitwiseCopyable>(_ values: [Element], stored: Size3) -> [Element] {
        self == .stored
            ? values : moved(values, stored: stored) { to, from, ordered, file in to[ordered] = from[file] }
    }

    /// Values as in the file: the inverse of ``reordered(_:stored:)``.
    public func restored<Element: BitwiseCopyable>(_ values: [Element], stored: Size3) -> [Element] {
        self == .stored
            ? values : moved(values, stored: stored) { to, from, ordered, file in to[file] = from[ordered] }
    }

    /// Calls `move` with the offsets of every voxel in this order and in the file.
    @inline(__always)
    private func moved<Element: BitwiseCopyable>(
        _ values: [Element], stored: Size3,
        _ move: (
            UnsafeMutableBufferPointer<Element>, UnsafeBufferPointer<Element>, _ ordered: Int, _ file: Int
        ) -> Void
    ) -> [Element] {
        precondition(values.count % stored.count == 0, "\(values.count) values in images of \(stored.xyz)")
        let strides = [stored.height * stored.width, stored.width, 1]
        let steps = axes.map { strides[$0] }
        let extent = extent(stored)
        return [Element](unsafeUninitializedCapacity: values.count) { to, count in
            values.withUnsafeBufferPointer { from in
                var ordered = 0
                for image in stride(from: 0, to: values.count, by: stored.count) {
                    for depth in 0..<extent.depth {
                        for height in 0..<extent.height {
                            let row = image + depth * steps[0] + height * steps[1]
                            for width in 0..<extent.width {
                                move(to, from, ordered, row + width * steps[2])
                                ordered += 1
                            }
                        }
                    }
                }
            }
            count = values.count
        }
    }
}
