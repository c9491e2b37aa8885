import Collectives
import Configuration
import Engine

/// All that hears of the phases of a run and of its communication: the watchdog, the timeline, the timer of
/// steps and the fault that a test has asked for.
struct Instruments {
    /// The ranks; their communication is watched and drawn.
    let communicator: any Communicator
    let watchdog: Watchdog
    /// What is drawn of this rank; nil where none is asked for.
    let timeline: Timeline?
    /// What statistics of batch norm and sums of the loss go through; the timer asks it for its times.
    let exchange: RankExchange
    let timer: StepTimer
    let phases: PhaseObservers

    /// Starts to watch. Collective.
    init(
        _ configuration: RunConfiguration, options: TrainingOptions, ranks: any Communicator
    ) throws {
        let lastWord = LastWord(runFolder: options.runFolder)
        watchdog = try Watchdog(
            seconds: Double(configuration.distributed.timeout), communicator: ranks, warn: lastWord.warn,
            expire: lastWord.say)
        timeline = options.timeline.map { _ in Timeline(capacity: Timeline.capacity(ranks: ranks.size)) }
        let drawn: [any CommunicationObserver] = timeline.map { [$0] } ?? []
        communicator = ObservedCommunicator(ranks, observers: [watchdog] + drawn)
        exchange = RankExchange(communicator)
        timer = StepTimer(exchange, ranks: ranks.size)
        let fault = FaultInjection.fromEnvironment.map { FaultInjector($0, rank: ranks.rank) }
        let optional: [(any PhaseObserver)?] = [watchdog, timeline, timer, fault]
        phases = PhaseObservers(optional.compactMap { $0 })
    }

    /// Notes an operation of the network that has run: the passes over a large patch may take longer than the
    /// timeout, an operation does not.
    func note(_ operation: OperationReport) {
        watchdog.progressed()
        timeline?.note(operation)
    }
}
