import Testing

@testable import Collectives

/// Gradients that go over the wire as bfloat16.
@Suite struct BFloat16SumTests {
    /// Two ranks; two elements that rounding meets on the way to the sum and on the way back.
    @Test func whatRoundingTakesComesWithTheNextSum() throws {
        let values: [[Float]] = [[0x1.01p0, 1], [0x1.01p0, 0x1p-8]]
        let results = ThreadedRanks.run(2) { communicator in
            try Steps(on: communicator, count: 2).take(2) { _ in values[communicator.rank] }
        }
        // First element: each rank sends 1, then 1 + 2/256. Second: 1 + 1/256 becomes 1, then 1 + 2/256.
        for result in results { #expect(try result.get() == [[2, 1], [0x1.02p1, 0x1.02p0]]) }
    }

    @Test(arguments: [2, 3, 4]) func oneSumIsWithinTheBound(size: Int) throws {
        let count = 1001
        let results = try ThreadedRanks.run(size) { communicator in
            try Steps(on: communicator, count: count, bucket: 64).take(1) { _ in
                Steps.values(count, communicator.rank)
            }[0]
        }.map { try $0.get() }
        let terms = (0..<size).map { Steps.values(count, $0) }
        var differing = 0
        for index in 0..<count {
            let exact = terms.reduce(0.0) { $0 + Double($1[index]) }
            let bound = terms.reduce(0.0) { $0 + Double(abs($1[index])) } / 127
            let error = abs(Double(results[0][index]) - exact)
            #expect(error <= bound, "element \(index)")
            if error > bound / 10 { differing += 1 }
        }
        #expect(differing > count / 4, "rounding that shows nowhere says little of its bound")
        for result in results { #expect(result == results[0]) }
    }

    /// 1 + 1/1024 is 1 as bfloat16, each time anew, and the hundredth that rank 1 adds becomes 1/128 or 2/128
    /// there.
    @Test(arguments: [2, 3]) func theMeanOfManySumsIsThatOfFloat32(size: Int) throws {
        let steps = 256
        @Sendable func value(_ rank: Int) -> Float { rank == 1 ? 0.01 : 0x1.004p0 }
        let results = ThreadedRanks.run(size) { communicator in
            try Steps(on: communicator, count: 5, bucket: 4).take(steps) { _ in
                [Float](repeating: value(communicator.rank), count: 5)
            }
        }
        let exact = (0..<size).reduce(0.0) { $0 + Double(value($1)) }
        let bound = exact / 127
        for result in results {
            let sums = try result.get()
            for element in 0..<5 {
                let mean = sums.reduce(0.0) { $0 + Double($1[element]) } / Double(steps)
                #expect(abs(mean - exact) <= bound / Double(steps))
                #expect(abs(Double(sums[0][element]) - exact) > 5 * bound / Double(steps))
            }
        }
    }

    @Test func residualsAreForgottenOnRequestAndKeptOverACalibration() throws {
        let results = ThreadedRanks.run(2) { communicator in
            let values = Steps.values(10, communicator.rank)
            let steps = Steps(on: communicator, count: 10, bucket: 4)
            let undisturbed = try steps.take(3) { _ in values }
            steps.reducer.forgetResiduals()
            let again = try steps.take(1) { _ in values }
            try steps.reducer.calibrate()
            return (undisturbed, again + (try steps.take(2) { _ in values }))
        }
        for result in results {
            let (undisturbed, again) = try result.get()
            #expect(again == undisturbed)
            #expect(undisturbed[1] != undisturbed[0])
        }
    }

    /// On rank 1 of 3: NaN, infinity, and numbers that are too large for bfloat16, or only together with
    /// those of the others; the last one is small.
    @Test func whatIsNotFiniteIsSeenByAllAndLeavesNothing() throws {
        let bad: [Float] = [.nan, -.infinity, .greatestFiniteMagnitude, 0x1.6p127, 0x1p-8]
        let good: [Float] = [1, 2, 3, 4, 5]
        let results = ThreadedRanks.run(3) { communicator in
            try Steps(on: communicator, count: 5).take(3) { step in
                guard step == 1 else { return good }
                return communicator.rank == 1 ? bad : [1, 1, 1, 0x1p127, 1]
            }
        }
        for result in results {
            let sums = try result.get()
            #expect(sums[0][0].isNaN)
            #expect(sums[0][1] == -.infinity && sums[0][2] == .infinity && sums[0][3] == .infinity)
            // 2 + 1/256 is 2; the rest is too small to show beside the 15 that follow.
            #expect(sums[0][4] == 2)
            #expect(sums[1] == [3, 6, 9, 12, 15] && sums[2] == sums[1])
        }
    }

    @Test func bucketsAreThoseOfOtherSumsAndBytesThoseOfTheGradients() throws {
        let store = FloatStore(zeros: 25)
        let communicator = RecordingCommunicator(size: 2, store: store)
        let reducer = GradientReducer(
            communicator: communicator, gradients: store.values, owner: store, bucketMiB: 10 * oneFloatInMiB,
            order: .bfloat16)
        try reducer.completed(0..<25)
        let times = try reducer.finish()
        #expect(times.buckets == 3 && times.bytes == 100 && communicator.started == [])
        #expect(communicator.partwise == ["BFloat16Sum of 10", "BFloat16Sum of 10", "BFloat16Sum of 5"])
    }

    @Test func aloneNothingIsRounded() throws {
        let steps = Steps(on: SoloCommunicator(), count: 1)
        try steps.reducer.calibrate()
        #expect(try steps.take(2) { _ in [0x1.004p0] } == [[0x1.004p0], [0x1.004p0]])
    }
}

/// Steps of a reducer.
struct Steps {
    let reducer: GradientReducer
    private let gradients: FloatStore

    /// - Parameter bucket: values in one; nil for all.
    init(on communicator: any Communicator, count: Int, bucket: Int? = nil) {
        gradients = FloatStore(zeros: count)
        reducer = GradientReducer(
            communicator: communicator, gradients: gradients.values, owner: gradients,
            bucketMiB: Double(bucket ?? count) * oneFloatInMiB, order: .bfloat16)
    }

    /// The sums of each step; `values` are those of this rank in a step, which count from 1.
    func take(_ steps: Int, values: (Int) -> [Float]) throws -> [[Float]] {
        try (1...steps).map { step in
            _ = gradients.values.update(fromContentsOf: values(step))
            for begin in stride(from: 0, to: gradients.values.count, by: 7) {
                try reducer.completed(begin..<min(begin + 7, gradients.values.count))
                try reducer.poll()
            }
            _ = try reducer.finish()
            return Array(gradients.values)
        }
    }

    /// Values of both signs over some magnitudes, different for each rank.
    static func values(_ count: Int, _ rank: Int) -> [Float] {
        (0..<count).map { Float(($0 * 7919 + rank * 104_729) % 2003 - 1001) / Float(3 + $0 % 1000) }
    }

    /// Bits of the sums of some steps of some buckets that differ from rank to rank and from step to step.
    static func digest(on communicator: any Communicator) throws -> UInt64 {
        let steps = Steps(on: communicator, count: 1000, bucket: 64)
        let sums = try steps.take(4) { values(1000, communicator.rank + 10 * $0) }
        return sums.joined().reduce(0xcbf2_9ce4_8422_2325) {
            ($0 ^ UInt64($1.bitPattern)) &* 0x100_0000_01b3
        }
    }
}
