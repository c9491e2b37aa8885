extension RunConfiguration {
    /// When checkpoints are written (`checkpoint`).
    public struct Checkpoint: Sendable, Equatable {
        /// Steps from one to the next; 1 to 1,000,000,000, default 100. The last step always writes one.
        public var every = 100
        /// How many stay, the newest ones; 1 to 1,000,000, default 3.
        public var keep = 3
    }

    /// When the subjects that `data.held_out` keeps out of training are segmented and scored (`evaluate`). A
    /// checkpoint is written before.
    public struct Evaluate: Sendable, Equatable {
        /// Steps from one scoring to the next, 0 to 1,000,000,000; 0, the default: none before the last step.
        public var every = 0
        /// Whether they are scored after the last step; default true.
        public var atEnd = true

        /// Whether scores of a step are asked for, in a run of `steps` steps.
        package func isDue(after step: Int, of steps: Int) -> Bool {
            (every > 0 && step > 0 && step % every == 0) || (atEnd && step >= steps)
        }
    }

    /// How ranks work together (`distributed`).
    public struct Distributed: Sendable, Equatable {
        /// How gradients are summed; default `fast`.
        public var reduction = Reduction.fast
        /// As what gradients go over the wire; default `float32`.
        public var wire = Wire.float32
        /// Size of a gradient bucket in MiB, 0.001 to 1,024. Nil (`auto`, the default): chosen after the
        /// first step, by how its backward went and by timed reductions; on more than two ranks, a fixed size
        /// makes runs repeat their bits.
        public var bucketMebibytes: Double?
        /// Seconds without progress after which the job ends; 1 to 86,400, default 300.
        public var timeout = 300
        /// Steps from one comparison of the ranks' parameters to the next, 0 to 1,000,000,000; 0: never.
        /// Default 100.
        public var compareEvery = 100

        public enum Reduction: String, ConfigurationChoice {
            /// In the order in which MPI finds it fastest.
            case fast
            /// Gradients a patch, added in one tree over the patches of all ranks: 1, 2, 4, 8, ... ranks with
            /// as many threads each give the same bits. Convolutions run by Winograd's algorithm where it
            /// applies, untimed.
            case deterministic
        }

        public enum Wire: String, ConfigurationChoice {
            case float32
            /// Rounded to 8 significant bits, which halves the bytes; not with `reduction: deterministic`.
            /// What rounding takes away is added to the next step's gradients. It is dropped whenever a
            /// checkpoint has been written, so that a run that goes on from there gives the bits of one that
            /// wrote it too and never stopped, and when a step is skipped (`optimizer.non_finite`). One rank
            /// sends nothing and rounds nothing.
            case bfloat16
        }
    }

    /// What is recorded (`log`).
    public struct Log: Sendable, Equatable {
        /// Steps from one row of metrics.csv to the next; 1 to 1,000,000, default 1.
        public var every = 1
        /// Whether TensorBoard event files are written; default true.
        public var tensorboard = true
    }
}

extension RunConfiguration.Checkpoint: ConfigurationSection {
    package mutating func visit(_ keys: inout KeyVisitor) throws(ConfigurationError) {
        try keys.integer("every", &every, 1...1_000_000_000)
        try keys.integer("keep", &keep, 1...1_000_000)
    }
}

extension RunConfiguration.Evaluate: ConfigurationSection {
    package mutating func visit(_ keys: inout KeyVisitor) throws(ConfigurationError) {
        try keys.integer("every", &every, 0...1_000_000_000)
        try keys.flag("at_end", &atEnd)
    }
}

extension RunConfiguration.Distributed: ConfigurationSection {
    package mutating func visit(_ keys: inout KeyVisitor) throws(ConfigurationError) {
        try keys.choice("reduction", &reduction)
        try keys.choice("wire", &wire)
        guard reduction == .fast || wire == .float32 else {
            throw keys.failure(
                "wire", found: "'bfloat16' with reduction 'deterministic'",
                expected: "float32: what rounding takes away depends on the number of ranks")
        }
        try keys.automaticNumber("bucket_mib", &bucketMebibytes, "a number from 0.001 to 1024") {
            (0.001...1024).contains($0)
        }
        try keys.integer("timeout", &timeout, 1...86400)
        try keys.integer("compare_every", &compareEvery, 0...1_000_000_000)
    }
}

extension RunConfiguration.Log: ConfigurationSection {
    package mutating func visit(_ keys: inout KeyVisitor) throws(ConfigurationError) {
        try keys.integer("every", &every, 1...1_000_000)
        try keys.flag("tensorboard", &tensorboard)
    }
}
