import Foundation
import Geometry
import Testing

@testable import Sampling

@Suite struct NIfTIWritingTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// A result on the grid of an input has every field of the input's geometry, codes of 0 included.
    @Test(arguments: [1, 2], [0, 1])
    func geometryOfTheInputIsKept(version: Int, code: Int) throws {
        for isBigEndian in [false, true] {
            var file = HandmadeNIfTI(
                version: version, isBigEndian: isBigEndian, datatype: 2, bitsPerVoxel: 8, qformCode: code,
                sformCode: 3 * (1 - code))
            file.rows[1] = [0.1, 3.000001, 0.2, -20.7]
            file.voxels = [0, 1, 2, 3, 4, 5]
            let input = try Volume(reading: try folder.write(file.bytes, to: "in.nii"))
            try LabelMap(geometry: input.geometry, labels: [1, 0, 1, 0, 1, 0]).write(
                to: folder.file("out.nii.gz"))
            let output = try LabelMap(reading: folder.file("out.nii.gz"), classes: 2)
            #expect(output.geometry == input.geometry)
            #expect(output.labels == [1, 0, 1, 0, 1, 0])
        }
    }

    /// The header is compared byte by byte with one put together by hand from the standard.
    @Test(arguments: [1, 2])
    func headerAgreesWithTheStandard(version: Int) throws {
        var file = HandmadeNIfTI(version: version, datatype: 2, bitsPerVoxel: 8)
        file.voxels = [0, 1, 0, 1, 1, 1]
        file.description = "dicerank"
        let map = try LabelMap(reading: try folder.write(file.bytes, to: "in.nii"), classes: 2)
        try map.write(to: folder.file("out.nii"))
        var expected = file.bytes
        var found = try folder.bytes(of: "out.nii")
        // Lengths of the dimensions that the volume does not have, and a field that NIfTI ignores: any value
        // is right.
        let free = version == 1 ? [38..<39, 48..<56, 92..<108] : [48..<80, 136..<168]
        for range in free {
            for i in range {
                expected[i] = 0
                found[i] = 0
            }
        }
        #expect(found == expected)
    }

    @Test func probabilitiesAndIntegers() throws {
        let geometry = VolumeGeometry(
            extent: Size3(1, 1, 4), spacing: SIMD3(1, 1, 2), origin: SIMD3(-5, 6, 7))
        let volume = Volume(geometry: geometry, voxels: [0.125, 1, -3.6, 40000])
        try volume.write(to: folder.file("p.nii.gz"))
        #expect(try Volume(reading: folder.file("p.nii.gz")).voxels == [0.125, 1, -3.6, 40000])
        try volume.write(to: folder.file("i.nii"), storage: .int16)
        #expect(try Volume(reading: folder.file("i.nii")).voxels == [0, 1, -4, 32767])
        #expect(try folder.bytes(of: "i.nii").count == 352 + 8)
        let read = try Volume(reading: folder.file("p.nii.gz")).geometry
        #expect(read.difference(from: geometry) == nil)
        #expect(read.orientation == "RAS")
    }

    @Test func largeAxesNeedTheSecondVersion() throws {
        let extent = Size3(1, 1, 40000)
        let labels = [UInt8](repeating: 0, count: extent.count)
        try LabelMap(geometry: plainGeometry(extent), labels: labels).write(to: folder.file("a.nii"))
        let geometry = try LabelMap(reading: folder.file("a.nii"), classes: 2).geometry
        #expect(geometry.extent == extent)
        #expect(geometry.isNIfTI2)
    }

    @Test func aFailedWriteLeavesNothing() throws {
        let map = LabelMap(geometry: plainGeometry(Size3(cube: 2)), labels: Array(repeating: 1, count: 8))
        let path = folder.file("none/a.nii.gz")
        #expect(throws: NIfTIError.notWritten(path: path, reason: "no such file or directory")) {
            try map.write(to: path)
        }
        // A folder of that name is in the way only when the file is finished.
        try FileManager.default.createDirectory(
            atPath: folder.file("b.nii.gz/x"), withIntermediateDirectories: true)
        #expect(throws: NIfTIError.self) { try map.write(to: folder.file("b.nii.gz")) }
        #expect(try folder.names == ["b.nii.gz"])
    }

    @Test func aWriteReplacesWhatWasThere() throws {
        let geometry = plainGeometry(Size3(1, 1, 2))
        try LabelMap(geometry: geometry, labels: [0, 1]).write(to: folder.file("a.nii.gz"))
        try LabelMap(geometry: geometry, labels: [1, 1]).write(to: folder.file("a.nii.gz"))
        #expect(try LabelMap(reading: folder.file("a.nii.gz"), classes: 2).labels == [1, 1])
        #expect(try folder.names == ["a.nii.gz"])
    }
}

@Suite struct VolumeGeometryTests {
    let geometry = VolumeGeometry(extent: Size3(10, 20, 30), spacing: SIMD3(1, 1, 2), origin: SIMD3(0, 0, 0))

    @Test func equalAndNearlyEqual() {
        #expect(geometry.difference(from: geometry) == nil)
        var other = geometry
        // 29 voxels times 1e-3 mm is 0.029 mm at the far end; 0.05 are allowed.
        other.sform.rows[0].x = 1.001
        #expect(other.difference(from: geometry) == nil)
        other.sform.rows[0].x = 1.01
        #expect(
            other.difference(from: geometry) == "puts voxel (29, 0, 0) 0.29 mm away, and 0.05 mm are allowed")
    }

    @Test func sizeOrientationAndSpacing() {
        var other = VolumeGeometry(extent: Size3(10, 20, 31), spacing: SIMD3(1, 1, 2), origin: .zero)
        #expect(other.difference(from: geometry) == "has 31 x 20 x 10 voxels and not 30 x 20 x 10")
        other = geometry
        other.sform.rows[0].x = -1
        #expect(other.difference(from: geometry) == "is oriented LAS and not RAS")
        other = geometry
        other.sformCode = 0
        other.qformCode = 0
        #expect(other.difference(from: geometry) == nil)
        other.spacing = SIMD3(1, 1, 2.5)
        #expect(other.difference(from: geometry) == "has a spacing of 1 x 1 x 2.5 mm and not 1 x 1 x 2 mm")
    }
}
