import CKernels
import COneDNN
import Engine
import Foundation

/// The version of the kernels that runs. One binary holds all of them and picks at run time.
public enum InstructionSet: String, CaseIterable, Sendable {
    case portable, avx2, avx512

    /// The versions that this machine can run, narrowest first.
    public static var available: [InstructionSet] {
        allCases.filter { $0.kernels.rawValue <= dr_widest_isa().rawValue }
    }

    /// What the environment variable `DICERANK_ISA` names, else the widest. oneDNN is held to the same.
    public static func selected() throws(EngineError) -> InstructionSet {
        guard let asked = ProcessInfo.processInfo.environment["DICERANK_ISA"], !asked.isEmpty else {
            return available[available.count - 1]
        }
        guard let set = InstructionSet(rawValue: asked), available.contains(set) else {
            throw .instructionSet(asked: asked, available: available.map(\.rawValue))
        }
        // Refused once oneDNN has compiled something; the first call of the process has set it by then.
        _ = dnn_limit_instruction_set(set.rawValue)
        return set
    }

    /// Channels that lie beside each other in memory.
    var block: Int { Int(dr_block(kernels)) }

    var kernels: dr_isa {
        switch self {
        case .portable: return DR_PORTABLE
        case .avx2: return DR_AVX2
        case .avx512: return DR_AVX512
        }
    }
}

/// The convolution library.
public enum OneDNN {
    /// Version at run time, such as "2.6.3".
    public static var version: String {
        let number = dnn_version()
        return "\(number / 10000).\(number / 100 % 100).\(number % 100)"
    }

    /// The instruction set that its kernels use on this machine, in words.
    public static var instructionSet: String { String(cString: dnn_instruction_set()) }
}
