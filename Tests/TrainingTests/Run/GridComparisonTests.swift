import Collectives
import Foundation
import Geometry
import Sampling
import TestSupport
import Testing

@testable import RunFiles
@testable import Training

@Suite(.serialized) struct GridComparisonTests {
    private static let volumes = GridView(slices: .stored, isPlanar: false)

    /// - Parameter flipsX: whether x runs to the left.
    private static func grid(
        _ subject: String, flipsX: Bool = false, spacing: SIMD3<Double> = [1, 1, 1], pixdim: Double? = nil
    ) -> SubjectGrid {
        var geometry = VolumeGeometry(extent: Size3(cube: 4), spacing: spacing, origin: [0, 0, 0])
        if flipsX { geometry.sform.rows[0].x *= -1 }
        if let pixdim { geometry.spacing = SIMD3(repeating: pixdim) }
        return SubjectGrid(subject, geometry)
    }

    private static func grids(_ count: Int, after others: [SubjectGrid]) -> [SubjectGrid] {
        others + (0..<count - others.count).map { grid("s\($0)") }
    }

    @Test func subjectsThatDifferAreCountedAndNamed() {
        func warnings(_ others: [SubjectGrid], view: GridView = Self.volumes) -> [String] {
            GridComparison(Self.grids(40, after: others), view: view).warnings
        }
        #expect(warnings([]) == [])
        let flipped = ["a", "b", "c", "d", "e"].map { Self.grid($0, flipsX: true) }
        let rest = "; images are used as stored, neither turned nor flipped."
        #expect(
            warnings(Array(flipped.prefix(3))) == [
                "3 of 40 subjects are oriented LAS and not RAS as the others: a, b and c" + rest
            ])
        #expect(
            warnings(Array(flipped.prefix(1))) == [
                "1 of 40 subjects is oriented LAS and not RAS as the others: a" + rest
            ])
        #expect(
            warnings(flipped) == [
                "5 of 40 subjects are oriented LAS and not RAS as the others: a, b, c and 2 others" + rest
            ])
        #expect(
            warnings(flipped, view: GridView(slices: .axial, isPlanar: true)) == [
                "5 of 40 subjects have slices oriented LA and not RA as the others: a, b, c and 2 others"
                    + rest
            ])
        // What a flip of x does is not seen across sagittal slices.
        #expect(warnings(flipped, view: GridView(slices: .sagittal, isPlanar: true)) == [])
    }

    @Test func spacingMayDifferByATenth() {
        let others = [
            Self.grid("a", spacing: [1, 1, 1.09]), Self.grid("b", spacing: [1, 1, 1.12]),
            Self.grid("c", spacing: [0.85, 1, 1]), Self.grid("d", spacing: [1.1, 0.9, 1]),
        ]
        #expect(
            GridComparison(Self.grids(9, after: others), view: Self.volumes).warnings == [
                "2 of 9 subjects have a spacing that differs by more than 10 % on an axis from the median, 1 x 1 x 1 mm: "
                    + "b (1 x 1 x 1.12 mm) and c (0.85 x 1 x 1 mm); images are used as stored, not resampled."
            ])
        // Networks of slices do not see how far apart these are.
        let axial = GridView(slices: .axial, isPlanar: true)
        #expect(GridComparison(Self.grids(9, after: [others[1]]), view: axial).warnings == [])
    }

    @Test func aPixdimThatContradictsTheTransformIsNamedWithBothSpacings() {
        let grids = [
            Self.grid("a"), Self.grid("b", spacing: [2, 2, 2], pixdim: 1), Self.grid("c", pixdim: 1.003),
        ]
        #expect(
            GridComparison.pixdimWarning(grids)
                == "1 of 3 subjects has a pixdim that contradicts the transform: b (voxels of 2 x 2 x 2 mm by its "
                + "transform, 1 x 1 x 1 mm by pixdim); volumes go by the transform.")
        #expect(GridComparison.pixdimWarning([grids[0], grids[2]]) == nil)
    }

    @Test func subjectsAreComparedWithATraining() {
        let plain = GridSummary([Self.grid("a"), Self.grid("b")], view: Self.volumes)
        let found = [Self.grid("x", flipsX: true), Self.grid("y", flipsX: true, spacing: [2, 2, 2])]
        let comparison = GridComparison(found, view: Self.volumes)
        let rest = ": x and y; images are used as stored, neither turned nor flipped."
        #expect(
            comparison.warnings(against: plain) == [
                "2 of 2 subjects are oriented LAS and not RAS as in the training" + rest,
                "1 of 2 subjects has a spacing that differs by more than 10 % on an axis from the training's median, "
                    + "1 x 1 x 1 mm: y (2 x 2 x 2 mm); images are used as stored, not resampled.",
            ])
        let mixed = GridSummary([Self.grid("a"), Self.grid("b"), found[0]], view: Self.volumes)
        #expect(
            comparison.warnings(against: mixed)[0]
                == "2 of 2 subjects are oriented LAS and not RAS as the most frequent of the training (2 RAS and 1 LAS)"
                + rest)
        #expect(GridComparison([Self.grid("z")], view: Self.volumes).warnings(against: mixed) == [])
    }

    @Test func metadataReadBackToTheSame() {
        let grids = [Self.grid("a", spacing: [0.1, 1.0 / 3, 7]), Self.grid("b", flipsX: true)]
        for view in [Self.volumes, GridView(slices: .coronal, isPlanar: true)] {
            let summary = GridSummary(grids, view: view)
            #expect(GridSummary(metadata: summary.metadata) == summary)
        }
        let whole = GridSummary(grids, view: Self.volumes).metadata
        #expect(whole["orientations"] == "LAS 1\nRAS 1")
        #expect(GridSummary(metadata: [:]) == nil)
        for (key, text) in [
            ("orientations", ""), ("orientations", "RAS"), ("orientations", "RA 2"), ("spacing_mm", "1 1"),
        ] {
            #expect(GridSummary(metadata: whole.merging([key: text]) { $1 }) == nil)
        }
    }

    /// The second of two subjects is mirrored: x runs to the left.
    @Test func aRunWarnsAndItsCheckpointsKnow() throws {
        try withTemporaryFolder { folder in
            _ = try TrainerTests.configuration(in: folder, steps: 2)
            for name in ["1", "1-label"] {
                let path = "\(folder)/\(name).nii"
                let volume = try Volume(reading: path)
                var geometry = volume.geometry
                geometry.sform.rows[0].x = -1
                try Volume(geometry: geometry, voxels: volume.voxels).write(to: path)
            }
            let sentence = "1 of 2 subjects is oriented RAS and not LAS as the others: a;"
            let (_, output) = try TrainerTests.train(folder, "run", steps: 2)
            #expect(output.contains("warning: " + sentence))
            let checkpoint = try TrainerTests.checkpoint(folder, "run", step: 2)
            #expect(checkpoint.grids?.orientations == ["RAS": 1, "LAS": 1])
            #expect(checkpoint.grids?.spacing == [1, 1, 1])

            // An older checkpoint does not tell, and a resumed run looks for itself.
            var older = checkpoint
            older.grids = nil
            try older.write(to: folder + "/older")
            #expect(try Checkpoint(contentsOf: folder + "/older").grids == nil)
            try TrainerTests.train(folder, "again", steps: 3, resume: .file(folder + "/older"))
            #expect(try TrainerTests.checkpoint(folder, "again", step: 3).grids == checkpoint.grids)
            let log = try String(contentsOfFile: folder + "/run/log.txt", encoding: .utf8)
            #expect(log.contains(sentence))
        }
    }

    @Test func headersAreReadOnceByEachAndOthersAreLeftOut() throws {
        try withTemporaryFolder { folder in
            let task = try TrainingTask(TrainerTests.configuration(in: folder, steps: 2))
            try FileManager.default.removeItem(atPath: folder + "/1.nii")
            var reads = 0
            let found = try GridSurvey.read(
                task.subjects, on: SoloCommunicator(), leavesOutUnreadable: true
            ) { reads += 1 }
            #expect(found.map(\.subject) == ["a"] && reads == 2)
            #expect(throws: NIfTIError.missing(path: folder + "/1.nii")) {
                try GridSurvey.read(task.subjects, on: SoloCommunicator())
            }
        }
    }
}
