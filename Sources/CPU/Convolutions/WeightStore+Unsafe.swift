import Engine

/// Where a convolution reads its weights and leaves their gradient, plain [out][in][kernel].
protocol WeightStore: AnyObject {
    var values: UnsafeMutablePointer<Float> { get }
    var gradients: UnsafeMutablePointer<Float> { get }
}

/// Weights in the model's arenas.
final class ArenaWeights: WeightStore {
    private let context: Context
    private let entry: ParameterArena.Entry

    init(_ context: Context, name: String) {
        (self.context, entry) = (context, context.model.parameters.existing(name))
    }

    var values: UnsafeMutablePointer<Float> { context.model.parameters.pointer(entry) }
    var gradients: UnsafeMutablePointer<Float> { context.gradients.pointer(entry) }
}

/// Two-dimensional weights in another order, perhaps with zeros between them, for a kernel that wants them
/// so.
final class RearrangedWeights: WeightStore {
    private let rearrangedValues, rearrangedGradients: FloatStorage
    /// The place of each weight, in the order of the model's [out][in][1][height][width].
    private let places: [Int32]

    /// - Parameters:
    ///   - count: Places, more than weights where some stay zero.
    ///   - place: That of the weight of (output, input, row, column).
    init(_ c: Graph.Convolution, count: Int, place: (Int, Int, Int, Int) -> Int) {
        (rearrangedValues, rearrangedGradients) = (FloatStorage(count: count), FloatStorage(count: count))
        var places: [Int32] = []
        places.reserveCapacity(c.outputChannels * c.inputChannels * c.kernel.count)
        for output in 0..<c.outputChannels {
            for input in 0..<c.inputChannels {
                for i in 0..<c.kernel.height {
                    for j in 0..<c.kernel.width { places.append(Int32(place(output, input, i, j))) }
                }
            }
        }
        self.places = places
    }

    var values: UnsafeMutablePointer<Float> { rearrangedValues.pointer }
    var gradients: UnsafeMutablePointer<Float> { rearrangedGradients.pointer }

    /// Copies the model's weights into `values`.
    func load(_ weights: UnsafeMutablePointer<Float>) {
        let values = values
        for (plain, place) in places.enumerated() { values[Int(place)] = weights[plain] }
    }

    /// Copies `gradients` into the model's.
    func save(_ weights: UnsafeMutablePointer<Float>) {
        let gradients = gradients
        for (plain, place) in places.enumerated() { weights[plain] = gradients[Int(place)] }
    }
}
