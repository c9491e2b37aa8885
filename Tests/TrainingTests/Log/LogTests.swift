import Foundation
import Logging
import RunFiles
import Synchronization
import TestSupport
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
                logger.debug("tuned")
                logger[metadataKey: "rank"] = "1"
                logger.warning("careful")
                #expect(recorder.text == (quiet ? "" : "\(text)\n") + "warning: careful rank=1\n")
            }
            let line = "1970-01-01T00:00:00Z"
            #expect(
                try String(contentsOfFile: path, encoding: .utf8)
                    == ["first", "second"].map {
                        "\(line) info: \($0)\n\(line) debug: tuned\n\(line) warning: careful rank=1\n"
                    }.joined())
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
