import CKernels
import Engine

/// The positions of a layout that hold no voxel. Passes leave there whatever was there; who sums over
/// positions rather than voxels, as oneDNN does, clears them first.
struct Gaps {
    private let runs: VoxelRuns?

    init(_ layout: Layout) { runs = layout.hasGaps ? VoxelRuns(layout, gaps: true) : nil }

    /// Zeros them in a tensor of the layout.
    func clear(_ x: Tensor, threads: Int) {
        if let runs { CPU.clear(x, runs, threads: threads) }
    }
}

/// The voxels of a layout, or its gaps, as runs of positions, in groups that are the unit of parallel work.
///
/// The groups depend on the layout only; so sums over them do not depend on the number of threads.
final class VoxelRuns {
    /// Positions a group, about: 64 KiB of one block, which fits a core's L2 with its neighbours.
    private static let groupPositions = 2048

    private let runs: UnsafeMutableBufferPointer<dr_run>
    private let starts: UnsafeMutableBufferPointer<Int32>

    /// - Parameter gaps: The positions between the voxels instead.
    init(_ layout: Layout, gaps: Bool = false) {
        let all = Self.segments(layout, gaps: gaps)
        var starts: [Int32] = [0]
        var positions = 0
        for (index, run) in all.enumerated() {
            positions += Int(run.count)
            if positions >= Self.groupPositions || index == all.count - 1 {
                starts.append(Int32(index + 1))
                positions = 0
            }
        }
        runs = .allocate(capacity: all.count)
        _ = runs.initialize(from: all)
        self.starts = .allocate(capacity: starts.count)
        _ = self.starts.initialize(from: starts)
    }

    deinit {
        runs.deallocate()
        starts.deallocate()
    }

    var groupCount: Int { starts.count - 1 }

    var kernelView: dr_runs {
        dr_runs(runs: runs.baseAddress, group_starts: starts.baseAddress, group_count: Int32(groupCount))
    }

    private static func segments(_ layout: Layout, gaps: Bool) -> [dr_run] {
        let extent = layout.extent
        let occupied = (0..<3).map { axis in
            var flags = [Bool](repeating: false, count: extent[axis])
            for position in layout.positions(axis) { flags[position] = true }
            return flags
        }
        var runs: [dr_run] = []
        var position: Int32 = 0
        for z in 0..<extent.depth {
            for y in 0..<extent.height {
                let row = occupied[0][z] && occupied[1][y]
                for x in 0..<extent.width {
                    defer { position += 1 }
                    guard (row && occupied[2][x]) != gaps else { continue }
                    if let last = runs.last, last.offset + last.count == position, last.count < groupPositions
                    {
                        runs[runs.count - 1].count += 1
                    } else {
                        runs.append(dr_run(offset: position, count: 1))
                    }
                }
            }
        }
        return runs
    }
}
