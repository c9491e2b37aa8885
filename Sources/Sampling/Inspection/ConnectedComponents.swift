import Geometry

/// The connected parts of a foreground.
public enum ConnectedComponents {
    /// Voxels of each part, the largest first. Voxels that share a face, an edge or a corner are connected,
    /// and all classes above 0 count as one foreground.
    /// - Parameter reference: class indices, [z][y][x].
    public static func sizes(of reference: [UInt8], extent: Size3) -> [Int] {
        precondition(reference.count == extent.count, "\(reference.count) labels for \(extent.xyz)")
        var isOpen = reference.map { $0 != 0 }
        var sizes: [Int] = []
        var front: [Int] = []
        for start in isOpen.indices where isOpen[start] {
            isOpen[start] = false
            front.append(start)
            var size = 0
            while let voxel = front.popLast() {
                size += 1
                let index = VoxelIndex(offset: voxel, in: extent)
                for z in max(0, index.z - 1)...min(extent.depth - 1, index.z + 1) {
                    for y in max(0, index.y - 1)...min(extent.height - 1, index.y + 1) {
                        for x in max(0, index.x - 1)...min(extent.width - 1, index.x + 1) {
                            let neighbour = (z * extent.height + y) * extent.width + x
                            guard isOpen[neighbour] else { continue }
                            isOpen[neighbour] = false
                            front.append(neighbour)
                        }
                    }
                }
            }
            sizes.append(size)
        }
        return sizes.sorted(by: >)
    }
}
