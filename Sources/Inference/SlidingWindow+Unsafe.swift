import Engine
import Geometry

extension WindowLayout {
    /// Copies the window whose first effective voxel is `origin` out of the volume; zeros outside of it.
    /// - Parameters:
    ///   - images: `[channel][depth][height][width]` of the volume.
    ///   - input: `[channel][depth][height][width]` of the window.
    func load(
        _ images: [Float], channels: Int, at origin: VoxelIndex, into input: UnsafeMutableBufferPointer<Float>
    ) {
        let window = window
        precondition(
            input.count == channels * window.count,
            "the plan's input holds \(input.count) values, a window \(channels * window.count)")
        input.update(repeating: 0)
        let first = VoxelIndex { origin[$0] - border[$0] }
        let depths = Self.inside(first.z, window.depth, volume.depth)
        let heights = Self.inside(first.y, window.height, volume.height)
        let widths = Self.inside(first.x, window.width, volume.width)
        images.withUnsafeBufferPointer { images in
            for channel in 0..<channels {
                for depth in depths {
                    for height in heights {
                        let from =
                            ((channel * volume.depth + depth) * volume.height + height) * volume.width
                            + widths.lowerBound
                        let row =
                            (channel * window.depth + depth - first.z) * window.height
                            + height - first.y
                        let to = row * window.width + widths.lowerBound - first.x
                        _ = UnsafeMutableBufferPointer(rebasing: input[to..<to + widths.count])
                            .update(fromContentsOf: images[from..<from + widths.count])
                    }
                }
            }
        }
    }

    /// Copies a window's probabilities, `[class][depth][height][width]`, to their place in the volume's.
    func storeProbabilities(of window: [Float], classes: Int, at origin: VoxelIndex, in values: inout [Float])
    {
        values.withUnsafeMutableBufferPointer { values in
            window.withUnsafeBufferPointer { window in
                forEachRow(at: origin) { from, to, count in
                    for index in 0..<classes {
                        let target = index * volume.count + to
                        let source = index * effective.count + from
                        _ = UnsafeMutableBufferPointer(rebasing: values[target..<target + count])
                            .update(fromContentsOf: window[source..<source + count])
                    }
                }
            }
        }
    }

    /// Writes the first most probable class of each voxel of a window to its place in the volume.
    func storeLabels(of window: [Float], classes: Int, at origin: VoxelIndex, in labels: inout [UInt8]) {
        precondition(classes <= 256, "a label map holds 256 classes at the most, not \(classes)")
        labels.withUnsafeMutableBufferPointer { labels in
            window.withUnsafeBufferPointer { window in
                forEachRow(at: origin) { from, to, count in
                    for voxel in 0..<count {
                        var best = window[from + voxel]
                        var label = 0
                        for index in 1..<max(classes, 1) {
                            let candidate = window[index * effective.count + from + voxel]
                            if candidate > best {
                                best = candidate
                                label = index
                            }
                        }
                        labels[to + voxel] = UInt8(label)
                    }
                }
            }
        }
    }

    /// Calls `body` for every row of the effective box that lies in the volume, with the offsets of its first
    /// voxel in the box and in the volume and its number of voxels.
    private func forEachRow(at origin: VoxelIndex, _ body: (_ from: Int, _ to: Int, _ count: Int) -> Void) {
        let count = min(effective.width, volume.width - origin.x)
        for depth in 0..<min(effective.depth, volume.depth - origin.z) {
            for height in 0..<min(effective.height, volume.height - origin.y) {
                let to =
                    ((origin.z + depth) * volume.height + origin.y + height) * volume.width
                    + origin.x
                body((depth * effective.height + height) * effective.width, to, count)
            }
        }
    }

    /// The part of `first..<first + length` that lies in `0..<limit`.
    private static func inside(_ first: Int, _ length: Int, _ limit: Int) -> Range<Int> {
        let lower = min(max(first, 0), limit)
        return lower..<max(lower, min(first + length, limit))
    }
}
