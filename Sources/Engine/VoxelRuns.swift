import CKernels

/// The voxels of a layout as runs, in groups that are the unit of parallel work.
///
/// The groups depend on size and dilation only; so sums over them do not depend on the number of threads.
final class VoxelRuns {
    /// Voxels a group, about: 128 KiB of one block, which fits a core's L2.
    private static let groupVoxels = 2048

    private let runs: UnsafeMutableBufferPointer<dr_run>
    private let starts: UnsafeMutableBufferPointer<Int32>

    /// - Parameter tail: The runs beyond the image instead of those of it.
    init(_ layout: Layout, tail: Bool = false) {
        let all = Self.segments(layout, tail: tail)
        var starts: [Int32] = [0]
        var voxels = 0
        for (index, run) in all.enumerated() {
            voxels += Int(run.count)
            if voxels >= Self.groupVoxels || index == all.count - 1 {
                starts.append(Int32(index + 1))
                voxels = 0
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

    private static func segments(_ layout: Layout, tail: Bool) -> [dr_run] {
        let (size, extent, steps) = (layout.size, layout.extent, layout.steps)
        var runs: [dr_run] = []
        func append(phase: Int, offset: Int, count: Int) {
            var (offset, count) = (offset, count)
            while count > 0 {
                let room = runs.last.map { groupVoxels - Int($0.count) } ?? 0
                if let last = runs.last, last.phase == Int32(phase), Int(last.offset + last.count) == offset,
                    room > 0
                {
                    let taken = min(room, count)
                    runs[runs.count - 1].count += Int32(taken)
                    (offset, count) = (offset + taken, count - taken)
                } else {
                    let taken = min(groupVoxels, count)
                    runs.append(dr_run(phase: Int32(phase), offset: Int32(offset), count: Int32(taken)))
                    (offset, count) = (offset + taken, count - taken)
                }
            }
        }
        for phase in 0..<layout.phases {
            let rest = phase / steps.width
            let first = Size3(rest / steps.height, rest % steps.height, phase % steps.width)
            let valid = size.map { max(0, (size[$0] - first[$0] + steps[$0] - 1) / steps[$0]) }
            for z in 0..<extent.depth {
                for y in 0..<extent.height {
                    let row = (z * extent.height + y) * extent.width
                    let inside = z < valid.depth && y < valid.height ? valid.width : 0
                    if tail {
                        append(phase: phase, offset: row + inside, count: extent.width - inside)
                    } else {
                        append(phase: phase, offset: row, count: inside)
                    }
                }
            }
        }
        return runs
    }
}
