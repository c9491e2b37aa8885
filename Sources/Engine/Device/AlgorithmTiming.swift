/// How long each algorithm of a convolution takes here: forward, gradient of the weights, gradient of the
/// input.
public struct AlgorithmTiming: Sendable {
    /// Convolutions that share a shape, by name, in the order of the network.
    public let names: [String]
    public let candidates: [Candidate]

    public struct Candidate: Sendable {
        public let algorithm: ConvolutionAlgorithm
        /// Medians; zero for what the network never computes.
        public let forward, weights, data: Duration
        public var total: Duration { forward + weights + data }

        public init(algorithm: ConvolutionAlgorithm, forward: Duration, weights: Duration, data: Duration) {
            (self.algorithm, self.forward, self.weights, self.data) = (algorithm, forward, weights, data)
        }
    }

    public init(names: [String], candidates: [Candidate]) {
        (self.names, self.candidates) = (names, candidates)
    }

    /// By how much direct convolution has to win: a convolution so small that it might is not worth two runs
    /// that differ in their last bits because noise chose.
    package static let margin = 1.5

    /// Winograd's, unless the direct one is faster beyond doubt.
    public var choice: ConvolutionAlgorithm {
        func total(_ algorithm: ConvolutionAlgorithm) -> Duration? {
            candidates.first { $0.algorithm == algorithm }?.total
        }
        guard let direct = total(.direct), let winograd = total(.winograd) else { return .direct }
        return direct * Self.margin < winograd ? .direct : .winograd
    }
}

extension AlgorithmChoice {
    /// That of each convolution.
    public init(_ timings: [AlgorithmTiming]) {
        self.init()
        for timing in timings {
            for name in timing.names { named[name] = timing.choice }
        }
    }
}
