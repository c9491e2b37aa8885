import Collectives
import Configuration
import Crypto
import Engine
import Foundation
import RunFiles

extension RunConfiguration {
    /// Compares the configurations of all ranks: the first of what must be equal, since it decides which
    /// collective operations follow. Collective.
    /// - Throws: ``TrainingError/ranksDiffer(rank:host:what:)``, the same on all ranks.
    func checkEqual(on communicator: any Communicator) throws {
        guard communicator.size > 1 else { return }
        let texts = try communicator.allGatherVariable(Array(yaml.utf8))
            .map { String(decoding: $0, as: UTF8.self) }
        guard let rank = texts.firstIndex(where: { $0 != texts[0] }) else { return }
        let other = try RunConfiguration(yaml: texts[rank])
        let first = other.differences(from: try RunConfiguration(yaml: texts[0])).first
        let what = first.map { ": \($0.key) is \($0.value) there and \($0.other) on rank 0" } ?? ""
        throw TrainingError.ranksDiffer(
            rank: rank, host: communicator.hostNames[rank], what: "the configuration" + what)
    }
}

extension TrainingOptions {
    /// Compares what of the options decides which collective operations follow. Collective.
    /// - Throws: ``TrainingError/ranksDiffer(rank:host:what:)``, the same on all ranks.
    func checkEqual(on communicator: any Communicator) throws {
        let own = "\(runFolder)\n\(resume)\n\(timeline ?? "")"
        let all = try communicator.allGatherVariable(Array(own.utf8))
        guard let rank = all.firstIndex(where: { $0 != all[0] }) else { return }
        throw TrainingError.ranksDiffer(
            rank: rank, host: communicator.hostNames[rank], what: "--output, --resume or --timeline")
    }
}

/// What must be equal on all ranks before their first step, beside the configuration.
struct ReplicaState {
    /// Each with what messages call it.
    let digests: [(name: String, digest: String)]

    init(task: TrainingTask, step: TrainingStep, firstStep: Int) {
        // As this rank's host has it: lists of one path differ where a folder is not shared.
        let list = (task.subjects + task.heldOut).flatMap {
            [$0.subject, $0.reference ?? "", $0.mask ?? ""] + $0.images.map(\.path)
        }
        digests = [
            ("the list of subjects", SHA256.digest(of: list)),
            (
                "the compiled network (instruction set or algorithms)",
                Self.digest("\(step.device.name) \(step.outputSize)\n\(step.summary)")
            ),
            ("the parameters", step.model.parameters.digest),
            ("the first step", "\(firstStep)"),
        ]
    }

    /// Compares with rank 0. Collective.
    /// - Throws: ``TrainingError/ranksDiffer(rank:host:what:)``, the same on all ranks.
    func check(on communicator: any Communicator) throws {
        guard communicator.size > 1 else { return }
        let own = digests.map(\.digest).joined(separator: "\n")
        let all = try communicator.allGatherVariable(Array(own.utf8))
            .map { String(decoding: $0, as: UTF8.self).split(separator: "\n").map(String.init) }
        guard let rank = all.indices.first(where: { all[$0] != all[0] }),
            let index = digests.indices.first(where: { all[rank][$0] != all[0][$0] })
        else { return }
        throw TrainingError.ranksDiffer(
            rank: rank, host: communicator.hostNames[rank], what: digests[index].name)
    }

    private static func digest(_ text: String) -> String { SHA256.hash(data: Array(text.utf8)).hexadecimal }
}

extension TrainingStep {
    /// Compares the replicas where that is due: rounding never tells them apart, so that a difference is a
    /// fault of a machine or of the program. Collective.
    /// - Throws: ``TrainingError/ranksDiffer(rank:host:what:)``, the same on all ranks.
    func compareReplicas(step: Int) throws {
        let every = configuration.distributed.compareEvery
        guard communicator.size > 1, every > 0, step % every == 0 else { return }
        let digests = try phases.run(.comparingReplicas, step: step) {
            try communicator.allGatherVariable(Array(model.parameters.digest.utf8))
        }
        guard let rank = digests.firstIndex(where: { $0 != digests[0] }) else { return }
        throw TrainingError.ranksDiffer(
            rank: rank, host: communicator.hostNames[rank],
            what: "the parameters after step \(step); the checkpoints before it stay")
    }
}

extension ParameterArena {
    /// SHA-256 of all values in hexadecimal.
    var digest: String {
        withUnsafeMutableBuffer { buffer in
            var hash = SHA256()
            hash.update(bufferPointer: UnsafeRawBufferPointer(buffer))
            return hash.finalize().hexadecimal
        }
    }
}
