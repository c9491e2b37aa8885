import Host

/// How much memory the compiled network of a sliding window may take.
public enum WindowMemory {
    /// At most half of a rank's share of the free memory, as a power of two: windows, and with them what a
    /// network sees whose own padding reaches beyond its border, should not follow every change of the
    /// machine's load.
    /// - Parameters:
    ///   - ranks: Processes of this machine that segment at the same time.
    ///   - reserved: Bytes a rank that are spoken for and not taken yet.
    ///   - free: Bytes of the whole machine; where it does not tell, 4 GiB are assumed.
    public static func bytes(ranks: Int, reserved: Int = 0, free: Int? = Memory.availableBytes) -> Int {
        precondition(ranks > 0, "\(ranks) ranks on a machine")
        let share = ((free ?? 4 << 30) / ranks - reserved) / 2
        return share < 1 ? 1 : 1 << (Int.bitWidth - 1 - share.leadingZeroBitCount)
    }
}
