import Foundation
import Testing

extension RankTests {
    /// What `bench scaling` prints: its structure, and numbers that hold whatever the times.
    @Suite("bench scaling")
    struct BenchScaling {
        private static let arguments = [
            "bench", "scaling", "run.yaml", "--channels", "1", "--steps", "1", "--max-ranks", "8", "--link",
            "10", "--link", "100:1.5", "--csv", "forecast.csv",
        ]

        @Test("Two ranks measure their link and stand beside the forecast")
        func onTwoRanks() async throws {
            let small = try await SmallRun(changes: ["batch": "4"])
            let outcome = try await small.launcher(ranks: 2).run(Self.arguments)
            #expect(outcome.exitCodes == [0, 0], "\(outcome)")
            let lines = outcome.standardOutput.split(separator: "\n").map(String.init)
            #expect(lines.first == "Measured on 2 ranks at once, 1 thread each:")
            #expect(lines.contains { $0.hasPrefix("  gradients               808946 values, 3.086 MiB") })
            // Statistics of 20 batch norms, forward and backward, and the sums of the loss.
            let exchanges = try #require(lines.first { $0.hasPrefix("  small exchanges") })
            #expect(exchanges.hasPrefix("  small exchanges         41 a step, in which a rank gives "))

            // Powers of 4 from 64 bytes to 16 MiB, seven columns each.
            let sizes = lines.compactMap(Self.cells).filter { $0.count == 7 }
            #expect(sizes.map { $0[0] } == (3...12).map { Double(1 << (2 * $0)) })
            for row in sizes {
                for (time, line, difference) in [(row[1], row[2], row[3]), (row[4], row[5], row[6])] {
                    #expect(time > 0)
                    // Shorter times have too few digits to tell.
                    #expect(time < 20 || abs(100 * (line / time - 1) - difference) < 1 + abs(difference) / 10)
                }
            }

            let groups = lines.compactMap(Self.cells).filter { $0.count == 8 }
            try #require(groups.count == 1, "\(outcome)")
            let row = groups[0]
            #expect(row[0] == 2 && row[1] == 4)
            #expect(row[2] > 0 && row[2] <= 3.086)
            #expect(row[5] >= row[3] + row[4] && row[6] > 0)
            #expect(abs(100 * (row[5] / row[6] - 1) - row[7]) < 1)

            let forecasts = lines.compactMap(Self.cells).filter { $0.count == 13 }
            // Weak scaling to 8 ranks on two links, then strong scaling of a batch of 4.
            #expect(
                forecasts.map { Array($0[0..<4]) } == [
                    [10, 30, 2, 4], [10, 30, 4, 8], [10, 30, 8, 16],
                    [100, 1.5, 2, 4], [100, 1.5, 4, 8], [100, 1.5, 8, 16],
                    [10, 30, 2, 4], [10, 30, 4, 4], [100, 1.5, 2, 4], [100, 1.5, 4, 4],
                ])
            for row in forecasts { Self.check(row) }
            // More ranks are never more efficient with as many patches each, but for what bucket sizes taken
            // as equally good differ by.
            for link in [forecasts[0..<3], forecasts[3..<6]] {
                for column in [8, 12] {
                    let efficiency = [100] + link.map { $0[column] }
                    #expect(
                        zip(efficiency, efficiency.dropFirst()).allSatisfy { $1 <= $0 + 0.3 }, "\(efficiency)"
                    )
                }
            }
        }

        @Test("One rank forecasts without a link of its own, and writes the table")
        func alone() async throws {
            let small = try await SmallRun(changes: ["batch": "1"])
            let outcome = try await small.launcher().run(Self.arguments)
            #expect(outcome.exitCode == 0, "\(outcome)")
            #expect(outcome.standardOutput.contains("With one rank there is no link to measure"))
            #expect(!outcome.standardOutput.contains("strong scaling:"))
            let rows = try small.workspace.read("forecast.csv").split(separator: "\n")
                .map { $0.split(separator: ",").map(String.init) }
            #expect(rows.count == 1 + 2 * 3 * 2)
            #expect(rows[0].first == "scaling" && rows[0].last == "efficiency")
            for row in rows.dropFirst() {
                let numbers = row[7...].compactMap { Double($0) }
                try #require(numbers.count == 5)
                #expect(abs(numbers[0] + numbers[1] + numbers[2] - numbers[3]) < 1e-9)
                #expect(abs(numbers[0] / numbers[3] - numbers[4]) < 1e-9)
            }
        }

        @Test("A link that is none is named")
        func wrongLink() async throws {
            let small = try await SmallRun()
            let outcome = try await small.launcher().run([
                "bench", "scaling", "run.yaml", "--link", "fast",
            ])
            #expect(outcome.exitCode == 64)
            #expect(outcome.errors.first?.contains("'fast'") == true, "\(outcome)")
        }

        /// A row of the forecast: ring and tree have a bucket, times and an efficiency each.
        private static func check(_ row: [Double]) {
            let exchanges = row[4]
            #expect(exchanges > 0)
            for algorithm in [row[5...8], row[9...12]].map(Array.init) {
                #expect(algorithm[0] > 0 && algorithm[0] <= 3.086)
                #expect(algorithm[2] >= algorithm[1] + exchanges)
                #expect(algorithm[3] > 0)
            }
            // As many bytes in fewer messages.
            #expect(row[11] <= row[7])
        }

        /// The numbers of a line that holds nothing else but percent signs.
        private static func cells(_ line: String) -> [Double]? {
            let words = line.split(separator: " ").filter { $0 != "%" }
            let numbers = words.compactMap { Double($0) }
            return numbers.count == words.count ? numbers : nil
        }
    }
}
