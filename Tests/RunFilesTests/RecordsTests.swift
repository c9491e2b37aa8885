import Foundation
import TestSupport
import Testing

@testable import RunFiles

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
