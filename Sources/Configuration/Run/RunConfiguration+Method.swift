import Engine
import Losses
import Networks

extension RunConfiguration {
    /// The network (`network`).
    public struct Network: Sendable, Equatable {
        /// Default `highres3dnet`.
        public var name = Name.highres3dnet
        /// Over which patches batch norm takes its statistics; default `global`, by which the number of ranks
        /// does not change the result.
        public var batchNorm = BatchStatistics.global
        /// What follows the last convolution; default `bias`.
        public var logits = LogitsKind.bias
        /// Channels of each stage, 1 to 4,096 each, as many as the network has stages; nil (`auto`, the
        /// default) takes the paper's.
        public var widths: [Int]?
        /// Channels of the hidden 1^3 layer, 1 to 4,096; nil (`auto`, the default) takes the paper's.
        public var hidden: Int?
        /// Over what layers are normalised; nil (`auto`, the default) takes the network's own, batch norm.
        public var normalisation: Normalisation?
        /// Groups of group normalisation, 1 to 1,024; nil (`auto`, the default) is 8.
        public var groups: Int?
        /// The activation; nil (`auto`, the default) takes the network's own: ReLU, for DeepMedic PReLU.
        public var activation: Activation?
        /// Share of values that dropout takes out where the network has it, 0 to below 1; nil (`auto`, the
        /// default) takes the network's own: 0, for DeepMedic 0.5.
        public var dropout: Double?

        public typealias Name = NetworkName
    }

    /// The loss (`loss`).
    public struct Loss: Sendable, Equatable {
        /// Default `gdl`, the Generalised Dice loss.
        public var name = Name.gdl
        /// Losses that are added to it, each times a number above 0; default none.
        public var add: [Name: Double] = [:]
        /// GDL: weight of a class by its volume V in the reference; default `square`.
        public var weights = GeneralisedDiceLoss.Weights.square
        /// Over which voxels the sums of one loss run; default `image`.
        public var pooling = Pooling.image
        /// GDL: how absent classes and empty groups are treated; default `niftynet`.
        public var convention = GeneralisedDiceLoss.Convention.niftynet
        /// SS: share of the sensitivity, 0 to 1; default 0.05, the paper's.
        public var lambda = 0.05

        public typealias Name = LossName
    }

    /// The optimiser (`optimizer`). Keys of the optimiser that is not chosen are refused.
    public struct Optimizer: Sendable, Equatable {
        /// Default `adam`.
        public var name = Name.adam
        /// Above 0, at most 1000; default 1e-4.
        public var learningRate = 1e-4
        /// Adam: decay of the mean of gradients, 0 to below 1, default 0.9.
        public var beta1 = 0.9
        /// Adam: decay of the mean of squared gradients, 0 to below 1, default 0.999.
        public var beta2 = 0.999
        /// Adam: added to the root of the second moment; above 0, at most 1, default 1e-8.
        public var epsilon = 1e-8
        /// Adam: decoupled weight decay as in AdamW, a share of the learning rate; 0 to 1, default 0.
        public var weightDecay = 0.0
        /// The longest gradient, as its Euclidean norm over all parameters; a longer one is shortened to it.
        /// Above 0, at most 1e9; nil (`none`, the default) leaves all as they are.
        public var clip: Double?
        /// What a loss or gradient that is not finite does; default `stop`.
        public var nonFinite = NonFinite.stop
        /// SGD: share of the last update that goes on; 0 to below 1, default 0.9.
        public var momentum = 0.9

        public enum Name: String, ConfigurationChoice {
            case adam, sgd
        }

        public enum NonFinite: String, ConfigurationChoice {
            /// The run ends with the subject and position of the patch.
            case stop
            /// The step changes nothing, which the log says with the same words; ten in a row end the run.
            case skip
        }
    }
}

extension RunConfiguration.Network: ConfigurationSection {
    package mutating func visit(_ keys: inout KeyVisitor) throws(ConfigurationError) {
        try keys.choice("name", &name)
        try keys.choice("batch_norm", &batchNorm)
        try keys.choice("logits", &logits)
        try keys.automaticList("widths", &widths, 1...4096)
        try keys.automatic("hidden", &hidden, 1...4096)
        try keys.automaticChoice("normalisation", &normalisation)
        try keys.automatic("groups", &groups, 1...1024)
        try keys.automaticChoice("activation", &activation)
        try keys.automaticNumber("dropout", &dropout, "a number from 0 to below 1") {
            0 <= $0 && $0 < 1
        }
    }
}

extension RunConfiguration.Loss: ConfigurationSection {
    package mutating func visit(_ keys: inout KeyVisitor) throws(ConfigurationError) {
        try keys.choice("name", &name)
        try keys.weights("add", &add)
        try keys.choice("pooling", &pooling)
        // Of losses that are not chosen too: a comparison of losses changes the name alone.
        try keys.choice("weights", &weights)
        try keys.choice("convention", &convention)
        try keys.number("lambda", &lambda, "a number from 0 to 1") { 0...1 ~= $0 }
    }
}

extension RunConfiguration.Optimizer: ConfigurationSection {
    package mutating func visit(_ keys: inout KeyVisitor) throws(ConfigurationError) {
        try keys.choice("name", &name)
        try keys.number("learning_rate", &learningRate, "a number above 0, at most 1000") {
            0 < $0 && $0 <= 1000
        }
        switch name {
        case .adam:
            try keys.number("beta1", &beta1, "a number from 0 to below 1") { 0 <= $0 && $0 < 1 }
            try keys.number("beta2", &beta2, "a number from 0 to below 1") { 0 <= $0 && $0 < 1 }
            try keys.number("epsilon", &epsilon, "a number above 0, at most 1") { 0 < $0 && $0 <= 1 }
            try keys.number("weight_decay", &weightDecay, "a number from 0 to 1") { 0 <= $0 && $0 <= 1 }
            keys.skip("momentum", appliesTo: "optimizer.name: sgd")
        case .sgd:
            try keys.number("momentum", &momentum, "a number from 0 to below 1") { 0 <= $0 && $0 < 1 }
            for key in ["beta1", "beta2", "epsilon", "weight_decay"] {
                keys.skip(key, appliesTo: "optimizer.name: adam")
            }
        }
        try keys.automaticNumber("clip", &clip, "a number above 0, at most 1e9", none: "none") {
            0 < $0 && $0 <= 1e9
        }
        try keys.choice("non_finite", &nonFinite)
    }
}
