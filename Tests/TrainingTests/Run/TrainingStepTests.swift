import CPU
import Collectives
import Configuration
import Engine
import Foundation
import Testing

@testable import Training

/// A step by itself, without a run around it: what training takes and `bench` times.
@Suite struct TrainingStepTests {
    /// One patch in every slot.
    private struct Patches: StepPatches {
        let images: [Float]
        let reference: [UInt8]
        let softClasses = 0

        /// Noise of this scale, a tenth of it foreground.
        init(_ step: TrainingStep, scale: Float = 1) {
            images = (0..<step.inputSize.count).map { scale * Float($0 &* 7919 % 1009) / 1009 }
            reference = (0..<step.outputSize.count).map { $0 % 10 == 0 ? 1 : 0 }
        }

        func withImages<R>(slot: Int, _ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
            try images.withUnsafeBufferPointer(body)
        }

        func withReference<R>(slot: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R {
            try reference.withUnsafeBufferPointer(body)
        }

        func withSoftReference<R>(
            slot: Int, _ body: (UnsafeBufferPointer<Float>) throws -> R
        ) rethrows -> R { preconditionFailure("labels") }

        func place(ofGlobalSlot slot: Int) -> String? { "of slot number \(slot)" }
    }

    /// Notes what it hears.
    private final class Listener: PhaseObserver {
        var heard: [String] = []
        func began(_ phase: Phase, step: Int) { heard.append("\(phase) \(step)") }
        func ended(_ phase: Phase, step: Int) { heard.append("end of \(phase)") }
    }

    private func step(_ changes: [String] = [], _ observers: [any PhaseObserver] = []) throws -> TrainingStep
    {
        let yaml = """
            data: {list: subjects.csv}
            batch: 2
            patch: {size: 39}
            network: {widths: [1, 1, 1], hidden: 2}
            threads: 1
            convolution: winograd
            """
        let configuration = try RunConfiguration(yaml: yaml, folder: "/", overrides: changes)
        let network = try configuration.network.make(inputChannels: 1, classes: 2)
        let ranks = SoloCommunicator()
        return try TrainingStep(
            configuration, graph: network.graph(), inputSize: try configuration.patchSize(for: network),
            loss: configuration.loss.make(), algorithms: AlgorithmChoice(.winograd),
            device: try CPUDevice(threads: 1), communicator: ranks, exchange: RankExchange(ranks),
            phases: PhaseObservers(observers))
    }

    @Test func itsPhasesAreHeardInTheirOrder() throws {
        let listener = Listener()
        let step = try step(["optimizer={clip: 1000}"], [listener])
        #expect(try step.agree(StepAgreement(signal: 15), step: 7) == StepAgreement(signal: 15))
        let outcome = try step.run(Patches(step), step: 7)
        #expect(outcome.skipped == nil && outcome.report.loss.isFinite)
        #expect(
            listener.heard == [
                "waitingForRanks 7", "end of waitingForRanks", "forward 7", "loadingPatches 7",
                "end of loadingPatches", "end of forward", "loss 7", "end of loss", "gradients 7",
                "end of gradients", "reduction 7", "end of reduction", "update 7", "checkingGradients 7",
                "end of checkingGradients", "clippingGradients 7", "end of clippingGradients", "optimiser 7",
                "end of optimiser", "end of update",
            ])
    }

    @Test func eachMicroBatchIsHeardOf() throws {
        let listener = Listener()
        let step = try step(["accumulate=2"], [listener])
        _ = try step.run(Patches(step), step: 1)
        let parts = listener.heard.filter { $0.hasPrefix("microBatch") }
        #expect(parts == ["microBatch(1, of: 2) 1", "microBatch(2, of: 2) 1"])
    }

    @Test func whatIsNotFiniteIsFoundWithoutARun() throws {
        let listener = Listener()
        let stopping = try step([], [listener])
        let before = stopping.model.parameters.values
        let error = #expect(throws: TrainingError.self) {
            try stopping.run(Patches(stopping, scale: .infinity), step: 3)
        }
        let sentence = error?.description ?? ""
        #expect(sentence.hasPrefix("At step 3 the ") && sentence.contains("of slot number "), "\(sentence)")
        #expect(stopping.model.parameters.values == before)
        #expect(listener.heard.last == "end of update")

        let skipping = try step(["optimizer={non_finite: skip}"])
        for number in 1...9 {
            let outcome = try skipping.run(Patches(skipping, scale: .infinity), step: number)
            guard case .notFinite(number, _) = outcome.skipped else {
                Issue.record("step \(number): \(String(describing: outcome.skipped))")
                return
            }
        }
        #expect(skipping.model.parameters.values == before)
        #expect(try skipping.run(Patches(skipping), step: 10).skipped == nil)
        #expect(skipping.model.parameters.values != before)
    }
}

@Suite struct StepTimerTests {
    /// A rank that is alone waits for no other.
    @Test(arguments: [1, 2])
    func waitsAreOfTheirColumns(ranks: Int) throws {
        let timer = StepTimer(RankExchange(SoloCommunicator()), ranks: ranks)
        let phases = PhaseObservers([timer])
        for step in 1...2 {
            phases.stepBegan()
            phases.run(.waitingForPatches, step: step) { Thread.sleep(forTimeInterval: 0.02) }
            phases.run(.waitingForRanks, step: step) { Thread.sleep(forTimeInterval: 0.01) }
            phases.run(.forward, step: step) { Thread.sleep(forTimeInterval: 0.005) }
        }
        var reduction = ReductionTimes()
        (reduction.blockedSeconds, reduction.baselineSeconds) = (1, 3)
        let times = timer.times(reduction)
        // Of the second step alone.
        #expect(times.data >= 0.02 && times.step >= times.data + 0.015)
        #expect(ranks == 1 ? times.communication == 1 : times.communication >= 1.01)
        #expect(times.reduction == 1 && times.baseline == 3)
        var total = times
        total += times
        #expect(total.data == 2 * times.data && total.baseline == 6)
    }
}

@Suite struct PhaseTests {
    /// Words that users put into `DICERANK_FAULT` and find in sentences, timelines and metrics.
    @Test func wordsStayAsTheyAre() {
        #expect(Phase.waitingForPatches.operation == "waiting for patches")
        #expect(Phase.gradients.operation == "computing gradients")
        #expect(Phase.microBatch(2, of: 3).operation == "computing micro-batch 2 of 3")
        #expect(Phase.checkpoint.operation == "writing a checkpoint" && Phase.checkpoint.span == nil)
        #expect(Phase.savingCheckpoint.span == "writing a checkpoint")
        #expect(Phase.waitingForPatches.row == .patches && Phase.loss.row == .compute)
        #expect(Phase.waitingForRanks.column == \.communication && Phase.optimiser.column == nil)
    }
}
