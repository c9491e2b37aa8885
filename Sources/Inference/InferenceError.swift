import Engine
import Geometry

/// Why a volume cannot be segmented.
public enum InferenceError: Error, Equatable, CustomStringConvertible {
    /// The network takes no cubic window of up to 512 voxels.
    case noWindow(volume: Size3)
    /// The network does not take the window that was asked for.
    case windowRefused(window: Size3, border: Size3)
    /// Even a small window needs more memory than is allowed.
    case memory(allowedBytes: Int, window: Size3, neededBytes: Int)

    public var description: String {
        switch self {
        case .noWindow(let volume):
            return "The network takes no window of up to 512 voxels a side for a volume of \(volume) voxels."
        case .windowRefused(let window, let border):
            return
                "The network does not take a window of \(window) voxels; it must exceed twice the border of "
                + "\(border) voxels and meet what the network asks of its input size."
        case .memory(let allowed, let window, let needed):
            return
                "A window of \(window) voxels needs about \(needed >> 20) MiB, and \(allowed >> 20) MiB are "
                + "allowed; at least that much is expected to be free."
        }
    }
}
