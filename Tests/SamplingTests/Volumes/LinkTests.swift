import Foundation
import Geometry
import Testing

@testable import Sampling

/// As DataLad and git-annex lay out a data set: each file is a link into a folder of contents.
@Suite("Symbolic links")
struct LinkTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func link(_ name: String, to target: String) throws -> String {
        try FileManager.default.createSymbolicLink(
            atPath: folder.file(name), withDestinationPath: target)
        return folder.file(name)
    }

    private var labels: LabelMap {
        LabelMap(
            geometry: plainGeometry(Size3(9, 10, 11)),
            labels: (0..<990).map { UInt8(truncatingIfNeeded: $0 * $0 / 7 & 1) })
    }

    @Test(
        "A volume is read through a link, whose own size is that of the path", arguments: ["nii", "nii.gz"])
    func volume(ending: String) throws {
        try labels.write(to: folder.file("content." + ending))
        let path = try link("a." + ending, to: "content." + ending)
        #expect(try LabelMap(reading: path, classes: 2).labels == labels.labels)
        let through = try link("b." + ending, to: "a." + ending)
        #expect(try VolumeHeader.readingThrough(through).header.geometry == labels.geometry)
    }

    @Test("A link that leads back to itself is named as that")
    func loop() throws {
        _ = try link("b.nii", to: "a.nii")
        let path = try link("a.nii", to: "b.nii")
        let error = #expect(throws: DanglingLink.self) { try Volume(reading: path) }
        #expect(error?.description == "\(path) is a link to b.nii, which leads back to it.")
    }

    @Test("A link to what is not there is named with its target, and how to fetch it")
    func dangling() throws {
        let path = try link("a.nii.gz", to: ".git/annex/objects/x")
        let error = #expect(throws: DanglingLink.self) { try Volume(reading: path) }
        #expect(
            error?.description
                == "\(path) is a link to .git/annex/objects/x, which is not there (in a data set of DataLad or "
                + "git-annex, fetch it with datalad get or git annex get).")
        let list = try link("list.csv", to: "none.csv")
        #expect(throws: DanglingLink.self) { try SubjectList(reading: list) }
        _ = try link("sub", to: "elsewhere")
        let inside = #expect(throws: DanglingLink.self) {
            try Volume(reading: folder.file("sub/anat/a.nii.gz"))
        }
        #expect(inside?.link == folder.file("sub"))
        // Nothing but the file is missing here.
        #expect(throws: NIfTIError.missing(path: folder.file("none.nii"))) {
            try Volume(reading: folder.file("none.nii"))
        }
    }
}

@Suite("Files are checked by their headers and ends")
struct SubjectCheckTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let grid = plainGeometry(Size3(20, 20, 20))

    private func subject(_ ending: String = "nii.gz") throws -> SubjectFiles {
        let voxels = (0..<8000).map { Float(($0 * 7919) % 1000) }
        try Volume(geometry: Self.grid, voxels: voxels).write(to: folder.file("a." + ending))
        try LabelMap(geometry: Self.grid, labels: voxels.map { $0 > 500 ? 1 : 0 })
            .write(to: folder.file("l." + ending))
        return SubjectFiles(
            subject: "a", images: [.init(modality: "flair", path: folder.file("a." + ending))],
            reference: folder.file("l." + ending))
    }

    private func cut(_ name: String) throws {
        let bytes = try folder.bytes(of: name)
        _ = try folder.write(Array(bytes.prefix(bytes.count / 2)), to: name)
    }

    @Test("A whole subject passes, whether or not the reference is read")
    func whole() throws {
        for ending in ["nii", "nii.gz"] {
            let files = try subject(ending)
            try SubjectReader().check(files, readsReference: false)
            try SubjectReader().check(files, readsReference: true)
        }
    }

    @Test(
        "A cut file is found though no voxel is asked for",
        arguments: ["a.nii", "l.nii", "a.nii.gz", "l.nii.gz"])
    func isCut(name: String) throws {
        let files = try subject(String(name.dropFirst(2)))
        try cut(name)
        let error = #expect(throws: NIfTIError.self) {
            try SubjectReader().check(files, readsReference: false)
        }
        #expect("\(try #require(error))".hasPrefix(folder.file(name)))
    }

    @Test("A compressed file whose end tells another size is read through, and passes where it is whole")
    func members() throws {
        let files = try subject()
        // An empty member, as bgzip ends its files.
        let empty: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        _ = try folder.write(try folder.bytes(of: "a.nii.gz") + empty, to: "a.nii.gz")
        try SubjectReader().check(files, readsReference: false)
    }

    @Test("Labels outside the classes are found where the reference is read")
    func labels() throws {
        let files = try subject()
        let labels = [UInt8](repeating: 0, count: 7999) + [255]
        try LabelMap(geometry: Self.grid, labels: labels).write(to: folder.file("l.nii.gz"))
        try SubjectReader().check(files, readsReference: false)
        #expect(throws: NIfTIError.self) { try SubjectReader().check(files, readsReference: true) }
    }

    @Test("Another grid and another number of volumes are found in the headers")
    func headers() throws {
        let files = try subject()
        #expect(throws: NIfTIError.self) {
            try SubjectReader(classes: 3, referenceKind: .probabilities).check(files, readsReference: false)
        }
        let other = plainGeometry(Size3(20, 20, 21))
        try LabelMap(geometry: other, labels: [UInt8](repeating: 0, count: other.extent.count))
            .write(to: folder.file("l.nii.gz"))
        #expect(throws: SubjectError.self) { try SubjectReader().check(files, readsReference: false) }
    }
}

@Suite("Names of subjects")
struct SubjectNameTests {
    @Test(
        "A name that cannot be a file's is refused with its line, and what to write instead",
        arguments: [
            ("../../evil", "evil"), ("site1/sub", "site1_sub"), ("..", nil), (".", nil),
            (".hidden", "hidden"), ("a\u{1}b", "a_b"), ("a\u{7F}b", "a_b"), ("a\u{0}b", "a_b"),
            (String(repeating: "n", count: 212), nil),
        ] as [(String, String?)])
    func refused(name: String, instead: String?) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("subject,flair\nfine,1\n\(name),2\n", to: "subjects.csv")
        let error = #expect(throws: SubjectListError.self) { try SubjectList(reading: path) }
        let sentence = try #require(error).description
        #expect(sentence.hasPrefix("Line 3 of \(path) names the subject \""), "\(sentence)")
        #expect(sentence.hasSuffix(instead.map { "; write \"\($0)\" instead." } ?? "."), "\(sentence)")
        #expect(sentence.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 })
    }

    @Test(
        "Other names stay",
        arguments: ["sub-01_ses.2", "Å ø", "a b", "-", "a..b", String(repeating: "n", count: 211)])
    func kept(name: String) throws {
        #expect(SubjectName.fault(of: name) == nil)
    }

    @Test("What is written instead is a name itself")
    func suggestions() {
        for name in ["/", "//", "/a", "a/", "./.", "\n", "\u{1B}[2J"] {
            let fault = SubjectName.fault(of: name)
            #expect(fault != nil)
            guard let part = fault?.split(separator: "\"").dropFirst().first else { continue }
            #expect(SubjectName.fault(of: String(part)) == nil, "\(part)")
        }
    }
}
