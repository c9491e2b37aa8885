/// Hears of the phases of a run, on the thread that trains.
public protocol PhaseObserver: AnyObject {
    /// A phase begins. What began before it goes on afterwards, or is over where nothing was said of its end.
    /// - Parameter step: the step that it belongs to: 0 before the first.
    func began(_ phase: Phase, step: Int)
    /// A phase ends, also by an error.
    func ended(_ phase: Phase, step: Int)
    /// Part of the phase that began last is done.
    func progressed()
    /// A step begins.
    func stepBegan()
    /// A step is done; not called for one that an error or a signal ends.
    func stepEnded(_ step: Int)
}

extension PhaseObserver {
    public func ended(_ phase: Phase, step: Int) {}
    public func progressed() {}
    public func stepBegan() {}
    public func stepEnded(_ step: Int) {}
}

/// All who hear of the phases of a run, in the order in which they hear of a beginning.
public struct PhaseObservers {
    private let observers: [any PhaseObserver]

    public init(_ observers: [any PhaseObserver] = []) { self.observers = observers }

    /// Says that a phase begins which lasts until the next one does.
    public func begin(_ phase: Phase, step: Int) {
        precondition(phase.span == nil, "\(phase) is drawn, and nobody says when it ends")
        for observer in observers { observer.began(phase, step: step) }
    }

    /// Runs `body` as a phase.
    public func run<Result>(
        _ phase: Phase, step: Int, _ body: () throws -> Result
    ) rethrows -> Result {
        for observer in observers { observer.began(phase, step: step) }
        defer { for observer in observers { observer.ended(phase, step: step) } }
        return try body()
    }

    /// Says that part of the phase that began last is done.
    public func progressed() { for observer in observers { observer.progressed() } }

    /// Says that a step begins.
    public func stepBegan() { for observer in observers { observer.stepBegan() } }

    /// Says that a step is done.
    public func stepEnded(_ step: Int) { for observer in observers { observer.stepEnded(step) } }
}
