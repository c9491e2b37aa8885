import Geometry

/// The positions whose effective patch holds at least one voxel of interest: one bit a position, with running
/// counts so that the n-th position is found in logarithmic time.
///
/// Memory: one bit and, for every 512 positions, eight bytes. Which patches qualify is found once, from a
/// summed-area table that slides through the volume slice by slice, so the work is a few operations a voxel
/// whatever the patch's size, and the table takes a slice and not a volume.
struct AdmissiblePositions: PatchPositions {
    let grid: PositionGrid
    let count: Int
    /// Bit p % 64 of word p / 64 says whether position p qualifies.
    private let words: [UInt64]
    /// Positions that qualify before each group of eight words.
    private let before: [Int]

    init(in reference: [UInt8], extent: Size3, effective: Size3, isWanted: (UInt8) -> Bool) {
        precondition(reference.count == extent.count, "\(reference.count) labels for \(extent.xyz)")
        let wanted = (0...255).map { isWanted(UInt8($0)) ? Int32(1) : 0 }
        grid = PositionGrid(volume: extent, effective: effective)
        words = AdmissiblePositions.mark(
            reference, weights: wanted, extent: extent, effective: effective, positions: grid.extent)
        var before: [Int] = []
        var count = 0
        for (i, word) in words.enumerated() {
            if i % 8 == 0 { before.append(count) }
            count += word.nonzeroBitCount
        }
        self.before = before
        self.count = count
    }

    var byteCount: Int { words.count * 8 + before.count * 8 }

    func draw(_ random: inout CounterRandom) -> VoxelIndex {
        grid[position(random.integer(below: count))]
    }

    /// The n-th position that qualifies, counted from 0.
    func position(_ n: Int) -> Int {
        precondition((0..<count).contains(n), "position \(n) of \(count)")
        var low = 0
        var high = before.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if before[middle] <= n { low = middle } else { high = middle }
        }
        var rest = n - before[low]
        var place = low * 8
        while rest >= words[place].nonzeroBitCount {
            rest -= words[place].nonzeroBitCount
            place += 1
        }
        var word = words[place]
        for _ in 0..<rest { word &= word - 1 }
        return place * 64 + word.trailingZeroBitCount
    }

    private static func mark(
        _ reference: [UInt8], weights: [Int32], extent: Size3, effective: Size3, positions: Size3
    ) -> [UInt64] {
        // A patch that is larger than the volume sees all of it.
        let box = Size3 { min(effective[$0], extent[$0]) }
        let (height, width) = (extent.height, extent.width)
        var words = [UInt64](repeating: 0, count: (positions.count + 63) / 64)
        // Wanted voxels over the patch's depth, for each place of the slice.
        var columns = [Int32](repeating: 0, count: height * width)
        // Sums of `columns` over everything above and left; one row and column of zeros in front.
        var table = [Int32](repeating: 0, count: (height + 1) * (width + 1))
        reference.withUnsafeBufferPointer { labels in
            columns.withUnsafeMutableBufferPointer { columns in
                table.withUnsafeMutableBufferPointer { table in
                    words.withUnsafeMutableBufferPointer { words in
                        func addSlice(_ z: Int, sign: Int32) {
                            for i in 0..<height * width {
                                columns[i] += sign * weights[Int(labels[z * height * width + i])]
                            }
                        }
                        for z in 0..<box.depth { addSlice(z, sign: 1) }
                        for z in 0..<positions.depth {
                            if z > 0 {
                                addSlice(z - 1, sign: -1)
                                addSlice(z + box.depth - 1, sign: 1)
                            }
                            for y in 0..<height {
                                var row: Int32 = 0
                                for x in 0..<width {
                                    row += columns[y * width + x]
                                    table[(y + 1) * (width + 1) + x + 1] =
                                        table[y * (width + 1) + x + 1] + row
                                }
                            }
                            for y in 0..<positions.height {
                                let top = y * (width + 1)
                                let bottom = (y + box.height) * (width + 1)
                                for x in 0..<positions.width {
                                    let right = x + box.width
                                    let sum =
                                        table[bottom + right] - table[top + right] - table[bottom + x]
                                        + table[top + x]
                                    if sum > 0 {
                                        let p = (z * positions.height + y) * positions.width + x
                                        words[p >> 6] |= 1 << UInt64(p & 63)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        return words
    }
}
