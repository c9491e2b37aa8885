import Geometry
import Testing

@testable import Sampling

@Suite struct NIfTIReadingTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// NIfTI's code, bits, and the six values of a 3 x 2 x 1 volume; extremes of each type included.
    static let datatypes: [(code: Int16, bits: Int16, values: [Double])] = [
        (2, 8, [0, 1, 2, 127, 128, 255]),
        (256, 8, [-128, -1, 0, 1, 2, 127]),
        (4, 16, [-32768, -1, 0, 1, 258, 32767]),
        (512, 16, [0, 1, 2, 258, 32768, 65535]),
        (8, 32, [-2_147_483_648, -1, 0, 1, 66051, 2_000_000]),
        (768, 32, [0, 1, 2, 66051, 2_147_483_648, 4_294_967_295]),
        (1024, 64, [-9_000_000_000, -1, 0, 1, 66051, 9_000_000_000]),
        (1280, 64, [0, 1, 2, 66051, 9_000_000_000, 18_000_000_000_000_000_000]),
        (16, 32, [-1.5, 0, 0.25, 1e-30, 1e30, 7]),
        (64, 64, [-1.5, 0, 0.25, 1e-30, 1e30, 7]),
    ]

    @Test(arguments: [1, 2], [false, true])
    func everyDatatypeInEitherByteOrder(version: Int, isBigEndian: Bool) throws {
        for type in Self.datatypes {
            var file = HandmadeNIfTI(
                version: version, isBigEndian: isBigEndian, datatype: type.code, bitsPerVoxel: type.bits)
            for value in type.values { file.appendConverted(value) }
            let path = try folder.write(file.bytes, to: "type\(type.code).nii")
            let volume = try Volume(reading: path)
            #expect(volume.voxels == type.values.map { Float($0) }, "datatype \(type.code)")
            #expect(volume.geometry.extent == Size3(1, 2, 3))
        }
    }

    @Test(arguments: [1, 2], [false, true])
    func geometry(version: Int, isBigEndian: Bool) throws {
        var file = HandmadeNIfTI(version: version, isBigEndian: isBigEndian, datatype: 2, bitsPerVoxel: 8)
        file.voxels = [0, 1, 2, 3, 4, 5]
        let geometry = try Volume(reading: try folder.write(file.bytes, to: "a.nii")).geometry
        #expect(geometry.isNIfTI2 == (version == 2))
        #expect(geometry.spacing == SIMD3(2, 3, 4))
        #expect(geometry.orientation == "LAS")
        #expect(geometry.affine(SIMD3(1, 1, 1)) == SIMD3(8, -17, -26))
        #expect(geometry.units == 10)
        #expect(geometry.quaternion == SIMD3(0, 1, 0))
        #expect(geometry.qfac == -1)
    }

    @Test func affineOfTheQuaternionWhereThereIsNoOther() throws {
        // Half a turn around y and a flip of z: x and z point the other way, then z once more.
        var file = HandmadeNIfTI(datatype: 2, bitsPerVoxel: 8, qformCode: 1, sformCode: 0)
        file.voxels = [0, 1, 2, 3, 4, 5]
        let geometry = try Volume(reading: try folder.write(file.bytes, to: "a.nii")).geometry
        #expect(geometry.affine(SIMD3(1, 1, 1)) == SIMD3(8, -17, -26))
    }

    @Test func voxelsAreInFileOrderWithXFastest() throws {
        var file = HandmadeNIfTI(dimensions: [2, 3, 4], datatype: 2, bitsPerVoxel: 8)
        file.voxels = (0..<24).map { UInt8($0) }
        let volume = try Volume(reading: try folder.write(file.bytes, to: "a.nii"))
        #expect(volume.geometry.extent == Size3(4, 3, 2))
        #expect(volume.voxels == (0..<24).map { Float($0) })
    }

    @Test(arguments: [
        (2.0, 10.0, [10, 12, 18] as [Float]), (0.0, 10.0, [0, 1, 4]), (1.0, -1.0, [-1, 0, 3]),
    ])
    func slopeAndInterceptUnlessTheSlopeIsZero(slope: Double, intercept: Double, expected: [Float]) throws {
        var file = HandmadeNIfTI(
            dimensions: [3, 1, 1], datatype: 4, bitsPerVoxel: 16, slope: slope, intercept: intercept)
        for value in [0, 1, 4] { file.append(Int16(value)) }
        let volume = try Volume(reading: try folder.write(file.bytes, to: "a.nii"))
        #expect(volume.voxels == expected)
    }

    @Test func trailingDimensionsOfLengthOne() throws {
        var file = HandmadeNIfTI(dimensions: [3, 2, 1, 1, 1], datatype: 2, bitsPerVoxel: 8)
        file.voxels = [0, 1, 2, 3, 4, 5]
        let volume = try Volume(reading: try folder.write(file.bytes, to: "a.nii"))
        #expect(volume.geometry.extent == Size3(1, 2, 3))
    }

    @Test func twoDimensionsAreOneSlice() throws {
        var file = HandmadeNIfTI(dimensions: [3, 2], datatype: 2, bitsPerVoxel: 8)
        file.voxels = [0, 1, 2, 3, 4, 5]
        let volume = try Volume(reading: try folder.write(file.bytes, to: "a.nii"))
        #expect(volume.geometry.extent == Size3(1, 2, 3))
    }

    @Test func labelsMergedAndChecked() throws {
        var file = HandmadeNIfTI(dimensions: [6, 1, 1])
        for value: Float in [0, 1, 2, 3, 4, 0] { file.append(value) }
        let path = try folder.write(file.bytes, to: "labels.nii")
        let merging = try LabelMerging([1: [1, 2, 3, 4]])
        #expect(try LabelMap(reading: path, classes: 2, merging: merging).labels == [0, 1, 1, 1, 1, 0])
        #expect(try LabelMap(reading: path, classes: 5).labels == [0, 1, 2, 3, 4, 0])
        #expect(
            throws: NIfTIError.labelOutsideClasses(
                path: path, value: 3, position: VoxelIndex(z: 0, y: 0, x: 3), classes: 3)
        ) {
            try LabelMap(reading: path, classes: 3)
        }
    }

    @Test func aLabelInTwoListsIsRefused() {
        let error = #expect(throws: LabelMergingError.self) { try LabelMerging([1: [1, 2], 2: [2, 3]]) }
        #expect(error?.label == 2)
        #expect(error?.classes == [1, 2])
    }

    @Test func scaledLabelsNeedNotBeExact() throws {
        // 1 as tools store it with a scale of single precision.
        var file = HandmadeNIfTI(
            dimensions: [2, 1, 1], datatype: 8, bitsPerVoxel: 32, slope: 1.0 / 2_147_483_583)
        file.append(Int32(0))
        file.append(Int32(2_147_483_520))
        let path = try folder.write(file.bytes, to: "labels.nii")
        #expect(try LabelMap(reading: path, classes: 2).labels == [0, 1])
    }
}
