import Foundation
import Logging
import Synchronization
import Testing

@testable import Training

/// Collects what a console writes.
final class Recorder: Sendable {
    private let storage = Mutex("")
    var text: String { storage.withLock { $0 } }

    func console(width: Int?) -> Console {
        Console(output: { text in self.storage.withLock { $0 += text } }, terminalWidth: { width })
    }
}

@Suite struct ConsoleTests {
    @Test func messagesStandAboveTheLine() {
        let recorder = Recorder()
        let console = recorder.console(width: 10)
        console.show("0123456789abc")
        console.write("hello")
        console.keepLine()
        console.write("end")
        #expect(recorder.text == "\r\u{1B}[K012345678\r\u{1B}[Khello\n012345678\nend\n")
    }

    @Test func nothingUpdatesInPlaceElsewhere() {
        let recorder = Recorder()
        let console = recorder.console(width: nil)
        console.show("line")
        console.write("hello")
        console.keepLine()
        #expect(recorder.text == "hello\n")
    }
}

@Suite("Progress of segmentations") struct SegmentationProgressTests {
    @Test func plainLinesComeForLongVolumesAlone() {
        var now = 0.0
        let recorder = Recorder()
        let progress = SegmentationProgress(
            console: recorder.console(width: nil), volumes: 2, seconds: { now })
        // Of six seconds, and of twenty-four.
        for (name, seconds) in [("a", 6.0), ("b", 24.0)] {
            progress.begin(name, windows: 3, operationsOfWindow: 4)
            for window in 1...3 {
                for _ in 1...4 {
                    now += seconds / 12
                    progress.add(operations: 1)
                }
                progress.reach(windows: window)
            }
            progress.end()
        }
        #expect(
            recorder.text == """
                b  volume 2/2  window 2/3  70 %  ETA 7 s
                b  volume 2/2  window 3/3  91 %  ETA 2 s

                """)
    }

    @Test func aTerminalHasOneLineThatGoes() {
        var now = 0.0
        let recorder = Recorder()
        let progress = SegmentationProgress(
            console: recorder.console(width: 80), volumes: 1, seconds: { now })
        progress.begin("a", windows: 1, operationsOfWindow: 10)
        for _ in 1...10 {
            now += 0.5
            progress.add(operations: 1)
        }
        progress.end()
        let shares = recorder.text.matches(of: /(\d+) %/).map { String($0.1) }
        #expect(shares == ["10", "30", "50", "70", "90"])
        #expect(recorder.text.hasSuffix("\r\u{1B}[K") && !recorder.text.contains("\n"))
    }
}

@Suite struct ProgressLineTests {
    static func step(_ step: Int) -> ProgressLine.Step {
        .init(step: step, loss: 0.21434, dice: 0.8123, seconds: 0.5, voxelsPerSecond: 1_851_000)
    }

    @Test(
        arguments: [
            (nil, "step 1200/3000  40 %  loss 0.2143  DSC 0.812  ETA 15 min 0 s  1.85 M voxels/s"),
            (200, "step 1200/3000  40 %  loss 0.2143  DSC 0.812  ETA 15 min 0 s  1.85 M voxels/s"),
            (60, "step 1200/3000  40 %  loss 0.2143  DSC 0.812"),
            (36, "step 1200/3000  40 %  loss 0.2143"),
            (5, "step 1200/3000  40 %"),
        ] as [(Int?, String)])
    func showsWhatFits(width: Int?, expected: String) {
        #expect(ProgressLine.text(Self.step(1200), total: 3000, secondsLeft: 900, width: width) == expected)
    }

    @Test func updatesOnceASecondInPlaceAndAlwaysAtTheEnd() {
        var now = 0.0
        let recorder = Recorder()
        var line = ProgressLine(console: recorder.console(width: 80), total: 9, seconds: { now })
        for step in 1...9 {
            line.update(Self.step(step))
            now += 0.4
        }
        line.finish()
        let shown = recorder.text.matches(of: /step (\d)\/9/).map { String($0.1) }
        #expect(shown == ["1", "4", "7", "9"])
        #expect(recorder.text.hasSuffix("\n"))
        #expect(recorder.text.count { $0 == "\n" } == 1)
    }

    @Test func writesPlainLinesElsewhere() {
        var now = 0.0
        let recorder = Recorder()
        var line = ProgressLine(console: recorder.console(width: nil), total: 50, seconds: { now })
        for step in 1...50 {
            line.update(Self.step(step))
            now += 0.5
        }
        let steps = recorder.text.split(separator: "\n").map { $0.split(separator: "/")[0] }
        #expect(steps == ["step 1", "step 21", "step 41", "step 50"])
        #expect(!recorder.text.contains("\u{1B}"))
    }

    @Test func quietShowsNothing() {
        let recorder = Recorder()
        var line = ProgressLine(console: recorder.console(width: 80), total: 1, quiet: true)
        line.update(Self.step(1))
        line.finish()
        #expect(recorder.text.isEmpty)
    }

    @Test(arguments: [
        (0.0, "0.00"), (9.994, "9.99"), (12.34, "12.3"), (999.4, "999"), (999.9, "1.00 k"),
        (1_851_000, "1.85 M"),
        (2.5e9, "2.50 G"), (7e12, "7 T"),
    ])
    func shortNumbers(value: Double, expected: String) { #expect(Quantity.short(value) == expected) }

    @Test(
        arguments: [
            (7.6, "8 s"), (59.6, "1 min 0 s"), (750, "12 min 30 s"), (7500, "2 h 5 min"), (90000, "1 d 1 h"),
            (.infinity, "unknown"),
        ] as [(Double, String)])
    func durations(seconds: Double, expected: String) { #expect(Quantity.duration(seconds) == expected) }
}

@Suite struct RunLogTests {
    @Test(arguments: [false, true])
    func writesToConsoleAndFile(quiet: Bool) throws {
        try withTemporaryFolder { folder in
            let path = folder + "/log.txt"
            for text in ["first", "second"] {
                let recorder = Recorder()
                let log = try RunLog(
                    console: recorder.console(width: nil), path: path, quiet: quiet,
                    clock: { Date(timeIntervalSince1970: 0) })
                var logger = log.logger()
                logger.info("\(text)")
                logger.debug("hidden")
                logger[metadataKey: "rank"] = "1"
                logger.warning("careful")
                #expect(recorder.text == (quiet ? "" : "\(text)\n") + "warning: careful rank=1\n")
            }
            let line = "1970-01-01T00:00:00Z"
            #expect(
                try String(contentsOfFile: path, encoding: .utf8)
                    == "\(line) info: first\n\(line) warning: careful rank=1\n\(line) info: second\n"
                    + "\(line) warning: careful rank=1\n")
        }
    }

    @Test func aFullDiskIsSaidOnceAndDoesNotEndTheRun() throws {
        let recorder = Recorder()
        let log = try RunLog(console: recorder.console(width: nil), path: "/dev/full")
        log.logger().info("one")
        log.logger().info("two")
        #expect(
            recorder.text
                == "one\nwarning: '/dev/full' could not be written: No space left on device. The run goes on without "
                + "it.\ntwo\n")
    }

    @Test func aFileThatCannotBeOpenedIsNamed() {
        #expect {
            try RunLog(console: Recorder().console(width: nil), path: "/nowhere/log.txt")
        } throws: { error in
            "\(error)" == "'/nowhere/log.txt' could not be opened for writing: No such file or directory."
        }
    }
}

@Suite struct MetricsLogTests {
    static func metrics(_ step: Int) -> StepMetrics {
        StepMetrics(
            step: step, loss: 0.1 * Double(step), generalisedDice: 0.25, dice: 1 / Double(step + 1),
            imbalance: 0.002,
            learningRate: 1e-4, stepSeconds: 0.123456789, dataSeconds: 0, communicationSeconds: 1e-7,
            voxelsPerSecond: 1_234_567.8)
    }

    @Test func writesTheContractsColumns() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/metrics.csv"
            let log = try MetricsLog(path: path, keepingThrough: 0)
            try log.append(Self.metrics(3))
            // Read while the file is still open: rows are not held back.
            #expect(
                try String(contentsOfFile: path, encoding: .utf8) == """
                    step,loss,gdl,dsc,imbalance,learning_rate,step_seconds,data_seconds,communication_seconds,\
                    voxels_per_second
                    3,0.30000000000000004,0.25,0.25,0.002,0.0001,0.123457,0,1e-07,1.23457e+06

                    """)
        }
    }

    @Test func aResumedRunRepeatsNoRow() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/metrics.csv"
            let first = try MetricsLog(path: path, keepingThrough: 0)
            for step in 1...5 { try first.append(Self.metrics(step)) }
            // A row that a killed process left half written.
            let handle = try #require(FileHandle(forWritingAtPath: path))
            try handle.seekToEnd()
            handle.write(Data("3,0.1".utf8))

            let second = try MetricsLog(path: path, keepingThrough: 3)
            #expect(second.keptDice == [0.5, 1.0 / 3, 0.25])
            for step in 4...6 { try second.append(Self.metrics(step)) }
            let rows = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropFirst()
            #expect(rows.map { $0.split(separator: ",")[0] } == ["1", "2", "3", "4", "5", "6"])

            #expect(try MetricsLog(path: path, keepingThrough: 0).keptDice.isEmpty)
        }
    }

    @Test func rowsThatAreLostAreSaid() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/metrics.csv"
            func loss(_ spoil: (inout [String]) -> Void) throws -> String? {
                let log = try MetricsLog(path: path, keepingThrough: 0)
                for step in 1...5 { try log.append(Self.metrics(step)) }
                var lines = try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: "\n")
                spoil(&lines)
                try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
                return try MetricsLog(path: path, keepingThrough: 5).loss
            }
            let whole = try loss { _ in }
            #expect(whole == nil)
            // A row that a killed process left half written is none that was done.
            let torn = try loss { $0[6] = "6,0.1" }
            #expect(torn == nil)
            let one = try loss { $0[2] = "2,abc,1" }
            #expect(one == "Line 3 of '\(path)' cannot be read: left out of what follows.")
            let two = try loss {
                $0[2] = $0[2].replacing("0.3333333333333333", with: "7.5")
                $0[4] = "4"
            }
            #expect(two == "Line 3 and 1 other of '\(path)' cannot be read: left out of what follows.")
            let end = try loss { $0.removeSubrange(3...5) }
            #expect(end == "'\(path)' has no rows of the steps 3 to 5, which were done: they are left out.")
            let empty = try loss { $0 = [""] }
            #expect(empty == "'\(path)' has no rows of the steps 1 to 5, which were done: they are left out.")
        }
    }

    /// A link to itself is there, and no user can read it.
    @Test func aFileThatCannotBeReadIsNotTakenForNone() throws {
        try withTemporaryFolder { folder in
            for name in ["metrics.csv", "held_out.csv"] {
                let path = "\(folder)/\(name)"
                try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
                let error = #expect(throws: FileError.self) {
                    if name == "metrics.csv" {
                        _ = try MetricsLog(path: path, keepingThrough: 3)
                    } else {
                        _ = try HeldOutLog(path: path, keepingThrough: 3)
                    }
                }
                #expect(error?.attempt == "'\(path)' could not be read")
                #expect(error?.reason == .tooManySymbolicLinkLevels)
                #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == path)
            }
        }
    }
}

@Suite struct RunSummaryTests {
    @Test func takesMedianAndQuartilesOfTheLast200() throws {
        // 100 early zeros do not count; of 0, 1, …, 199 the quartiles are 49.75, 99.5 and 149.25.
        let dice = Array(repeating: 0.0, count: 100) + (0..<200).map(Double.init).reversed()
        let summary = RunSummary(
            steps: 300, complete: true, finalLoss: 0.5, dice: dice, seconds: 10, voxelsPerSecond: 5, ranks: 2,
            threads: 1, peakMemoryBytes: 1 << 30, communicationShare: 0.02, reductionHiddenShare: nil,
            dataShare: 0,
            versions: ["mpi": "Open MPI 4.1.4"])
        #expect(summary.dscMedian == 99.5)
        #expect(summary.dscFirstQuartile == 49.75)
        #expect(summary.dscThirdQuartile == 149.25)
        #expect(summary.dscSteps == 200)
        try withTemporaryFolder { folder in
            try summary.write(to: folder + "/summary.json")
            let text = try String(contentsOfFile: folder + "/summary.json", encoding: .utf8)
            #expect(text.contains("\"dsc_median\" : 99.5"))
            #expect(text.contains("\"peak_memory_bytes\" : 1073741824"))
            #expect(try RunSummary(contentsOf: folder + "/summary.json") == summary)
        }
    }
}
