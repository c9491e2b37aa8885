/// Sums over the voxels of one pooling group (a patch, or the global batch) that overlap losses are made of.
///
/// r is the reference (1 in the voxel's class, else 0), p the softmax probability; one element a class.
public struct LossSums: Sendable, Equatable {
    /// Voxels of the group.
    public var voxels: Double
    /// V_l = sum r_l
    public var reference: [Double]
    /// P_l = sum p_l
    public var prediction: [Double]
    /// I_l = sum r_l p_l
    public var intersection: [Double]

    public init(voxels: Double, reference: [Double], prediction: [Double], intersection: [Double]) {
        self.voxels = voxels
        (self.reference, self.prediction, self.intersection) = (reference, prediction, intersection)
    }

    public static func + (a: LossSums, b: LossSums) -> LossSums {
        func sum(_ x: [Double], _ y: [Double]) -> [Double] { zip(x, y).map(+) }
        return LossSums(
            voxels: a.voxels + b.voxels, reference: sum(a.reference, b.reference),
            prediction: sum(a.prediction, b.prediction), intersection: sum(a.intersection, b.intersection))
    }
}

/// The gradient of a loss that depends on its sums only: dL/dp_ln = constant[l] + reference[l] r_ln.
public struct LossGradient: Sendable, Equatable {
    public var constant: [Double]
    public var reference: [Double]

    public init(constant: [Double], reference: [Double]) {
        (self.constant, self.reference) = (constant, reference)
    }
}

/// Over what the sums of a loss are formed.
public enum Pooling: String, Sendable, CaseIterable {
    /// A loss a patch, then the mean over the patches of the global batch (what NiftyNet does).
    case image
    /// One loss of the sums over the global batch of all ranks.
    case batch
}

/// A loss as value and gradient from per-class sums. It knows neither voxels nor ranks.
public protocol SegmentationLoss: Sendable {
    var pooling: Pooling { get }
    func value(_ sums: LossSums) -> Double
    func gradient(_ sums: LossSums) -> LossGradient
}

/// A step's outcome on the global batch, the same on all ranks.
public struct BatchReport: Sendable {
    public var loss: Double
    /// Hard Dice score of the foreground (argmax not class 0 against reference not class 0); 1 where both are empty.
    public var dice: Double
    /// Share of the reference voxels that are foreground.
    public var foregroundFraction: Double
    /// Over all slots.
    public var sums: LossSums
    /// The loss of each slot's patch alone, in slot order.
    public var slotLosses: [Double]
}
