import Geometry

/// What can go wrong when a network is compiled or run.
public enum EngineError: Error, CustomStringConvertible, Equatable {
    /// An axis of `input` is too small for the network: it would shrink to `found` voxels.
    case patchTooSmall(input: Size3, layer: String, found: Size3)
    /// Every `step`-th voxel of an axis that `step` does not divide.
    case patchNotDivisible(input: Size3, found: Size3, step: Int)
    /// Paths of the network that meet in different sizes.
    case sizesDiffer(input: Size3, first: Size3, other: Size3)
    /// An image inside the network, after `layer`, with an axis longer than any volume's.
    case imageTooLarge(input: Size3, layer: String, found: Size3, largest: Int)
    /// A parameter that the logits do not depend on, so that it has no gradient.
    case parameterNotReached(name: String)
    /// An operation wrote outside the memory that is its own; found where a plan checks its memory.
    case memoryOverwritten(operation: String)
    /// The graph's last value was never declared.
    case noOutput
    /// An axis of the patch is longer than any volume is.
    case patchTooLarge(input: Size3, largest: Int)
    /// The plan needs more memory than there is for it and the others of `plans` that share it, both in
    /// bytes.
    case memory(needed: Int, available: Int, input: Size3, slots: Int, plans: Int)
    /// oneDNN refused or failed.
    case oneDNN(operation: String, status: String)
    /// The instruction set asked for is unknown or this machine lacks it.
    case instructionSet(asked: String, available: [String])

    public var description: String {
        switch self {
        case .patchTooSmall(let input, let layer, let found):
            return
                "A patch of \(input) voxels is too small for the network: after \(layer) \(found) voxels would be left."
        case .patchNotDivisible(let input, let found, let step):
            return
                "A patch of \(input) voxels does not fit the network: an axis of \(found) voxels is not a multiple of \(step)."
        case .sizesDiffer(let input, let first, let other):
            return
                "A patch of \(input) voxels does not fit the network: its paths end in \(first) and \(other) voxels."
        case .imageTooLarge(let input, let layer, let found, let largest):
            return
                "A patch of \(input) voxels is too large for the network: after \(layer) an image has \(found) voxels, but "
                + "an axis may have \(largest)."
        case .parameterNotReached(let name):
            return
                "The network cannot be trained: its output does not depend on the parameter \(name), which would never "
                + "change; leave its layer out of the graph, or let the output depend on it."
        case .memoryOverwritten(let operation):
            return "\(operation) wrote outside the memory that is its own, which is a fault of this program."
        case .noOutput:
            return "The network's graph has no output."
        case .patchTooLarge(let input, let largest):
            return
                "A patch of \(input) voxels has an axis above \(largest) voxels, the largest that is taken."
        case .memory(let needed, let available, let input, let slots, let plans):
            let all = plans > 1 ? ", \(mebibytes(plans * needed)) MiB for the \(plans) ranks of a node" : ""
            return
                "Patches of \(input) voxels, \(slots) a rank, need \(mebibytes(needed)) MiB of memory a rank\(all), "
                + "but \(mebibytes(available)) MiB are available."
        case .oneDNN(let operation, let status):
            return "oneDNN could not run \(operation): \(status)."
        case .instructionSet(let asked, let available):
            let known = available.joined(separator: ", ")
            return "DICERANK_ISA is '\(asked)', but this machine runs one of \(known)."
        }
    }
}

package func mebibytes(_ bytes: Int) -> Int { (bytes + (1 << 20) - 1) >> 20 }
