import Collectives
import Configuration
import Engine
import Inference
import Training

/// What `bench scaling` measures. Collective.
struct ScalingMeasurement {
    let ranks: Int
    /// Of a rank.
    let threads: Int, slots: Int
    /// Values of the gradients.
    let parameters: Int
    /// With `slots` patches and with one; the computation is that of the slowest rank.
    let work: PatchWork
    /// Nil on one rank.
    let timings: LinkTimings?
    let groups: [GroupStep]

    /// Steps of groups of ranks, all groups at once.
    struct GroupStep {
        let ranks: Int
        let bucketBytes: Int
        /// The median step of the slowest rank.
        let seconds: Double
    }

    init(
        _ configuration: RunConfiguration, channels: Int, steps: Int, slots: Int, world: any Communicator
    ) throws {
        let placement = try Placement.query(
            on: world, threads: configuration.threads.map { .exactly($0) } ?? .automatic)
        (ranks, threads, self.slots) = (world.size, placement.threads, slots)
        let bench = StepBench(
            configuration: configuration, channels: channels, steps: steps, threads: placement.threads,
            world: world)
        let measured = try bench.alone(slots: slots, algorithms: nil)
        parameters = measured.parameters
        let single =
            slots > 1 ? try bench.alone(slots: 1, algorithms: measured.algorithms).work : measured.work
        work = PatchWork(one: single, many: measured.work, patches: slots)
        timings = try LinkTimings(on: world)
        groups = try Self.groupSizes(ranks).map {
            try bench.together(ranks: $0, slots: slots, algorithms: measured.algorithms)
        }
    }

    /// Powers of two, and all.
    private static func groupSizes(_ ranks: Int) -> [Int] {
        let powers = sequence(first: 2) { $0 * 2 }.prefix { $0 < ranks }
        return ranks > 1 ? powers + [ranks] : []
    }
}

extension StepWork {
    /// With what ranks tell each other before each step; a rank that is measured alone has nobody to tell.
    var withAgreement: StepWork {
        StepWork(
            computeSeconds: computeSeconds, profile: profile, exchanges: exchanges + [StepAgreement.bytes])
    }
}

/// Times steps on random data.
private struct StepBench {
    let configuration: RunConfiguration
    let channels: Int, steps: Int, threads: Int
    let world: any Communicator

    /// Every rank by itself, all at once.
    func alone(
        slots: Int, algorithms: AlgorithmChoice?
    ) throws -> (work: StepWork, parameters: Int, algorithms: AlgorithmChoice) {
        let solo = SoloCommunicator()
        let exchange = CountingExchange(RankExchange(solo))
        let random = try world.together {
            try self.step(slots: slots, on: solo, algorithms: algorithms, exchange: exchange)
        }
        var samples: [(seconds: Double, profile: BackwardProfile)] = []
        _ = try random.seconds()
        for _ in 0..<steps {
            exchange.reset()
            try world.barrier()
            samples.append((try random.seconds(), random.step.reducer.profile))
        }
        let slowest = try world.allReduce(Self.median(samples.map(\.seconds)), .maximum)
        let profile = samples.sorted { $0.seconds < $1.seconds }[(steps - 1) / 2].profile
        return (
            StepWork(computeSeconds: slowest, profile: profile, exchanges: exchange.bytes),
            random.step.model.parameters.count,
            // Which exchanges overlap follows from it: ranks that communicate must have one.
            AlgorithmChoice(text: try world.broadcast(random.step.algorithms.text, from: 0))
        )
    }

    /// Groups of `ranks` ranks; those that are left over work beside them, so that all cores are as busy.
    func together(ranks: Int, slots: Int, algorithms: AlgorithmChoice) throws -> ScalingMeasurement.GroupStep
    {
        let group = try world.split(color: world.rank / ranks, key: world.rank)
        let random = try world.together {
            try self.step(slots: slots, on: group, algorithms: algorithms, exchange: nil)
        }
        _ = try random.seconds()
        if configuration.distributed.bucketMebibytes == nil { _ = try random.step.reducer.tuneBuckets() }
        var samples: [Double] = []
        for _ in 0..<steps {
            try world.barrier()
            samples.append(try random.seconds())
        }
        let seconds = group.size == ranks ? Self.median(samples) : 0
        return ScalingMeasurement.GroupStep(
            ranks: ranks, bucketBytes: random.step.reducer.bucketCount * MemoryLayout<Float>.stride,
            seconds: try world.allReduce(seconds, .maximum))
    }

    private func step(
        slots: Int, on communicator: any Communicator, algorithms: AlgorithmChoice?,
        exchange: (any SlotExchange)?
    ) throws -> RandomStep {
        var shared = configuration
        shared.batch = slots * communicator.size
        return try RandomStep(
            shared, channels: channels, device: try DeviceChoice.device(threads: threads),
            communicator: communicator,
            algorithms: algorithms, exchange: exchange)
    }

    /// - Parameter seconds: of at least one step.
    private static func median(_ seconds: [Double]) -> Double { Quartiles(of: seconds)?.median ?? 0 }
}
