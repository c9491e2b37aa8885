import Foundation
import Geometry
import Testing

@testable import Sampling

@Suite struct NIfTIErrorTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func floats(_ values: [Float], dimensions: [Int]) -> HandmadeNIfTI {
        var file = HandmadeNIfTI(dimensions: dimensions)
        for value in values { file.append(value) }
        return file
    }

    @Test func missing() {
        let path = folder.file("none.nii.gz")
        #expect(throws: NIfTIError.missing(path: path)) { try Volume(reading: path) }
        #expect(NIfTIError.missing(path: "a.nii").description == "There is no file a.nii.")
    }

    @Test func missingThoughACompressedOneIsThere() throws {
        try Volume(geometry: plainGeometry(Size3(cube: 2)), voxels: Array(repeating: 1, count: 8))
            .write(to: folder.file("a.nii.gz"))
        #expect(throws: NIfTIError.missing(path: folder.file("a.nii"))) {
            try Volume(reading: folder.file("a.nii"))
        }
    }

    @Test func folderInsteadOfAFile() {
        #expect(
            throws: NIfTIError.unreadable(
                path: folder.path, reason: "it is a folder, and a .nii or .nii.gz file is expected")
        ) {
            try Volume(reading: folder.path)
        }
    }

    @Test(arguments: ["a.nii", "a.nii.gz", "a.txt", "a"])
    func notNIfTI(name: String) throws {
        let path = try folder.write(String(repeating: "subject,flair\n", count: 100), to: name)
        #expect(throws: NIfTIError.notNIfTI(path: path)) { try Volume(reading: path) }
    }

    @Test(arguments: ["a.nii", "a.nii.gz"])
    func empty(name: String) throws {
        let path = try folder.write("", to: name)
        #expect(throws: NIfTIError.unreadable(path: path, reason: "it is empty, as after a copy that failed"))
        { try Volume(reading: path) }
    }

    @Test func truncated() throws {
        let whole = floats([1, 2, 3, 4, 5, 6], dimensions: [3, 2, 1]).bytes
        let path = try folder.write(Array(whole.dropLast(5)), to: "a.nii")
        #expect(throws: NIfTIError.truncated(path: path, expectedBytes: 24, foundBytes: 19)) {
            try Volume(reading: path)
        }
        let inHeader = try folder.write(Array(whole.prefix(200)), to: "b.nii")
        #expect(throws: NIfTIError.notNIfTI(path: inHeader)) { try Volume(reading: inHeader) }
    }

    @Test func truncatedCompressedFile() throws {
        var random = CounterRandom(seed: 1, stream: CounterRandom.Stream(200))
        let noise = (0..<1000).map { _ in Float(random.uniform()) }
        try Volume(geometry: plainGeometry(Size3(cube: 10)), voxels: noise).write(
            to: folder.file("a.nii.gz"))
        let whole = try folder.bytes(of: "a.nii.gz")
        let path = try folder.write(Array(whole.prefix(whole.count / 2)), to: "b.nii.gz")
        let error = #expect(throws: NIfTIError.self) { try Volume(reading: path) }
        guard case .truncated(path, 4000, let found) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect((500..<3500).contains(found))
    }

    /// Of a few kilobytes, which are decompressed as a whole before the header is seen, and of many.
    @Test(arguments: [10, 24]) func damagedCompressedFile(side: Int) throws {
        let extent = Size3(cube: side)
        var random = CounterRandom(seed: 2, stream: CounterRandom.Stream(200))
        let noise = (0..<extent.count).map { _ in Float(random.uniform()) }
        try Volume(geometry: plainGeometry(extent), voxels: noise).write(to: folder.file("a.nii.gz"))
        var bytes = try folder.bytes(of: "a.nii.gz")
        // In the checksum, which is four of the last eight bytes.
        bytes[bytes.count - 7] ^= 1
        let path = try folder.write(bytes, to: "b.nii.gz")
        #expect(throws: NIfTIError.damaged(path: path)) { try Volume(reading: path) }
    }

    @Test func headerThatAnnouncesMoreThanAnyMemory() throws {
        let path = try folder.write(floats([1], dimensions: [32000, 32000, 32000]).bytes, to: "a.nii")
        let error = #expect(throws: NIfTIError.self) { try Volume(reading: path) }
        #expect(error == .truncated(path: path, expectedBytes: 131_072_000_000_000, foundBytes: 4))
    }

    @Test func fourDimensions() throws {
        let path = try folder.write(floats([1, 2, 3, 4], dimensions: [2, 1, 1, 2]).bytes, to: "a.nii")
        #expect(throws: NIfTIError.shape(path: path, shape: [2, 1, 1, 2])) { try Volume(reading: path) }
        #expect(
            NIfTIError.shape(path: "a.nii", shape: [2, 1, 1, 2]).description
                == "a.nii has the shape 2 x 1 x 1 x 2; one volume of three dimensions is expected: save the "
                + "volume that is meant as a file of its own, for example with 'fslroi IN OUT 0 1' or nibabel's "
                + "'image.slicer[..., 0]'.")
    }

    @Test(arguments: [
        (128, 24, "RGB24"), (2304, 32, "RGBA32"), (32, 64, "complex64"), (1536, 128, "float128"),
    ])
    func unsupportedDatatypes(code: Int16, bits: Int16, name: String) throws {
        var file = HandmadeNIfTI(datatype: code, bitsPerVoxel: bits)
        file.voxels = [UInt8](repeating: 0, count: 6 * Int(bits) / 8)
        let path = try folder.write(file.bytes, to: "a.nii")
        #expect(throws: NIfTIError.unsupportedDatatype(path: path, datatype: name)) {
            try Volume(reading: path)
        }
    }

    @Test func nonFiniteVoxelsAreCountedAndPlaced() throws {
        let values: [Float] = [1, 2, 3, 4, .nan, 6, .infinity, 8]
        let path = try folder.write(floats(values, dimensions: [2, 2, 2]).bytes, to: "a.nii")
        #expect(
            throws: NIfTIError.nonFinite(path: path, count: 2, first: VoxelIndex(z: 1, y: 0, x: 0))
        ) {
            try Volume(reading: path)
        }
        #expect(
            NIfTIError.nonFinite(path: "a.nii", count: 1200, first: VoxelIndex(z: 3, y: 2, x: 1)).description
                == "a.nii holds 1,200 voxels that are NaN or infinite, the first at (1, 2, 3): write 0 there, for "
                + "example with 'fslmaths IN -nan OUT' or numpy's 'nan_to_num'.")
    }

    @Test func labelsThatAreNone() throws {
        let fraction = try folder.write(floats([0, 1, 0.5], dimensions: [3, 1, 1]).bytes, to: "a.nii")
        #expect(
            throws: NIfTIError.fractionalLabel(
                path: fraction, value: 0.5, position: VoxelIndex(z: 0, y: 0, x: 2))
        ) {
            try LabelMap(reading: fraction, classes: 2)
        }
        for value: Float in [-1, 2, 1e20] {
            let path = try folder.write(floats([0, value], dimensions: [1, 2, 1]).bytes, to: "b.nii")
            #expect(
                throws: NIfTIError.labelOutsideClasses(
                    path: path, value: Double(value), position: VoxelIndex(z: 0, y: 1, x: 0), classes: 2)
            ) {
                try LabelMap(reading: path, classes: 2)
            }
        }
    }

    /// As a reference or a mask whose background is NaN.
    @Test func backgroundOfNaN() throws {
        let nan = try folder.write(floats([0, .nan, 1, .nan], dimensions: [4, 1, 1]).bytes, to: "c.nii")
        let expected = NIfTIError.nonFinite(path: nan, count: 2, first: VoxelIndex(z: 0, y: 0, x: 1))
        #expect(throws: expected) { try LabelMap(reading: nan, classes: 2) }
        let image = try folder.write(floats([1, 2, 3, 4], dimensions: [4, 1, 1]).bytes, to: "d.nii")
        let files = SubjectFiles(subject: "s", images: [.init(modality: "t1", path: image)], mask: nan)
        #expect(throws: expected) { try SubjectReader().read(files) }
    }

    /// The sentences say what to do.
    @Test func sentences() {
        let position = VoxelIndex(z: 3, y: 2, x: 1)
        #expect(
            NIfTIError.unsupportedDatatype(path: "a.nii", datatype: "RGB24").description
                == "a.nii holds voxels of type RGB24, and integers and floats of 8 to 64 bits can be read: a colour is no "
                + "intensity, so save one channel or their mean as a volume of numbers.")
        #expect(
            NIfTIError.unsupportedDatatype(path: "a.nii", datatype: "complex64").description
                == "a.nii holds voxels of type complex64, and integers and floats of 8 to 64 bits can be read: save the "
                + "magnitude as a volume of its own.")
        #expect(
            NIfTIError.labelOutsideClasses(path: "a.nii", value: 255, position: position, classes: 2)
                .description
                == "a.nii holds the label 255 at (1, 2, 3), and the 2 classes are 0 to 1: a mask of 0 and 255 is read with "
                + "data.merge_labels: {1: [255]}, and probabilities, which go from 0 to 1, with data.reference_kind: "
                + "probabilities.")
        #expect(
            NIfTIError.labelOutsideClasses(path: "a.nii", value: 4, position: position, classes: 2)
                .description
                == "a.nii holds the label 4 at (1, 2, 3), and the 2 classes are 0 to 1: data.classes (of evaluate: "
                + "--classes) is to be 1 more than the greatest label, or data.merge_labels to say what class it is."
        )
        #expect(
            NIfTIError.fractionalLabel(path: "a.nii", value: 0.25, position: position).description
                == "a.nii holds 0.25 at (1, 2, 3), and labels are integers: probabilities are read with "
                + "data.reference_kind: probabilities, and a map that was resampled is to be resampled anew, by the nearest "
                + "neighbour.")
        #expect(
            NIfTIError.fractionalLabel(path: "a.nii", value: 2.5, position: position).description
                == "a.nii holds 2.5 at (1, 2, 3), and labels are integers: a map that was resampled is to be resampled "
                + "anew, by the nearest neighbour.")
    }

    /// The advice is right: the mask is read as it says.
    @Test func aMaskOf255IsReadAsTheSentenceSays() throws {
        let path = try folder.write(floats([0, 255, 0], dimensions: [3, 1, 1]).bytes, to: "a.nii")
        let map = try LabelMap(reading: path, classes: 2, merging: try LabelMerging([1: [255]]))
        #expect(map.labels == [0, 1, 0])
    }
}
