/// Sums over the voxels of one pooling group (a patch, or the global batch) that losses are made of.
///
/// r is the reference (1 in the voxel's class, else 0; or a probability, 0...1, where the reference is soft),
/// p the softmax probability; one element a class.
public struct LossSums: Sendable, Equatable {
    /// Voxels of the group.
    public var voxels: Double
    /// V_l = sum r_l
    public var reference: [Double]
    /// P_l = sum p_l
    public var prediction: [Double]
    /// I_l = sum r_l p_l
    public var intersection: [Double]
    /// A_l = sum r_l (r_l - p_l)^2
    public var errorInside: [Double]
    /// B_l = sum (1 - r_l) (r_l - p_l)^2
    public var errorOutside: [Double]
    /// C_l = sum r_l log p_l, natural logarithm
    public var logLikelihood: [Double]

    /// The sums that are left out are zero: not every loss has them.
    public init(
        voxels: Double, reference: [Double], prediction: [Double], intersection: [Double],
        errorInside: [Double]? = nil, errorOutside: [Double]? = nil, logLikelihood: [Double]? = nil
    ) {
        let zeros = [Double](repeating: 0, count: reference.count)
        self.voxels = voxels
        (self.reference, self.prediction, self.intersection) = (reference, prediction, intersection)
        (self.errorInside, self.errorOutside) = (errorInside ?? zeros, errorOutside ?? zeros)
        self.logLikelihood = logLikelihood ?? zeros
    }

    /// The sums of each class one after the other, as the kernels write them.
    package static let perClass = 6

    /// - Parameter values: [sum][class], then whatever.
    package init(voxels: Double, classes: Int, values: ArraySlice<Double>) {
        func part(_ k: Int) -> [Double] { Array(values.dropFirst(k * classes).prefix(classes)) }
        self.init(
            voxels: voxels, reference: part(0), prediction: part(1), intersection: part(2),
            errorInside: part(3), errorOutside: part(4), logLikelihood: part(5))
    }

    public static func + (a: LossSums, b: LossSums) -> LossSums {
        func sum(_ x: [Double], _ y: [Double]) -> [Double] { zip(x, y).map(+) }
        return LossSums(
            voxels: a.voxels + b.voxels, reference: sum(a.reference, b.reference),
            prediction: sum(a.prediction, b.prediction), intersection: sum(a.intersection, b.intersection),
            errorInside: sum(a.errorInside, b.errorInside), errorOutside: sum(a.errorOutside, b.errorOutside),
            logLikelihood: sum(a.logLikelihood, b.logLikelihood))
    }
}

/// The gradient of a loss that depends on its sums only, by the sums' derivatives:
///
///     dL/dp_l = constant_l + reference_l r_l + 2 (p_l - r_l) (inside_l r_l + outside_l (1 - r_l)) +
///     likelihood_l r_l / p_l
public struct LossGradient: Sendable, Equatable {
    /// dL/dP_l
    public var constant: [Double]
    /// dL/dI_l
    public var reference: [Double]
    /// dL/dA_l
    public var inside: [Double]
    /// dL/dB_l
    public var outside: [Double]
    /// dL/dC_l
    public var likelihood: [Double]

    /// The derivatives that are left out are zero.
    public init(
        constant: [Double], reference: [Double], inside: [Double]? = nil, outside: [Double]? = nil,
        likelihood: [Double]? = nil
    ) {
        let zeros = [Double](repeating: 0, count: constant.count)
        (self.constant, self.reference) = (constant, reference)
        (self.inside, self.outside) = (inside ?? zeros, outside ?? zeros)
        self.likelihood = likelihood ?? zeros
    }

    /// All derivatives zero.
    public init(classes: Int) {
        let zeros = [Double](repeating: 0, count: classes)
        self.init(constant: zeros, reference: zeros)
    }

    public static func * (gradient: LossGradient, factor: Double) -> LossGradient {
        func scaled(_ values: [Double]) -> [Double] { values.map { $0 * factor } }
        return LossGradient(
            constant: scaled(gradient.constant), reference: scaled(gradient.reference),
            inside: scaled(gradient.inside), outside: scaled(gradient.outside),
            likelihood: scaled(gradient.likelihood))
    }

    public static func + (a: LossGradient, b: LossGradient) -> LossGradient {
        func sum(_ x: [Double], _ y: [Double]) -> [Double] { zip(x, y).map(+) }
        return LossGradient(
            constant: sum(a.constant, b.constant), reference: sum(a.reference, b.reference),
            inside: sum(a.inside, b.inside), outside: sum(a.outside, b.outside),
            likelihood: sum(a.likelihood, b.likelihood))
    }

    /// [derivative][class], as the kernels read it.
    package var values: [Double] { constant + reference + inside + outside + likelihood }
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
    /// Hard Dice score of the foreground (argmax not class 0 against reference not class 0); 1 where both are
    /// empty.
    public var dice: Double
    /// Share of the reference voxels that are foreground.
    public var foregroundFraction: Double
    /// Over all slots.
    public var sums: LossSums
    /// Of each slot's patch alone, in slot order.
    public var slotSums: [LossSums]
    /// The loss of each slot's patch alone, in slot order.
    public var slotLosses: [Double]

    /// What another loss would have said of this batch.
    public func value(of loss: any SegmentationLoss) -> Double {
        switch loss.pooling {
        case .image: slotSums.map(loss.value).reduce(0, +) / Double(slotSums.count)
        case .batch: loss.value(sums)
        }
    }
}
