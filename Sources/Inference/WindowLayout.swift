import Engine
import Geometry

/// How a volume is covered by windows of one shape, so that one compiled plan serves all of them.
///
/// A window of `window` voxels yields the `effective` voxels in its middle; the `border` around them is
/// context that the network consumes. Effective boxes tile the volume. The last one of an axis is shifted
/// back to end with the volume, and windows reach over the volume's edge by the border at the most (or by
/// more where the network takes no window that is small enough). What lies outside the volume reads 0, the
/// value of the mean after normalisation, as in training.
public struct WindowLayout: Sendable, Equatable {
    /// Voxels of the volume.
    public let volume: Size3
    /// Voxels that a window loses on each side of each axis.
    public let border: Size3
    /// Voxels that a window yields.
    public let effective: Size3
    /// Volume position of the first effective voxel of each window, ordered by depth, height, width.
    public let origins: [VoxelIndex]

    /// Voxels that a window takes in.
    public var window: Size3 {
        Size3 { effective[$0] + 2 * border[$0] }
    }

    /// Voxels that all windows take in together: what the segmentation costs.
    public var computedVoxels: Int { origins.count * window.count }

    /// Covers `volume` with effective boxes of the given size.
    public init(volume: Size3, border: Size3, effective: Size3) {
        precondition(
            volume.count > 0 && effective.count > 0,
            "volume \(volume) and effective window \(effective) must not be empty")
        self.volume = volume
        self.border = border
        self.effective = effective
        let depths = Self.starts(length: volume.depth, step: effective.depth)
        let heights = Self.starts(length: volume.height, step: effective.height)
        let widths = Self.starts(length: volume.width, step: effective.width)
        origins = depths.flatMap { depth in
            heights.flatMap { height in widths.map { VoxelIndex(z: depth, y: height, x: $0) } }
        }
    }

    /// First voxels of the boxes that cover `0..<length`.
    static func starts(length: Int, step: Int) -> [Int] {
        stride(from: 0, to: length, by: step).map { min($0, max(0, length - step)) }
    }

    /// The layout that computes the fewest voxels with windows of at most `maximumWindowVoxels`.
    ///
    /// Every axis is cut into 1, 2, 3, … equal parts; a part is enlarged by up to 16 voxels to a length that
    /// the network takes.
    /// - Parameter accepts: whether the network takes a window of this length along this axis (0 is depth).
    /// - Returns: nil if no window is small enough.
    public static func choose(
        volume: Size3, border: Size3, maximumWindowVoxels: Int, accepts: (_ axis: Int, _ length: Int) -> Bool
    ) -> WindowLayout? {
        let candidates = (0..<3).map { axis in
            Self.parts(length: volume[axis], border: border[axis]) { accepts(axis, $0) }
        }
        var best: WindowLayout?
        for depth in candidates[0] {
            for height in candidates[1] {
                for width in candidates[2] {
                    let layout = WindowLayout(
                        volume: volume, border: border, effective: Size3(depth, height, width))
                    guard layout.window.count <= maximumWindowVoxels else { continue }
                    if best.map({ layout.computedVoxels < $0.computedVoxels }) ?? true { best = layout }
                }
            }
        }
        return best
    }

    /// Effective lengths to try along an axis, longest first.
    private static func parts(length: Int, border: Int, accepts: (Int) -> Bool) -> [Int] {
        var found: [Int] = []
        for count in 1...min(length, 16) {
            let part = (length + count - 1) / count
            let taken = (part...part + 16).first { accepts($0 + 2 * border) }
            if let taken, found.last != taken { found.append(taken) }
        }
        return found
    }
}
