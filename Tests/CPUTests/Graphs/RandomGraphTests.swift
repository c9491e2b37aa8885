import Foundation
import Losses
import Testing

@testable import CPU
@testable import Engine

/// The engine against ``ReferenceDevice`` on graphs that nobody has thought of.
///
/// `DICERANK_GRAPHS=2000` runs so many; `DICERANK_GRAPH_SEED=17` starts at that one, alone unless the other
/// says how many. With `DICERANK_GRAPH_TRACE=1` each is printed before it runs, in case it takes the process
/// with it.
@Suite(.serialized) struct RandomGraphTests {
    private static func number(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap(Int.init)
    }

    private static var seeds: Range<Int> {
        let first = number("DICERANK_GRAPH_SEED")
        let count = number("DICERANK_GRAPHS") ?? (first == nil ? usualCount : 1)
        return (first ?? 1)..<(first ?? 1) + count
    }

    private static let usualCount = 600
    /// More failures than these are not worth their time, where nobody has asked for a count.
    private static let mostFailures = 8

    @Test func theEngineAgreesWithTheReference() throws {
        var (failures, refused) = (0, [String]())
        for seed in Self.seeds {
            let graphCase = GraphCase.random(seed: seed)
            if Self.number("DICERANK_GRAPH_TRACE") != nil { print(graphCase) }
            do {
                guard let failure = try Failure.first(of: graphCase) else { continue }
                failures += 1
                Issue.record("DICERANK_GRAPH_SEED=\(seed) fails: \(failure)")
                Issue.record("made smaller: \(try failure.shrunk())")
            } catch EngineError.parameterNotReached(let name) {
                refused.append("\(seed): \(name)")
            }
            if failures == Self.mostFailures, Self.seeds.count == Self.usualCount { break }
        }
        #expect(refused.count <= 1 + Self.seeds.count / 20, "refused: \(refused)")
    }
}

/// A case that a setup computes otherwise than the reference.
struct Failure: CustomStringConvertible {
    var graphCase: GraphCase
    var setup: GraphSetup
    var training: Bool
    /// What is wrong, a sentence each.
    var mismatches: [String]

    /// The first that the setups of a case find.
    static func first(of graphCase: GraphCase) throws -> Failure? {
        let run: ReferenceRun
        do {
            run = try ReferenceRun(graphCase)
        } catch EngineError.parameterNotReached(let name) where graphCase.hasUnreadValues {
            // The engine must refuse it too, by the same name.
            for setup in graphCase.setups {
                if let failure = Failure(unreached: name, graphCase, setup) { return failure }
            }
            throw EngineError.parameterNotReached(name: name)
        }
        for setup in graphCase.setups {
            for training in [true, false] {
                if let failure = try Failure(run, setup, training: training) { return failure }
            }
        }
        return nil
    }

    /// - Throws: Never an `EngineError`: all fits together, and an error is a failure too.
    init?(_ run: ReferenceRun, _ setup: GraphSetup, training: Bool) throws {
        (graphCase, self.setup, self.training) = (run.graphCase, setup, training)
        do {
            mismatches = try run.mismatches(setup, training: training).map(\.description)
        } catch let error as EngineError {
            mismatches = ["\(error)"]
        }
        if mismatches.isEmpty { return nil }
    }

    /// Of a graph whose parameter `name` has no gradient; nil where the setup says so.
    private init?(unreached name: String, _ graphCase: GraphCase, _ setup: GraphSetup) {
        (self.graphCase, self.setup, training) = (graphCase, setup, true)
        let way = GraphInputs.Way(
            algorithms: setup.algorithms, gradientsBySlot: setup.gradientsBySlot,
            microBatches: setup.microBatches)
        do {
            _ = try GraphInputs(graphCase).train(on: setup.device(), way)
            mismatches = ["\(name) has no gradient, which was not refused"]
        } catch {
            guard error as? EngineError != .parameterNotReached(name: name) else { return nil }
            mismatches = ["\(error)"]
        }
    }

    var description: String {
        "\(setup), \(training ? "training" : "inference"), \(graphCase)\n"
            + mismatches.map { "  \($0)" }.joined(separator: "\n")
    }

    /// A smaller case that fails too, with the same setup or a simpler one.
    func shrunk() throws -> Failure {
        var smallest = self
        var tries = 400
        var isSmaller = true
        while isSmaller {
            isSmaller = false
            for (graphCase, setup) in smallest.smaller {
                guard tries > 0 else { return smallest }
                tries -= 1
                guard let shape = graphCase.shapes?.last, shape.channels > 1, graphCase.hasParameters,
                    let run = try? ReferenceRun(graphCase),
                    let failure = try? Failure(run, setup, training: training)
                else { continue }
                smallest = failure
                isSmaller = true
                break
            }
        }
        return smallest
    }

    /// Steps towards less, the largest first.
    private var smaller: [(GraphCase, GraphSetup)] {
        var cases: [(GraphCase, GraphSetup)] = []
        func with(_ change: (inout GraphCase, inout GraphSetup) -> Void) {
            var (graphCase, setup) = (graphCase, setup)
            change(&graphCase, &setup)
            cases.append((graphCase.pruned, setup))
        }
        // The logits earlier, then without an operation.
        for count in 1..<max(1, graphCase.operations.count) {
            with { graphCase, _ in graphCase.operations.removeSubrange(count...) }
        }
        for (index, operation) in graphCase.operations.enumerated() {
            for input in Set(operation.inputs) {
                with { graphCase, _ in
                    graphCase.operations.remove(at: index)
                    graphCase.operations = graphCase.operations.map { operation in
                        operation.reading { $0 == index + 1 ? input : $0 > index + 1 ? $0 - 1 : $0 }
                    }
                }
            }
        }
        if setup.checksMemory { with { _, setup in setup.checksMemory = false } }
        if setup.microBatches > 1 || setup.gradientsBySlot || setup.threads > 1 {
            with { _, setup in (setup.microBatches, setup.gradientsBySlot, setup.threads) = (1, false, 1) }
        }
        if !setup.algorithms.named.isEmpty {
            with { _, setup in setup.algorithms.named = [:] }
        }
        if graphCase.slots > 1 { with { graphCase, setup in (graphCase.slots, setup.microBatches) = (1, 1) } }
        if graphCase.isSoft { with { graphCase, _ in graphCase.isSoft = false } }
        if graphCase.inputChannels > 1 { with { graphCase, _ in graphCase.inputChannels = 1 } }
        for axis in 0..<3 where graphCase.inputSize[axis] > 1 {
            for size in Set([graphCase.inputSize[axis] / 2, graphCase.inputSize[axis] - 1]).sorted() {
                with { graphCase, _ in graphCase.inputSize[axis] = size }
            }
        }
        for (index, operation) in graphCase.operations.enumerated() {
            guard
                case .convolution(let x, let channels, let kernel, let dilation, let padding, let bias) =
                    operation
            else { continue }
            for fewer in Set([2, channels / 2]) where fewer > 0 && fewer < channels {
                with { graphCase, _ in
                    graphCase.operations[index] = .convolution(
                        x, channels: fewer, kernel: kernel, dilation: dilation, padding: padding, bias: bias)
                }
            }
        }
        return cases
    }
}
