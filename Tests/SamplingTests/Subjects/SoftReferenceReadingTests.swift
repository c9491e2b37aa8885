import Geometry
import Testing

@testable import Sampling

@Suite struct SoftReferenceReadingTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A file of 3 x 2 x 1 voxels, as many volumes as there are values for.
    private func write(_ values: [Float], to name: String) throws -> String {
        let volumes = values.count / 6
        var file = HandmadeNIfTI(dimensions: volumes == 1 ? [3, 2, 1] : [3, 2, 1, volumes])
        for value in values { file.append(value) }
        return try folder.write(file.bytes, to: name)
    }

    private func read(_ values: [Float], classes: Int, slices: SlicePlane = .stored) throws -> Subject {
        let image = try write([1, 2, 3, 4, 5, 6], to: "image.nii")
        let reference = try write(values, to: "reference.nii")
        let reader = SubjectReader(
            normalisation: .none, classes: classes, referenceKind: .probabilities, slices: slices)
        return try reader.read(
            SubjectFiles(subject: "s", images: [.init(modality: "a", path: image)], reference: reference))
    }

    @Test func theForegroundAloneIsEnoughOfTwoClasses() throws {
        let subject = try read([0, 0.25, 0.5, 0.49, 1.0005, -0.0005], classes: 2)
        #expect(subject.probabilities == [0, 0.25, 0.5, 0.49, 1, 0])
        #expect(subject.reference == [0, 0, 1, 0, 1, 0])
        #expect(subject.byteCount == 6 * 4 + 6 * 4 + 6)
        let map = try LabelMap(readingProbabilities: folder.file("reference.nii"), classes: 2)
        #expect(map.labels == [0, 0, 1, 0, 1, 0])
        let both = try read([1, 0.75, 0.5, 0.51, 0, 1] + [0, 0.25, 0.5, 0.49, 1, 0], classes: 2)
        #expect(both.probabilities == [0, 0.25, 0.5, 0.49, 1, 0])
    }

    @Test func aVolumeAClass() throws {
        // Voxel 2 is background by less than a half; the foreground classes have 0.6 together. Voxel 3: a
        // tie.
        let subject = try read(
            [0.6, 0.5, 0.4, 0.2, 1, 0] + [0.3, 0.4, 0.25, 0.4, 0, 0] + [0.1, 0.1, 0.35, 0.4, 0, 1], classes: 3
        )
        #expect(subject.probabilities == [0.3, 0.4, 0.25, 0.4, 0, 0, 0.1, 0.1, 0.35, 0.4, 0, 1])
        #expect(subject.reference == [0, 1, 2, 1, 0, 2])
    }

    @Test func patchesHoldAllClassesAndBackgroundOutside() throws {
        let subject = try read(
            [0.5, 0.5, 0.25, 0.25, 1, 0] + [0.25, 0.25, 0.25, 0.5, 0, 0] + [0.25, 0.25, 0.5, 0.25, 0, 1],
            classes: 3)
        let batch = PatchBatch(
            slots: 2, channels: 1, inputSize: Size3(1, 2, 2), effectiveSize: Size3(1, 2, 2), softClasses: 3)
        // The last column, and one beyond.
        #expect(batch.fill(slot: 1, from: subject, at: VoxelIndex(z: 0, y: 0, x: 2)) == 2)
        batch.withSoftReference(slot: 1) { found in
            #expect(Array(found) == [0.25, 1, 0, 1] + [0.25, 0, 0, 0] + [0.5, 0, 1, 0])
        }
        batch.withReference(slot: 1) { #expect(Array($0) == [2, 0, 2, 0]) }
        batch.withSoftReference(slot: 0) { #expect($0.allSatisfy { $0 == 0 }) }
    }

    @Test func slicesReorderThemToo() throws {
        // x is in front: 3 slices of 1 x 2 voxels.
        let subject = try read([0, 0.25, 0.5, 0.75, 1, 0.125], classes: 2, slices: .sagittal)
        #expect(subject.extent == Size3(3, 1, 2))
        #expect(subject.probabilities == [0, 0.75, 0.25, 1, 0.5, 0.125])
        #expect(subject.reference == [0, 1, 0, 1, 1, 0])
    }

    @Test(
        arguments: [
            ([0, 0, 0, 0, 1.2, 0], 2, "holds 1.2 at (1, 1, 0), and probabilities are 0 to 1."),
            ([0, 0, 0, -1, 0, 0], 2, "holds -1 at (0, 1, 0), and probabilities are 0 to 1."),
            (
                [0, 0, 0, 0, 0, 0], 3,
                "has the shape 3 x 2 x 1; probabilities of 3 classes are expected as 3 volumes, the background's first."
            ),
            (
                [Float](repeating: 0, count: 18), 2,
                "has the shape 3 x 2 x 1 x 3; probabilities of 2 classes are expected as 2 volumes, the background's "
                    + "first, or as the foreground's alone."
            ),
        ] as [([Float], Int, String)])
    func wrongFilesAreNamed(values: [Float], classes: Int, sentence: String) throws {
        let error = #expect(throws: NIfTIError.self) { try read(values, classes: classes) }
        #expect(error.map { "\($0)" } == folder.file("reference.nii") + " " + sentence)
    }

    @Test func sumsAreChecked() throws {
        let error = #expect(throws: NIfTIError.self) {
            try read([1, 1, 0.5, 1, 1, 1] + [0, 0, 0.25, 0, 0, 0], classes: 2)
        }
        #expect(
            error.map { "\($0)" }
                == "The probabilities of \(folder.file("reference.nii")) add up to 0.75 at (2, 0, 0), "
                + "and not to 1.")
        // A series is none of the images' formats still.
        #expect(throws: NIfTIError.shape(path: folder.file("reference.nii"), shape: [3, 2, 1, 2])) {
            try Volume(reading: folder.file("reference.nii"))
        }
    }
}
