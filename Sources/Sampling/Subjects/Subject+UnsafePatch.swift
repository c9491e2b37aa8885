import Geometry

extension Subject {
    /// Copies a box of every image to `destination`, [channel][depth][height][width].
    ///
    /// Voxels of the box that lie outside the volume become 0. After z-scoring that is the mean of the mask;
    /// it is also what a convolution's own padding sees.
    public func copyImages(in box: VoxelBox, to destination: UnsafeMutableBufferPointer<Float>) {
        precondition(
            destination.count == channels * box.size.count,
            "a buffer of \(destination.count) for \(channels) x \(box.size.xyz)")
        images.withUnsafeBufferPointer { source in
            for channel in 0..<channels {
                let from = source[channel * extent.count..<(channel + 1) * extent.count]
                let to = destination[channel * box.size.count..<(channel + 1) * box.size.count]
                copyBox(
                    box, of: UnsafeBufferPointer(rebasing: from), extent: extent,
                    to: UnsafeMutableBufferPointer(rebasing: to))
            }
        }
    }

    /// Copies a box of the reference to `destination`, [depth][height][width]. Outside the volume is
    /// background, 0.
    ///
    /// - Returns: the number of foreground voxels (class > 0) in the box.
    @discardableResult
    public func copyReference(in box: VoxelBox, to destination: UnsafeMutableBufferPointer<UInt8>) -> Int {
        guard let reference else { preconditionFailure("subject \(name) was read without its reference") }
        precondition(
            destination.count == box.size.count, "a buffer of \(destination.count) for \(box.size.xyz)")
        reference.withUnsafeBufferPointer { copyBox(box, of: $0, extent: extent, to: destination) }
        var foreground = 0
        for label in destination where label != 0 {
            foreground += 1
        }
        return foreground
    }
}

extension Subject {
    /// Copies a box of a soft reference to `destination`, [class][depth][height][width], the background's
    /// first. Outside the volume is background, 1.
    public func copyProbabilities(in box: VoxelBox, to destination: UnsafeMutableBufferPointer<Float>) {
        guard let probabilities else { preconditionFailure("subject \(name) has no soft reference") }
        let (voxels, classes) = (box.size.count, probabilities.count / extent.count + 1)
        precondition(
            destination.count == classes * voxels,
            "a buffer of \(destination.count) for \(classes) x \(box.size.xyz)")
        let background = UnsafeMutableBufferPointer(rebasing: destination[..<voxels])
        background.update(repeating: 1)
        probabilities.withUnsafeBufferPointer { source in
            for index in 1..<classes {
                let from = source[(index - 1) * extent.count..<index * extent.count]
                let to = UnsafeMutableBufferPointer(
                    rebasing: destination[index * voxels..<(index + 1) * voxels])
                copyBox(box, of: UnsafeBufferPointer(rebasing: from), extent: extent, to: to)
                for voxel in 0..<voxels { background[voxel] -= to[voxel] }
            }
        }
        // Of several classes, rounding may take it below.
        for voxel in 0..<voxels { background[voxel] = max(0, background[voxel]) }
    }
}

/// Copies the part of `box` that lies inside an array [z][y][x] of size `extent` row by row; the rest becomes
/// zero.
private func copyBox<Element: BitwiseCopyable & ExpressibleByIntegerLiteral>(
    _ box: VoxelBox, of source: UnsafeBufferPointer<Element>, extent: Size3,
    to destination: UnsafeMutableBufferPointer<Element>
) {
    guard let from = source.baseAddress, let to = destination.baseAddress else { return }
    let (origin, size) = (box.origin, box.size)
    let columns = (origin.x..<origin.x + size.width).clamped(to: 0..<extent.width)
    for d in 0..<size.depth {
        let z = origin.z + d
        for h in 0..<size.height {
            let y = origin.y + h
            let row = to + (d * size.height + h) * size.width
            guard (0..<extent.depth).contains(z), (0..<extent.height).contains(y), !columns.isEmpty else {
                row.update(repeating: 0, count: size.width)
                continue
            }
            let front = columns.lowerBound - origin.x
            let behind = size.width - front - columns.count
            row.update(repeating: 0, count: front)
            let start = (z * extent.height + y) * extent.width + columns.lowerBound
            (row + front).update(from: from + start, count: columns.count)
            (row + front + columns.count).update(repeating: 0, count: behind)
        }
    }
}
