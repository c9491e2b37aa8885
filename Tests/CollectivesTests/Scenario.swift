import Foundation
import Testing

@testable import Collectives

/// What ranks can go through, each to its end: the process exits.
enum Scenario: String {
    case collectiveCheck, placement, bfloat16Sums, bucketTuning
    case oneThrowsWhileOthersWait, oneThrowsAfterOthersReturned, allThrowTheSame, allThrowTogether
    case throwDuringReduction, shortBroadcast, oneIsKilled

    func run() -> Never {
        do {
            try World.run(patience: .seconds(2)) { world in try body(world) }
            print("scenario completed")
            exit(0)
        } catch is ReportedFailure {
            exit(1)
        } catch {
            print("not reported: \(error)")
            exit(2)
        }
    }

    private func body(_ world: any Communicator) throws {
        switch self {
        case .collectiveCheck:
            let lines = try CollectiveCheck.run(on: world)
            if world.rank == 0 { print(lines.joined(separator: "\n")) }
        case .placement:
            let placement = try Placement.query(on: world)
            print("rank \(world.rank): node \(placement.ranksOnNode), threads \(placement.threads)")
        case .bfloat16Sums: print("rank \(world.rank): sums \(try Steps.digest(on: world))")
        case .bucketTuning:
            let steps = TuningSteps(world)
            try steps.run(step: 1)
            _ = try steps.reducer.tuneBuckets()
            try steps.run(step: 2)
            guard Array(steps.store.values) == TuningSteps.sums(step: 2, ranks: world.size) else {
                throw Complaint("The sums are wrong.")
            }
            print("rank \(world.rank) reduces in \(4 * steps.reducer.bucketCount)")
        case .oneThrowsWhileOthersWait:
            if world.rank == 1 { throw Complaint("The disk is full.") }
            try world.barrier()
        case .oneThrowsAfterOthersReturned:
            if world.rank == 1 {
                Thread.sleep(forTimeInterval: 0.3)
                throw Complaint("The disk is full.")
            }
        case .allThrowTheSame: throw Complaint("Key \"bacth\" is unknown.")
        case .allThrowTogether:
            try world.together { if world.rank == 1 { throw Complaint("File b.nii is truncated.") } }
        case .throwDuringReduction:
            let store = FloatStore([Float](repeating: 1, count: 1 << 20))
            _ = try world.startAllReduce(store.values, .sum, owner: store)
            throw Complaint("The loss is not a number.")
        case .shortBroadcast:
            var bytes = [UInt8](repeating: 0, count: world.rank == 0 ? 64 : 8)
            try world.broadcast(&bytes, from: 0)
            try world.barrier()
        case .oneIsKilled:
            if world.rank == 1 { kill(getpid(), SIGKILL) }
            while true { try world.barrier() }
        }
    }
}

private struct Complaint: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Not a test: the entry of the ranks that `Mpirun` starts.
@Suite struct ScenarioTests {
    static let scenario = ProcessInfo.processInfo.environment[Mpirun.scenarioVariable].flatMap(
        Scenario.init(rawValue:))

    @Test(.enabled(if: scenario != nil)) func runsTheScenarioAndExits() { Self.scenario?.run() }
}
