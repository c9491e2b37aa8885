import Collectives
import Crypto
import Engine

/// What must be equal on all ranks before they train together.
struct ReplicaState {
    let configuration: RunConfiguration
    /// Each with what messages call it.
    let digests: [(name: String, digest: String)]

    init(task: TrainingTask, plan: Plan, firstStep: Int) {
        configuration = task.configuration
        let subjects = task.subjects.map { subject in
            ([subject.subject] + subject.images.map(\.modality)).joined(separator: "\u{0}")
        }
        digests = [
            ("the configuration", configuration.digest),
            ("the list of subjects", Self.digest(subjects.joined(separator: "\n"))),
            (
                "the compiled network (instruction set or algorithms)",
                Self.digest("\(plan.instructionSet) \(plan.outputSize)\n\(plan.summary)")
            ),
            ("the parameters", plan.model.parameters.digest),
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
        var what = digests[index].name
        if index == 0 {
            // The text is long, so it travels only now.
            let mine = try communicator.broadcast(configuration.yaml, from: 0)
            let theirs = try communicator.broadcast(configuration.yaml, from: rank)
            let first = try RunConfiguration(yaml: theirs).differences(from: RunConfiguration(yaml: mine))
                .first
            if let first { what += ": \(first.key) is \(first.value) there and \(first.other) on rank 0" }
        }
        throw TrainingError.ranksDiffer(rank: rank, host: communicator.hostNames[rank], what: what)
    }

    private static func digest(_ text: String) -> String { SHA256.hash(data: Array(text.utf8)).hexadecimal }
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
