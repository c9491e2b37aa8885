import Foundation
import Geometry
import Sampling
import TestSupport
import Testing

@testable import RunFiles

@Suite("Outputs are checked before they are written")
struct OutputCheckTests {
    private func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    @Test("A file that is read is known by another path, a link, a hard link and a linked folder")
    func read() throws {
        try withTemporaryFolder { folder in
            let scan = folder + "/scan.nii.gz"
            try write("dicerank", scan)
            let files = FileManager.default
            try files.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "scan.nii.gz")
            try files.linkItem(atPath: scan, toPath: folder + "/hard")
            try files.createSymbolicLink(atPath: folder + "/here", withDestinationPath: ".")
            for path in [scan, folder + "/../" + (folder as NSString).lastPathComponent + "/./scan.nii.gz"]
                + ["/link", "/hard", "/here/scan.nii.gz"].map({ folder + $0 })
            {
                var check = OutputCheck(reading: [scan])
                let error = #expect(throws: OutputError.self) {
                    try check.add(path, as: "the scores", own: .known)
                }
                #expect(error?.fault == .isRead(as: scan), "\(path)")
            }
        }
    }

    @Test("The voxels of a pair are read with its header")
    func pair() throws {
        try withTemporaryFolder { folder in
            try write("", folder + "/a.hdr")
            try write("", folder + "/a.img")
            var check = OutputCheck(reading: [folder + "/a.hdr"])
            #expect(throws: OutputError.self) {
                try check.add(folder + "/a.img", as: "the scores", own: .known)
            }
        }
    }

    @Test("Two outputs are one where their folder is reached by two paths, before it is there")
    func twice() throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/here", withDestinationPath: ".")
            var check = OutputCheck(reading: [])
            try check.add(folder + "/out/a.csv", as: "one", own: .known)
            try check.add(folder + "/out/b.csv", as: "another", own: .known)
            let error = #expect(throws: OutputError.self) {
                try check.add(folder + "/here/out/../out/a.csv", as: "a third", own: .known)
            }
            #expect(error?.fault == .twice(with: "one"))
        }
    }

    @Test("Only a file with the program's own beginning is replaced")
    func own() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/scores.csv"
            func add(_ own: OutputCheck.Own) throws {
                var check = OutputCheck(reading: [])
                try check.add(path, as: "the scores", own: own)
            }
            try add(.text(["subject,"]))
            try write("subject,class\n", path)
            try add(.text(["step,", "subject,"]))
            for text in ["subjec", "", "name,subject,\n"] {
                try write(text, path)
                let error = #expect(throws: OutputError.self) { try add(.text(["subject,"])) }
                #expect(error?.fault == .foreign)
                #expect("\(try #require(error))".contains(path))
            }
        }
    }

    @Test(
        "Segmentations are known by their headers, NIfTI-1 and NIfTI-2, and no other volumes of this program")
    func volumes() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/a.nii.gz"
            var grid = VolumeGeometry(extent: Size3(2, 3, 4), spacing: SIMD3(1, 1, 1), origin: .zero)
            func isOwn() -> Bool { OutputCheck.Own.segmentation.holds(at: path) }
            for isNIfTI2 in [false, true] {
                grid.isNIfTI2 = isNIfTI2
                let map = LabelMap(geometry: grid, labels: [UInt8](repeating: 1, count: 24))
                let longest = "dicerank " + String(repeating: "x", count: 56) + " voxels 012345"
                try #require(longest.utf8.count == VolumeHeader.longestDescription)
                try map.write(to: path, description: longest)
                #expect(isOwn())
                #expect(try VolumeHeader(reading: path).description == longest)
                for other in ["", "dicerank", "dicerankish voxels 012345", "FSL5.0"] {
                    try map.write(to: path, description: other)
                    #expect(!isOwn(), "\(other)")
                }
            }
            try write("dicerank", path)
            #expect(!isOwn())
        }
    }

    @Test("Devices, folders and links to nothing are no outputs")
    func special() throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/link", withDestinationPath: "nothing")
            for (path, fault) in [
                ("/dev/null", .device), (folder, .folder), (folder + "/link", .link),
            ] as [(String, OutputError.Fault)] {
                var check = OutputCheck(reading: [])
                let error = #expect(throws: OutputError.self) {
                    try check.add(path, as: "the scores", own: .known)
                }
                #expect(error?.fault == fault)
            }
        }
    }

    @Test("A run goes into a new or empty folder or a run's")
    func runFolder() throws {
        try withTemporaryFolder { folder in
            let run = folder + "/run"
            func check(reading: [String] = []) throws {
                var outputs = OutputCheck(reading: reading)
                try RunFolder.check(run, &outputs)
            }
            try check()
            try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
            try write("", run + "/.hidden")
            try check()
            try write("steps: 3\n", run + "/config.yaml")
            let error = #expect(throws: OutputError.self) { try check() }
            #expect(error?.fault == .otherFolder(holds: "config.yaml"))
            try write("a note\n", run + "/log.txt")
            #expect(throws: OutputError.self) { try check() }
            try write("2026-01-02T03:04:05Z info: started\n", run + "/log.txt")
            try check()
            try write("step,loss\n", run + "/metrics.csv")
            try check()
            // A list of this name would be replaced.
            #expect(throws: OutputError.self) { try check(reading: [run + "/metrics.csv"]) }
        }
    }
}

@Suite("Marks of segmentations")
struct SegmentationMarkTests {
    @Test("A mark fits a header, and changes with the checkpoint and with the files that are read")
    func changes() throws {
        try withTemporaryFolder { folder in
            let image = folder + "/a.nii"
            func mark(step: Int = 1_000_000_000, network: String = "0123456789abcdef") -> SegmentationMark {
                SegmentationMark(version: "10.20.30", step: step, network: network, paths: [image])
            }
            try Data([1, 2]).write(to: URL(fileURLWithPath: image))
            let first = mark()
            #expect(first.text(VoxelDigest()).utf8.count <= VolumeHeader.longestDescription)
            #expect(first == mark())
            #expect(first != mark(step: 5))
            #expect(first != mark(network: "1123456789abcdef"))
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: image)
            let second = mark()
            #expect(first != second)
            try Data([1, 2, 3]).write(to: URL(fileURLWithPath: image))
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: image)
            #expect(second != mark())
        }
    }

    @Test("Only a whole volume of the mark on the grid is taken for done")
    func found() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/a.nii.gz"
            let mark = SegmentationMark(version: "1", step: 1, network: "0", paths: [])
            let grid = VolumeGeometry(extent: Size3(20, 30, 40), spacing: SIMD3(1, 1, 1), origin: .zero)
            var random = SystemRandomNumberGenerator()
            let labels = (0..<grid.extent.count).map { _ in UInt8.random(in: 0...1, using: &random) }
            #expect(!mark.isFound(at: path, on: grid))
            try LabelMap(geometry: grid, labels: labels).write(
                to: path, description: "dicerank 1 step 2 voxels 012345")
            #expect(!mark.isFound(at: path, on: grid))
            try LabelMap(geometry: grid, labels: labels).write(
                to: path, description: mark.text(VoxelDigest(labels: labels)))
            #expect(mark.isFound(at: path, on: grid))
            #expect(!SegmentationMark.isEdited(at: path))
            var edited = labels
            edited[7] = 1 - edited[7]
            try LabelMap(geometry: grid, labels: edited)
                .write(to: path, description: mark.text(VoxelDigest(labels: labels)))
            #expect(!mark.isFound(at: path, on: grid))
            #expect(SegmentationMark.isEdited(at: path))
            try LabelMap(geometry: grid, labels: labels)
                .write(to: path, description: mark.text(VoxelDigest(labels: labels)))
            var moved = grid
            moved.sform.rows[0].w += 3
            #expect(!mark.isFound(at: path, on: moved))
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            try bytes.dropLast(9).write(to: URL(fileURLWithPath: path))
            #expect(!mark.isFound(at: path, on: grid))
            // What a killed program has left behind is nobody's work.
            #expect(!SegmentationMark.isEdited(at: path))
        }
    }
}
