import CMPI
import Foundation
import Host

/// The scope in which the ranks of a job exist.
///
/// How the scope ends, when MPI started it:
/// - `body` returns on all ranks: MPI is finalised and the value returned. A rank that returns early waits
///   for the others.
/// - `body` throws, and within `patience` all other ranks have thrown or returned as well: the lowest rank
///   that threw reports its sentence, once for the whole job; MPI is finalised, and *all* ranks throw
///   `ReportedFailure`, so that each exits with a code other than 0 and says no more. When not all ranks
///   threw the same, the sentence begins with the rank and its host.
/// - `body` throws while others are still in it, who then would wait for this rank for ever: after `patience`
///   this rank reports its sentence, with its rank and host, and ends the job with `MPI_Abort`.
///
/// For failures that can be foreseen on single ranks, `Communicator.together` makes all ranks throw at once,
/// and so gives the second ending instead of the third.
public enum World {
    /// Runs `body` on all ranks of the job, if a launcher such as `mpirun` started this process, else alone.
    ///
    /// Without a launcher the MPI library is not touched, and what `body` throws is thrown unchanged. With
    /// one, a library that is missing or does not belong to it is a `LaunchError`, reported by one rank a
    /// node; a job of N ranks never becomes N jobs of one. May be called once in a process. A
    /// `ReportedFailure` has been said: the caller exits with its code and prints nothing.
    /// - Parameters:
    ///   - patience: how long a rank that threw waits for the others.
    ///   - report: what is done with the sentence of a failure; by default it goes to standard error.
    public static func run<Result>(
        patience: Duration = .seconds(3), report: (String) -> Void = World.reportOnStandardError,
        _ body: (any Communicator) throws -> Result
    ) throws -> Result {
        guard let launch = Launch.current() else { return try body(SoloCommunicator()) }
        let scope: MPIScope
        do {
            scope = try MPIScope(launch)
        } catch {
            // A bad launch is bad for the whole node: one rank says so, and is heard before the others exit.
            if error is LaunchError, (launch.localRank ?? 0) > 0 {
                Thread.sleep(forTimeInterval: 0.5)
            } else {
                report("\(error)")
            }
            throw ReportedFailure(description: "\(error)")
        }
        let outcome = Swift.Result { try body(scope.world) }
        if let failure = try scope.end(sentence: outcome.failureSentence, patience: patience, report: report)
        {
            throw failure
        }
        return try outcome.get()
    }

    /// Says one sentence on standard error, as a failure is reported unless a caller has a way of its own.
    public static func reportOnStandardError(_ sentence: String) {
        StandardError.write("Error: \(sentence)\n")
    }
}

/// MPI from its initialisation to its end.
struct MPIScope {
    let world: MPICommunicator
    /// Carries nothing but the end of the scope, so that a rank that failed disturbs no operation of the
    /// others.
    private let farewell: MPICommunicator

    /// The corresponding C function is `MPI_Init_thread`.
    init(_ launch: Launch) throws {
        if launch.launcher == .slurmWithoutMPI { throw LaunchError.noPlugin(tasks: launch.size ?? 1) }
        let library: MPILibrary
        do {
            library = try MPILibrary.load()
        } catch {
            throw LaunchError.noLibrary(launch.launcher, error)
        }
        precondition(!cmpi_is_initialized(), "World.run was called twice in one process")
        let before = Caller(rank: -1, size: launch.size ?? 1, host: Machine.name)
        var support = cmpi_threads_single
        try before.check("MPI_Init_thread", cmpi_init(&support))
        let name = "\(library.summary) (\(library.path))"
        world = try MPICommunicator(handle: cmpi_comm_world())
        if let announced = launch.size, announced > 1, world.size == 1 {
            _ = cmpi_finalize()
            throw LaunchError.strangers(launch.launcher, announced: announced, found: 1, library: name)
        }
        guard support.rawValue >= cmpi_threads_funneled.rawValue else {
            _ = cmpi_finalize()
            throw LaunchError.noThreads(library: name)
        }
        var copy: cmpi_comm = 0
        try world.check("MPI_Comm_dup", cmpi_comm_dup(world.handle, &copy))
        farewell = MPICommunicator(handle: copy, of: world)
    }

    /// Ends MPI as `World` documents; `sentence` is that of this rank's failure. Returns the failure of the
    /// job.
    func end(sentence: String?, patience: Duration, report: (String) -> Void) throws -> ReportedFailure? {
        let deadline = ContinuousClock.now + patience
        guard let states = try exchangeStates(sentence, deadline: sentence == nil ? nil : deadline) else {
            abort(sentence ?? "", report)
        }
        let failing = states.indices.filter { states[$0].failed }
        if failing.isEmpty {
            for request in world.allPending { try request.wait() }
            try world.check("MPI_Finalize", cmpi_finalize())
            return nil
        }
        let failure = RankFailure(
            size: world.size, failing: failing, host: world.hostNames[failing[0]],
            sentence: try farewell.broadcast(sentence ?? "", from: failing[0]),
            unanimous: failing.count == world.size && Set(states.map(\.digest)).count == 1)
        if world.rank == failing[0] { report("\(failure)") }
        // Nobody exits, upon which the launcher ends all others, before the sentence is out.
        try farewell.barrier()
        guard try drain(deadline: deadline) else {
            cmpi_abort(1)
            exit(1)
        }
        _ = cmpi_finalize()
        return ReportedFailure(description: "\(failure)")
    }

    private func abort(_ sentence: String, _ report: (String) -> Void) -> Never {
        let failure = RankFailure(
            size: world.size, failing: [world.rank], host: world.caller.host, sentence: sentence,
            unanimous: false)
        report("\(failure)")
        cmpi_abort(1)
        exit(1)
    }

    /// Waits for the operations under way, which other ranks may never have started. False if some are left.
    private func drain(deadline: ContinuousClock.Instant) throws -> Bool {
        for request in world.allPending {
            while try !request.test() {
                guard ContinuousClock.now < deadline else { return false }
                Thread.sleep(forTimeInterval: 0.001)
            }
        }
        return true
    }

    /// The states of all ranks at the end of the scope; nil if some have not come there by `deadline`.
    private func exchangeStates(
        _ sentence: String?, deadline: ContinuousClock.Instant?
    ) throws -> [EndState]? {
        let request = try GatherRequest(EndState(sentence).words, on: farewell)
        while try !request.test() {
            if let deadline, ContinuousClock.now >= deadline { return nil }
            Thread.sleep(forTimeInterval: 0.0005)
        }
        return request.result.map(EndState.init(words:))
    }
}

/// What a rank says of itself at the end of the scope.
private struct EndState {
    var failed: Bool
    /// FNV-1a of the sentence.
    var digest: UInt64

    init(_ sentence: String?) {
        failed = sentence != nil
        digest = (sentence ?? "").utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    init(words: [Int64]) {
        failed = words[0] != 0
        digest = UInt64(bitPattern: words[1])
    }

    var words: [Int64] { [failed ? 1 : 0, Int64(bitPattern: digest)] }
}
