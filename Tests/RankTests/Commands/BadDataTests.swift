import Foundation
import Geometry
import Sampling
import Testing

extension RankTests {
    /// Each on two ranks, of which one alone may own the bad subject.
    @Suite("Bad data get one sentence that names the file")
    struct BadData {
        static let victim = "data/phantom-002"

        /// Trains after `spoil` has spoilt a subject.
        private func train(
            changes: [String: String] = [:], spoil: (SmallRun) throws -> Void
        ) async throws -> Launcher.Outcome {
            let small = try await SmallRun(changes: changes)
            try spoil(small)
            return try await small.train(ranks: 2)
        }

        private func path(_ name: String, _ small: SmallRun) -> String {
            small.workspace.path("\(Self.victim)/\(name).nii.gz")
        }

        @Test("A missing file")
        func missing() async throws {
            let outcome = try await train { try FileManager.default.removeItem(atPath: path("flair", $0)) }
            expectRefusal(outcome, mentions: ["\(Self.victim)/flair.nii.gz"])
        }

        @Test("A truncated file", arguments: ["flair", "lesion", "wm"])
        func truncated(name: String) async throws {
            let outcome = try await train { small in
                let file = URL(fileURLWithPath: path(name, small))
                let data = try Data(contentsOf: file)
                try data.prefix(data.count / 2).write(to: file)
            }
            expectRefusal(outcome, mentions: ["\(Self.victim)/\(name).nii.gz", "truncated"])
        }

        @Test("A file that is no NIfTI")
        func noNIfTI() async throws {
            let outcome = try await train {
                try Data(repeating: 7, count: 5000).write(to: URL(fileURLWithPath: path("t1", $0)))
            }
            expectRefusal(outcome, mentions: ["\(Self.victim)/t1.nii.gz", "NIfTI"])
        }

        @Test("A series of volumes where one is expected")
        func wrongShape() async throws {
            let outcome = try await train { small in
                let volume = try Volume(reading: path("t1", small))
                let plain = small.workspace.path("\(Self.victim)/t1.nii")
                try volume.write(to: plain)
                var bytes = try Data(contentsOf: URL(fileURLWithPath: plain))
                // NIfTI-1: dim[8] are 16-bit integers at byte 40; dim[0] is the number of dimensions.
                bytes[40] = 4
                bytes[48] = 2
                bytes.append(bytes.suffix(from: 352))
                try bytes.write(to: URL(fileURLWithPath: plain))
                let list = try small.workspace.read("data/subjects.csv")
                    .replacingOccurrences(of: "phantom-002/t1.nii.gz", with: "phantom-002/t1.nii")
                try small.workspace.write(list, to: "data/subjects.csv")
            }
            expectRefusal(outcome, mentions: ["\(Self.victim)/t1.nii", "24 x 24 x 24 x 2"])
        }

        @Test("A reference of another size")
        func otherSize() async throws {
            let outcome = try await train { small in
                let grid = VolumeGeometry(extent: Size3(23, 24, 24), spacing: SIMD3(8, 8, 8), origin: .zero)
                try LabelMap(geometry: grid, labels: [UInt8](repeating: 1, count: grid.extent.count))
                    .write(to: path("lesion", small))
            }
            expectRefusal(outcome, mentions: ["phantom-002", "lesion.nii.gz", "23", "24"])
        }

        @Test("A reference that lies elsewhere")
        func otherPlace() async throws {
            let outcome = try await train { small in
                let reference = try LabelMap(reading: path("lesion", small), classes: 2)
                var grid = reference.geometry
                for row in 0..<3 { grid.sform.rows[row].w += 20 }
                try LabelMap(geometry: grid, labels: reference.labels).write(to: path("lesion", small))
            }
            expectRefusal(outcome, mentions: ["phantom-002", "lesion.nii.gz", "mm"])
        }

        @Test("A label outside the classes")
        func label() async throws {
            let outcome = try await train { small in
                var reference = try LabelMap(reading: path("lesion", small), classes: 2)
                reference.labels[5] = 3
                try reference.write(to: path("lesion", small))
            }
            expectRefusal(outcome, mentions: ["\(Self.victim)/lesion.nii.gz", "label 3", "2 classes"])
        }

        @Test("NaN voxels", arguments: [Float.nan, Float.infinity])
        func nonFinite(value: Float) async throws {
            let outcome = try await train { small in
                var volume = try Volume(reading: path("flair", small))
                volume.voxels[7] = value
                try volume.write(to: path("flair", small))
            }
            expectRefusal(outcome, mentions: ["\(Self.victim)/flair.nii.gz", "NaN or infinite"])
        }

        @Test("A constant image")
        func constant() async throws {
            let outcome = try await train { small in
                var volume = try Volume(reading: path("flair", small))
                volume.voxels = [Float](repeating: 5, count: volume.voxels.count)
                try volume.write(to: path("flair", small))
            }
            expectRefusal(outcome, mentions: ["\(Self.victim)/flair.nii.gz"])
        }

        @Test("A subject without foreground")
        func noForeground() async throws {
            let outcome = try await train { small in
                var reference = try LabelMap(reading: path("lesion", small), classes: 2)
                reference.labels = [UInt8](repeating: 0, count: reference.labels.count)
                try reference.write(to: path("lesion", small))
            }
            expectRefusal(outcome, mentions: ["phantom-002", "foreground"])
        }

        @Test("A subject without foreground can be left out")
        func skipsForeground() async throws {
            let data =
                "{list: data/subjects.csv, modalities: [flair], reference: lesion, mask: wm, no_foreground: skip}"
            let outcome = try await train(changes: ["data": data]) { small in
                var reference = try LabelMap(reading: path("lesion", small), classes: 2)
                reference.labels = [UInt8](repeating: 0, count: reference.labels.count)
                try reference.write(to: path("lesion", small))
            }
            #expect(outcome.exitCode == 0, "\(outcome)")
        }

        @Test("A list with a row too short")
        func list() async throws {
            let outcome = try await train { small in
                let text = try small.workspace.read("data/subjects.csv")
                try small.workspace.write(text + "extra,a.nii.gz\n", to: "data/subjects.csv")
            }
            expectRefusal(outcome, mentions: ["data/subjects.csv", "Line 6"])
        }
    }
}
