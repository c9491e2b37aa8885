import CPU
import Engine

/// The one place where it is decided on what networks run.
public enum DeviceChoice {
    /// The device of this rank, for the calling thread.
    /// - Parameter threads: of this rank, above 0.
    /// - Throws: `EngineError.instructionSet` where `DICERANK_ISA` names one that this machine lacks.
    public static func device(threads: Int) throws(EngineError) -> any Device {
        try CPUDevice(threads: threads)
    }
}
