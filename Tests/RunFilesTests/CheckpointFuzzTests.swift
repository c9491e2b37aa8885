import Foundation
import Fuzzing
import TestSupport
import Testing

@testable import RunFiles

/// Damaged checkpoints are refused with one sentence, and of what is accepted every value is the one that was
/// written.
@Suite struct CheckpointFuzzTests {
    @Test func damagedCheckpoints() async {
        await #expect(processExitsWith: .success) {
            try withTemporaryFolder { folder in
                let sound = try Self.sound(folder)
                FuzzRun("checkpoint").run { random in try Self.outcome(folder, sound, &random) }
            }
        }
        let complaints = FuzzRun("checkpoint").complaints()
        #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
    }

    private static let tokens = [
        "F32", "F64", "U8", "BF16", "X", "dtype", "shape", "data_offsets", "__metadata__", "digest", "step",
        "[]",
        "[0,0]", "[-1]", "[4611686018427387904,4]", "null", "1e3", "{", "}", "\"", "\\u0000", "\\ud800",
        "\\n",
        String(repeating: "[", count: 2000), String(repeating: "{\"a\":", count: 2000),
    ]

    private static func checkpoint(_ random: inout SeededGenerator) throws -> Checkpoint {
        var checkpoint = CheckpointTests.checkpoint(step: 1 + random.below(1_000_000))
        checkpoint.configurationText = "seed: \(random.below(1000))\ndata: {list: ä.csv}\n"
        checkpoint.algorithms = random.one(of: ["", "conv1 winograd\nconv2 direct\n"])
        checkpoint.bucketCount = random.one(of: [0, 65_536])
        checkpoint.subjects = random.one(of: [nil, SubjectNames(["a", "ä"])])
        return checkpoint
    }

    /// Checkpoints of several kinds with their files; written once, since each waits for the disk.
    private static func sound(_ folder: String) throws -> [(checkpoint: Checkpoint, bytes: [UInt8])] {
        var random = SeededGenerator(seed: 0, number: 0)
        return try (0..<24).map { _ in
            let checkpoint = try Self.checkpoint(&random)
            try checkpoint.write(to: folder + "/sound")
            return (
                checkpoint, FileManager.default.contents(atPath: folder + "/sound").map { [UInt8]($0) } ?? []
            )
        }
    }

    private static func outcome(
        _ folder: String, _ sound: [(checkpoint: Checkpoint, bytes: [UInt8])], _ random: inout SeededGenerator
    ) throws -> FuzzRun.Outcome {
        let store = CheckpointStore(runFolder: folder, keep: 1)
        try? FileManager.default.removeItem(atPath: store.folder)
        try FileManager.default.createDirectory(atPath: store.folder, withIntermediateDirectories: true)
        let (written, bytes) = random.one(of: sound)
        let path = store.folder + "/" + CheckpointStore.fileName(step: written.step)
        var damaged = bytes
        let isSound = random.once(in: 20)
        if !isSound {
            let other = random.one(of: sound).bytes
            let length = damaged[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
            for _ in 0...random.below(2) where damaged.count >= 8 {
                switch random.below(5) {
                case 0: Damage.bytes(&damaged, splicing: other, &random)
                case 1:
                    Damage.number(in: &damaged, at: 0, size: 8, isReal: false, isBigEndian: false, &random)
                default:
                    // The header with a length that fits it, so that what reads it is reached.
                    guard damaged.count > 8 + length else { break }
                    var header = Array(damaged[8..<8 + length])
                    if random.once(in: 3) {
                        Damage.bytes(&header, splicing: Array(other.dropFirst(8)), &random)
                    } else {
                        Damage.text(&header, tokens: tokens, &random)
                    }
                    let size = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
                    damaged = size + header + damaged[(8 + length)...]
                }
            }
        }
        try Data(damaged).write(to: URL(fileURLWithPath: path))
        do {
            guard let found = try store.newest() else { throw FuzzRun.Fault("a checkpoint is not seen") }
            let read = found.checkpoint
            let values = try read.values(of: CheckpointTests.slices, path: path)
            guard read == written, values == (0..<8).map({ Float(written.step) + Float($0) / 8 }) else {
                throw FuzzRun.Fault("a damaged checkpoint was accepted")
            }
            return .accepted(isSound ? "sound" : "damaged where nothing is read")
        } catch let error as CheckpointError {
            if isSound { throw FuzzRun.Fault("a sound checkpoint was refused: \(error)") }
            if case .allDamaged = error, let fault = Sentence.fault(in: "\(error)", naming: [path]) {
                throw FuzzRun.Fault(fault)
            }
        }
        do {
            _ = try Checkpoint(contentsOf: path)
            throw FuzzRun.Fault("a checkpoint that the store refuses was read")
        } catch let error as CheckpointError {
            return .refused(error, naming: [path])
        } catch let error as SafetensorsError {
            return .refused(error, naming: [path])
        }
    }
}
