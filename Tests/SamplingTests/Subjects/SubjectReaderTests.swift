import Geometry
import Testing

@testable import Sampling

@Suite struct SubjectReaderTests {
    let folder: TemporaryFolder
    let geometry = VolumeGeometry(extent: Size3(1, 2, 3), spacing: SIMD3(1, 1, 2), origin: .zero)

    init() throws {
        folder = try TemporaryFolder()
    }

    private func write(_ voxels: [Float], _ name: String, _ geometry: VolumeGeometry? = nil) throws -> String
    {
        let path = folder.file(name)
        try Volume(geometry: geometry ?? self.geometry, voxels: voxels).write(to: path)
        return path
    }

    private func files(_ images: [String], reference: String? = nil, mask: String? = nil) -> SubjectFiles {
        SubjectFiles(
            subject: "s1", images: images.enumerated().map { .init(modality: "image\($0)", path: $1) },
            reference: reference, mask: mask)
    }

    @Test func zScoreInsideTheMask() throws {
        // Inside: 2, 4, 6. Mean 4, mean squared distance 8/3.
        let image = try write([2, 4, 6, 100, -50, 0], "a.nii")
        let mask = try write([1, 1, 0.6, 0.5, 0, 0], "m.nii")
        let subject = try SubjectReader().read(files([image], mask: mask))
        let deviation = (8.0 / 3).squareRoot()
        let expected = [-2.0, 0, 2, 96, -54, -4].map { Float($0 / deviation) }
        for (found, value) in zip(subject.images, expected) {
            // One rounding to single precision.
            #expect(abs(found - value) <= abs(value) * 1e-6)
        }
        #expect(subject.reference == nil)
    }

    @Test func zScoreOverNonZeroVoxelsOfEachImage() throws {
        let first = try write([0, 1, 3, 0, 0, 0], "a.nii")
        let second = try write([5, 0, 0, 0, 0, 9], "b.nii.gz")
        let subject = try SubjectReader().read(files([first, second]))
        #expect(subject.images == [-2, -1, 1, -2, -2, -2] + [-1, -3.5, -3.5, -3.5, -3.5, 1])
        #expect(subject.channels == 2)
        #expect(subject.byteCount == 48)
    }

    /// Values around a million whose squares lose the deviation in single precision.
    @Test func zScoreOfALargeOffset() throws {
        let image = try write([1_000_000, 1_000_001, 1_000_002, 1_000_000, 1_000_001, 1_000_002], "a.nii")
        let subject = try SubjectReader().read(files([image]))
        #expect(abs(subject.images[2] - 1.2247449) < 1e-6)
    }

    @Test func withoutNormalisation() throws {
        let image = try write([0, 1, 3, 4, 5, 6], "a.nii")
        let reference = try write([0, 0, 3, 0, 1, 0], "r.nii.gz")
        let reader = SubjectReader(normalisation: .none, classes: 3, merging: try LabelMerging([2: [3]]))
        let subject = try reader.read(files([image], reference: reference))
        #expect(subject.images == [0, 1, 3, 4, 5, 6])
        #expect(subject.reference == [0, 0, 2, 0, 1, 0])
        #expect(subject.byteCount == 30)
    }

    @Test func imagesThatCannotBeNormalised() throws {
        let constant = try write([0, 7, 7, 7, 0, 0], "a.nii")
        #expect(throws: SubjectError.constantImage(subject: "s1", path: constant, value: 7, isMasked: false))
        {
            try SubjectReader().read(files([constant]))
        }
        let zero = try write([0, 0, 0, 0, 0, 0], "b.nii")
        #expect(throws: SubjectError.nothingToNormaliseBy(subject: "s1", path: zero)) {
            try SubjectReader().read(files([zero]))
        }
        #expect(throws: SubjectError.emptyMask(subject: "s1", path: zero)) {
            try SubjectReader().read(files([constant], mask: zero))
        }
        let inside = try write([0, 1, 1, 1, 0, 0], "m.nii")
        #expect(throws: SubjectError.constantImage(subject: "s1", path: constant, value: 7, isMasked: true)) {
            try SubjectReader().read(files([constant], mask: inside))
        }
    }

    @Test func filesOfDifferentGrids() throws {
        let image = try write([0, 1, 3, 4, 5, 6], "a.nii")
        let larger = try write(
            [0, 1, 3, 4, 5, 6, 7, 8],
            "b.nii", VolumeGeometry(extent: Size3(1, 2, 4), spacing: SIMD3(1, 1, 2), origin: .zero))
        let shifted = try write(
            [0, 1, 0, 1, 0, 1],
            "c.nii", VolumeGeometry(extent: Size3(1, 2, 3), spacing: SIMD3(1, 1, 2), origin: SIMD3(0, 3, 0)))
        let second = #expect(throws: SubjectError.self) { try SubjectReader().read(files([image, larger])) }
        #expect(
            second?.description
                == "In subject s1, image1 (\(larger)) has 4 x 2 x 1 voxels and not 3 x 2 x 1, "
                + "as image0 (\(image)) has it.")
        let reference = #expect(throws: SubjectError.self) {
            try SubjectReader().read(files([image], reference: shifted))
        }
        #expect(
            reference?.description
                == "In subject s1, the reference (\(shifted)) puts voxel (0, 0, 0) 3 mm away, "
                + "and 0.05 mm are allowed, as image0 (\(image)) has it.")
        #expect(throws: SubjectError.self) { try SubjectReader().read(files([image], mask: shifted)) }
    }

    @Test func copiesOfBoxesArePaddedWithZero() throws {
        let subject = Subject(
            name: "s", geometry: plainGeometry(Size3(2, 2, 3)), channels: 2,
            images: (1...24).map { Float($0) }, reference: [1, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2])
        func images(_ box: VoxelBox) -> [Float] {
            var copy = [Float](repeating: -1, count: 2 * box.size.count)
            copy.withUnsafeMutableBufferPointer { subject.copyImages(in: box, to: $0) }
            return copy
        }
        // Second row of the first slice and second, one column beyond on either side.
        let box = VoxelBox(origin: VoxelIndex(z: 0, y: 1, x: -1), size: Size3(2, 2, 5))
        #expect(
            images(box) == [0, 4, 5, 6, 0] + [0, 0, 0, 0, 0] + [0, 10, 11, 12, 0] + [0, 0, 0, 0, 0]
                + [0, 16, 17, 18, 0] + [0, 0, 0, 0, 0] + [0, 22, 23, 24, 0] + [0, 0, 0, 0, 0])
        let outside = VoxelBox(origin: VoxelIndex(z: 0, y: 0, x: 7), size: Size3(1, 1, 2))
        #expect(images(outside) == [0, 0, 0, 0])
        var reference = [UInt8](repeating: 9, count: 8)
        let count = reference.withUnsafeMutableBufferPointer {
            subject.copyReference(
                in: VoxelBox(origin: VoxelIndex(z: -1, y: 0, x: 0), size: Size3(2, 2, 2)), to: $0)
        }
        #expect(reference == [0, 0, 0, 0, 1, 2, 0, 1])
        #expect(count == 3)
    }
}
