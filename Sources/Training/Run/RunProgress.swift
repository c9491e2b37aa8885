/// How far a run is: what of it changes from step to step and more than one part of it must know.
final class RunProgress {
    /// Optimiser steps done before this start.
    let firstStep: Int
    /// Optimiser steps done in all.
    var stepsDone: Int
    /// The newest step whose held-out scores are recorded, as far as this start knows.
    var scoredStep: Int?
    /// The signal by which the run stopped before its end, equal on all ranks; nil for none.
    var stopSignal: Int32?

    init(firstStep: Int, scoredStep: Int?) {
        (self.firstStep, stepsDone, self.scoredStep) = (firstStep, firstStep, scoredStep)
    }
}
