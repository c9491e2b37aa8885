import Geometry
import Testing

@testable import Sampling

@Suite struct SliceTests {
    /// x runs to the back, y to the top, z to the right: what a scanner stores of sagittal slices.
    static let sagittal = [[0, 0, 1.2, -80], [-0.9, 0, 0, 90], [0, 0.9, 0, -70]]

    private func geometry(_ rows: [[Double]]) -> VolumeGeometry {
        var geometry = VolumeGeometry(extent: Size3(2, 3, 4), spacing: [1, 1, 1], origin: .zero)
        geometry.sform.rows = rows.map { SIMD4($0[0], $0[1], $0[2], $0[3]) }
        return geometry
    }

    /// 4 x 3 x 2 voxels along x, y, z, each with its own value: 100 z + 10 y + x.
    private func subject(_ plane: SlicePlane) throws -> Subject {
        let folder = try TemporaryFolder()
        var file = HandmadeNIfTI(dimensions: [4, 3, 2], rows: Self.sagittal)
        var labels = HandmadeNIfTI(dimensions: [4, 3, 2], datatype: 2, bitsPerVoxel: 8, rows: Self.sagittal)
        for z in 0..<2 {
            for y in 0..<3 {
                for x in 0..<4 {
                    file.append(Float(100 * z + 10 * y + x))
                    labels.append(UInt8(y))
                }
            }
        }
        let image = try folder.write(file.bytes, to: "image.nii")
        let reference = try folder.write(labels.bytes, to: "labels.nii")
        return try SubjectReader(normalisation: .none, classes: 3, slices: plane).read(
            SubjectFiles(
                subject: "s", images: [.init(modality: "a", path: image), .init(modality: "b", path: image)],
                reference: reference))
    }

    @Test func axialSlicesOfASagittalFileFollowItsSecondAxis() throws {
        let subject = try subject(.axial)
        #expect(subject.geometry.orientation == "PSR")
        #expect(subject.order == AxisOrder(front: 1))
        #expect(subject.extent == Size3(3, 2, 4))
        let expected: [Float] = [
            0, 1, 2, 3, 100, 101, 102, 103, 10, 11, 12, 13, 110, 111, 112, 113, 20, 21, 22, 23, 120, 121, 122,
            123,
        ]
        #expect(subject.images == expected + expected)
        #expect(
            subject.reference == [UInt8](repeating: 0, count: 8) + [UInt8](repeating: 1, count: 8)
                + [UInt8](repeating: 2, count: 8))
    }

    @Test func coronalSlicesOfASagittalFileFollowItsFirstAxis() throws {
        let subject = try subject(.coronal)
        #expect(subject.extent == Size3(4, 2, 3))
        // x, then z, then y.
        #expect(Array(subject.images.prefix(9)) == [0, 10, 20, 100, 110, 120, 1, 11, 21])
        // Slice 2 of 4, row 1 of 2, column 2 of 3.
        let index = VoxelIndex(z: 2, y: 1, x: 2)
        #expect(subject.images[2 * 6 + 1 * 3 + 2] == 122)
        #expect(subject.order.stored(index) == VoxelIndex(z: 1, y: 2, x: 2))
    }

    @Test(arguments: [SlicePlane.sagittal, .stored])
    func sagittalSlicesOfASagittalFileAreAsStored(plane: SlicePlane) throws {
        let subject = try subject(plane)
        #expect(subject.order == .stored)
        #expect(subject.extent == Size3(2, 3, 4))
        #expect(Array(subject.images.prefix(6)) == [0, 1, 2, 3, 10, 11])
    }

    @Test(arguments: 0..<3)
    func whatIsReorderedIsRestored(front: Int) {
        let order = AxisOrder(front: front)
        let stored = Size3(2, 3, 5)
        let values = (0..<2 * stored.count).map { Int32($0) }
        let reordered = order.reordered(values, stored: stored)
        #expect((reordered == values) == (front == 0))
        #expect(order.restored(reordered, stored: stored) == values)
        // A voxel of the second image lies where its index says.
        let extent = order.extent(stored)
        let place = order.stored(VoxelIndex(z: 1, y: 1, x: 1))
        #expect(
            reordered[stored.count + (1 * extent.height + 1) * extent.width + 1]
                == Int32(stored.count + (place.z * stored.height + place.y) * stored.width + place.x))
    }

    /// Cosines and sines of the angles below.
    @Test(arguments: [
        // 30 degrees about the right-left axis: still axial along z.
        ([[1, 0, 0, 0], [0, 0.866, -0.5, 0], [0, 0.5, 0.866, 0]], [0, 1, 2]),
        // 60 degrees: y is nearer to the top.
        ([[1, 0, 0, 0], [0, 0.5, -0.866, 0], [0, 0.866, 0.5, 0]], [0, 2, 1]),
        // 45 degrees: in doubt, as in an aligned grid.
        ([[1, 0, 0, 0], [0, 0.70710678, -0.70710678, 0], [0, 0.70710678, 0.70710678, 0]], [0, 1, 2]),
        // Both x and y lie nearest to the right: each is given an axis of its own.
        ([[2, 0.8, 0, 0], [0, 0.6, 0, 0], [0, 0, -3, 0]], [0, 1, 2]),
        // Voxels of 5 x 0.1 x 0.1 mm: their size says nothing of their direction.
        ([[0, 0, 0.1, 0], [5, 0, 0, 0], [0, 0.1, 0, 0]], [2, 0, 1]),
    ])
    func theNearestAxisIsTaken(rows: [[Double]], expected: [Int]) {
        #expect(geometry(rows).affine.nearestAxes == expected)
    }

    @Test func withoutATransformTheFileIsTakenAsAligned() {
        var plain = geometry(Self.sagittal)
        (plain.sformCode, plain.qformCode) = (0, 0)
        plain.qform = Affine(spacing: [1, 1, 1], origin: .zero)
        #expect(plain.order(slicing: .axial) == .stored)
        #expect(plain.order(slicing: .sagittal) == AxisOrder(front: 2))
    }

    @Test func recordsNameTheFilesVoxels() throws {
        let subject = try subject(.axial)
        let assignment = try SlotAssignment(seed: 1, subjects: 1, globalSlots: 1, rank: 0, size: 1)
        let source = PatchSource(
            names: ["s"], channels: 2, assignment: assignment,
            options: .init(inputSize: Size3(1, 1, 1), effectiveSize: Size3(1, 1, 1), threads: 1),
            firstStep: 0
        ) { _ in subject }
        for step in 0..<5 {
            let batch = try source.next(step: step)
            let place = batch.records[0].position
            // Of a slice with foreground, and the value of that voxel in the file.
            #expect(place.y > 0)
            batch.withImages { #expect($0[0] == Float(100 * place.z + 10 * place.y + place.x)) }
        }
    }
}
