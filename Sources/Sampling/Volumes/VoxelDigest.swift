/// A short digest of a volume's voxels, which tells a file that was changed since it was written: 24 bits of
/// FNV-1a over the values as float32, so that it depends neither on how they are stored nor on compression.
public struct VoxelDigest: Hashable, Sendable, CustomStringConvertible {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    public init() {}

    public init(_ voxels: some Sequence<Float>) {
        for voxel in voxels { add(voxel) }
    }

    public init(labels: some Sequence<UInt8>) {
        for label in labels { add(Float(label)) }
    }

    mutating func add(_ voxel: Float) {
        state = (state ^ UInt64(voxel.bitPattern)) &* 0x0000_0100_0000_01b3
    }

    /// Six hexadecimal digits.
    public var description: String {
        // The upper bits depend on all that went before.
        let digits = String(state >> 40, radix: 16)
        return String(repeating: "0", count: 6 - digits.count) + digits
    }
}
