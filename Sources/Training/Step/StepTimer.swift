import Collectives

/// Where the time of a step went, in seconds.
struct StepTimes: Equatable {
    /// The whole step, from the wait for its patches to the update of the parameters.
    var step = 0.0
    /// Waiting for patches.
    var data = 0.0
    /// In communication that computation did not hide, waiting for slower ranks included.
    var communication = 0.0
    /// The part of `communication` that the gradients' reduction took.
    var reduction = 0.0
    /// What the reduction takes with no computation beside it; 0 where that was not measured.
    var baseline = 0.0

    static func += (total: inout StepTimes, one: StepTimes) {
        total.step += one.step
        total.data += one.data
        total.communication += one.communication
        total.reduction += one.reduction
        total.baseline += one.baseline
    }
}

/// Measures where the time of a step goes.
final class StepTimer: PhaseObserver {
    private let exchange: RankExchange
    private let ranks: Int
    private var stepBegin = ContinuousClock.now
    private var phaseBegin = ContinuousClock.now
    private var exchangedBefore = 0.0
    private var times = StepTimes()

    /// - Parameter exchange: what statistics and sums of the loss go through.
    init(_ exchange: RankExchange, ranks: Int) { (self.exchange, self.ranks) = (exchange, ranks) }

    func stepBegan() {
        stepBegin = .now
        exchangedBefore = exchange.seconds
        times = StepTimes()
    }

    func began(_ phase: Phase, step: Int) {
        if phase.column != nil { phaseBegin = .now }
    }

    func ended(_ phase: Phase, step: Int) {
        // A rank that is alone waits for nobody.
        guard let column = phase.column, ranks > 1 || column != \.communication else { return }
        times[keyPath: column] += phaseBegin.secondsToNow
    }

    /// The times of the step that began last, up to now.
    /// - Parameter reduction: of its gradients.
    func times(_ reduction: ReductionTimes) -> StepTimes {
        var times = times
        times.step = stepBegin.secondsToNow
        times.communication += exchange.seconds - exchangedBefore + reduction.communicationSeconds
        times.reduction = reduction.communicationSeconds
        times.baseline = reduction.baselineSeconds ?? 0
        return times
    }
}
