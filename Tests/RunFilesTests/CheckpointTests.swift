import Foundation
import TestSupport
import Testing

@testable import RunFiles

@Suite struct CheckpointTests {
    static let slices = [
        NamedSlice(name: "head.weight", shape: [2, 3], range: 0..<6),
        NamedSlice(name: "head.bias", shape: [2], range: 6..<8),
    ]

    static func checkpoint(step: Int) -> Checkpoint {
        let values = (0..<8).map { Float(step) + Float($0) / 8 }
        return Checkpoint(
            step: step, network: "highres3dnet", configurationText: "data: {list: /a.csv}\n",
            ranks: 2,
            threads: 1,
            tensors: slices.tensors(of: values) + slices.tensors(of: values.map(\.ulp), prefix: "adam.m/"))
    }

    @Test func readsBackToTheSame() throws {
        try withTemporaryFolder { folder in
            var checkpoint = Self.checkpoint(step: 100)
            try checkpoint.write(to: folder + "/c")
            #expect(try Checkpoint(contentsOf: folder + "/c").bucketCount == 0)
            #expect(try Checkpoint(contentsOf: folder + "/c").subjects == nil)
            checkpoint.bucketCount = 65_536
            checkpoint.subjects = SubjectNames(["b", "a"])
            try checkpoint.write(to: folder + "/c")
            let read = try Checkpoint(contentsOf: folder + "/c")
            #expect(read == checkpoint)
            #expect(read.digest == checkpoint.digest)
            #expect(try read.values(of: Self.slices, path: "c") == (0..<8).map { 100 + Float($0) / 8 })
        }
    }

    /// A number below zero is written, but none that a checkpoint may hold: it stands for what a disk has
    /// changed.
    @Test func whatReadsBackDamagedIsNotWritten() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/c"
            try Self.checkpoint(step: 1).write(to: path)
            var bad = Self.checkpoint(step: 2)
            bad.ranks = -1
            let error = #expect(throws: FileError.self) { try bad.write(to: path) }
            #expect(
                error?.description
                    == "'\(path)' could not be written, since it reads back damaged: Input/output error.")
            #expect(try Files.names(folder) == ["c"])
            #expect(try Checkpoint(contentsOf: path).step == 1)
        }
    }

    @Test func everyFlippedBitIsNoticed() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/c"
            try Self.checkpoint(step: 1).write(to: path)
            let size = try Data(contentsOf: URL(fileURLWithPath: path)).count
            // Steps of 7 meet every field; the bit moves along.
            for index in stride(from: 0, to: size, by: 7) {
                try Files.change(path, at: index) { $0 ^= 1 << UInt8(index % 8) }
                #expect(throws: (any Error).self, "byte \(index)") { try Checkpoint(contentsOf: path) }
                try Files.change(path, at: index) { $0 ^= 1 << UInt8(index % 8) }
            }
            #expect(try Checkpoint(contentsOf: path) == Self.checkpoint(step: 1))
        }
    }

    @Test func otherSafetensorsFilesAreRefused() throws {
        try withTemporaryFolder { folder in
            try SafetensorsTests.example.write(to: folder + "/c")
            #expect {
                try Checkpoint(contentsOf: folder + "/c")
            } throws: { error in
                "\(error)"
                    == "'\(folder)/c' is no checkpoint of this program: it lacks a valid 'format_version' in its metadata."
            }
        }
    }

    @Test func theFirstDifferingTensorIsNamed() throws {
        let checkpoint = Self.checkpoint(step: 1)
        let other = [NamedSlice(name: "head.weight", shape: [3, 2], range: 0..<6)]
        #expect {
            try checkpoint.values(of: other, path: "c")
        } throws: { error in
            "\(error)"
                == "'c' is a checkpoint of another network: tensor 'head.weight' is of type F32 and shape [2, 3] "
                + "there, but of type F32 and shape [3, 2] in this network."
        }
        #expect {
            try checkpoint.values(of: Self.slices, prefix: "sgd.momentum/", path: "c")
        } throws: { error in
            "\(error)".contains("tensor 'sgd.momentum/head.weight' is missing there")
        }
        #expect {
            try checkpoint.checkNames(["head.weight", "head.bias", "adam.m/head.weight"], path: "c")
        } throws: { error in
            "\(error)".contains(
                "tensor 'adam.m/head.bias' is of shape [2] there, but missing in this network")
        }
    }
}

@Suite struct CheckpointStoreTests {
    @Test func keepsTheNewestAndNamesTheLatest() throws {
        try withTemporaryFolder { folder in
            let store = CheckpointStore(runFolder: folder, keep: 2)
            #expect(try store.newest() == nil)
            for step in [10, 20, 30] { try store.save(CheckpointTests.checkpoint(step: step)) }
            #expect(try store.list().map(\.step) == [20, 30])
            #expect(
                try Files.names(store.folder) == [
                    "step-00000020.safetensors", "step-00000030.safetensors",
                ])
            let latest = try String(contentsOfFile: store.latestPath, encoding: .utf8)
            #expect(latest == "checkpoints/step-00000030.safetensors\n")
            let found = try #require(try store.newest())
            #expect(found.checkpoint == CheckpointTests.checkpoint(step: 30))
            #expect(found.warnings.isEmpty)
        }
    }

    @Test func aDamagedNewestIsNamedAndTheOneBeforeUsed() throws {
        try withTemporaryFolder { folder in
            let store = CheckpointStore(runFolder: folder, keep: 3)
            for step in [10, 20] { try store.save(CheckpointTests.checkpoint(step: step)) }
            try Files.change(store.folder + "/step-00000020.safetensors", at: -1) { $0 ^= 4 }
            let found = try #require(try store.newest())
            #expect(found.checkpoint.step == 10)
            #expect(found.warnings.count == 1)
            #expect(
                found.warnings[0].hasPrefix(
                    "'\(store.folder)/step-00000020.safetensors' is damaged: its content"))
            #expect(found.warnings[0].hasSuffix(" The one before it is used."))

            // What goes on from 10 must neither lose its own checkpoint to the damaged one nor resume from
            // it.
            try CheckpointStore(runFolder: folder, keep: 1).save(CheckpointTests.checkpoint(step: 15))
            #expect(
                try Files.names(store.folder)
                    == ["step-00000015.safetensors", "step-00000020.safetensors.superseded"])
            #expect(try store.newest()?.checkpoint.step == 15)
        }
    }

    @Test func allDamagedIsAnError() throws {
        try withTemporaryFolder { folder in
            let store = CheckpointStore(runFolder: folder, keep: 3)
            let path = try store.save(CheckpointTests.checkpoint(step: 10))
            try Data("short".utf8).write(to: URL(fileURLWithPath: path))
            #expect(throws: CheckpointError.self) { try store.newest() }
        }
    }

    @Test func aFailedSaveKeepsWhatWasThere() throws {
        try withTemporaryFolder { folder in
            let store = CheckpointStore(runFolder: folder, keep: 1)
            try store.save(CheckpointTests.checkpoint(step: 10))
            try CheckpointStore(runFolder: folder, keep: 1).save(CheckpointTests.checkpoint(step: 20))
            // A file where the folder should be fails for root too.
            let blocked = CheckpointStore(runFolder: folder + "/latest", keep: 1)
            #expect(throws: FileError.self) { try blocked.save(CheckpointTests.checkpoint(step: 30)) }
            // So does a full folder under the temporary file's name.
            let blocker = store.folder + "/step-00000030.safetensors"
            try FileManager.default.createDirectory(atPath: blocker + "/x", withIntermediateDirectories: true)
            #expect(throws: FileError.self) { try store.save(CheckpointTests.checkpoint(step: 30)) }
            try FileManager.default.removeItem(atPath: blocker)
            #expect(try Files.names(store.folder) == ["step-00000020.safetensors"])
            #expect(try store.newest()?.checkpoint.step == 20)
        }
    }

    @Test func aFolderThatCannotBeReadIsNoNewRun() throws {
        try withTemporaryFolder { folder in
            let store = CheckpointStore(runFolder: folder, keep: 3)
            #expect(try store.list().isEmpty)
            // A file where the folder should be fails for root too.
            try AtomicFile.write(store.folder, text: "")
            let error = try #require(throws: FileError.self) { try store.list() }
            #expect(
                error.description
                    == "the folder of checkpoints '\(folder)/checkpoints' could not be read: Not a directory."
            )
            #expect(throws: error) { try store.newest() }
        }
    }

    @Test func temporariesOfKilledProcessesAreIgnoredAndRemoved() throws {
        try withTemporaryFolder { folder in
            let store = CheckpointStore(runFolder: folder, keep: 3)
            try store.save(CheckpointTests.checkpoint(step: 10))
            let left = store.folder + "/.step-00000020.safetensors.partial"
            try Data([1, 2]).write(to: URL(fileURLWithPath: left))
            #expect(try store.newest()?.checkpoint.step == 10)
            try store.save(CheckpointTests.checkpoint(step: 30))
            #expect(!FileManager.default.fileExists(atPath: left))
        }
    }
}
