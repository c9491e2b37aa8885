import Testing

@testable import Collectives

/// Two ranks, of which the other one does nothing: records what is started.
final class RecordingCommunicator: Communicator {
    let rank = 0
    let size: Int
    let hostNames = ["here", "there"]
    let ranksOnNode = [0]
    let base: UnsafeMutablePointer<Float>?
    var started: [Range<Int>] = []
    var partwise: [String] = []
    var requests: [FakeRequest] = []
    var testsUntilComplete = 1

    init(size: Int, store: FloatStore) {
        self.size = size
        base = store.values.baseAddress
    }

    func startAllReduce<Element: Reducible>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction, owner: AnyObject
    ) throws(MPIError) -> any Request {
        let bytes =
            UnsafeRawPointer(buffer.baseAddress).flatMap { end in base.map { end - UnsafeRawPointer($0) } }
            ?? -4
        started.append(bytes / 4..<bytes / 4 + buffer.count)
        requests.append(FakeRequest(testsUntilComplete: testsUntilComplete))
        return requests[requests.count - 1]
    }

    func startPartwiseSum<Sum: PartwiseSum>(_ sum: Sum) throws(MPIError) -> any Request {
        partwise.append("\(Sum.self) of \(sum.count)")
        return FakeRequest(testsUntilComplete: testsUntilComplete)
    }

    func allReduce<Element: Reducible>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction
    ) throws(MPIError) {}
    func allGather<Element: WireElement>(
        _ local: UnsafeBufferPointer<Element>, into all: UnsafeMutableBufferPointer<Element>
    ) throws(MPIError) {}
    func startAllGather<Element: WireElement>(
        _ local: UnsafeBufferPointer<Element>, into all: UnsafeMutableBufferPointer<Element>, owner: AnyObject
    ) throws(MPIError) -> any Request { FakeRequest(testsUntilComplete: 0) }
    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws(MPIError) {}
    func gather(_ bytes: [UInt8], to root: Int) throws(MPIError) -> [[UInt8]] { [] }
    func split(color: Int, key: Int) throws(MPIError) -> any Communicator { self }
    func barrier() throws(MPIError) {}
}

let oneFloatInMiB = 4.0 / 1_048_576

@Suite struct GradientReducerTests {
    @Test func bucketsAreOfEqualSizeWhateverTheRanges() throws {
        let store = FloatStore([Float](repeating: 0, count: 25))
        let communicator = RecordingCommunicator(size: 2, store: store)
        let reducer = GradientReducer(
            communicator: communicator, gradients: store.values, owner: store, bucketMiB: 10 * oneFloatInMiB)
        #expect(reducer.bucketCount == 10)
        try reducer.completed(0..<9)
        #expect(communicator.started == [])
        try reducer.completed(9..<10)
        #expect(communicator.started == [0..<10])
        try reducer.completed(10..<10)
        try reducer.completed(10..<24)
        #expect(communicator.started == [0..<10, 10..<20])
        try reducer.completed(24..<25)
        #expect(communicator.started == [0..<10, 10..<20, 20..<25])
        let times = try reducer.finish()
        #expect(times.buckets == 3 && times.bytes == 100)
        // The next step begins at the first gradient again.
        try reducer.completed(0..<25)
        #expect(communicator.started.dropFirst(3) == [0..<10, 10..<20, 20..<25])
        #expect(try reducer.finish().buckets == 3)
    }

    @Test func pollDrivesTheOldestAndFinishWaitsForTheRest() throws {
        let store = FloatStore([Float](repeating: 0, count: 4))
        let communicator = RecordingCommunicator(size: 2, store: store)
        let reducer = GradientReducer(
            communicator: communicator, gradients: store.values, owner: store, bucketMiB: oneFloatInMiB)
        communicator.testsUntilComplete = 2
        try reducer.completed(0..<4)
        try reducer.poll()
        #expect(communicator.requests.map(\.testsUntilComplete) == [1, 2, 2, 2])
        try reducer.poll()
        #expect(communicator.requests.map(\.testsUntilComplete) == [0, 1, 2, 2])
        _ = try reducer.finish()
        #expect(communicator.requests.map(\.waits) == [0, 1, 1, 1])
    }

    @Test func timesTellWaitingFromHiding() throws {
        let store = FloatStore([0])
        let communicator = RecordingCommunicator(size: 2, store: store)
        let reducer = GradientReducer(communicator: communicator, gradients: store.values, owner: store)
        try reducer.completed(0..<1)
        let begin = ContinuousClock.now
        while begin.secondsToNow < 0.02 {}
        let times = try reducer.finish()
        // 20 ms of "backward" while the bucket was under way; the rest takes microseconds.
        #expect(times.communicationSeconds < 0.02)
        #expect(times.baselineSeconds == nil)
    }

    @Test func communicationIsWaitingAndDriving() {
        var times = ReductionTimes()
        times.blockedSeconds = 0.75
        times.drivingSeconds = 0.25
        #expect(times.communicationSeconds == 1)
    }

    @Test func calibrationReducesTheSameBucketsElsewhere() throws {
        let store = FloatStore([Float](repeating: 1, count: 5))
        let communicator = RecordingCommunicator(size: 2, store: store)
        let reducer = GradientReducer(
            communicator: communicator, gradients: store.values, owner: store, bucketMiB: 2 * oneFloatInMiB)
        try reducer.calibrate()
        #expect(communicator.started.map(\.count) == [[Int]](repeating: [2, 2, 1], count: 6).flatMap { $0 })
        #expect(communicator.requests.allSatisfy { $0.waits == 1 })
        try reducer.completed(0..<5)
        let baseline = try #require(try reducer.finish().baselineSeconds)
        #expect(baseline > 0 && Array(store.values) == [1, 1, 1, 1, 1])
    }

    @Test func aloneNothingIsStarted() throws {
        let store = FloatStore([1, 2, 3])
        let communicator = RecordingCommunicator(size: 1, store: store)
        let reducer = GradientReducer(communicator: communicator, gradients: store.values, owner: store)
        try reducer.calibrate()
        try reducer.completed(0..<3)
        try reducer.poll()
        #expect(try reducer.finish() == ReductionTimes())
        #expect(communicator.started == [] && Array(store.values) == [1, 2, 3])
    }

    @Test(arguments: [
        // An eighth of the gradients, at least 0.25 MiB (65,536 floats), at most 16 MiB (4,194,304 floats).
        (100, 65_536), (800_000, 100_000), (100_000_000, 4_194_304),
    ]) func automaticBucket(gradients: Int, expected: Int) {
        // Never touched, so that it need not be there.
        let values = UnsafeMutableBufferPointer<Float>(
            start: UnsafeMutablePointer(bitPattern: 64), count: gradients)
        let solo = SoloCommunicator()
        #expect(GradientReducer(communicator: solo, gradients: values, owner: solo).bucketCount == expected)
    }

    @Test(arguments: [2, 3]) func sumsOverRanks(size: Int) throws {
        let results = ThreadedRanks.run(size) { communicator -> [Float] in
            let store = FloatStore((0..<10).map { Float($0 * (communicator.rank + 1)) })
            let reducer = GradientReducer(
                communicator: communicator, gradients: store.values, owner: store,
                bucketMiB: 3 * oneFloatInMiB)
            for begin in stride(from: 0, to: 10, by: 2) { try reducer.completed(begin..<begin + 2) }
            _ = try reducer.finish()
            return Array(store.values)
        }
        let scale = size * (size + 1) / 2
        for result in results { #expect(try result.get() == (0..<10).map { Float($0 * scale) }) }
    }
}
